/** A debate to begin: all that a request can say, with what it means; or one that was held, to be held otherwise. */

import { get, key, newName, once, pathOf, post, send } from "../api.js";
import { fill, h, said } from "../dom.js";
import { Form } from "../form.js";
import { EXAMPLES, IDEAS } from "../presets.js";
import { asCurl, mergePatch } from "../request.js";
import { Schema } from "../schema.js";
import { trouble } from "../trouble.js";
import { number, t, tOr } from "../words.js";

const DRAFT = "rostra.draft";
const SENT = "rostra.draft.sent"; // what was sent last, and under which name
const OWN = "(own)"; // a format that the request holds; no name has brackets
const CHECKS = ["repetition", "length", "language", "stance", "speaker", "leaks"];
const STRICT = ["off", "lenient", "strict"];
const TAGS = ["en", "ja", "zh", "ko", "de", "fr", "es", "pt", "it", "ru", "ar"];

export function compose({ names: [id, way, turn], signal }) {
  const place = h("section", { class: "compose" }, h("p", { class: "quiet", role: "status" }, t("loading")));
  load(id).then(
    (loaded) => !signal.aborted && new Composer(place, { ...loaded, id, way, turn: Number(turn ?? 0) }),
    (error) => !signal.aborted && fill(place, trouble(error)),
  );
  return place;
}

async function load(id) {
  const [contract, formats, models, transcript] = await Promise.all([
    once("/openapi.json"),
    once("/v1/formats"),
    once("/v1/models"),
    id ? get(`${pathOf(id)}/transcript.json`) : null,
  ]);
  return { contract, formats: formats.data, models: models.data, transcript };
}

function draft() {
  try {
    return JSON.parse(localStorage.getItem(DRAFT)) ?? {};
  } catch {
    return {};
  }
}

class Composer {
  constructor(place, loaded) {
    Object.assign(this, { place, ...loaded });
    this.schema = new Schema(this.contract);
    this.before = this.transcript?.settings.request;
    document.title = `${this.#title()} · Rostra`;
    this.#start(this.transcript ? structuredClone(this.before) : draft());
  }

  #title() {
    return this.way === "fork" ? t("fork.title", { n: this.turn }) : this.way === "repeat" ? t("repeat.title") : t("new_debate");
  }

  /** Draws everything for this request. */
  #start(request) {
    this.form = new Form(request, this.schema, (path) => this.#changed(path));
    // The text of one is not yet a format while it is written.
    this.own = request.format !== undefined && !this.formats.some((each) => each.name === request.format);
    this.who = h("div", { class: "who" });
    this.picture = h("div", { class: "picture" });
    this.rounds = h("div");
    this.listed = h("div");
    this.phases = h("div");
    this.preview = h("div", { class: "preview" });
    this.problems = h("div");
    this.begin = h("button", { class: "primary" }, this.way === "fork" ? t("fork.begin") : t("compose.begin"));
    fill(
      this.place,
      h("h1", {}, this.#title()),
      this.transcript && h("p", {}, h("a", { href: `#/debates/${this.id}` }, said("span", {}, this.transcript.motion, this.transcript.settings.language))),
      this.way === "fork" && h("p", { class: "quiet" }, t("fork.how", { n: this.turn })),
      !this.transcript && this.#presets(),
      h(
        "form",
        { novalidate: true, onsubmit: (event) => this.#send(event) },
        this.#whatPart(),
        h("fieldset", {}, h("legend", {}, t("compose.who")), this.who),
        this.#morePart(),
        this.problems,
        h("div", { class: "buttons sending" }, this.begin, !this.transcript && h("button", { type: "button", class: "plain", onclick: () => this.#startOver() }, t("compose.over"))),
        this.#previewPart(),
      ),
    );
    this.#showDebaters();
    this.#showFormat();
    this.#showPreview();
  }

  #startOver() {
    localStorage.removeItem(DRAFT);
    this.#start({});
    this.place.querySelector("textarea")?.focus();
  }

  #changed(path) {
    if (!this.transcript) localStorage.setItem(DRAFT, JSON.stringify(this.form.request));
    if (path[0] === "format" && this.own) this.#showOwn();
    this.#showPreview();
  }

  // ── where to begin ──

  #presets() {
    const button = (name, request) => h("button", { type: "button", class: "preset", onclick: () => this.#take(request) }, name);
    return h(
      "div",
      { class: "presets", role: "group", "aria-label": t("presets") },
      h("span", { class: "quiet" }, t("presets")),
      Object.entries(IDEAS).map(([name, idea]) => button(t(`idea.${name}`), idea(t))),
      Object.entries(EXAMPLES).map(([name, request]) => button(t(`example.${name}`), request)),
    );
  }

  #take(request) {
    const known = new Set(this.schema.names([]));
    const taken = Object.fromEntries(Object.entries(structuredClone(request)).filter(([name]) => known.has(name)));
    localStorage.setItem(DRAFT, JSON.stringify(taken));
    this.#start(taken);
    this.place.querySelector("textarea").focus();
  }

  // ── what is debated, and how ──

  #whatPart() {
    const { form } = this;
    const tags = h("datalist", { id: "tags" }, TAGS.map((tag) => h("option", { value: tag })));
    return h(
      "fieldset",
      {},
      h("legend", {}, t("compose.what")),
      form.text(["motion"], { rows: 2, required: true, wide: true }),
      h("div", { class: "fields" }, this.#formatField(), this.rounds, form.text(["language"], { list: "tags", placeholder: t("compose.as_motion") }), tags),
      this.listed,
      this.picture,
    );
  }

  #formatField() {
    const choices = [...this.formats.map((each) => [each.name, tOr(`format.${each.name}`, each.title)]), [OWN, t("format.inline")]];
    const now = this.own ? OWN : (this.form.get(["format"]) ?? "round_robin");
    const choose = ({ target }) => {
      this.own = target.value === OWN;
      this.form.set(["format"], this.own ? {} : target.value);
      this.#showFormat();
    };
    const select = h(
      "select",
      { onchange: choose },
      choices.map(([value, name]) => h("option", { value, selected: value === now }, name)),
    );
    return this.form.labelled(["format"], select, { hint: "" });
  }

  /** What a format is: in the reader's language where the page has it, else as the format's file says it. */
  #summary(format) {
    const ours = tOr(`summary.${format.name}`, null);
    return h("p", { class: "quiet", dir: "auto", lang: ours ? null : "en" }, ours ?? format.summary);
  }

  /** The format's picture, what is special about it, and the fields that it wants. */
  async #showFormat() {
    const { form } = this;
    const format = form.get(["format"]) ?? "round_robin";
    const wanted = (this.wanted = Symbol("the last one asked for counts"));
    if (this.own) {
      fill(this.picture, form.json(["format"], { rows: 12, hint: t("compose.own_format"), wide: true }));
      this.#showOwn();
      return;
    }
    const [whole, drawing] = await Promise.all([
      once(`/v1/formats/${encodeURIComponent(format)}`).catch(() => null),
      drawn(format).catch(() => null),
    ]);
    if (wanted !== this.wanted || !whole) return;
    this.chosen = whole;
    fill(
      this.picture,
      this.#summary(whole),
      h("p", { class: "quiet" }, [
        whole.turns !== null && t("compose.turns", { n: whole.turns }),
        whole.minutes && ` · ${t("compose.minutes", { n: whole.minutes })}`,
        whole.tokens && ` · ${t("compose.tokens", { n: number(whole.tokens) })}`,
      ]),
      drawing && h("details", { open: this.pictured, ontoggle: (event) => (this.pictured = event.target.open) }, h("summary", {}, t("compose.picture")), h("img", { src: drawing, alt: whole.title, loading: "lazy" })),
    );
    this.#showParts();
  }

  /** The parts of a format that is written here, as far as it is one; the field that it is written in stays. */
  #showOwn() {
    const { teams, phases } = this.form.get(["format"]) ?? {};
    this.chosen = { teams: Array.isArray(teams) ? teams : [], phases: Array.isArray(phases) ? phases : [] };
    this.#showParts();
  }

  #showParts() {
    const { form } = this;
    const free = this.chosen.phases.some((phase) => phase.order);
    const listed = this.chosen.phases.some((phase) => phase.order === "manual");
    fill(this.rounds, free && !listed && form.number(["rounds"], { placeholder: "3" }));
    fill(this.listed, listed && form.lines(["speakers"], { rows: 4, wide: true }));
    this.#showDebaters();
    this.#showPhases();
  }

  #showPhases() {
    const phases = this.chosen.phases.filter((phase) => phase.name);
    fill(
      this.phases,
      phases.map((phase) =>
        h("details", { class: "inner" }, h("summary", {}, h("bdi", {}, phase.title || phase.name)), this.#sampling(["phases", phase.name, "sampling"])),
      ),
    );
  }

  // ── who debates ──

  #showDebaters() {
    const debaters = this.form.get(["debaters"]);
    const most = 16;
    const more = h("button", { type: "button", onclick: () => this.#addDebater() }, t("compose.add"));
    fill(
      this.who,
      !debaters?.length && h("p", { class: "quiet" }, t("compose.nobody")),
      (debaters ?? []).map((_, at) => this.#debater(at)),
      (debaters?.length ?? 0) < most && more,
    );
  }

  #addDebater() {
    const debaters = this.form.get(["debaters"]) ?? [];
    const fresh = debaters.length ? [{ name: "" }] : [{ name: "Ada", stance: t("stance.for") }, { name: "Wilhelm", stance: t("stance.against") }];
    this.form.set(["debaters"], [...debaters, ...fresh]);
    this.#showDebaters();
    this.who.querySelector(".debater:last-of-type input")?.focus();
  }

  #dropDebater(at) {
    const left = this.form.get(["debaters"]).filter((_, each) => each !== at);
    this.form.set(["debaters"], left.length ? left : undefined);
    this.#showDebaters();
    this.who.querySelector("button")?.focus();
  }

  #debater(at) {
    const { form } = this;
    const place = (name) => ["debaters", at, name];
    const teams = this.chosen?.teams ?? [];
    return h(
      "div",
      { class: `debater voice-${(at % 8) + 1}`, role: "group", "aria-label": t("compose.debater_n", { n: at + 1 }) },
      h(
        "div",
        { class: "fields" },
        form.text(place("name")),
        form.text(place("stance")),
        teams.length > 0
          ? form.choice(place("team"), [["", t("compose.any_team")], ...teams.map((team) => [team.name, team.title || team.name.replaceAll("_", " ")])])
          : null,
        this.#model(place("model")),
      ),
      form.text(place("persona"), { rows: 2, wide: true }),
      this.schema.at(place("human")) && form.check(place("human")),
      h(
        "div",
        { class: "buttons" },
        h("details", { class: "inner" }, h("summary", {}, t("compose.sampling")), !teams.length && form.text(place("team")), this.#sampling(place("sampling"), form.get(place("model")))),
        h("button", { type: "button", class: "plain danger", onclick: () => this.#dropDebater(at) }, t("compose.drop")),
      ),
    );
  }

  #model(path) {
    const known = this.models.map((each) => [each.name === "default" ? "" : each.name, each.name]);
    return this.form.choice(path, known.some(([value]) => !value) ? known : [["", "default"], ...known]);
  }

  /** Every option that the contract knows, as far as the model's servers can do it. */
  #sampling(path, model = "default") {
    const able = this.models.find((each) => each.name === (model ?? "default"))?.sampling;
    const names = this.schema.names(path).filter((name) => !able || able.includes(name) || this.form.get([...path, name]) !== undefined);
    return h("div", { class: "fields narrow" }, names.map((name) => this.#option([...path, name])));
  }

  #option(path) {
    const field = this.schema.at(path);
    const options = { name: h("code", {}, path.at(-1)) };
    if (field.enum) return this.form.number(path, { ...options, placeholder: field.enum.join(", ") });
    if (field.type === "array") return this.form.lines(path, { ...options, rows: 2 });
    if (field.type === "object") return this.form.json(path, { ...options, rows: 2 });
    if (field.type === "string") return this.form.text(path, { ...options, rows: 2 });
    return this.form.number(path, options);
  }

  // ── everything else ──

  #morePart() {
    const { form } = this;
    const part = (name, ...fields) => h("details", { class: "more" }, h("summary", {}, t(`more.${name}`)), h("div", { class: "fields" }, fields));
    const strict = (path, name) => form.choice(path, [["", t("compose.usual")], ...STRICT.map((each) => [each, t(`strictness.${each}`)])], name && { name });
    const has = (name) => this.schema.at([name]) !== null;
    return h(
      "fieldset",
      { class: "mores" },
      h("legend", {}, t("compose.more")),
      part("turns", form.text(["opening"], { rows: 2, wide: true }), ...["max_characters", "max_tokens", "words_per_minute"].map((name) => form.number(["turn", name]))),
      part("guard", this.#guard(strict)),
      part("judge", form.optional(["judge"], t("field.judge"), () => this.#judge())),
      part("votes", form.optional(["audience"], t("field.audience"), () => this.#audience()), this.#decision(), form.check(["baselines"])),
      part(
        "moderator",
        form.optional(["moderator"], t("field.moderator"), () => [this.#model(["moderator", "model"]), this.schema.at(["moderator", "human"]) && form.check(["moderator", "human"])]),
        has("humans") && [form.number(["humans", "seconds"], { placeholder: "600" }), form.choice(["humans", "then"], [["", t("humans.model")], ["skip", t("humans.skip")]])],
      ),
      part("phases", h("p", { class: "hint wide-field" }, t("hint.phases")), this.phases),
      part("limits", form.number(["limits", "seconds"]), form.number(["limits", "tokens"]), form.number(["seed"]), form.pairs(["metadata"], { placeholder: "experiment: tea" })),
      has("webhook") && part("webhook", form.text(["webhook", "url"], { placeholder: "https://…", wide: true }), form.lines(["webhook", "events"], { wide: true })),
      this.#others(part),
    );
  }

  /** What a newer server can do besides: no option of the API is out of reach. */
  #others(part) {
    const ours = ["motion", "language", "format", "rounds", "speakers", "opening", "debaters", "turn", "phases", "guard", "judge"];
    ours.push("moderator", "humans", "audience", "decision", "baselines", "limits", "seed", "metadata", "webhook");
    const left = this.schema.names([]).filter((name) => !ours.includes(name));
    return left.length > 0 && part("others", left.map((name) => this.form.json([name], { name, wide: true })));
  }

  #guard(strict) {
    const { form } = this;
    const now = form.get(["guard"]);
    const each = typeof now === "object";
    const inside = h("div", { class: "fields" });
    const show = (separate) => fill(inside, separate ? CHECKS.map((check) => strict(["guard", check], t(`check.${check}`))) : strict(["guard"]));
    const input = h("input", {
      type: "checkbox",
      checked: each,
      id: "guard-each",
      onchange: (event) => {
        form.set(["guard"], undefined);
        show(event.target.checked);
      },
    });
    show(each);
    return [inside, h("div", { class: "field beside" }, input, h("label", { for: "guard-each" }, t("compose.each_check")))];
  }

  #judge() {
    const { form } = this;
    const panel = form.get(["judge", "panel"]);
    const rubric = form.get(["judge", "rubric"]);
    return [
      Array.isArray(panel) ? form.json(["judge", "panel"]) : form.number(["judge", "panel"], { placeholder: "1" }),
      this.#model(["judge", "model"]),
      typeof rubric === "object" ? form.json(["judge", "rubric"]) : form.choice(["judge", "rubric"], [["", t("rubric.usual")], ["per_clash", t("rubric.per_clash")]]),
      form.check(["judge", "swap"]),
      form.check(["judge", "names_hidden"]),
    ];
  }

  #audience() {
    const { form } = this;
    return [form.number(["audience", "size"], { placeholder: "5" }), this.#model(["audience", "model"]), form.lines(["audience", "personas"], { wide: true })];
  }

  #decision() {
    const { form } = this;
    const protocols = ["majority", "borda", "approval", "consensus"];
    const more = h("div", { class: "fields" });
    const show = () => fill(more, form.get(["decision"]) !== undefined && [form.number(["decision", "limit"], { placeholder: "1" }), form.number(["decision", "share"], { placeholder: "1" })]);
    const field = form.choice(["decision", "protocol"], [["", t("compose.no_decision")], ...protocols.map((each) => [each, t(`protocol.${each}`)])]);
    field.querySelector("select").addEventListener("change", (event) => {
      if (!event.target.value) form.set(["decision"], undefined);
      show();
    });
    show();
    return [field, more];
  }

  // ── what will be sent ──

  #body() {
    if (this.way !== "fork") return [`/v1/debates`, this.form.request];
    return [`${pathOf(this.id)}/fork`, { after_turn: this.turn, changes: mergePatch(this.before, this.form.request) ?? {} }];
  }

  #previewPart() {
    return h("details", { class: "more" }, h("summary", {}, t("compose.preview")), this.preview);
  }

  #showPreview() {
    const [path, body] = this.#body();
    const shown = (id, text) => [h("h2", { id }, t(`compose.${id}`)), h("pre", { class: "json", tabindex: "0", "aria-labelledby": id }, text)];
    fill(this.preview, shown("as_json", `POST ${path}\n\n${JSON.stringify(body, null, 2)}`), shown("as_curl", asCurl(path, body, Boolean(key()))));
  }

  async #send(event) {
    event.preventDefault();
    const [path, body] = this.#body();
    // The same request under the same name begins one debate, however often it is sent.
    const sent = JSON.stringify([path, body]);
    const last = JSON.parse(localStorage.getItem(SENT) ?? "{}");
    const name = last.sent === sent ? last.name : newName();
    localStorage.setItem(SENT, JSON.stringify({ sent, name }));
    this.begin.disabled = true;
    fill(this.problems);
    this.form.clearFaults();
    try {
      const begun = await post(path, body, { "Idempotency-Key": name });
      if (!this.transcript) localStorage.removeItem(DRAFT);
      localStorage.removeItem(SENT);
      location.hash = `#/debates/${begun.id}`;
    } catch (error) {
      this.begin.disabled = false;
      this.#tell(error);
    }
  }

  #tell(error) {
    const faults = (error.errors ?? []).map((fault) => ({ ...fault, pointer: fault.pointer?.replace(/^\/changes(?=\/|$)/, "") }));
    const homeless = this.form.tell(faults);
    const rest = Object.assign(Object.create(error), { errors: homeless });
    if (faults.length && !homeless.length) rest.message = t("compose.see_fields");
    fill(this.problems, trouble(rest));
    if (homeless.length === faults.length) this.problems.scrollIntoView({ block: "center" });
  }
}

const drawings = new Map();

/** A format's picture, for an `img`, whose request could carry no key. */
async function drawn(name) {
  if (!drawings.has(name)) {
    const bytes = new Uint8Array(await (await send(`/v1/formats/${encodeURIComponent(name)}.svg`)).arrayBuffer());
    const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    drawings.set(name, `data:image/svg+xml;base64,${btoa(letters)}`);
  }
  return drawings.get(name);
}

/** One debate: live while it is held, and what came of it afterwards. Each of its parts has an address of its own. */

import { get, pathOf, post, remove } from "../api.js";
import { Course, ENDED } from "../course.js";
import { add, fill, h, said } from "../dom.js";
import { exportsOf } from "../exporting.js";
import { facts } from "../facts.js";
import { figures } from "../figures.js";
import { outcome, summary } from "../outcome.js";
import { People } from "../people.js";
import { Reading } from "../reading.js";
import { follow } from "../stream.js";
import { trouble } from "../trouble.js";
import { asking, speaking } from "../taking_part.js";
import { ago, t, tOr, when } from "../words.js";
import { status } from "./list.js";

export function debate({ names: [id, part = "transcript"], signal }) {
  const place = h("section", { class: "debate" }, h("p", { class: "quiet", role: "status" }, t("loading")));
  load(id, signal, part).then(
    (loaded) => !signal.aborted && new Scene(place, loaded, part, signal),
    (error) => !signal.aborted && fill(place, trouble(error), h("p", {}, h("a", { href: "#/" }, t("to_list")))),
  );
  return place;
}

// Turns from which the figures of a debate that has ended take the server longer than a reader should wait: 3 ms each.
const LONG = 150;

async function load(id, signal, part) {
  const path = pathOf(id);
  const [asked, whole] = [get(path, { signal }), get(`${path}/transcript.json`, { signal })];
  whole.catch(() => {}); // it is waited for below, or when it is there
  const view = await asked;
  if (part !== "transcript" || !ENDED.has(view.status) || view.turns_done < LONG) return { path, view, transcript: await whole };
  return { path, view, transcript: { id, settings: {} }, whole }; // the first event tells the settings
}

class Scene {
  constructor(place, { path, view, transcript, whole }, part, signal) {
    Object.assign(this, { place, path, view, transcript, part, signal });
    this.course = new Course();
    this.people = new People(view.debaters, transcript.settings);
    this.ended = ENDED.has(view.status);
    document.title = `${view.motion} · Rostra`;
    this.status = h("span", { class: "now" });
    this.line = h("span", { class: "line", role: "status" });
    this.steering = h("div", { class: "buttons" });
    this.progress = h("span", { class: "bar", "aria-hidden": "true" }, h("span"));
    this.count = h("span", { class: "count" });
    this.body = h("div", { class: "body" });
    this.voices = new Map();
    this.head = this.#head();
    fill(place, this.head, this.#bar(), this.ended && this.#parts(), this.body);
    this.#showStatus();
    this.#showPart();
    whole?.then((read) => this.#news(read)).catch((error) => this.#tell(error));
  }

  /** Who and what is debated, from the first event, where the transcript is still to come. */
  #know(settings) {
    this.transcript.settings = settings;
    Object.assign(this.people, new People(this.view.debaters, settings));
    const head = this.#head();
    this.head.replaceWith(head);
    this.head = head;
  }

  // ── what stands above all parts ──

  #head() {
    const { view, transcript } = this;
    return h(
      "header",
      { class: "head" },
      h(
        "p",
        { class: "quiet eyebrow" },
        tOr(`format.${view.format}`, view.format),
        view.language && ` · ${view.language}`,
        " · ",
        h("time", { datetime: view.created_at, title: when(view.created_at) }, ago(view.created_at)),
        view.forked_from && [" · ", h("a", { href: `#/debates/${view.forked_from.id}` }, t("forked_from", { n: view.forked_from.after_turn }))],
      ),
      said("h1", { class: "motion" }, view.motion, view.language),
      h("ul", { class: "voices" }, view.debaters.map((each) => this.#voice(each))),
      transcript.settings.opening && this.part === "transcript" && said("p", { class: "opening" }, transcript.settings.opening, view.language),
      view.notes?.length > 0 && h("ul", { class: "notes", lang: "en" }, view.notes.map((note) => h("li", {}, note))),
    );
  }

  #voice(debater) {
    const chip = h(
      "li",
      { class: `voice voice-${this.people.voice(debater.name)}` },
      said("strong", { class: "name" }, debater.name, this.view.language),
      debater.human && h("span", { class: "kind" }, t("human")),
      debater.stance && said("span", { class: "quiet" }, debater.stance, this.view.language),
    );
    this.voices.set(debater.name, chip);
    return chip;
  }

  #bar() {
    return h(
      "div",
      { class: "standing" },
      this.status,
      this.progress,
      this.count,
      this.line,
      this.steering,
    );
  }

  #parts() {
    const base = `#/debates/${this.view.id}`;
    const link = (part, href) => h("a", { href, "aria-current": part === this.part ? "page" : null }, t(`part.${part}`));
    return h(
      "nav",
      { class: "parts", "aria-label": t("parts") },
      link("transcript", base),
      link("outcome", `${base}/outcome`),
      link("figures", `${base}/figures`),
      link("facts", `${base}/facts`),
    );
  }

  // ── what is asked for ──

  #showPart() {
    const { transcript, view, people } = this;
    switch (this.part) {
      case "outcome":
        return add(this.body, outcome(transcript, people));
      case "figures":
        return add(this.body, figures(transcript, people));
      case "facts":
        return add(this.body, facts(view, transcript));
      default:
        return this.#showTranscript();
    }
  }

  #showTranscript() {
    this.reading = new Reading(this.course, this.people, this.view.language, { live: !this.ended, fork: this.#fork(), signal: this.signal });
    this.part = "transcript";
    this.taking = h("div", { class: "taking" });
    add(this.body, this.reading.element, this.taking);
    if (this.ended && "status" in this.transcript) this.#news(this.transcript);
    this.#follow();
  }

  #follow() {
    const { course } = this;
    this.asking = asking(this.view, this.transcript, this.path);
    follow(`${this.path}/events`, {
      signal: this.signal,
      onLine: (line) => {
        this.line.textContent = line === "lost" ? t("line.lost") : "";
        this.line.classList.toggle("lost", line === "lost");
      },
      onEvent: (type, data) => {
        if (type === "debate_created" && !("status" in this.transcript)) this.#know(data.debate.settings);
        const change = course.take(type, data);
        if (change === "status") this.view = { ...this.view, wish: null }; // what was asked for is done
        this.reading.changed(change);
        if (change !== "words") this.#soon();
        if (change === "status" || change === "end" || change === "turn") this.#takePart();
        if (change === "end" && !this.ended) this.#theEnd().catch((error) => this.#tell(error));
      },
    }).catch((error) => this.#tell(error));
  }

  #tell(error) {
    if (!this.signal.aborted) add(this.body, trouble(error));
  }

  /** Once for all that came at once. */
  #soon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      if (!this.signal.aborted) this.#showStatus();
    }, 30);
  }

  /** What came of it is read anew, since the server works it out; what is read stays where it is. */
  async #theEnd() {
    const { view, transcript } = await load(this.view.id, this.signal);
    Object.assign(this, { view, ended: true });
    this.body.before(this.#parts());
    this.#news(transcript);
    this.reading.end(this.#fork());
    this.#showStatus();
    this.#takePart();
  }

  /** What came of it stands above what was said. */
  #news(transcript) {
    this.transcript = transcript;
    const news = summary(transcript, this.view, this.people);
    if (news && !this.signal.aborted) this.body.prepend(news);
  }

  #fork() {
    return this.ended ? (seq) => `#/debates/${this.view.id}/fork/${seq}` : null;
  }

  // ── how it stands ──

  #showStatus() {
    const { view, course } = this;
    const now = this.ended || !course.seq ? view.status : course.status;
    const current = course.status !== "queued" || course.seq ? course.status : now;
    const done = this.ended ? view.turns_done : Math.max(course.seq, view.turns_done);
    fill(this.status, status({ status: this.ended ? view.status : current, wish: this.ended ? null : view.wish }));
    this.progress.firstChild.style.inlineSize = `${Math.min(1, view.turns_planned ? done / view.turns_planned : 0) * 100}%`;
    this.count.textContent = t("turns_of", { done, planned: view.turns_planned });
    for (const [name, chip] of this.voices) chip.classList.toggle("speaks", course.speaking?.debater === name);
    this.#showSteering(this.ended ? view.status : current);
  }

  #showSteering(current) {
    if (this.steeredFor === current) return;
    this.steeredFor = current;
    const act = (text, what, style = "") => h("button", { type: "button", class: style, onclick: what }, text);
    const repeat = h("a", { class: "button", href: `#/debates/${this.view.id}/repeat` }, t("repeat"));
    const compare = h("a", { class: "button", href: `#/compare/${this.view.id}` }, t("compare"));
    if (ENDED.has(current)) {
      fill(this.steering, repeat, compare, exportsOf(this.view, this.path), act(t("delete"), () => this.#delete(), "danger"));
    } else {
      const paused = current === "paused";
      fill(
        this.steering,
        paused ? act(t("resume"), () => this.#steer("resume"), "primary") : act(t("pause"), () => this.#steer("pause")),
        act(t("cancel"), () => this.#cancel(), "danger"),
        exportsOf(this.view, this.path),
      );
    }
  }

  async #steer(wish) {
    try {
      this.view = await post(`${this.path}/${wish}`);
      this.#showStatus();
    } catch (error) {
      this.#tell(error);
    }
  }

  #cancel() {
    if (confirm(t("cancel.sure"))) this.#steer("cancel");
  }

  async #delete() {
    if (!confirm(t("delete.sure"))) return;
    try {
      await remove(this.path);
      location.hash = "#/";
    } catch (error) {
      this.#tell(error);
    }
  }

  // ── people who take part ──

  #takePart() {
    const { course, view } = this;
    const awaited = this.ended ? null : course.awaits;
    const key = JSON.stringify(awaited) + ENDED.has(course.status);
    if (key === this.takenPartFor) return;
    this.takenPartFor = key;
    fill(
      this.taking,
      awaited && speaking(awaited, this.transcript, this.path, view.language),
      !ENDED.has(course.status) && !this.ended && this.asking,
    );
  }
}

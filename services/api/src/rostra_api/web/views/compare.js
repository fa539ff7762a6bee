/** Two debates side by side: what they were held with, what is measured, and turn by turn what was said. */

import { get, pathOf } from "../api.js";
import { fill, h, paragraphs, said } from "../dom.js";
import { factsOf } from "../facts.js";
import { rowsOf } from "../figures.js";
import { People } from "../people.js";
import { same } from "../request.js";
import { trouble } from "../trouble.js";
import { ago, number, percent, t } from "../words.js";

export function compare({ names: [one, other], signal }) {
  document.title = `${t("compare")} · Rostra`;
  const place = h("section", { class: "compare" }, h("p", { class: "quiet", role: "status" }, t("loading")));
  const shown = other ? both(one, other) : choosing(one);
  shown.then(
    (content) => !signal.aborted && fill(place, h("h1", {}, t("compare")), content),
    (error) => !signal.aborted && fill(place, h("h1", {}, t("compare")), trouble(error)),
  );
  return place;
}

// ── which ──

async function choosing(one) {
  const { data } = await get("/v1/debates?limit=100");
  const option = (each) => h("option", { value: each.id, dir: "auto" }, `${each.motion.slice(0, 80)} (${ago(each.created_at)})`);
  const select = (id, chosen) => {
    const made = h("select", { id, required: true }, h("option", { value: "" }, t("compare.choose")), data.map(option));
    made.value = chosen ?? "";
    return made;
  };
  const [left, right] = [select("left", one), select("right", null)];
  const go = (event) => {
    event.preventDefault();
    if (left.value && right.value) location.hash = `#/compare/${left.value}/${right.value}`;
  };
  return h(
    "form",
    { class: "choosing", onsubmit: go },
    h("div", { class: "field" }, h("label", { for: "left" }, t("compare.left")), left),
    h("div", { class: "field" }, h("label", { for: "right" }, t("compare.right")), right),
    h("button", { class: "primary" }, t("compare.go")),
  );
}

// ── side by side ──

async function both(...ids) {
  const sides = await Promise.all(
    ids.map(async (id) => {
      const [view, transcript] = await Promise.all([get(pathOf(id)), get(`${pathOf(id)}/transcript.json`)]);
      return { view, transcript, people: new People(view.debaters, transcript.settings) };
    }),
  );
  return [
    h("div", { class: "pair heads" }, sides.map(head)),
    h("section", {}, h("h2", {}, t("compare.settings")), settings(sides)),
    h("section", {}, h("h2", {}, t("compare.measures")), measures(sides)),
    h("section", {}, h("h2", {}, t("part.transcript")), turns(sides)),
  ];
}

function head({ view, people }) {
  return h(
    "div",
    {},
    h("a", { href: `#/debates/${view.id}`, class: "motion", dir: "auto", lang: view.language }, view.motion),
    h("p", { class: "legend" }, view.debaters.map((each) => h("span", { class: `voice voice-${people.voice(each.name)}` }, said("strong", { class: "name" }, each.name, view.language)))),
  );
}

function settings(sides) {
  const all = sides.map(({ view, transcript }) => settingsOf(view, transcript));
  const known = [...new Set(all.flatMap((each) => Object.keys(each)))];
  const names = known.filter((name) => !known.some((other) => other.startsWith(`${name}.`))); // null on one side, told by its parts
  const differing = names.filter((name) => !same(all[0][name], all[1][name]));
  const shared = names.filter((name) => !differing.includes(name));
  const row = (name) => h("tr", {}, h("th", { scope: "row" }, name), all.map((each) => h("td", { dir: "auto" }, shownOf(each[name]))));
  const tableOf = (rows, label) =>
    h("div", { class: "wide", tabindex: "0", role: "group", "aria-label": label }, h("table", { class: "pairs" }, h("caption", {}, label), h("tbody", {}, rows.map(row))));
  return [
    differing.length ? h("div", { class: "differing" }, tableOf(differing, t("compare.differing"))) : h("p", { class: "quiet" }, t("compare.alike")),
    h("details", {}, h("summary", {}, t("compare.shared", { n: shared.length })), tableOf(shared, t("compare.shared", { n: shared.length }))),
  ];
}

/** Each setting by a name of its own, so that one that differs stands alone. */
function settingsOf(view, transcript) {
  const { phases, request, ...rest } = transcript.settings; // the request says the same once more
  const flat = { motion: view.motion, phases: phases.map((phase) => `${phase.name} × ${phase.rounds}`).join(", ") };
  for (const [name, value] of Object.entries(rest)) flatten(flat, name, value);
  view.debaters.forEach((each, at) => flatten(flat, `debaters.${at + 1}`, each));
  return flat;
}

function flatten(flat, name, value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) flat[name] = value;
  else for (const [inner, each] of Object.entries(value)) flatten(flat, `${name}.${inner}`, each);
}

function shownOf(value) {
  if (value === undefined || value === null || value === "") return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function measures(sides) {
  const facts = sides.map(({ view, transcript }) => new Map(factsOf(view, transcript)));
  const told = ["status", "turns", "attempts", "tokens", "duration", "models"].map((name) => [t(`fact.${name}`), facts.map((each) => each.get(name))]);
  const means = ["characters", "containment", "fresh", "relevance", "distinct_2"].map((name) => [t(`mean.${name}`), sides.map((each) => meanOf(each.transcript, name))]);
  const winners = [t("verdict"), sides.map(({ transcript }) => transcript.verdict && (transcript.verdict.winner ?? t("verdict.none")))];
  const rows = [...told, ...means, winners];
  return h(
    "div",
    { class: "wide", tabindex: "0", role: "group", "aria-label": t("compare.measures") },
    h("table", { class: "pairs" }, h("tbody", {}, rows.map(([name, values]) => h("tr", {}, h("th", { scope: "row" }, name), values.map((value) => h("td", { dir: "auto" }, shownOf(value))))))),
  );
}

function meanOf({ measures: all }, name) {
  if (!all) return null;
  return name === "characters" ? number(all.means[name], 0) : percent(all.means[name]);
}

function turns(sides) {
  const most = Math.max(...sides.map(({ transcript }) => transcript.turns.length));
  const rows = sides.map(({ transcript }) => rowsOf(transcript));
  return Array.from({ length: most }, (_, at) => h("div", { class: "pair" }, sides.map((side, which) => turn(side, at, rows[which][at]))));
}

function turn({ transcript, people }, at, row) {
  const taken = transcript.turns[at];
  const language = transcript.settings.language;
  if (!taken) return h("div", { class: "quiet missing" }, "–");
  return h(
    "article",
    { class: `turn voice-${people.voice(taken.debater)}`, "aria-label": t("turn_by", { n: taken.seq, name: taken.debater }) },
    h("header", {}, said("strong", { class: "name" }, taken.debater, language), h("span", { class: "seq" }, `${taken.seq}`)),
    h("div", { class: "words" }, paragraphs(taken.text, language)),
    h("p", { class: "quiet figures" }, [t("speak.count", { n: row.characters }), t("tokens_n", { n: row.tokens }), row.repetition === null ? null : t("repeats_n", { share: percent(row.repetition) })].filter(Boolean).join(" · ")),
  );
}

/** The facts of a debate: what it was held with, what it cost, how long it took. */

import { h, said } from "./dom.js";
import { clock, number, t, tOr, when } from "./words.js";

export function facts(view, transcript) {
  const rows = factsOf(view, transcript);
  return [
    h("dl", { class: "facts" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, t(`fact.${name}`)), h("dd", {}, value)))),
    h("h2", {}, t("fact.debaters")),
    h("ul", { class: "debaters" }, view.debaters.map((each) => debater(each, view.language))),
    h("details", {}, h("summary", {}, t("fact.settings")), h("pre", { class: "json", tabindex: "0" }, JSON.stringify(transcript.settings, null, 2))),
  ];
}

/** Names and values, as text. */
export function factsOf(view, transcript) {
  const seconds = view.started_at && view.ended_at ? (new Date(view.ended_at) - new Date(view.started_at)) / 1000 : null;
  const attempts = transcript.turns.reduce((sum, turn) => sum + turn.attempts, 0);
  const models = [...new Set(transcript.turns.map((turn) => turn.model).filter(Boolean))];
  return [
    ["status", tOr(`status.${view.status}`, view.status) + (view.reason ? `: ${view.reason}` : "")],
    ["format", tOr(`format.${view.format}`, view.format)],
    ["language", view.language ?? "–"],
    ["models", (models.length ? models : [...new Set(view.debaters.map((each) => each.model))]).join(", ")],
    ["turns", t("turns_of", { done: view.turns_done, planned: view.turns_planned })],
    ["attempts", number(attempts)],
    ["tokens", t("tokens_of", { prompt: view.usage.prompt_tokens, completion: view.usage.completion_tokens })],
    ["duration", seconds === null ? "–" : clock(seconds)],
    ["seed", String(view.seed)],
    ["created", when(view.created_at)],
    ["guard", typeof transcript.settings.guard === "string" ? t(`strictness.${transcript.settings.guard}`) : JSON.stringify(transcript.settings.guard ?? "lenient").replaceAll('"', "")],
    ["metadata", Object.entries(view.metadata).map(([name, value]) => `${name}: ${value}`).join(", ") || "–"],
    ["owner", view.owner],
    ["id", view.id],
  ];
}

function debater(each, language) {
  const sampling = Object.entries(each.sampling).map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(", ");
  return h(
    "li",
    {},
    said("strong", {}, each.name, language),
    each.stance && [" ", said("span", {}, each.stance, language)],
    h("span", { class: "quiet" }, ` · ${each.model}${sampling ? ` · ${sampling}` : ""}`),
    each.persona && said("p", { class: "quiet" }, each.persona, language),
  );
}

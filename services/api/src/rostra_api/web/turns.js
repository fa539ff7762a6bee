/** Turns as they are read: who, what, and how it came about. */

import { fill, h, paragraphs, said } from "./dom.js";
import { plain } from "./plain.js";
import { t, tOr } from "./words.js";

/** A finished turn. `refused` are its attempts that came to nothing; `forkable` offers to go on from here. */
export function turn(taken, { people, language, refused = [], fork = null }) {
  const skipped = taken.finish_reason === "skipped" && !taken.text;
  return h(
    "article",
    { class: classes(taken.debater, people), id: `turn-${taken.seq}`, "aria-label": t("turn_by", { n: taken.seq, name: taken.debater }) },
    name(taken.debater, people, language, [
      kind(taken),
      h("a", { class: "seq", href: fork?.(taken.seq) ?? null, title: fork ? t("fork.from_here") : null }, `${taken.seq}`),
    ]),
    h("div", { class: "words" }, skipped ? h("p", { class: "quiet" }, t("turn.skipped")) : paragraphs(taken.text, language)),
    marks(taken),
    refused.length > 0 && attempts(refused, language),
  );
}

function classes(debater, people) {
  return `turn ${people.stand(debater)} voice-${people.voice(debater)}`;
}

function name(debater, people, language, behind = []) {
  const side = people.side(debater);
  const seat = people.seats.get(debater);
  return h(
    "header",
    {},
    said("strong", { class: "name" }, debater, language),
    side && said("span", { class: "side" }, seat && people.teams.length ? `${side} (${seat})` : side, language),
    behind,
  );
}

/** What is said in the slot, where it is not just a speech. */
function kind(taken) {
  if (!taken.kind || taken.kind === "speech") return null;
  const told = tOr(`kind.${taken.kind}`, taken.kind);
  return h("span", { class: "kind" }, taken.to ? [t("kind_to", { kind: told }), h("bdi", {}, taken.to)] : told);
}

/** What a reader should know of how it came about. */
function marks(taken) {
  const told = [
    taken.finish_reason === "human" && t("turn.human"),
    taken.chosen_by === "fallback" && t("turn.fallback"),
    taken.heard_by && t("turn.heard_by", { team: taken.heard_by }),
    taken.shortened && t("turn.shortened"),
    ...(taken.faults ?? []).map((fault) => tOr(`fault.${fault}`, fault)),
  ].filter(Boolean);
  return told.length ? h("ul", { class: "marks" }, told.map((each) => h("li", {}, each))) : null;
}

/** Attempts that became no turn: nothing is hidden, and nothing is in the way. */
export function attempts(refused, language) {
  return h(
    "details",
    { class: "refused" },
    h("summary", {}, t("refused", { n: refused.length })),
    h("ol", {}, refused.map((each) => attempt(each, language))),
  );
}

function attempt(failed, language) {
  const why = [...new Set([failed.reason, ...failed.faults])].map((each) => tOr(`fault.${each}`, each)).join(", ");
  return h(
    "li",
    { value: failed.attempt },
    h("strong", {}, why),
    failed.detail && h("span", { class: "quiet", lang: "en" }, ` ${failed.detail}`),
    failed.text && said("blockquote", {}, failed.text, language),
    h("p", { class: "quiet" }, t("tokens_n", { n: failed.usage?.completion_tokens ?? 0 }), remedies(failed)),
  );
}

function remedies(failed) {
  const told = (failed.remedies ?? []).map((each) => tOr(`remedy.${each}`, each)).join(", ");
  return told ? ` · ${t("remedies", { told })}` : "";
}

/** The turn in flight: its words are put in as they come, and nobody is told of each. */
export class Speaking {
  constructor(people, language) {
    this.people = people;
    this.language = language;
    this.element = null;
    this.refused = 0;
  }

  /** Shows what is spoken now; nothing where nobody speaks. Answers the element, or null. */
  show(now, refused) {
    if (!now) {
      this.element?.remove();
      this.element = null;
      return null;
    }
    const key = `${now.debater}\n${now.seq}\n${now.attempt}\n${refused.length}`;
    if (!this.element || this.key !== key) this.#begin(now, refused, key);
    this.words.nodeValue = plain(now.text);
    return this.element;
  }

  #begin(now, refused, key) {
    const made = this.element ?? h("article", { "aria-hidden": "true" });
    made.className = `${classes(now.debater, this.people)} speaking`;
    this.words = document.createTextNode("");
    const text = said("p", { class: "live" }, "", this.language);
    text.append(this.words);
    fill(
      made,
      name(now.debater, this.people, this.language, [h("span", { class: "kind" }, now.attempt > 1 ? t("attempt_n", { n: now.attempt }) : t("speaks"))]),
      h("div", { class: "words" }, text),
      refused.length > 0 && h("p", { class: "quiet" }, t("refused", { n: refused.length })),
    );
    this.element = made;
    this.key = key;
  }
}

/** A question that a human moderator put. */
export function question(put, language) {
  return h(
    "article",
    { class: "turn middle voice-0" },
    h("header", {}, h("strong", { class: "name" }, t("moderator")), put.to && h("span", { class: "side" }, "→ ", h("bdi", {}, put.to))),
    h("div", { class: "words" }, paragraphs(put.text, language)),
  );
}

export function heading(text, language) {
  return said("h2", { class: "phase" }, text, language);
}

/** A debate's figures: three drawings over its turns, and the same as a table. */

import { h, s } from "./dom.js";
import { number, percent, t, tOr } from "./words.js";

const HEIGHT = 120;
const LEFT = 44;
const WIDTH = 720;
const WIDEST = 40; // of a bar

export function figures(transcript, people) {
  const rows = rowsOf(transcript);
  if (!rows.length) return h("p", { class: "empty" }, t("figures.nothing"));
  const { measures } = transcript;
  return [
    h("p", { class: "legend" }, people.debaters.map((each) => h("span", { class: `voice voice-${people.voice(each.name)}` }, h("bdi", { class: "name" }, each.name)))),
    chart(t("figures.characters"), rows, (row) => row.characters, number, people),
    measures && chart(t("figures.repetition"), rows, (row) => row.repetition, percent, people, 1),
    chart(t("figures.tokens"), rows, (row) => row.tokens, number, people),
    measures && flags(measures),
    table(rows, Boolean(measures)),
  ];
}

export function rowsOf(transcript) {
  const measured = new Map((transcript.measures?.turns ?? []).map((each) => [each.seq, each]));
  return transcript.turns.map((turn) => {
    const own = measured.get(turn.seq);
    return {
      seq: turn.seq,
      debater: turn.debater,
      characters: own?.characters ?? [...turn.text].length,
      repetition: own?.containment ?? null,
      tokens: turn.usage.completion_tokens,
      attempts: turn.attempts,
      seconds: (new Date(turn.ended_at) - new Date(turn.started_at)) / 1000,
      flags: own?.flags ?? [],
    };
  });
}

/** A bar a turn, in its speaker's colour. `most` is the scale's end, where it has one. */
function chart(title, rows, value, shown, people, most = null) {
  const known = rows.map(value).filter((each) => each !== null);
  const top = most ?? nice(Math.max(1, ...known));
  const step = Math.min(WIDEST + 8, (WIDTH - LEFT) / rows.length);
  const mean = known.length ? known.reduce((sum, each) => sum + each, 0) / known.length : 0;
  const label = t("figures.label", { title, n: rows.length, mean: shown(mean), most: shown(Math.max(0, ...known)) });
  const bars = rows.map((row, at) => {
    const here = value(row);
    if (here === null) return null;
    const height = Math.max(1, (here / top) * HEIGHT);
    const width = Math.max(0.5, step - Math.min(8, step / 4));
    const place = { x: LEFT + at * step, y: HEIGHT + 8 - height, width, height, class: `voice-${people.voice(row.debater)}` };
    return s("rect", place, s("title", {}, `${row.seq}. ${row.debater}: ${shown(here)}`));
  });
  const lines = [0, 0.5, 1].map((share) => {
    const y = HEIGHT + 8 - share * HEIGHT;
    return s("g", {}, s("line", { x1: LEFT, x2: WIDTH, y1: y, y2: y }), s("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, shown(top * share)));
  });
  return h(
    "figure",
    { class: "chart" },
    h("figcaption", {}, title),
    s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + 14}`, role: "img", "aria-label": label }, lines, bars),
  );
}

/** The next number that makes a scale: 1, 2 or 5 and zeros. */
function nice(value) {
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((each) => each * size).find((each) => each >= value);
}

function flags(measures) {
  const some = Object.entries(measures.shares).filter(([, share]) => share > 0);
  const told = some.map(([flag, share]) => h("li", {}, `${tOr(`flag.${flag}`, flag)}: ${percent(share)}`));
  return h("div", {}, h("h2", {}, t("figures.flags")), told.length ? h("ul", {}, told) : h("p", { class: "quiet" }, t("figures.no_flags")));
}

function table(rows, measured) {
  const head = ["turn", "debater", "characters", ...(measured ? ["repetition"] : []), "tokens", "attempts", "seconds", "flags"];
  return h(
    "details",
    { class: "as-table" },
    h("summary", {}, t("figures.table")),
    h(
      "div",
      { class: "wide", tabindex: "0", role: "group", "aria-label": t("figures.table") },
      h(
        "table",
        {},
        h("caption", { class: "unseen" }, t("figures.table")),
        h("thead", {}, h("tr", {}, head.map((each) => h("th", { scope: "col" }, t(`column.${each}`))))),
        h(
          "tbody",
          {},
          rows.map((row) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, `${row.seq}`),
              h("td", {}, h("bdi", {}, row.debater)),
              h("td", {}, number(row.characters)),
              measured && h("td", {}, row.repetition === null ? "–" : percent(row.repetition)),
              h("td", {}, number(row.tokens)),
              h("td", {}, number(row.attempts)),
              h("td", {}, number(row.seconds, 1)),
              h("td", {}, row.flags.map((flag) => tOr(`flag.${flag}`, flag)).join(", ")),
            ),
          ),
        ),
      ),
    ),
  );
}

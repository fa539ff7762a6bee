/** All debates, newest first; what changes in them shows by itself. */

import { get } from "../api.js";
import { ENDED } from "../course.js";
import { fill, h, said } from "../dom.js";
import { trouble } from "../trouble.js";
import { ago, t, tOr, when } from "../words.js";

const PAGE = 20;
const MOST = 100; // of one answer
const LOOK_AGAIN = 3000;
export const STATUSES = ["queued", "running", "waiting", "paused", "completed", "collapsed", "failed", "cancelled"];

export function list({ query, signal }) {
  document.title = `${t("debates")} · Rostra`;
  const filters = { q: query.get("q") ?? "", status: query.get("status") ?? "", metadata: query.get("metadata") ?? "" };
  const found = { debates: [], next: null, loaded: false };
  const rows = h("ul", { class: "debates" });
  const empty = h("div");
  const further = h("button", { type: "button", hidden: true, onclick: more }, t("list.more"));
  const stuck = h("div");
  const below = h("div", { class: "below" }, empty, further, stuck);
  const told = h("p", { class: "unseen", role: "status" });
  const chosen = new Set();
  const comparing = h("p", { class: "comparing", hidden: true });

  const shown = () => found.debates.filter((each) => matches(each, filters.q));

  function show() {
    const now = shown();
    fill(rows, now.map((each) => row(each, chosen, choose)));
    fill(empty, found.loaded && !now.length && nothing(filters, found));
    further.hidden = !found.next;
    told.textContent = found.loaded ? t("list.found", { n: now.length }) : "";
  }

  function choose(id, on) {
    if (on) chosen.add(id);
    else chosen.delete(id);
    const two = [...chosen].slice(-2);
    comparing.hidden = chosen.size < 2;
    fill(comparing, h("a", { class: "button primary", href: `#/compare/${two.join("/")}` }, t("list.compare")));
  }

  function ask(limit, after) {
    const asked = new URLSearchParams({ limit });
    if (filters.status) asked.set("status", filters.status);
    for (const pair of filters.metadata.split(/\s+/).filter((each) => each.includes(":"))) asked.append("metadata", pair);
    if (after) asked.set("after", after);
    return get(`/v1/debates?${asked}`, { signal });
  }

  let coming = false; // a page is asked for once, however often one clicks
  async function more() {
    if (coming) return;
    coming = true;
    fill(stuck);
    try {
      const page = await ask(PAGE, found.next);
      found.debates.push(...page.data);
      found.next = page.next_cursor;
      show();
    } catch (error) {
      if (!signal.aborted) fill(stuck, trouble(error));
    } finally {
      coming = false;
    }
  }

  /** Looks at what is shown once more; what lies behind the first hundred stays as it was. */
  async function look() {
    const limit = Math.min(MOST, Math.max(PAGE, found.debates.length));
    const page = await ask(limit);
    const last = page.data.at(-1)?.id ?? "";
    const behind = page.next_cursor ? found.debates.filter((each) => each.id < last) : [];
    const before = JSON.stringify(found.debates);
    found.debates = [...page.data, ...behind];
    if (!behind.length) found.next = page.next_cursor;
    if (!found.loaded || JSON.stringify(found.debates) !== before) {
      found.loaded = true;
      keepingFocus(rows, show);
    }
  }

  async function lookAgain() {
    if (signal.aborted) return;
    try {
      if (!document.hidden) await look();
      problems.replaceChildren();
    } catch (error) {
      if (signal.aborted) return;
      fill(problems, trouble(error));
      if (error.status && error.status < 500 && error.status !== 429) return;
    }
    setTimeout(lookAgain, LOOK_AGAIN);
  }

  const problems = h("div");
  lookAgain();
  return h(
    "section",
    { class: "list" },
    h("div", { class: "title-line" }, h("h1", {}, t("debates")), h("a", { class: "button primary", href: "#/new" }, t("new_debate"))),
    searching(filters, show),
    told,
    problems,
    comparing,
    rows,
    below,
  );
}

function matches(debate, words) {
  const text = [debate.motion, debate.format, debate.id, ...debate.debaters.map((d) => d.name), ...pairs(debate.metadata)];
  const heap = text.join("\n").toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => heap.includes(word));
}

const pairs = (metadata) => Object.entries(metadata).map(([name, value]) => `${name}:${value}`);

/** Words are looked for in what is loaded, at once; status and metadata are asked of the server. */
function searching(filters, show) {
  const go = (changes) => {
    const asked = new URLSearchParams(Object.entries({ ...filters, ...changes }).filter(([, value]) => value));
    location.hash = `#/${asked.size ? `?${asked}` : ""}`;
  };
  const words = (event) => {
    filters.q = event.target.value;
    const asked = new URLSearchParams(Object.entries(filters).filter(([, value]) => value));
    history.replaceState(null, "", `#/${asked.size ? `?${asked}` : ""}`);
    show();
  };
  const options = ["", ...STATUSES].map((each) =>
    h("option", { value: each, selected: each === filters.status }, each ? t(`status.${each}`) : t("list.any_status")),
  );
  return h(
    "form",
    { class: "search", role: "search", onsubmit: (event) => event.preventDefault() },
    h("label", {}, h("span", {}, t("list.search")), h("input", { type: "search", value: filters.q, oninput: words })),
    h("label", {}, h("span", {}, t("list.status")), h("select", { onchange: (event) => go({ status: event.target.value }) }, options)),
    h(
      "label",
      {},
      h("span", {}, t("list.metadata")),
      h("input", { value: filters.metadata, placeholder: "experiment:tea", onchange: (event) => go({ metadata: event.target.value.trim() }) }),
    ),
  );
}

function row(debate, chosen, choose) {
  const share = debate.turns_planned ? debate.turns_done / debate.turns_planned : 0;
  const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("span"));
  bar.firstChild.style.inlineSize = `${Math.min(1, share) * 100}%`;
  const mark = h("input", {
    type: "checkbox",
    "aria-label": t("list.choose", { motion: debate.motion }),
    checked: chosen.has(debate.id),
    onchange: (event) => choose(debate.id, event.target.checked),
  });
  return h(
    "li",
    { class: "row", "data-id": debate.id },
    mark,
    h(
      "div",
      { class: "what" },
      said("a", { href: `#/debates/${debate.id}`, class: "motion" }, debate.motion, debate.language),
      h(
        "p",
        { class: "quiet" },
        tOr(`format.${debate.format}`, debate.format),
        " · ",
        debate.debaters.slice(0, 4).map((each, at) => [at ? ", " : "", h("bdi", {}, each.name)]),
        debate.debaters.length > 4 ? " …" : "",
      ),
    ),
    status(debate),
    h("span", { class: "progress" }, bar, t("turns_of", { done: debate.turns_done, planned: debate.turns_planned })),
    h("time", { class: "quiet", datetime: debate.created_at, title: when(debate.created_at) }, ago(debate.created_at)),
  );
}

export function status(debate) {
  const wish = !ENDED.has(debate.status) && debate.wish ? ` (${t(`wish.${debate.wish}`)})` : "";
  return h("span", { class: `status ${debate.status}` }, tOr(`status.${debate.status}`, debate.status), wish);
}

function nothing(filters, found) {
  const filtered = filters.q || filters.status || filters.metadata;
  if (filtered) return h("p", { class: "empty" }, t(found.next ? "list.none_yet_here" : "list.none_here"));
  return h("div", { class: "empty" }, h("p", {}, t("list.none")), h("p", {}, h("a", { class: "button primary", href: "#/new" }, t("list.first"))));
}

/** Draws anew without taking the focus from who is within. */
function keepingFocus(element, draw) {
  const focused = document.activeElement;
  const id = element.contains(focused) ? focused.closest("[data-id]")?.dataset.id : null;
  draw();
  if (id) element.querySelector(`[data-id="${id}"] ${focused.localName}`)?.focus({ preventScroll: true });
}

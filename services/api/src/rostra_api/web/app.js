/** The page: its frame, and which view the address asks for. */

import { askForKeysWith, forgetKey, key } from "./api.js";
import { add, fill, h } from "./dom.js";
import { askForKey } from "./keys.js";
import { language, languages, speak, t } from "./words.js";
import { compare } from "./views/compare.js";
import { compose } from "./views/compose.js";
import { debate } from "./views/debate.js";
import { list } from "./views/list.js";

const THEME = "rostra.theme";
const THEMES = ["auto", "light", "dark"];

// A view gets what its address names, and a signal that says when it is over; it gives an element.
const ROUTES = [
  [/^\/$/, list],
  [/^\/new$/, compose],
  [/^\/debates\/([0-9a-f]{28})(?:\/(outcome|figures|facts))?$/, debate],
  [/^\/debates\/([0-9a-f]{28})\/(repeat|fork)(?:\/([0-9]{1,4}))?$/, compose],
  [/^\/compare(?:\/([0-9a-f]{28})(?:\/([0-9a-f]{28}))?)?$/, compare],
];

let leaving = new AbortController();
const main = h("main", { id: "main", class: "page", tabindex: "-1" });

function address() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  return { path: path || "/", query: new URLSearchParams(query) };
}

/** Shows what the address asks for; the view before is told that it is over. */
function show({ moved = true } = {}) {
  leaving.abort();
  leaving = new AbortController();
  const { path, query } = address();
  const [pattern, view] = ROUTES.find(([each]) => each.test(path)) ?? [/.*/, nowhere];
  const names = path.match(pattern).slice(1);
  document.title = "Rostra";
  fill(main, view({ names, query, signal: leaving.signal }));
  frame();
  if (moved) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
}

function nowhere() {
  return h("section", { class: "empty" }, h("h1", {}, t("nowhere")), h("p", {}, h("a", { href: "#/" }, t("to_list"))));
}

const head = h("header", { class: "top" });

function frame() {
  document.documentElement.lang = language;
  const { path } = address();
  const link = (href, text) => h("a", { href, "aria-current": `#${path}` === href ? "page" : null }, text);
  fill(
    head,
    h("a", { class: "skip", href: "#main", onclick: skip }, t("skip")),
    h("a", { class: "brand", href: "#/" }, h("span", { class: "mark", "aria-hidden": "true" }), "Rostra"),
    h("nav", { "aria-label": t("nav") }, link("#/", t("debates")), link("#/new", t("new_debate")), link("#/compare", t("compare"))),
    h("div", { class: "switches" }, themeSwitch(), languageSwitch(), key() && leave()),
  );
}

/** The target is no address of ours, so the router must not see it. */
function skip(event) {
  event.preventDefault();
  main.focus();
}

function leave() {
  const forget = () => (forgetKey(), show());
  return h("button", { class: "plain", type: "button", onclick: forget }, t("forget_key"));
}

function languageSwitch() {
  const chosen = (event) => {
    speak(event.target.value);
    show({ moved: false });
    document.getElementById("language").focus(); // the one that was chosen in is gone
  };
  const names = { en: "English", ja: "日本語" };
  const options = languages.map((each) => h("option", { value: each, lang: each, selected: each === language }, names[each]));
  return h("label", {}, h("span", { class: "unseen" }, t("language")), h("select", { onchange: chosen, id: "language" }, options));
}

function themeSwitch() {
  const now = localStorage.getItem(THEME) ?? "auto";
  const chosen = (event) => (localStorage.setItem(THEME, event.target.value), colour());
  const options = THEMES.map((each) => h("option", { value: each, selected: each === now }, t(`theme.${each}`)));
  return h("label", {}, h("span", { class: "unseen" }, t("theme")), h("select", { onchange: chosen, id: "theme" }, options));
}

function colour() {
  const theme = localStorage.getItem(THEME);
  document.documentElement.style.colorScheme = theme === "light" || theme === "dark" ? theme : "light dark";
}

colour();
askForKeysWith(askForKey);
add(document.body, head, main);
addEventListener("hashchange", () => show());
show({ moved: false });

/** What the page says, in the reader's language: chosen by the browser, or by the reader. */

import en from "./words/en.js";
import ja from "./words/ja.js";

const LANGUAGES = { en, ja };
const PLACE = "rostra.language";

export const languages = Object.keys(LANGUAGES);
export let language = first();

function first() {
  const wished = [localStorage.getItem(PLACE), ...navigator.languages];
  return wished.map((tag) => (tag ?? "").split("-")[0].toLowerCase()).find((tag) => tag in LANGUAGES) ?? "en";
}

export function speak(chosen) {
  localStorage.setItem(PLACE, chosen);
  language = chosen;
}

/** The text with this name, with `{…}` filled in. A text of two forms is chosen by `n`. */
export function t(name, values = {}) {
  const text = LANGUAGES[language][name];
  if (text === undefined) throw new Error(`no text: ${name}`);
  const form = typeof text === "string" ? text : (text[new Intl.PluralRules(language).select(values.n)] ?? text.other);
  return form.replace(/\{(\w+)\}/g, (_, value) => (typeof values[value] === "number" ? number(values[value]) : values[value]));
}

/** The same, or `otherwise` where there is no such text: for names that a newer server may have added to. */
export function tOr(name, otherwise) {
  return LANGUAGES[language][name] === undefined ? otherwise : t(name);
}

export function number(value, most = 2) {
  return new Intl.NumberFormat(language, { maximumFractionDigits: most }).format(value);
}

export function percent(share) {
  return new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 }).format(share);
}

export function when(iso) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(iso));
}

/** How long ago, in the largest unit that fits. */
export function ago(iso) {
  const seconds = Math.min(0, (new Date(iso) - Date.now()) / 1000);
  const [size, unit] = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]].find(([s]) => -seconds >= s) ?? [1, "second"];
  return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(Math.round(seconds / size), unit);
}

/** `3:07` or `1:02:09`. */
export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, at) => (at ? String(part).padStart(2, "0") : String(part))).join(":");
}

/** What went wrong, as the server told it. */

import { h } from "./dom.js";
import { t, tOr } from "./words.js";

export function trouble(error) {
  const kind = error.kind ? tOr(`problem.${error.kind}`, error.title) : t("problem.line");
  const detail = error.status ? error.message : "";
  return h(
    "div",
    { class: "trouble", role: "alert" },
    h("strong", {}, kind),
    detail && h("p", { lang: "en" }, detail, error.bound && ` (${error.bound})`),
    faults(error),
  );
}

/** Each fault at its place, where it has one. */
export function faults(error) {
  const all = error.errors ?? [];
  if (!all.length) return null;
  return h("ul", { lang: "en" }, all.map((each) => h("li", {}, h("code", {}, each.pointer ?? each.parameter ?? ""), " ", each.detail)));
}

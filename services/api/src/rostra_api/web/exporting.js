/** The transcript to keep, in each of its forms. With a key a link would not do, so it is fetched and handed over. */

import { send } from "./api.js";
import { add, fill, h } from "./dom.js";
import { trouble } from "./trouble.js";
import { t, tOr } from "./words.js";

const FORMS = ["md", "html", "json", "ndjson"];

export function exportsOf(view, path) {
  const problem = h("div");
  const taken = (form) => keep(view, path, form).then(() => fill(problem), (error) => fill(problem, trouble(error)));
  const link = (form) => h("button", { type: "button", class: "plain", onclick: () => taken(form) }, tOr(`export.${form}`, form));
  const forms = view.links.exports ? Object.keys(view.links.exports) : FORMS;
  return h("details", { class: "menu" }, h("summary", { class: "button" }, t("export")), h("div", {}, forms.map(link), problem));
}

async function keep(view, path, form) {
  const content = await (await send(`${path}/transcript.${form}`)).blob();
  const address = URL.createObjectURL(content);
  const link = h("a", { href: address, download: `debate-${view.id}.${form}`, hidden: true });
  add(document.body, link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}


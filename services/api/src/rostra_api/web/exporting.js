/** The transcript to keep, in each of its forms. With a key a link would not do, so it is fetched and handed over. */

import { send } from "./api.js";
import { add, h } from "./dom.js";
import { t, tOr } from "./words.js";

const FORMS = ["md", "html", "json", "ndjson"];

export function exportsOf(view, path) {
  const link = (form) => h("button", { type: "button", class: "plain", onclick: () => keep(view, path, form) }, tOr(`export.${form}`, form));
  const forms = view.links.exports ? Object.keys(view.links.exports) : FORMS;
  return h("details", { class: "menu" }, h("summary", { class: "button" }, t("export")), h("div", {}, forms.map(link)));
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


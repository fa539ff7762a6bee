/** Asks for a key, where the API wants one. */

import { keepKey } from "./api.js";
import { add, h } from "./dom.js";
import { t } from "./words.js";

/** Resolves to whether one was given. */
export function askForKey(problem) {
  return new Promise((resolve) => {
    let given = false;
    const field = h("input", { id: "key", type: "password", autocomplete: "off", spellcheck: "false", required: true, placeholder: "rostra_…" });
    const remember = h("input", { type: "checkbox" });
    const keep = () => {
      keepKey(field.value.trim(), remember.checked);
      given = true;
    };
    const dialog = h(
      "dialog",
      { class: "dialog", "aria-labelledby": "key-title" },
      h(
        "form",
        { method: "dialog", onsubmit: keep },
        h("h2", { id: "key-title" }, t(problem.kind === "bad-key" ? "key.bad" : "key.title")),
        h("p", {}, problem.kind === "no-keys" ? t("key.none_yet") : t("key.why")),
        problem.kind === "no-keys" && h("pre", {}, "rostra keys create --owner NAME"),
        h("label", { for: "key" }, t("key.label")),
        field,
        h("label", { class: "check" }, remember, " ", t("key.remember")),
        h("div", { class: "buttons" }, h("button", { class: "primary" }, t("key.use")), h("button", { class: "plain", type: "button", onclick: () => dialog.close() }, t("not_now"))),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(given);
    });
    add(document.body, dialog);
    dialog.showModal();
  });
}

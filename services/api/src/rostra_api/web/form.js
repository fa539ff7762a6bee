/** Fields that stand for places of a request: what is filled in goes there, and what is wrong there is told here. */

import { fill, h } from "./dom.js";
import { pointer, put, valueAt } from "./request.js";
import { bounds } from "./schema.js";
import { tOr } from "./words.js";

let numbered = 0;

export class Form {
  /** `changed` is called after each change. */
  constructor(request, schema, changed) {
    Object.assign(this, { request, schema, changed });
    this.fields = new Map(); // by pointer
    this.kept = new Set(); // parts that say something even when they are empty
  }

  get(path) {
    return valueAt(this.request, path);
  }

  set(path, value) {
    put(this.request, path, value);
    if (this.kept.has(path[0])) this.request[path[0]] ??= {};
    this.changed(path);
  }

  // ── fields ──

  text(path, options = {}) {
    const field = this.schema.at(path);
    const input = h(options.rows ? "textarea" : "input", {
      rows: options.rows,
      value: this.get(path) ?? "",
      maxlength: field?.maxLength,
      dir: "auto",
      placeholder: options.placeholder,
      list: options.list,
      required: options.required,
      oninput: (event) => this.set(path, event.target.value || undefined),
    });
    return this.labelled(path, input, options);
  }

  number(path, options = {}) {
    const field = this.schema.at(path);
    const input = h("input", {
      inputmode: field?.type === "integer" ? "numeric" : "decimal",
      value: this.get(path) ?? "",
      placeholder: options.placeholder ?? bounds(field),
      class: "short",
      oninput: (event) => this.set(path, numeric(event.target.value)),
    });
    return this.labelled(path, input, options);
  }

  /** `choices` are values and what they are called. An empty value stands for the default. */
  choice(path, choices, options = {}) {
    const now = this.get(path) ?? "";
    const known = choices.some(([value]) => value === now);
    const all = known ? choices : [...choices, [now, now]];
    const input = h(
      "select",
      { onchange: (event) => this.set(path, event.target.value || undefined) },
      all.map(([value, name]) => h("option", { value, selected: value === now }, name)),
    );
    return this.labelled(path, input, options);
  }

  check(path, options = {}) {
    const usual = this.schema.at(path)?.default ?? false;
    const input = h("input", {
      type: "checkbox",
      checked: this.get(path) ?? usual,
      onchange: (event) => this.set(path, event.target.checked === usual ? undefined : event.target.checked),
    });
    return this.labelled(path, input, { ...options, beside: true });
  }

  /** One entry a line. */
  lines(path, options = {}) {
    const input = h("textarea", {
      rows: options.rows ?? 3,
      dir: "auto",
      value: (this.get(path) ?? []).join("\n"),
      placeholder: options.placeholder,
      oninput: (event) => this.set(path, lines(event.target.value)),
    });
    return this.labelled(path, input, options);
  }

  /** `name: value`, a line each. */
  pairs(path, options = {}) {
    const input = h("textarea", {
      rows: options.rows ?? 2,
      value: Object.entries(this.get(path) ?? {})
        .map(([name, value]) => `${name}: ${value}`)
        .join("\n"),
      placeholder: options.placeholder,
      oninput: (event) => this.set(path, pairs(event.target.value)),
    });
    return this.labelled(path, input, options);
  }

  /** What has no better form than its JSON. */
  json(path, options = {}) {
    const now = this.get(path);
    const input = h("textarea", {
      rows: options.rows ?? 3,
      class: "code",
      spellcheck: "false",
      value: typeof now === "string" ? now : now === undefined ? "" : JSON.stringify(now, null, 2), // a string is none yet
      placeholder: options.placeholder ?? "{ }",
      oninput: (event) => this.set(path, asJson(event.target.value)),
    });
    return this.labelled(path, input, options);
  }

  /** A part that is there or not: with it `fields`, without it nothing. */
  optional(path, name, fields) {
    const inside = h("div", { class: "fields" });
    const show = (on) => {
      if (on) this.kept.add(path[0]);
      else this.kept.delete(path[0]);
      fill(inside, on && fields());
    };
    const input = h("input", {
      type: "checkbox",
      checked: this.get(path) !== undefined,
      onchange: (event) => {
        show(event.target.checked);
        this.set(path, event.target.checked ? {} : undefined);
      },
    });
    show(this.get(path) !== undefined);
    return h("div", { class: "optional" }, this.labelled(path, input, { name, beside: true }), inside);
  }

  labelled(path, input, { name, beside = false, hint, wide = false }) {
    const id = `field-${(numbered += 1)}`;
    const key = pointer(path);
    const told = hint ?? tOr(`hint.${general(path)}`, null) ?? this.schema.at(path)?.description ?? "";
    const ours = hint !== undefined || tOr(`hint.${general(path)}`, null) !== null;
    const explained = told && h("span", { class: "hint", id: `${id}-hint`, lang: ours ? null : "en" }, told);
    const wrong = h("span", { class: "wrong", id: `${id}-wrong`, lang: "en" });
    input.id = id;
    input.setAttribute("aria-describedby", `${told ? `${id}-hint ` : ""}${id}-wrong`);
    const label = h("label", { for: id }, name ?? tOr(`field.${general(path)}`, String(path.at(-1))));
    const element = h("div", { class: `field${beside ? " beside" : ""}${wide ? " wide-field" : ""}` }, beside ? [input, label] : [label, input], explained, wrong);
    this.fields.set(key, { input, wrong });
    return element;
  }

  // ── what is wrong ──

  clearFaults() {
    for (const { input, wrong } of this.fields.values()) {
      input.removeAttribute("aria-invalid");
      wrong.textContent = "";
    }
  }

  /** Tells each fault at its field, or at the one that holds its place. Answers those that have none. */
  tell(faults) {
    this.clearFaults();
    const homeless = [];
    let first = null;
    for (const fault of faults) {
      const field = this.#nearest(fault.pointer ?? "");
      if (!field) {
        homeless.push(fault);
        continue;
      }
      field.input.setAttribute("aria-invalid", "true");
      const rest = field.key === fault.pointer ? "" : `${fault.pointer.slice(field.key.length + 1)}: `;
      field.wrong.textContent += `${field.wrong.textContent ? "; " : ""}${rest}${fault.detail}`;
      for (let part = field.input.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
      first ??= field.input;
    }
    first?.focus();
    return homeless;
  }

  #nearest(place) {
    for (let key = place; key; key = key.slice(0, key.lastIndexOf("/"))) {
      const field = this.fields.get(key);
      if (field?.input.isConnected) return { ...field, key };
    }
    return null;
  }
}

/** The path without numbers and without names that people gave: what it is in general. */
function general(path) {
  return path.filter((name) => typeof name === "string").join(".");
}

/** A number where it is one; else as it was written, for the server to say what is wrong with it. */
function numeric(text) {
  const trimmed = text.trim();
  if (!trimmed) return undefined;
  return Number.isFinite(Number(trimmed)) ? Number(trimmed) : trimmed;
}

function lines(text) {
  const all = text.split("\n").map((line) => line.trim()).filter(Boolean);
  return all.length ? all : undefined;
}

function pairs(text) {
  const all = lines(text)?.map((line) => {
    const colon = line.indexOf(":");
    const name = (colon < 0 ? line : line.slice(0, colon)).trim();
    const value = colon < 0 ? "" : line.slice(colon + 1).trim();
    if (value === "true" || value === "false") return [name, value === "true"];
    // A number where it is written so: debates are looked for by what was written, and 1.10 is no 1.1.
    const number = Number(value);
    return [name, Number.isFinite(number) && String(number) === value ? number : value];
  });
  return all && Object.fromEntries(all);
}

function asJson(text) {
  if (!text.trim()) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

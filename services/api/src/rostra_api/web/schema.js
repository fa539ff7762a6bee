/** What the API's contract says of a request's fields: read from /openapi.json, so that it stays true. */

export class Schema {
  constructor(contract, name = "DebateRequest") {
    this.parts = contract.components.schemas;
    this.root = this.parts[name];
  }

  /** The field at a path of names and numbers, without what only wraps it; null where there is none. */
  at(path) {
    let field = this.root;
    let described = "";
    for (const name of path) {
      field = this.#inside(field, name);
      if (!field) return null;
      described = field.description ?? "";
    }
    return { ...this.#bare(field), description: described };
  }

  /** The names of an object's fields. */
  names(path) {
    return Object.keys(this.at(path)?.properties ?? {});
  }

  #inside(field, name) {
    const options = this.#options(field);
    for (const each of options) {
      if (each.properties?.[name]) return each.properties[name];
      if (each.items && typeof name === "number") return each.items;
      if (each.patternProperties) return Object.values(each.patternProperties)[0];
      if (each.additionalProperties && typeof each.additionalProperties === "object") return each.additionalProperties;
    }
    return null;
  }

  #bare(field) {
    const options = this.#options(field).filter((each) => each.type !== "null");
    return options.length === 1 ? { ...field, ...options[0] } : { ...field, options };
  }

  #options(field) {
    const options = field.anyOf ?? field.oneOf ?? field.allOf ?? [field];
    return options.flatMap((each) => (each.$ref ? this.#options(this.parts[each.$ref.split("/").at(-1)]) : each.anyOf ? this.#options(each) : [each]));
  }
}

/** The bounds in a few signs, as `1–500`; empty where there are none. */
export function bounds(field) {
  const low = field?.minimum ?? field?.exclusiveMinimum;
  const high = field?.maximum;
  if (low === undefined && high === undefined) return "";
  return `${low ?? ""}–${high ?? ""}`;
}

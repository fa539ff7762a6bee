/** A request: read and written at JSON Pointers, what changed in it, and as a command. */

/** The value at a path; undefined where there is none. */
export function valueAt(value, path) {
  return path.reduce((inside, name) => inside?.[name], value);
}

/** Puts a value in, and takes out what is left empty by it. Lists keep their places. */
export function put(value, path, given) {
  const [name, ...rest] = path;
  if (!rest.length) {
    if (given === undefined && !Array.isArray(value)) delete value[name];
    else value[name] = given;
    return;
  }
  value[name] ??= typeof rest[0] === "number" ? [] : {};
  put(value[name], rest, given);
  if (!Array.isArray(value) && isEmpty(value[name])) delete value[name];
}

const isEmpty = (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !Object.keys(value).length;

export const pointer = (path) => path.map((name) => `/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

/** What makes `after` of `before`: a JSON merge patch (RFC 7396). Undefined where nothing changed. */
export function mergePatch(before, after) {
  if (same(before, after)) return undefined;
  if (!isObject(before) || !isObject(after)) return after;
  const patch = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const change = name in after ? mergePatch(before[name], after[name]) : null;
    if (change !== undefined) patch[name] = change;
  }
  return patch;
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

export function same(one, other) {
  if (!isObject(one) || !isObject(other)) {
    if (Array.isArray(one) && Array.isArray(other)) return one.length === other.length && one.every((each, at) => same(each, other[at]));
    return one === other;
  }
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => same(one[name], other[name]));
}

/** The same by hand, for a shell. */
export function asCurl(path, body, withKey) {
  const quoted = JSON.stringify(body, null, 2).replaceAll("'", "'\\''");
  const key = withKey ? ' -H "Authorization: Bearer $KEY"' : "";
  return `curl${key} ${location.origin}${path} --json '${quoted}'`;
}

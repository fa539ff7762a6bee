/** The public API: requests with the key, where there is one, and problems as they are told. */

const PLACE = "rostra.key";
let asking = null; // how to get a key from whoever sits here
let asked = null; // the question that is being answered

/** `ask(problem)` resolves to whether there is a key now. */
export function askForKeysWith(ask) {
  asking = ask;
}

export function key() {
  return sessionStorage.getItem(PLACE) ?? localStorage.getItem(PLACE) ?? "";
}

/** Keeps it until the tab is closed, or until it is forgotten. */
export function keepKey(token, remember) {
  forgetKey();
  (remember ? localStorage : sessionStorage).setItem(PLACE, token);
}

export function forgetKey() {
  sessionStorage.removeItem(PLACE);
  localStorage.removeItem(PLACE);
}

export function keyHeaders() {
  return key() ? { Authorization: `Bearer ${key()}` } : {};
}

/** What the API refused, as RFC 9457 tells it. */
export class Problem extends Error {
  constructor(status, told, retryAfter) {
    super(told.detail || told.title || `HTTP ${status}`);
    this.status = status;
    this.kind = (told.type ?? "").replace("urn:rostra:problem:", "");
    this.title = told.title ?? "";
    this.errors = told.errors ?? [];
    this.bound = told.bound ?? "";
    this.retryAfter = retryAfter;
  }
}

export async function problemOf(answer) {
  const told = await answer.json().catch(() => ({}));
  const seconds = Number(answer.headers.get("Retry-After"));
  return new Problem(answer.status, told, seconds ? seconds * 1000 : undefined);
}

/** The answer; asks for a key once where one is wanted. Raises: Problem. */
export async function send(path, options = {}) {
  const used = key();
  const answer = await fetch(path, { ...options, headers: { ...options.headers, ...keyHeaders() } });
  if (answer.ok) return answer;
  const problem = await problemOf(answer);
  if (answer.status !== 401 || !asking) throw problem;
  // Several requests may find out at once: one question is enough for all of them.
  if (used === key()) {
    asked ??= asking(problem).finally(() => (asked = null));
    if (!(await asked)) throw problem;
  }
  return send(path, options);
}

export async function get(path, options) {
  return (await send(path, options)).json();
}

/** The debate (or what else there is) after it was asked for. */
export async function post(path, body, headers = {}) {
  const json = body === undefined ? {} : { "Content-Type": "application/json" };
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const answer = await send(path, { method: "POST", headers: { ...json, ...headers }, body: sent });
  return answer.json();
}

export function remove(path) {
  return send(path, { method: "DELETE" });
}

export const pathOf = (id) => `/v1/debates/${encodeURIComponent(id)}`;

/** A name for one request, so that sending it again begins nothing twice. */
export function newName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const known = new Map();

/** What does not change while the page is open: formats, models, the contract. */
export function once(path) {
  if (!known.has(path)) known.set(path, get(path).catch((error) => (known.delete(path), Promise.reject(error))));
  return known.get(path);
}

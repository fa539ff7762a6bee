/**
 * A debate's events as they come, over `fetch`, since an EventSource can carry no key.
 *
 * Each event comes once and in order: who was cut comes back with the last id that it knows, and what it has is passed
 * over. Words (`delta`) have no id; who comes back is told all that were said of the turn meanwhile, as `whole`.
 */

import { send } from "./api.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15000;
// The server sends a comment every 15 s, so a line this long silent is dead, whatever the system says.
const SILENCE = 40000;

/**
 * Calls `onEvent(type, data, id)` for each event until the debate's `end`, and `onLine("open" | "lost")` as the
 * connection comes and goes. Rejects with a problem where coming back cannot help.
 */
export async function follow(path, { onEvent, onLine, signal }) {
  let last = "";
  let wait = FIRST_WAIT;
  const take = (type, data, id) => {
    if (id && last && !isBehind(id, last)) return;
    last = id || last;
    onEvent(type, data, id);
  };
  while (!signal.aborted) {
    try {
      const ended = await once(path, last, signal, take, () => {
        wait = FIRST_WAIT;
        onLine("open");
      });
      if (ended) return;
    } catch (error) {
      if (signal.aborted) return;
      if (error.status && error.status < 500 && error.status !== 429) throw error;
      wait = Math.max(wait, error.retryAfter ?? 0);
    }
    if (signal.aborted) return;
    onLine("lost");
    await pause(wait * (0.75 + Math.random() / 2), signal);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }
}

/** One connection; whether the debate ended on it. */
async function once(path, last, signal, take, opened) {
  const line = new AbortController();
  const close = () => line.abort();
  let silence = setTimeout(close, SILENCE);
  signal.addEventListener("abort", close);
  // A phone that changes networks keeps the dead line for minutes.
  addEventListener("offline", close);
  try {
    const headers = { Accept: "text/event-stream", ...(last && { "Last-Event-ID": last }) };
    const answer = await send(path, { headers, signal: line.signal, cache: "no-store" });
    opened();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return false;
      clearTimeout(silence);
      silence = setTimeout(close, SILENCE);
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const event = parsed(block);
        if (event?.type === "end") {
          take("end", event.data, "");
          return true;
        }
        if (event) take(event.type, event.data, event.id);
      }
    }
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", close);
    removeEventListener("offline", close);
    line.abort();
  }
}

/** An event as the server writes it: a field a line, the data in one line (rostra_api.sse). */
export function parsed(block) {
  const fields = {};
  for (const line of block.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
  }
  return fields.data === undefined ? null : { type: fields.event, id: fields.id ?? "", data: JSON.parse(fields.data) };
}

/** Whether the id `one` comes behind `other`. */
export function isBehind(one, other) {
  const [turn, place] = one.split("-").map(Number);
  const [otherTurn, otherPlace] = other.split("-").map(Number);
  return turn > otherTurn || (turn === otherTurn && place > otherPlace);
}

/** Waits, but no longer than until the network is back. */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      removeEventListener("online", over);
      signal.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, milliseconds);
    addEventListener("online", over);
    signal.addEventListener("abort", over);
  });
}

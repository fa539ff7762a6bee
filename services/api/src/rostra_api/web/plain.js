/**
 * Text that only shows itself: what models and people write is data.
 *
 * The same rule as `rostra.plain` in the server: some characters act instead of being shown. They turn the text around
 * them, hide words, or end a line where none ends. What people read here is without them.
 */

const ENDS_OF_LINES = /\r\n?|[\x0b\x0c\x85\u2028\u2029]/g;
const HALVES = /[\ud800-\udfff]/gu; // with `u` only those that are no pair
const ACTING = /[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]/g;
// Tags are letters that nobody sees; only in flags, behind U+1F3F4, do they mean anything.
const FLAG_OR_TAGS = /(\u{1f3f4}[\u{e0020}-\u{e007e}]{1,8}\u{e007f})|[\u{e0000}-\u{e007f}]/gu;

/** `text` as it can be shown: line breaks and tabs stay, what acts is gone. */
export function plain(text) {
  return String(text)
    .replace(ENDS_OF_LINES, "\n")
    .replace(HALVES, "\ufffd")
    .replace(ACTING, "")
    .replace(FLAG_OR_TAGS, (_, flag) => flag ?? "");
}

/** The same on one line, with single spaces between the words. */
export function onOneLine(text) {
  return plain(text).split(/\s+/u).filter(Boolean).join(" ");
}

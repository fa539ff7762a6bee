/**
 * Elements, made without HTML: text goes in as text, and attributes as values, so that nothing that somebody wrote can
 * become a part of the page.
 */

import { plain } from "./plain.js";

const SVG = "http://www.w3.org/2000/svg";
// Addresses of this page and this server; all else is somebody else's idea.
const OWN_ADDRESS = /^(#|\/(?!\/)|blob:|data:image\/svg\+xml;base64,)/;

/** An element: `h("p", { class: "quiet", onclick: f }, "text", child, …)`. `null` children are passed over. */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same, of SVG. */
export function s(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  add(element, children);
  return element;
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "value" || name === "checked" || name === "selected") element[name] = value;
  else if ((name === "href" || name === "src") && !OWN_ADDRESS.test(value)) throw new Error(`not our address: ${name}`);
  else element.setAttribute(name, value === true ? "" : plain(value));
}

/** Puts children in: text, elements, lists of them. */
export function add(element, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : plain(child));
  }
  return element;
}

/** Puts children in the place of those that are there. */
export function fill(element, ...children) {
  element.replaceChildren();
  return add(element, ...children);
}

/** What somebody wrote: it finds its own direction, and says its language where that is known. */
export function said(tag, attributes, text, language) {
  return h(tag, { dir: "auto", lang: language || null, ...attributes }, text);
}

/** Paragraphs of it. */
export function paragraphs(text, language) {
  return plain(text)
    .split(/\n{2,}/)
    .filter((part) => part.trim())
    .map((part) => said("p", {}, part.trim(), language));
}

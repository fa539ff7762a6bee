/** For people who take part: to speak when it is their turn, and to put a question as the moderator. */

import { post } from "./api.js";
import { fill, h } from "./dom.js";
import { trouble } from "./trouble.js";
import { clock, t } from "./words.js";

/** A turn that somebody is waited for. The draft stays where it was begun. */
export function speaking(awaited, transcript, path, language) {
  const place = `rostra.turn.${transcript.id}.${awaited.seq}`;
  const most = transcript.settings.turn?.max_characters ?? null;
  const text = h("textarea", { id: "your-turn", rows: 5, required: true, dir: "auto", lang: language, value: sessionStorage.getItem(place) ?? "" });
  const count = h("span", { class: "count", id: "your-count" });
  const left = h("span", { class: "time-left", role: "timer" });
  const problem = h("div");
  const button = h("button", { class: "primary" }, t("speak.send"));
  const counted = () => {
    const n = characters(text.value);
    count.textContent = most ? t("speak.count_of", { n, most }) : t("speak.count", { n });
    count.classList.toggle("over", most !== null && n > most);
    sessionStorage.setItem(place, text.value);
  };
  const send = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await post(`${path}/turns`, { text: text.value, seq: awaited.seq });
      sessionStorage.removeItem(place);
      fill(problem, h("p", { class: "quiet", role: "status" }, t("speak.sent")));
    } catch (error) {
      fill(problem, trouble(error));
      button.disabled = false;
    }
  };
  text.addEventListener("input", counted);
  text.setAttribute("aria-describedby", "your-count");
  counted();
  const form = h(
    "form",
    { class: "part", onsubmit: send },
    h("div", { class: "title-line" }, h("label", { for: "your-turn" }, h("strong", {}, t("speak.as", { name: awaited.debater }))), left),
    text,
    h("div", { class: "buttons" }, count, button),
    problem,
  );
  countDown(form, left, awaited.until);
  return form;
}

/** The time that is left; it stops with the form. */
function countDown(form, left, until) {
  if (!until) return;
  const show = () => {
    const seconds = (new Date(until) - Date.now()) / 1000;
    left.textContent = seconds > 0 ? t("speak.left", { time: clock(seconds) }) : t("speak.late");
    left.classList.toggle("over", seconds < 30);
  };
  show();
  const timer = setInterval(() => (form.isConnected ? show() : clearInterval(timer)), 1000);
}

/** As readers count them: grapheme clusters, as `rostra.measures.segments` does. */
export function characters(text) {
  const segments = new Intl.Segmenter("en", { granularity: "grapheme" }).segment(text.trim());
  return [...segments].length;
}

/** A form to put questions, where a human moderates; null elsewhere. */
export function asking(view, transcript, path) {
  if (!transcript.settings.moderator?.human) return null;
  const text = h("textarea", { id: "your-question", rows: 2, required: true, dir: "auto", lang: view.language });
  const to = h("select", { id: "question-to" }, h("option", { value: "" }, t("ask.next")), view.debaters.map((each) => h("option", { value: each.name }, each.name)));
  const problem = h("div");
  const send = async (event) => {
    event.preventDefault();
    try {
      await post(`${path}/questions`, { text: text.value, ...(to.value && { to: to.value }) });
      text.value = "";
      fill(problem, h("p", { class: "quiet", role: "status" }, t("ask.sent")));
    } catch (error) {
      fill(problem, trouble(error));
    }
  };
  return h(
    "form",
    { class: "part", onsubmit: send },
    h("label", { for: "your-question" }, h("strong", {}, t("ask.title"))),
    text,
    h("div", { class: "buttons" }, h("label", { for: "question-to" }, t("ask.to")), to, h("button", {}, t("ask.send"))),
    problem,
  );
}


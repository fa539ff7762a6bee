/**
 * The transcript as it grows. What comes at once is put in piece by piece, so that a thousand turns do not stop the
 * page; the reader who follows stays at the newest words, and the one who reads stays where they are.
 */

import { ENDED } from "./course.js";
import { add, h } from "./dom.js";
import { plain } from "./plain.js";
import * as turns from "./turns.js";
import { t } from "./words.js";

const AT_ONCE = 60; // turns a frame
const NEAR = 160; // pixels from the end, within which a reader follows

export class Reading {
  constructor(course, people, language, { live, fork, signal }) {
    Object.assign(this, { course, people, language, live, fork });
    this.shown = 0;
    this.questions = 0;
    this.heading = null;
    this.following = live;
    this.caughtUp = false;
    this.speaking = new turns.Speaking(people, language);
    this.column = h("div", { class: "column" });
    this.told = h("div", { class: "unseen", "aria-live": "polite", "aria-atomic": "true" });
    this.jump = h("button", { type: "button", class: "jump", hidden: true, onclick: () => this.#jumpToNow() }, t("jump"));
    this.element = h("div", { class: "reading", "aria-busy": "true" }, this.column, this.told, live && this.jump);
    this.#watchScrolling(signal);
    setTimeout(() => (this.caughtUp = true), 1500);
  }

  /** Something changed in the course. */
  changed() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#draw();
    });
  }

  #draw() {
    const piece = document.createDocumentFragment();
    let left = AT_ONCE;
    while (this.shown < this.course.seq && left--) this.#next(piece);
    if (piece.childNodes.length) this.column.insertBefore(piece, this.speaking.element);
    if (this.shown < this.course.seq) {
      this.changed();
      return;
    }
    this.#refusedOf(this.course.seq);
    this.#questions();
    const now = this.course.speaking;
    const element = this.speaking.show(now, this.course.refused.get(now?.seq) ?? []);
    if (element && element.parentNode !== this.column) add(this.column, element);
    this.element.setAttribute("aria-busy", this.course.over || this.caughtUp ? "false" : "true");
    this.#follow();
  }

  #next(piece) {
    this.#questions(piece);
    const taken = this.course.turns[this.shown];
    const heading = this.people.heading(taken);
    if (heading !== this.heading) add(piece, turns.heading(heading, this.language));
    this.heading = heading;
    const refused = this.course.refused.get(taken.seq) ?? [];
    add(piece, turns.turn(taken, { people: this.people, language: this.language, refused, fork: this.fork }));
    this.shown += 1;
    // Only what is new is told, and only whole: who just came does not hear it all.
    if (this.live && this.caughtUp) this.told.textContent = plain(`${taken.debater}: ${taken.text}`);
  }

  /** What a human moderator asked stands behind the turn after which it was put. */
  #questions(piece = this.column) {
    const { questions } = this.course;
    while (this.questions < questions.length && questions[this.questions].seq <= this.shown) {
      const element = turns.question(questions[this.questions], this.language);
      if (piece === this.column) piece.insertBefore(element, this.speaking.element);
      else add(piece, element);
      this.questions += 1;
    }
  }

  /** A debate that fails in an attempt ends with it: what was refused last has no turn to stand under. */
  #refusedOf(seq) {
    const left = this.course.refused.get(seq + 1);
    if (!left || !ENDED.has(this.course.status) || this.leftover) return;
    this.leftover = h("div", { class: "turn middle voice-0" }, turns.attempts(left, this.language));
    this.column.append(this.leftover);
  }

  /** Nothing will be added; from now on one can go on from any turn. */
  end(fork) {
    Object.assign(this, { live: false, fork });
    this.jump.hidden = true;
    for (const [at, seq] of this.column.querySelectorAll(".seq").entries()) {
      seq.href = fork(this.course.turns[at].seq);
      seq.title = t("fork.from_here");
    }
  }

  // ── following ──

  #watchScrolling(signal) {
    let last = scrollY;
    const scrolled = () => {
      const up = scrollY < last - 2;
      last = scrollY;
      if (up && !this.#isNear()) this.following = false;
      else if (this.#isNear()) this.following = true;
      this.jump.hidden = this.following || !this.live || this.course.over;
    };
    addEventListener("scroll", scrolled, { passive: true, signal });
  }

  #isNear() {
    return this.column.getBoundingClientRect().bottom - innerHeight < NEAR;
  }

  #follow() {
    this.jump.hidden = this.following || !this.live || this.course.over;
    if (!this.live || !this.following) return;
    const below = this.column.getBoundingClientRect().bottom - (innerHeight - 96);
    if (below > 0) scrollBy(0, below);
  }

  #jumpToNow() {
    this.following = true;
    this.#follow();
  }
}

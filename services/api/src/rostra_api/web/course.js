/**
 * A debate's course, folded from its events as the server folds them: pure, and the same live and afterwards.
 */

export const ENDED = new Set(["completed", "collapsed", "failed", "cancelled"]);

export class Course {
  constructor() {
    this.status = "queued";
    this.reason = "";
    this.turns = [];
    this.refused = new Map(); // attempts that became no turn, by the turn's number
    this.questions = []; // put by a human moderator
    this.speaking = null; // { seq, attempt, debater, text }
    this.awaits = null; // { seq, debater, until }
    this.asked = []; // judges, voters and baselines so far
    this.verdict = null;
    this.over = false; // nothing will follow
  }

  get seq() {
    return this.turns.length;
  }

  /** Takes an event in; answers what it changed. */
  take(type, data) {
    switch (type) {
      case "delta":
        return this.#hear(data);
      case "turn_taken":
        this.turns.push(data);
        return this.#silence("turn");
      case "attempt_failed":
        this.refused.set(data.seq, [...(this.refused.get(data.seq) ?? []), data]);
        return this.#silence("attempt");
      case "debate_claimed":
        return this.#turnTo("running");
      case "debate_released":
        return this.#turnTo("queued");
      case "debate_paused":
        return this.#turnTo("paused");
      case "debate_resumed":
        return this.#turnTo("queued");
      case "turn_awaited":
        this.awaits = data;
        return this.#turnTo("waiting");
      case "turn_given":
        this.awaits = null;
        return this.#turnTo("queued");
      case "question_put":
        this.questions.push(data);
        return "question";
      case "reading_given":
      case "vote_cast":
      case "baseline_given":
      case "question_failed":
        this.asked.push({ type, ...data });
        return "asked";
      case "verdict_given":
        this.verdict = data.verdict;
        return "verdict";
      case "debate_ended":
        this.reason = data.reason;
        return this.#turnTo(data.status);
      case "end":
        this.over = true;
        this.status = data.status;
        this.reason = data.reason;
        return "end";
      default:
        return "other"; // of a newer server
    }
  }

  #hear({ seq, attempt, debater, text, whole }) {
    const now = this.speaking;
    if (now && now.seq === seq && now.attempt === attempt && !whole) now.text += text;
    else this.speaking = { seq, attempt, debater, text };
    return "words";
  }

  #silence(change) {
    this.speaking = null;
    if (this.awaits && this.awaits.seq <= this.seq) this.awaits = null;
    if (this.status === "waiting" && !this.awaits) this.status = "running";
    return change;
  }

  #turnTo(status) {
    this.status = status;
    if (status !== "running" && status !== "waiting") this.speaking = null;
    if (status !== "waiting") this.awaits = null;
    return "status";
  }
}

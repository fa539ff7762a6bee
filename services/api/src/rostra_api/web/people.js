/** Who speaks, on which side, in which colour; and what the parts of a debate are called. */

import { t, tOr } from "./words.js";

export const VOICES = 8; // colours that style.css knows

/** What the page knows of a debate's speakers, from the debate and its settings. */
export class People {
  constructor(debaters, settings) {
    this.debaters = debaters;
    this.teams = settings?.teams ?? [];
    this.phases = new Map((settings?.phases ?? []).map((phase) => [phase.name, phase]));
    this.seats = new Map(Object.entries(settings?.seats ?? {}).map(([seat, name]) => [name, seat]));
    this.byName = new Map(debaters.map((debater) => [debater.name, debater]));
    const keys = debaters.map((debater) => this.#sideKey(debater));
    this.sides = [...new Set(keys)];
    this.places = new Map(debaters.map((debater, at) => [debater.name, this.sides.indexOf(keys[at])]));
  }

  #sideKey(debater) {
    return debater.team ? `team:${debater.team}` : `name:${debater.name}`;
  }

  /** The number of a speaker's colour; none for moderators and audiences. */
  voice(name) {
    return this.places.has(name) ? (this.places.get(name) % VOICES) + 1 : 0;
  }

  /** Where a speaker's turns stand: two sides face each other. */
  stand(name) {
    if (!this.places.has(name)) return "middle";
    return this.sides.length === 2 && this.places.get(name) === 1 ? "right" : "left";
  }

  /** The side as people call it: the team, where there are teams; else the stance. */
  side(name) {
    const debater = this.byName.get(name);
    const team = this.teams.find((each) => each.name === debater?.team);
    return team?.title || (team && debater.team.replaceAll("_", " ")) || debater?.stance || debater?.team || "";
  }

  /** A turn's heading: its phase, and the round where there are several. */
  heading(turn) {
    const phase = this.phases.get(turn.phase);
    const title = phase?.title || tOr(`phase.${turn.phase}`, capitalised(turn.phase.replaceAll(/[_-]/g, " ")));
    return (phase?.rounds ?? turn.round) > 1 ? t("phase_round", { phase: title, round: turn.round }) : title;
  }
}

export function capitalised(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

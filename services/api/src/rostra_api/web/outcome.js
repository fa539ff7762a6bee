/** What came of a debate: the verdict with its readings, votes, the decision, and what there was without a debate. */

import { h, paragraphs, said } from "./dom.js";
import { number, percent, t, tOr } from "./words.js";

/** The news, in a box above what was said. */
export function summary(transcript, view, people) {
  const { verdict, audience, decision } = transcript;
  const told = [
    verdict && found(verdict, people),
    audience && moved(audience),
    decision && decided(decision),
  ].filter(Boolean);
  const bad = view.status !== "completed";
  if (!told.length && !bad) return null;
  return h(
    "aside",
    { class: `summary ${bad ? "bad" : ""}`, "aria-label": t("part.outcome") },
    bad && h("p", {}, h("strong", {}, tOr(`ended.${view.status}`, view.status)), view.reason && h("span", { lang: "en" }, ` ${view.reason}`)),
    told.map((one) => h("p", {}, one)),
    told.length > 0 && h("p", {}, h("a", { href: `#/debates/${view.id}/outcome` }, t("outcome.more"))),
  );
}

const named = (title, people) => h("bdi", { class: `name voice-${voiceOf(title, people)}` }, title);

/** A side goes by its debater's name, its team's title, or its members' names. */
function voiceOf(title, people) {
  if (people.voice(title)) return people.voice(title);
  const team = people.teams.find((each) => each.title === title);
  const member = people.debaters.find((each) => (team ? each.team === team.name : title.split(", ").includes(each.name)));
  return member ? people.voice(member.name) : 0;
}

function found(verdict, people) {
  if (verdict.outcome === "no_verdict") return [h("strong", {}, t("verdict.none")), h("span", { lang: "en" }, `: ${verdict.reason}`)];
  const by = t("verdict.by", { share: percent(verdict.agreement) });
  return [h("strong", {}, named(verdict.winner, people), t("verdict.wins")), ` ${by}`];
}

function moved(audience) {
  if (audience.winner === null) return t("audience.nobody");
  if (audience.winner === "tie") return t("audience.tie");
  return h("strong", {}, t(`audience.${audience.winner}`));
}

function decided(decision) {
  if (!decision.winner) return [h("strong", {}, t("decision.none")), h("span", { lang: "en" }, `: ${decision.reason}`)];
  return [h("strong", {}, t("decision.by", { protocol: tOr(`protocol.${decision.protocol}`, decision.protocol) })), " ", h("bdi", {}, decision.winner)];
}

/** All of it. */
export function outcome(transcript, people) {
  const parts = [
    transcript.verdict && verdictPart(transcript, people),
    transcript.audience && audiencePart(transcript.audience, transcript.settings.language),
    transcript.decision && decisionPart(transcript.decision, people),
    transcript.baselines && baselinePart(transcript.baselines, transcript.settings.language),
  ].filter(Boolean);
  return parts.length ? parts : h("p", { class: "empty" }, t("outcome.nothing"));
}

// ── the verdict ──

function verdictPart(transcript, people) {
  const { verdict } = transcript;
  return h(
    "section",
    { class: "card", "aria-labelledby": "verdict" },
    h("h2", { id: "verdict" }, t("verdict")),
    h("p", { class: "found" }, found(verdict, people)),
    verdict.ranking.length > 0 && h("ol", {}, verdict.ranking.map((side) => h("li", {}, named(side, people), ` ${t("points", { n: verdict.points[side] ?? 0 })}`))),
    scores(verdict, people),
    h("ul", { class: "judges" }, verdict.judges.map((vote) => judge(vote, people))),
    bias(verdict.position_bias),
    h("h3", {}, t("readings")),
    verdict.readings.map((reading) => readingPart(reading, transcript, people)),
    claims(verdict.claims, transcript.id, people),
  );
}

function scores(verdict, people) {
  const sides = Object.keys(verdict.scores);
  if (!sides.length) return null;
  const criteria = [...new Set(sides.flatMap((side) => Object.keys(verdict.scores[side])))];
  return h(
    "div",
    { class: "wide", tabindex: "0", role: "group", "aria-label": t("scores") },
    h(
      "table",
      {},
      h("caption", {}, t("scores")),
      h("thead", {}, h("tr", {}, h("td", {}), criteria.map((each) => h("th", { scope: "col" }, tOr(`criterion.${each}`, each))), h("th", { scope: "col" }, t("total")))),
      h(
        "tbody",
        {},
        sides.map((side) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, named(side, people)),
            criteria.map((each) => h("td", {}, verdict.scores[side][each] === undefined ? "–" : number(verdict.scores[side][each]))),
            h("td", {}, verdict.totals[side] === undefined ? "–" : h("strong", {}, number(verdict.totals[side]))),
          ),
        ),
      ),
    ),
  );
}

function judge(vote, people) {
  const told = vote.winner ? [t("judge.for"), " ", named(vote.winner, people)] : [tOr(`judge.${vote.outcome}`, vote.outcome), vote.reason && h("span", { lang: "en" }, `: ${vote.reason}`)];
  return h("li", {}, h("strong", {}, t("judge_n", { n: vote.judge })), " ", h("span", { class: "quiet" }, vote.model), " ", told);
}

function bias(found) {
  return found?.pairs ? h("p", { class: "quiet" }, t("bias", { changed: found.changed, pairs: found.pairs })) : null;
}

function readingPart(reading, transcript, people) {
  const language = transcript.settings.language;
  const first = Object.values(reading.letters)[0];
  return h(
    "details",
    { class: "one-reading", open: reading.reading === 1 && reading.judge === 1 },
    h(
      "summary",
      {},
      h("strong", {}, t("reading_of", { judge: reading.judge, reading: reading.reading })),
      reading.ranking?.[0] && [" → ", named(reading.ranking[0], people)],
      reading.failed && h("span", { class: "quiet", lang: "en" }, ` ${reading.failed}`),
    ),
    first && h("p", { class: "quiet" }, t("reading.first", { side: first })),
    reading.reasons && paragraphs(reading.reasons, language),
    reading.quotes.length > 0 && h("ul", { class: "quotes" }, reading.quotes.map((quote) => quotePart(quote, transcript, people))),
    reading.clashes.length > 0 && h("ul", {}, reading.clashes.map((clash) => h("li", {}, said("span", {}, clash.point, language), " → ", clash.winner ? named(clash.winner, people) : t("nobody")))),
  );
}

/** A quote leads to the turn where it stands. */
function quotePart(quote, transcript, people) {
  const place = quote.rejected
    ? h("span", { class: "rejected", lang: "en" }, `${t("quote.rejected")}: ${quote.rejected}`)
    : [turnLink(transcript.id, quote.seq), quote.side && [" ", named(quote.side, people)]];
  return h("li", {}, said("q", {}, quote.text, transcript.settings.language), " ", h("span", { class: "quiet" }, place));
}

export function turnLink(id, seq) {
  const go = () => {
    // The view comes first, then its turns.
    const look = (tries) => {
      const turn = document.getElementById(`turn-${seq}`);
      if (turn) {
        turn.scrollIntoView({ block: "center" });
        turn.classList.add("found");
      } else if (tries) setTimeout(look, 100, tries - 1);
    };
    setTimeout(look, 150, 50);
  };
  return h("a", { href: `#/debates/${id}`, onclick: go }, t("turn_n", { n: seq }));
}

function claims(all, id, people) {
  if (!all?.length) return null;
  return [
    h("h3", {}, t("claims")),
    h("ul", { class: "claims" }, all.map((claim) => h("li", {}, h("span", { class: `standing-${claim.standing}` }, tOr(`claim.${claim.standing}`, claim.standing)), " ", named(claim.side, people), " ", said("q", {}, claim.text), " ", turnLink(id, claim.seq)))),
  ];
}

// ── votes ──

const STANDS = ["for", "undecided", "against"];

function audiencePart(audience, language) {
  const all = Math.max(1, audience.counted);
  const line = (told, counts) =>
    h(
      "div",
      { class: "swing" },
      h("span", { class: "quiet" }, told),
      h("span", { class: "share", role: "img", "aria-label": STANDS.map((stand) => `${t(`stand.${stand}`)} ${counts[stand] ?? 0}`).join(", ") }, STANDS.map((stand) => part(stand, counts[stand] ?? 0, all))),
    );
  return h(
    "section",
    { class: "card", "aria-labelledby": "audience" },
    h("h2", { id: "audience" }, t("audience")),
    h("p", { class: "found" }, moved(audience)),
    line(t("before"), audience.before),
    line(t("after"), audience.after),
    audience.failed > 0 && h("p", { class: "quiet" }, t("audience.failed", { n: audience.failed })),
    h("details", {}, h("summary", {}, t("audience.voters", { n: audience.voters.length })), h("ul", {}, audience.voters.map((voter) => voterPart(voter, language)))),
  );
}

function part(stand, count, all) {
  const one = h("span", { class: `stand-${stand}` }, count ? `${t(`stand.${stand}`)} ${count}` : "");
  one.style.flexGrow = count / all;
  one.hidden = !count;
  return one;
}

function voterPart(voter, language) {
  const stands = [voter.before, voter.after].map((stand) => (stand ? t(`stand.${stand}`) : t("no_vote"))).join(" → ");
  return h("li", {}, said("span", { class: "quiet" }, voter.persona, language), " ", h("strong", {}, stands), " ", said("span", {}, voter.reason, language));
}

function decisionPart(decision, people) {
  return h(
    "section",
    { class: "card", "aria-labelledby": "decision" },
    h("h2", { id: "decision" }, t("decision")),
    h("p", { class: "found" }, decided(decision)),
    h("ul", { class: "tally" }, Object.entries(decision.tally).map(([name, count]) => h("li", {}, named(name, people), ` ${number(count)}`))),
    h("p", { class: "quiet" }, t("decision.votes", { n: decision.ballots, abstained: decision.abstained, failed: decision.failed })),
  );
}

function baselinePart({ single, vote }, language) {
  const answer = (stand) => (stand ? t(`stand.${stand}`) : t("no_answer"));
  return h(
    "section",
    { class: "card", "aria-labelledby": "baselines" },
    h("h2", { id: "baselines" }, t("baselines")),
    single && [h("p", {}, h("strong", {}, t("baselines.single")), " ", answer(single.answer)), single.text ? said("blockquote", {}, single.text, language) : h("p", { lang: "en" }, single.failed)],
    vote && h("p", {}, h("strong", {}, t("baselines.vote", { n: vote.answers })), " ", Object.entries(vote.counts).map(([stand, count]) => `${t(`stand.${stand}`)} ${count}`).join(", "), vote.failed > 0 && `, ${t("failed_n", { n: vote.failed })}`),
  );
}

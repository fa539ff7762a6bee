"""What is wrong with an attempt, and what of it can be mended without asking again. Pure.

The checks are those of `rostra.rules.GuardRules`, each as strict as the debate says. What is cut away here costs
nothing: a label, another's lines, a template token and what comes behind it, sentences that were said before, an
unfinished end. What remains wrong are faults; `rostra_orchestrator.ladder` says what is done about them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rostra.measures import language, repetition, speech, stance
from rostra.measures.segments import graphemes
from rostra.models import Debate, Debater
from rostra.naming import HELPERS
from rostra.rules import Check, Strictness
from rostra_orchestrator import prompt, text

# The share of a turn's character 5-grams that one earlier turn may have.
REPEATS = {"lenient": 0.7, "strict": 0.5}
# Grams below which only the very same words are a repetition: "I disagree." may be said twice.
_FEW_GRAMS = 16
# The share of an attempt that must remain when its repeated sentences are dropped.
_ENOUGH_LEFT = 0.25
# Characters after which a running attempt is judged, and the share of repetition that is past hope.
_PROMISING = 100
_HOPELESS = 0.85

# How bad a fault is beside others, where none of the attempts is good.
UNSPEAKABLE = 9.0  # no turn may have it
_WEIGHTS = {
    "language": 4.0,
    "leaks": 3.5,
    "repeats": 3.0,
    "loops": 3.0,
    "gives_up": 2.0,
    "agrees": 1.5,
    "self_address": 0.5,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that a check found. `reason` is a word for events, `detail` a sentence for people."""

    check: Check
    reason: str
    detail: str
    weight: float = 0.25


@dataclass(frozen=True, slots=True)
class Judged:
    """What an attempt amounts to: the words that would be spoken, and what is still wrong with them."""

    text: str
    faults: tuple[Fault, ...]
    shortened: bool

    @property
    def weight(self) -> float:
        return sum(fault.weight for fault in self.faults)


@dataclass(slots=True)
class Guard:
    """Knows the debate and what was said in it so far."""

    debate: Debate
    said: repetition.Said = field(default_factory=repetition.Said)
    _names: Mapping[str, Sequence[str]] = field(init=False)
    _prompt: Sequence[str] = field(init=False)  # what no turn may show

    def __post_init__(self) -> None:
        """What is the same for every attempt."""
        helpers = [self.debate.speaker(each) for each in HELPERS] if self.debate.has_helpers else []
        self._names = {each.id: own_names(self.debate, each) for each in [*self.debate.debaters, *helpers]}
        personas = [each.persona for each in self.debate.debaters if each.persona]
        self._prompt = [*prompt.instructions(self.debate), *personas]

    def hear(self, words: str, speaker: str = "") -> None:
        """A turn was taken."""
        self.said.add(words, speaker)

    # ── the whole attempt ───────────────────────────────────────────────────────────────────────────────

    def judged(self, raw: str, debater: Debater, *, unfinished: bool = False, limit: int | None = None) -> Judged:
        """`unfinished`: the answer ran into a limit. `limit`: of the slot, in characters, where it has its own."""
        words = self._own_words(raw, debater)
        whole = (text.whole_sentences(words, self.debate.language) or words) if unfinished else words
        fresh = self._fresh(whole)
        limit = limit or self.debate.turn.max_characters
        short = text.shortened(fresh, limit, self.debate.language) if limit else fresh
        faults = tuple(self._faults(short, fresh, debater, cut_off=unfinished and whole == words, limit=limit))
        return Judged(short, faults, shortened=short != words)

    def _own_words(self, raw: str, debater: Debater) -> str:
        """Without the label, up to where another speaks or the template shows through."""
        words = text.without_label(raw, self._names[debater.id])
        words = text.until_another_speaks(words, self._others(debater))
        return (self._until_the_prompt(words) if self._is_on("leaks") else words).strip()

    def _until_the_prompt(self, words: str) -> str:
        if token := speech.leaks(words):
            words = words[: words.index(token)]
        shown = prompt.shows_itself(self.debate).search(words)
        return words[: shown.start()] if shown and repetition.is_substantial(words[: shown.start()]) else words

    def _fresh(self, words: str) -> str:
        """Without the sentences that were said before, if enough is left."""
        if not self._is_on("repetition"):
            return words
        repeated = self.said.repeated_sentences(words, self.debate.language)
        if not repeated:
            return words
        rest = text.without(words, repeated, self.debate.language)
        return rest if repetition.is_substantial(rest) and len(rest) >= _ENOUGH_LEFT * len(words) else words

    def _faults(self, words: str, uncut: str, debater: Debater, *, cut_off: bool, limit: int | None) -> Iterator[Fault]:
        if speech.is_empty(words):
            yield Fault("length", "empty", "the model said nothing", UNSPEAKABLE)
            return
        yield from self._language(words)
        yield from self._repetition(words)
        yield from self._stance(words, debater)
        yield from self._speaker(words, debater)
        yield from self._leaks(words)
        yield from self._length(words, uncut, cut_off=cut_off, limit=limit)

    def _length(self, words: str, uncut: str, *, cut_off: bool, limit: int | None) -> Iterator[Fault]:
        strictness = self.debate.strictness("length")
        if strictness == "off":
            return
        if words != uncut and (strictness == "strict" or words.endswith("…")):
            yield Fault("length", "too_long", f"{graphemes(uncut)} characters where {limit} are allowed")
        elif self._breaks_off(words, cut_off=cut_off) and not text.whole_sentences(words):
            yield Fault("length", "cut_off", "it ends within its first sentence")

    def _breaks_off(self, words: str, *, cut_off: bool) -> bool:
        """Where the answer ran into its limit of tokens; strictly, wherever no sentence ends: small models like to stop
        after a few words of the motion ("Space travel is a wasteful endeavor")."""
        return cut_off or (
            self.debate.strictness("length") == "strict" and speech.is_cut_off(words, language=self.debate.language)
        )

    def _language(self, words: str) -> Iterator[Fault]:
        asked = self.debate.language
        if asked and self._is_on("language") and not language.speaks(words, asked):
            guess = language.detected(words)
            heard = guess.language if guess else "another script"
            yield _fault("language", "language", f"{heard} instead of {asked}")

    def _repetition(self, words: str) -> Iterator[Fault]:
        strictness = self.debate.strictness("repetition")
        if strictness == "off":
            return
        threshold = REPEATS[strictness] if len(repetition.grams(words)) >= _FEW_GRAMS else 1.0
        closest = self.said.closest(words, at_least=threshold)
        if closest.index is not None:
            yield _fault(
                "repetition", "repeats", f"{closest.share:.0%} of it stands in one earlier turn", closest.share
            )
        elif repetition.loops(words):
            yield _fault("repetition", "loops", "it says the same thing over and over")

    def _stance(self, words: str, debater: Debater) -> Iterator[Fault]:
        if not self._is_on("stance"):
            return
        debate = self.debate
        opposing = [other.stance for other in debate.debaters if not _are_together(debater, other) and other.stance]
        if found := stance.gives_up(words, debate.language, debater.stance, debate.motion, opposing):
            yield _fault("stance", "gives_up", f"it gives its own side up: {found}")
        elif stance.agrees(words, debate.language):
            yield _fault("stance", "agrees", "it only agrees or thanks")

    def _speaker(self, words: str, debater: Debater) -> Iterator[Fault]:
        if not self._is_on("speaker"):
            return
        if name := speech.speaks_for(words, self._others(debater)):
            yield Fault("speaker", "speaks_for", f"it speaks for {name}", UNSPEAKABLE)
        elif self.debate.strictness("speaker") == "strict" and speech.addresses_itself(words, debater.name):
            yield _fault("speaker", "self_address", "it addresses itself")

    def _leaks(self, words: str) -> Iterator[Fault]:
        if self._is_on("leaks") and (found := speech.leaks(words, self._prompt)):
            yield Fault("leaks", "leaks", f"it shows its prompt: {found[:60]}", UNSPEAKABLE)
        elif self._is_on("leaks") and (begun := prompt.shows_itself(self.debate).search(words)):
            # Some models begin every turn so: better spoken, and marked, than a debate that fails.
            yield _fault("leaks", "leaks", f"it goes on as its prompt does: {begun.group()}")

    # ── while it is spoken ──────────────────────────────────────────────────────────────────────────────

    def hopeless(self, raw: str, debater: Debater) -> Fault | None:
        """What makes it useless to go on listening; only what would also be wrong with the whole.

        The language is told by the beginning; whether it changed later, when all was said.
        """
        words = self._own_words(raw, debater)
        if len(words) < _PROMISING:
            return None
        if len(words) < 2 * _PROMISING and (foreign := next(self._language(words), None)) is not None:
            return foreign
        if self._is_on("repetition") and (repetition.loops(words) or self._says_little_new(words)):
            return next(self._repetition(words), None)
        return None

    def _says_little_new(self, words: str) -> bool:
        return self.said.closest(words, at_least=_HOPELESS).index is not None

    # ── what the checks have in common ──────────────────────────────────────────────────────────────────

    def strictness(self, fault: Fault) -> Strictness:
        return self.debate.strictness(fault.check)

    def _is_on(self, check: Check) -> bool:
        return self.debate.strictness(check) != "off"

    def _others(self, debater: Debater) -> list[str]:
        return [name for each, names in self._names.items() if each != debater.id for name in names]


def _are_together(one: Debater, other: Debater) -> bool:
    return one.id == other.id or (one.team != "" and one.team == other.team)


def own_names(debate: Debate, debater: Debater) -> list[str]:
    """What the debater goes by in a transcript."""
    return list(dict.fromkeys([debater.name, prompt.label(debate, debater.id)]))


def _fault(check: Check, reason: str, detail: str, more: float = 0.0) -> Fault:
    return Fault(check, reason, detail, _WEIGHTS.get(reason, 0.25) + more)


def reasons(faults: Sequence[Fault]) -> tuple[str, ...]:
    """The faults in a word each, the worst first."""
    return tuple(fault.reason for fault in sorted(faults, key=lambda fault: -fault.weight))

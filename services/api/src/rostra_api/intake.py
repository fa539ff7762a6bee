"""What people send becomes a debate, or a list of what is wrong with it.

Nothing is parsed before its size is known, and nothing that was sent is repeated in an answer beside the names
of fields.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from email.message import Message
from functools import reduce
from operator import getitem
from typing import Any, Literal, TypeVar, cast

from fastapi import Request
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json
from starlette.datastructures import Headers
from starlette.types import Scope

from rostra.agenda import turns_planned
from rostra.endpoints import Endpoints, unsupported
from rostra.forking import ForkRequest
from rostra.format import Format, Label, Order
from rostra.formats import checking
from rostra.lengths import UNTIMED_TOKENS
from rostra.measures.language import SCRIPTS, Guess, detected
from rostra.models import MAX_DEBATERS, MAX_TURNS, Debate, DebateRequest, DebaterRequest, debate_from, default_debaters
from rostra.naming import name_key
from rostra.rules import Sampling, TurnRules
from rostra.seating import Unseated, seated
from rostra_api.problems import (
    BAD_PARAMETER,
    HEAD_TOO_LARGE,
    INVALID,
    NOT_JSON,
    NOT_JSON_TYPE,
    TOO_LARGE,
    Fault,
    Kind,
    Refusal,
)

T = TypeVar("T", bound=BaseModel)

MAX_BODY = 64 * 1024
# A chat is sent whole each time, with all debates that were held in it: this is room for about 40 of them.
CHAT_PATH = "/openai/v1/chat/completions"
MAX_CHAT = 256 * 1024
# Of a request's line and headers together.
MAX_HEAD = 16 * 1024
# A body within the bound can hold thousands of wrong fields; nobody reads more than these.
MAX_FAULTS = 20
# A longer name of a field is not shown: the pointer ends at what holds it.
MAX_SHOWN = 64
MAX_WAIT = 60

# Of three words and less the detector is seldom surer, also where it is wrong: "Spaces beat tabs" is French with 0.05.
_SURE_ENOUGH = 0.4
_ENOUGH_TEXT = 2000  # characters; 60,000 take 0.1 s

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_WAIT = re.compile(r'(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?(?![\w.])', re.IGNORECASE)


# ── The request around the body ─────────────────────────────────────────────────────────────────────────


async def body_of(request: Request) -> bytes:
    """The body, which is said to be JSON and is not larger than it may be there. Raises: Refusal."""
    _check_media_type(request)
    most = max_body(request.url.path)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise _too_large(most)
    return bytes(body)


def max_body(path: str) -> int:
    return MAX_CHAT if path == CHAT_PATH else MAX_BODY


def check_size(scope: Scope) -> None:
    """Whether the body that is announced, on whatever route, is within the bound. Raises: Refusal."""
    declared, most = Headers(scope=scope).get("content-length", ""), max_body(scope["path"])
    if declared.isdecimal() and int(declared) > most:
        raise _too_large(most)


def check_head(scope: Scope) -> None:
    """Whether line and headers are within the bound: a head that comes in one piece is read whole. Raises: Refusal."""
    head = len(scope["raw_path"]) + len(scope["query_string"]) + sum(len(n) + len(v) + 4 for n, v in scope["headers"])
    if head > MAX_HEAD:
        raise Refusal(HEAD_TOO_LARGE, f"Line and headers have at most {MAX_HEAD} bytes.", Connection="close")


def _too_large(most: int) -> Refusal:
    return Refusal(TOO_LARGE, f"At most {most} bytes are taken.", Connection="close")


def _check_media_type(request: Request) -> None:
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    charset = str(header.get_param("charset", "utf-8"))
    if header.get_content_type() != "application/json" or charset.lower() not in {"utf-8", "utf8"}:
        raise Refusal(NOT_JSON_TYPE, "Send `Content-Type: application/json`.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Refusal(NOT_JSON_TYPE, "Send the body uncompressed.")


def idempotency_key(header: str | None) -> str:
    """The key as it was sent, or `""`. Raises: Refusal."""
    if header is None or _IDEMPOTENCY_KEY.fullmatch(header):
        return header or ""
    fault = Fault(parameter="Idempotency-Key", detail="must be 1 to 255 visible ASCII characters")
    raise Refusal(BAD_PARAMETER, "See `errors`.", [fault])


def wait_preferred(header: str | None) -> int:
    """The seconds of `Prefer: wait=N`, at most `MAX_WAIT`; what is not understood is passed over (RFC 7240)."""
    found = _WAIT.search(header or "")
    return min(int(found[1]), MAX_WAIT) if found else 0


# ── The body ────────────────────────────────────────────────────────────────────────────────────────────


def read(body: bytes) -> DebateRequest:
    """The debate that `body` asks for. Raises: Refusal."""
    return read_as(DebateRequest, body, INVALID)


def read_as(kind: type[T], body: bytes, invalid: Kind, *, extra: Literal["forbid", "ignore"] = "forbid") -> T:
    """The request that `body` holds. Raises: Refusal, `invalid` where it is no such request."""
    try:
        request = kind.model_validate_json(body, extra=extra)
    except ValidationError as error:
        raise _refusal(body, error.errors(include_url=False, include_input=False), invalid) from None
    _check_members_differ(body)
    return request


def fingerprint(request: DebateRequest | ForkRequest, of: str = "") -> bytes:
    """The same bytes for the same request (`of` the same debate), however it was spaced and ordered."""
    given = request.model_dump(mode="json", exclude_unset=True)
    return hashlib.sha256((of + json.dumps(given, sort_keys=True)).encode()).digest()


def _refusal(body: bytes, errors: Sequence[ErrorDetails], invalid: Kind) -> Refusal:
    if errors[0]["type"] == "json_invalid":
        return Refusal(NOT_JSON, errors[0]["msg"] + ".")
    return Refusal(invalid, "See `errors`.", _faults(from_json(body), errors))


def _check_members_differ(body: bytes) -> None:
    """Of two members with one name, readers of JSON take now the first, now the last (RFC 8259, section 4)."""
    try:
        json.loads(body, object_pairs_hook=_different)
    except ValueError:
        raise Refusal(NOT_JSON, "An object has two members of the same name.") from None


def _different(members: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in members}) < len(members):
        raise ValueError


def _faults(document: object, errors: Sequence[ErrorDetails]) -> list[Fault]:
    """One fault for each place. Where something inside is wrong too, that is the one to mend."""
    details: dict[str, list[str]] = {}
    slots: dict[str, str] = {}
    for error in errors[:MAX_FAULTS]:
        place = _pointer(document, error)
        details.setdefault(place, []).append(_told(error))
        slots[place] = _slot(document, error["loc"])
    return [
        Fault(pointer=place, detail=_together(said) + slots[place])
        for place, said in details.items()
        if not any(other.startswith(f"{place}/") for other in details)
    ]


def _pointer(document: object, error: ErrorDetails) -> str:
    """Where in the document: a JSON Pointer, without the names that pydantic gives to a union's branches."""
    if error["type"] == "duplicate_names":
        return "/debaters"
    steps = list(_steps(document, error["loc"]))
    if error["type"] == "missing":
        steps.append(error["loc"][-1])
    return _place(steps)


def _place(steps: Sequence[int | str]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def _steps(document: object, location: Sequence[int | str]) -> Iterator[int | str]:
    for step in location:
        if isinstance(document, dict) and step in document:
            if len(str(step)) > MAX_SHOWN:
                return
            document = cast("dict[object, object]", document)[step]
        elif isinstance(document, list) and isinstance(step, int):
            document = cast("list[object]", document)[step]
        else:
            continue
        yield step


_SLOT_NAME: TypeAdapter[str] = TypeAdapter(Label)


def _slot(document: object, location: Sequence[int | str]) -> str:
    """Which slot of a format a fault is in, by the name that people know it by, where it has one that can be shown."""
    match list(_steps(document, location))[:5]:
        case ["format", "phases", int(_), "slots", int(_)] as steps:
            try:
                name = _SLOT_NAME.validate_python(reduce(getitem, [*steps, "name"], cast("Any", document)))
            except (ValidationError, LookupError, TypeError):
                return ""
            return f" (slot `{name}`)"
        case _:
            return ""


# In the words of JSON, where pydantic speaks of Python.
_TOLD = {
    "missing": "is required",
    "extra_forbidden": "is not a field that is known here",
    "too_short": "must have at least {min_length} {units}",
    "too_long": "must have at most {max_length} {units}",
    "tuple_type": "Input should be a list",
    "dict_type": "Input should be an object",
}


def _told(error: ErrorDetails) -> str:
    told = _TOLD.get(error["type"])
    context = error.get("ctx", {})
    # Pydantic counts in "items" also what a text has left after it was folded.
    units = "characters" if context.get("field_type") == "Value" else "items"
    return told.format_map({**context, "units": units}) if told else error["msg"]


def _together(said: Sequence[str]) -> str:
    """A value that may be one of several things was none of them."""
    return ", or ".join([said[0], *(one.removeprefix("Input should be ") for one in said[1:])])


# ── What only this installation knows ───────────────────────────────────────────────────────────────────


def debate_of(
    request: DebateRequest,
    models: Mapping[str, Endpoints],
    formats: Mapping[str, Format],
    *,
    find_language: bool = True,
) -> Debate:
    """The debate that `request` asks for, if its format and its models can do it. Raises: Refusal."""
    if find_language and not request.language:
        request = request.model_copy(update={"language": language_of(request)})
    debate_format = _format(request.format, formats)
    debaters = request.debaters or default_debaters(request.language, debate_format)
    faults = [
        *_wrong_order(request, debate_format, debaters),
        *_wrong_seats(debate_format, debaters),
        *(fault for n, debater in enumerate(debaters) for fault in _wrong_model(n, debater, request, models)),
        *_wrong_phases(request, debate_format, debaters, models),
        *_wrong_beside(request, models),
    ]
    if faults:
        raise Refusal(INVALID, "See `errors`.", faults[:MAX_FAULTS])
    debate = debate_from(request, debate_format)
    if (turns := turns_planned(debate)) > MAX_TURNS:
        pointer = "/format" if request.rounds is None else "/rounds"
        raise Refusal(INVALID, "See `errors`.", [_too_many_turns(pointer, turns)])
    return debate


def _too_many_turns(pointer: str, turns: int) -> Fault:
    return Fault(pointer=pointer, detail=f"makes {turns} turns; at most {MAX_TURNS} are held")


def _format(asked: str | Format, formats: Mapping[str, Format]) -> Format:
    """The format that is named or sent. Raises: Refusal."""
    if isinstance(asked, str):
        if asked in formats:
            return formats[asked]
        raise Refusal(
            INVALID, "See `errors`.", [Fault(pointer="/format", detail=f"is not one of {', '.join(formats)}")]
        )
    if wrong := checking.faults(asked):
        faults = [Fault(pointer=_place(("format", *fault.place)), detail=fault.detail) for fault in wrong]
        raise Refusal(INVALID, "See `errors`.", faults[:MAX_FAULTS])
    return asked


def language_of(request: DebateRequest) -> str | None:
    """The language that people wrote the motion in, or where it is too short to tell by, all that they wrote; None
    where that does not tell either."""
    texts = [request.opening, *(text for d in request.debaters or () for text in (d.stance, d.persona))]
    beside = " ".join(texts)[:_ENOUGH_TEXT]
    expected = detected(beside)
    guesses = [
        detected(request.motion, expected.language if expected else None),
        detected(f"{request.motion} {beside}"),
    ]
    return next((guess.language for guess in guesses if guess and _tells(guess)), None)


def _tells(guess: Guess) -> bool:
    """A word of another script than Latin tells its language, or one near to it."""
    return guess.confidence >= _SURE_ENOUGH or "Latin" not in SCRIPTS.get(guess.language, {"Latin"})


def _wrong_order(request: DebateRequest, debate_format: Format, debaters: Sequence[DebaterRequest]) -> Iterator[Fault]:
    orders = {phase.order for phase in debate_format.phases}
    if Order.MANUAL in orders:
        yield from _wrong_speakers(request.speakers, debaters)
    elif request.speakers is not None:
        yield Fault(pointer="/speakers", detail="belongs to the format `manual` only")
    if request.rounds is not None and orders == {None}:
        yield Fault(pointer="/rounds", detail=f"is fixed by the format `{debate_format.name}`: leave it out")


def _wrong_seats(debate_format: Format, debaters: Sequence[DebaterRequest]) -> Iterator[Fault]:
    try:
        seated(debate_format, [debater.team for debater in debaters])
        if len(debaters) > MAX_DEBATERS:  # only those can be that nobody named
            detail = (
                f"a debate has at most {MAX_DEBATERS}, and the format has {len(debaters)} seats: say who shares them"
            )
            yield Fault(pointer="/debaters", detail=detail)
    except Unseated as error:
        pointer = "/debaters" if error.place is None else f"/debaters/{error.place}/team"
        yield Fault(pointer=pointer, detail=error.detail)


def _wrong_speakers(speakers: Sequence[str] | None, debaters: Sequence[DebaterRequest]) -> Iterator[Fault]:
    if speakers is None:
        yield Fault(pointer="/speakers", detail="is required by the format `manual`")
    known = {name_key(debater.name) for debater in debaters}
    for n, name in enumerate(speakers or ()):
        if name_key(name) not in known:
            yield Fault(pointer=f"/speakers/{n}", detail="is not the name of a debater")


def _wrong_model(
    n: int, debater: DebaterRequest, request: DebateRequest, models: Mapping[str, Endpoints]
) -> Iterator[Fault]:
    if debater.human and request.humans.then == "skip":
        return
    if debater.model not in models:
        yield Fault(pointer=f"/debaters/{n}/model", detail="is not a model of this installation")
        return
    for option, reason in _cannot(debater.sampling, request.turn, models[debater.model]).items():
        yield Fault(pointer=f"/debaters/{n}/sampling/{option}", detail=reason)


def _wrong_phases(
    request: DebateRequest,
    debate_format: Format,
    debaters: Sequence[DebaterRequest],
    models: Mapping[str, Endpoints],
) -> Iterator[Fault]:
    known = [phase.name for phase in debate_format.phases]
    for name, rules in request.phases.items():
        if name not in known:
            detail = f"is not a phase of the format `{debate_format.name}`, which has {', '.join(known)}"
            yield Fault(pointer=f"/phases/{name}", detail=detail)
        for option, reason in _wrong_in_phase(rules.sampling, request, debaters, models).items():
            place = f"/{option}" if option in rules.sampling.given() else ""
            yield Fault(pointer=f"/phases/{name}/sampling{place}", detail=reason)


def _wrong_in_phase(
    sampling: Sampling, request: DebateRequest, debaters: Sequence[DebaterRequest], models: Mapping[str, Endpoints]
) -> dict[str, str]:
    """What the phase asks too much of any debater's model, beside what the debater asks of it already."""
    wrong: dict[str, str] = {}
    for debater in debaters:
        if endpoints := models.get(debater.model):
            own = _cannot(debater.sampling, request.turn, endpoints)
            both = _cannot(debater.sampling | sampling, request.turn, endpoints)
            wrong |= {option: reason for option, reason in both.items() if option not in own}
    return wrong


def _cannot(sampling: Sampling, turn: TurnRules, endpoints: Endpoints) -> dict[str, str]:
    """The options that cannot be as they are, each with the reason."""
    longest = turn.max_tokens or UNTIMED_TOKENS
    most = min(longest, sampling.max_tokens or longest)
    too_many = (sampling.min_tokens or 0) > most
    told = {"min_tokens": f"is more than the {most} tokens that a turn may have"} if too_many else {}
    return told | unsupported(endpoints, sampling)


def _wrong_beside(request: DebateRequest, models: Mapping[str, Endpoints]) -> Iterator[Fault]:
    for pointer, model in _models_beside(request):
        if model not in models:
            yield Fault(pointer=pointer, detail="is not a model of this installation")


def _models_beside(request: DebateRequest) -> Iterator[tuple[str, str]]:
    """The models of those who do not debate, and where they are named."""
    if request.judge and isinstance(request.judge.panel, int):
        yield "/judge/model", request.judge.model
    elif request.judge:
        yield from ((f"/judge/panel/{n}/model", seat.model) for n, seat in enumerate(request.judge.seats))
    if request.moderator:
        yield "/moderator/model", request.moderator.model
    if request.audience:
        yield "/audience/model", request.audience.model

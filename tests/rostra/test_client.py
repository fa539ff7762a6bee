"""What a client asks for, when it asks again, and what it makes of answers; nothing is sent here but to a stand-in."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2 as httpx
import pytest

from builders import a_request
from rostra.client import (
    ApiError,
    Client,
    Conflict,
    NotFound,
    NotLetIn,
    NotRostra,
    Refused,
    TooMuch,
    Unavailable,
    Unreachable,
    asynchronous,
    blocking,
    errors,
)
from rostra.client.base import reach
from rostra.client.calls import body_of, path_of
from rostra.client.live import Following, Told
from rostra.client.patience import Patience, retry_after
from rostra.events import NewerEvent, VerdictGiven
from rostra.models import DebateRequest, DebaterRequest
from rostra.rules import TurnRules
from rostra.views import ClaimedView, WordsView

PROBLEM = {"Content-Type": "application/problem+json"}
HERE = "http://127.0.0.1:8080"


def problem(status: int, name: str = "x", **fields: object) -> httpx.Response:
    said = {"type": f"urn:rostra:problem:{name}", "title": "No", "status": status, "detail": "Because.", **fields}
    return httpx.Response(status, headers=PROBLEM, content=json.dumps(said))


def client_of(answer: Callable[[httpx.Request], httpx.Response], retries: int = 0) -> Client:
    return Client(HERE, "", retries=retries, transport=httpx.MockTransport(answer))


class TestTheEnvironment:
    def test_says_where_the_api_is_and_the_key(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("ROSTRA_URL", "http://debates.example:9/")
        monkeypatch.setenv("ROSTRA_API_KEY", "rostra_hush")
        told = reach(None, None, 30, 0)
        assert (told.address, told.key) == ("http://debates.example:9", "rostra_hush")
        assert told.http()["headers"]["Authorization"] == "Bearer rostra_hush"
        assert "hush" not in repr(told)

    def test_comes_behind_what_is_said(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("ROSTRA_URL", "http://debates.example")
        monkeypatch.setenv("ROSTRA_API_KEY", "rostra_hush")
        told = reach("https://other.example/rostra/", "", 30, 0)
        assert (told.address, told.key) == ("https://other.example/rostra", "")
        assert "Authorization" not in told.http()["headers"]

    @pytest.mark.parametrize(
        ("address", "key"),
        [
            ("debates.example", ""),
            ("http://x:y", ""),
            ("http://x/\x1b[2J", ""),
            ("ftp://x", ""),
            (HERE, "a\nb"),
            (HERE, "ö"),
        ],
    )
    def test_what_cannot_be_is_said_at_once(self, address: str, key: str):
        with pytest.raises(ValueError, match="ROSTRA_"):
            Client(address, key)


class TestPatience:
    def test_pauses_double_and_are_drawn(self):
        least, most = Patience(chance=lambda: 0.0), Patience(chance=lambda: 1.0)
        assert [least.pause(n) for n in (1, 2, 3, 4, 5)] == [0.25, 0.5, 1.0, 2.0, None]
        assert [most.pause(n) for n in (1, 2, 3, 4, 5)] == [0.5, 1.0, 2.0, 4.0, None]

    def test_the_apis_word_is_kept_to_and_what_is_too_long_is_not_waited_for(self):
        patience = Patience(chance=lambda: 0.0)
        assert patience.pause(1, 5.0) == 5.25
        assert patience.pause(1, 61.0) is None

    def test_however_often_no_pause_is_longer_than_the_longest(self):
        assert Patience(retries=10_000, chance=lambda: 1.0).pause(10_000) == 60.0

    def test_seconds_and_dates_are_understood_and_other_words_are_not(self):
        def said(text: str) -> float | None:
            return retry_after(httpx.Response(503, headers={"Retry-After": text}))

        assert said("7") == 7.0
        later = said(format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))
        assert later is not None
        assert 20 < later <= 30
        assert said(format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)) == 0.0
        assert [said(text) for text in ("", "soon", "-1", "1e3")] == [None, None, None, None]


class TestAskingAgain:
    @pytest.fixture
    def asked(self) -> list[httpx.Request]:
        return []

    def failing(
        self, asked: list[httpx.Request], error: type[httpx.TransportError] | int
    ) -> Callable[[httpx.Request], httpx.Response]:
        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            if isinstance(error, int):
                return problem(error)
            raise error("broken")

        return answer

    @pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadError, httpx.ReadTimeout, 429, 502, 503, 504])
    def test_a_debate_is_begun_again_under_one_key(
        self, asked: list[httpx.Request], error: type[httpx.TransportError] | int
    ):
        with client_of(self.failing(asked, error), retries=1) as client, pytest.raises((Unreachable, ApiError)):
            client.debates.create("Tabs beat spaces")
        assert len(asked) == 2
        assert len({request.headers["Idempotency-Key"] for request in asked}) == 1
        assert asked[0].content == asked[1].content

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 500])
    def test_what_would_be_answered_the_same_is_not_asked_again(self, asked: list[httpx.Request], status: int):
        with client_of(self.failing(asked, status), retries=3) as client, pytest.raises(ApiError):
            client.debates.create("Tabs beat spaces")
        assert len(asked) == 1

    @pytest.mark.parametrize(("error", "times"), [(httpx.ConnectError, 2), (429, 2), (httpx.ReadError, 1), (503, 1)])
    def test_a_turn_without_its_number_is_not_sent_again_once_it_may_have_been_heard(
        self, asked: list[httpx.Request], error: type[httpx.TransportError] | int, times: int
    ):
        with client_of(self.failing(asked, error), retries=1) as client, pytest.raises((Unreachable, ApiError)):
            client.debates.speak("0a", "Tabs.")
        assert len(asked) == times

    def test_one_with_its_number_is(self, asked: list[httpx.Request]):
        with client_of(self.failing(asked, httpx.ReadError), retries=1) as client, pytest.raises(Unreachable):
            client.debates.speak("0a", "Tabs.", seq=3)
        assert [json.loads(request.content) for request in asked] == [{"text": "Tabs.", "seq": 3}] * 2

    def test_each_debate_has_a_key_of_its_own(self, asked: list[httpx.Request]):
        with client_of(self.failing(asked, 422)) as client:
            for _ in range(2):
                with pytest.raises(Refused):
                    client.debates.create("Tabs beat spaces")
            with pytest.raises(Refused):
                client.debates.fork("0a", 2, {"seed": 7})
        assert len({request.headers["Idempotency-Key"] for request in asked}) == 3

    def test_a_deletion_whose_answer_got_lost_is_done(self):
        def answers() -> Iterator[httpx.Response]:
            yield httpx.Response(502, text="Bad Gateway")
            yield problem(404)
            yield problem(404)

        coming = answers()
        with client_of(lambda _: next(coming), retries=1) as client:
            client.debates.delete("0a")
            with pytest.raises(NotFound):
                client.debates.delete("0a")


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, Refused), (401, NotLetIn), (403, NotLetIn), (404, NotFound), (409, Conflict), (422, Refused),
            (429, TooMuch), (500, Unavailable), (503, Unavailable),
        ],
    )  # fmt: skip
    def test_each_status_has_its_error(self, status: int, kind: type[ApiError]):
        with client_of(lambda _: problem(status, "some-kind")) as client, pytest.raises(kind) as caught:
            client.debates.get("0a")
        assert type(caught.value) is kind
        assert (caught.value.status, caught.value.kind, caught.value.detail) == (status, "some-kind", "Because.")

    def test_it_points_at_what_is_wrong(self):
        faults = [
            {"detail": "must be 1 or more", "pointer": "/rounds"},
            {"detail": "is not a cursor", "parameter": "after"},
        ]
        refusal = problem(422, title="It cannot be held", detail="See `errors`.", errors=faults)
        with client_of(lambda _: refusal) as client, pytest.raises(Refused) as caught:
            client.debates.create("Tabs beat spaces", rounds=0)
        assert str(caught.value) == "It cannot be held:\n  /rounds: must be 1 or more\n  after: is not a cursor"

    def test_a_missing_key_says_how_to_give_one_and_a_bound_its_setting(self):
        with client_of(lambda _: problem(401)) as client, pytest.raises(NotLetIn, match="ROSTRA_API_KEY"):
            client.debates.get("0a")
        answer = problem(429, bound="ROSTRA_RATE")
        answer.headers["Retry-After"] = "5"
        with client_of(lambda _: answer) as client, pytest.raises(TooMuch, match="ROSTRA_RATE") as caught:
            client.debates.get("0a")
        assert caught.value.retry_after == 5.0

    def test_nobody_there_says_how_to_start_one(self):
        def nobody(_: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("connection refused")

        with client_of(nobody) as client, pytest.raises(Unreachable, match=f"{HERE}.*rostra serve.*docker compose up"):
            client.debates.get("0a")

    @pytest.mark.parametrize(
        "answer",
        [
            httpx.Response(200, text="<html>router login</html>"),
            httpx.Response(200, json={"id": "0a"}),
            httpx.Response(404, text="<html>not here</html>"),
            httpx.Response(302, headers={"Location": "https://elsewhere.example"}),
            httpx.Response(422, headers=PROBLEM, text="{not json"),
        ],
    )
    def test_another_server_is_told_from_rostra(self, answer: httpx.Response):
        with client_of(lambda _: answer) as client, pytest.raises(NotRostra, match="ROSTRA_URL"):
            client.debates.get("0a")

    def test_the_tree_in_the_docstring_is_the_tree(self):
        drawn = set(re.findall(r"[─ ] (\w+)  ", errors.__doc__ or "")) | {"RostraError"}
        made = {
            name for name, one in vars(errors).items() if inspect.isclass(one) and issubclass(one, errors.RostraError)
        }
        assert drawn == made
        assert issubclass(errors.NotEnded, TimeoutError)


class TestWhatIsSent:
    def test_a_motion_a_request_fields_and_both(self):
        whole = DebateRequest(motion="Tabs beat spaces", rounds=2)
        assert body_of("Tabs beat spaces", {}) == {"motion": "Tabs beat spaces"}
        assert body_of(whole, {"seed": 7}) == {"motion": "Tabs beat spaces", "rounds": 2, "seed": 7}
        assert body_of(None, {"motion": "Tabs", "turn": {"max_tokens": 90}}) == {
            "motion": "Tabs",
            "turn": {"max_tokens": 90},
        }
        assert body_of(a_request(), {}) == a_request()

    def test_parts_as_models_are_what_the_api_takes(self):
        debaters = (DebaterRequest(name="Ada", stance="for tabs"), DebaterRequest(name="Grace"))
        sent = body_of("Tabs beat spaces", {"debaters": debaters, "turn": TurnRules(max_characters=80)})
        read = DebateRequest.model_validate_json(json.dumps(sent), extra="forbid")
        assert read.debaters == debaters
        assert read.turn.max_characters == 80

    def test_half_of_a_surrogate_pair_goes_out_and_is_the_apis_to_refuse(self):
        seen: list[bytes] = []

        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(request.content)
            return problem(422)

        with client_of(answer) as client, pytest.raises(Refused):
            client.debates.create("Tabs \udc80")
        assert json.loads(seen[0]) == {"motion": "Tabs \udc80"}

    @pytest.mark.parametrize("text", ["", "..", "a/b", "a?b", "a b", "x" * 65])
    def test_what_cannot_be_an_id_goes_nowhere(self, text: str):
        with pytest.raises(ValueError, match="no debate's id"):
            path_of(text)


class TestEvents:
    def test_words_and_claims_are_as_they_are_told(self):
        words = {"seq": 1, "attempt": 1, "debater": "Ada", "text": "Ta"}
        assert Told("delta", words).event == WordsView(**words)
        claimed = {"v": 3, "at": "2026-11-23T17:20:41Z", "fence": 3, "rostra": "0.1.0"}
        assert isinstance(Told("debate_claimed", claimed, "0-2").event, ClaimedView)

    def test_what_a_newer_api_tells_is_passed_on(self):
        newer = Told("applause_heard", {"v": 1, "loudness": 11}, "1-1")
        assert isinstance(newer.event, NewerEvent)
        assert (newer.event.type, newer.data["loudness"]) == ("applause_heard", 11)
        changed = Told("verdict_given", {"v": 9, "verdict": "another form"}, "9-1").event
        assert isinstance(changed, NewerEvent)
        assert not isinstance(changed, VerdictGiven)

    def test_a_stream_of_something_else_is_told_from_rostras(self):
        page = httpx.Response(200, headers={"Content-Type": "text/html"}, text="<html>")
        with client_of(lambda _: page) as client, pytest.raises(NotRostra):
            next(client.debates.stream("0a"))

    @pytest.mark.parametrize(
        "event", ["id: x\nevent: turn_taken\ndata: {}", "id: 1-0\nevent: turn_taken\ndata: {", "event: y\ndata: {}"]
    )
    def test_an_event_that_cannot_be_read_is_no_event_of_rostras(self, event: str):
        stream = httpx.Response(200, headers={"Content-Type": "text/event-stream"}, text=f"{event}\n\n")
        with client_of(lambda _: stream) as client, pytest.raises(NotRostra):
            next(client.debates.stream("0a"))

    def test_who_was_there_comes_back_for_more_than_a_minute_and_who_was_not_is_told_at_once(self):
        away = httpx.ConnectError("refused")
        following = Following("0a", None, True, reach(HERE, "", 30, 0))
        with pytest.raises(Unreachable):
            following.failed(away)
        following.opened(httpx.Response(200, headers={"Content-Type": "text/event-stream"}))
        pauses = [following.failed(away) for _ in range(8)]
        assert sum(pauses) > 60
        with pytest.raises(Unreachable):
            following.failed(away)

    def test_an_id_that_cannot_be_one_is_said_at_once(self):
        with client_of(lambda _: problem(400)) as client, pytest.raises(ValueError, match="no event's id"):
            client.debates.stream("0a", after="yesterday")


class TestTheTwins:
    @pytest.mark.parametrize("name", ["Client", "Debates", "Formats", "Models"])
    def test_do_the_same(self, name: str):
        waiting, awaited = getattr(blocking, name), getattr(asynchronous, f"Async{name.removeprefix('Async')}")
        assert parameters(waiting) == parameters(awaited)


def parameters(client: type) -> dict[str, list[tuple[str, object, object]]]:
    return {
        name: [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]
        for name, function in vars(client).items()
        if inspect.isfunction(function) and not name.startswith("_")
    }


def test_importing_rostra_loads_no_client():
    said = "import sys, rostra; print(sorted({'httpx2', 'pydantic', 'rostra.client'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_what_rostra_does_not_have_is_said_as_usual():
    import rostra

    with pytest.raises(AttributeError, match="no attribute 'Clyent'"):
        _ = rostra.Clyent
    assert rostra.Client is Client

"""POST /v1/debates: a debate begins once, or it is said what is wrong with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx2 import AsyncClient

from builders import a_request
from rostra import queue
from rostra.models import DebateRequest, Status
from rostra.store import Store, connect
from rostra_api.intake import MAX_BODY, language_of, wait_preferred

JSON = {"Content-Type": "application/json"}


async def post(client: AsyncClient, body: dict[str, Any] | bytes, **headers: str):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post("/v1/debates", content=content, headers={**JSON, **headers})


class TestADebateBegins:
    async def test_a_motion_alone_is_a_debate(self, client: AsyncClient):
        answer = await post(client, {"motion": "Tabs beat spaces"})
        assert answer.status_code == 202
        debate = answer.json()
        assert (debate["status"], debate["motion"]) == ("queued", "Tabs beat spaces")
        assert [d["name"] for d in debate["debaters"]] == ["Affirmative", "Negative"]
        assert debate["turns_planned"] > 0

    async def test_the_answer_says_where_to_look_and_when(self, client: AsyncClient):
        answer = await post(client, a_request())
        links = answer.json()["links"]
        assert answer.headers["Location"] == links["self"] == f"/v1/debates/{answer.json()['id']}"
        assert int(answer.headers["Retry-After"]) > 0
        for link in ("self", "transcript"):
            assert (await client.get(links[link])).status_code == 200

    async def test_the_answer_is_what_a_look_at_it_shows(self, client: AsyncClient):
        begun = (await post(client, a_request())).json()
        assert (await client.get(begun["links"]["self"])).json() == begun

    async def test_a_worker_is_called_once(self, client: AsyncClient, redis_url: str):
        debate_id = (await post(client, a_request())).json()["id"]
        with queue.connect(redis_url) as rq:
            (job_id,) = queue.queue(rq).get_job_ids()
        assert job_id.startswith(f"{debate_id}-1-")

    async def test_a_queue_that_refuses_does_not_matter(self, client: AsyncClient, store: Store, redis_url: str):
        redis = connect(redis_url)
        await redis.set(f"rq:queue:{queue.QUEUE}", "no list")
        answer = await post(client, a_request())
        await redis.aclose()
        assert answer.status_code == 202
        assert (await store.get(answer.json()["id"])).status is Status.QUEUED

    async def test_all_that_was_decided_can_be_read(self, client: AsyncClient):
        sampling = {"temperature": 0.5, "top_k": 40}
        debaters = [{"name": "肯定側", "sampling": sampling}, {"name": "否定側", "model": "plain"}]
        body = a_request(language="ja", debaters=debaters, metadata={"run": 7}, limits={"seconds": 900})
        debate = (await post(client, body)).json()
        assert (debate["language"], debate["seed"], debate["metadata"]) == ("ja", 40, {"run": 7})
        assert debate["limits"] == {"seconds": 900, "tokens": None}
        assert debate["debaters"][0]["sampling"] == sampling
        assert debate["debaters"][1]["model"] == "plain"
        assert debate["notes"] == []

    async def test_what_differs_in_a_phase_can_be_read(self, client: AsyncClient):
        phases = {"debate": {"sampling": {"temperature": 0.2, "stop": ["."]}}}
        debate = (await post(client, a_request(phases=phases))).json()
        transcript = (await client.get(debate["links"]["transcript"])).json()
        (phase,) = transcript["settings"]["phases"]
        assert phase["sampling"] == {"temperature": 0.2, "stop": ["."]}

    async def test_judges_voters_and_baselines_stand_in_the_settings(self, client: AsyncClient):
        beside = {
            "judge": {"panel": [{"model": "default", "persona": "A retired judge."}], "rubric": {"wit": 2}},
            "audience": {"size": 7, "personas": ["a baker"]},
            "decision": {"protocol": "consensus", "limit": 3, "share": 0.75},
            "baselines": True,
        }
        debate = (await post(client, a_request(**beside))).json()
        assert debate["notes"] == []
        transcript = (await client.get(debate["links"]["transcript"])).json()
        settings = transcript["settings"]
        assert settings["judge"] == {**beside["judge"], "swap": True, "model": "default", "names_hidden": True}
        assert {name: settings[name] for name in ("decision", "baselines")} == {
            name: beside[name] for name in ("decision", "baselines")
        }
        assert (transcript["verdict"], transcript["audience"], transcript["decision"]) == (None, None, None)

    async def test_speakers_in_a_manual_order(self, client: AsyncClient):
        body = a_request(format="manual", speakers=["Ada", "grace", "Ada"], rounds=2)
        answer = await post(client, body)
        assert (answer.status_code, answer.json()["turns_planned"]) == (202, 6)

    async def test_utf_8_may_be_named(self, client: AsyncClient):
        headers = {"Content-Type": 'Application/JSON; charset="UTF-8"'}
        assert (await client.post("/v1/debates", content=b'{"motion": "x"}', headers=headers)).status_code == 202


def asked(motion: str, **beside: str) -> DebateRequest:
    debaters = [{"name": "Ada", "persona": beside.get("persona", "")}, {"name": "Grace"}]
    return DebateRequest.model_validate({"motion": motion, "opening": beside.get("opening", ""), "debaters": debaters})


class TestItsLanguage:
    @pytest.mark.parametrize(
        ("motion", "language"),
        [
            ("We should abolish the death penalty", "en"),
            ("消費税を廃止すべきか", "ja"),
            ("人工智能利大于弊", "zh"),
            ("사형제는 폐지되어야 한다", "ko"),
            ("Es sollte ein Tempolimit geben", "de"),
            ("Faut-il interdire les voitures ?", "fr"),
            ("Deberíamos prohibir las corridas de toros", "es"),
            ("Смертная казнь нужна", "ru"),
            ("يجب إلغاء عقوبة الإعدام", "ar"),
        ],
    )
    def test_is_the_motions(self, motion: str, language: str):
        assert language_of(asked(motion)) == language

    @pytest.mark.parametrize("motion", ["Tabs beat spaces", "Vi vs Emacs", "x", "42"])
    def test_is_left_open_where_nothing_tells(self, motion: str):
        assert language_of(asked(motion)) is None

    def test_is_told_by_all_that_was_written_where_the_motion_is_short(self):
        assert language_of(asked("Vi vs Emacs", opening="Bitte nur ein Argument auf einmal.")) == "de"
        assert language_of(asked("死刑廃止", persona="あなたは法律の専門家です。")) == "ja"
        assert language_of(asked("死刑废止")) == "zh"

    async def test_is_stored_and_shown_and_names_the_sides(self, client: AsyncClient):
        debate = (await post(client, {"motion": "消費税を廃止すべきか"})).json()
        assert debate["language"] == "ja"
        assert [d["name"] for d in debate["debaters"]] == ["肯定側", "否定側"]
        transcript = (await client.get(debate["links"]["transcript"])).json()
        assert transcript["settings"]["language"] == "ja"

    async def test_that_was_given_is_kept(self, client: AsyncClient):
        assert (await post(client, {"motion": "消費税を廃止すべきか", "language": "en"})).json()["language"] == "en"


class TestTheSameRequestTwice:
    async def test_a_hundred_at_once_are_one_debate(self, client: AsyncClient, store: Store):
        answers = await asyncio.gather(*(post(client, a_request(), **{"Idempotency-Key": "one"}) for _ in range(100)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
        assert len((await store.page()).records) == 1

    async def test_how_it_is_written_does_not_matter(self, client: AsyncClient):
        key = {"Idempotency-Key": "k"}
        first = await post(client, b'{"motion":"x","metadata":{"a":1,"b":2}}', **key)
        again = await post(client, b'{ "metadata": {"b": 2, "a": 1}, "motion": "\\u0078" }', **key)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.json() == first.json()

    async def test_another_request_under_the_key_is_refused(self, client: AsyncClient, store: Store):
        await post(client, a_request(), **{"Idempotency-Key": "k"})
        answer = await post(client, a_request("Spaces beat tabs"), **{"Idempotency-Key": "k"})
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:rostra:problem:key-reused"
        assert len((await store.page()).records) == 1

    async def test_the_key_of_a_deleted_debate_is_spent(self, client: AsyncClient):
        link = (await post(client, a_request(), **{"Idempotency-Key": "k"})).json()["links"]["self"]
        await client.post(f"{link}/cancel")
        await client.delete(link)
        answer = await post(client, a_request(), **{"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:rostra:problem:key-spent")

    @pytest.mark.parametrize("key", ["", "two words", "ключ".encode(), "k" * 256], ids=ascii)
    async def test_a_key_is_visible_ascii(self, client: AsyncClient, store: Store, key: str | bytes):
        answer = await client.post(
            "/v1/debates",
            json=a_request(),
            headers=[(b"Idempotency-Key", key if isinstance(key, bytes) else key.encode())],
        )
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["parameter"] == "Idempotency-Key"
        assert not (await store.page()).records


class TestWaitingForTheEnd:
    async def test_the_answer_comes_with_the_end(self, client: AsyncClient, store: Store):
        waiting = asyncio.create_task(post(client, a_request(), Prefer="respond-async, wait=30"))
        while not (page := await store.page()).records:
            await asyncio.sleep(0.01)
        await store.cancel(page.records[0].debate.id)
        answer = await asyncio.wait_for(waiting, 5)
        assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
        assert answer.headers["Preference-Applied"] == "wait=30"
        assert "Retry-After" not in answer.headers

    async def test_or_when_the_time_is_over(self, client: AsyncClient):
        answer = await post(client, a_request(), Prefer="wait=1")
        assert (answer.status_code, answer.json()["status"]) == (202, "queued")

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            (None, 0),
            ("wait=10", 10),
            ('foo; bar, Wait = "5"', 5),
            ("wait=600", 60),
            ("wait=-1", 0),
            ("wait=1.5", 0),
            ("wait=soon", 0),
            ("await=7", 0),
        ],
    )
    def test_a_preference_that_is_not_understood_is_passed_over(self, header: str | None, seconds: int):
        assert wait_preferred(header) == seconds


def with_debater(**fields: Any) -> dict[str, Any]:
    return a_request(debaters=[{"name": "Ada", **fields}, {"name": "Grace"}])


TWINS = [{"name": "Ada"}, {"name": "ＡＤＡ"}]

NOT_JSON = {
    "nothing": b"",
    "not closed": b'{"motion": "x"',
    "two documents": b'{"motion": "x"} {}',
    "not UTF-8": b'{"motion": "\xff"}',
    "UTF-16": '{"motion": "x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"motion": "x"}',
    "a lone surrogate": b'{"motion": "\\ud800"}',
    "a raw line break": b'{"motion": "a\nb"}',
    "too deep": b"[" * 60_000,
    "objects too deep": b'{"motion":' * 5_000,
    "a number of 5,000 digits": b'{"motion": "x", "seed": ' + b"9" * 5_000 + b"}",
    "a member twice": b'{"motion": "x", "motion": "y"}',
    "a member twice, inside": b'{"motion": "x", "turn": {"max_tokens": 9, "max_tokens": 10}}',
}

INVALID: dict[str, tuple[dict[str, Any] | bytes, list[str]]] = {
    "null": (b"null", [""]),
    "a list": (b"[]", [""]),
    "no motion": ({}, ["/motion"]),
    "an empty motion": ({"motion": " \n"}, ["/motion"]),
    "a motion of nothing visible": ({"motion": "\u200b"}, ["/motion"]),
    "a motion of a number": ({"motion": 5}, ["/motion"]),
    "a long motion": ({"motion": "x" * 2001}, ["/motion"]),
    "NUL": ({"motion": "a\0b"}, ["/motion"]),
    "text that runs backwards": ({"motion": "a\u202eb"}, ["/motion"]),
    "an unknown field": ({"motion": "x", "topic": "y"}, ["/topic"]),
    "an unknown field inside": (with_debater(**{"a/b~c": 1}), ["/debaters/0/a~1b~0c"]),
    "an unknown field of a long name": (with_debater(**{"n" * 65: 1}), ["/debaters/0"]),
    "two at once": ({"seed": -1}, ["/motion", "/seed"]),
    "true for a number": ({"motion": "x", "seed": True}, ["/seed"]),
    "a fraction for a whole number": (b'{"motion": "x", "rounds": 1.0}', ["/rounds"]),
    "one debater": (a_request(debaters=[{"name": "Ada"}]), ["/debaters"]),
    "seventeen debaters": (a_request(debaters=[{"name": f"d{n}"} for n in range(17)]), ["/debaters"]),
    "one name for two": (a_request(debaters=TWINS), ["/debaters"]),
    "no debater but a number": (a_request(debaters=[{"name": "Ada"}, 5]), ["/debaters/1"]),
    "an unknown format": ({"motion": "x", "format": "shouting"}, ["/format"]),
    "an unknown model": (with_debater(model="huge"), ["/debaters/0/model"]),
    "an unknown model for the judge": (a_request(judge={"model": "huge"}), ["/judge/model"]),
    "an unknown model in the panel": (
        a_request(judge={"panel": [{"model": "default"}, {"model": "huge"}]}),
        ["/judge/panel/1/model"],
    ),
    "an unknown model for the audience": (a_request(audience={"model": "huge"}), ["/audience/model"]),
    "an unknown model for the moderator": (a_request(moderator={"model": "huge"}), ["/moderator/model"]),
    "sixteen judges": (a_request(judge={"panel": 16}), ["/judge/panel"]),
    "no judges": (a_request(judge={"panel": []}), ["/judge/panel"]),
    "a rubric of nothing": (a_request(judge={"rubric": {"wit": 0}}), ["/judge/rubric/wit"]),
    "a rubric without criteria": (a_request(judge={"rubric": {}}), ["/judge/rubric"]),
    "an unknown protocol": (a_request(decision={"protocol": "dice"}), ["/decision/protocol"]),
    "a consensus of half": (a_request(decision={"protocol": "consensus", "share": 0.5}), ["/decision/share"]),
    "an address for a model": (with_debater(model="http://elsewhere"), ["/debaters/0/model"]),
    "too hot": (with_debater(sampling={"temperature": 6}), ["/debaters/0/sampling/temperature"]),
    "what the server cannot do": (
        with_debater(model="stock", sampling={"dry_multiplier": 0.8}),
        ["/debaters/0/sampling/dry_multiplier"],
    ),
    "options that exclude each other": (
        with_debater(model="stock", sampling={"logit_bias": {"7": 1.0}, "min_tokens": 5}),
        ["/debaters/0/sampling/min_tokens"],
    ),
    "what another server cannot do": (
        with_debater(model="plain", sampling={"top_k": 1, "min_p": 0.1}),
        ["/debaters/0/sampling/min_p", "/debaters/0/sampling/top_k"],
    ),
    "what one of a model's servers cannot do": (
        with_debater(model="mixed", sampling={"top_k": 1, "mirostat": 2, "top_p": 0.9}),
        ["/debaters/0/sampling/mirostat", "/debaters/0/sampling/top_k"],
    ),
    "a phase that the format has not": (a_request(phases={"closing": {}}), ["/phases/closing"]),
    "a phase of no name": (a_request(phases={"a b": {}}), ["/phases/a b"]),
    "an unknown field of a phase": (a_request(phases={"debate": {"rounds": 2}}), ["/phases/debate/rounds"]),
    "too hot in a phase": (
        a_request(phases={"debate": {"sampling": {"temperature": 6}}}),
        ["/phases/debate/sampling/temperature"],
    ),
    "what a debater's server cannot do in a phase": (
        with_debater(model="plain") | {"phases": {"debate": {"sampling": {"top_k": 7, "top_p": 0.9}}}},
        ["/phases/debate/sampling/top_k"],
    ),
    "options of a debater and of a phase that exclude each other": (
        with_debater(model="stock", sampling={"min_tokens": 5})
        | {"phases": {"debate": {"sampling": {"logit_bias": {"7": 1.0}}}}},
        ["/phases/debate/sampling"],
    ),
    "more tokens at least than at most": (
        with_debater(sampling={"min_tokens": 301}),
        ["/debaters/0/sampling/min_tokens"],
    ),
    "more tokens at least than at most in a phase": (
        with_debater(sampling={"max_tokens": 50}) | {"phases": {"debate": {"sampling": {"min_tokens": 51}}}},
        ["/phases/debate/sampling/min_tokens"],
    ),
    "more stop strings than the server takes": (
        with_debater(model="plain", sampling={"stop": list("12345")}),
        ["/debaters/0/sampling/stop"],
    ),
    "NaN": (
        b'{"motion": "x", "debaters": [{"name": "Ada", "sampling": {"top_p": NaN}}, {"name": "Grace"}]}',
        ["/debaters/0/sampling/top_p"],
    ),
    "a bias of no token": (
        with_debater(sampling={"logit_bias": {"a": 1}}),
        ["/debaters/0/sampling/logit_bias/a"],
    ),
    "speakers without their format": (a_request(speakers=["Ada"]), ["/speakers"]),
    "their format without speakers": (a_request(format="manual"), ["/speakers"]),
    "a speaker nobody knows": (a_request(format="manual", speakers=["Ada", "Alan"]), ["/speakers/1"]),
    "more turns than are held": (a_request(rounds=500, debaters=[{"name": n} for n in "abc"]), ["/rounds"]),
    "a guard that is neither": (a_request(guard="harsh"), ["/guard"]),
    "a guard's check that is none": (a_request(guard={"repetition": "harsh"}), ["/guard/repetition"]),
    "metadata of a list": (a_request(metadata={"a": []}), ["/metadata/a"]),
    "metadata under a bad key": (a_request(metadata={"a b": 1}), ["/metadata/a b"]),
    "metadata that are NaN": (b'{"motion": "x", "metadata": {"a": NaN}}', ["/metadata"]),
    "metadata that are infinite": (b'{"motion": "x", "metadata": {"a": 1e999}}', ["/metadata"]),
    "metadata of 4,000 digits": (b'{"motion": "x", "metadata": {"a": ' + b"9" * 4_000 + b"}}", ["/metadata"]),
}


class TestWhatIsRefused:
    @pytest.fixture(autouse=True)
    async def nothing_is_stored(self, client: AsyncClient, store: Store, redis_url: str) -> AsyncIterator[None]:
        yield
        assert not (await store.page()).records
        with queue.connect(redis_url) as rq:
            assert not queue.waiting(rq)

    @pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
    async def test_what_is_not_json(self, client: AsyncClient, body: bytes):
        answer = await post(client, body)
        assert answer.status_code == 400
        assert answer.json()["type"] == "urn:rostra:problem:not-json"

    @pytest.mark.parametrize(("body", "pointers"), INVALID.values(), ids=INVALID)
    async def test_what_is_no_debate(self, client: AsyncClient, body: dict[str, Any] | bytes, pointers: list[str]):
        answer = await post(client, body)
        assert answer.status_code == 422
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert [fault["pointer"] for fault in answer.json()["errors"]] == pointers
        assert all(fault["detail"] for fault in answer.json()["errors"])

    async def test_what_was_sent_is_not_repeated(self, client: AsyncClient):
        secret = "hunter2"
        body = a_request(secret, seed=secret, format=secret, language=secret, guard=secret, metadata={"a": [secret]})
        answer = await post(client, body)
        assert answer.status_code == 422
        assert secret not in answer.text

    async def test_an_unsupported_option_is_named(self, client: AsyncClient):
        answer = await post(client, with_debater(model="stock", sampling={"dry_multiplier": 0.8}))
        assert "`dry_multiplier`" in answer.json()["errors"][0]["detail"]

    async def test_thousands_of_faults_make_a_short_answer(self, client: AsyncClient):
        body = json.dumps({f"f{n}": 1 for n in range(5_000)}, separators=(",", ":")).encode()
        answer = await post(client, body)
        assert answer.status_code == 422
        assert len(answer.content) < 4_000

    async def test_a_value_of_none_of_its_kinds_is_told_all_of_them(self, client: AsyncClient):
        answer = await post(client, a_request(metadata={"a": None}))
        (fault,) = answer.json()["errors"]
        assert fault["detail"].startswith("Input should be a valid string, or a valid integer")

    async def test_a_body_that_says_it_is_too_large(self, client: AsyncClient):
        answer = await post(client, b" " * (MAX_BODY + 1))
        assert (answer.status_code, answer.json()["status"]) == (413, 413)

    async def test_a_body_that_turns_out_too_large(self, client: AsyncClient):
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            while sent < 100 * MAX_BODY:
                sent += 1024
                yield b" " * 1024

        answer = await client.post("/v1/debates", content=endless(), headers=JSON)
        assert answer.status_code == 413

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Content-Type": "text/plain"},
            {"Content-Type": "application/x-www-form-urlencoded"},
            {"Content-Type": "application/json; charset=latin-1"},
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        ],
        ids=str,
    )
    async def test_what_is_not_said_to_be_plain_json(self, client: AsyncClient, headers: dict[str, str]):
        answer = await client.post("/v1/debates", content=b'{"motion": "x"}', headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (415, 415)

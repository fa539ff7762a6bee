"""A debate format is a model: what clients of OpenAI's are answered, and what becomes of the debate."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
from httpx2 import ASGITransport, AsyncClient
from markdown_it import MarkdownIt

from attacked import ATTACKS
from builders import a_debate, a_turn
from pages import Page
from rostra.events import AttemptFailed, QuestionPut, VerdictGiven
from rostra.formats import library
from rostra.models import Debate, Status
from rostra.store import Claim, Store
from rostra.verdicts import Verdict
from rostra_api.app import create_app
from rostra_api.completions import asked as asking
from rostra_api.completions.told import Told
from rostra_api.intake import MAX_BODY, MAX_CHAT
from rostra_api.problems import Refusal
from rostra_api.server import Server
from rostra_api.settings import Settings

KeyOf = Callable[..., Awaitable[dict[str, str]]]
CHAT = "/openai/v1/chat/completions"


def a_chat(motion: Any = "Tabs beat spaces", model: str = "round_robin", **fields: Any) -> dict[str, Any]:
    debaters = [{"name": "Ada", "stance": "for tabs", "model": "plain"}, {"name": "Grace", "model": "plain"}]
    rostra = {"debaters": debaters, "rounds": 1, **fields.pop("rostra", {})}
    return {"model": model, "messages": [{"role": "user", "content": motion}], "rostra": rostra, **fields}


def wanted(**fields: Any) -> dict[str, Any]:
    """The debate's request that a chat stands for, without what is left out."""
    chat = asking.read(json.dumps(a_chat(**fields)).encode())
    return asking.request_of(chat, library()).model_dump(mode="json", exclude_none=True)


def refused(**fields: Any) -> list[tuple[str | None, str]]:
    with pytest.raises(Refusal) as refusal:
        wanted(**fields)
    return [(fault.pointer, fault.detail) for fault in refusal.value.errors]


async def a_debate_begins(store: Store) -> Claim:
    """Takes up the debate that somebody asks for."""
    async with asyncio.timeout(10):
        while not (page := await store.page(status=Status.QUEUED, limit=1)).records:
            await asyncio.sleep(0.01)
    claim = await store.claim(page.records[0].debate.id, "worker:1")
    assert isinstance(claim, Claim)
    return claim


async def is_played(store: Store, *texts: str, status: Status = Status.COMPLETED, reason: str = "") -> Debate:
    claim = await a_debate_begins(store)
    for seq, text in enumerate(texts, 1):
        await store.append(claim, a_turn(seq, f"d{2 - seq % 2}", text))
    await store.finish(claim, status, reason)
    return claim.debate


@pytest.fixture
async def client(server: Server) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/openai/v1", api_key="none", max_retries=0) as client:
        yield client


@asynccontextmanager
async def asking_for(client: openai.AsyncOpenAI, **fields: Any) -> AsyncIterator[asyncio.Task[Any]]:
    chat = a_chat(**fields)
    extra = {"rostra": chat.pop("rostra")}
    task = asyncio.create_task(client.chat.completions.create(**chat, extra_body=extra))
    yield task
    await task


class TestFormatsAsModels:
    async def test_all_are_listed(self, client: openai.AsyncOpenAI, reader: AsyncClient):
        formats = (await reader.get("/v1/formats")).json()["data"]
        models = [model async for model in client.models.list()]
        assert [model.id for model in models] == [each["name"] for each in formats]
        assert {model.owned_by for model in models} == {"rostra"}

    async def test_one_can_be_asked_for(self, client: openai.AsyncOpenAI):
        assert (await client.models.retrieve("oxford")).id == "oxford"
        with pytest.raises(openai.NotFoundError) as error:
            await client.models.retrieve("gpt-5")
        assert error.value.code == "model_not_found"


class TestWhatIsAskedFor:
    def test_the_last_message_of_the_user_is_the_motion(self):
        messages = [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "Spaces beat tabs"},
            {"role": "assistant", "content": "**Ada:** No."},
            {"role": "user", "content": "Tabs beat spaces"},
            {"role": "assistant", "content": "They say:"},
        ]
        request = wanted(messages=messages)
        assert (request["motion"], request["opening"]) == ("Tabs beat spaces", "")

    def test_it_may_come_in_parts_of_text(self):
        parts = [{"type": "text", "text": "Tabs"}, {"type": "text", "text": "beat spaces"}]
        assert wanted(motion=parts)["motion"] == "Tabs\nbeat spaces"

    def test_the_model_is_the_format_and_rostra_holds_the_rest(self):
        request = wanted(model="random", rostra={"rounds": 4, "judge": {"panel": 3}})
        assert (request["format"], request["rounds"], request["judge"]["panel"]) == ("random", 4, 3)

    def test_sampling_is_that_of_the_debaters_who_have_none_of_their_own(self):
        own = [{"name": "Ada", "sampling": {"temperature": 0.2}}, {"name": "Grace"}]
        request = wanted(temperature=1, top_p=0.9, stop="###", rostra={"debaters": own})
        assert [debater["sampling"] for debater in request["debaters"]] == [
            {"temperature": 0.2, "top_p": 0.9, "stop": ["###"]},
            {"temperature": 1.0, "top_p": 0.9, "stop": ["###"]},
        ]

    def test_debaters_whom_nobody_named_have_it_too(self):
        request = wanted(motion="Jede Stadt soll Autos verbieten", temperature=0.3, rostra={"debaters": None})
        assert [d["name"] for d in request["debaters"]] == ["Pro", "Contra"]
        assert {d["sampling"]["temperature"] for d in request["debaters"]} == {0.3}

    @pytest.mark.parametrize(("sent", "taken"), [(7, 7), (2**31 + 7, 7), (-1, None)])
    def test_the_seed_is_the_debates(self, sent: int, taken: int | None):
        assert wanted(seed=sent).get("seed") == taken

    def test_what_rostra_says_goes_before(self):
        request = wanted(seed=7, max_tokens=100, rostra={"seed": 8, "turn": {"max_tokens": 50}})
        assert (request["seed"], request["turn"]["max_tokens"]) == (8, 50)

    @pytest.mark.parametrize(("sent", "taken"), [(1, 8), (100, 100), (100_000, 8192)])
    def test_the_length_is_that_of_a_turn(self, sent: int, taken: int):
        assert wanted(max_completion_tokens=sent)["turn"]["max_tokens"] == taken
        assert wanted(max_tokens=sent)["turn"]["max_tokens"] == taken

    def test_what_means_nothing_for_a_debate_is_passed_over(self):
        plain = wanted()
        sent = {"user": "ada", "store": True, "service_tier": "auto", "reasoning_effort": "low", "chat_id": "c1"}
        assert wanted(**sent, n=1, tools=[], response_format={"type": "text"}, tool_choice="none") == plain

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("n", 2),
            ("logprobs", True),
            ("tools", [{"type": "function", "function": {"name": "f"}}]),
            ("functions", [{"name": "f"}]),
            ("response_format", {"type": "json_object"}),
            ("modalities", ["text", "audio"]),
        ],
    )
    def test_what_the_answer_will_not_be_is_refused(self, field: str, value: object):
        assert [pointer for pointer, _ in refused(**{field: value})] == [f"/{field}"]

    @pytest.mark.parametrize(
        ("stop", "told"),
        [
            (5, [("/stop", "Input should be a list")]),
            (["a"] * 17, [("/stop", "must have at most 16 items")]),
            (["ok", "x" * 101], [("/stop/1", "String should have at most 100 characters")]),
            ("", [("/stop", "String should have at least 1 character")]),
        ],
    )
    def test_what_is_wrong_with_stop_is_told_once(self, stop: object, told: object):
        assert refused(stop=stop) == told

    def test_tools_that_must_not_be_called_are_passed_over(self):
        wanted(tools=[{"type": "function", "function": {"name": "f"}}], tool_choice="none")

    @pytest.mark.parametrize(
        ("fields", "pointer"),
        [
            ({"messages": [{"role": "system", "content": "Debate!"}]}, "/messages"),
            ({"messages": []}, "/messages"),
            ({"motion": "x" * 2001}, "/messages/0/content"),
            ({"motion": " "}, "/messages/0/content"),
            ({"motion": None}, "/messages/0/content"),
            ({"motion": [{"type": "image_url", "image_url": {"url": "https://e.example"}}]}, "/messages/0/content"),
            ({"rostra": {"motion": "Spaces"}}, "/rostra/motion"),
            ({"rostra": {"format": "random"}}, "/rostra/format"),
            ({"rostra": {"rounds": 0}}, "/rostra/rounds"),
            ({"rostra": {"turn": 5}}, "/rostra/turn"),
            ({"rostra": {"shout": True}}, "/rostra/shout"),
            ({"temperature": 6}, "/temperature"),
        ],
    )
    def test_what_is_wrong_is_told_where_it_was_sent(self, fields: dict[str, Any], pointer: str):
        assert [place for place, _ in refused(**fields)] == [pointer]

    async def test_so_is_what_a_debaters_model_cannot_do(self, reader: AsyncClient):
        own = [{"name": "Ada", "model": "plain", "sampling": {"top_k": 4}}, {"name": "Grace", "model": "none"}]
        answer = await reader.post(CHAT, json=a_chat(temperature=3, rostra={"debaters": own}))
        pointers = [fault["pointer"] for fault in answer.json()["errors"]]
        assert pointers == ["/temperature", "/rostra/debaters/0/sampling/top_k", "/rostra/debaters/1/model"]

    async def test_a_long_chat_has_more_room_than_other_requests(self, reader: AsyncClient):
        before = {"role": "assistant", "content": "x" * (2 * MAX_BODY)}
        chat = a_chat(messages=[before, {"role": "user", "content": ""}])
        assert (await reader.post(CHAT, json=chat)).status_code == 422
        before["content"] = "x" * MAX_CHAT
        assert (await reader.post(CHAT, json=chat)).status_code == 413


class TestErrors:
    async def test_they_are_told_as_openais_clients_read_them(self, client: openai.AsyncOpenAI):
        long = {"role": "user", "content": "x" * 2001}
        with pytest.raises(openai.UnprocessableEntityError) as error:
            await client.chat.completions.create(model="round_robin", messages=[long])
        assert (error.value.type, error.value.code) == ("invalid_request_error", "invalid-debate")
        assert error.value.param == "messages[0].content"
        assert "2000" in error.value.message

    async def test_a_model_that_is_none_is_not_found(self, client: openai.AsyncOpenAI):
        with pytest.raises(openai.NotFoundError) as error:
            await client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": "Tabs"}])
        assert (error.value.param, error.value.code) == ("model", "model_not_found")

    async def test_what_is_not_there_is_told_so_too(self, client: openai.AsyncOpenAI):
        with pytest.raises(openai.NotFoundError) as error:
            await client.embeddings.create(model="oxford", input="Tabs")
        assert error.value.code == "not-found"

    async def test_others_are_told_as_problems_only(self, reader: AsyncClient):
        assert "error" not in (await reader.post("/v1/debates", json={})).json()


class TestKeys:
    async def test_without_keys_whatever_is_sent_as_one_will_do_here_and_nowhere_else(self, reader: AsyncClient):
        sent = {"Authorization": "Bearer sk-none"}
        assert (await reader.get("/openai/v1/models", headers=sent)).status_code == 200
        assert (await reader.get("/v1/formats", headers=sent)).status_code == 401

    async def test_beyond_this_machine_it_opens_nothing(self, settings: Settings):
        app = create_app(settings.model_copy(update={"host": "0.0.0.0"}))
        here = AsyncClient(transport=ASGITransport(app), base_url="http://127.0.0.1")
        async with app.router.lifespan_context(app), here as client:
            answer = await client.get("/openai/v1/models", headers={"Authorization": "Bearer sk-none"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "no-keys")

    async def test_but_no_page_of_another_site_gets_in_by_it(self, reader: AsyncClient):
        sent = {"Authorization": "Bearer sk-none", "Origin": "https://evil.example"}
        assert (await reader.get("/openai/v1/models", headers=sent)).status_code == 403

    async def test_where_there_are_keys_one_is_needed(self, client: openai.AsyncOpenAI, key_of: KeyOf):
        header = await key_of("ada")
        await asyncio.sleep(1.5)
        with pytest.raises(openai.AuthenticationError) as error:
            await client.models.list()
        assert error.value.code == "invalid_api_key"
        token = header["Authorization"].removeprefix("Bearer ")
        assert (await client.with_options(api_key=token).models.list()).data


class TestTheAnswer:
    async def test_whole_it_is_the_debate_and_its_verdict(self, client: openai.AsyncOpenAI, store: Store):
        async with asking_for(client, rostra={"opening": "Welcome."}) as asked:
            claim = await a_debate_begins(store)
            await store.append(claim, a_turn(1, "d1", "Tabs are *short*."))
            await store.append(claim, a_turn(2, "d2", "![x](https://evil.example/x.png)"))
            won = Verdict(outcome="winner", winner="d1", agreement=1)
            await store.append(claim, VerdictGiven(verdict=won))
            await store.finish(claim, Status.COMPLETED)
        completion = asked.result()
        (choice,) = completion.choices
        assert choice.message.content.split("\n\n") == [
            "- **Ada**: for tabs\n- **Grace**",
            "> Welcome.",
            "## Debate, round 1",
            r"**Ada:** Tabs are \*short\*.",
            "**Grace:** !\\[x\\](https\u2060:/\u2060/evil\u2060.\u2060example/x\u2060.\u2060png)",
            "## Verdict",
            "- Ada wins, by 100% of the judges.",
        ]
        assert (choice.finish_reason, choice.message.role) == ("stop", "assistant")
        assert (completion.id, completion.model) == (f"chatcmpl-{claim.debate.id}", "round_robin")
        assert completion.rostra == {"debate": claim.debate.id, "status": "completed", "reason": ""}

    async def test_usage_is_all_that_the_debate_cost(self, client: openai.AsyncOpenAI, store: Store):
        async with asking_for(client) as asked:
            claim = await a_debate_begins(store)
            spent = {"prompt_tokens": 30, "completion_tokens": 4}
            await store.append(claim, a_turn(1, "d1", usage=spent))
            await store.finish(claim, Status.COMPLETED)
        assert asked.result().usage.model_dump(exclude_none=True) == {**spent, "total_tokens": 34}

    async def test_streamed_it_comes_turn_by_turn_and_ends_as_clients_expect(self, reader: AsyncClient, store: Store):
        chat = a_chat(stream=True, stream_options={"include_usage": True})
        async with reader.stream("POST", CHAT, json=chat) as answer:
            lines = answer.aiter_lines()
            chunks = []

            async def more() -> dict[str, Any]:
                async for line in lines:
                    if line.startswith("data: {"):
                        chunks.append(json.loads(line[6:]))
                        return chunks[-1]
                raise EOFError

            assert (await more())["choices"][0]["delta"] == {"role": "assistant", "content": ""}
            claim = await a_debate_begins(store)
            assert answer.headers["X-Rostra-Debate"] == claim.debate.id
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            await store.append(claim, a_turn(1, "d1", "First."))
            assert (await more())["choices"][0]["delta"]["content"].endswith("**Ada:** First.")
            await store.append(claim, a_turn(2, "d2", "Second."))
            assert (await more())["choices"][0]["delta"] == {"content": "\n\n**Grace:** Second."}
            await store.finish(claim, Status.COMPLETED)
            last = await more()
            assert (last["choices"][0]["finish_reason"], last["choices"][0]["delta"]) == ("stop", {})
            assert last["rostra"]["status"] == "completed"
            usage = await more()
            assert (usage["choices"], set(usage["usage"])) == (
                [],
                {"prompt_tokens", "completion_tokens", "total_tokens"},
            )
            assert [line async for line in lines if line] == ["data: [DONE]"]
        assert {chunk["id"] for chunk in chunks} == {f"chatcmpl-{claim.debate.id}"}
        assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
        assert all(chunk["usage"] is None for chunk in chunks[:-1])

    def test_a_moderators_questions_are_told_where_they_were_put(self):
        debate = a_debate(rounds=1)
        told = Told(debate)
        events = [
            QuestionPut(seq=0, text="What is a tab?"),
            a_turn(1, "d1"),
            QuestionPut(seq=1, text="Why?", to="d2"),
            a_turn(2, "d2"),
        ]
        assert "".join(map(told.after, events)).split("\n\n")[1:] == [
            "**Moderator:** What is a tab?",
            "## Debate, round 1",
            "**Ada:** Point 1.",
            "**Moderator (to Grace):** Why?",
            "**Grace:** Point 2.",
        ]

    async def test_words_that_were_taken_back_are_not_in_it(self, client: openai.AsyncOpenAI, store: Store):
        async with asking_for(client) as asked:
            claim = await a_debate_begins(store)
            await store.speak(claim, seq=1, attempt=1, debater="d1", text="Never mind.")
            failed = {"seq": 1, "attempt": 1, "debater": "d1", "text": "Never mind.", "reason": "repetition"}
            await store.append(claim, AttemptFailed.model_validate(failed))
            await store.append(claim, a_turn(1, "d1", "Here it is."))
            await store.finish(claim, Status.COMPLETED)
        content = asked.result().choices[0].message.content
        assert "Here it is." in content
        assert "Never mind." not in content

    @pytest.mark.parametrize("status", [Status.COLLAPSED, Status.FAILED, Status.CANCELLED])
    async def test_one_that_ended_early_says_so(self, client: openai.AsyncOpenAI, store: Store, status: Status):
        async with asking_for(client) as asked:
            await is_played(store, "First.", status=status, reason="it went round in circles")
        (choice,) = asked.result().choices
        assert choice.finish_reason == "length"
        assert choice.message.content.endswith(": it went round in circles.*")
        assert asked.result().rostra["status"] == status

    async def test_one_that_ended_before_anybody_spoke_is_an_error(self, client: openai.AsyncOpenAI, store: Store):
        chat = {"model": "round_robin", "messages": [{"role": "user", "content": "Tabs beat spaces"}]}
        debaters = {"debaters": a_chat()["rostra"]["debaters"]}
        asked = asyncio.create_task(client.chat.completions.create(**chat, extra_body={"rostra": debaters}))
        await is_played(store, status=Status.FAILED, reason="the model is away")
        with pytest.raises(openai.APIStatusError) as error:
            await asked
        assert (error.value.status_code, error.value.code) == (424, "debate-failed")
        assert "the model is away" in error.value.message
        stream = await client.chat.completions.create(**chat, extra_body={"rostra": debaters}, stream=True)
        await is_played(store, status=Status.FAILED, reason="the model is away")
        with pytest.raises(openai.APIError, match="the model is away"):
            [chunk async for chunk in stream]


class TestWhoAsked:
    async def status(self, store: Store, debate: Debate) -> Status:
        """As soon as it is one that lasts."""
        for _ in range(200):
            record = await store.get(debate.id)
            if record.status is Status.CANCELLED or record.wish == "cancel":
                return Status.CANCELLED
            await asyncio.sleep(0.01)
        return record.status

    @pytest.mark.parametrize("stream", [True, False])
    async def test_leaves_and_the_debate_is_cancelled(self, server: Server, store: Store, stream: bool):
        async with AsyncClient(base_url=server.url) as leaving:
            asked = asyncio.create_task(leaving.post(CHAT, json=a_chat(stream=stream)))
            claim = await a_debate_begins(store)
            asked.cancel()
            await asyncio.wait([asked])
        assert await self.status(store, claim.debate) is Status.CANCELLED

    async def test_has_a_key_to_come_back_with_and_it_goes_on(self, server: Server, store: Store):
        key = {"Idempotency-Key": "once"}
        async with AsyncClient(base_url=server.url, timeout=20) as leaving:
            asked = asyncio.create_task(leaving.post(CHAT, json=a_chat(stream=True), headers=key))
            claim = await a_debate_begins(store)
            asked.cancel()
            await asyncio.wait([asked])
            await store.append(claim, a_turn(1, "d1", "First."))
            again = asyncio.create_task(leaving.post(CHAT, json=a_chat(stream=False), headers=key))
            await store.append(claim, a_turn(2, "d2", "Second."))
            await store.finish(claim, Status.COMPLETED)
            answer = await again
        assert answer.headers["X-Rostra-Debate"] == claim.debate.id
        assert "First." in answer.json()["choices"][0]["message"]["content"]

    async def test_is_told_when_the_service_stops_and_the_debate_goes_on(
        self, server: Server, reader: AsyncClient, store: Store
    ):
        asked = asyncio.create_task(reader.post(CHAT, json=a_chat(stream=True)))
        claim = await a_debate_begins(store)
        server.app.state.parts.following.close()
        answer = await asked
        assert json.loads(answer.text.rstrip().rpartition("data: ")[2])["error"]["code"] == "broken-off"
        record = await store.get(claim.debate.id)
        assert (record.status, record.wish) == (Status.RUNNING, "")

    async def test_is_told_not_to_ask_again_where_that_would_begin_a_second_debate(
        self, server: Server, reader: AsyncClient, store: Store
    ):
        asked = asyncio.create_task(reader.post(CHAT, json=a_chat()))
        await a_debate_begins(store)
        server.app.state.parts.following.close()
        answer = await asked
        assert (answer.status_code, answer.headers["X-Should-Retry"]) == (503, "false")

    async def test_cannot_follow_and_so_begins_no_debate(self, settings: Settings, store: Store):
        app = create_app(settings.model_copy(update={"max_followers": 0}))
        here = AsyncClient(transport=ASGITransport(app), base_url="http://127.0.0.1")
        async with app.router.lifespan_context(app), here as client:
            answer = await client.post(CHAT, json=a_chat())
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "followers-full")
        assert list((await store.page(limit=1)).records) == []


@pytest.mark.parametrize("rules", ["commonmark", "gfm-like"])
def test_whatever_a_model_says_is_only_shown(rules: str):
    """As the transcript is: no attack of the corpus becomes markup, or a link, or an image that is loaded."""
    debate = a_debate(rounds=len(ATTACKS) // 2 + 1)
    told = Told(debate)
    answer = "".join(told.after(a_turn(seq, f"d{2 - seq % 2}", said)) for seq, said in enumerate(ATTACKS, 1))
    rendered = Page(MarkdownIt(rules, {"html": True, "linkify": rules == "gfm-like"}).render(answer))
    assert {tag for tag, _ in rendered.elements} <= {"h2", "p", "strong", "ul", "li"}
    assert not any(names for _, names in rendered.elements)
    assert rendered.asides == []
    assert answer.encode().count(b"**Ada:**") == (len(ATTACKS) + 1) // 2

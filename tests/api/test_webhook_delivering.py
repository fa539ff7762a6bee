"""What happens to a debate reaches its receiver: at least once, in order, and nobody else."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from builders import a_debate, a_turn
from conftest import as_user
from receiving import Receiver, receiving
from rostra.events import VerdictGiven
from rostra.models import Status
from rostra.processes import free_port
from rostra.store import Claim, Delivery, Store, connect
from rostra.store.webhooks import Webhooks
from rostra.tasks import stopped
from rostra.verdicts import Verdict
from rostra_api.webhooks.addresses import Allowed
from rostra_api.webhooks.courier import Courier
from rostra_api.webhooks.deliverer import Bounds, Deliverer
from rostra_api.webhooks.sending import Sender
from rostra_api.webhooks.signing import Secrets

SECRETS = Secrets(["s" * 40])
LOOPBACK = Allowed.read("127.0.0.0/8")
EVERYTHING = ["debate.started", "turn.taken", "turn.awaited", "verdict.given", "debate.ended"]
SOON = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)


@pytest.fixture
async def api(redis_server: str, redis_url: str) -> AsyncIterator[Store]:
    """As the API stores debates."""
    store = Store(connect(redis_url))
    yield store
    await store.close()


@asynccontextmanager
async def delivering(redis_server: str, *, allowed: Allowed = LOOPBACK, **options: Any) -> AsyncIterator[Deliverer]:
    """One that delivers, as the user that it is in a stack."""
    redis = connect(as_user("webhooks", redis_server), patience=5)
    store, webhooks = Store(redis), options.pop("webhooks", Webhooks)(redis)
    own = {name: options.pop(name) for name in ("bounds", "alive") if name in options}
    hold = options.pop("hold", 60.0)
    sender = Sender(
        allowed, **{name: options.pop(name) for name in ("resolver", "trust", "seconds") if name in options}
    )
    courier = Courier(store, webhooks, sender, SECRETS, hold=hold, schedule=options.pop("schedule", SOON), **options)
    deliverer = Deliverer(store, webhooks, courier, allowed, hold=hold, **own)
    running = asyncio.create_task(deliverer.deliver_forever())
    try:
        yield deliverer
    finally:
        await stopped(running)
        await store.close()


async def begun(store: Store, url: str, *events: str, owner: str = "ada", **fields: Any) -> Claim:
    """A debate with a webhook, being held."""
    rules = {"url": url} | ({"events": list(events)} if events else {})
    debate = a_debate(webhook=rules, **fields)
    await store.create(debate, owner=owner)
    claim = await store.claim(debate.id, "worker:1")
    assert isinstance(claim, Claim)
    return claim


async def ended(store: Store, url: str, *events: str, turns: int = 1, **fields: Any) -> str:
    claim = await begun(store, url, *events, **fields)
    for seq in range(1, turns + 1):
        await store.append(claim, a_turn(seq, f"d{2 - seq % 2}"))
    await store.finish(claim, Status.COMPLETED)
    return claim.debate.id


async def until(done: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await done():
            await asyncio.sleep(0.02)


async def came(receiver: Receiver, many: int) -> None:
    async def enough() -> bool:
        return len(receiver.came) >= many

    await until(enough)


async def delivery(store: Store, debate_id: str, status: str) -> Delivery:
    """How far it is, once it has that status."""

    async def has_it() -> bool:
        found = (await store.get(debate_id)).delivery
        return found is not None and found.status == status

    await until(has_it)
    found = (await store.get(debate_id)).delivery
    assert found
    return found


class TestMessages:
    async def test_each_event_that_was_asked_for_comes_once_and_in_order(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada")) as there:
            async with delivering(redis_server):
                claim = await begun(api, f"http://127.0.0.1:{there.port}/hook?x=1", *EVERYTHING, metadata={"run": 7})
                await api.append(claim, a_turn(1, "d1", "Tabs \u2028 三権"))
                await api.append(claim, VerdictGiven(verdict=Verdict(outcome="winner", winner="d2")))
                await api.finish(claim, Status.COMPLETED)
                found = await delivery(api, claim.debate.id, "delivered")
        assert there.types == ["debate.started", "turn.taken", "verdict.given", "debate.ended"]
        assert (found.taken, found.tries, found.error) == (4, 0, "")
        started, turn, verdict, end = (body["data"] for _, body in there.came)
        assert started["status"] == "running"
        assert (turn["seq"], turn["debater"], turn["text"]) == (1, "Ada", "Tabs \u2028 三権")
        assert (verdict["outcome"], verdict["winner"]) == ("winner", "Grace")
        assert (end["status"], end["reason"]) == ("completed", "")
        for data in (started, turn, verdict, end):
            assert (data["debate"], data["metadata"]) == (claim.debate.id, {"run": 7})
            assert data["links"]["transcript"] == f"/v1/debates/{claim.debate.id}/transcript"
        assert len(set(there.ids)) == 4

    async def test_left_to_itself_it_tells_of_the_end_alone(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada")) as there:
            async with delivering(redis_server):
                debate_id = await ended(api, f"http://127.0.0.1:{there.port}/", turns=3)
                assert (await delivery(api, debate_id, "delivered")).taken == 1
        assert there.types == ["debate.ended"]

    async def test_whose_turn_it_is_is_told_while_the_debate_waits_for_them(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada")) as there:
            async with delivering(redis_server):
                claim = await begun(api, f"http://127.0.0.1:{there.port}/")
                await api.wait_for(claim, 1, "d1", 600)
                await came(there, 1)
        (record, (_, body)) = (await api.get(claim.debate.id), there.came[0])
        assert (body["type"], body["data"]["seq"], body["data"]["debater"]) == ("turn.awaited", 1, "Ada")
        assert record.awaits
        assert datetime.fromisoformat(body["data"]["until"]) == record.awaits.until

    async def test_turns_that_a_fork_begins_with_are_told_to_nobody_again(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada")) as there:
            async with delivering(redis_server):
                rules = {"url": f"http://127.0.0.1:{there.port}/", "events": EVERYTHING}
                fork = a_debate(webhook=rules)
                await api.create(fork, owner="ada", carried=[a_turn(1)])
                claim = await api.claim(fork.id, "worker:1")
                assert isinstance(claim, Claim)
                await api.append(claim, a_turn(2, "d2"))
                await api.finish(claim, Status.COMPLETED)
                await delivery(api, fork.id, "delivered")
        assert there.types == ["debate.started", "turn.taken", "debate.ended"]
        assert there.came[1][1]["data"]["seq"] == 2

    async def test_what_is_not_told_of_is_done_with_all_the_same(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada")) as there:
            async with delivering(redis_server):
                debate_id = await ended(api, f"http://127.0.0.1:{there.port}/", "verdict.given")
                assert (await delivery(api, debate_id, "delivered")).taken == 0
        assert there.came == []

    async def test_a_turn_is_told_while_the_debate_goes_on(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada")) as there:
            async with delivering(redis_server):
                claim = await begun(api, f"http://127.0.0.1:{there.port}/", "turn.taken", rounds=5)
                for seq in range(1, 6):
                    await api.append(claim, a_turn(seq, f"d{2 - seq % 2}"))
                    await came(there, seq)
        assert [body["data"]["seq"] for _, body in there.came] == [1, 2, 3, 4, 5]

    async def test_a_debate_that_was_compressed_meanwhile_is_told_of(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada")) as there:
            debate_id = await ended(api, f"http://127.0.0.1:{there.port}/", *EVERYTHING, turns=2)
            await api.compress(debate_id)
            async with delivering(redis_server):
                await delivery(api, debate_id, "delivered")
        assert there.types == ["debate.started", "turn.taken", "turn.taken", "debate.ended"]

    async def test_a_debate_that_was_deleted_is_told_of_no_more(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada")) as there:
            forgotten = await ended(api, f"http://127.0.0.1:{there.port}/forgotten")
            await api.delete(forgotten)
            async with delivering(redis_server):
                await delivery(api, await ended(api, f"http://127.0.0.1:{there.port}/"), "delivered")
        assert len(there.came) == 1


class TestReceiversThatDoNotTake:
    async def test_one_that_is_down_gets_everything_in_order_when_it_is_back(self, api: Store, redis_server: str):
        port = free_port()
        async with delivering(redis_server, schedule=[0.1] * 100):
            debate_id = await ended(api, f"http://127.0.0.1:{port}/", *EVERYTHING, turns=3)
            while not (await api.get(debate_id)).delivery.tries:
                await asyncio.sleep(0.02)
            waiting = (await api.get(debate_id)).delivery
            with receiving(SECRETS.of("ada"), port=port) as there:
                found = await delivery(api, debate_id, "delivered")
        assert (waiting.status, waiting.error) == ("pending", "it cannot be connected to")
        assert there.types == ["debate.started", *["turn.taken"] * 3, "debate.ended"]
        assert (found.taken, found.error) == (5, "")

    async def test_what_is_tried_again_has_the_same_id_and_a_time_of_its_own(self, api: Store, redis_server: str):
        now = time.time() - 100
        clock = iter(now + n for n in range(100))
        with receiving(SECRETS.of("ada"), 500, 429, 199, 302) as there:
            async with delivering(redis_server, clock=lambda: next(clock)):
                await delivery(api, await ended(api, f"http://127.0.0.1:{there.port}/"), "delivered")
        assert len(there.came) == 5
        assert len(set(there.ids)) == 1
        times = [int(headers["webhook-timestamp"]) for headers, _ in there.came]
        assert times == [int(now) + n for n in range(5)]
        assert len({headers["webhook-signature"] for headers, _ in there.came}) == 5

    async def test_after_the_last_try_it_is_given_up(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada"), *[503] * 10) as there:
            async with delivering(redis_server, schedule=[0.02, 0.02]):
                debate_id = await ended(api, f"http://127.0.0.1:{there.port}/", *EVERYTHING)
                found = await delivery(api, debate_id, "failed")
                await delivery(api, await ended(api, f"http://127.0.0.1:{there.port}/x", "verdict.given"), "delivered")
        assert (found.tries, found.error, found.taken) == (3, "it answered 503", 0)
        assert there.types == ["debate.started"] * 3

    async def test_one_that_is_gone_is_asked_once(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada"), 410) as there:
            async with delivering(redis_server):
                debate_id = await ended(api, f"http://127.0.0.1:{there.port}/", *EVERYTHING)
                assert (await delivery(api, debate_id, "failed")).error == "it answered 410"
        assert len(there.came) == 1

    async def test_a_redirect_is_followed_nowhere(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada")) as elsewhere, receiving(SECRETS.of("ada"), 307, 301) as there:
            there.location = f"http://127.0.0.1:{elsewhere.port}/"
            async with delivering(redis_server):
                await delivery(api, await ended(api, f"http://127.0.0.1:{there.port}/"), "delivered")
        assert len(there.came) == 3
        assert elsewhere.came == []

    async def test_a_slow_one_holds_up_no_other(self, api: Store, redis_server: str):
        bounds = Bounds(in_hand=8, in_all=8, of_owner=8, to_receiver=2, patience_seconds=0.1, put_off_seconds=0.1)
        with receiving(SECRETS.of("ada"), seconds=30) as slow, receiving(SECRETS.of("ada")) as quick:
            for _ in range(20):
                await ended(api, f"http://127.0.0.1:{slow.port}/")
            async with delivering(redis_server, bounds=bounds, seconds=25):
                debate_id = await ended(api, f"http://127.0.0.1:{quick.port}/")
                await delivery(api, debate_id, "delivered")
                assert len(slow.came) <= 2
                slow.released.set()
                await came(slow, 20)

    async def test_one_owner_with_many_slow_ones_holds_up_no_other(self, api: Store, redis_server: str):
        bounds = Bounds(in_hand=4, in_all=4, of_owner=2, to_receiver=2, patience_seconds=0.1, put_off_seconds=0.1)
        with receiving(SECRETS.of("ada"), seconds=30) as slow, receiving(SECRETS.of("grace")) as quick:
            for n in range(2, 8):
                await ended(api, f"http://127.0.0.{n}:{slow.port}/")
            async with delivering(redis_server, bounds=bounds, seconds=1):
                debate_id = await ended(api, f"http://127.0.0.1:{quick.port}/", owner="grace")
                await delivery(api, debate_id, "delivered")

    async def test_one_that_says_nothing_is_left_after_a_while(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada"), seconds=30) as there:
            async with delivering(redis_server, seconds=0.3, schedule=[]):
                debate_id = await ended(api, f"http://127.0.0.1:{there.port}/")
                assert (await delivery(api, debate_id, "failed")).error == "it did not answer within 0.3 s"

    @pytest.mark.parametrize(
        ("says", "status"),
        [
            (b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 5000, "delivered"),
            (b"HTTP/1.1 204 No Content\r\n\r\n", "delivered"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense", "delivered"),
            (b"SSH-2.0-OpenSSH_9.6\r\n", "failed"),
            (b"", "failed"),
        ],
    )
    async def test_an_answer_is_its_status_whatever_it_says(
        self, api: Store, redis_server: str, says: bytes, status: str
    ):
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(says)
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with delivering(redis_server, schedule=[]):
                debate_id = await ended(api, f"http://127.0.0.1:{port}/")
                found = await delivery(api, debate_id, status)
        assert found.error == ("it did not answer in HTTP" if status == "failed" else "")


class TestWhereItGoes:
    async def test_nothing_is_sent_to_a_private_address(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada")) as there:
            for url in (f"https://receiver.example:{there.port}/", f"https://127.0.0.1:{there.port}/"):
                async with delivering(redis_server, allowed=Allowed(), resolver=leads_to("127.0.0.1"), schedule=[]):
                    found = await delivery(api, await ended(api, url), "failed")
                assert found.error == "its address must lead to public addresses only"
        assert there.came == []

    async def test_a_name_that_leads_elsewhere_the_second_time_is_not_asked_a_second_time(
        self, api: Store, redis_server: str
    ):
        """DNS rebinding: the look and the connection would get different answers."""
        asked: list[str] = []
        answers = iter(["127.0.0.1", "127.0.0.2"])

        async def rebinding(host: str, port: int) -> list[str]:
            asked.append(host)
            return [next(answers)]

        with receiving(SECRETS.of("ada")) as there:
            allowed = Allowed.read("127.0.0.1/32")
            async with delivering(redis_server, allowed=allowed, resolver=rebinding, schedule=[0.05]):
                url = f"http://rebinding.example:{there.port}/"
                await delivery(api, await ended(api, url), "delivered")
                assert asked == ["rebinding.example"]
                # At the next debate it leads elsewhere, and that is looked at, too.
                answers = iter(["127.0.0.2", "127.0.0.2"])
                found = await delivery(api, await ended(api, url), "failed")
        assert found.error == "its address must lead to public addresses only"
        assert there.hosts == [f"rebinding.example:{there.port}"]

    async def test_another_address_of_the_host_is_tried(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada")) as there:
            async with delivering(redis_server, resolver=leads_to("127.0.0.9", "127.0.0.1")):
                await delivery(api, await ended(api, f"http://receiver.example:{there.port}/"), "delivered")
        assert len(there.came) == 1

    async def test_a_host_that_is_not_known(self, api: Store, redis_server: str):
        async with delivering(redis_server, resolver=leads_to(), schedule=[]):
            found = await delivery(api, await ended(api, "https://nobody.example/"), "failed")
        assert found.error == "it cannot be connected to"

    async def test_proxies_of_the_environment_are_not_asked(
        self, api: Store, redis_server: str, monkeypatch: pytest.MonkeyPatch
    ):
        with receiving(SECRETS.of("ada")) as there, receiving(SECRETS.of("ada")) as proxy:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            async with delivering(redis_server):
                await delivery(api, await ended(api, f"http://127.0.0.1:{there.port}/"), "delivered")
        assert (len(there.came), len(proxy.came)) == (1, 0)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a certificate for receiver.example, and its key."""
    file = tmp_path_factory.mktemp("tls") / "receiver.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=receiver.example"]
    made += ["-addext", "subjectAltName=DNS:receiver.example", "-keyout", f"{file}.key", "-out", str(file)]
    subprocess.run(made, check=True, capture_output=True)
    return file


class TestTls:
    @pytest.fixture
    def tls(self, certificate: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, f"{certificate}.key")
        return context

    async def test_the_certificate_is_the_hosts_though_the_connection_is_the_addresss(
        self, api: Store, redis_server: str, tls: ssl.SSLContext, certificate: Path
    ):
        trust = ssl.create_default_context(cafile=str(certificate))
        with receiving(SECRETS.of("ada"), tls=tls) as there:
            async with delivering(redis_server, resolver=leads_to("127.0.0.1"), trust=trust):
                await delivery(api, await ended(api, f"https://receiver.example:{there.port}/"), "delivered")
        assert there.types == ["debate.ended"]

    @pytest.mark.parametrize("host", ["another.example", "127.0.0.1"])
    async def test_another_hosts_certificate_is_refused(
        self, api: Store, redis_server: str, tls: ssl.SSLContext, certificate: Path, host: str
    ):
        trust = ssl.create_default_context(cafile=str(certificate))
        with receiving(SECRETS.of("ada"), tls=tls) as there:
            async with delivering(redis_server, resolver=leads_to("127.0.0.1"), trust=trust, schedule=[]):
                found = await delivery(api, await ended(api, f"https://{host}:{there.port}/"), "failed")
        assert found.error == "its certificate is not one for its host that can be trusted"
        assert there.came == []

    async def test_a_certificate_that_nobody_signed_is_refused(
        self, api: Store, redis_server: str, tls: ssl.SSLContext
    ):
        with receiving(SECRETS.of("ada"), tls=tls) as there:
            async with delivering(redis_server, resolver=leads_to("127.0.0.1"), schedule=[]):
                found = await delivery(api, await ended(api, f"https://receiver.example:{there.port}/"), "failed")
        assert found.error == "its certificate is not one for its host that can be trusted"
        assert there.came == []


def leads_to(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    async def resolver(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolver


class _DiesBeforeTheNote(Webhooks):
    """A deliverer with it never gets so far as to note what was taken."""

    async def move(self, *arguments: Any, taken: bool, **more: Any) -> bool:
        if taken:
            await asyncio.Event().wait()
        return await super().move(*arguments, taken=taken, **more)

    async def put_off(self, *_: Any) -> None:
        """Nor to give anything back."""


class TestDeliverersThatDie:
    async def test_what_was_sent_and_not_noted_is_sent_again_under_the_same_id(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada")) as there:
            debate_id = await ended(api, f"http://127.0.0.1:{there.port}/", *EVERYTHING)
            async with delivering(redis_server, webhooks=_DiesBeforeTheNote, hold=0.5):
                await came(there, 1)
            async with delivering(redis_server):
                await delivery(api, debate_id, "delivered")
        assert there.types == ["debate.started", "debate.started", "turn.taken", "debate.ended"]
        assert there.ids[0] == there.ids[1]
        assert there.came[0][1] == there.came[1][1]

    async def test_one_that_is_told_to_stop_leaves_it_to_the_next_at_once(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada"), seconds=30) as there:
            debate_id = await ended(api, f"http://127.0.0.1:{there.port}/")
            async with delivering(redis_server, seconds=30):
                await came(there, 1)
            there.released.set()
            async with delivering(redis_server):  # which would else wait for a minute
                await delivery(api, debate_id, "delivered")
        assert len(set(there.ids)) == 1

    async def test_two_at_once_send_each_message_once(self, api: Store, redis_server: str):
        with receiving(SECRETS.of("ada")) as there:
            async with delivering(redis_server), delivering(redis_server):
                url = f"http://127.0.0.1:{there.port}/"
                ids = [await ended(api, url, *EVERYTHING, turns=2) for _ in range(20)]
                for debate_id in ids:
                    await delivery(api, debate_id, "delivered")
        assert len(there.came) == len(set(there.ids)) == 20 * 4
        for debate_id in ids:
            own = [body["type"] for _, body in there.came if body["data"]["debate"] == debate_id]
            assert own == ["debate.started", "turn.taken", "turn.taken", "debate.ended"]

    async def test_one_that_was_overtaken_notes_nothing(self, api: Store, redis_server: str):
        webhooks = Webhooks(connect(as_user("webhooks", redis_server)))
        claim = await begun(api, "https://example.org/", rounds=2)
        debate_id = claim.debate.id
        (first, second) = [recorded.id for recorded in await api.events(debate_id)]
        assert await webhooks.claim(10, 0) == [debate_id] == await webhooks.claim(10, 60)
        assert await webhooks.claim(10, 60) == []
        assert await webhooks.move(debate_id, first, second, taken=True, seconds=60)
        assert await webhooks.move(debate_id, first, second, taken=True, seconds=60)  # a reply that was lost
        assert not await webhooks.move(debate_id, first, "0-3", taken=True, seconds=60)
        await webhooks.note_failure(debate_id, first, 1, "late", None)
        found = (await api.get(debate_id)).delivery
        assert found == Delivery("pending", second, taken=1)
        await webhooks.close()

    async def test_what_happens_while_it_comes_to_rest_is_not_missed(self, api: Store, redis_url: str):
        webhooks = Webhooks(connect(redis_url))
        claim = await begun(api, "https://example.org/", rounds=2)
        debate_id = claim.debate.id
        (first, newest) = [recorded.id for recorded in await api.events(debate_id)]
        await webhooks.move(debate_id, first, newest, taken=False, seconds=60)
        await api.append(claim, a_turn(1))
        assert not await webhooks.rest(debate_id, newest)
        await webhooks.move(debate_id, newest, "1-0", taken=False, seconds=60)
        assert await webhooks.rest(debate_id, "1-0")
        assert await webhooks.waiting() == 0
        await api.append(claim, a_turn(2, "d2"))
        assert await webhooks.waiting() == 1
        await webhooks.close()


async def test_messages_are_plain_json_on_one_line(api: Store, redis_server: str):
    raw: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        raw.append(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server, delivering(redis_server):
        port = server.sockets[0].getsockname()[1]
        claim = await begun(api, f"http://127.0.0.1:{port}/", "turn.taken", "debate.ended")
        await api.append(claim, a_turn(1, "d1", "a\u2028b\u202ec\x1b[2Jd\n"))
        await api.finish(claim, Status.COMPLETED)
        await delivery(api, claim.debate.id, "delivered")
    turn, _ = raw
    assert not any(acting in turn.decode() for acting in "\u2028\u202e\x1b\n")
    assert json.loads(turn)["data"]["text"] == "a\u2028b\u202ec\x1b[2Jd\n"

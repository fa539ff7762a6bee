"""What is found out about a model server: one with every trap in turn, over real HTTP."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from rostra.doctor import Report, examine, page
from rostra.doctor.asking import Server
from rostra.doctor.case import Case
from rostra.doctor.probes import tried
from rostra.doctor.report import Finding, Option
from rostra.doctor.sampling import Bench
from rostra.endpoints import SUPPORTED, Dialect, Endpoint
from rostra.rules import Sampling
from scripted import serving
from toy import EVERYTHING, Toy

KEY = "hush-hush"


async def examined(
    toy: Toy, dialect: Dialect | None = None, seconds: float = 30, key: str = "", model: str = "toy"
) -> Report:
    with serving(toy):
        return await examine(endpoint(toy.url, key, model), dialect, seconds)


def endpoint(url: str, key: str = "", model: str = "toy") -> Endpoint:
    return Endpoint(url=url, api_key=SecretStr(key) if key else None, model=model)


def finding(report: Report, name: str) -> Finding:
    return next(finding for finding in report.findings if finding.name == name)


def option(report: Report, name: str) -> Option:
    return next(option for option in report.options if option.name == name)


def named(report: Report, outcome: str) -> set[str]:
    return {option.name for option in report.options if option.outcome == outcome}


class TestASoundServer:
    async def test_it_is_fit_and_every_option_is_seen_to_take_effect(self):
        report = await examined(Toy())
        assert report.fitness == "fit"
        assert {finding.grade for finding in report.findings} == {"good", "note"}
        assert named(report, "works") == set(Sampling.model_fields)
        assert report.configuration == {"dialect": "rostra", "context": 4096, "begins_answer": True}

    async def test_it_is_asked_little_and_for_little(self):
        toy = Toy()
        await examined(toy)
        assert len(toy.requests) < 120
        assert max(body["max_tokens"] for body in toy.requests) <= 48

    async def test_its_speed_is_told(self):
        report = await examined(Toy())
        assert report.speed.first_token_seconds
        assert 5 < (report.speed.tokens_per_second or 0) < 2000
        assert report.speed.prompt_tokens_per_second

    async def test_that_others_use_it_at_the_same_time_leaves_the_findings_as_they_are(self):
        toy = Toy(serial=True)
        with serving(toy):
            one, other = await asyncio.gather(examine(endpoint(toy.url)), examine(endpoint(toy.url)))
        assert named(one, "works") == named(other, "works") == set(Sampling.model_fields)
        assert one.fitness == other.fitness == "fit"


class TestMessages:
    async def test_parts_of_a_foreign_chat_template_in_its_answers_make_it_unfit(self):
        report = await examined(Toy(parrots=True))
        assert report.fitness == "unfit"
        assert (finding(report, "chat").grade, "[/INST" in finding(report, "chat").says) == ("fault", True)
        assert "chat template" in finding(report, "chat").advice

    async def test_parts_of_one_in_a_later_answer_are_a_warning(self):
        report = await examined(Toy(parrots_in="la la"))
        assert (finding(report, "chat").grade, finding(report, "template").grade) == ("good", "warning")
        assert report.fitness == "usable"

    async def test_a_model_that_says_nothing_makes_it_unfit(self):
        report = await examined(Toy(mute=True))
        assert report.fitness == "unfit"
        assert "nothing" in finding(report, "chat").says

    async def test_a_model_that_thinks_is_told_and_its_options_are_shown_all_the_same(self):
        report = await examined(Toy(thinks=True))
        assert finding(report, "chat").grade == "warning"
        assert "thinks" in finding(report, "chat").says
        assert {"temperature", "top_k", "grammar", "stop"} <= named(report, "works")

    @pytest.mark.parametrize("counts", [True, False])
    async def test_a_system_message_that_is_dropped_is_noticed_with_and_without_token_counts(self, counts: bool):
        report = await examined(Toy(system="dropped", counts=counts))
        assert (finding(report, "system").grade, report.fitness) == ("warning", "usable")
        assert report.configuration["system_role"] is False

    async def test_a_system_message_that_is_refused_is_told_in_the_servers_words(self):
        report = await examined(Toy(system="refused"))
        assert "System role not supported" in finding(report, "system").says
        assert report.configuration["system_role"] is False

    async def test_a_server_that_says_itself_that_it_takes_no_system_message_is_believed_by_debates(self):
        report = await examined(Toy(system="dropped", roles={"system": False}))
        assert (finding(report, "system").grade, report.fitness) == ("note", "fit")

    async def test_roles_that_must_alternate_are_told_and_do_no_harm(self):
        report = await examined(Toy(strict=True))
        assert "alternate" in finding(report, "alternation").says
        assert report.fitness == "fit"

    async def test_earlier_answers_that_do_not_reach_the_model_are_told(self):
        assert finding(await examined(Toy(history=False)), "history").grade == "note"
        assert finding(await examined(Toy()), "history").grade == "good"

    @pytest.mark.parametrize("begun", ["ignored", "refused"])
    async def test_answers_that_cannot_be_begun_are_told(self, begun: Any):
        report = await examined(Toy(begun=begun))
        assert finding(report, "begun").grade == "note"
        assert "begins_answer" not in report.configuration

    async def test_an_answer_that_is_gone_on_with_may_repeat_what_was_begun(self):
        report = await examined(Toy(begun="repeated"))
        assert (finding(report, "begun").grade, report.configuration["begins_answer"]) == ("good", True)

    async def test_a_claim_in_props_that_answers_can_be_begun_is_corrected(self):
        report = await examined(Toy(begun="ignored", continues_answer=True))
        assert report.configuration["begins_answer"] is False

    async def test_a_model_that_is_not_listed_is_told(self):
        report = await examined(Toy(), model="another")
        assert (finding(report, "model").grade, report.fitness) == ("warning", "usable")


class TestStreams:
    async def test_one_that_is_ended_by_another_request_is_told_with_the_remedy(self):
        report = await examined(Toy(interrupts=True))
        assert (finding(report, "cut").grade, report.fitness) == ("warning", "usable")
        assert "--interrupt_requests false" in finding(report, "cut").advice
        assert finding(report, "parallel").grade == "warning"

    async def test_those_without_a_reason_for_their_end_make_it_unfit(self):
        report = await examined(Toy(ends=False))
        assert (finding(report, "streaming").grade, report.fitness) == ("fault", "unfit")

    async def test_those_that_arrive_in_one_piece_are_told(self):
        report = await examined(Toy(in_one_piece=True, pause=0.005))
        assert "one piece" in finding(report, "streaming").says
        assert "side by side" in finding(report, "parallel").says

    async def test_those_without_figures_are_told(self):
        report = await examined(Toy(counts=False))
        assert "figures" in finding(report, "streaming").says
        assert report.speed.prompt_tokens_per_second is None

    async def test_answers_one_after_another_are_told_from_answers_at_once(self):
        one_by_one, at_once = await examined(Toy(serial=True)), await examined(Toy(pause=0.01))
        assert finding(one_by_one, "parallel").says.startswith("One answer after another")
        assert "4 are written side by side" in finding(at_once, "parallel").says


class TestBounds:
    async def test_a_prompt_that_is_too_long_and_answered_with_nothing_is_a_trap_that_teaches_the_context(self):
        report = await examined(Toy(long="empty", tells=False, context=3000))
        assert (finding(report, "long").grade, report.fitness) == ("warning", "usable")
        assert "empty stream" in finding(report, "long").says
        assert report.context == report.configuration["context"] == 3000

    async def test_a_prompt_that_is_cut_without_a_word_is_noticed(self):
        report = await examined(Toy(long="cut", tells=False))
        assert (finding(report, "long").grade, report.context) == ("warning", 4087)

    async def test_a_status_of_500_for_a_prompt_that_is_too_long_is_told(self):
        report = await examined(Toy(long="error"))
        assert "500" in finding(report, "long").says

    async def test_a_context_that_nobody_tells_is_a_warning(self):
        report = await examined(Toy(tells=False, context=1_000_000))
        assert (finding(report, "context").grade, report.context) == ("warning", None)
        assert "context" not in report.configuration

    async def test_a_small_context_is_a_warning(self):
        assert finding(await examined(Toy(context=1024)), "context").grade == "warning"

    async def test_schemas_that_are_passed_over_are_told(self):
        assert "passes over json_schema" in finding(await examined(Toy(schemas=False)), "schema").says

    async def test_a_server_that_has_no_time_is_asked_again_and_its_retry_after_is_told(self):
        report = await examined(Toy(busy=1, retry_after="1"))
        assert "Retry-After" in finding(report, "busy").says
        assert report.fitness == "fit"

    async def test_a_server_that_never_has_time_is_given_up(self):
        report = await examined(Toy(busy=1000, retry_after="0"))
        assert report.fitness == "unfit"
        assert "no time" in finding(report, "chat").says


STOCK = SUPPORTED["llama-cpp-python"]


class TestOptions:
    async def test_those_that_are_passed_over_silently_are_told_from_those_that_take_effect(self):
        report = await examined(Toy(takes=STOCK))
        assert named(report, "works") == STOCK
        assert named(report, "ignored") == EVERYTHING - STOCK
        assert "passed over" in finding(report, "unknown").says

    async def test_those_that_are_refused_are_told_in_the_servers_words(self):
        report = await examined(Toy(takes=SUPPORTED["openai"], refuses_others=True))
        assert named(report, "works") == SUPPORTED["openai"]
        assert named(report, "refused") == EVERYTHING - SUPPORTED["openai"]
        assert "Unknown option" in option(report, "top_k").says
        assert "refused" in finding(report, "unknown").says

    async def test_one_that_has_another_name_there_is_found_by_it(self):
        report = await examined(Toy(takes=STOCK, names={"mirostat": "mirostat_mode"}))
        assert option(report, "mirostat").sent_as == "mirostat_mode"
        assert {"mirostat", "mirostat_tau", "mirostat_eta"} <= named(report, "works")
        assert report.dialect == "llama-cpp-python"

    @pytest.mark.parametrize("name", sorted(EVERYTHING))
    async def test_each_is_seen_to_work_where_it_does_and_to_be_passed_over_where_it_alone_is_not_taken(
        self, name: str
    ):
        for takes, outcome in ((EVERYTHING, "works"), (EVERYTHING - {name}, "ignored")):
            with serving(Toy(takes=takes)) as toy:
                async with Server(endpoint(toy.url)) as server:
                    assert (await tried(name, Bench(Case(server, None)))).outcome == outcome

    async def test_a_server_that_takes_none_is_no_good_in_any_dialect(self):
        report = await examined(Toy(takes=frozenset()))
        assert named(report, "works") == set()
        assert finding(report, "dialect").grade == "warning"

    async def test_without_seeds_what_needs_them_is_not_shown_and_the_rest_is(self):
        report = await examined(Toy(takes=EVERYTHING - {"seed"}))
        assert option(report, "seed").outcome == "ignored"
        assert {"presence_penalty", "dynatemp_range", "mirostat_eta"} <= named(report, "not shown")
        assert {"top_k", "min_p", "repeat_penalty", "grammar"} <= named(report, "works")
        assert "not seen" in finding(report, "replay").says


class TestDialect:
    async def test_what_the_given_one_promises_and_the_server_does_not_do_is_a_warning_with_the_better_one(self):
        report = await examined(Toy(takes=STOCK, names={"mirostat": "mirostat_mode"}), "rostra")
        assert finding(report, "dialect").grade == "warning"
        assert "dry_multiplier" in finding(report, "dialect").says
        assert "`llama-cpp-python`" in finding(report, "dialect").advice
        assert report.configuration["dialect"] == "llama-cpp-python"

    async def test_one_that_promises_too_little_is_told_with_what_is_missed(self):
        report = await examined(Toy(), "openai")
        assert (finding(report, "dialect").grade, report.fitness) == ("note", "fit")
        assert "dry_multiplier" in finding(report, "dialect").says

    async def test_of_those_that_fit_it_is_the_one_that_the_server_looks_like(self):
        report = await examined(Toy(takes=SUPPORTED["ollama"], owner="library"))
        assert (report.server, report.dialect) == ("ollama", "ollama")


class TestNoServer:
    async def test_nothing_that_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        report = await examine(endpoint(f"http://127.0.0.1:{port}"))
        assert report.fitness == "unfit"
        assert "is the server started" in report.findings[-1].says

    @pytest.mark.parametrize("url", ["http://[::1", "http://gpu-box:port"])
    async def test_an_address_that_is_none(self, url: str):
        report = await examine(endpoint(url))
        assert (report.fitness, len(report.findings)) == ("unfit", 1)
        assert "address" in report.findings[0].says

    async def test_one_that_goes_away_in_the_middle(self):
        with serving(Toy()) as toy:
            examination = asyncio.create_task(examine(endpoint(toy.url)))
            while len(toy.requests) < 30:
                await asyncio.sleep(0.005)
            await asyncio.to_thread(toy.stop)
            report = await examination
        assert report.fitness == "unfit"
        assert "Nothing listens there" in report.findings[-1].says
        assert {"works", "not checked"} <= {option.outcome for option in report.options}

    async def test_a_name_that_is_none(self):
        report = await examine(endpoint("http://nowhere.invalid"))
        assert "spelt right" in report.findings[-1].says

    async def test_a_key_that_is_missing_or_wrong(self):
        for key in ("", "wrong"):
            report = await examined(Toy(key=KEY), key=key)
            assert report.fitness == "unfit"
            assert "ROSTRA_LLM_API_KEY" in report.findings[-1].says
        assert (await examined(Toy(key=KEY), key=KEY)).fitness == "fit"

    async def test_a_web_page(self):
        report = await examined(Toy(page="html"))
        assert report.fitness == "unfit"
        assert "web page" in report.findings[-1].says

    async def test_json_of_another_kind(self):
        report = await examined(Toy(page="garbage"))
        assert report.fitness == "unfit"
        assert "no chat completion" in report.findings[-1].says

    async def test_tls_where_there_is_none(self):
        toy = Toy()
        with serving(toy):
            report = await examine(endpoint(toy.url.replace("http:", "https:")))
        assert "use http://" in report.findings[-1].says

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            (b"220 mail.example ESMTP\r\n\r\n", "speaks no HTTP"),
            (b"", "closes the connection"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "broke off"),
        ],
    )
    async def test_something_that_speaks_no_http_or_stops_in_the_middle(self, said: bytes, told: str):
        with saying(said) as url:
            report = await examine(endpoint(url))
        assert report.fitness == "unfit"
        assert told in report.findings[-1].says

    async def test_one_that_takes_requests_and_is_silent_for_ever_is_given_up_in_time(self):
        began = time.monotonic()
        with saying(None) as url:
            report = await examine(endpoint(url), seconds=3)
        assert report.fitness == "unfit"
        assert "in time" in report.findings[-1].says
        assert time.monotonic() - began < 5


class TestTime:
    async def test_what_there_was_no_time_for_is_told_as_not_checked(self):
        began = time.monotonic()
        report = await examined(Toy(pause=0.05), seconds=6)
        assert time.monotonic() - began < 9
        assert finding(report, "chat").grade == "good"
        assert "not checked" in {finding.grade for finding in report.findings}
        assert "dynatemp_exponent" in named(report, "not checked")
        assert report.fitness == "usable"


class TestSecrets:
    async def test_neither_the_address_nor_the_key_is_told(self):
        toy = Toy(takes=SUPPORTED["openai"], refuses_others=True, key=KEY)
        report = (await examined(toy, key=KEY)).model_dump_json()
        assert "Unknown option at …: " in report
        assert toy.url.removeprefix("http://") not in report
        assert "127.0.0.1" not in report
        assert KEY not in report

    async def test_a_servers_words_do_not_command_a_terminal(self):
        toy = Toy(takes=SUPPORTED["openai"], refuses_others=True, model="toy\x1b[2J")
        report = await examined(toy, model=toy.model)
        assert "Unknown option" in option(report, "top_k").says
        assert "\x1b" not in page(report, toy.url, toy.model)


@contextmanager
def saying(answer: bytes | None) -> Iterator[str]:
    """A port where every connection hears this and no more, or nothing for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            held.append(connection)
            if answer is not None:
                connection.recv(65536)
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for connection in held:
            connection.close()

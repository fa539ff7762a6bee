"""What is made of what was found: the judgement, the dialect, the page."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import pytest

from rostra.doctor import Report, page
from rostra.doctor.comparing import alike, repetitive
from rostra.doctor.dialects import best, fit
from rostra.doctor.probes import PROBES
from rostra.doctor.report import Finding, Grade, Option, Outcome, Speed, fitness
from rostra.doctor.sampling import Changes, Gathers
from rostra.endpoints import RENAMED, SUPPORTED, Dialect, Endpoint
from rostra.rules import Sampling
from rostra.settings import SharedSettings


def a_finding(grade: Grade = "good", says: str = "Words come one by one.", advice: str = "") -> Finding:
    return Finding(name="streaming", title="Streaming", grade=grade, says=says, advice=advice)


def an_option(name: str, outcome: Outcome = "works", sent_as: str = "", says: str = "") -> Option:
    return Option(name=name, outcome=outcome, sent_as=sent_as or name, says=says)


def a_report(**fields: Any) -> Report:
    given = {
        "fitness": "fit",
        "server": "vllm",
        "dialect": "vllm",
        "context": 4096,
        "speed": Speed(),
        "findings": [a_finding()],
        "options": [],
        "configuration": {"dialect": "vllm", "context": 4096},
    }
    return Report(**given | fields)


def a_server_of(dialect: Dialect, *without: str) -> dict[str, Option]:
    """Options as they are seen at a server of this kind."""
    names = RENAMED.get(dialect, {})
    works = SUPPORTED[dialect] - set(without)
    return {
        name: an_option(name, "works", names.get(name, name)) if name in works else an_option(name, "ignored")
        for name in Sampling.model_fields
    }


class TestProbes:
    def test_there_is_one_for_each_sampling_option_and_no_other(self):
        assert set(PROBES) == set(Sampling.model_fields)

    def test_none_sends_what_a_debate_could_not(self):
        for name, probe in PROBES.items():
            if isinstance(probe, Gathers | Changes):
                assert name in Sampling.model_validate(probe.given).given()
                Sampling.model_validate(probe.otherwise)

    def test_they_differ_in_the_option_alone(self):
        for name, probe in PROBES.items():
            if isinstance(probe, Gathers | Changes):
                differ = {k for k in probe.given if probe.given[k] != probe.otherwise.get(k)}
                assert differ - {"mirostat_tau"} == {name} - {"mirostat_tau"}, name


class TestTexts:
    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ("The sea is wide and blue.", "The sea is wide and blue.", True),
            ("The sea is wide and blue.", "The sea is wide and deep.", True),
            ("The sea is wide and blue.", "The lake is wide and blue.", False),
            ("The sea", "The sun", False),
            ("", "The sea", False),
            ("", "", True),
        ],
    )
    def test_they_are_alike_when_they_begin_alike_for_half_their_length(self, one: str, other: str, same: bool):
        assert alike(one, other) is alike(other, one) is same

    def test_one_is_repetitive_when_a_word_comes_three_times(self):
        assert repetitive("La la, la!") is False  # the third is another word: "la!"
        assert repetitive("La la, la la.")
        assert not repetitive("One two three one two")


class TestJudgement:
    @pytest.mark.parametrize(
        ("grades", "judgement"),
        [
            (["good", "note", "not shown"], "fit"),
            (["good", "warning"], "usable"),
            (["good", "not checked"], "usable"),
            (["warning", "fault"], "unfit"),
        ],
    )
    def test_it_is_as_good_as_the_worst_finding(self, grades: list[Grade], judgement: str):
        assert fitness(a_finding(grade) for grade in grades) == judgement


class TestDialects:
    @pytest.mark.parametrize("dialect", get_args(Dialect))
    def test_each_is_recognised_by_its_options(self, dialect: Dialect):
        found = best(a_server_of(dialect), None)
        assert found == dialect
        assert fit(dialect, a_server_of(dialect)) == ((), ())

    def test_one_option_that_fails_does_not_make_it_another_kind(self):
        seen = a_server_of("llama-server", "xtc_threshold")
        assert best(seen, "llama-server") == "llama-server"
        assert fit("llama-server", seen).broken == ("xtc_threshold",)

    def test_an_option_that_works_by_another_name_only_is_a_broken_promise(self):
        seen = a_server_of("vllm")
        assert "repeat_penalty" not in fit("vllm", seen).broken
        assert "repeat_penalty" in fit("llama-cpp-python", seen).broken

    def test_where_nothing_was_seen_it_is_what_it_looks_like(self):
        nothing = {name: an_option(name, "not shown") for name in Sampling.model_fields}
        assert best(nothing, "vllm") == "vllm"
        assert best(nothing, None) is None


class TestPage:
    def test_it_says_at_once_what_to_think_of_the_server(self):
        text = page(a_report(seconds=12.3), "http://gpu-box:8000", "qwen3-8b")
        assert text.splitlines()[0] == "http://gpu-box:8000, model qwen3-8b: fit for debates (asked for 12 s)"

    def test_one_that_was_not_checked_to_the_end_is_not_called_faulty(self):
        report = a_report(fitness="usable", findings=[a_finding(), a_finding("not checked")])
        text = page(report, "http://gpu-box:8000", "qwen3-8b")
        assert "usable for debates, as far as there was time to check" in text.splitlines()[0]
        assert "- Not checked         Streaming: there was no time left (--seconds)." in text

    def test_each_finding_has_a_line_and_each_advice_stands_at_the_end(self):
        findings = [a_finding(), a_finding("warning", "It drops system messages.", "Set `system_role` to false.")]
        text = page(a_report(fitness="usable", findings=findings), "http://gpu-box:8000", "qwen3-8b")
        assert "✓ Streaming           Words come one by one." in text
        assert "! Streaming           It drops system messages." in text
        assert text.index("What to do") < text.index("Set `system_role` to false.")

    def test_options_stand_by_what_they_do(self):
        options = [
            an_option("top_k"),
            an_option("mirostat", sent_as="mirostat_mode"),
            an_option("dry_base", "ignored"),
            an_option("min_p", "refused", says="extra fields not permitted"),
        ]
        text = page(a_report(options=options), "http://gpu-box:8000", "qwen3-8b")
        assert re.search(r"take effect +top_k, mirostat \(as mirostat_mode\)\n", text)
        assert re.search(r"are ignored +dry_base\n", text)
        assert re.search(r"are refused +min_p\n +\(extra fields not permitted\)\n", text)
        assert "not checked" not in text

    def test_of_many_reasons_a_few_are_told(self):
        options = [an_option(name, "refused", says=f"no {name}") for name in Sampling.model_fields]
        text = page(a_report(options=options), "http://gpu-box:8000", "qwen3-8b")
        assert text.count("(") < 10
        assert "more of the kind" in text

    def test_it_fits_on_a_page(self):
        findings = [a_finding("warning", "x " * 60, "y " * 40 * (n % 2)) for n in range(16)]
        options = [an_option(name, "ignored") for name in Sampling.model_fields]
        text = page(a_report(findings=findings, options=options), "http://gpu-box:8000", "m")
        body = [line for line in text.splitlines() if not line.startswith("ROSTRA_MODELS")]
        assert max(map(len, body)) <= 100
        assert len(body) < 70

    def test_its_configuration_can_be_pasted(self, monkeypatch: pytest.MonkeyPatch):
        text = page(a_report(), "http://gpu-box:8000", "Qwen/Qwen3-8B")
        pasted = re.search(r"^ROSTRA_MODELS='(.*)'$", text, re.MULTILINE)
        assert pasted
        monkeypatch.setenv("ROSTRA_MODELS", pasted[1])
        assert SharedSettings().models["default"] == (
            Endpoint(url="http://gpu-box:8000", model="Qwen/Qwen3-8B", dialect="vllm", context=4096),
        )

    def test_a_models_name_does_not_command_the_terminal(self):
        assert "\x1b" not in page(a_report(), "http://gpu-box:8000", "model\x1b[2J")

    def test_a_quote_in_a_models_name_does_not_end_it(self):
        text = page(a_report(), "http://gpu-box:8000", "Bob's model")
        line = text.splitlines()[-1].removeprefix("ROSTRA_MODELS='").removesuffix("'")
        assert "'" not in line
        assert json.loads(line)["default"]["model"] == "Bob's model"

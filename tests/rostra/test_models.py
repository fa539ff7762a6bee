"""What people may send, and what they are told when they may not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from builders import a_debate, a_request
from rostra.formats import library
from rostra.measures.language import speaks
from rostra.models import DebateRequest, debate_from, default_debaters, derived_seed, new_id
from rostra.naming import name_key


def refused(**fields: Any) -> list[str]:
    """Where a request with these fields is refused, as dotted places."""
    with pytest.raises(ValidationError) as caught:
        DebateRequest.model_validate_json(json.dumps(a_request(**fields)))
    return [".".join(str(part) for part in error["loc"]) for error in caught.value.errors()]


def test_a_motion_alone_is_a_debate_for_and_against():
    request = DebateRequest.model_validate_json('{"motion": "Tabs beat spaces"}')
    debate = debate_from(request, library()["round_robin"])
    assert [d.stance for d in debate.debaters] == ["for the motion", "against the motion"]
    assert [d.id for d in debate.debaters] == ["d1", "d2"]


def test_a_motion_alone_in_japanese_gets_japanese_sides():
    request = DebateRequest(motion="死刑は廃止すべきである", language="ja-JP")
    debate = debate_from(request, library()["round_robin"])
    assert [d.name for d in debate.debaters] == ["肯定側", "否定側"]


@pytest.mark.parametrize("language", ["en", "ja", "zh-TW", "ko", "de", "fr-CA", "es", "pt-BR", "it", "ru", "ar"])
def test_a_motion_alone_gets_two_sides_of_its_language(language: str):
    names = {debater.name for debater in default_debaters(language, library()["round_robin"])}
    stances = {debater.stance for debater in default_debaters(language, library()["round_robin"])}
    assert len(names) == len(stances) == 2
    assert all(speaks(stance, language) for stance in stances)
    assert language == "en" or names.isdisjoint(
        debater.name for debater in default_debaters("tlh", library()["round_robin"])
    )


@pytest.mark.parametrize(
    "name",
    [
        "バイデン",
        "محمد",
        "Zoë",
        "O'Neill",
        "李 小龍",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "👩🏽‍⚖️ Judge",
        "Ω",
    ],
)
def test_people_may_have_any_name_that_people_use(name: str):
    debate = a_debate(debaters=[{"name": name}, {"name": "Grace"}])
    assert debate.debaters[0].name == name
    assert debate.debaters[0].id.isascii()


@pytest.mark.parametrize(
    "name",
    ["", "   ", "\u200b", "a\nb", "a\x00b", "a\u202eb", "a\u200bb", "x" * 65, 7, None],
    ids=[
        "empty",
        "blank",
        "invisible",
        "two lines",
        "NUL",
        "bidi override",
        "hidden character",
        "too long",
        "number",
        "null",
    ],
)
def test_a_name_that_nobody_can_read_is_refused(name: object):
    assert refused(debaters=[{"name": name}, {"name": "Grace"}]) == ["debaters.0.name"]


@pytest.mark.parametrize(
    "pair", [("Ada", "ADA"), ("Ada", " Ada "), ("Ａｄａ", "Ada"), ("A\u200dda", "Ada"), ("ﾊﾞｲﾃﾞﾝ", "バイデン")]
)
def test_two_names_that_read_the_same_are_refused(pair: tuple[str, str]):
    assert refused(debaters=[{"name": name} for name in pair]) == [""]
    assert name_key(pair[0]) == name_key(pair[1])


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"motion": ""}, "motion"),
        ({"motion": " \n "}, "motion"),
        ({"motion": "x" * 2001}, "motion"),
        ({"motion": 1}, "motion"),
        ({"motoin": "typo"}, "motoin"),
        ({"rounds": 0}, "rounds"),
        ({"rounds": 501}, "rounds"),
        ({"rounds": 1.5}, "rounds"),
        ({"rounds": True}, "rounds"),
        ({"rounds": "3"}, "rounds"),
        ({"language": "english please"}, "language"),
        ({"debaters": [{"name": "Ada"}]}, "debaters"),
        ({"debaters": [{"name": f"d{n}"} for n in range(17)]}, "debaters"),
        ({"turn": {"max_characters": 5}}, "turn.max_characters"),
        ({"turn": {"max_tokens": 10**9}}, "turn.max_tokens"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**31}, "seed"),
        ({"limits": {"seconds": 0}}, "limits.seconds"),
        ({"metadata": {"a b": "c"}}, "metadata.a b.[key]"),
        ({"metadata": {"a": {}}}, "metadata.a.constrained-str"),
        ({"metadata": {str(n): n for n in range(17)}}, "metadata"),
        ({"metadata": {"a": "x" * 501}}, "metadata"),
        ({"opening": "x" * 4001}, "opening"),
    ],
)
def test_what_is_out_of_bounds_is_refused_where_it_stands(fields: dict[str, Any], place: str):
    places = refused(**fields)
    assert places[0].startswith(place.split(".constrained", maxsplit=1)[0])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("temperature", -0.1),
        ("temperature", "0.5"),
        ("temperature", True),
        ("top_p", 1.01),
        ("top_k", 1.5),
        ("mirostat", 3),
        ("logit_bias", {"word": 1}),
        ("stop", [""]),
        ("stop", [str(n) for n in range(17)]),
        ("dry_sequence_breakers", [""]),
        ("dry_sequence_breakers", ["x" * 101]),
        ("topk", 40),
    ],
)
def test_a_sampling_option_is_known_and_within_bounds_or_refused(option: str, value: object):
    places = refused(debaters=[{"name": "Ada", "sampling": {option: value}}, {"name": "Grace"}])
    assert places[0].startswith(f"debaters.0.sampling.{option}")


def test_no_refusal_repeats_what_was_sent_in_its_message():
    with pytest.raises(ValidationError) as caught:
        DebateRequest.model_validate_json(json.dumps(a_request(motion=["secret-value"])))
    assert "secret-value" not in caught.value.errors(include_input=False)[0]["msg"]


def test_what_a_phase_says_comes_before_what_a_debater_says():
    debaters = [{"name": "Ada", "sampling": {"temperature": 0.9, "top_k": 7}}, {"name": "Grace"}]
    debate = a_debate(debaters=debaters, phases={"debate": {"sampling": {"temperature": 0.2, "seed": 5}}})
    assert debate.sampling_for("debate", "d1").given() == {"temperature": 0.2, "top_k": 7, "seed": 5}
    assert debate.sampling_for("debate", "d2").given() == {"temperature": 0.2, "seed": 5}
    assert debate.sampling_for("closing", "d1").given() == {"temperature": 0.9, "top_k": 7}


def test_rounds_of_the_request_replace_those_of_the_format():
    assert a_debate(rounds=7).format.phases[0].rounds == 7
    assert a_debate().format == library()["round_robin"]


def test_a_speaker_who_is_no_debater_is_named():
    with pytest.raises(KeyError, match="linus"):
        a_debate(format="manual", speakers=["Ada", "Linus"])


def test_a_debate_without_a_seed_is_given_one_that_is_kept():
    debate = a_debate(seed=None)
    assert 0 <= debate.seed < 2**31


def test_a_stored_debate_is_read_back_whole_and_tolerates_fields_of_a_later_release():
    phases = {"debate": {"sampling": {"temperature": 0.2, "stop": ["."]}}}
    debate = a_debate(metadata={"run": 3, "ok": True}, turn={"max_characters": 80}, phases=phases)
    stored = json.loads(debate.model_dump_json(exclude_none=True))
    assert type(debate).model_validate({**stored, "mood": "solemn"}) == debate


def test_ids_sort_by_age_and_fit_into_an_rq_job_id():
    ids = [new_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(len(i) == 28 and i.isalnum() for i in ids)
    assert ids[0][:12] <= ids[-1][:12]


def test_a_derived_seed_depends_on_every_part_and_on_nothing_else():
    assert derived_seed(40, 1, 2) == derived_seed(40, 1, 2) == 492888817
    assert len({derived_seed(40, seq, attempt) for seq in range(20) for attempt in range(5)}) == 100

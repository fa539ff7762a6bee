"""Names in what judges read."""

from __future__ import annotations

import pytest

from builders import a_debate
from rostra.sides import Side
from rostra_orchestrator.masks import Mask, mask
from rostra_orchestrator.slots import Line

NAMES = ["バイデン", "李", "Ada", "김철수", "肯定側", "Grace Hopper", "アン"]


def a_mask(**fields: bool) -> Mask:
    debate = a_debate(language="ja", debaters=[{"name": name} for name in NAMES])
    return mask(debate, **fields)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("バイデンさんの言う通り", "陣営Aさんの言う通り"),
        ("ﾊﾞｲﾃﾞﾝは", "陣営Aは"),
        ("ネオバイデン主義", "ネオバイデン主義"),
        ("李さん、李氏、そして李白", "陣営Bさん、陣営B氏、そして李白"),
        ("Adaさん、ADA's、adamant", "陣営Cさん、陣営C's、adamant"),
        ("Ａｄａが", "陣営Cが"),
        ("김철수는 말했다", "陣営D는 말했다"),
        ("肯定側が述べた", "陣営Eが述べた"),
        ("grace  hopper said", "陣営F said"),
        ("アンケートでアンは", "アンケートで陣営Gは"),
    ],
)
def test_names_are_replaced_where_they_stand_for_themselves(said: str, shown: str):
    assert a_mask().hide(said) == shown


def test_swapped_the_last_side_is_the_first():
    assert a_mask().letters == {letter: f"d{n}" for n, letter in enumerate("ABCDEFG", 1)}
    swapped = a_mask(swapped=True)
    assert swapped.letters == {letter: f"d{7 - n}" for n, letter in enumerate("ABCDEFG")}
    assert swapped.hide("バイデン") == "陣営G"
    assert [debater.id for debater in swapped.shown.debaters] == [f"d{n}" for n in range(7, 0, -1)]


def test_what_a_judge_writes_gets_its_names_back():
    assert a_mask().unhide("陣営Aは陣営Cに答えた") == "バイデンはAdaに答えた"


def test_names_may_be_shown():
    shown = a_mask(names_hidden=False)
    assert shown.hide("バイデンは") == "バイデンは"
    assert shown.labels["d1"] == "陣営A（バイデン）"


def test_nobody_is_named_in_what_is_shown():
    debate = a_debate(
        opening="Welcome Ada and Grace.",
        debaters=[{"name": "Ada", "stance": "against Grace", "persona": "Ada's own."}, {"name": "Grace"}],
    )
    hidden = mask(debate)
    everything = f"{hidden.shown.debaters} {hidden.shown.opening} {hidden.lines([Line('d1', 'Grace, no!')])}"
    assert "Ada" not in everything
    assert "Grace" not in everything


def test_who_is_on_one_side_has_one_letter():
    debate = a_debate(debaters=[{"name": name} for name in ("Ada", "Grace", "Linus")])
    tabs = Side(key="tabs", title="The Tabulators", stance="for tabs", members=("d1", "d3"))
    spaces = Side(key="spaces", title="The Spacers", stance="for spaces", members=("d2",))
    hidden = Mask(debate, (spaces, tabs))
    assert [(debater.id, debater.name) for debater in hidden.shown.debaters] == [
        ("d2", "Side A"),
        ("d1", "Side B"),
        ("d3", "Side B"),
    ]
    assert hidden.hide("Linus of the tabulators and Grace") == "Side B of Side B and Side A"
    assert hidden.unhide("Side B wins") == "The Tabulators wins"

"""Debates of many turns: what is said in them, all different, and what a model's tokenizer makes of it."""

from __future__ import annotations

import random
import re
from functools import lru_cache

_ENGLISH = (
    "tram bus street baker market noise garage winter harbour school nurse budget crossing cyclist tourist shop bridge",
    "costs raises lowers saves ruins feeds protects delays frightens attracts empties fills",
    "cheap late quiet crowded narrow costly fragile honest lonely bright broken early",
    "Bonn Kyoto Lyon Oslo Graz Porto Leeds Turin Malmö Riga Cork",
)
_JAPANESE = (
    "電車 商店 学校 病院 橋 市場 駐車場 冬 港 予算 騒音 歩道 観光客 子供 老人 運転手 役所",
    "守る 壊す 増やす 減らす 遅らせる 助ける 困らせる 変える 集める 失う",
    "安い 遅い 静かな 狭い 高い 弱い 古い 新しい 明るい 寂しい",
    "京都 大阪 函館 那覇 仙台 金沢 長崎 松山 高知 秋田",
)


def sentence(said: random.Random, language: str = "en") -> str:
    things, does, kinds, places = ((_JAPANESE if language == "ja" else _ENGLISH)[i].split() for i in range(4))
    pick = said.choice
    if language == "ja":
        return f"{pick(places)}では{pick(kinds)}{pick(things)}が{pick(kinds)}{pick(things)}を{pick(does)}のです。"
    return f"In {pick(places)} the {pick(kinds)} {pick(things)} {pick(does)} the {pick(kinds)} {pick(things)}."


def turns(language: str = "en", *, long_every: int = 0, sentences: int = 30, seed: int = 1) -> list[str]:
    """Two hundred turns of one to five sentences, but every so many of them of `sentences`."""
    said = random.Random(seed)
    lengths = [sentences if long_every and n % long_every == 0 else said.randint(1, 5) for n in range(1, 201)]
    space = "" if language == "ja" else " "
    return [space.join(sentence(said, language) for _ in range(length)) for length in lengths]


@lru_cache(maxsize=10_000)
def tokens(text: str) -> int:
    """About as many as small models' tokenizers make: one for four letters, for a mark, and for an ideograph."""
    return len(re.findall(r"[A-Za-z0-9]{1,4}|[^A-Za-z0-9\s]", text))

"""Wall clocks are set, and nothing takes it for time that has passed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from .checks import came_out_whole, claims
from .conftest import Start
from .watching import begin

pytestmark = pytest.mark.faults

HOUR = 3600


class Clock:
    """The wall clock of the processes that have libfaketime loaded; their monotonic one goes on as it does."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)

    def set(self, seconds: int) -> None:
        """So much later than it is; earlier, where it is less than nothing."""
        self._file.write_text(f"{seconds:+d}\n")

    @property
    def environment(self) -> dict[str, str]:
        found = find_spec("libfaketime")
        assert found
        assert found.origin
        library = Path(found.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",  # a change counts at once
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@pytest.mark.fault(16)
@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forth", "back"])
async def test_a_wall_clock_that_is_moved_by_an_hour_takes_no_debate_from_who_plays_it(
    start: Start, tmp_path: Path, jump: int
):
    clock = Clock(tmp_path / "clock")
    cluster = await start("redis", "model", "api", "pool", environment=clock.environment)
    debates = [await begin(cluster, rounds=40, limits={"seconds": 600}) for _ in range(2)]
    for debate in debates:
        await debate.until_turns(4)
    clock.set(jump)
    for debate in debates:
        await debate.until_turns(debate.turns + 20)
    late = await begin(cluster, rounds=2)
    clock.set(0)
    for debate in (*debates, late):
        transcript = await came_out_whole(debate)
        assert claims(debate) == 1
    begun = [turn["started_at"] for turn in (await debates[0].transcript())["turns"]]
    hours = {moment[:13] for moment in begun}
    assert len(hours) > 1, f"the clock was not moved: {hours}"
    assert transcript["turns"]


@pytest.mark.fault(16)
async def test_an_orphan_is_found_in_time_when_the_clock_has_moved(start: Start, tmp_path: Path):
    clock = Clock(tmp_path / "clock")
    cluster = await start("redis", "model", "api", "pool", environment=clock.environment)
    debate = await begin(cluster, rounds=30)
    await debate.until_turns(2)
    clock.set(-HOUR)
    players = cluster.players()
    cluster.kill_workers_of(players)
    cluster.kill_pids(players)
    await debate.until_further(15)
    await came_out_whole(debate)

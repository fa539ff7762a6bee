"""One reader for all who follow: however many watch a debate, its stream is read from Redis once.

A follower joins first, then catches up from the stream, then takes what the shared reader brings, passing over
what it has: so nothing is missed and nothing comes twice. What waits for a follower is bounded; one that is
too slow loses what waits, and catches up from the stream again.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager, suppress

import structlog

from rostra.events import DebateEnded, Delta, Recorded
from rostra.models import Debate
from rostra.store import StorageDown, Store
from rostra_api.problems import FOLLOWERS_FULL, TOO_MANY_FOLLOWERS, Refusal
from rostra_api.sse import BEGINNING, News, Relevance, Told, number

# A debate that nobody followed before is looked at when the reader's wait is over, so at most this much later.
BLOCK_MS = 100
WAITING = 500  # items; words come ten times a second, so this is most of a minute
PAGE = 200
SILENCE_SECONDS = 15.0
RETRY_SECONDS = 1.0

log = structlog.stdlib.get_logger(__name__)


class Full(Refusal):
    """As many readers follow debates as may, of one owner or in this process."""


class Follower:
    """What waits for one reader of one debate."""

    def __init__(self, *, words: bool, key_id: str = "") -> None:
        self.words = words
        self.key_id = key_id
        self.over = False  # shown out
        self.behind = True  # the stream may hold what never waited here
        self._waiting: deque[News] = deque()
        self._called = asyncio.Event()

    def offer(self, news: News) -> None:
        if isinstance(news.item, Delta) and not self.words:
            return
        if len(self._waiting) == WAITING:
            self._waiting.clear()
            self.behind = True
        self._waiting.append(news)
        self._called.set()

    def call(self) -> None:
        self._called.set()

    async def take(self, patience: float) -> list[News]:
        """What waits, or nothing when nothing comes in `patience` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._called.wait()
        self._called.clear()
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


class _Channel:
    """A debate that is followed: how far the reader is, what is being said, and for whom it reads."""

    def __init__(self, debate: Debate, event: Recorded | None, words: Delta | None) -> None:
        self.position = event.id if event else BEGINNING, words.id if words else BEGINNING
        self.followers: set[Follower] = set()
        self.told = Told(debate)
        self._relevance = Relevance(number(self.position[0])[0])
        if event:
            self._relevance.of(event)
        self._spoken = words

    def join(self, follower: Follower) -> None:
        """Who comes in the middle of a turn is told what was said of it."""
        self.followers.add(follower)
        if self._spoken and self._relevance.of(self._spoken):
            follower.offer(News(self.told, self._spoken, whole=True))

    def deliver(self, events: Iterable[Recorded], words: Iterable[Delta]) -> None:
        """Events first: words of a turn that is there already are of no use."""
        last_event, last_delta = self.position
        for event in events:
            last_event = event.id
            self._relevance.of(event)
            self._offer(event)
        for delta in words:
            last_delta = delta.id
            if self._relevance.of(delta):
                self._spoken = delta.behind(self._spoken)
            self._offer(delta)
        self.position = last_event, last_delta

    def _offer(self, item: Recorded | Delta) -> None:
        news = News(self.told, item)
        for follower in self.followers:
            follower.offer(news)


class Following:
    """All who follow debates in this process, and the one reader that serves them."""

    def __init__(self, store: Store, *, most: int, most_of_owner: int) -> None:
        """`store` is for the reader alone: its client must be made for blocking reads of `BLOCK_MS`."""
        self._store = store
        self._most = most
        self._most_of_owner = most_of_owner
        self._places: Counter[str] = Counter()
        self._channels: dict[str, _Channel] = {}
        self._followed = asyncio.Event()
        self._closed = False

    @property
    def followers(self) -> int:
        return self._places.total()

    @contextmanager
    def place(self, owner: str) -> Generator[None]:
        """To be held by whoever follows. Raises Full where one more would be too many."""
        self._check_room(owner)
        self._places[owner] += 1
        try:
            yield
        finally:
            self._places[owner] -= 1
            if not self._places[owner]:
                del self._places[owner]

    def _check_room(self, owner: str) -> None:
        later = "Come back later, or ask for the debate now and then."
        if self._places[owner] >= self._most_of_owner:
            raise Full(TOO_MANY_FOLLOWERS, later, bound="ROSTRA_FOLLOWERS_PER_OWNER")
        if self.followers >= self._most:
            raise Full(FOLLOWERS_FULL, later, bound="ROSTRA_MAX_FOLLOWERS")

    async def follow(
        self,
        debate: Debate,
        after: str = BEGINNING,
        *,
        words: bool = True,
        silence: float = SILENCE_SECONDS,
        key_id: str = "",
    ) -> AsyncGenerator[News | None]:
        """Every event behind the id `after`, once and in order, up to the debate's end; words between them, at first
        all that were said of the turn that is being spoken.

        None stands for `silence` seconds without news, and for a stream that holds nothing behind `after`. Ends
        early when the service closes, and when who follows with the key `key_id` is shown out.
        """
        async with self._joined(debate, Follower(words=words, key_id=key_id)) as follower:
            while not (self._closed or follower.over):
                behind = follower.behind
                news = await (self._missed(follower, debate, after) if behind else follower.take(silence))
                if not news:
                    yield None
                for one in news:
                    if isinstance(one.item, Recorded):
                        if number(one.item.id) <= number(after):
                            continue
                        after = one.item.id
                    yield one
                    if isinstance(one.item, Recorded) and isinstance(one.item.event, DebateEnded):
                        return

    async def read_forever(self) -> None:
        """The shared reader. Redis being away only makes it wait: it goes on from where it was."""
        while True:
            await self._followed.wait()
            try:
                await self._read()
            except StorageDown as error:
                log.warning("cannot read the streams", error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # all who follow depend on this one task
                log.exception("cannot read the streams")
                await asyncio.sleep(RETRY_SECONDS)

    async def _read(self) -> None:
        channels = dict(self._channels)
        positions = {debate_id: channel.position for debate_id, channel in channels.items()}
        news = await self._store.news(positions, BLOCK_MS)
        for debate_id, (events, words) in news.items():
            channels[debate_id].deliver(events, words)

    async def _missed(self, follower: Follower, debate: Debate, after: str) -> list[News]:
        """The next page of the stream. Meanwhile the follower may fall behind again, so the mark goes first."""
        follower.behind = False
        events = await self._store.events(debate.id, after, PAGE)
        follower.behind |= len(events) == PAGE
        told = self._channels[debate.id].told
        return [News(told, event) for event in events]

    @asynccontextmanager
    async def _joined(self, debate: Debate, follower: Follower) -> AsyncGenerator[Follower]:
        channel = await self._channel(debate)
        channel.join(follower)
        self._followed.set()
        try:
            yield follower
        finally:
            channel.followers.remove(follower)
            self._forget_if_alone(debate.id, channel)

    async def _channel(self, debate: Debate) -> _Channel:
        if debate.id not in self._channels:
            event = await self._store.newest(debate.id)
            words = await self._store.newest_words(debate.id)
            self._channels.setdefault(debate.id, _Channel(debate, event, words))  # another may have been first
        return self._channels[debate.id]

    def _forget_if_alone(self, debate_id: str, channel: _Channel) -> None:
        if not channel.followers:
            del self._channels[debate_id]
        if not self._channels:
            self._followed.clear()

    @property
    def keys(self) -> set[str]:
        """The keys of those who follow."""
        return {follower.key_id for follower in self._all()} - {""}

    def show_out(self, key_id: str) -> None:
        """Ends what is followed with this key."""
        for follower in self._all():
            if follower.key_id == key_id:
                follower.over = True
                follower.call()

    def close(self) -> None:
        """Ends all following, now and from now on."""
        self._closed = True
        for follower in self._all():
            follower.call()

    def _all(self) -> list[Follower]:
        return [follower for channel in self._channels.values() for follower in channel.followers]

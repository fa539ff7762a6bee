"""Keys: what one lets its holder do, and what is kept of it; and `rostra keys`, as people call it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis

from rostra.keys import Scope, make, parts
from rostra.processes import free_port
from rostra.store import connect
from rostra.store.keys import Keys

NOW = datetime.now(UTC)


@pytest.fixture
async def keys(redis_url: str) -> AsyncIterator[Keys]:
    keys = Keys(connect(redis_url))
    yield keys
    await keys.close()


class TestKey:
    def test_its_token_holds_its_id_and_a_secret_of_256_bits(self):
        key, token = make("ada", [Scope.READ])
        key_id, secret = parts(token) or ("", "")
        assert key_id == key.id
        assert len(secret) == 43  # base64 of 32 bytes
        assert key.fits(secret)
        assert not key.fits(secret[:-1] + "!")

    def test_no_two_are_the_same(self):
        assert len({make("ada", [])[1] for _ in range(100)}) == 100

    def test_the_secret_does_not_stand_in_it(self):
        key, token = make("ada", [Scope.READ])
        assert token[-43:] not in str(key)
        assert key.digest not in repr(key)

    @pytest.mark.parametrize(
        "token", ["", "rostra_", "rostra_123456789abc_short", "sk-123", "rostra_123456789abc_" + "ä" * 43]
    )
    def test_what_cannot_be_one_is_none(self, token: str):
        assert parts(token) is None

    @pytest.mark.parametrize(
        ("scopes", "may"),
        [("read", {"read"}), ("write", {"read", "write"}), ("read,write", {"read", "write"}), ("admin", set(Scope))],
    )
    def test_each_scope_includes_those_before_it(self, scopes: str, may: set[str]):
        key, _ = make("ada", [Scope(scope) for scope in scopes.split(",")])
        assert {scope for scope in Scope if key.may(scope)} == may

    def test_it_expires_when_it_was_said_to(self):
        key, _ = make("ada", [], NOW + timedelta(days=30))
        assert not key.has_expired(NOW + timedelta(days=29))
        assert key.has_expired(NOW + timedelta(days=30))

    @pytest.mark.parametrize("owner", ["", "Ada", "a:b", "a*", "local", "a" * 65, "ädä", "-a", "a\n"])
    def test_an_owner_who_cannot_be_part_of_a_name_is_refused(self, owner: str):
        with pytest.raises(ValueError, match="owner"):
            make(owner, [])


class TestKept:
    async def test_what_is_kept_is_found_again(self, keys: Keys):
        key, token = make("ada", [Scope.READ, Scope.WRITE], NOW.replace(microsecond=0) + timedelta(days=1))
        await keys.add(key)
        found = await keys.get(key.id)
        assert found
        assert (found.owner, found.scopes, found.expires_at) == ("ada", key.scopes, key.expires_at)
        assert found.fits(token[-43:])
        assert await keys.get("0" * 12) is None

    async def test_the_secret_is_nowhere_in_redis(self, keys: Keys, redis_url: str):
        key, token = make("ada", [Scope.READ])
        await keys.add(key)
        with redis.Redis.from_url(redis_url, decode_responses=True) as client:
            kept = str(client.hgetall(f"rostra:key:{key.id}"))
        assert token[-43:] not in kept

    async def test_one_that_is_revoked_stays_so_and_still_counts(self, keys: Keys):
        assert not await keys.are_there()
        key, _ = make("ada", [Scope.READ])
        await keys.add(key)
        assert await keys.revoke(key.id)
        first = await keys.get(key.id)
        assert await keys.revoke(key.id)
        assert await keys.get(key.id) == first
        assert first
        assert first.revoked_at
        assert await keys.are_there()
        assert not await keys.revoke("0" * 12)

    async def test_its_last_use_is_noted(self, keys: Keys):
        key, _ = make("ada", [Scope.READ])
        await keys.add(key)
        await keys.note_use(key.id)
        found = await keys.get(key.id)
        assert found
        assert found.used_at

    async def test_of_one_that_redis_lost_no_use_is_noted(self, keys: Keys):
        """Half a key would be in the way of the whole one when it is restored."""
        key, _ = make("ada", [Scope.READ])
        await keys.note_use(key.id)
        assert await keys.get(key.id) is None
        await keys.add(key)
        found = await keys.get(key.id)
        assert found
        assert found.used_at is None


class TestCommand:
    @pytest.fixture(autouse=True)
    def _address(self, redis_url: str, tmp_path: Path) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith("ROSTRA_")}
        self.environment = own | {"ROSTRA_REDIS_URL": redis_url}
        self.folder = tmp_path

    def rostra(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [Path(sys.executable).with_name("rostra"), "keys", *arguments]
        return subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )

    async def test_a_key_is_made_listed_and_revoked(self, keys: Keys):
        made = self.rostra("create", "--owner", "ada", "--scopes", "read", "--expires", "30d")
        assert made.returncode == 0, made.stderr
        assert "not shown again" in made.stderr
        key_id, secret = parts(made.stdout.strip()) or ("", "")
        key = await keys.get(key_id)
        assert key
        assert key.fits(secret)
        assert key.scopes == {Scope.READ}
        assert key.expires_at
        assert timedelta(days=29) < key.expires_at - NOW < timedelta(days=31)
        assert re.search(rf"^{key_id} +ada +read .* never +valid$", self.rostra("list").stdout, re.MULTILINE)
        assert self.rostra("revoke", key_id).returncode == 0
        listed = self.rostra("list").stdout
        assert re.search(rf"^{key_id} .* revoked$", listed, re.MULTILINE)
        assert secret not in listed

    async def test_it_reads_and_writes_and_never_expires_unless_it_is_said(self, keys: Keys):
        self.rostra("create", "--owner", "ada")
        (key,) = await keys.all()
        assert (key.scopes, key.expires_at) == ({Scope.READ, Scope.WRITE}, None)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["create", "--owner", "A b"], "owner"),
            (["create", "--owner", "ada", "--scopes", "root"], "root"),
            (["create", "--owner", "ada", "--expires", "soon"], "30d"),
            (["create"], "--owner"),
        ],
    )
    async def test_what_cannot_be_is_told(self, keys: Keys, arguments: list[str], said: str):
        done = self.rostra(*arguments)
        assert done.returncode == 2
        assert said in done.stderr
        assert not await keys.are_there()

    def test_one_that_is_not_there_cannot_be_revoked(self):
        done = self.rostra("revoke", "0" * 12)
        assert (done.returncode, "there is no key" in done.stderr) == (1, True)

    def test_a_redis_that_is_not_there_is_told(self):
        self.environment["ROSTRA_REDIS_URL"] = f"redis://:hush@127.0.0.1:{free_port()}/0"
        done = self.rostra("list")
        assert done.returncode == 1
        assert "ROSTRA_REDIS_URL" in done.stderr
        assert "hush" not in done.stderr

    def test_a_stack_without_docker_is_found_by_its_folder(self, redis_url: str):
        del self.environment["ROSTRA_REDIS_URL"]
        (self.folder / ".data").mkdir()
        (self.folder / ".data/redis-url").write_text(redis_url)
        assert self.rostra("create", "--owner", "ada").returncode == 0

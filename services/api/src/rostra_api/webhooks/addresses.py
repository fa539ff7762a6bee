"""Where messages may be sent to: to the public internet over TLS, and to what the operator allows.

Whoever may begin a debate names the address, so it may be meant for something that only this machine reaches. What can
be told from the address alone is told when the debate is begun; the host's addresses are looked at before each
connection, which then goes to what was looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import cast

IP = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Its own grammar, and not a library's: what two readers of an address take for its host may differ.
_ADDRESS = re.compile(r"(https?)://([^/?#@\\:\[\]]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?([/?][!$-\[\]-~]*)?")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$)(?:{_LABEL}\.)*{_LABEL}")
# `127.1`, `2130706433` and `0x7f.1` are addresses to some resolvers.
_LIKE_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")

_PORTS = {"http": 80, "https": 443}
# Below it, 443 excepted, are services that one does not speak HTTP with, and that may mind it.
_LOWEST_PORT = 1024

_PUBLIC_V6 = IPv6Network("2000::/3")
# Not one machine's, whatever a Python release thinks of them: for protocols' use, translators and relays into IPv4
# (Teredo, 6to4), examples and segments.
_SPECIAL: tuple[Network, ...] = tuple(
    map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20", "5f00::/16"))
)


class Unfit(Exception):
    """Nothing is sent there; the message says why, and does not repeat the address."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator allows beyond public addresses: hosts by name, and networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def read(cls, text: str) -> Allowed:
        """From `hooks.example.lan, 10.1.0.0/16, ::1`. Raises: ValueError."""
        hosts, networks = set[str](), list[Network]()
        for word in filter(None, (word.strip().lower() for word in text.split(","))):
            try:
                networks.append(ip_network(word))
            except ValueError:
                if not _NAME.fullmatch(word) or _LIKE_A_NUMBER.fullmatch(word):
                    raise ValueError(f"{word!r} is neither a host nor a network") from None
                hosts.add(word)
        return cls(frozenset(hosts), tuple(networks))

    def holds(self, address: IP) -> bool:
        return any(address in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class Receiver:
    """An address, taken apart once and for all. `host` is a name or an IP address without brackets."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def place(self) -> str:
        """Its host and port, as a `Host` header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def wants_leave(self) -> str:
        """Why it must be allowed, whatever the host's addresses are; or `""`."""
        if self.scheme != "https":
            return "must begin with https://"
        if self.port != _PORTS["https"] and self.port < _LOWEST_PORT:
            return f"must have the port 443, or one from {_LOWEST_PORT} on"
        if _literal(self.host) is None and "." not in self.host:
            return "must name a host in full"
        return ""


def receiver(url: str, allowed: Allowed) -> Receiver:
    """What the address says, if messages may be sent there by what it says. Raises: Unfit."""
    found = _ADDRESS.fullmatch(url)
    if not found:
        raise Unfit("must be like https://example.org/path, without user, password and fragment")
    scheme, host, port, target = cast("tuple[str, str, str | None, str | None]", found.groups())
    host = host.lower().strip("[]")
    literal = _literal(host)
    if literal is None and (not _NAME.fullmatch(host) or _LIKE_A_NUMBER.fullmatch(host)):
        raise Unfit("must have a host name in ASCII, or an IP address as it is commonly written")
    number = int(port) if port else _PORTS[scheme]
    if not 1 <= number <= 65535:
        raise Unfit("must have a port from 1 to 65535")
    target = target or "/"
    to = Receiver(scheme, host, number, target if target.startswith("/") else f"/{target}")
    if literal is not None:
        check(to, [literal], allowed)
    elif host not in allowed.hosts and not allowed.networks and (why := to.wants_leave()):
        raise Unfit(why)
    return to


def check(to: Receiver, addresses: Iterable[IP], allowed: Allowed) -> None:
    """Whether all the addresses that its host has at the moment may be sent to. Raises: Unfit."""
    if to.host in allowed.hosts:
        return
    for address in addresses:
        if allowed.holds(address):
            continue
        if not is_public(address):
            raise Unfit("must lead to public addresses only")
        if why := to.wants_leave():
            raise Unfit(why)


def is_public(address: IP) -> bool:
    """Whether it is one machine's on the public internet, by its number."""
    if isinstance(address, IPv6Address) and (address not in _PUBLIC_V6 or address.scope_id):
        return False  # mapped and translated IPv4 (::ffff:0:0/96, 64:ff9b::/96) among them
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _literal(host: str) -> IP | None:
    try:
        return ip_address(host)
    except ValueError:
        return None

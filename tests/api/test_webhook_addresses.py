"""Where messages may go: what can be told from an address, and from those that its host has."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from rostra_api.webhooks.addresses import Allowed, Receiver, Unfit, check, is_public, receiver

NOTHING = Allowed()


@pytest.mark.parametrize(
    ("url", "to"),
    [
        ("https://example.org", Receiver("https", "example.org", 443, "/")),
        ("https://Example.ORG:8443/a/b?c=d&e", Receiver("https", "example.org", 8443, "/a/b?c=d&e")),
        ("https://example.org?c", Receiver("https", "example.org", 443, "/?c")),
        ("https://8.8.8.8/x", Receiver("https", "8.8.8.8", 443, "/x")),
        ("https://[2606:4700::1111]/", Receiver("https", "2606:4700::1111", 443, "/")),
        ("https://xn--bcher-kva.example/", Receiver("https", "xn--bcher-kva.example", 443, "/")),
    ],
)
def test_a_public_address_over_tls_may_be_anybodys(url: str, to: Receiver):
    assert receiver(url, NOTHING) == to


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "HTTPS://example.org/",
        "https:example.org",
        "https:///path",
        "https://user@example.org/",
        "https://user:word@example.org/",
        "https://example.org@127.0.0.1/",
        "https://example.org\\@127.0.0.1/",
        "https://example.org#@127.0.0.1/",
        "https://example.org/#part",
        "https://example.org/a b",
        "https://example.org/\n",
        "https://bücher.example/",
        "https://example.org./",
        "https://-example.org/",
        "https://example..org/",
        "https://example.org:/",
        "https://example.org:0/",
        "https://example.org:22/",
        "https://example.org:80/",
        "https://example.org:65536/",
        "https://example.org:443x/",
        "https://localhost/",
        "https://redis:6379/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[fe80::1%25eth0]/",
        "https://[example.org]/",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 130}example/",
    ],
)
def test_what_leads_elsewhere_or_may_be_read_in_two_ways_is_refused(url: str):
    with pytest.raises(Unfit):
        receiver(url, NOTHING)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.0.0.8", "192.0.2.1",
        "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1",
        "240.0.0.1", "255.255.255.255",
        "::", "::1", "::7f00:1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "2001::1",
        "2001:db8::1", "2001:10::1", "2001:20::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1",
        "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1", "ff0e::1", "fe80::1%eth0",
    ],
)  # fmt: skip
def test_numbers_that_are_not_one_public_machines(address: str):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "151.101.1.1", "2606:4700:4700::1111", "2a00:1450:4001::1"])
def test_numbers_of_public_machines(address: str):
    assert is_public(ip_address(address))


def test_one_private_address_among_public_ones_spoils_them():
    to = receiver("https://example.org/", NOTHING)
    check(to, [ip_address("8.8.8.8"), ip_address("2606:4700::1")], NOTHING)
    with pytest.raises(Unfit, match="public addresses only"):
        check(to, [ip_address("8.8.8.8"), ip_address("10.0.0.1")], NOTHING)


class TestWhatIsAllowed:
    def test_a_host_by_its_name_however_it_is_reached(self):
        allowed = Allowed.read("hooks.lan, receiver")
        for url in ("http://hooks.lan/", "https://hooks.lan:22/", "http://receiver:9000/x"):
            check(receiver(url, allowed), [ip_address("10.0.0.1")], allowed)
        with pytest.raises(Unfit):
            receiver("http://others.lan/", allowed)

    def test_a_network_by_its_numbers(self):
        allowed = Allowed.read("10.1.0.0/16, ::1")
        assert receiver("http://10.1.2.3:80/", allowed).port == 80
        assert receiver("http://[::1]:8000/", allowed).place == "[::1]:8000"
        to = receiver("http://hooks.lan/", allowed)  # where it leads is seen when it is called
        check(to, [ip_address("10.1.0.9")], allowed)
        for elsewhere in ("10.2.0.1", "127.0.0.1", "8.8.8.8"):
            with pytest.raises(Unfit):
                check(to, [ip_address(elsewhere)], allowed)

    def test_what_is_allowed_allows_nothing_else(self):
        allowed = Allowed.read("10.1.0.0/16")
        to = receiver("https://example.org/", allowed)
        check(to, [ip_address("8.8.8.8")], allowed)
        with pytest.raises(Unfit):
            check(to, [ip_address("10.2.0.1")], allowed)

    @pytest.mark.parametrize("text", ["http://hooks.lan", "10.1.0.1/16", "10.1", "a b", "*.lan", "hooks.lan:80"])
    def test_what_is_neither_a_host_nor_a_network_is_an_error(self, text: str):
        with pytest.raises(ValueError, match="neither a host nor a network"):
            Allowed.read(text)

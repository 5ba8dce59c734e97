"""What is public and what is somebody's own."""

from __future__ import annotations

import pytest

from talkingface.download.addresses import first_private, is_public

OWN = """127.0.0.1 127.8.9.1 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254
100.64.0.1 100.100.100.200 192.0.0.192 198.18.0.1 224.0.0.1 239.255.255.250 240.0.0.1
255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1 fe80::1 fe80::1%eth0
fc00::1 fd00:ec2::254 fec0::1 ff02::1 2002:7f00:1::1 2002:a00:1::1 64:ff9b::7f00:1
64:ff9b::a9fe:a9fe 2001::1 2001:db8::1"""
PUBLIC = """1.1.1.1 8.8.8.8 172.15.0.1 172.32.0.1 192.167.1.1 100.63.0.1 100.128.0.1 169.253.0.1
2606:4700:4700::1111 2a00:1450:4001:800::200e ::ffff:8.8.8.8 64:ff9b::808:808"""


@pytest.mark.parametrize("address", OWN.split())
def test_own_networks(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_the_public_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "localhost", "0"),
        *("LOCALHOST.", "a.localhost", "[::ffff:7f00:1]"),
    ],
)
def test_spellings_of_this_machine_are_known_without_a_look_up(host: str) -> None:
    private = first_private(host, ask=False)
    assert private is not None and not is_public(private)


def test_names_are_looked_up_only_where_asked() -> None:
    assert first_private("nowhere.invalid", ask=False) is None
    assert first_private("nowhere.invalid", ask=True) is None
    assert first_private("8.8.8.8", ask=True) is None

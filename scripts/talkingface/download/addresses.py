"""Which addresses of the network lie in the public internet, and which in somebody's own."""

from __future__ import annotations

import ipaddress
import socket

# Kept for protocols (RFC 6890); clouds have services for their machines there.
_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")
# The only addresses of IPv6 that are given out (IANA's registry of unicast addresses), and those
# that hold one of IPv4 at their end (RFC 6052).
_GIVEN_OUT = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet.

    Those of private networks, of this machine, of a link (with the services that clouds have for
    their machines), shared and reserved ones and groups (multicast) are not, in either version and
    also where an address of version 6 holds one of version 4.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        held = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            held = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if held is not None:
            ip = held
        elif ip not in _GIVEN_OUT:
            return False
    return ip.is_global and not ip.is_multicast and ip not in _PROTOCOLS


def first_private(host: str, *, ask: bool) -> str | None:
    """The first address of a host that is not public; None where all are, or none is known.

    `ask`: whether to look names up; without, only addresses in any spelling that the system knows
    (`127.1`, `0x7f000001`) and `localhost` are told.
    """
    host = host.strip("[]").rstrip(".")
    if host.casefold() == "localhost" or host.casefold().endswith(".localhost"):
        return "127.0.0.1"
    flags = 0 if ask else socket.AI_NUMERICHOST
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=flags)
    except (OSError, UnicodeError):  # Who connects meets the same.
        return None
    addresses = (str(entry[4][0]) for entry in found)
    return next((address for address in addresses if not is_public(address)), None)

"""Which URLs and which internet addresses a tool may be sent to. Pure: nothing is looked up here.

A URL is read by rules that are stricter than RFC 3986, because two readers that understand one URL differently
are how a check is passed by: what is not plain is refused rather than interpreted.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

from ..errors import ToolError
from ._faults import shortened

__all__ = ("InternetAddress", "WebAddress", "WebRefused", "refusal_of_address")

InternetAddress: TypeAlias = IPv4Address | IPv6Address

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>(?:[/?][!$-;=?-Z_a-z~%&\[\]]*)?)",
    re.IGNORECASE | re.ASCII,
)
_URL_CHARS = 8192
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_HOST_CHARS = 253
_LOOKS_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")
_PORTS = {"http": 80, "https": 443}
_MOST_PORTS = 65535

_OPEN_TO_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 ::1/128 fc00::/7".split(),
    )
)
"""What ``allow_private`` opens: this machine, private networks (RFC 1918, 4193), shared ones (RFC 6598)."""
_CLOSED = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8 169.254.0.0/16 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24"
            " 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 2001::/23 2001:db8::/32 2002::/16 3fff::/20"
        ).split(),
    )
)
"""Special-purpose blocks of the IANA registries (RFC 6890): link-local, multicast, tunnels, documentation."""
_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        "100.100.100.200 168.63.129.16 169.254.169.254 fd00:ec2::254 fd20:ce::254".split(),
    )
)
"""Where clouds answer questions about the machine, credentials included; some lie in ordinary blocks."""
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 behind a translator (RFC 6052); the last 32 bits are the real address."""


class WebRefused(ToolError):
    """A tool was not sent where it would have gone."""


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A URL that means one thing only."""

    scheme: str
    host: str
    """Lower case; an IPv6 address without brackets."""
    port: int
    rest: str
    """The path and the query."""

    @classmethod
    def read(cls, url: str) -> WebAddress:
        """Read an absolute http or https URL.

        Raises:
            WebRefused: it is none, or readers could understand it differently.
        """
        match = _URL.fullmatch(url) if len(url) <= _URL_CHARS else None
        if match is None:
            raise WebRefused(f"{_shown(url)} is no plain http or https URL")
        scheme = match["scheme"].lower()
        port = int(match["port"] or _PORTS[scheme])
        if not 0 < port <= _MOST_PORTS:
            raise WebRefused(f"port {port} does not exist")
        return cls(scheme, _host(match["host"].lower()), port, match["rest"] or "/")

    @property
    def origin(self) -> tuple[str, str, int]:
        """What must be the same for two URLs to be of one server."""
        return self.scheme, self.host, self.port

    @property
    def literal(self) -> InternetAddress | None:
        """The host as an address; None when it is a name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.rest}"


def refusal_of_address(address: InternetAddress, *, allow_private: bool) -> str | None:
    """Why no tool may be sent to an address; None when it may.

    Args:
        address: after resolution, as it would be connected to.
        allow_private: whether this machine and private networks are open. Link-local addresses, those where
            clouds hand out credentials, multicast and reserved ones never are.
    """
    real = _real(address)
    if real in _METADATA:
        return "is an address where clouds hand out credentials"
    if any(real in network for network in _OPEN_TO_PRIVATE):
        return None if allow_private else "is on this machine or in a private network"
    if any(real in network for network in _CLOSED):
        return "is link-local, multicast or reserved"
    if isinstance(real, IPv6Address) and real not in _GLOBAL_UNICAST:
        return "is link-local, multicast or reserved"
    return None


def _real(address: InternetAddress) -> InternetAddress:
    """The address that packets go to: IPv4 that is written as IPv6 is IPv4."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _host(text: str) -> str:
    """A host name, or an address in its one usual form."""
    if text.startswith("["):
        return _address(text[1:-1], 6)
    labels = text.split(".")
    if _LOOKS_NUMERIC.fullmatch(labels[-1]):
        # 2130706433, 0x7f.1 and 0177.0.0.1 are 127.0.0.1 to some resolvers
        return _address(text, 4)
    if len(text) > _HOST_CHARS or not all(_LABEL.fullmatch(label) for label in labels):
        raise WebRefused(f"{_shown(text)} is no host name")
    return text


def _address(text: str, version: int) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    if address is None or address.version != version:
        raise WebRefused(f"{_shown(text)} is no plain IPv{version} address")
    return str(address)


def _shown(text: str) -> str:
    """A URL or a part of one, without what may be a password."""
    plain = "".join(char if char.isprintable() else "�" for char in text)
    return repr(shortened(re.sub(r"//[^/?#]*@", "//…@", plain)))

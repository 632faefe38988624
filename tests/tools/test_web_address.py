from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.tools import WebRefused
from rtagent.tools._web_address import WebAddress, refusal_of_address


@pytest.mark.parametrize(
    ("url", "host", "port", "plain"),
    [
        ("http://example.com", "example.com", 80, "http://example.com/"),
        ("HTTPS://API.Example.com/a/b?c=d", "api.example.com", 443, "https://api.example.com/a/b?c=d"),
        ("https://a.example:8443/", "a.example", 8443, "https://a.example:8443/"),
        ("http://a.example:80/", "a.example", 80, "http://a.example/"),
        ("http://a.example?x=1", "a.example", 80, "http://a.example?x=1"),
        ("http://127.0.0.1:8080/%2e", "127.0.0.1", 8080, "http://127.0.0.1:8080/%2e"),
        ("http://[::1]:80/", "::1", 80, "http://[::1]/"),
        ("http://[2001:DB8:0:0::1]/", "2001:db8::1", 80, "http://[2001:db8::1]/"),
        ("http://my_host/@me:1", "my_host", 80, "http://my_host/@me:1"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "https://xn--bcher-kva.example/"),
    ],
)
def test_a_plain_url_is_read(url: str, host: str, port: int, plain: str) -> None:
    address = WebAddress.read(url)
    assert (address.host, address.port, str(address)) == (host, port, plain)
    assert WebAddress.read(plain) == address


def test_the_origin_and_the_address_of_a_url() -> None:
    address = WebAddress.read("https://[::1]:8443/a")
    assert address.origin == ("https", "::1", 8443)
    assert address.literal == ip_address("::1")
    assert WebAddress.read("http://a.example").literal is None


NOT_PLAIN = r"""
ftp://example.com/
file:///etc/passwd
gopher://example.com/
javascript:alert(1)
//example.com/
http:example.com
http:/example.com
http:///example.com
https://
http://:80/
http://user@example.com/
http://user:password@example.com/
http://example.com@evil.example/
http://example.com%40evil.example/
http://example.com:80@evil.example/
http://evil.example\@example.com/
http://evil.example\.example.com/
http:\\example.com\
http://example.com#@evil.example/
http://example.com/#fragment
http://exam%70le.com/
http://127.0.0.1%2f.example.com/
http://%31%32%37.0.0.1/
http://example.com:0/
http://example.com:65536/
http://example.com:80:80/
http://example.com:+80/
http://example.com:8o/
http://example.com:/
http://example..com/
http://.example.com/
http://example.com./
http://-example.com/
http://exa mple.com/
http://2130706433/
http://017700000001/
http://0x7f000001/
http://0x7f.0.0.1/
http://0177.0.0.1/
http://127.1/
http://127.0.1/
http://127.0.0.1./
http://127.0.0.01/
http://0/
http://0x/
http://1.2.3.4.5/
http://256.0.0.1/
http://example.0x7f/
http://[127.0.0.1]/
http://[::1/
http://::1/
http://[::1]evil.example/
http://[::1%25lo]/
http://[::1%lo]/
http://[v1.fe80::a]/
http://[]/
http://[::ffff:127.0.0.1.example.com]/
http://exämple.com/
http://example。com/
http://example.com/ä
http://example.com/<script>
http://example.com/"
http://example.com/{x}
http://example.com/a b
""".strip().splitlines()


OTHER_DIGITS = [
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://\u2460\u2461\u2466.0.0.1/",
    "http://\u24d4xample.com/",
]


@pytest.mark.parametrize(
    "url",
    [
        *NOT_PLAIN,
        "",
        " http://a/",
        "http://a/\n",
        "http://a\t/",
        "http://a/\r\nX: y",
        "http://a\x00b/",
        *OTHER_DIGITS,
    ],
)
def test_what_can_be_understood_differently_is_refused(url: str) -> None:
    with pytest.raises(WebRefused):
        WebAddress.read(url)


def test_very_long_urls_and_names_are_refused() -> None:
    for url in (
        f"http://a.example/{'x' * 8200}",
        f"http://{'a' * 64}.example/",
        f"http://{'a.' * 130}example/",
    ):
        with pytest.raises(WebRefused) as refused:
            WebAddress.read(url)
        assert len(str(refused.value)) < 200


def test_a_refusal_shows_no_password_and_no_control_characters() -> None:
    with pytest.raises(WebRefused) as refused:
        WebAddress.read("http://me:sesame@a.example/\x1b[2J")
    assert "sesame" not in str(refused.value)
    assert "\x1b" not in str(refused.value)


@given(st.text(max_size=40))
def test_whatever_is_read_means_one_thing_only(rest: str) -> None:
    try:
        address = WebAddress.read(f"http://good.example{rest}")
    except WebRefused:
        return
    assert address.host == "good.example" or address.host.startswith("good.example")
    assert "@" not in str(address).partition("//")[2].partition("/")[0].partition("?")[0]


NEVER = """
0.0.0.0 0.1.2.3 169.254.169.254 169.254.0.1 100.100.100.200 168.63.129.16 192.0.0.192 192.0.2.1 192.88.99.1
198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: fe80::1 fec0::1 ff02::1 2001::1 2001:db8::1 2002:7f00:1:: 2002:a9fe:a9fe:: 3fff::1 5f00::1 100::1 fd00:ec2::254
fd20:ce::254 64:ff9b::a9fe:a9fe 64:ff9b:1::1 ::ffff:169.254.169.254 ::ffff:0.0.0.0 ::169.254.169.254 ::7f00:1
64:ff9b::100.100.100.200 ::ffff:224.0.0.1
""".split()
PRIVATE = """
127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.127.255.255
::1 fc00::1 fdff::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:192.168.0.1 64:ff9b::7f00:1 64:ff9b::192.168.0.1
""".split()
PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.167.0.1 169.253.0.1
223.255.255.255 2606:4700::1111 2a00:1450::1 ::ffff:8.8.8.8 64:ff9b::808:808
""".split()


@pytest.mark.parametrize("allow_private", [False, True])
@pytest.mark.parametrize("address", NEVER)
def test_addresses_that_are_never_open(address: str, allow_private: bool) -> None:
    assert refusal_of_address(ip_address(address), allow_private=allow_private) is not None


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_open_where_asked_for(address: str) -> None:
    refusal = refusal_of_address(ip_address(address), allow_private=False)
    assert refusal == "is on this machine or in a private network"
    assert refusal_of_address(ip_address(address), allow_private=True) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_open(address: str) -> None:
    assert refusal_of_address(ip_address(address), allow_private=False) is None


@given(st.ip_addresses())
def test_every_open_address_is_global_and_unicast(address: object) -> None:
    read = ip_address(str(address))
    if refusal_of_address(read, allow_private=False) is None:
        assert not any((read.is_multicast, read.is_loopback, read.is_link_local, read.is_unspecified))

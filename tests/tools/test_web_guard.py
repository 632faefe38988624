from __future__ import annotations

import ssl
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rtagent.errors import ConfigurationError
from rtagent.tools import WebGuard, WebRefused
from rtagent.tools._web_guard import load_httpx
from tests.tools.web_server import answer, web_server


def resolving(**answers: Sequence[str]) -> Any:
    """A name server: each answer for as long as there are several, and the last for ever."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        if host not in answers:
            raise OSError("no such host")
        return answers[host]

    resolve.asked = asked  # type: ignore[attr-defined]
    return resolve


async def located(guard: WebGuard, url: str) -> list[str]:
    return await guard.locate(guard.check(url))


@pytest.mark.parametrize(
    ("hosts", "url", "allowed"),
    [
        (["api.example"], "https://api.example/a", True),
        (["api.example"], "http://api.example/a", True),
        (["API.Example"], "https://api.example/a", True),
        (["api.example"], "https://api.example:8443/", False),
        (["api.example:8443"], "https://api.example:8443/", True),
        (["api.example:8443"], "https://api.example/", False),
        (["api.example"], "https://evil.example/", False),
        (["api.example"], "https://api.example.evil.example/", False),
        (["api.example"], "https://evil-api.example/", False),
        (["api.example"], "https://sub.api.example/", False),
        (["8.8.8.8"], "https://8.8.8.8/", True),
        ([], "https://api.example/", False),
    ],
)
def test_only_the_hosts_of_the_list_are_allowed(hosts: list[str], url: str, allowed: bool) -> None:
    guard = WebGuard(hosts)
    if allowed:
        assert guard.check(url).host in url.lower()
    else:
        with pytest.raises(WebRefused, match="is not allowed"):
            guard.check(url)


@pytest.mark.parametrize("host", ["a b", "http://a", "a/b", "a?b", "u@a", "127.1", "", "a:0"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match="is no host"):
        WebGuard([host])


def test_one_host_is_no_list() -> None:
    with pytest.raises(ConfigurationError, match=r'hosts=\["api.example"\]'):
        WebGuard("api.example")


def test_it_tells_what_it_allows() -> None:
    assert (
        repr(WebGuard(["b.example:81", "a.example"])) == "WebGuard(a.example:443, a.example:80, b.example:81)"
    )
    assert repr(WebGuard(["[::1]:8"], allow_private=True)) == "WebGuard(::1:8, allow_private=True)"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254"])
def test_an_address_in_the_list_is_no_permission_for_private_ones(host: str) -> None:
    with pytest.raises(WebRefused, match="is not allowed: "):
        WebGuard([host]).check(f"http://{host}/")


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]", "0.0.0.1", "224.0.0.1", "[fe80::1]"])
def test_some_addresses_are_never_allowed(host: str) -> None:
    with pytest.raises(WebRefused, match="is not allowed: "):
        WebGuard([host], allow_private=True).check(f"http://{host}/")


async def test_a_name_with_public_addresses_is_located() -> None:
    resolve = resolving(
        **{"a.example": ["2606:4700::1111", "1.1.1.1", "1.1.1.1", "1.0.0.1", "8.8.8.8", "9.9.9.9"]}
    )
    guard = WebGuard(["a.example"], resolve=resolve)
    assert await located(guard, "https://a.example/") == ["2606:4700::1111", "1.1.1.1", "1.0.0.1", "8.8.8.8"]


@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"],
        ["1.1.1.1", "127.0.0.1"],
        ["1.1.1.1", "10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["fe80::1%eth0"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["0.0.0.1"],
        ["168.63.129.16"],
    ],
)
async def test_a_name_that_leads_inside_is_refused(answer: list[str]) -> None:
    guard = WebGuard(["a.example"], resolve=resolving(**{"a.example": answer}))
    with pytest.raises(WebRefused, match=r"the host a\.example is not allowed"):
        await located(guard, "https://a.example/")


async def test_a_name_that_is_not_found() -> None:
    guard = WebGuard(["a.example", "b.example"], resolve=resolving(**{"b.example": []}))
    for host in ("a.example", "b.example"):
        with pytest.raises(WebRefused, match=f"the host {host} is not found"):
            await located(guard, f"https://{host}/")


async def test_the_system_s_resolver_is_the_default() -> None:
    guard = WebGuard(["localhost"], allow_private=True)
    assert {"127.0.0.1", "::1"}.issuperset(await located(guard, "http://localhost/"))
    with pytest.raises(WebRefused, match="on this machine"):
        await located(WebGuard(["localhost"]), "http://localhost/")


@pytest.mark.network
async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """A name server that changes its mind: it is asked once for each request."""
    httpx = pytest.importorskip("httpx")
    async with web_server() as server:
        server.answers["/x"] = answer(body=b"hi")
        port = server.port
        resolve = resolving(**{"a.example": ["127.0.0.1"]})
        guard = WebGuard([f"a.example:{port}"], allow_private=True, resolve=resolve)
        async with httpx.AsyncClient(transport=guard.transport(), trust_env=False) as client:
            response = await client.get(f"http://a.example:{port}/x")
        assert response.text == "hi"
        assert str(response.request.url) == f"http://a.example:{port}/x"
        assert server.asked[0].headers["host"] == f"a.example:{port}"
        assert resolve.asked == ["a.example"]


@pytest.mark.network
async def test_nothing_is_sent_past_the_guard() -> None:
    httpx = pytest.importorskip("httpx")
    async with web_server() as server:
        server.answers["/x"] = answer(body=b"hi")
        port = server.port
        guard = WebGuard([f"a.example:{port}"], resolve=resolving(**{"a.example": ["127.0.0.1"]}))
        async with httpx.AsyncClient(transport=guard.transport(), trust_env=False) as client:
            for url in (f"http://a.example:{port}/", f"http://127.0.0.1:{port}/"):
                with pytest.raises(WebRefused):
                    await client.get(url)
        assert server.asked == []


@pytest.mark.network
async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    httpx = pytest.importorskip("httpx")
    async with web_server() as server:
        server.answers["/x"] = answer(body=b"hi")
        port = server.port
        resolve = resolving(**{"a.example": ["127.0.0.2", "127.0.0.1"]})
        guard = WebGuard([f"a.example:{port}"], allow_private=True, resolve=resolve)
        async with httpx.AsyncClient(transport=guard.transport(), trust_env=False) as client:
            assert (await client.get(f"http://a.example:{port}/x")).text == "hi"
        assert len(server.asked) == 1


def test_without_httpx_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(ConfigurationError, match=r'pip install "rtagent\[openapi\]"'):
        load_httpx()


def certified(host: str, folder: Path) -> ssl.SSLContext:
    """The TLS of a server that is certified for one name; the certificate lies in the folder."""
    x509 = pytest.importorskip("cryptography.x509")
    elliptic = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ec")
    forms = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    hashes = pytest.importorskip("cryptography.hazmat.primitives.hashes")
    key = elliptic.generate_private_key(elliptic.SECP256R1())
    public = key.public_key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        name, name, public, x509.random_serial_number(), now, now + timedelta(1)
    )
    uses = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    )
    uses |= dict.fromkeys(("crl_sign", "encipher_only", "decipher_only"), False)
    for extension, critical in (
        (x509.SubjectAlternativeName([x509.DNSName(host)]), False),
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (x509.KeyUsage(digital_signature=True, key_cert_sign=True, **uses), True),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    pem = forms.Encoding.PEM
    signed = builder.sign(key, hashes.SHA256()).public_bytes(pem)
    secret = key.private_bytes(pem, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    (folder / "cert.pem").write_bytes(signed)
    (folder / "both.pem").write_bytes(secret + signed)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "both.pem")
    return context


@pytest.mark.network
async def test_tls_is_checked_against_the_name_and_not_the_address(tmp_path: Path) -> None:
    httpx = pytest.importorskip("httpx")
    async with web_server(certified("a.example", tmp_path)) as server:
        server.answers["/"] = answer(body=b"hi")
        hosts = [f"a.example:{server.port}", f"b.example:{server.port}"]
        resolve = resolving(**{"a.example": ["127.0.0.1"], "b.example": ["127.0.0.1"]})
        guard = WebGuard(hosts, allow_private=True, resolve=resolve)
        trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        async with httpx.AsyncClient(transport=guard.transport(verify=trusting)) as client:
            assert (await client.get(f"https://a.example:{server.port}/")).text == "hi"
            with pytest.raises(httpx.ConnectError, match=r"b\.example"):
                await client.get(f"https://b.example:{server.port}/")

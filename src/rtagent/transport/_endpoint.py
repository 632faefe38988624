"""Where the socket goes: vendor differences as values.

An ``Endpoint`` says which URL to dial, how to show who we are, and which dialect is spoken there. It
is frozen, and its ``repr`` never shows a secret: neither the key nor what stands in the URL's query.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from ..errors import ConfigurationError
from ..events import BETA, GA, Dialect
from ._credentials import Secret, find_credentials, reveal

__all__ = ("DEFAULT_MODEL", "Endpoint")

DEFAULT_MODEL = "gpt-realtime-2.1"
OPENAI_BASE_URL = "https://api.openai.com/v1"
PROFILES: Mapping[str, Dialect] = {"openai": GA, "beta": BETA, "azure": GA, "local": GA}

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


@dataclass(frozen=True, slots=True, repr=False)
class Endpoint:
    """Where a session leads: made by ``openai``, ``azure``, ``url``, ``call``, ``local`` or ``auto``."""

    kind: Literal["websocket", "local"]
    address: str
    """The WebSocket URL without credentials; ``local`` for the embedded engine."""
    dialect: Dialect = GA
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Headers that hold no secret, such as the organization."""
    model_parameter: str | None = "model"
    """The query parameter that names the model; None when the URL settles it."""
    chosen_because: str = ""
    """Why ``auto`` chose it."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """For ``local``: the engine's settings."""
    _secret: Secret | None = None
    _header: Literal["authorization", "api-key"] = "authorization"

    @classmethod
    def openai(
        cls,
        api_key: Secret | None = None,
        *,
        organization: str | None = None,
        project: str | None = None,
        base_url: str | None = None,
    ) -> Endpoint:
        """OpenAI. Credentials: the arguments, else a ``.openai`` file, else the environment.

        Raises:
            ConfigurationError: no key was given and none was found.
        """
        found = find_credentials()
        secret = api_key if api_key is not None else found.api_key
        if secret is None:
            message = "no OpenAI API key was given or found"
            raise ConfigurationError(
                message,
                hint="pass api_key=, write a .openai file or set OPENAI_API_KEY; or use Endpoint.local()",
            )
        named = {
            "OpenAI-Organization": organization or found.organization,
            "OpenAI-Project": project or found.project,
        }
        return cls(
            kind="websocket",
            address=_joined(base_url or OPENAI_BASE_URL, "/realtime"),
            headers={name: value for name, value in named.items() if value},
            chosen_because=f"the API key of {'the program' if api_key is not None else found.source}",
            _secret=secret,
        )

    @classmethod
    def azure(
        cls,
        resource: str,
        deployment: str,
        *,
        api_key: Secret | None = None,
        token_provider: Secret | None = None,
        api_version: str | None = None,
    ) -> Endpoint:
        """Azure OpenAI: the GA form, or with ``api_version`` the preview form.

        Args:
            resource: the resource's name, or its host or URL.
            deployment: the name of the deployed model.
            api_key: a key of the resource.
            token_provider: gives an Entra token (scope ``https://ai.azure.com/.default``) for each dial.
            api_version: the preview's version, such as ``2025-04-01-preview``.
        """
        if (api_key is None) == (token_provider is None):
            message = "Azure needs either api_key or token_provider, one of them"
            raise ConfigurationError(message)
        host = urlsplit(resource if "://" in resource else f"https://{resource}").netloc
        base = f"wss://{host if '.' in host else f'{host}.openai.azure.com'}/openai"
        name = quote(deployment, safe="")
        if api_version is None:
            address, dialect = f"{_joined(base, '/v1/realtime')}?model={name}", GA
        else:
            version = quote(api_version, safe="")
            address = f"{_joined(base, '/realtime')}?api-version={version}&deployment={name}"
            dialect = BETA
        return cls(
            kind="websocket",
            address=address,
            dialect=dialect,
            model_parameter=None,
            _secret=api_key if api_key is not None else token_provider,
            _header="api-key" if api_key is not None else "authorization",
        )

    @classmethod
    def url(cls, url: str, *, api_key: Secret | None = None, profile: str = "openai") -> Endpoint:
        """Any compatible server, such as ``ws://host:port/v1/realtime?model=…``.

        Raises:
            ConfigurationError: the URL is no WebSocket or HTTP address, or the profile is not known.
        """
        dialect = PROFILES.get(profile)
        if dialect is None:
            message = f"unknown profile {profile!r}"
            raise ConfigurationError(message, hint=f"one of {', '.join(sorted(PROFILES))}")
        return cls(kind="websocket", address=_joined(url, ""), dialect=dialect, _secret=api_key)

    @classmethod
    def call(cls, call_id: str, *, api_key: Secret | None = None, base_url: str | None = None) -> Endpoint:
        """Attach to a running SIP or WebRTC call (sideband): same events, no audio of its own."""
        openai = cls.openai(api_key, base_url=base_url)
        query = urlencode({"call_id": call_id})
        return replace(openai, address=f"{openai.address}?{query}", model_parameter=None)

    @classmethod
    def local(cls, **options: Any) -> Endpoint:
        """The embedded engine, in this process: no network, no key. It is no language model.

        Args:
            **options: fields of ``rtagent.engine.EngineSettings``.
        """
        return cls(kind="local", address="local", options=options)

    @classmethod
    def auto(cls, environment: Mapping[str, str] | None = None) -> Endpoint:
        """``RTAGENT_ENDPOINT`` if set, else OpenAI if a key is found, else the embedded engine."""
        values = os.environ if environment is None else environment
        named = values.get("RTAGENT_ENDPOINT")
        if named:
            endpoint = cls.url(named, api_key=values.get("RTAGENT_API_KEY"))
            return replace(endpoint, chosen_because="RTAGENT_ENDPOINT is set")
        found = find_credentials(environment=values)
        if found.api_key is not None:
            openai = cls.openai(found.api_key, organization=found.organization, project=found.project)
            return replace(openai, chosen_because=f"an API key was found in {found.source}")
        return replace(cls.local(), chosen_because="no endpoint and no API key is configured")

    def address_for(self, model: str | None) -> str:
        """The URL to dial; a model in the URL itself goes before ``model``, and that before the default."""
        if self.model_parameter is None:
            return self.address
        parts = urlsplit(self.address)
        query = parse_qsl(parts.query, keep_blank_values=True)
        if not any(name == self.model_parameter for name, _ in query):
            query.append((self.model_parameter, model or DEFAULT_MODEL))
        return urlunsplit(parts._replace(query=urlencode(query)))

    async def authorization(self) -> dict[str, str]:
        """The headers of a dial, secret included; a callable secret is asked now."""
        secret = await reveal(self._secret)
        headers = dict(self.headers)
        if secret is not None and self._header == "api-key":
            headers["api-key"] = secret
        elif secret is not None:
            headers["Authorization"] = f"Bearer {secret}"
        return headers

    def __str__(self) -> str:
        if self.kind == "local":
            return "the embedded engine"
        parts = urlsplit(self.address)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    def __repr__(self) -> str:
        return f"Endpoint({self.kind}, {str(self)!r}, {self.dialect.name}, {self.chosen_because!r})"


def _joined(base: str, path: str) -> str:
    if "@" in re.split(r"[/?#]", base.partition("://")[2], maxsplit=1)[0]:
        message = "an address must not hold credentials"
        raise ConfigurationError(message, hint="pass them as api_key")
    parts = _parts(base)
    if parts is None:
        message = f"{base.partition('?')[0]!r} is not the address of a server"
        raise ConfigurationError(message, hint="such as ws://127.0.0.1:8765/v1/realtime")
    scheme = _SCHEMES[parts.scheme]
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + path, parts.query, ""))


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        return None
    return parts if usable else None

"""Where the socket goes: vendor differences as values.

An ``Endpoint`` says which URL to dial, how to show who we are, and which dialect is spoken there. It
is frozen, and its ``repr`` never shows a secret: neither the key nor what stands in the URL's query.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from ..errors import ConfigurationError
from ..events import GA, LIVE, LIVE_FORK, LIVE_SIDEBAND, PROFILES, TRANSLATION, Dialect, Mode
from ._credentials import Credentials, Secret, find_credentials, reveal
from ._profile_file import load_profile

__all__ = ("Endpoint",)

OPENAI_BASE_URL = "https://api.openai.com/v1"
VOICE_LIVE_VERSION = "2026-07-15"
LIVE_MODELS = "gpt-live"
"""What the names of the models begin with that are spoken to over GPT-Live."""

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
    sideband: bool = False
    """Whether it leads to a running call, and ends with it."""
    _secret: Secret | None = None
    _scheme: Literal["bearer", "api-key", "basic", "none"] = "bearer"

    @classmethod
    def openai(
        cls,
        api_key: Secret | None = None,
        *,
        organization: str | None = None,
        project: str | None = None,
        base_url: str | None = None,
        live: bool = False,
    ) -> Endpoint:
        """OpenAI. Credentials: the arguments, else a ``.openai`` file, else the environment.

        Args:
            api_key: the key, or a callable that gives it for each dial; then nothing else is looked up.
            organization: the organization's id.
            project: the project's id.
            base_url: another address of the API.
            live: GPT-Live instead of Realtime; a model whose name begins with ``gpt-live`` says the same.

        Raises:
            ConfigurationError: no key was given and none was found.
        """
        # A key that was given says who we are; what lies in files may belong to somebody else.
        found = find_credentials() if api_key is None else Credentials(source="the program")
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
            address=_joined(base_url or OPENAI_BASE_URL, "/live/sessions" if live else "/realtime"),
            dialect=LIVE if live else GA,
            model_parameter=None if live else "model",
            headers={name: value for name, value in named.items() if value},
            chosen_because=f"the API key of {found.source}",
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
        voice_live: bool = False,
    ) -> Endpoint:
        """Azure OpenAI: the GA form, with ``api_version`` the preview form; or Azure Voice Live.

        Args:
            resource: the resource's name, or its host or URL.
            deployment: the name of the deployed model; for Voice Live the model's own name.
            api_key: a key of the resource.
            token_provider: gives an Entra token (scope ``https://ai.azure.com/.default``) for each dial.
            api_version: the preview's version, such as ``2025-04-01-preview``; or that of Voice Live.
            voice_live: Voice Live, which has turn detection and voices of its own.
        """
        if (api_key is None) == (token_provider is None):
            message = "Azure needs either api_key or token_provider, one of them"
            raise ConfigurationError(message)
        address, dialect = _azure_address(resource, deployment, api_version, voice_live=voice_live)
        return cls(
            kind="websocket",
            address=address,
            dialect=dialect,
            model_parameter=None,
            _secret=api_key if api_key is not None else token_provider,
            _scheme="api-key" if api_key is not None else "bearer",
        )

    @classmethod
    def url(
        cls, url: str, *, api_key: Secret | None = None, profile: str | Path | Dialect = "openai"
    ) -> Endpoint:
        """Any compatible server, such as ``ws://host:port/v1/realtime?model=…``.

        Args:
            url: a ``ws``, ``wss``, ``http`` or ``https`` address; what its query names stays.
            api_key: the key, or a callable that gives it for each dial.
            profile: what is spoken there: the name of a known server, a file that ``rtagent probe``
                wrote, or a dialect.

        Raises:
            ConfigurationError: the URL is no WebSocket or HTTP address, or the profile is not known.
        """
        dialect = _dialect(profile)
        return cls(
            kind="websocket",
            address=_joined(url, ""),
            dialect=dialect,
            model_parameter=dialect.model_parameter,
            _secret=api_key,
            _scheme=dialect.auth,
        )

    @classmethod
    def call(cls, call_id: str, *, api_key: Secret | None = None, base_url: str | None = None) -> Endpoint:
        """Attach to a running SIP or WebRTC call (sideband): same events, no audio of its own."""
        openai = cls.openai(api_key, base_url=base_url)
        query = urlencode({"call_id": call_id})
        return replace(openai, address=f"{openai.address}?{query}", model_parameter=None, sideband=True)

    @classmethod
    def attach(
        cls, session_id: str, *, api_key: Secret | None = None, base_url: str | None = None
    ) -> Endpoint:
        """Beside a running GPT-Live session (sideband): its events and tools, no audio of its own."""
        return cls._beside(session_id, "attach", LIVE_SIDEBAND, api_key, base_url)

    @classmethod
    def fork(cls, session_id: str, *, api_key: Secret | None = None, base_url: str | None = None) -> Endpoint:
        """A new GPT-Live session that begins where a stored one ended."""
        return cls._beside(session_id, "fork", LIVE_FORK, api_key, base_url)

    @classmethod
    def _beside(
        cls, session_id: str, way: str, dialect: Dialect, api_key: Secret | None, base_url: str | None
    ) -> Endpoint:
        live = cls.openai(api_key, base_url=base_url, live=True)
        address = f"{live.address}/{quote(session_id, safe='')}/{way}"
        return replace(live, address=address, dialect=dialect, sideband=way == "attach")

    @classmethod
    def local(cls, **options: Any) -> Endpoint:
        """The embedded engine, in this process: no network, no key. It is no language model.

        Args:
            **options: fields of ``rtagent.engine.EngineSettings``.
        """
        return cls(kind="local", address="local", dialect=PROFILES["local"], options=options)

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

    def for_session(self, mode: Mode, model: str | None) -> Endpoint:
        """The endpoint for sessions of that mode with that model, at the same server.

        Raises:
            Unsupported: this kind of server has no such sessions.
        """
        if self.dialect == GA and mode == "conversation" and (model or "").startswith(LIVE_MODELS):
            return replace(self._at("/live/sessions"), dialect=LIVE, model_parameter=None)
        if mode == "translation" and self.dialect == GA:
            return replace(self._at("/realtime/translations"), dialect=TRANSLATION)
        if mode not in self.dialect.modes:
            raise self.dialect.unsupported(f"{mode} sessions")
        if mode != "transcription" or self.dialect.transcription_query == "none" or self.kind == "local":
            return self
        with_model = self.dialect.transcription_query == "intent_and_model"
        intent = self._with_query(drop=None if with_model else "model", add=("intent", "transcription"))
        return intent if with_model else replace(intent, model_parameter=None)

    def address_for(self, model: str | None) -> str:
        """The URL to dial; a model in the URL itself goes before ``model``, and that before the default."""
        wanted = model or self.dialect.default_model
        if self.model_parameter is None or wanted is None:
            return self.address
        return self._with_query(add=(self.model_parameter, wanted)).address

    def _at(self, path: str) -> Endpoint:
        """The same server, another of its sockets."""
        parts = urlsplit(self.address)
        return replace(
            self, address=urlunsplit(parts._replace(path=parts.path.removesuffix("/realtime") + path))
        )

    def _with_query(self, *, add: tuple[str, str], drop: str | None = None) -> Endpoint:
        parts = urlsplit(self.address)
        query = [
            (name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != drop
        ]
        if not any(name == add[0] for name, _ in query):
            query.append(add)
        return replace(self, address=urlunsplit(parts._replace(query=urlencode(query))))

    async def authorization(self) -> dict[str, str]:
        """The headers of a dial, secret included; a callable secret is asked now."""
        secret = await reveal(self._secret)
        headers = dict(self.headers)
        if secret is not None and self._scheme == "api-key":
            headers["api-key"] = secret
        elif secret is not None:
            headers["Authorization"] = f"{'Basic' if self._scheme == 'basic' else 'Bearer'} {secret}"
        return headers

    def __str__(self) -> str:
        if self.kind == "local":
            return "the embedded engine"
        parts = urlsplit(self.address)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    def __repr__(self) -> str:
        return f"Endpoint({self.kind}, {str(self)!r}, {self.dialect.name}, {self.chosen_because!r})"


def _azure_address(
    resource: str, deployment: str, api_version: str | None, *, voice_live: bool
) -> tuple[str, Dialect]:
    host = urlsplit(resource if "://" in resource else f"https://{resource}").netloc
    name = quote(deployment, safe="")
    version = quote(api_version or VOICE_LIVE_VERSION, safe="")
    if voice_live:
        base = f"wss://{host if '.' in host else f'{host}.services.ai.azure.com'}/voice-live"
        return f"{_joined(base, '/realtime')}?api-version={version}&model={name}", PROFILES[
            "azure-voice-live"
        ]
    base = f"wss://{host if '.' in host else f'{host}.openai.azure.com'}/openai"
    if api_version is None:
        return f"{_joined(base, '/v1/realtime')}?model={name}", PROFILES["azure"]
    return f"{_joined(base, '/realtime')}?api-version={version}&deployment={name}", PROFILES["azure-preview"]


def _dialect(profile: str | Path | Dialect) -> Dialect:
    if isinstance(profile, Dialect):
        return profile
    if isinstance(profile, Path) or profile.endswith(".json"):
        return load_profile(Path(profile))
    dialect = PROFILES.get(profile)
    if dialect is None:
        message = f"unknown profile {profile!r}"
        hint = f"a file that `rtagent probe` wrote (*.json), or one of {', '.join(sorted(PROFILES))}"
        raise ConfigurationError(message, hint=hint)
    return dialect


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

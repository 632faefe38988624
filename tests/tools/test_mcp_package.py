from __future__ import annotations

import sys

import pytest

from rtagent.errors import ConfigurationError
from rtagent.tools._mcp_package import load_mcp


async def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp.client.client", None)
    with pytest.raises(ConfigurationError, match=r'pip install "rtagent\[mcp\]"'):
        await load_mcp()


async def test_the_package_is_loaded() -> None:
    pytest.importorskip("mcp")
    package = await load_mcp()
    assert package.client.Client.__name__ == "Client"
    assert "2026-07-28" in package.versions.MODERN_PROTOCOL_VERSIONS

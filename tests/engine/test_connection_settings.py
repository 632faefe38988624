"""What the engine is made of."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent.engine._connection_settings import EngineSettings
from rtagent.errors import ConfigurationError


@pytest.mark.parametrize("wrong", [{"max_age_s": 0}, {"max_clients": 0}, {"pace": 0.0}])
def test_settings_that_cannot_work(wrong: dict[str, Any]):
    with pytest.raises(ConfigurationError):
        EngineSettings(**wrong)


def test_the_key_is_not_shown():
    assert "secret" not in repr(EngineSettings(api_key="secret"))

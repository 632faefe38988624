"""The small home of the demo."""

from __future__ import annotations

import pytest

from rtagent.cli._demo_agent import get_weather, home_agent, set_light, set_timer


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (set_light("kitchen", True), "The kitchen light is on."),
        (set_light("living_room", False), "The living room light is off."),
        (set_timer(5), "The timer is set for 5 minutes."),
        (get_weather("Atlantis"), "There is no weather report for Atlantis."),
    ],
)
def test_what_the_tools_answer(said: str, answer: str) -> None:
    assert said == answer


def test_a_report_is_long_enough_to_be_interrupted() -> None:
    report = get_weather("london")
    assert report.startswith("The weather in London is cloudy")
    assert len(report.split()) > 30


def test_the_agent_offers_its_tools() -> None:
    names = {definition["name"] for definition in home_agent().registry.definitions()}
    assert names == {"set_light", "set_timer", "get_weather"}

"""The agent of the demo: a small home with lights, a timer and a weather report."""

from __future__ import annotations

from typing import Literal

from ..agent import Agent
from ..tools import tool

__all__ = ("home_agent",)

Room = Literal["kitchen", "bedroom", "bathroom", "living_room", "garden"]

_REPORTS = {
    "london": "cloudy with light rain, fourteen degrees",
    "paris": "sunny, nineteen degrees",
    "berlin": "windy with some sun, eleven degrees",
}


@tool
def set_light(room: Room, on: bool) -> str:
    """Switch the light of a room.

    Args:
        room: the room.
        on: true to switch it on.
    """
    return f"The {room.replace('_', ' ')} light is {'on' if on else 'off'}."


@tool
def set_timer(minutes: int) -> str:
    """Set a timer.

    Args:
        minutes: how many minutes from now.
    """
    return f"The timer is set for {minutes} minutes."


@tool
def get_weather(city: str) -> str:
    """Get the weather of a city.

    Args:
        city: the city, such as "London", "Paris" or "Berlin".
    """
    report = _REPORTS.get(city.lower())
    if report is None:
        return f"There is no weather report for {city}."
    return (
        f"The weather in {city.title()} is {report}. The wind comes from the west and calms down in the "
        "evening. Tomorrow starts dry and stays mild, with a few clouds in the afternoon, and at the "
        "weekend it will be warmer."
    )


def home_agent() -> Agent:
    """The agent, as any program would make it."""
    return Agent(
        instructions="You run a small home. Be brief.",
        tools=[set_light, set_timer, get_weather],
        name="home",
    )

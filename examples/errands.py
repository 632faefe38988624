"""You hear "One moment" while a tool looks something up, and later what another one did in the background.

Run it without a microphone: `python examples/errands.py answer.wav` writes what is said to a file. Without an API
key the embedded engine answers.
"""

import argparse
import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rtagent
from rtagent import Agent, Tool, ToolContext, tool
from rtagent.audio import WavSink
from rtagent.events.lifecycle import ToolFinished, ToolProgress


@dataclass
class Trip:
    """What the program keeps for one session."""

    cities: list[str] = field(default_factory=list[str])


@tool(speak="One moment, please.", timeout=10)
async def get_weather(city: str, context: ToolContext[Trip]) -> str:
    """Get the weather of a city.

    Args:
        city: the city, such as "London" or "Paris".
        context: the call.
    """
    await context.progress(f"asking for {city}")
    await asyncio.sleep(2.0)
    return f"it is raining in {city}"


@tool(approval=True, background=True)
async def book_hotel(city: str, context: ToolContext[Trip]) -> str:
    """Book a hotel in a city.

    Args:
        city: the city, such as "London" or "Paris".
        context: the call.
    """
    await asyncio.sleep(1.0)
    context.state.cities.append(city)
    return f"the hotel in {city} is booked for {context.caller}"


def approve(asked: Tool[..., Any], arguments: Mapping[str, Any], context: ToolContext[Trip]) -> bool:
    print(f"approved: {asked.name} {dict(arguments)}")
    return True


agent = Agent(instructions="You plan trips. Be brief.", tools=[get_weather, book_hotel])


async def plan(answer: Path) -> None:
    trip = Trip()
    async with rtagent.connect(agent, state=trip, caller="Ada", approver=approve) as session:
        session.attach(sink=WavSink(answer))
        session.on(ToolProgress, lambda event: print(f"progress: {event.text}"))
        await session.say("What is the weather in London?")
        print((await session.respond()).text)
        await session.say("Book a hotel in Paris.")
        print((await session.respond()).text)
        print((await session.wait_for(ToolFinished, timeout=10)).output)
        print((await session.wait_for(rtagent.events.ResponseDone, timeout=10)).response.status)
    print(trip.cities)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("answer", type=Path, help="the WAV file to write")
    asyncio.run(plan(parser.parse_args().answer))


if __name__ == "__main__":
    main()

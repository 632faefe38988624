"""You read the answer to a typed request, after the tool that it needed has run."""

import argparse
import asyncio

import rtagent
from rtagent import Agent, Endpoint, tool


@tool
def set_light(room: str, on: bool) -> str:
    """Switch the light of a room.

    Args:
        room: the room's name, such as "kitchen".
        on: true to switch it on.
    """
    return f"the {room} light is {'on' if on else 'off'}"


agent = Agent(instructions="You run a small home. Be brief.", tools=[set_light])


async def ask(question: str, endpoint: Endpoint) -> None:
    async with rtagent.connect(agent, endpoint=endpoint) as session:
        await session.say(question)  # a user text turn
        response = await session.respond()  # runs tools, waits for the answer
        print(response.text, f"({response.usage.total_tokens} tokens)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("question", nargs="?", default="Turn on the kitchen light.")
    parser.add_argument(
        "--url", help="a Realtime server (default: OpenAI with a key, else the embedded engine)"
    )
    options = parser.parse_args()
    asyncio.run(ask(options.question, Endpoint.url(options.url) if options.url else Endpoint.auto()))


if __name__ == "__main__":
    main()

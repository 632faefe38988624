"""You read the words of an answer as they are spoken, event by event."""

import argparse
import asyncio

from rtagent import Endpoint, connect, events


async def watch(text: str, endpoint: Endpoint) -> None:
    async with connect(endpoint=endpoint, model="gpt-realtime-2.1") as session:
        await session.send(events.ConversationItemCreate(item=events.user_message(text)))
        await session.send(events.ResponseCreate())
        spoken, done = events.ResponseOutputAudioTranscriptDelta, events.ResponseDone
        async with session.subscribe(spoken, done) as stream:
            async for event in stream:
                match event:
                    case events.ResponseOutputAudioTranscriptDelta(delta=piece):
                        print(piece, end="", flush=True)
                    case events.ResponseDone(response=response):
                        print(f"\n[{response.status}]")
                        break


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", nargs="?", default="Hello!")
    parser.add_argument(
        "--url", help="a Realtime server (default: OpenAI with a key, else the embedded engine)"
    )
    options = parser.parse_args()
    asyncio.run(watch(options.text, Endpoint.url(options.url) if options.url else Endpoint.auto()))


if __name__ == "__main__":
    main()

"""You hear what GPT-Live says to a recording: both sides speak at any time, a second model runs the tools."""

import argparse
import asyncio
from pathlib import Path

from rtagent import Agent, Endpoint, connect, tool
from rtagent.audio import WavSink, WavSource
from rtagent.events import live
from rtagent.events.lifecycle import PlaybackFinished


@tool
def set_light(room: str, on: bool) -> str:
    """Switch the light of a room."""
    print(f"({room}: {on})")
    return "done"


AGENT = Agent(instructions="You run a small home. Be brief.", tools=[set_light])


async def talk(question: Path, answer: Path, backing_model: str, endpoint: Endpoint) -> None:
    backing = live.ResponsesDelegationConfig(model=backing_model)
    config = live.SessionConfig(delegation=live.ResponsesDelegation(responses=backing))
    async with connect(AGENT, endpoint=endpoint, config=config) as session:
        session.attach(WavSource(question), WavSink(answer))  # or Microphone(), Speaker()
        async with session.subscribe(live.SessionOutputTranscriptDelta, PlaybackFinished) as stream:
            async for event in stream:
                match event:
                    case live.SessionOutputTranscriptDelta(delta=words):
                        print(words, end="", flush=True)
                    case PlaybackFinished():  # all that was said has been heard
                        print()
                        break
    print(f"[{session.usage.seconds:g} s]")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("question", type=Path, help="a WAV file that is spoken to the model")
    parser.add_argument("answer", type=Path, help="the WAV file to write")
    parser.add_argument("--backing-model", required=True, help="the text model that runs the tools")
    parser.add_argument("--url", help="another server than OpenAI that speaks GPT-Live")
    options = parser.parse_args()
    endpoint = Endpoint.url(options.url, profile="live") if options.url else Endpoint.openai(live=True)
    asyncio.run(talk(options.question, options.answer, options.backing_model, endpoint))


if __name__ == "__main__":
    main()

"""You see a recording as text, line by line, while it is being heard."""

import argparse
import asyncio
from pathlib import Path

from rtagent import Endpoint, connect
from rtagent.audio import WavSource


async def caption(recording: Path, endpoint: Endpoint) -> None:
    async with (
        connect(mode="transcription", language="en", endpoint=endpoint) as transcriber,
        asyncio.TaskGroup() as tasks,
    ):
        ears = transcriber.attach(WavSource(recording, pace=None))

        async def end_with_the_recording() -> None:
            await ears.wait_source_ended()
            await transcriber.finish()

        tasks.create_task(end_with_the_recording())
        async for transcript in transcriber:
            if transcript.final:
                print(transcript.text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", type=Path, help="a WAV file")
    parser.add_argument("--url", help="a server (default: OpenAI with a key, else the embedded engine)")
    options = parser.parse_args()
    asyncio.run(caption(options.recording, Endpoint.url(options.url) if options.url else Endpoint.auto()))


if __name__ == "__main__":
    main()

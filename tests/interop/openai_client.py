"""A program of somebody else's: the stock ``openai`` client speaks a question and answers a tool call.

Run by an interpreter that knows nothing of rtagent: ``python openai_client.py URL QUESTION.pcm``, where the
question is 24 kHz mono PCM16; with a third argument ``transcription`` it has it written down instead. Prints
one JSON object with what it saw.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from pathlib import Path

from openai import AsyncOpenAI

SET_LIGHT = {
    "type": "function",
    "name": "set_light",
    "description": "Switch the light of a room.",
    "parameters": {
        "type": "object",
        "properties": {
            "room": {"type": "string", "enum": ["kitchen", "bedroom", "garden"]},
            "on": {"type": "boolean", "description": "true to switch it on"},
        },
        "required": ["room", "on"],
        "additionalProperties": False,
    },
}
SESSION = {
    "type": "realtime",
    "instructions": "Be brief.",
    "tools": [SET_LIGHT],
    "audio": {
        "input": {"transcription": {"model": "gpt-transcribe"}, "turn_detection": {"type": "server_vad"}}
    },
}
BLOCK = 24_000 // 10 * 2
"""100 ms of 24 kHz PCM16."""


async def speak(connection, question: bytes) -> None:
    for start in range(0, len(question), BLOCK):
        audio = base64.b64encode(question[start : start + BLOCK]).decode()
        await connection.input_audio_buffer.append(audio=audio)


async def hold_a_turn(url: str, question: bytes) -> dict[str, object]:
    seen: dict[str, object] = {"types": [], "calls": [], "heard": "", "said": "", "audio_bytes": 0}
    client = AsyncOpenAI(api_key="any", websocket_base_url=url)
    async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        await connection.session.update(session=SESSION)
        await speak(connection, question)
        async for event in connection:
            seen["types"].append(event.type)
            match event.type:
                case "conversation.item.input_audio_transcription.completed":
                    seen["heard"] = event.transcript
                case "response.function_call_arguments.done":
                    seen["calls"].append({"name": event.name, "arguments": json.loads(event.arguments)})
                    call_id = event.call_id
                case "response.output_audio.delta":
                    seen["audio_bytes"] += len(base64.b64decode(event.delta))
                case "response.output_audio_transcript.done":
                    seen["said"] = event.transcript
                case "response.done" if any(item.type == "function_call" for item in event.response.output):
                    output = {
                        "type": "function_call_output",
                        "call_id": call_id,
                        "output": "The kitchen light is on.",
                    }
                    await connection.conversation.item.create(item=output)
                    await connection.response.create()
                case "response.done":
                    return seen
                case "error":
                    seen["error"] = event.error.message
                    return seen
    return seen


async def have_it_written_down(url: str, question: bytes) -> dict[str, object]:
    seen: dict[str, object] = {"types": []}
    client = AsyncOpenAI(api_key="any", websocket_base_url=url)
    intent = {"intent": "transcription"}
    async with client.realtime.connect(model="gpt-transcribe", extra_query=intent) as connection:
        ear = {"transcription": {"model": "gpt-transcribe"}, "turn_detection": {"type": "server_vad"}}
        await connection.session.update(session={"type": "transcription", "audio": {"input": ear}})
        await speak(connection, question)
        async for event in connection:
            seen["types"].append(event.type)
            match event.type:
                case "session.created":
                    seen["session"] = event.session.type
                case "conversation.item.input_audio_transcription.completed":
                    return {**seen, "heard": event.transcript, "usage": event.usage.type}
                case "error":
                    return {**seen, "error": event.error.message}
    return seen


if __name__ == "__main__":
    address, recording, *wish = sys.argv[1:]
    what = have_it_written_down if wish == ["transcription"] else hold_a_turn
    answer = asyncio.run(asyncio.wait_for(what(address, Path(recording).read_bytes()), 30))
    sys.stdout.write(json.dumps(answer))

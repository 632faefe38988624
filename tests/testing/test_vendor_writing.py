"""vLLM's own protocol."""

from __future__ import annotations


async def test_vllm_writes_down_speech_and_nothing_else(talking) -> None:
    async with talking("vllm", transcripts=["good morning"]) as (server, client):
        await client.send("input_audio_buffer.commit")
        assert await client.next() == {
            "type": "error",
            "error": "Model not validated.",
            "code": "model_not_validated",
        }
        await client.send("session.update", session={})
        assert (await client.next())["code"] == "processing_error"
        await client.send("session.update", model="voxtral")
        await client.send("input_audio_buffer.commit", final=True)  # of what was never begun: no answer
        await client.send("input_audio_buffer.commit")
        await client.hear(16_000)
        await client.send("input_audio_buffer.commit", final=True)
        events = await client.until("transcription.done")
        assert [event["delta"] for event in events[:-1]] == ["good", " morning"]
        assert events[-1]["text"] == "good morning"
        for audio in ("?", ""):
            await client.send("input_audio_buffer.append", audio=audio)
            assert (await client.next())["code"] == "invalid_audio"
        await client.send("response.create")
        assert (await client.next())["code"] == "unknown_event"
        server.release()
    assert server.heard_ms == 1_000
    assert len(server.faults) == 5

"""Speech recognition: spoken sentences in, the right text out, and nothing where something else was said."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import wave
from typing import Any

import anyio
import pytest

from rtagent.engine._brain import BrainInput, RuleBrain, Utterance
from rtagent.engine._ears import PocketsphinxRecognizer, Recognition
from rtagent.engine._ears_child import OpenListener
from rtagent.engine._ears_judge import judge
from rtagent.engine._ears_pronounce import guess_phones
from rtagent.errors import ConfigurationError

CITY = {"type": "string", "description": 'the city, such as "London", "Paris" or "Berlin".'}
ROOMS = ["kitchen", "bedroom", "bathroom", "living_room", "garden"]


def function(name: str, description: str, properties: dict[str, Any]) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "name": name, "description": description, "parameters": parameters}


TOOLS = (
    function(
        "set_light", "Switch the light of a room.", {"room": {"enum": ROOMS}, "on": {"type": "boolean"}}
    ),
    function("get_weather", "Tell the weather of a city.", {"city": CITY}),
    function("set_timer", "Set a timer.", {"minutes": {"type": "integer"}}),
)


def light(room: str, on: bool) -> tuple[str, dict[str, Any]]:
    return ("set_light", {"room": room, "on": on})


ASKED = {
    "please turn on the kitchen light": [light("kitchen", True)],
    "turn off the bedroom light": [light("bedroom", False)],
    "switch the bathroom light off": [light("bathroom", False)],
    "what is the weather in london": [("get_weather", {"city": "London"})],
    "how is the weather in paris": [("get_weather", {"city": "Paris"})],
    "set a timer for ten minutes": [("set_timer", {"minutes": 10})],
    "set a timer for twenty five minutes": [("set_timer", {"minutes": 25})],
    "could you turn on the light in the garden": [light("garden", True)],
    "stop, set a timer for five minutes please": [("set_timer", {"minutes": 5})],
    "turn on the kitchen light and set a timer for three minutes": [
        light("kitchen", True),
        ("set_timer", {"minutes": 3}),
    ],
}
NOT_ASKED = (
    "tell me a joke",
    "i would like to order a pizza",
    "the weather is lovely",
    "what time is it",
    "my name is peter and i live in a house",
)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Every sentence, spoken by flite's voice rms (the same bytes on every run)."""
    if shutil.which("flite") is None:
        reason = "flite is not installed: apt-get install flite"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    folder = tmp_path_factory.mktemp("spoken")
    spoken = {}
    for number, text in enumerate((*ASKED, *NOT_ASKED)):
        path = folder / f"{number}.wav"
        subprocess.run(["flite", "-voice", "rms", "-t", text, "-o", str(path)], check=True)
        with wave.open(str(path)) as file:
            spoken[text] = bytes(9_600) + file.readframes(file.getnframes()) + bytes(9_600)
    return spoken


async def hear(recogniser: PocketsphinxRecognizer, pcm: bytes) -> tuple[Recognition, list[str]]:
    """Feed a recording in blocks of 20 ms."""
    partials = [await recogniser.feed(pcm[at : at + 640]) for at in range(0, len(pcm), 640)]
    return await recogniser.finish(), [text for text in partials if text]


def calls_for(text: str) -> list[tuple[str, dict[str, Any]]]:
    decision = RuleBrain().decide(BrainInput((Utterance("user", text),), TOOLS, ""))
    return [(call.name, call.arguments) for call in decision.calls]


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_spoken_requests_lead_to_the_right_calls_and_nothing_else_does(recordings):
    recogniser = PocketsphinxRecognizer()
    await recogniser.set_tools(TOOLS)
    try:
        heard = {text: (await hear(recogniser, pcm))[0] for text, pcm in recordings.items()}
    finally:
        await recogniser.aclose()
    assert {text: calls_for(heard[text].text) for text in ASKED} == ASKED
    assert min(heard[text].confidence for text in ASKED) > 0.7
    assert {text: calls_for(heard[text].text) for text in NOT_ASKED} == {text: [] for text in NOT_ASKED}
    assert max(heard[text].confidence for text in NOT_ASKED) < 0.5


@pytest.mark.slow
async def test_the_grammar_alone_gives_partial_texts(recordings):
    text = "turn off the bedroom light"
    recogniser = PocketsphinxRecognizer("grammar")
    await recogniser.set_tools(TOOLS)
    recognition, partials = await hear(recogniser, recordings[text])
    await recogniser.aclose()
    assert recognition.text == text
    assert partials


@pytest.mark.slow
async def test_without_a_grammar_the_open_vocabulary_hears(recordings):
    recogniser = PocketsphinxRecognizer("open")
    await recogniser.set_tools(TOOLS)
    recognition, _ = await hear(recogniser, recordings["tell me a joke"])
    await recogniser.aclose()
    assert recognition.text == "tell me a joke"


@pytest.mark.slow
async def test_a_dropped_utterance_leaves_no_trace(recordings):
    recogniser = PocketsphinxRecognizer("grammar")
    await recogniser.set_tools(TOOLS)
    await recogniser.feed(recordings["set a timer for ten minutes"])
    await recogniser.start()
    recognition, _ = await hear(recogniser, recordings["turn off the bedroom light"])
    await recogniser.aclose()
    assert recognition.text == "turn off the bedroom light"


async def test_silence_is_nothing():
    recogniser = PocketsphinxRecognizer("grammar")
    await recogniser.set_tools(TOOLS)
    recognition, partials = await hear(recogniser, bytes(32_000))
    nothing = await recogniser.finish()
    await recogniser.aclose()
    assert recognition == nothing == Recognition("", 0.0)
    assert partials == []


async def test_names_that_no_dictionary_knows_do_no_harm():
    recogniser = PocketsphinxRecognizer("grammar")
    await recogniser.set_tools([function("set_light", "", {"room": {"enum": ["zorkqux", "Küche"]}})])
    await recogniser.feed(bytes(640))
    await recogniser.aclose()


def test_an_unknown_mode_is_refused():
    with pytest.raises(ConfigurationError, match="mode"):
        PocketsphinxRecognizer("telepathy")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "reason"),
    [("import sys; sys.stdin.buffer.read(1)", "ended"), ("print('x' * 99, flush=True); input()", "no frame")],
)
async def test_a_listener_that_fails_is_given_up(code, reason):
    listener = OpenListener((sys.executable, "-c", code))
    await listener.start()
    await listener.feed(bytes(640))
    assert await listener.finish(5.0) is None
    assert reason in (listener.failure or "")
    await listener.aclose()


async def test_a_listener_that_cannot_be_started_says_so():
    listener = OpenListener(("/nonexistent/program",))
    await listener.start()
    assert await listener.finish(0.1) is None
    assert "could not be started" in (listener.failure or "")
    await listener.aclose()


async def test_a_child_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr("rtagent.engine._ears_child._EXIT_S", 0.05)
    listener = OpenListener((sys.executable, "-c", "import time; time.sleep(60)"))
    await listener.start()
    await listener.aclose()
    await listener.feed(bytes(640))
    assert listener.failure == "the listener is closed"


async def test_a_child_that_is_gone_is_noticed_when_it_is_fed():
    listener = OpenListener((sys.executable, "-c", ""))
    await listener.start()
    with anyio.fail_after(10):
        while listener.failure is None:
            await listener.feed(bytes(64_000))
    assert listener.failure == "the listener ended"
    await listener.aclose()


@pytest.mark.slow
async def test_without_its_child_the_recogniser_trusts_the_grammar(recordings, caplog):
    text = "turn off the bedroom light"
    recogniser = PocketsphinxRecognizer()
    await recogniser.set_tools(TOOLS)
    await recogniser.start()
    assert recogniser._listener is not None
    await recogniser._listener.aclose()
    recognition, _ = await hear(recogniser, recordings[text])
    await recogniser.aclose()
    assert (recognition.text, recognition.confidence) == (text, 0.4)
    assert "without the open vocabulary" in caplog.text


async def test_a_broken_grammar_leaves_the_open_vocabulary(caplog):
    recogniser = PocketsphinxRecognizer()
    recogniser._grammar = "no grammar at all"
    await recogniser.feed(bytes(640))
    await recogniser.start()
    recognition = await recogniser.finish()
    await recogniser.aclose()
    assert recognition == Recognition("", 0.0)
    assert "listening without it" in caplog.text


@pytest.mark.parametrize("mode", ["auto", "grammar"])
async def test_a_missing_package_is_named_with_its_remedy(mode, monkeypatch):
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    recogniser = PocketsphinxRecognizer(mode)
    await recogniser.set_tools(TOOLS)
    with pytest.raises(ConfigurationError, match="rtagent\\[local\\]"):
        await recogniser.start()


PHONES = {
    "turn": "T ER N",
    "on": "AA N",
    "off": "AO F",
    "the": "DH AH",
    "light": "L AY T",
    "like": "L AY K",
    "kitchen": "K IH CH AH N",
    "bedroom": "B EH D R UW M",
    "set": "S EH T",
    "shitty": "SH IH T IY",
    "timer": "T AY M ER",
    "a": "AH",
    "for": "F AO R",
    "ten": "T EH N",
    "minutes": "M IH N AH T S",
    "weather": "W EH DH ER",
    "in": "IH N",
    "london": "L AH N D AH N",
    "is": "IH Z",
    "lovely": "L AH V L IY",
    "do": "D UW",
    "not": "N AA T",
}


@pytest.mark.parametrize(
    ("grammar", "free", "same"),
    [
        ("turn on the kitchen light", "turn on the kitchen like", True),
        ("set a timer for ten minutes", "shitty timer for ten minutes", True),
        ("turn on the kitchen light", "turn on the bedroom light", False),
        ("turn on the light", "turn off the light", False),
        ("turn on the light", "do not turn on the light", False),
        ("the weather in london", "the weather is lovely", False),
        ("", "the weather is lovely", False),
    ],
)
def test_two_opinions_are_compared_by_their_sounds(grammar, free, same):
    verdict = judge(grammar, free, PHONES.get)
    assert verdict.by_grammar is same
    assert verdict.text == (grammar if same else free)


def test_nothing_heard_by_either():
    assert judge("turn on", "", PHONES.get).text == ""


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("lane", "L EY N"),
        ("dog", "D AA G"),
        ("cellar", "S EH L AA R"),
        ("yoyo", "Y OY OW"),
        ("zorkqux", "Z AO R K K W K S"),
        ("7", ""),
    ],
)
def test_a_pronunciation_is_guessed_from_the_spelling(word, phones):
    guessed = guess_phones(word)
    assert guessed == phones or word == "zorkqux"
    assert all(phone.isalpha() for phone in guessed.split())

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.tools._docstring import parse_docstring

GOOGLE = """Switch a light.

    It is switched at once.

    Args:
        room: the room's name,
            such as "kitchen".

            Lower case.
        level (int, optional): brightness in percent: 0 is off.
        shape (tuple(int, int)): its shape
        *names: further names
        **more: everything else
        silent:

    Returns:
        what: it did.
    """

NUMPY = """Switch a light.

    It is switched at once.

    Parameters
    ----------
    room : str
        the room's name,
        such as "kitchen".
    level : int, optional
        brightness in percent: 0 is off.
    left, right : bool
        which side
    **more
        everything else

    Returns
    -------
    what : str
        it did.
    """

SPHINX = """Switch a light.

    It is switched at once.

    :param room: the room's name,
        such as "kitchen".
    :param int level: brightness in percent: 0 is off.
    :type room: str
    :keyword side: which side
    :param: nameless
    :raises ValueError: when it cannot.
    :returns: what it did.
    """


def test_google_style():
    parsed = parse_docstring(GOOGLE)
    assert parsed.description == "Switch a light.\n\nIt is switched at once."
    assert parsed.parameters == {
        "room": 'the room\'s name, such as "kitchen". Lower case.',
        "level": "brightness in percent: 0 is off.",
        "shape": "its shape",
        "names": "further names",
        "more": "everything else",
        "silent": "",
    }


def test_numpy_style():
    parsed = parse_docstring(NUMPY)
    assert parsed.description == "Switch a light.\n\nIt is switched at once."
    assert parsed.parameters == {
        "room": 'the room\'s name, such as "kitchen".',
        "level": "brightness in percent: 0 is off.",
        "left": "which side",
        "right": "which side",
        "more": "everything else",
    }


def test_sphinx_style():
    parsed = parse_docstring(SPHINX)
    assert parsed.description == "Switch a light.\n\nIt is switched at once."
    assert parsed.parameters == {
        "room": 'the room\'s name, such as "kitchen".',
        "level": "brightness in percent: 0 is off.",
        "side": "which side",
    }


@pytest.mark.parametrize(
    ("text", "description", "parameters"),
    [
        (None, "", {}),
        ("", "", {}),
        ("Only this.", "Only this.", {}),
        ("Two.\n\nNote:\n    not told", "Two.", {}),
        ("Say: it ends in a colon:\nand goes on", "Say: it ends in a colon:\nand goes on", {}),
        ("Args:\n    x: first", "", {"x": "first"}),
        ("Do.\n\nArgs:\n", "Do.", {}),
        ("Do.\n\nArgs:\n    loose words\n    x: first", "Do.", {"x": "first"}),
        ("Do.\n\nArgs:\n    x: 1\nKeyword Args:\n    y: 2\nRaises:\n    z: 3", "Do.", {"x": "1", "y": "2"}),
        ("Do.\n\nHeading\n-------\nmore", "Do.\n\nHeading\n-------\nmore", {}),
    ],
)
def test_corners(text, description, parameters):
    parsed = parse_docstring(text)
    assert (parsed.description, parsed.parameters) == (description, parameters)


@given(st.text(alphabet="x :-\n*()\tArgs", max_size=200))
def test_no_text_is_too_strange(text):
    parsed = parse_docstring(text)
    assert all("\n" not in told for told in parsed.parameters.values())

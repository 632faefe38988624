"""Sixty signatures: what we make of them, compared with what three other libraries make of them."""

from __future__ import annotations

import pytest

from scripts import make_tool_schema_page
from scripts.tool_schema_differences import CLASSES, Told, classes_of, differences
from tests.tools.signatures import SIGNATURES

PEERS = tuple(make_tool_schema_page.facts()["schemas"])


def test_there_are_sixty():
    assert len(SIGNATURES) == 60


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("name", SIGNATURES)
def test_every_difference_is_explained(peer, name):
    _, unexplained = classes_of(make_tool_schema_page.compared(peer, name))
    assert unexplained == []


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.name)
def test_every_explanation_is_needed(kind):
    assert any(
        kind in classes_of(make_tool_schema_page.compared(peer, name))[0]
        for peer in PEERS
        for name in SIGNATURES
    )


def test_a_difference_without_an_explanation_is_found():
    ours = Told({"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}})
    theirs = Told({"type": "object", "properties": {"a": {"type": "integer", "minimum": 2}}})
    kinds, unexplained = classes_of(differences(ours, theirs))
    assert kinds == []
    assert [(one.path, one.keyword, one.ours, one.theirs) for one in unexplained] == [(".a", "minimum", 1, 2)]


def test_the_page_is_made_from_the_facts_of_today():
    page = make_tool_schema_page.page()
    written = make_tool_schema_page.PAGE.read_text(encoding="utf-8")
    assert written == page, "python -m scripts.make_tool_schema_page"

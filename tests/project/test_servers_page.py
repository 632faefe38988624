"""The page of servers says what the profiles say."""

from __future__ import annotations

from rtagent.events import PROFILES
from scripts import make_servers_page


def test_the_page_is_made_from_the_profiles_of_today() -> None:
    made = make_servers_page.page()
    assert make_servers_page.PAGE.read_text(encoding="utf-8") == made, "python scripts/make_servers_page.py"
    assert all(f"| `{name}` |" in made for name in PROFILES)

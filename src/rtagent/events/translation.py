"""The vocabulary of Realtime translation (protocol document, section 6)."""

CLIENT_EVENTS: dict = {}
SERVER_EVENTS: dict = {}

"""The vocabulary of GPT-Live (protocol document, section 7)."""

CLIENT_EVENTS: dict = {}
SERVER_EVENTS: dict = {}

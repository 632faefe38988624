"""The engine's small English lexicon: verbs of tools, courtesies, prepositions, everyday values.

Only data and look-ups: what the words mean for a tool is decided in ``_spoken`` and ``_understanding``.
"""

from __future__ import annotations

__all__ = ()

VERB_FAMILIES: dict[str, tuple[str, ...]] = {
    # the family's name first is how the engine says it; the others are how callers say it
    "set": (
        "set",
        "turn",
        "switch",
        "put",
        "make",
        "change",
        "adjust",
        "update",
        "shut",
        "toggle",
        "control",
    ),
    "get": (
        "get",
        "check",
        "tell",
        "read",
        "show",
        "give",
        "fetch",
        "look",
        "find",
        "query",
        "know",
        "lookup",
    ),
    "search": ("search", "find", "look", "lookup", "google"),
    "list": ("list", "show", "read", "get", "tell", "give"),
    "start": ("start", "begin", "launch", "run", "set", "make", "create", "activate", "put"),
    "stop": ("stop", "end", "halt", "finish", "cancel", "deactivate", "turn", "switch"),
    "cancel": ("cancel", "delete", "remove", "stop", "drop", "clear", "undo"),
    "remove": ("remove", "delete", "drop", "clear", "erase", "take"),
    "add": ("add", "put", "append", "insert", "create", "note", "write"),
    "create": ("create", "make", "add", "set", "new", "schedule", "write", "start"),
    "book": ("book", "reserve", "schedule", "arrange", "make", "get"),
    "order": ("order", "buy", "purchase", "get"),
    "play": ("play", "start", "put", "hear"),
    "pause": ("pause", "hold"),
    "resume": ("resume", "continue", "unpause"),
    "open": ("open", "unlock"),
    "close": ("close", "shut", "lock"),
    "lock": ("lock", "close"),
    "unlock": ("unlock", "open"),
    "send": ("send", "write", "text", "message", "mail", "email", "tell"),
    "call": ("call", "phone", "ring", "dial"),
    "transfer": ("transfer", "connect", "forward", "send"),
    "say": ("say", "speak", "announce"),
    "remind": ("remind",),
    "calculate": ("calculate", "compute", "add", "work"),
    "convert": ("convert", "change"),
    "translate": ("translate", "say"),
}
"""Tool verbs and the verbs that callers use for them."""

VERB_ALIASES: dict[str, str] = {
    **dict.fromkeys(
        ("turn", "switch", "change", "adjust", "update", "put", "toggle", "control", "dim"), "set"
    ),
    **dict.fromkeys(
        ("check", "read", "fetch", "query", "show", "tell", "describe", "is", "report", "return"), "get"
    ),
    **dict.fromkeys(("lookup", "find", "look"), "search"),
    **dict.fromkeys(("begin", "launch", "run"), "start"),
    **dict.fromkeys(("end", "halt", "hang"), "stop"),
    **dict.fromkeys(("delete", "erase", "clear", "drop"), "remove"),
    **dict.fromkeys(("append", "insert", "note", "save", "store"), "add"),
    **dict.fromkeys(("make", "schedule", "write", "new", "draft", "generate"), "create"),
    **dict.fromkeys(("reserve", "arrange"), "book"),
    **dict.fromkeys(("buy", "purchase"), "order"),
    **dict.fromkeys(("continue", "unpause"), "resume"),
    **dict.fromkeys(("shut",), "close"),
    **dict.fromkeys(("message", "mail", "email", "text"), "send"),
    **dict.fromkeys(("phone", "ring", "dial"), "call"),
    **dict.fromkeys(("connect", "forward", "escalate"), "transfer"),
    **dict.fromkeys(("speak", "announce"), "say"),
    **dict.fromkeys(("compute", "calc"), "calculate"),
}
"""Other names for the families, as they begin the names of tools."""

ASKING = frozenset({"get", "list", "search", "calculate", "convert", "translate"})
"""Families of tools that only look something up: a mistake costs nothing."""

ALL_VERBS = frozenset(verb for family in VERB_FAMILIES.values() for verb in family) - {"new"}

TOPIC_SYNONYMS: dict[str, tuple[str, ...]] = {
    "light": ("lamp", "lighting"),
    "weather": (
        "forecast",
        "rain",
        "raining",
        "rainy",
        "sunny",
        "snow",
        "snowing",
        "windy",
        "umbrella",
        "cold",
        "warm",
        "hot",
    ),
    "forecast": ("weather", "rain", "raining", "sunny"),
    "temperature": ("warm", "cold", "hot", "heating", "degrees"),
    "timer": ("countdown",),
    "alarm": ("wake",),
    "music": ("song", "songs", "track", "tune"),
    "volume": ("loud", "louder", "quieter"),
    "appointment": ("meeting", "booking"),
    "reservation": ("table", "booking"),
    "reminder": ("remind",),
    "blind": ("shade", "shutter", "curtain"),
    "message": ("sms", "text"),
    "mail": ("email", "message"),
    "email": ("mail", "message"),
    "balance": ("account",),
    "time": ("clock", "oclock"),
    "human": ("person", "agent", "operator", "colleague", "somebody", "someone"),
    "agent": ("person", "human", "operator", "colleague", "somebody", "someone"),
}
"""Further words for what a tool is about."""

HOLLOW = frozenset(
    "current currently new the a an of for to in on off by with status state info information details value data "
    "all my user tool function api request now".split()
)
"""Words in a tool's name that say nothing about its topic."""

LEAD_INS = frozenset(
    "please okay ok hey hello hi so well now then just also and uh um er oh yes yeah yep alright right good morning "
    "evening afternoon no nope stop wait actually instead kindly quickly again sorry".split()
)
"""Words that open or close a request and change nothing about it."""

POLITE = frozenset("please thanks thank you kindly now again today too immediately quickly".split())
"""Words that end a request."""

GLUE = frozenset(
    "a an the my our your this that these those some any me us i you we it its is are was be am will would could can "
    "should shall may might do does did to of in on at for from with by about as into over and or what which how when "
    "where who much many like there here up down out go going have has let lets want need wish if s get".split()
)
"""Words that carry no content of their own."""

ARTICLES = frozenset("a an the my our your this that some any".split())

PRONOUNS = frozenset("i we he she they it my you".split())

WANTING = (
    "want you to", "need you to", "would like you to", "want to", "need to", "would like to", "want", "need",
    "would like", "would love", "wish", "am looking for", "have to",
)  # fmt: skip
"""What may follow "I" in a request."""

REQUESTING = (
    "can you", "could you", "would you", "will you", "can we", "could we", "can i have", "could i have", "can i get",
    "may i have", "would you mind", "do you mind", "are you able to", "is it possible to", "can i", "could i", "may i",
    "let us", "lets", "i want you to", "go ahead and",
)  # fmt: skip
"""Openings that look like questions and are requests."""

ASKING_WORDS = frozenset(
    "what which how when where who why whose is are was were do does did has have am should will can could".split()
)
"""First words of a question."""

PREPOSITIONS = frozenset(
    "in at for of from to on with about called named by into inside around near as saying".split()
)

ROLE_OF_NAME: dict[str, str] = {
    **dict.fromkeys(
        "room place location city town area zone country region address street station airport site where destination "
        "state venue house floor building".split(),
        "place",
    ),
    **dict.fromkeys(
        "person name contact recipient who guest customer caller user friend to receiver".split(), "person"
    ),
    **dict.fromkeys(
        "message text content body note memo task title subject description reason item".split(), "content"
    ),
    **dict.fromkeys("query question topic search term keyword expression".split(), "topic"),
    **dict.fromkeys("day date when time datetime moment hour".split(), "when"),
    **dict.fromkeys("song track artist album music playlist genre station_name movie film".split(), "title"),
    **dict.fromkeys("origin source departure start".split(), "origin"),
    **dict.fromkeys("color colour".split(), "color"),
}
"""What kind of thing a parameter's name stands for."""

PREPOSITIONS_OF_ROLE: dict[str, tuple[str, ...]] = {
    "place": ("in", "for", "of", "at", "from", "to", "inside", "near", "around"),
    "person": ("to", "for", "with", "called", "named", "of", "by", "from", "is"),
    "content": ("saying", "that", "to", "about", "called", "named", "with", "of"),
    "topic": ("about", "for", "on", "of"),
    "when": ("at", "on", "for", "by", "from"),
    "title": ("by", "called", "named", "from", "of"),
    "origin": ("from",),
    "color": ("to", "in", "into"),
    "": ("called", "named", "to", "for", "of", "in", "with", "about", "at", "on", "from"),
}
"""The words that come before a value of such a parameter, the surest first."""

EVERYDAY_VALUES: dict[str, tuple[str, ...]] = {
    "room": (
        "kitchen", "bedroom", "bathroom", "living room", "dining room", "garden", "hall", "office", "garage", "cellar",
        "attic", "hallway",
    ),
    "city": (
        "London", "Paris", "Berlin", "Rome", "Madrid", "Vienna", "New York", "Tokyo", "Chicago", "Boston", "Dublin",
        "Amsterdam", "Munich", "Hamburg", "Zurich", "Lisbon", "Prague", "Moscow", "Sydney", "San Francisco",
    ),
    "day": (
        "today", "tomorrow", "tonight", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    ),
    "color": ("red", "green", "blue", "yellow", "white", "orange", "purple", "pink"),
}  # fmt: skip
"""Values that people say for free-text parameters; they also keep a grammar from bending one into another."""

EVERYDAY_NAMES: dict[str, str] = {
    **dict.fromkeys(("room", "rooms"), "room"),
    **dict.fromkeys(("city", "town", "location", "place", "destination", "origin"), "city"),
    **dict.fromkeys(("day", "date", "weekday"), "day"),
    **dict.fromkeys(("color", "colour"), "color"),
}

CONTRACTIONS: dict[str, str] = {
    "what's": "what is", "how's": "how is", "where's": "where is", "who's": "who is", "when's": "when is",
    "it's": "it is", "that's": "that is", "there's": "there is", "i'm": "i am", "i'd": "i would", "i'll": "i will",
    "i've": "i have", "you're": "you are", "we're": "we are", "let's": "lets", "don't": "do not", "dont": "do not",
    "doesn't": "does not", "didn't": "did not", "can't": "can not", "cannot": "can not", "won't": "will not",
    "isn't": "is not", "aren't": "are not", "shouldn't": "should not", "whats": "what is", "o'clock": "oclock",
    "gonna": "going to", "wanna": "want to", "pls": "please",
}  # fmt: skip

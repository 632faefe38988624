"""You ask for a light and hear that it is on.

Run it with a microphone and a speaker: `python examples/lights.py`, or `rtagent talk examples/lights.py`.
Without an API key the embedded engine answers.
"""

from rtagent import Agent, tool


@tool
def set_light(room: str, on: bool) -> str:
    """Switch the light of a room.

    Args:
        room: the room's name, such as "kitchen".
        on: true to switch it on.
    """
    return f"{room} light is {'on' if on else 'off'}"


agent = Agent(instructions="You run a small home. Be brief.", tools=[set_light])

if __name__ == "__main__":
    agent.talk()  # microphone and speaker until Ctrl-C; blocking

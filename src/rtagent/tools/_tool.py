"""A function that a model may call, with what the runtime needs to know about the call."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import InitVar, dataclass, field
from typing import Any, Generic, Literal, ParamSpec, TypedDict, TypeVar, Unpack

from ..errors import ToolDefinitionError
from ._arguments import Arguments, FunctionArguments
from ._raw import SchemaArguments, schema_problems
from ._signature import ABSENT, read_signature, routine_of, without_partial

__all__ = ("DEFAULT_TIMEOUT_S", "CallOptions", "InterruptPolicy", "Tool", "ToolOptions")

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
ArgumentsP = ParamSpec("ArgumentsP")
ResultT = TypeVar("ResultT")

DEFAULT_TIMEOUT_S = 30.0
"""How long a call may take unless its tool says otherwise (seconds)."""

InterruptPolicy = Literal["cancel", "keep"]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DESCRIPTION_CHARS = 1024
"""A longer description makes the server reject the whole configuration of the session."""


class CallOptions(TypedDict, total=False):
    """How calls of a tool are run; the attributes of `Tool` tell what each one means."""

    timeout: float | None
    on_interrupt: InterruptPolicy
    approval: bool
    strict: bool
    speak: str | None


class ToolOptions(CallOptions, total=False):
    """The same, and what the model is told instead of the function's own name and docstring."""

    name: str | None
    description: str | None


@dataclass(frozen=True, eq=False)
class Tool(Generic[P, R_co]):
    """A function that a model may call. Calling it calls the function, as if it were not decorated.

    Made by `tool`, `from_function`, `from_method` or `from_schema`.
    """

    name: str
    description: str
    fn: Callable[P, R_co]
    arguments: Arguments = field(repr=False)
    """Describes and reads what the model writes."""
    contexts: tuple[str, ...] = field(default=(), repr=False)
    """The parameters that receive the `ToolContext`."""
    timeout: float | None = DEFAULT_TIMEOUT_S
    """Seconds that a call may take, the wait for a thread included; None is no limit."""
    on_interrupt: InterruptPolicy = "cancel"
    """What becomes of a running call when the user interrupts the response that asked for it."""
    approval: bool = False
    """Whether a person must agree to each call; when nobody can be asked, it is denied."""
    strict: bool = False
    """Whether the schema has the strict form: closed objects, everything required, null for a default."""
    speak: str | None = None
    """What the assistant says while a call runs."""
    is_async: bool = field(init=False, repr=False)
    """Whether the function is awaited in the caller's task; otherwise it runs on a worker thread."""
    problems: InitVar[Sequence[str]] = ()

    def __post_init__(self, problems: Sequence[str]) -> None:
        found = [*problems, *_option_problems(self)]
        if found:
            raise ToolDefinitionError(self.name, found)
        whole = without_partial(self.fn)
        # frozen for everybody else; this is what functools.wraps does for a function
        self.__dict__.update(
            {name: getattr(whole, name) for name in functools.WRAPPER_ASSIGNMENTS if hasattr(whole, name)},
            __wrapped__=self.fn,
            is_async=inspect.iscoroutinefunction(routine_of(self.fn)),
        )

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        return self.fn(*args, **kwargs)

    @property
    def parameters(self) -> dict[str, Any]:
        """The JSON Schema of the arguments, a copy of its own."""
        return deepcopy(self.arguments.schema)

    def definition(self) -> dict[str, Any]:
        """The tool as a Realtime session is told about it."""
        return {
            "type": "function",
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
        }

    @staticmethod
    def from_function(
        fn: Callable[ArgumentsP, ResultT], **options: Unpack[ToolOptions]
    ) -> Tool[ArgumentsP, ResultT]:
        """Make a tool of a function, a partial, a bound method or a callable object.

        Raises:
            ToolDefinitionError: it cannot be a tool; every reason is listed.
        """
        function = fn.fn if isinstance(fn, Tool) else fn
        signature = read_signature(function)
        arguments, problems = FunctionArguments.build(signature, strict=options.get("strict", False))
        own = {"name": signature.name, "description": signature.description}
        told: Mapping[str, Any] = {
            **own,
            **{key: value for key, value in options.items() if _is_told(key, value)},
        }
        return Tool(
            fn=function,
            arguments=arguments or SchemaArguments({}),
            contexts=signature.contexts,
            problems=problems,
            **told,
        )

    @staticmethod
    def from_method(owner: object, method: str, **options: Unpack[ToolOptions]) -> Tool[..., Any]:
        """Make a tool of a method of an object, which it keeps alive.

        Raises:
            ToolDefinitionError: there is no such method, or it cannot be a tool.
        """
        bound: Callable[..., object] | None = getattr(owner, method, None)
        if bound is None:
            raise ToolDefinitionError(method, [f"{type(owner).__name__} has no method of this name"])
        return Tool.from_function(bound, **options)

    @staticmethod
    def from_schema(
        name: str,
        schema: Mapping[str, Any],
        fn: Callable[ArgumentsP, ResultT],
        *,
        description: str = "",
        **options: Unpack[CallOptions],
    ) -> Tool[ArgumentsP, ResultT]:
        """Make a tool of a function whose arguments a JSON Schema describes.

        Names, types, choices and nesting are checked; what else a schema may say is the function's affair.
        Of its annotations only `ToolContext` counts. The schema is sent as it is, in strict mode too.

        Args:
            name: what the model calls it.
            schema: the JSON Schema of an object.
            fn: called with the arguments by name, as JSON gives them.
            description: what the model is told about it.
            options: as for `tool`.

        Raises:
            ToolDefinitionError: it cannot be a tool; every reason is listed.
        """
        signature = read_signature(fn)
        described = deepcopy(dict(schema))
        problems = signature.problems or schema_problems(described, signature)
        return Tool(
            name=name,
            description=description,
            fn=fn,
            arguments=SchemaArguments(described, closed=signature.extra is ABSENT),
            contexts=signature.contexts,
            problems=problems,
            **options,
        )


def _is_told(key: str, value: Any) -> bool:
    """A name or a description of None means: the function's own."""
    return value is not None or key not in {"name", "description"}


def _option_problems(tool: Tool[..., Any]) -> Iterator[str]:
    """What is wrong with a tool's options."""
    if not _NAME.fullmatch(tool.name):
        yield f"the name {tool.name!r} is not 1 to 64 letters, digits, underscores or hyphens (give name=...)"
    size = len(tool.description)
    if size > _DESCRIPTION_CHARS:
        yield f"its description has {size} of {_DESCRIPTION_CHARS} allowed characters (give description=...)"
    if tool.timeout is not None and not 0 < tool.timeout < float("inf"):
        yield f"a timeout of {tool.timeout} s is no time to wait: give seconds above 0, or None for no limit"
    if tool.on_interrupt not in {"cancel", "keep"}:
        yield f'on_interrupt is "cancel" or "keep", not {tool.on_interrupt!r}'

"""A function that a model may call, with what the runtime needs to know about the call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import InitVar, dataclass, field
from typing import Any, Generic, Literal, ParamSpec, TypeVar, Unpack

from ..errors import ToolDefinitionError
from ._arguments import Arguments, FunctionArguments
from ._options import (
    DEFAULT_SPEAK_AFTER_S,
    DEFAULT_TIMEOUT_S,
    ApprovalTest,
    CallOptions,
    InterruptPolicy,
    ToolOptions,
    place_problems,
    repeating_problems,
    telling_problems,
    timing_problems,
)
from ._raw import SchemaArguments, schema_problems
from ._signature import ABSENT, read_signature, routine_of, without_partial

__all__ = ("Tool",)

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
ArgumentsP = ParamSpec("ArgumentsP")
ResultT = TypeVar("ResultT")


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
    """Seconds that a call may take, the wait for its turn included; None is no limit."""
    on_interrupt: InterruptPolicy = "cancel"
    """What becomes of a running call when the user interrupts: it is cancelled, or it runs on (``keep``) and
    its result is known to the model from the user's next turn on."""
    approval: bool | ApprovalTest = False
    """Whether a person must agree to each call, or what tells that for each; when nobody can be asked, it is
    denied."""
    strict: bool = False
    """Whether the schema has the strict form: closed objects, everything required, null for a default."""
    speak: str | None = None
    """What the assistant says once while a call runs, if nothing else sounds."""
    speak_after: float = DEFAULT_SPEAK_AFTER_S
    """Seconds that a call must have run in silence before that."""
    background: bool = False
    """Whether the conversation goes on at once; the result follows at a quiet moment."""
    run_in: Literal["process"] | None = None
    """``process``: in a worker process, which is ended with a call that takes too long. None: an async function
    in the session's own event loop, any other on a worker thread."""
    max_running: int | None = None
    """Calls that may run at once; further ones wait within their deadline. None is no limit."""
    retries: int = 0
    """How often a call is made again that failed, within its deadline; for tools that may run twice."""
    retry_on: tuple[type[Exception], ...] = (OSError,)
    """The failures after which that is done."""
    is_async: bool = field(init=False, repr=False)
    """Whether the function is awaited in the caller's task."""
    streams: Literal["sync", "async"] | None = field(init=False, repr=False)
    """The kind of generator that the function is, if it is one: what it yields is the call's progress."""
    is_plain: bool = field(init=False, repr=False)
    """Whether a call is its arguments, the function and its deadline, and nothing else."""
    problems: InitVar[Sequence[str]] = ()

    def __post_init__(self, problems: Sequence[str]) -> None:
        self.__dict__.update(_nature_of(self))
        found = [*problems, *_option_problems(self)]
        if found:
            raise ToolDefinitionError(self.name, found)
        whole = without_partial(self.fn)
        # frozen for everybody else; this is what functools.wraps does for a function
        self.__dict__.update(
            {name: getattr(whole, name) for name in functools.WRAPPER_ASSIGNMENTS if hasattr(whole, name)},
            __wrapped__=self.fn,
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
    yield from telling_problems(tool.name, tool.description)
    yield from timing_problems(tool.timeout, tool.speak_after, tool.on_interrupt)
    yield from repeating_problems(tool.max_running, tool.retries, tool.retry_on)
    returns_once = not tool.is_async and tool.streams is None
    yield from place_problems(
        tool.run_in, tool.fn, returns_once=returns_once, takes_context=bool(tool.contexts)
    )


def _nature_of(tool: Tool[..., Any]) -> dict[str, Any]:
    """What kind of function it is made of."""
    routine = routine_of(tool.fn)
    is_async = inspect.iscoroutinefunction(routine)
    streams = "async" if inspect.isasyncgenfunction(routine) else None
    if inspect.isgeneratorfunction(routine):
        streams = "sync"
    limited = tool.max_running is not None or tool.retries > 0
    is_plain = is_async and not (tool.contexts or tool.approval or limited or tool.run_in)
    return {"is_async": is_async, "streams": streams, "is_plain": is_plain}

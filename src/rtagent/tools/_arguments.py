"""From a function's signature to one JSON Schema and one validator of what a model writes.

Both come from one pydantic model, built once by ``create_model``. Its fields have neutral names and the names
of the function are their aliases, so that a parameter may be called ``schema``, ``model_name`` or ``_x``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, Optional, Protocol, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from ..errors import ToolDefinitionError
from ._faults import ArgumentsRefused, Fault, bad_json, excerpt
from ._json_schema import strict_form, tidy
from ._signature import ABSENT, Parameter, Signature, read_signature

__all__ = ("Arguments", "FunctionArguments", "schema")

ValueT = TypeVar("ValueT")


class Arguments(Protocol):
    """How the arguments of a tool are described to a model, and read when it calls."""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments, an object; not to be changed."""
        ...

    def read(self, text: str) -> dict[str, Any]:
        """The keyword arguments for the function.

        Raises:
            ArgumentsRefused: the text is no JSON, or not what the schema says.
        """
        ...


def schema(fn: Callable[..., Any]) -> dict[str, Any]:
    """The JSON Schema of a function's parameters, from its annotations, defaults and docstring.

    Parameters annotated `ToolContext` are left out.

    Raises:
        ToolDefinitionError: the function cannot be described; every reason is listed.
    """
    signature = read_signature(fn)
    arguments, problems = FunctionArguments.build(signature)
    if arguments is None:
        raise ToolDefinitionError(signature.name, problems)
    return deepcopy(arguments.schema)


@dataclass(frozen=True, slots=True)
class FunctionArguments:
    """The arguments of a Python function."""

    schema: dict[str, Any]
    model: type[BaseModel]
    fields: Mapping[str, str]
    """Our field names, and the parameters that they stand for."""
    fallbacks: Mapping[str, Any]
    """Strict mode: the parameters for which null stands for the default."""
    bound: frozenset[str]

    @classmethod
    def build(
        cls, signature: Signature, *, strict: bool = False
    ) -> tuple[FunctionArguments | None, tuple[str, ...]]:
        """The arguments of a signature, or the problems that keep it from having any."""
        if signature.problems or signature.undescribed:
            return None, (*signature.problems, *signature.undescribed, *_type_problems(signature))
        fallbacks = _fallbacks(signature.parameters) if strict else {}
        try:
            model = _model_of(signature, fallbacks)
            described = _described(model)
        except Exception as error:  # noqa: BLE001 - types bring hooks of their own; what they raise is reported
            return None, _type_problems(signature) or (_first_line(error),)
        if strict:
            described, problems = strict_form(described)
            if problems:
                return None, tuple(problems)
        fields = {f"p{at}": parameter.name for at, parameter in enumerate(signature.parameters)}
        return cls(described, model, fields, fallbacks, signature.bound), ()

    def read(self, text: str) -> dict[str, Any]:
        try:
            # a function without parameters is called with "" by some servers
            arguments = self.model.model_validate_json(text if text.strip() else "{}")
        except ValidationError as error:
            raise self._refusal(text, error) from error
        values = arguments.__dict__
        keywords = {name: values[field] for field, name in self.fields.items()}
        for name, default in self.fallbacks.items():
            if keywords[name] is None:
                keywords[name] = default
        return {**keywords, **self._free(arguments)} if arguments.model_extra else keywords

    def _free(self, arguments: BaseModel) -> dict[str, Any]:
        """What goes to ``**kwargs``: never what the program has bound already."""
        free = arguments.model_extra or {}
        taken = [name for name in free if name in self.bound]
        if taken:
            raise ArgumentsRefused.because([Fault(name, "is not an argument of this tool") for name in taken])
        return free

    def _refusal(self, text: str, error: ValidationError) -> ArgumentsRefused:
        details = error.errors(include_url=False, include_context=False)
        if details[0]["type"] == "json_invalid":
            return bad_json(text, details[0]["msg"].removeprefix("Invalid JSON: "))
        return ArgumentsRefused.because([self._fault(detail) for detail in details])

    def _fault(self, detail: Mapping[str, Any]) -> Fault:
        field = _path(detail["loc"])
        match detail["type"]:
            case "missing":
                return Fault(field, "is required")
            case "extra_forbidden":
                reason = "is not known here"
                if len(detail["loc"]) == 1:
                    reason = f"{reason}; the arguments are: {', '.join(self.fields.values()) or 'none'}"
                return Fault(field, reason, excerpt(detail["input"]))
            case _:
                reason = str(detail["msg"]).removeprefix("Input ").removeprefix("Value error, ")
                return Fault(field, reason, excerpt(detail["input"]))


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Open(BaseModel, Generic[ValueT]):
    model_config = ConfigDict(extra="allow")
    # the way that pydantic documents for typed extras
    __pydantic_extra__: dict[str, ValueT]  # pyright: ignore[reportIncompatibleVariableOverride]


class _Quiet(GenerateJsonSchema):
    """A default without a JSON form is left out of the schema; that is no cause for a warning."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012


def _model_of(signature: Signature, fallbacks: Mapping[str, Any]) -> type[BaseModel]:
    base = _Closed if signature.extra is ABSENT else cast("Any", _Open)[signature.extra]
    fields = {
        f"p{at}": _field(parameter, nullable=parameter.name in fallbacks)
        for at, parameter in enumerate(signature.parameters)
    }
    return create_model("Arguments", __base__=base, **cast("Any", fields))


def _described(model: type[BaseModel]) -> dict[str, Any]:
    described = tidy(model.model_json_schema(schema_generator=_Quiet))
    described.pop("description", None)  # the tool has its own
    return {"type": "object", **described}


def _field(parameter: Parameter, *, nullable: bool = False) -> Any:
    """The field of a parameter as ``create_model`` takes it: a type, or a type and a default."""
    annotation, default = parameter.annotation, parameter.default
    own: dict[str, Any] = {"alias": parameter.name}
    description = _own_description(annotation, default) or parameter.description
    if description:
        own["description"] = description
    if (nullable or default is None) and not _accepts_none(annotation):
        annotation = Optional[annotation]  # noqa: UP045 - made at run time
    if isinstance(default, FieldInfo):
        return cast("Any", Annotated)[annotation, default, Field(**own)]
    described = cast("Any", Annotated)[annotation, Field(**own)]
    return described if default is ABSENT else (described, default)


def _own_description(annotation: Any, default: Any) -> str | None:
    """What ``Annotated[..., "text"]`` or a ``Field(description=...)`` says."""
    for said in (default, *getattr(annotation, "__metadata__", ())):
        if isinstance(said, FieldInfo) and said.description:
            return said.description
        if isinstance(said, str) and said is not default:
            return said
    return None


def _fallbacks(parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.default is not ABSENT
        and not isinstance(parameter.default, FieldInfo)
        and not _accepts_none(parameter.annotation)
    }


def _accepts_none(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _accepts_none(get_args(annotation)[0])
    if origin is Union or origin is UnionType:
        return any(_accepts_none(member) for member in get_args(annotation))
    return annotation is Any or annotation is None or annotation is NoneType


def _type_problems(signature: Signature) -> tuple[str, ...]:
    """Each parameter tried alone, to name the ones whose type has no JSON form."""
    problems: list[str] = []
    types = {parameter.name: parameter.annotation for parameter in signature.parameters}
    types["**"] = signature.extra
    for name, annotation in types.items():
        if annotation is ABSENT:
            continue
        try:
            TypeAdapter(annotation).json_schema(schema_generator=_Quiet)
        except Exception as error:  # noqa: BLE001 - as in build
            problems.append(f"the type of parameter {name!r} cannot be described: {_first_line(error)}")
    return tuple(problems)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path

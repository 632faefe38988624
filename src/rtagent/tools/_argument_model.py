"""The pydantic model of a function's arguments, which describes them and reads them.

A field has the name of its parameter, so that what was read is ready for the function. Names that a model
cannot have (``schema``, ``model_name``, ``_x``) become aliases of a neutral name.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, Literal, Optional, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind
from pydantic_core import core_schema

from ._json_schema import JsonSchema, tidy
from ._signature import ABSENT, Parameter, Signature

__all__ = ("described", "fallbacks_of", "first_line", "model_of", "renamed_fields", "type_problems")

ValueT = TypeVar("ValueT")


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _Open(BaseModel, Generic[ValueT]):
    model_config = ConfigDict(extra="allow", allow_inf_nan=False)
    # the way that pydantic documents for typed extras
    __pydantic_extra__: dict[str, ValueT]  # pyright: ignore[reportIncompatibleVariableOverride]


class _ForModels(GenerateJsonSchema):
    """Schemas that tell a model what to write."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012
    """A default without a JSON form is left out of the schema; that is no cause for a warning."""

    def named_tuple_schema(self, schema: Mapping[str, Any]) -> JsonSchemaValue:
        """A named tuple is an object: its names tell more than the order of an array."""
        fields = [{"name": field["name"], "schema": field["schema"]} for field in schema["fields"]]
        return self.kw_arguments_schema(cast("list[core_schema.ArgumentsParameter]", fields), None)

    def call_schema(self, schema: core_schema.CallSchema) -> JsonSchemaValue:
        """The same where pydantic, before 2.14, takes a named tuple for a call of its class."""
        arguments = cast("core_schema.ArgumentsSchema", schema["arguments_schema"])
        return self.kw_arguments_schema(arguments["arguments_schema"], None)


def model_of(signature: Signature, fallbacks: Mapping[str, Any]) -> type[BaseModel]:
    """The model; parameters with a fallback also take null."""
    base = _Closed if signature.extra is ABSENT else cast("Any", _Open)[signature.extra]
    names = {name: field for field, name in renamed_fields(signature).items()}
    fields = {
        names.get(parameter.name, parameter.name): _field(
            parameter, renamed=parameter.name in names, null=parameter.name in fallbacks
        )
        for parameter in signature.parameters
    }
    return create_model("Arguments", __base__=base, **cast("Any", fields))


def renamed_fields(signature: Signature) -> dict[str, str]:
    """The fields whose names are not those of their parameters."""
    return {
        f"p{at}_": parameter.name
        for at, parameter in enumerate(signature.parameters)
        if parameter.name.startswith(("_", "model_")) or hasattr(BaseModel, parameter.name)
    }


def described(model: type[BaseModel]) -> JsonSchema:
    """The JSON Schema of the arguments."""
    schema = tidy(model.model_json_schema(schema_generator=_ForModels))
    schema.pop("description", None)  # the tool has its own
    return {"type": "object", **schema}


def fallbacks_of(parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    """Strict mode: the parameters for which null stands for their default."""
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.default is not ABSENT
        and not isinstance(parameter.default, FieldInfo)
        and not _accepts_none(parameter.annotation)
    }


def type_problems(signature: Signature) -> tuple[str, ...]:
    """Each parameter tried alone, to name the ones whose type has no JSON form."""
    problems: list[str] = []
    types = {parameter.name: parameter.annotation for parameter in signature.parameters}
    types["**"] = signature.extra
    for name, annotation in types.items():
        if annotation is ABSENT:
            continue
        try:
            TypeAdapter(annotation).json_schema(schema_generator=_ForModels)
        except Exception as error:  # noqa: BLE001 - types bring hooks of their own; what they raise is reported
            problems.append(f"the type of parameter {name!r} cannot be described: {first_line(error)}")
    return tuple(problems)


def first_line(error: Exception) -> str:
    """What an exception says, without its details."""
    return str(error).partition("\n")[0] or type(error).__name__


def _field(parameter: Parameter, *, renamed: bool, null: bool) -> Any:
    """The field of a parameter as ``create_model`` takes it: a type, or a type and a default."""
    annotation, default = parameter.annotation, parameter.default
    own: dict[str, Any] = {"alias": parameter.name} if renamed else {}
    description = _own_description(annotation, default) or parameter.description
    if description:
        own["description"] = description
    if (null or default is None) and not _accepts_none(annotation):
        annotation = Optional[annotation]  # noqa: UP045 - made at run time
    if isinstance(default, FieldInfo):
        return cast("Any", Annotated)[annotation, default, Field(**own)]
    whole = cast("Any", Annotated)[annotation, Field(**own)] if own else annotation
    return whole if default is ABSENT else (whole, default)


def _own_description(annotation: Any, default: Any) -> str | None:
    """What ``Annotated[..., "text"]`` or a ``Field(description=...)`` says."""
    for said in (default, *getattr(annotation, "__metadata__", ())):
        if isinstance(said, FieldInfo) and said.description:
            return said.description
        if isinstance(said, str) and said is not default:
            return said
    return None


def _accepts_none(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if hasattr(annotation, "__value__"):  # type X = ..., of typing since Python 3.12 or of typing_extensions
        return _accepts_none(annotation.__value__)
    if origin is Annotated:
        return _accepts_none(get_args(annotation)[0])
    if origin is Union or origin is UnionType:
        return any(_accepts_none(member) for member in get_args(annotation))
    if origin is Literal:
        return None in get_args(annotation)
    return annotation is Any or annotation is None or annotation is NoneType

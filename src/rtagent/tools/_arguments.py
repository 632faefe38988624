"""The arguments of a Python function: one JSON Schema for the model, one reading of what it writes.

Both come from one pydantic model (`_argument_model`), which is made once: at the definition where the types
may turn out to have no schema, else when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from ..errors import ToolDefinitionError
from ._argument_model import described, fallbacks_of, first_line, model_of, renamed_fields, type_problems
from ._faults import ArgumentsRefused, Fault, bad_json
from ._plain import is_plain
from ._refusal import refusal_of, without_nulls
from ._secrets import secret_names
from ._signature import ABSENT, Signature, read_signature
from ._strict import strict_form

__all__ = ("Arguments", "FunctionArguments", "schema")


class Arguments(Protocol):
    """How the arguments of a tool are described to a model, and read when it calls."""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments, an object; not to be changed."""
        ...

    @property
    def secrets(self) -> frozenset[str]:
        """Names, at any depth, whose values are secret by their type."""
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


@dataclass(frozen=True, eq=False)
class FunctionArguments:
    """The arguments of a Python function."""

    signature: Signature
    strict: bool

    @classmethod
    def build(
        cls, signature: Signature, *, strict: bool = False
    ) -> tuple[FunctionArguments | None, tuple[str, ...]]:
        """The arguments of a signature, or the problems that keep it from having any."""
        if signature.problems or signature.undescribed:
            return None, (*signature.problems, *signature.undescribed, *type_problems(signature))
        arguments = cls(signature, strict)
        if strict or not is_plain(signature):
            problems = arguments._problems()
            if problems:
                return None, problems
        return arguments, ()

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments."""
        return self._schema

    @property
    def secrets(self) -> frozenset[str]:
        """Names whose values are secret by their type."""
        return secret_names(self._described)

    def read(self, text: str) -> dict[str, Any]:
        try:
            if "NaN" in text or "Infinity" in text:
                self._refuse_no_numbers(text)
            arguments = self._validate(text)
            # the model is not kept, so its values can be had without a copy
            return vars(arguments) if self._is_direct else self._keywords(arguments)
        except ValidationError as error:
            if not text.strip():  # a function without parameters is called with "" by some servers
                return self.read("{}")
            return self._read_again(text, error)

    @cached_property
    def _model(self) -> type[BaseModel]:
        return model_of(self.signature, self._fallbacks)

    @cached_property
    def _validate(self) -> Callable[[str], BaseModel]:
        """What ``model_validate_json`` calls: this is on the way of every call, and saves a quarter of it."""
        return self._model.__pydantic_validator__.validate_json

    @cached_property
    def _is_direct(self) -> bool:
        """Whether the fields of the model are the keywords of the function."""
        return self.signature.extra is ABSENT and not self._renamed and not self._fallbacks

    @cached_property
    def _described(self) -> dict[str, Any]:
        return described(self._model)

    @cached_property
    def _schema(self) -> dict[str, Any]:
        return strict_form(self._described)[0] if self.strict else self._described

    @cached_property
    def _fallbacks(self) -> dict[str, Any]:
        return fallbacks_of(self.signature.parameters) if self.strict else {}

    @cached_property
    def _renamed(self) -> dict[str, str]:
        return renamed_fields(self.signature)

    def _problems(self) -> tuple[str, ...]:
        try:
            whole = self._described
        except Exception as error:  # noqa: BLE001 - types bring hooks of their own; what they raise is reported
            return type_problems(self.signature) or (first_line(error),)
        return tuple(strict_form(whole)[1]) if self.strict else ()

    def _keywords(self, arguments: BaseModel) -> dict[str, Any]:
        keywords = vars(arguments)
        for field, name in self._renamed.items():
            keywords[name] = keywords.pop(field)
        for name, default in self._fallbacks.items():
            if keywords[name] is None:
                keywords[name] = default
        free = arguments.__pydantic_extra__
        return {**keywords, **self._allowed(free)} if free else keywords

    def _allowed(self, free: dict[str, Any]) -> dict[str, Any]:
        """What goes to ``**kwargs``: never what the program has bound already."""
        taken = [name for name in free if name in self.signature.bound]
        if taken:
            raise ArgumentsRefused.because([Fault(name, "is not an argument of this tool") for name in taken])
        return free

    def _read_again(self, text: str, error: ValidationError) -> dict[str, Any]:
        """Strict mode writes null for what it leaves out, also inside models that take no null."""
        known = [parameter.name for parameter in self.signature.parameters]
        refusal = refusal_of(text, error, known, self.secrets)
        less = without_nulls(text, error) if self.strict and refusal.kind == "bad_arguments" else None
        if less is None:
            raise refusal from error
        try:
            return self._keywords(self._validate(less))
        except ValidationError as remaining:
            raise refusal_of(less, remaining, known, self.secrets) from remaining

    def _refuse_no_numbers(self, text: str) -> None:
        """Refuse NaN and Infinity outside of strings, where pydantic would take them for numbers."""
        try:
            from_json(text, allow_inf_nan=False)
        except ValueError as error:
            raise bad_json(text, str(error), self.secrets) from error

"""What all parts of a scenario have in common: frozen, closed to unknown keys, in order."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

from outsim.clock import microseconds_between
from outsim.text import brief
from outsim.units import ContradictionError, Problem


class Worded:
    """Metadata of a type: what its values must be, in words, whatever is wrong with one."""

    def __init__(self, rule: str) -> None:
        self.rule = rule

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.custom_error_schema(
            handler(source), "worded", custom_error_message=self.rule
        )


Name = Annotated[
    str,
    Field(min_length=1, max_length=80, pattern=r"^[\w][\w .:+-]*$"),
    Worded(
        "must be a text of 1 to 80 letters, digits, spaces and any of _ . : + -, that begins with "
        "a letter or digit"
    ),
]
TenDigits = Annotated[
    str, Field(pattern=r"^[0-9]{10}$"), Worded("must be a text in quotes of 10 digits")
]
Count = Annotated[int, Field(ge=0, strict=True)]
Positive = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]

NO_DISTRIBUTION = "count"
"""Tag of a number where a distribution of numbers may stand; no distribution is called so."""

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
"""In the order that Python counts them."""


def written(local: datetime) -> str:
    """Local time as messages show it."""
    return f"{local:%Y-%m-%d %H:%M:%S}"


Instants = tuple[str, datetime | None, str, datetime, bool]
"""Key, its instant, the key of its lower bound, that instant, and whether they may be equal."""


def out_of_order(*pairs: Instants) -> list[Problem]:
    """Instants that lie before their lower bound, as (key path, message)."""
    problems: list[Problem] = []
    for key, instant, other, bound, may_be_equal in pairs:
        elapsed_us = 1 if instant is None else microseconds_between(bound, instant)
        if elapsed_us < 0 or (elapsed_us == 0 and not may_be_equal):
            rule = "not be earlier" if may_be_equal else "be later"
            message = f"found {written(instant or bound)}; must {rule} than {other}"
            problems.append(((key,), f"{message} ({written(bound)})"))
    return problems


def check_order(*pairs: Instants) -> None:
    """Refuse instants that lie before their lower bound."""
    problems = out_of_order(*pairs)
    if problems:
        raise ContradictionError(problems)


def check_intake(rate: int | None, burst: int | None) -> None:
    """Refuse a burst of requests where nothing limits their rate."""
    if burst is not None and rate is None:
        message = f"found {burst}; has no meaning without intake_rate: give that too"
        raise ContradictionError([(("intake_burst",), message)])


class Part(BaseModel):
    """A part of a scenario: frozen, closed to unknown keys; "none" turns off what is optional."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        arbitrary_types_allowed=True,
        allow_inf_nan=False,
    )

    __repr__ = brief

    __str__ = brief

    @model_validator(mode="before")
    @classmethod
    def _none_turns_off(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        off = [key for key, value in values.items() if isinstance(value, str) and value == "none"]
        return values | {key: cls._nothing(key) for key in off} if off else values

    @classmethod
    def _nothing(cls, key: Any) -> Any:
        """What turns a key off; the word itself where nothing does."""
        field = cls.model_fields.get(key)
        if field is not None and field.default in ({}, []):
            return field.default
        is_optional = field is not None and type(None) in get_args(field.annotation)
        return None if is_optional else "none"

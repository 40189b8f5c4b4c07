"""Orders that are given on the page: fields to fill in, and what is said where one is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from nicegui import ui
from nicegui.elements.mixins.value_element import ValueElement
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from outsim.errors import SandboxError
from outsim.live.http.answers import RefusedError, problems_in_words
from outsim.live.page.parts import words

STYLE = Path(__file__).with_name("orders.css")
"""Of rooms in which orders are given."""
AnyInput = ValueElement[Any]


class Notice:
    """A place for what is said of an order: that it was done, or why not."""

    def __init__(self) -> None:
        self._text = words("p", "").props('role="status"').classes("status")
        self._text.set_visibility(False)

    def say(self, text: str, *, is_error: bool = False) -> None:
        """Say something; nothing is said by an empty text."""
        self._text.text = text
        self._text.set_visibility(bool(text))
        self._text.classes(add="notice" if is_error else "done")
        self._text.classes(remove="done" if is_error else "notice")

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Say here why what is done in the block is refused."""
        self.say("")
        try:
            yield
        except ValidationError as error:
            self.say(problems_in_words(error.errors()), is_error=True)
        except RefusedError as refusal:
            nearest = f" Accepted is {refusal.nearest}." if refusal.nearest else ""
            self.say(f"{refusal.reason}.{nearest}", is_error=True)
        except SandboxError as error:
            self.say(f"{error}.", is_error=True)


class Fields:
    """Inputs for the fields of an order, with what the interface says of each.

    Parameters
    ----------
    model : type
        The order.
    names : sequence of str
        Fields that are asked for, in this order.
    choices : mapping
        What can be chosen, for fields that are not free text.
    values : mapping
        What stands in them at first.
    labels : mapping
        What they are called, where their own name says too little.
    """

    def __init__(
        self,
        model: type[BaseModel],
        names: Sequence[str],
        *,
        choices: Mapping[str, Sequence[str]] | None = None,
        values: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        choices, values, labels = choices or {}, values or {}, labels or {}
        with ui.element("div").classes("fields"):
            self._inputs = {}
            for name in names:
                label = labels.get(name, name.replace("_", " "))
                field = model.model_fields[name]
                self._inputs[name] = _input(label, field, choices.get(name), values.get(name))

    def __getitem__(self, name: str) -> AnyInput:
        return self._inputs[name]

    @property
    def values(self) -> dict[str, Any]:
        """What was filled in."""
        values = {name: field.value for name, field in self._inputs.items()}
        return {name: value for name, value in values.items() if value not in (None, "")}


def _input(label: str, field: FieldInfo, choices: Sequence[str] | None, value: Any) -> AnyInput:
    allowed = [*(choices or literals(field.annotation))]
    made: AnyInput
    if field.annotation is bool:
        made = ui.checkbox(label, value=bool(value))
        made.tooltip(in_one_line(field.description))
        return made
    if allowed:
        made = ui.select(
            allowed, label=label, value=value, clearable=not field.is_required()
        ).props("options-dense")
    else:
        made = ui.input(label, value="" if value is None else value)
    made.props("dense outlined hide-bottom-space")
    made.props["hint"] = in_one_line(field.description)
    return made


def in_one_line(description: str | None) -> str:
    """What a model says of a field, without its marks."""
    return " ".join((description or "").replace("`", "").split())


def literals(annotation: Any) -> tuple[str, ...]:
    """Words that a field takes, if it takes only certain ones."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(word for part in get_args(annotation) for word in literals(part))

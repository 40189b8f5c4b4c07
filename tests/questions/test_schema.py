"""The JSON Schema that editors get: it knows every key, and requires nothing inherited."""

from __future__ import annotations

import json
import tomllib
from datetime import date, time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from outsim.questions.schema import json_schema
from outsim.scenario.defaults import DEFAULTS

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def as_json(value: Any) -> Any:
    """A TOML value as an editor hands it to a schema: dates and times are texts."""
    if isinstance(value, dict):
        return {key: as_json(below) for key, below in value.items()}
    if isinstance(value, list):
        return [as_json(below) for below in value]
    return value.isoformat() if isinstance(value, date | time) else value


@pytest.fixture(scope="module")
def validator() -> jsonschema.protocols.Validator:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    return jsonschema.Draft202012Validator(json_schema())


def complaints(validator: jsonschema.protocols.Validator, text: str) -> list[str]:
    return [error.message for error in validator.iter_errors(as_json(tomllib.loads(text)))]


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_scenario_is_valid(
    path: Path, validator: jsonschema.protocols.Validator
) -> None:
    assert complaints(validator, path.read_text()) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        'extends = "base.toml"',
        '[[campaign]]\nname = "a"\nstart = 09:15:00',
        '[[campaign]]\nname = "a"\nexpires_at = "none"',
        '[platform]\nstart_jitter = "none"\ndial_work = "20 ms"',
        '[callees]\nmessage = { distribution = "exponential", mean = "20 s" }',
        '[callees.message]\nmedian = "20 s"',
        '[carrier]\nother_traffic = "5 %"\nother_traffic_peak = { 0 = 0.5, 1 = "20 %" }',
        '[carrier]\nother_traffic_peak = "none"',
        '[platform]\nring_timeout = "1 h 30 min"\ndial_rate = "5 a minute"',
        'background = "none"',
    ],
)
def test_a_file_may_leave_out_what_it_inherits(
    text: str, validator: jsonschema.protocols.Validator
) -> None:
    assert complaints(validator, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "prots = 3",
        "[platform]\nprots = 3",
        "[[campaign]]\nstart = 09:15:00",
        '[[campaign]]\nname = "a"\ncolor = 1',
        '[[campaign]]\nname = "a"\nstart = 9',
        '[[campaign]]\nname = "a"\nwindow = { open = "09:00" }',
        "[platform]\nports = 0",
        "[platform]\nring_timeout = 25",
        '[platform]\nring_timeout = "25"',
        '[platform]\ndial_rate = "20 s"',
        '[platform]\nqueue = "lifo"',
        "[platform]\nlost_updates = 2",
        '[callees]\nmessage = { distribution = "zipf", mean = "20 s" }',
        '[callees]\nmessage = { distribution = "exponential", median = "20 s" }',
        '[[outage]]\nof = "everything"',
    ],
)
def test_what_no_file_may_say_is_refused(
    text: str, validator: jsonschema.protocols.Validator
) -> None:
    assert complaints(validator, text)


def test_defaults_come_with_their_grade_and_source() -> None:
    schema = json_schema()
    ports = schema["$defs"]["Platform"]["properties"]["ports"]
    assert ports["default"] == DEFAULTS["platform.ports"].value
    assert ports["description"].endswith(f"({DEFAULTS['platform.ports'].source}).")


def test_every_key_is_described() -> None:
    schema = json_schema()
    undescribed = [
        f"{name}.{key}"
        for name, part in [("", schema), *schema["$defs"].items()]
        for key, value in part["properties"].items()
        if "description" not in value and key != "distribution"
    ]
    assert undescribed == []


def test_it_is_one_json_document() -> None:
    schema = json_schema()
    assert json.loads(json.dumps(schema)) == schema
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"

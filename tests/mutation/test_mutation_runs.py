"""Whatever is given to outsim, it answers or refuses, within bounds, and nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.measured import tell

KINDS = (
    *("scenario", "contact_list", "call_log", "snapshot"),
    *("result", "study", "golden", "option"),
)
FEW, MANY = 60, 1_250
"""Inputs of each kind; the second makes 10,000."""


def faults(kind: str, first: int, last: int, request: pytest.FixtureRequest) -> list[str]:
    """Give some inputs of a kind to outsim; every fault, with the command that makes it again."""
    script = Path(__file__).parent
    made = subprocess.run(
        [sys.executable, str(script), kind, "--seed", "1", "--inputs", f"{first}:{last}"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "80"},
    )
    assert made.returncode == 0, made.stderr
    found = json.loads(made.stdout)
    became = ", ".join(f"{what} {count}" for what, count in sorted(found["became"].items()))
    tell(request, "Mutated inputs", f"{kind}: {found['inputs']} ({became})")
    return [
        f"python tests/mutation {kind} --inputs {each['input']}:{each['input'] + 1}\n"
        f"{each['fault']}\n{each.get('detail', '')}"
        for each in found["faults"]
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_mutated_input_is_read_or_refused(kind: str, request: pytest.FixtureRequest) -> None:
    assert not (found := faults(kind, 0, FEW, request)), "\n\n".join(found)


@pytest.mark.deep
@pytest.mark.parametrize("kind", KINDS)
def test_many_mutated_inputs_are_read_or_refused(
    kind: str, request: pytest.FixtureRequest
) -> None:
    assert not (found := faults(kind, FEW, FEW + MANY, request)), "\n\n".join(found)

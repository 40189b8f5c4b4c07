"""The same tape on another day, in another process, on a processor that can do less."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tape import digest
from tests.tape.digest import tape_digest

GOLDEN = "2dd92026ab963e92da3a5dc8d1c5808e9f4c63bc6f4955f7a22095ff0a7ff050"
"""Digest of the small tape. It changes only when a draw changes, and then every result made
before can't be made again: a release says so."""


def vector_units() -> list[str]:
    """Vector units that numpy picks at run time on this processor."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]


def in_another_process(**variables: str) -> str:
    inherited = {k: v for k, v in os.environ.items() if k != "NPY_DISABLE_CPU_FEATURES"}
    program = Path(digest.__file__)
    finished = subprocess.run(
        [sys.executable, str(program)],
        env=inherited | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout.strip()


def test_the_tape_is_the_one_that_it_always_was() -> None:
    assert tape_digest() == GOLDEN


def test_another_process_makes_the_same_tape() -> None:
    assert in_another_process(PYTHONHASHSEED="7") == GOLDEN


def test_a_processor_without_vector_units_makes_the_same_tape() -> None:
    units = vector_units()
    if not units:
        pytest.skip("numpy picks no vector unit at run time on this processor")
    assert in_another_process(NPY_DISABLE_CPU_FEATURES=" ".join(units)) == GOLDEN


def test_the_switch_does_turn_vector_units_off() -> None:
    """Else the test above would compare a tape with itself."""
    units = vector_units()
    if not units:
        pytest.skip("numpy picks no vector unit at run time on this processor")
    program = (
        "from numpy._core._multiarray_umath import __cpu_features__ as found\n"
        f"print([name for name in {units!r} if found.get(name)])"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"NPY_DISABLE_CPU_FEATURES": " ".join(units)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.strip() == "[]"

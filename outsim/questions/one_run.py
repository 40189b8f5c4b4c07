"""What questions about one run share: a result that is there, or a scenario that is run for it."""

from __future__ import annotations

from typing import Literal

from outsim.engine import Engine
from outsim.errors import StudyError
from outsim.progress import Progress, reporting
from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.scenario.model import Scenario

ONE_DAY = "One run is one day that could be."


def this_run(result: Result) -> str:
    """What a run is called in sentences."""
    return f"one run (seed {result.seed}, replication {result.replication})"


def scenario_of(asked: Scenario | Result, seed: int | None, replication: int) -> Scenario:
    """The scenario that is asked about; which run of it is not said again of a result."""
    if not isinstance(asked, Result):
        return asked
    if seed is not None or replication:
        raise StudyError(
            "seed and replication: the result has its own; give its scenario to run it anew"
        )
    return asked.scenario


def one_run(
    asked: Scenario | Result,
    seed: int | None = None,
    replication: int = 0,
    engine: Engine = "auto",
    progress: Progress | Literal["bar"] | None = "bar",
) -> Result:
    """The result that is asked about, or a run of the scenario."""
    if isinstance(asked, Result):
        return asked
    with reporting(progress, "run", counts=False) as report:
        return simulate(asked, seed=seed, replication=replication, engine=engine, progress=report)


def ten_digits(number: str | None) -> str | None:
    """National number of ten digits, without what people write between them."""
    if number is None:
        return None
    digits = "".join(character for character in number if character.isdigit())
    if len(digits) == 11 and digits.startswith("1"):
        digits = digits[1:]
    if len(digits) != 10:
        raise StudyError(f"number {number}: write a number of ten digits")
    return digits

"""Whether scenarios are right, how busy they keep the platform, and what theory says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outsim.display import percent
from outsim.document import Answer, Document, Table
from outsim.errors import ScenarioError, StudyError
from outsim.questions.question import Question, asks
from outsim.scenario import load
from outsim.scenario.lint import advice
from outsim.scenario.memory import check_size
from outsim.scenario.model import Scenario
from outsim.scenario.utilisation import Utilisation, utilisation
from outsim.studies.default_replications import CHECK, check_replications
from outsim.text import plain

if TYPE_CHECKING:
    from outsim.questions.theory import Theory
    from outsim.theory.ciw_check import CiwCheck

TITLE = "Is the scenario right, and how busy does it keep the platform?"


@dataclass(frozen=True, eq=False, repr=False)
class Checked(Answer):
    """What is known of one scenario before it is run, and what theory says of its runs."""

    file: str
    """The file, or the scenario's name where there is none."""
    name: str = ""
    error: str = ""
    """Why it can't be used; empty where it can."""
    warnings: tuple[str, ...] = ()
    loads: tuple[Utilisation, ...] = ()
    theory: Theory | None = None
    ciw: CiwCheck | None = None

    @property
    def agrees(self) -> bool:
        """Whether runs are as theory and Ciw say, as far as they were asked."""
        return (self.theory is None or self.theory.agrees) and (
            self.ciw is None or self.ciw.agrees is not False
        )

    def document(self) -> Document:
        """What was found, in words."""
        return Document(
            id="check",
            title=self.file,
            answer=self._answer(),
            asked=self.name and f"{self.file}: {self.name}",
            more=[f"warning: {warning}" for warning in self.warnings],
            tables=[
                Table(
                    "",
                    ["at full rate", "busy", "because"],
                    [[load.resource, _busy(load), load.explanation] for load in self.loads],
                    text_columns=("because",),
                )
            ]
            if self.loads
            else [],
            parts=[] if self.theory is None else [self.theory.document()],
            notes=[] if self.ciw is None else [f"Ciw: {self.ciw}."],
        )

    def _answer(self) -> str:
        if self.error:
            return f"{self.file} can't be used: {self.error}"
        count = len(self.warnings)
        warned = f"{count} warning{'s' * (count != 1)}" if count else "no warnings"
        busiest = max(self.loads, key=lambda load: load.load, default=None)
        text = f"It can be used: no errors, {warned}"
        if busiest is not None:
            text += f"; busiest at the full dial rate: {busiest.resource}, {_busy(busiest)}"
        if self.theory is not None:
            text += f"; its runs {'agree with' if self.agrees else 'DIFFER from'} theory"
        return f"{text}."

    def to_dict(self) -> dict[str, Any]:
        """The same for machines."""
        if self.error:
            return {"file": self.file, "errors": self.error.splitlines()}
        document: dict[str, Any] = {
            "file": self.file,
            "errors": [],
            "warnings": self.warnings,
            "utilisation": {load.resource: load.load for load in self.loads},
        }
        if self.theory is not None:
            document["theory"] = self.theory.to_dict()
            if self.ciw is not None:
                document["theory"] |= {"ciw": self.ciw.to_dict()}
        return dict(plain(document))


def _busy(load: Utilisation) -> str:
    return percent(load.load) if load.load < 10 else "over 1,000 %"


@dataclass(frozen=True, eq=False, repr=False)
class Check(Answer):
    """What is known of scenarios before they are run."""

    scenarios: tuple[Checked, ...]

    @property
    def errors(self) -> tuple[str, ...]:
        """Why scenarios can't be used."""
        return tuple(checked.error for checked in self.scenarios if checked.error)

    @property
    def is_no(self) -> bool:  # type: ignore[override]
        """Whether runs differ from theory, where every scenario can be used."""
        return not self.errors and not all(checked.agrees for checked in self.scenarios)

    def document(self) -> Document:
        """What was found of each scenario."""
        if len(self.scenarios) == 1:
            return self.scenarios[0].document()
        usable = len(self.scenarios) - len(self.errors)
        warned = sum(bool(checked.warnings) for checked in self.scenarios)
        return Document(
            id="check",
            title=TITLE,
            answer=f"{usable} of {len(self.scenarios)} scenarios can be used, {warned} of them "
            "with warnings.",
            parts=[checked.document() for checked in self.scenarios],
        )

    def to_dict(self) -> list[dict[str, Any]]:
        """What was found of each, for machines."""
        documents: list[dict[str, Any]] = plain([checked.to_dict() for checked in self.scenarios])
        return documents


@asks()
def check(
    *scenarios: Scenario | str | Path,
    theory: bool = False,
    ciw: bool = False,
    replications: int | None = None,
    seed: int | None = None,
    promise: Sequence[str] = (),
) -> Question[Check]:
    """Check scenarios: errors, warnings, utilization at full rate; on request, theory.

    Parameters
    ----------
    *scenarios : Scenario or path
        Scenarios, or their files.
    theory : bool
        Whether to run each, and compare what theory says of it with the runs.
    ciw : bool
        With `theory`: whether the simulator Ciw is asked as well, where it can tell.
    replications : int, optional
        With `theory`: how many runs; default: 20.
    seed : int, optional
        With `theory`: seed of the runs; default: the scenario's.
    promise : sequence of str
        Promises, of which it is said if no run can keep them; see `outsim.studies.promises`.

    Returns
    -------
    Question
        Its answer has what was found of each; a scenario that can't be used is part of it.

    Raises
    ------
    StudyError
        If runs are asked about without `theory`, or there are too few of them.
    """
    for name, value in (("ciw", ciw), ("replications", replications), ("seed", seed)):
        if value not in (None, False) and not theory:
            raise StudyError(f"--{name} is about runs: ask for them, with --theory")
    count = CHECK if replications is None else replications
    if theory:
        check_replications(count)

    async def work(_: Any) -> Check:
        checks: Sequence[Checked] = [
            await _checked(checked, count if theory else 0, seed, promise, ciw=ciw)
            for checked in scenarios
        ]
        return Check(tuple(checks))

    return Question("check", work)


def _never_kept(scenario: Scenario, texts: Sequence[str]) -> tuple[str, ...]:
    if not texts:
        return ()
    # What reads promises takes longer to load than to check a scenario.
    from outsim.studies.promise_limits import never_kept
    from outsim.studies.promises import read_promise

    return never_kept([read_promise(text, scenario) for text in texts], scenario)


async def _checked(
    given: Scenario | str | Path,
    replications: int,
    seed: int | None,
    promise: Sequence[str],
    *,
    ciw: bool,
) -> Checked:
    file = given.name if isinstance(given, Scenario) else str(given)
    try:
        scenario = given if isinstance(given, Scenario) else load(given)
        check_size(scenario)
    except ScenarioError as error:
        return Checked(file, error=error.shown)
    checked = Checked(
        file,
        scenario.name,
        warnings=(*map(str, advice(scenario)), *_never_kept(scenario, promise)),
        loads=tuple(utilisation(scenario)),
    )
    if not replications:
        return checked
    # What runs scenarios takes longer to load than to check one.
    from outsim.questions.theory import check_theory
    from outsim.theory.ciw_check import check_with_ciw

    # Whether Ciw is there is known before anything is run.
    opinion = check_with_ciw(scenario, seed) if ciw else None
    theory = await check_theory(scenario, replications, seed=seed)
    return replace(checked, theory=theory, ciw=opinion)

"""What the rooms of the page are about, and what they work with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from outsim.live.http.context import Context
from outsim.live.page.work import Work
from outsim.scenario.model import Scenario


@dataclass
class Page:
    """What all rooms share.

    Attributes
    ----------
    context : Context
        The sandbox, and everything around it that answers HTTP.
    other : Scenario, optional
        What the scenario is compared with.
    scenario_file, other_file : Path, optional
        Where they were read from.
    work : Work
        Does what takes long.
    """

    context: Context
    other: Scenario | None = None
    scenario_file: Path | None = None
    other_file: Path | None = None
    work: Work = field(default_factory=Work)

    @property
    def scenario(self) -> Scenario:
        """The scenario as it is served."""
        return self.context.sandbox.scenario

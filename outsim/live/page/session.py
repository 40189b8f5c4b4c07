"""What the rooms of the page are about, and what they work with."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from outsim.live.http.context import Context
from outsim.live.page.work import Work
from outsim.scenario.model import Scenario

if TYPE_CHECKING:
    from outsim.live.page.comparing import Comparing
    from outsim.live.page.mornings import Mornings
    from outsim.results.result import Result
    from outsim.studies.run_cache import RunCache


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
    made : Result, optional
        A run of the scenario that is there already.
    first_picture : Future, optional
        What is drawn of a run of the scenario, if it was begun before the sandbox.
    work : Work
        Does what takes long.
    name : str
        Of the session: a browser that finds another one knows that its own is gone.
    """

    context: Context
    other: Scenario | None = None
    scenario_file: Path | None = None
    other_file: Path | None = None
    made: Result | None = None
    first_picture: Future[bytes] | None = None
    work: Work = field(default_factory=Work)
    name: str = ""
    left: int = 0
    """Browsers that have closed a room."""
    _comparing: Comparing | None = None

    # Studies and what draws take longer to load than a sandbox may take to answer.

    @cached_property
    def runs(self) -> RunCache:
        """Runs that were made for one question, for others."""
        from outsim.studies.run_cache import RunCache

        return RunCache()

    @cached_property
    def mornings(self) -> Mornings:
        """What can be looked at in the first room."""
        from outsim.live.page.mornings import Mornings

        return Mornings(self.work, self.context.sandbox, self.other, self.made, self.first_picture)

    @property
    def comparing(self) -> Comparing | None:
        """What the second scenario changes, if there is one; another once the sandbox is reset."""
        from outsim.live.page.comparing import Comparing

        if self.other is None:
            return None
        base, seed = self.scenario, self.context.sandbox.seed
        if self._comparing is None or not self._comparing.is_of(base, seed):
            self._comparing = Comparing(self.work, self.runs, base, self.other, seed)
        return self._comparing

    def leave(self) -> None:
        """Count a browser that has closed a room."""
        self.left += 1

    @property
    def scenario(self) -> Scenario:
        """The scenario as it is served."""
        return self.context.sandbox.scenario

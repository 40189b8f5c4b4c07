"""Mornings that can be looked at: a scenario's, run at once, and that of the session so far."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from outsim.live.page.work import Work
from outsim.live.sandbox import Sandbox
from outsim.scenario.model import Scenario

if TYPE_CHECKING:
    from outsim.results.result import Result

RENEWED_S = 1.0
"""Wall-clock seconds between two looks at a session, at least."""
MOST_OF_TIME = 0.25
"""Share of the time that is spent on looking: a day of many calls is looked at less often."""
RECORDED, OTHER, LIVE = "recorded", "other", "live"
"""Names of mornings in URLs."""


class Morning(Protocol):
    """A run that can be drawn, and asked about."""

    @property
    def seed(self) -> int:
        """Seed of its draws."""

    async def scenario(self) -> Scenario:
        """What is run."""

    async def result(self) -> Result:
        """The run."""

    async def data(self) -> bytes:
        """What is drawn of it, as compressed JSON."""


class Recorded:
    """A run of a scenario from its beginning to its end, made when it is first wanted."""

    def __init__(
        self,
        work: Work,
        scenario: Scenario,
        seed: int,
        made: Result | None = None,
        first: Future[bytes] | None = None,
    ) -> None:
        self._work, self._scenario, self._seed = work, scenario, seed
        self._made, self._first = made, first
        self._result: asyncio.Task[Result] | None = None
        self._data: asyncio.Task[bytes] | None = None

    @property
    def seed(self) -> int:
        """Seed of its draws."""
        return self._seed

    def is_of(self, scenario: Scenario, seed: int) -> bool:
        """Whether this is its run."""
        return self._scenario is scenario and self._seed == seed

    async def scenario(self) -> Scenario:
        """What is run."""
        return self._scenario

    async def result(self) -> Result:
        """The run."""
        if self._made is not None:
            return self._made
        if self._result is None:
            made = self._work.run(_run, self._scenario, self._seed)
            self._result = asyncio.create_task(made)
        return await asyncio.shield(self._result)

    async def data(self) -> bytes:
        """What is drawn of it."""
        if self._data is None:
            self._data = asyncio.create_task(self._drawn())
        return await asyncio.shield(self._data)

    async def _drawn(self) -> bytes:
        if self._first is not None:
            with suppress(ProcessLookupError):
                return await asyncio.wrap_future(self._first)
        return await self._work.run(_drawn, await self.result())


class Live:
    """The session so far: the records of the engine under way."""

    def __init__(self, work: Work, sandbox: Sandbox) -> None:
        self._work, self._sandbox = work, sandbox
        self.looks = 0
        """How often it was looked at: each time there is more to draw."""
        self._known: tuple[int, int] | None = None
        self._not_before = 0.0
        self._made: tuple[Result, bytes] | None = None
        self._renewing = asyncio.Lock()

    @property
    def seed(self) -> int:
        """Seed of its draws."""
        return self._sandbox.seed

    async def scenario(self) -> Scenario:
        """The scenario, with what was handed in since."""
        return (await self.result()).scenario

    async def result(self) -> Result:
        """The run, as it was looked at last."""
        return (await self._latest())[0]

    async def data(self) -> bytes:
        """What is drawn of it."""
        return (await self._latest())[1]

    async def _latest(self) -> tuple[Result, bytes]:
        if self._made is None:
            async with self._renewing:
                if self._made is None:
                    self._made = await self._look()
        return self._made

    async def renew(self) -> None:
        """Look at the session again if something has happened in it, and it is time."""
        clock = asyncio.get_running_loop().time
        if self._renewing.locked() or clock() < self._not_before:
            return
        async with self._renewing:
            known = self._sandbox.clock.now, self._sandbox.last_event
            if known != self._known:
                begun = clock()
                self._made = await self._look()
                self._known = known
                self._not_before = begun + max(RENEWED_S, (clock() - begun) / MOST_OF_TIME)

    async def _look(self) -> tuple[Result, bytes]:
        # What makes tables takes long to load: not in the loop.
        await self._work.run(import_module, "outsim.live.replay")
        await self._sandbox.read_ahead()
        result = self._sandbox.result(with_now=True)
        drawn = await self._work.run(_drawn, result, is_live=True)
        self.looks += 1
        return result, drawn


class Mornings:
    """The mornings that a page has."""

    def __init__(
        self,
        work: Work,
        sandbox: Sandbox,
        other: Scenario | None,
        made: Result | None = None,
        first: Future[bytes] | None = None,
    ) -> None:
        self._work, self._sandbox, self._other = work, sandbox, other
        self._recorded: dict[str, Recorded] = {}
        run = Recorded(work, sandbox.scenario, sandbox.seed, made, first)
        self._recorded[RECORDED] = run
        self.live = Live(work, sandbox)

    def titles(self) -> dict[str, str]:
        """What they are, by name; the one to look at first comes first."""
        recorded = {name: f"{run.name}, recorded" for name, run in self._scenarios().items()}
        return recorded | {LIVE: "this session, live"}

    def named(self, name: str) -> Morning | None:
        """One of them; a run that was made for another seed or scenario is made anew."""
        if name == LIVE:
            return self.live
        scenario = self._scenarios().get(name)
        if scenario is None:
            return None
        there = self._recorded.get(name)
        if there is None or not there.is_of(scenario, self._sandbox.seed):
            there = self._recorded[name] = Recorded(self._work, scenario, self._sandbox.seed)
        return there

    def _scenarios(self) -> dict[str, Scenario]:
        found = {RECORDED: self._sandbox.scenario}
        if self._other is not None:
            found[OTHER] = self._other
        # A platform that only waits for what is handed in has no morning of its own.
        return {name: scenario for name, scenario in found.items() if scenario.campaign}


def _run(scenario: Scenario, seed: int) -> Result:
    from outsim.results.checkpoint import simulate

    return simulate(scenario, seed=seed)


def _drawn(result: Result, *, is_live: bool = False) -> bytes:
    from outsim.plots.animation import packed

    return packed(result, is_live=is_live)

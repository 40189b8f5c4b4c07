"""The sandbox: the model in the caller's asyncio loop, with an input log and a clock."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from outsim.errors import SandboxError
from outsim.live import state as states
from outsim.live.beginning import beginning_at
from outsim.live.driver import Driver
from outsim.live.inputs import (
    Clock,
)
from outsim.live.log import InputLog
from outsim.live.orders import Orders
from outsim.live.planning import Handlers
from outsim.live.state import Begins, Begun, HandlerTime, Options
from outsim.live.views import (
    Poster,
)
from outsim.plan import Plan
from outsim.scenario.loading import load
from outsim.scenario.model import Scenario

if TYPE_CHECKING:
    from outsim.live.saving import LeftOut


class Sandbox(Orders):
    """A platform that lives: it takes calls, dials them, and shows and posts what becomes of them.

    Open one with ``await Sandbox(...).open()`` and close it, or use ``async with Sandbox(...)``;
    all its methods belong to the loop that it was opened in. Reading methods are plain functions
    of the state as it stands; whoever answers somebody outside awaits `committed` first, so that
    the answer stays true over a crash.

    Parameters
    ----------
    scenario : Scenario or path
        The platform, its tenants and the load of others.
    seed : int, optional
        Default: the scenario's.
    state : path, optional
        Directory of the session: begun anew, or gone on with. None keeps nothing.
    speed : float, optional
        Of a free clock. None begins with the clock held, and goes on with a session as it was.
    held : bool
        Holds the clock of a session that is gone on with from the first instant.
    handler_time : str, optional
        Whether a real handler's latency counts as wall-clock time times the speed (``real``) or
        as the scenario's distribution has it (``scenario``). Default: ``real``.
    poster : callable, optional
        Posts a final result to a real handler, and says what became of it. Without one, handlers
        behave as the scenario's endpoints do.
    begins : str, optional
        ``now`` has the scenario begin now: all its clock times are moved by as much. Default:
        ``scenario``, which leaves them as they are.

    Raises
    ------
    SandboxError
        If the directory has a session of another scenario, or of another
        seed, handler time or beginning than was given.
    """

    def __init__(
        self,
        scenario: Scenario | str | Path,
        *,
        seed: int | None = None,
        state: str | Path | None = None,
        speed: float | None = None,
        held: bool = False,
        handler_time: HandlerTime | None = None,
        poster: Poster | None = None,
        begins: Begins | None = None,
    ) -> None:
        self._given = scenario if isinstance(scenario, Scenario) else load(scenario)
        self._options = Options(seed, handler_time, begins)
        self._state = None if state is None else Path(state)
        self._speed = speed
        self._held = held
        self._poster = poster
        self._is_resumed, self._begun = self._beginning()
        self._driver_: Driver | None = None
        self._turn = asyncio.Lock()
        """One at a time opens, resets or closes it."""

    def _beginning(self) -> tuple[bool, Begun]:
        """Whether there is a session already, and what it was begun with, or is to be."""
        given = self._given
        handlers: Handlers = "drawn" if self._poster is None else "real"
        if self._state is not None and (self._state / states.SESSION).exists():
            begun = states.read(self._state)
            states.check_same(self._state, begun, given, self._options, handlers)
            return True, begun
        options = self._options
        if options.begins == "now":
            given = beginning_at(given, datetime.now(UTC))
        return False, Begun(
            scenario=given,
            base=given,
            seed=given.seed if options.seed is None else options.seed,
            handlers=handlers,
            handler_time=options.handler_time or "real",
            begins=options.begins or "scenario",
        )

    @property
    def _driver(self) -> Driver:
        if self._driver_ is None:
            raise SandboxError("the sandbox is not open; use `async with` or open()")
        return self._driver_

    @property
    def scenario(self) -> Scenario:
        """The platform, its tenants and the load of others."""
        return self._begun.scenario

    @property
    def base(self) -> Scenario:
        """The scenario without what is varied from day to day."""
        return self._begun.base

    @property
    def is_resumed(self) -> bool:
        """Whether its directory had the session already."""
        return self._is_resumed

    @property
    def seed(self) -> int:
        """Seed of all that is drawn."""
        return self._begun.seed

    @property
    def log(self) -> InputLog:
        """All that came from outside."""
        return self._driver.log

    async def __aenter__(self) -> Self:
        return await self.open()

    async def open(self) -> Self:
        """Start it: a session in the state directory is replayed to its moment first."""
        async with self._turn:
            path = None
            if self._state is not None:
                self._is_resumed, self._begun = self._beginning()
                if not self._is_resumed:
                    states.write(self._state, self._begun)
                path = self._state / states.INPUTS
            await self._start(InputLog(path))
        return self

    async def _start(self, log: InputLog, base: Plan | None = None) -> None:
        self._driver_ = Driver(self._begun, log, self._poster, base)
        self._driver_.start(self._clock_order)
        await self._driver_.committed()

    @property
    def _clock_order(self) -> Clock | None:
        """What the clock is told as it starts; None goes on as it was."""
        if self._held:
            return Clock(state="held", speed=self._speed or 1.0)
        return None if self._speed is None else Clock(state="free", speed=self._speed)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close it: the log is durable, open posts are given up (and sent again at a restart)."""
        async with self._turn:
            if self._driver_ is not None:
                await self._driver_.close()
                self._driver_ = None

    async def reset(self, seed: int | None = None, scenario: Scenario | None = None) -> None:
        """Begin anew: an empty log, simulated time 0, and the same seed and scenario by default.

        Another scenario has the same tenants: it is the same platform on another day.
        """
        async with self._turn:
            await self._driver.close()
            begun = replace(
                self._begun,
                seed=self.seed if seed is None else seed,
                scenario=scenario or self.scenario,
            )
            is_same = begun.seed == self.seed and begun.scenario is self.scenario
            base = self._driver.session.base if is_same else None
            self._begun = begun
            path = None
            if self._state is not None:
                path = self._state / states.INPUTS
                path.unlink(missing_ok=True)
                states.write(self._state, self._begun)
            await self._start(InputLog(path), base)

    async def committed(self) -> None:
        """Wait until all that can be read now is durable; await it before answering anybody."""
        await self._driver.committed()

    def save(self, path: str | Path) -> LeftOut:
        """Write the session to a scenario file, its contact lists into ``contacts`` beside it.

        What was submitted and ordered is in it as if it had been known. What a scenario has no
        words for is left out, and counted: that is in the log only.
        """
        from outsim.live.saving import save_scenario

        return save_scenario(self._driver.session, self._begun, self.log, Path(path))

    def check_save(self, path: str | Path) -> None:
        """Refuse a file that `save` can't write, or that holds anything but this session."""
        from outsim.live.saving import check_place

        check_place(Path(path), self._begun, self.log)

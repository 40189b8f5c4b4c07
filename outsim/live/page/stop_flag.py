"""The flag for a stop: what a stop saves that comes where it is put."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from nicegui import ui
from nicegui.events import GenericEventArguments

from outsim.clock import SECOND, format_duration
from outsim.live.page.mornings import Morning
from outsim.live.page.narrowing import answer_so_far, narrowing
from outsim.live.page.work import Work
from outsim.scenario.model import Scenario
from outsim.studies.default_replications import STUDY

if TYPE_CHECKING:
    from outsim.questions.question import StudyQuestion
    from outsim.questions.stop import StopRace

SETTLED_S = 0.15
"""Wall-clock seconds that a flag has to stay where it is before it is worth a study."""


class StopFlag:
    """What a stop saves at the time where the flag is.

    Parameters
    ----------
    work : Work
        Whoever makes the runs.
    morning : callable
        The morning that the flag stands in.
    tell : callable
        Shows what there is to say of the stop.
    """

    def __init__(
        self, work: Work, morning: Callable[[], Morning], tell: Callable[[str], None]
    ) -> None:
        self._work, self._morning, self._tell = work, morning, tell
        self._asking: asyncio.Task[None] | None = None
        ui.context.client.on_delete(self.give_up)

    def moved(self, event: GenericEventArguments) -> None:
        """The flag is somewhere else, or nowhere."""
        self.give_up()
        self._tell("")
        if event.args is not None:
            self._asking = self._work.begin(self._tell, self._ask, float(event.args))

    def give_up(self) -> None:
        """Nobody waits for what is being asked."""
        if self._asking is not None:
            self._asking.cancel()

    async def _ask(self, at_s: float) -> None:
        await asyncio.sleep(SETTLED_S)
        morning = self._morning()
        scenario = await morning.scenario()
        after_us, before = await self._work.run(_after_start, scenario, at_s)
        if before:
            self._tell(before)
            return
        self._tell("The stop is being tried on the first days ...")
        ask = partial(_asked, scenario, after_us, morning.seed)
        async with aclosing(narrowing(self._work, ask, answer_so_far, STUDY)) as coming:
            async for answer in coming:
                self._tell(f"{answer.document.answer} {answer.document.asked}")


def _after_start(scenario: Scenario, at_s: float) -> tuple[int, str]:
    """Microseconds from the start of the campaign under study to an instant of the day.

    And what is to be said of a stop that takes effect before the start, which takes no run.
    """
    from outsim.questions.stop import stop_before_start
    from outsim.studies.comparable import campaign_of

    campaign = campaign_of(scenario)
    after_us = round(at_s * SECOND) - scenario.instant_us(campaign.start)
    return max(0, after_us), stop_before_start(scenario, campaign, after_us)


def _asked(
    scenario: Scenario, after_us: int, seed: int, executor: Executor, replications: int
) -> StudyQuestion[StopRace]:
    from outsim.questions.stop import stop

    return stop(
        scenario,
        after=[format_duration(after_us) if after_us else "0 s"],
        seed=seed,
        replications=replications,
        executor=executor,
    )

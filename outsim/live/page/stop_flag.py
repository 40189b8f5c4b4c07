"""The flag for a stop: what a stop saves that comes where it is put."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from nicegui import background_tasks, ui
from nicegui.events import GenericEventArguments

from outsim.clock import SECOND, format_duration
from outsim.errors import OutsimError
from outsim.live.page.mornings import Morning
from outsim.live.page.narrowing import narrowing
from outsim.live.page.work import Work
from outsim.questions.stop import stop
from outsim.studies.comparable import campaign_of

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
            self._asking = background_tasks.create(self._ask(float(event.args)))

    def give_up(self) -> None:
        """Nobody waits for what is being asked."""
        if self._asking is not None:
            self._asking.cancel()

    async def _ask(self, at_s: float) -> None:
        await asyncio.sleep(SETTLED_S)
        morning = self._morning()
        try:
            scenario = await morning.scenario()
            campaign = campaign_of(scenario)
            after_us = round(at_s * SECOND) - scenario.instant_us(campaign.start)
            if after_us < 0:
                self._tell(f"{campaign.full_name} starts at {campaign.start:%H:%M:%S}.")
                return
            self._tell("The stop is being tried on the first days ...")
            asked = narrowing(
                self._work,
                lambda executor, replications: stop(
                    scenario,
                    campaign,
                    after=[format_duration(after_us) if after_us else "0 s"],
                    seed=morning.seed,
                    replications=replications,
                    executor=executor,
                ),
            )
            async for race in asked:
                document = await self._work.run(race.document)
                self._tell(f"{document.answer} {document.asked}")
        except OutsimError as error:
            self._tell(str(error))

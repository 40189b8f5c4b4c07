"""The clock of a sandbox: free at a speed, held still, or advancing on order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal, Protocol, get_args

from outsim.clock import after, format_duration, microseconds_between
from outsim.errors import SandboxError, unknown_name
from outsim.live.inputs import Clock
from outsim.live.views import ClockView
from outsim.scenario.model import Scenario

ClockState = Literal["free", "held", "advancing", "ready"]
Until = Literal["idle", "reported", "campaign over", "next update visible", "next delivery"]
UNTIL: tuple[Until, ...] = get_args(Until)

SLOWEST, FASTEST = 0.1, 1000.0
"""Speeds of a free clock, in simulated time for wall-clock time."""


def why_it_ends(scenario: Scenario) -> str:
    """Why a run ends where it does."""
    if scenario.clock.latest is not None:
        return "clock.latest of the scenario"
    return "a day after clock.ends, for what is still under way; clock.latest moves it"


class Driver(Protocol):
    """Whoever lets time pass: what the clock asks of it."""

    state: ClockState

    @property
    def speed(self) -> float:
        """Simulated time for wall-clock time, of a free clock."""

    @property
    def begins(self) -> datetime:
        """When the scenario begins, local time."""

    @property
    def latest_us(self) -> int:
        """Where the run ends at the latest."""

    def touch(self) -> int:
        """Let a free clock catch up, and say where it is."""

    def view(self) -> ClockView:
        """All there is to say of the clock."""

    async def turn(self, state: Clock) -> None:
        """Hold the clock or set it free; durable when it returns."""

    async def advance(self, until_us: int, is_there: Callable[[], bool] | None) -> bool:
        """Advance to an instant, or until something is the case; whether it came to be."""

    def condition(
        self, what: Until, tenant: str | None, campaign: str | None
    ) -> Callable[[], bool]:
        """Whether something has come to be since now."""

    async def sleep_until(self, at: int) -> None:
        """Wait until an instant; the clock stops there until whoever waited goes on."""


class SandboxClock:
    """Simulated time, as a sandbox lets it pass."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    @property
    def now(self) -> int:
        """Microseconds since the scenario begins; never goes back, not over a restart either."""
        return self._driver.touch()

    @property
    def state(self) -> ClockState:
        """``free``, ``held``, ``advancing``, or ``ready``: held, after an advance is done."""
        return self._driver.state

    @property
    def view(self) -> ClockView:
        """All there is to say of it."""
        return self._driver.view()

    def local(self, at: int) -> datetime:
        """Aware local time of an instant, in the scenario's zone."""
        return after(self._driver.begins, at)

    def instant(self, moment: datetime) -> int:
        """Instant of an aware time.

        Raises
        ------
        SandboxError
            If it lies outside the run; both times are named.
        """
        at = microseconds_between(self._driver.begins, moment)
        if not 0 <= at < self._driver.latest_us:
            begins, ends = self._shown(0), self._shown(self._driver.latest_us)
            local = moment.astimezone(self._driver.begins.tzinfo)
            raise SandboxError(
                f"{local:%Y-%m-%d %H:%M:%S %Z} lies outside the run, which goes from {begins} to "
                f"{ends}; it is {self._shown(self.now)} now",
                "outside",
            )
        return at

    def _shown(self, at: int) -> str:
        return f"{self.local(at):%Y-%m-%d %H:%M:%S %Z}"

    async def hold(self) -> None:
        """Hold it still."""
        await self._driver.turn(Clock(state="held", speed=self._driver.speed))

    async def free(self, speed: float = 1.0) -> None:
        """Let it run freely, at 0.1 to 1000 times wall-clock time."""
        if not SLOWEST <= speed <= FASTEST:
            raise SandboxError(f"speed {speed:g}: must be {SLOWEST:g} to {FASTEST:g}")
        await self._driver.turn(Clock(state="free", speed=speed))

    async def advance_to(self, at: int) -> None:
        """Advance to an instant, and hold it there."""
        now = self.now
        if at < now:
            raise SandboxError(
                f"{self._shown(at)} is over: it is {self._shown(now)}, and no clock goes back",
                "outside",
            )
        if at > self._driver.latest_us:
            ends = self._shown(self._driver.latest_us)
            raise SandboxError(
                f"{self._shown(at)} lies outside the run, which ends at {ends}", "outside"
            )
        await self._driver.advance(at, None)

    async def advance_by(self, duration_us: int) -> None:
        """Advance by a duration, and hold it there."""
        if duration_us < 0:
            raise SandboxError(f"{format_duration(duration_us)}: no clock goes back")
        await self.advance_to(self.now + duration_us)

    async def advance_until(
        self, what: Until, *, tenant: str | None = None, campaign: str | None = None
    ) -> None:
        """Advance until something has happened, and hold it right after.

        Parameters
        ----------
        what : str
            ``campaign over``: all calls of the campaign have their final status, which need not
            be visible yet. ``reported``: it is, and every final result that is owed has been
            posted and answered, or given up; of the campaign, of all campaigns of the tenant, or
            of everybody. ``idle``: the same of everybody. ``next update visible`` and ``next
            delivery`` (a post begins): of any, or of the tenant or campaign.
        tenant, campaign : str, optional
            Of which; a campaign goes with its tenant.

        Raises
        ------
        SandboxError
            If there is no such thing to wait for, or the run ends first.
        """
        if what not in UNTIL:
            raise SandboxError(unknown_name("until", what, UNTIL))
        condition = self._driver.condition(what, tenant, campaign)
        if not await self._driver.advance(self._driver.latest_us, condition):
            raise SandboxError(
                f"{what}: did not come before {self._shown(self.now)}, where the clock stands",
                "outside",
            )

    async def sleep(self, duration_us: int) -> None:
        """Wait for simulated time to pass; a post that does so holds up no advancing clock."""
        await self._driver.sleep_until(self.now + duration_us)

"""What a day can have against a customer's application: lag, loss, order and outages, by seed.

Each variation is there on half of all days, and draws nothing that another one draws: a day
without one of its variations is the same in all else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from outsim.clock import HOUR, MINUTE, SECOND, format_duration
from outsim.display import percent
from outsim.errors import SandboxError, unknown_name
from outsim.live.inputs import Fault
from outsim.scenario.model import Scenario
from outsim.tape import Purpose, Tape

_DRAWS = 4
_SHARE_OF_DAYS = 0.5


@dataclass(frozen=True)
class Variation:
    """One thing that a day has against a customer's application."""

    name: str
    words: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Values of the scenario by key."""
    faults: Sequence[Fault] = ()
    """What goes wrong on order, in the input log."""


_Drawn = Sequence[float]


def _within(least: float, most: float, drawn: float) -> float:
    """Between two bounds, small values as likely as large ones: evenly by their logarithm."""
    return float(least * (most / least) ** drawn)


def _slow_updates(scenario: Scenario, drawn: _Drawn) -> Variation:
    work_ms = 1000 * scenario.platform.status_work.mean_s() * _within(3, 30, drawn[0])
    return Variation(
        "slow updates",
        f"an update of a status takes {work_ms:.0f} ms",
        {"platform.status_work": f"{work_ms:.0f} ms"},
    )


def _late(_: Scenario, drawn: _Drawn) -> Variation:
    share, delay_s = _within(0.05, 0.5, drawn[0]), round(_within(10, 300, drawn[1]))
    return Variation(
        "late callbacks",
        f"{percent(share)} of callbacks are {delay_s} s late",
        faults=[Fault(of="late", share=share, delay_s=delay_s)],
    )


def _lost_updates(_: Scenario, drawn: _Drawn) -> Variation:
    share = _within(0.003, 0.1, drawn[0])
    return Variation(
        "lost updates",
        f"{percent(share, 1)} of updates are lost",
        {"platform.lost_updates": f"{100 * share:.3f} %"},
    )


def _lost_answers(_: Scenario, drawn: _Drawn) -> Variation:
    share = _within(0.02, 0.3, drawn[0])
    return Variation(
        "lost answers",
        f"{percent(share)} of answers are lost, to callbacks and to what is queued",
        faults=[Fault(of="answer_lost", share=share)],
    )


def _reordered(_: Scenario, drawn: _Drawn) -> Variation:
    share, delay_s = _within(0.1, 0.7, drawn[0]), round(_within(0.5, 4, drawn[1]), 1)
    return Variation(
        "reordered callbacks",
        f"{percent(share)} of callbacks are overtaken for {delay_s:g} s",
        faults=[Fault(of="reordered", share=share, delay_s=delay_s)],
    )


def _duplicated(_: Scenario, drawn: _Drawn) -> Variation:
    share = _within(0.05, 0.6, drawn[0])
    return Variation(
        "duplicated callbacks",
        f"{percent(share)} of callbacks come twice",
        faults=[Fault(of="duplicated", share=share)],
    )


def _outage(
    name: str, of: Literal["status", "ports", "carrier", "intake_503"], words: str
) -> Callable[[Scenario, _Drawn], Variation]:
    def drawn_outage(scenario: Scenario, drawn: _Drawn) -> Variation:
        latest_us = scenario.instant_us(scenario.clock.latest_end)
        begins = 2 * MINUTE + round(drawn[0] * min(HOUR, latest_us // 2) / SECOND) * SECOND
        lasts = round(_within(30, 1200, drawn[1])) * SECOND
        if begins + lasts >= latest_us:
            begins, lasts = latest_us // 4, latest_us // 4
        return Variation(
            name,
            f"{words}, from {format_duration(begins)} on for {format_duration(lasts)}",
            faults=[Fault(of=of, begins=begins, ends=begins + lasts)],
        )

    return drawn_outage


KINDS: Mapping[str, Mapping[str, Callable[[Scenario, _Drawn], Variation]]] = {
    "lag": {"slow updates": _slow_updates, "late callbacks": _late},
    "loss": {"lost updates": _lost_updates, "lost answers": _lost_answers},
    "order": {"reordered callbacks": _reordered, "duplicated callbacks": _duplicated},
    "outages": {
        "no status updates": _outage("no status updates", "status", "no status is updated"),
        "no ports": _outage("no ports", "ports", "all ports are out"),
        "no carrier": _outage("no carrier", "carrier", "the carrier refuses all calls"),
        "nothing taken": _outage("nothing taken", "intake_503", "503 for whatever is queued"),
    },
}
"""Variations by their kind."""


def named(kinds: Collection[str]) -> tuple[str, ...]:
    """Variations of these names or kinds, in their order.

    Raises
    ------
    SandboxError
        If there is no such variation.
    """
    for kind in kinds:
        if kind not in KINDS and not any(kind in names for names in KINDS.values()):
            raise SandboxError(unknown_name("variation", kind, KINDS))
    return tuple(
        name for kind, names in KINDS.items() for name in names if {kind, name} & {*kinds}
    )


@dataclass(frozen=True)
class Day:
    """A seed, and what it has against a customer's application."""

    seed: int
    variations: tuple[Variation, ...] = ()

    @property
    def words(self) -> str:
        """What is against the application."""
        return "; ".join(variation.words for variation in self.variations) or "nothing varied"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variations."""
        return tuple(variation.name for variation in self.variations)

    def scenario(self, scenario: Scenario) -> Scenario:
        """The scenario of this day."""
        changes = {key: value for v in self.variations for key, value in v.changes.items()}
        return scenario.with_(changes, name=scenario.name) if changes else scenario


def draw_day(scenario: Scenario, seed: int, kinds: Collection[str]) -> Day:
    """The day of a seed: of these variations, those that it has."""
    tape = Tape(seed)
    wanted = named(kinds)
    found = []
    for names in KINDS.values():
        for name, drawn_variation in names.items():
            if name in wanted:
                there, *drawn = tape.uniforms(
                    "", f"variation {name}", Purpose.POST_FAILURE, count=_DRAWS
                )
                if there < _SHARE_OF_DAYS:
                    found.append(drawn_variation(scenario, drawn))
    return Day(seed, tuple(found))

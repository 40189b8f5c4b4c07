"""Regimes: one scenario under more or less load at :00, and with more or less of a carrier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import TypeVar

from pydantic import ValidationError

from outsim.errors import StudyError
from outsim.scenario.campaigns import Background, Campaign, StartMinutes
from outsim.scenario.model import Scenario
from outsim.scenario.parts import Part
from outsim.scenario.platform import Carrier

_Part = TypeVar("_Part", bound=Part)


@dataclass(frozen=True, order=True)
class Condition:
    """What is changed of a scenario."""

    max_retry: int
    """Retries of the campaign under study."""
    load: float
    """Factor on the background campaigns that start at :00."""
    carrier: float
    """Factor on the carrier's rate and channels."""

    @property
    def label(self) -> str:
        """Short name, which can be that of a directory."""
        return f"retries-{self.max_retry}_load-{self.load:g}_carrier-{self.carrier:g}"


def family(
    scenario: Scenario, regime: Condition, minutes: tuple[int, ...]
) -> tuple[Scenario, ...]:
    """The scenario in a regime, its campaign under study starting at each minute of its hour.

    Raises
    ------
    StudyError
        If the scenario has no background or no campaign to study, or can't be changed so.
    """
    campaign, background = scenario.campaign_under_study, scenario.background
    if campaign is None:
        raise StudyError(
            f"scenario {scenario.name!r} has no campaign to study; add one, or name it under "
            "[study]"
        )
    if background is None:
        raise StudyError(
            f"scenario {scenario.name!r} has no [background], so that there is nothing to scale "
            "at :00; add one"
        )
    shared = {
        "background": scaled_background(background, regime.load),
        "carrier": _scaled_carrier(scenario.carrier, regime.carrier),
    }
    return tuple(
        _started(
            scenario,
            campaign,
            campaign.start.replace(minute=minute, second=0, microsecond=0),
            regime,
            shared,
        )
        for minute in minutes
    )


def _started(
    scenario: Scenario,
    campaign: Campaign,
    start: datetime,
    regime: Condition,
    shared: dict[str, Part],
) -> Scenario:
    try:
        starting = _changed(campaign, start=start, max_retry=regime.max_retry)
        return _changed(
            scenario,
            name=f"start at :{start.minute:02d}",
            campaign=[starting if each is campaign else each for each in scenario.campaign],
            **shared,
        )
    except ValidationError as error:
        told = "; ".join(str(each["msg"]) for each in error.errors())
        raise StudyError(
            f"campaign {campaign.name!r} can't start at {start:%H:%M} with {regime.max_retry} "
            f"retries: {told}"
        ) from None


def _changed(part: _Part, **values: object) -> _Part:
    """A part with other values, as right as if a file had said them."""
    said = {name: getattr(part, name) for name in part.model_fields_set}
    return type(part).model_validate(said | values)


def scaled_background(background: Background, load: float) -> Background:
    """As many campaigns at all other minutes, and so many times as many at :00.

    The number of all campaigns is rounded; the weights of the minutes then share them out.
    """
    weights = background.start_minutes
    others = weights.half + weights.quarter + weights.other
    top = weights.top * load
    count = max(1, round(background.campaigns_per_hour * (others + top) / (others + weights.top)))
    return _changed(
        background,
        campaigns_per_hour=count,
        start_minutes=StartMinutes(
            top=top, half=weights.half, quarter=weights.quarter, other=weights.other
        ),
    )


def _scaled_carrier(carrier: Carrier, factor: float) -> Carrier:
    return _changed(
        carrier,
        rate=max(1, round(carrier.rate * factor)),
        channels=max(1, round(carrier.channels * factor)),
    )


def regimes_of(
    loads: Sequence[float], carriers: Sequence[float], retries: Sequence[int]
) -> tuple[Condition, ...]:
    """Every combination of loads, carriers and retries, in this order: retries, load, carrier.

    Raises
    ------
    StudyError
        If a factor is none, or stands twice.
    """
    for name, values in (("loads", loads), ("carriers", carriers)):
        if not values or len(set(values)) < len(values) or not all(0 < v <= 1000 for v in values):
            raise StudyError(
                f"{name} {', '.join(f'{value:g}' for value in values) or 'none'}: give one or "
                "more factors, each above 0, at most 1000, and once"
            )
    if not retries or len(set(retries)) < len(retries):
        raise StudyError(f"retries {', '.join(map(str, retries)) or 'none'}: give each count once")
    return tuple(
        Condition(max_retry, load, carrier)
        for max_retry, load, carrier in product(sorted(retries), sorted(loads), sorted(carriers))
    )


def check_minutes(minutes: tuple[int, ...]) -> None:
    """Refuse what are no starts to hold against :00.

    Raises
    ------
    StudyError
        If there is none, or one is not from 1 to 59, or stands twice.
    """
    right = all(0 < minute < 60 for minute in minutes) and len(set(minutes)) == len(minutes)
    if not minutes or not right:
        raise StudyError(
            f"starts {', '.join(map(str, minutes)) or 'none'}: give minutes of the hour to hold "
            "against :00, from 1 to 59, each once"
        )

"""Campaigns and calls of classes of background tenants, by local hour and weekday (rule 15).

How many come in an hour is one uniform's quantile of a Poisson distribution; when each starts
and how large it is come from streams of the hour and of its place in it. So more load adds
campaigns and changes none that is there, and so does a longer run or another class.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from outsim.clock import HOUR, after, local_segments, microseconds_between
from outsim.plan.background import BackgroundCampaign, start_minute
from outsim.scenario.background import TenantClass
from outsim.scenario.model import Scenario
from outsim.scenario.parts import WEEKDAYS
from outsim.scenario.sizes import SizeDistribution
from outsim.tape import Purpose, Tape

TENANT = "background class"
"""Stands for the tenant in the keys of what is drawn; the class's name is the campaign."""


@dataclass(frozen=True)
class _Hour:
    """A local clock hour of a run, or what a change of the clock leaves of it."""

    number: int
    """Counted from the one in which the run begins."""
    begins_us: int
    lasts_us: int
    weekday: int
    hour: int


def _hours(scenario: Scenario, until_us: int) -> list[_Hour]:
    begins, zone = scenario.clock.begins, scenario.clock.zone_info
    first = begins.replace(minute=0, second=0, microsecond=0)
    lead_us = microseconds_between(begins, first)
    starts, hours = local_segments(first, until_us - lead_us + HOUR, zone)
    lasts_us = np.diff(starts).tolist()
    return [
        _Hour(number, lead_us + int(start), lasts, *hour)
        for number, (start, lasts, hour) in enumerate(zip(starts, lasts_us, hours, strict=False))
        if lead_us + int(start) < until_us
    ]


def poisson(uniforms: NDArray[np.float64], means: NDArray[np.float64]) -> NDArray[np.int64]:
    """Quantile of a Poisson distribution with each mean at each uniform."""
    from scipy.special import pdtr, pdtrik

    count = np.ceil(np.nan_to_num(np.maximum(pdtrik(uniforms, means), 0)))
    below = np.maximum(count - 1, 0)
    least = np.where(pdtr(below, means) >= uniforms, below, count)
    return np.where(means > 0, least, 0).astype(np.int64)


@dataclass(frozen=True)
class _Drawing:
    """What the tape holds for one class in one run."""

    scenario: Scenario
    tape: Tape
    of: TenantClass
    until_us: int

    def _uniforms(self, purpose: Purpose, attempt: int, count: int) -> NDArray[np.float64]:
        return self.tape.uniforms(TENANT, self.of.name, purpose, attempt=attempt, count=count)

    def _tenant(self, number: int) -> str:
        width = len(str(self.of.tenants))
        return f"{self.of.name}-{number % self.of.tenants + 1:0{width}d}"

    def _counts(self, means: list[float]) -> list[int]:
        """How many come, where so many come on average."""
        uniforms = self._uniforms(Purpose.BACKGROUND_COUNT, 0, len(means))
        counts: list[int] = poisson(uniforms, np.array(means) * self.scenario.load).tolist()
        return counts

    def _places(self, attempt: int, count: int) -> list[float]:
        """Where in their hour lists start, from 0 to 1."""
        places = self._uniforms(Purpose.BACKGROUND_MINUTE, attempt, count).tolist()
        if self.of.kind == "steady":
            return [int(place * 3600) / 3600 for place in places]
        kinds = self._uniforms(Purpose.BACKGROUND_START, attempt, count).tolist()
        background = self.scenario.background
        assert background is not None
        weights = self.of.start_minutes or background.start_minutes
        return [start_minute(weights, *both) / 60 for both in zip(kinds, places, strict=True)]

    def _sizes(self, attempt: int, count: int) -> list[int]:
        contacts = self.of.contacts
        if not isinstance(contacts, SizeDistribution):
            return [contacts or 0] * count
        return contacts.sizes(self._uniforms(Purpose.BACKGROUND_SIZE, attempt, count))

    def campaigns(self) -> Iterator[BackgroundCampaign]:
        """Its campaigns that start from the begin of the run to its end."""
        if not self.of.lists_calls:
            return self._calls()
        return self._every_day() if self.of.repeats else self._anew()

    def _anew(self) -> Iterator[BackgroundCampaign]:
        """Lists that are drawn for each hour."""
        hours = _hours(self.scenario, self.until_us)
        rates = [self.of.rate_at(h.weekday, h.hour) * h.lasts_us / HOUR for h in hours]
        for hour, count in zip(hours, self._counts(rates), strict=True):
            if count == 0:
                continue
            sizes = self._sizes(1 + hour.number, count)
            for slot, place in enumerate(self._places(1 + hour.number, count)):
                start_us = hour.begins_us + round(place * hour.lasts_us)
                if 0 <= start_us < self.until_us and sizes[slot] > 0:
                    local = after(self.scenario.clock.begins, start_us)
                    yield BackgroundCampaign(
                        self._tenant(hour.number + slot),
                        f"{local:%H:%M} h{hour.number:02d}-{slot + 1:02d}",
                        start_us,
                        sizes[slot],
                    )

    def _every_day(self) -> Iterator[BackgroundCampaign]:
        """Lists that are drawn for the hours of a day, and come again on each of their days."""
        clock = self.scenario.clock
        weekday = WEEKDAYS.index(self.of.repeats[0])
        counts = self._counts([self.of.rate_at(weekday, hour) for hour in range(24)])
        places = [self._places(1 + hour, count) for hour, count in enumerate(counts)]
        first = clock.begins.astimezone(clock.zone_info).date()
        last = after(clock.begins, self.until_us).astimezone(clock.zone_info).date()
        for day in range((last - first).days + 1):
            date = first + timedelta(days=day)
            if WEEKDAYS[date.weekday()] not in self.of.repeats:
                continue
            for hour, count in enumerate(counts):
                sizes = self._sizes(1 + 24 * day + hour, count) if count else []
                for slot, place in enumerate(places[hour]):
                    at = time(hour, *divmod(round(place * 3600), 60))
                    local = datetime.combine(date, at, tzinfo=clock.zone_info)
                    start_us = self.scenario.instant_us(local.astimezone(UTC))
                    if 0 <= start_us < self.until_us and sizes[slot] > 0:
                        yield BackgroundCampaign(
                            self._tenant(hour + slot),
                            f"{at:%H:%M} {slot + 1:02d} {date}",
                            start_us,
                            sizes[slot],
                        )

    def _calls(self) -> Iterator[BackgroundCampaign]:
        """Single calls, an hour and a tenant at a time."""
        hours, tenants = _hours(self.scenario, self.until_us), self.of.tenants
        rates = [
            self.of.rate_at(h.weekday, h.hour) * h.lasts_us / HOUR / tenants
            for h in hours
            for _ in range(tenants)
        ]
        for place, count in enumerate(self._counts(rates)):
            if count == 0:
                continue
            hour = hours[place // tenants]
            within = self._uniforms(Purpose.BACKGROUND_CALL, 1 + place, count)
            whole_ms = np.rint(np.sort(within) * hour.lasts_us / 1000).astype(np.int64)
            requests_us = hour.begins_us + whole_ms * 1000
            requests_us = requests_us[(requests_us >= 0) & (requests_us < self.until_us)]
            if len(requests_us):
                start_us = max(0, hour.begins_us)
                local = after(self.scenario.clock.begins, start_us)
                yield BackgroundCampaign(
                    self._tenant(place % tenants),
                    f"{local:%H:%M} h{hour.number:02d}",
                    start_us,
                    len(requests_us),
                    requests_us,
                )


def class_campaigns(
    scenario: Scenario, tape: Tape, of: TenantClass, until_us: int
) -> Iterator[BackgroundCampaign]:
    """Campaigns of a class of tenants that start from the scenario's begin to `until_us`."""
    return _Drawing(scenario, tape, of, until_us).campaigns()

"""A fitted load as a scenario has it: classes of tenants, and where their numbers come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from outsim.calibration.load import ClassFit, LoadFit
from outsim.calibration.rates import Estimate
from outsim.clock import RATE_SECONDS, SECOND, write_duration

KEY = "background.tenant_class"
LEAST_RATE = 3600 / RATE_SECONDS
"""Lowest rate an hour that a scenario can say."""


class Known(NamedTuple):
    """One number of a load."""

    key: str
    """Key of the scenario."""
    estimate: Estimate
    starts: int
    """Lists, or calls, that it rests on."""
    unit: str = ""
    """Sign after the number in a scenario file."""


def _digits(value: float, digits: int = 4) -> str:
    """A number as people write it."""
    return f"{float(f'{value:.{digits}g}'):.10f}".rstrip("0").rstrip(".")


def _rate(value: float, unit: str) -> str:
    return f"{_digits(max(value, LEAST_RATE))}/{unit}"


def class_values(fit: ClassFit, profile: str | None) -> dict[str, Any]:
    """Values of one ``[[background.tenant_class]]``."""
    by_weekday = fit.rates.by_weekday.items()
    values: dict[str, Any] = {
        "name": fit.kind,
        "kind": fit.kind,
        "tenants": fit.tenants,
        "rate_by_hour": {
            str(hour): _rate(rate.value, "h") for hour, rate in fit.rates.by_hour.items()
        },
    }
    if fit.rates.by_weekday:
        values["rate_by_weekday"] = {day: round(known.value, 4) for day, known in by_weekday}
    if fit.sizes is not None:
        values["contacts"] = fit.sizes.contacts
    if fit.minutes:
        values["start_minutes"] = {k: round(known.value, 4) for k, known in fit.minutes.items()}
    if fit.kind == "steady" and fit.pace is not None:
        values["pacing"] = _rate(fit.pace.value, "min")
    if profile is not None:
        values["profile"] = profile
    values["max_retry"] = fit.max_retry
    if fit.retry_interval_s is not None:
        values["retry_interval"] = write_duration(round(fit.retry_interval_s.value * SECOND))
    return values


def load_values(load: LoadFit, profile: str | None = None) -> dict[str, Any]:
    """Tables ``clock`` and ``background`` of a scenario file."""
    classes = [class_values(fit, profile) for fit in load.classes]
    return {"clock": {"zone": load.zone}, "background": {"tenant_class": classes}}


def load_numbers(load: LoadFit) -> Iterator[Known]:
    """All numbers of a load that have intervals."""
    for fit in load.classes:
        key, starts = f"{KEY}[{fit.kind}]", fit.rates.starts
        for hour, rate in fit.rates.by_hour.items():
            yield Known(f"{key}.rate_by_hour.{hour}", rate, starts, "/h")
        for day, factor in fit.rates.by_weekday.items():
            yield Known(f"{key}.rate_by_weekday.{day}", factor, starts)
        if fit.sizes is not None:
            is_named = fit.sizes.log_sd is not None
            name = "contacts.median" if is_named else "contacts p50"
            yield Known(f"{key}.{name}", fit.sizes.median, fit.sizes.lists)
            yield Known(f"{key}.contacts p90", fit.sizes.p90, fit.sizes.lists)
            if fit.sizes.log_sd is not None:
                yield Known(f"{key}.contacts.log_sd", fit.sizes.log_sd, fit.sizes.lists)
        for name, share in fit.minutes.items():
            yield Known(f"{key}.start_minutes.{name}", share, starts)
        if fit.pace is not None and fit.kind == "steady":
            yield Known(f"{key}.pacing", fit.pace, starts, "/min")
        if fit.retry_interval_s is not None:
            yield Known(f"{key}.retry_interval", fit.retry_interval_s, fit.calls, " s")


def _end(known: Known, end: float) -> str:
    """An end of an interval, as a scenario takes it."""
    if known.key.endswith(".median"):
        return f"{max(round(end), 1)}"
    return _digits(max(end, LEAST_RATE if known.unit == "/h" else 0.0))


def load_sources(load: LoadFit, source: str, details: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Entries of ``[sources]``: one for each class, and the interval of each number."""
    for fit in load.classes:
        what = "calls" if fit.kind == "calls" else "lists"
        named = f"{source}: {fit.rates.starts:,} {what} of {fit.tenants:,} tenants"
        entry = {"grade": "calibrated", "source": named}
        key = f"{KEY}[{fit.kind}]"
        yield key, {**entry, "details": {**details, what: fit.rates.starts, "calls": fit.calls}}
        for known in load_numbers(load):
            low, high = (_end(known, end) for end in known.estimate[1:])
            if known.key.startswith(f"{key}.") and " " not in known.key and low != high:
                yield known.key, {**entry, "range": f"{low}{known.unit}:{high}{known.unit}"}

"""A real shared scheduler as an outsim scenario: its data, its load, and the fit of the load.

Jobs that a public scheduler starts by the clock are calls, its runners are ports, and the jobs of
all others are campaigns that start on the hour. ``python examples/shared_scheduler.py`` fits the
load to the days of 2022, writes ``scenarios/shared-scheduler.toml`` and prints the load, which
is kept here as `FITTED`. It takes some minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import rankdata

import outsim

HERE = Path(__file__).parent
DATA = HERE / "data" / "scheduled_job_lag.csv.gz"
SCENARIO = HERE.parent / "scenarios" / "shared-scheduler.toml"

SPACING_S = 1200.0
"""From one slot of the job that was watched to the next one."""
MINUTES = (0, 20, 40)
"""Its minutes of the hour."""
OWN_RUN_S = 254.0
"""What the job itself takes: a tenth of its runs at minute 40 of 2022 ended sooner."""
WATCHED_MINUTES = (0, 6, 13, 17, 20, 26, 40, 46)
"""Minutes of the hour at which the scenario watches a job: those of four real ones."""
EVERY_HOURS = (1, 4, 6, 12, 24)
"""Hours between two runs of a job, as people write them into a schedule."""


Array = NDArray[np.float64]
_SCALES = np.array([500.0, 15.0, 0.2, 0.5, 300.0, 100.0, 100.0, 100.0, 300.0])
"""Scale of each of the nine numbers in the search."""


class Load(NamedTuple):
    """What all others ask of the scheduler: the nine numbers that are fitted."""

    any_minute: float
    """Jobs an hour that come at no particular minute."""
    pace: float
    """Jobs a minute at which a list comes into the queue."""
    first: float
    """Share of an hour's list that is in the queue before the watched job of that minute."""
    half: float
    """Jobs of minute 30, as a share of the hour's list."""
    every: tuple[float, ...]
    """Jobs that come each 1, 4, 6, 12 and 24 hours: `EVERY_HOURS`."""

    def at(self, hour: int) -> float:
        """Jobs in the list of an hour, 0 to 23."""
        return sum(
            jobs for hours, jobs in zip(EVERY_HOURS, self.every, strict=True) if hour % hours == 0
        )


START = Load(560, 16, 0.16, 0.35, (290, 55, 60, 140, 400))
"""Where the search for the load began."""
FITTED = Load(548.2, 16.16, 0.1978, 0.3698, (293.5, 56.82, 62.16, 140.7, 411.6))
"""The load of 2022, as the search found it."""


def observed(job: str = "smfd") -> pd.DataFrame:
    """Slots of one job, with what was seen of each.

    Returns
    -------
    DataFrame
        ``slot`` (UTC), ``year``, ``month``, ``day`` (its date), ``hour``, ``minute``, ``delay_s``
        (missing where no run ended before the next slot), and ``lag_s``: the same with 1200 s
        for a missing one.
    """
    rows = pd.read_csv(DATA, parse_dates=["slot_utc"])
    rows = rows[rows["job"] == job].rename(columns={"slot_utc": "slot"})
    at = rows["slot"].dt
    rows = rows.assign(year=at.year, month=at.month, day=at.date, hour=at.hour)
    return rows.assign(lag_s=rows["delay_s"].fillna(SPACING_S)).drop(columns="job")


def by_slot(lags: pd.DataFrame) -> pd.DataFrame:
    """Median of ``lag_s`` over days, by ``hour`` (24 rows) and ``minute`` (a column each)."""
    return lags.groupby(["hour", "minute"])["lag_s"].median().unstack()


def simulated(scenario: outsim.Scenario, days: int, seed: int = 1) -> pd.DataFrame:
    """Waits of the watched jobs on some days, each a replication.

    Returns
    -------
    DataFrame
        ``day``, ``hour`` (-1 is the last hour of the day before), ``minute`` and ``wait_s``, from
        the slot to the start of the job.
    """
    found = []
    for day in range(days):
        result = outsim.simulate(scenario, seed=seed, replication=day)
        calls = result.calls
        watched = calls[calls["tenant"] == "watched"]
        since = watched["first_dispatched_at"] - (result.start + pd.Timedelta("1h"))
        slot = (watched["submitted_at"] - (result.start + pd.Timedelta("1h"))).dt.floor("1min")
        minutes = slot // pd.Timedelta("1min")
        found.append(
            pd.DataFrame(
                {
                    "day": day,
                    "hour": minutes // 60,
                    "minute": minutes % 60,
                    "wait_s": (since - slot).dt.total_seconds(),
                }
            )
        )
    return pd.concat(found, ignore_index=True)


def as_seen(
    waits: pd.DataFrame, minutes: tuple[int, ...] = MINUTES, spacing_s: float = SPACING_S
) -> pd.DataFrame:
    """What the commits of a simulated job would have shown, by the rule of the data.

    A slot's delay ends with the first run that ends after it, whichever slot that run is of; a
    delay of the spacing and more is none.

    Parameters
    ----------
    waits : DataFrame
        As `simulated` gives them.
    minutes : tuple of int
        Minutes of the hour of the job.
    spacing_s : float
        Seconds between its slots.

    Returns
    -------
    DataFrame
        ``day``, ``hour``, ``minute``, ``delay_s`` and ``lag_s``, as `observed` has them.
    """
    shown = []
    for _, day in waits[waits["minute"].isin(minutes)].groupby("day"):
        slots = (day["hour"] * 3600 + day["minute"] * 60).to_numpy(float)
        ends = np.append(np.sort(slots + day["wait_s"].to_numpy() + OWN_RUN_S), np.inf)
        delays = ends[np.searchsorted(ends, slots)] - slots
        shown.append(day.assign(delay_s=np.where(delays < spacing_s, delays, np.nan)))
    rows = pd.concat(shown).query("hour >= 0")
    return rows.assign(lag_s=rows["delay_s"].fillna(spacing_s)).drop(columns="wait_s")


def predicted(scenario: outsim.Scenario, days: int = 40) -> pd.DataFrame:
    """Median lag by hour and minute, as `by_slot` has it, over simulated days."""
    return by_slot(as_seen(simulated(scenario, days)))


def with_runners(scenario: outsim.Scenario, runners: int) -> outsim.Scenario:
    """The scenario with so many runners."""
    platform = scenario.platform.model_copy(update={"ports": runners})
    return scenario.model_copy(update={"platform": platform})


def scenario_text(load: Load) -> str:
    """The scenario file, with the load of all others."""
    slots = "\n".join(
        "  " + "".join(f"{hour * 3600 + minute * 60 + 1}, " for minute in WATCHED_MINUTES).rstrip()
        for hour in range(25)
    )
    lists = "\n".join(line for hour in range(-1, 24) for line in _lists(load, hour))
    numbers = {key: f"{value:.4g}" for key, value in load._asdict().items() if key != "every"}
    every = ", ".join(f"{jobs:.0f}" for jobs in load.every)
    return TEMPLATE.substitute(slots=slots, lists=lists, every=every, **numbers)


def _lists(load: Load, hour: int) -> Iterator[str]:
    """Lines of the lists of one hour; -1 is the last hour of the day before."""
    jobs = load.at(hour % 24)
    start = f"2022-06-{15 + hour // 24} {hour % 24:02d}"
    pacing = f', pacing = "{load.pace:.2f}/min"'
    for part, minute, share, paced in (
        ("first", 0, load.first, ""),
        ("later", 0, 1 - load.first, pacing),
        ("half past", 30, load.half, pacing),
    ):
        if contacts := round(jobs * share):
            yield (
                f'  {{ name = "{hour + 1:02d} {part}", tenant = "others", '
                f'start = "{start}:{minute:02d}", contacts = {contacts}{paced}, '
                f'profile = "job", max_retry = 0 }},'
            )


def scenario(load: Load) -> outsim.Scenario:
    """The scenario with a load."""
    with TemporaryDirectory() as directory:
        path = Path(directory, "scenario.toml")
        path.write_text(scenario_text(load))
        return outsim.load(path)


def misfit(load: Load, seen: pd.DataFrame, days: int = 10) -> float:
    """How far the median lags under a load are from those seen.

    The sum over slots of sqrt(1 + (error / 1 min)^2) - 1, lags over 20 minutes counting as 20: a
    few slots that are far off don't decide it. A slot is left out if the one before it was seen
    on fewer than half of the days: what was seen of it is another's run as a rule. All loads are
    tried on the same draws.

    Parameters
    ----------
    load : Load
        What is tried.
    seen : DataFrame
        Slots, as `observed` has them.
    days : int
        Simulated days.
    """
    target = by_slot(seen)
    shares = seen.assign(missing=seen["delay_s"].isna()).groupby(["hour", "minute"])["missing"]
    clear = (np.roll(shares.mean().to_numpy(), 1) < 0.5).reshape(target.shape)
    waits = simulated(scenario(load), days).query("minute in @MINUTES and hour >= 0")
    lags = by_slot(waits.assign(lag_s=waits["wait_s"] + OWN_RUN_S)).clip(upper=SPACING_S)
    errors_min = ((lags - target) / 60).to_numpy()[clear]
    return float(np.sum(np.hypot(1, errors_min) - 1))


def fit(seen: pd.DataFrame, start: Load = START, trials: int = 300) -> Load:
    """The load with the least `misfit`, by trials from a start; to four digits."""

    def load(values: Array) -> Load:
        any_minute, pace, first, half, *every = (float(value) for value in values)
        return Load(any_minute, pace, first, half, tuple(every))

    found = minimize(
        lambda point: misfit(load(point * _SCALES), seen),
        np.array([*start[:4], *start.every]) / _SCALES,
        method="COBYQA",
        bounds=[(0.01, 20)] * len(_SCALES),
        options={"maxfev": trials, "initial_tr_radius": 0.2, "final_tr_radius": 0.005},
    )
    return load(np.array([float(f"{value:.4g}") for value in found.x * _SCALES]))


def score(predicted: pd.DataFrame, seen: pd.DataFrame) -> dict[str, float]:
    """Errors of median lags, both as `by_slot` has them.

    Returns
    -------
    dict
        ``slot_error_s``, ``hour_error_s``, ``minute_error_s``: mean absolute error of a slot, of
        an hour (mean of its three slots) and of a minute (mean of its 24 slots); and
        ``slot_rank``, ``hour_rank``: Spearman's rank correlation over slots and hours.
    """
    one, other = predicted.to_numpy(), seen.to_numpy()
    return {
        "slot_error_s": float(np.abs(one - other).mean()),
        "hour_error_s": float(np.abs(one.mean(axis=1) - other.mean(axis=1)).mean()),
        "minute_error_s": float(np.abs(one.mean(axis=0) - other.mean(axis=0)).mean()),
        "slot_rank": _rank_correlation(one.ravel(), other.ravel()),
        "hour_rank": _rank_correlation(one.mean(axis=1), other.mean(axis=1)),
    }


def _rank_correlation(one: Array, other: Array) -> float:
    # The figure of scipy.stats.spearmanr, without its test, which takes most of its time.
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def scored(
    predicted: pd.DataFrame, seen: pd.DataFrame, first_hour: int = 0, repeats: int = 200
) -> pd.DataFrame:
    """`score` of some days against others, with 95 % intervals by the bootstrap over days.

    The days of both are drawn again: those seen, and those that the prediction is made from,
    simulated or real. What the fit itself might have been is not in it.

    Parameters
    ----------
    predicted, seen : DataFrame
        Slots with ``day``, ``hour``, ``minute`` and ``lag_s``, as `observed` and `as_seen` have
        them.
    first_hour : int
        Hours before this one are left out.
    repeats : int
        Times that the days are drawn.

    Returns
    -------
    DataFrame
        Indexed by the names of `score`: ``value``, ``low``, ``high``.
    """
    rng = np.random.default_rng(1)
    days = [
        lags[lags["hour"] >= first_hour]
        .pivot(index="day", columns=["hour", "minute"], values="lag_s")
        .sort_index(axis="columns")
        .dropna()
        .to_numpy()
        for lags in (predicted, seen)
    ]

    def medians(chosen: Array) -> pd.DataFrame:
        return pd.DataFrame(np.median(chosen, axis=0).reshape(-1, len(MINUTES)))

    def again(all_days: Array) -> Array:
        return all_days[rng.integers(len(all_days), size=len(all_days))]

    drawn = [score(*(medians(again(each)) for each in days)) for _ in range(repeats)]
    found = pd.DataFrame({"value": score(*map(medians, days))})
    found["low"], found["high"] = pd.DataFrame(drawn).quantile([0.025, 0.975]).to_numpy()
    return found


TEMPLATE = Template("""\
# Shows: a real shared scheduler as it was in 2022, hour by hour. Its jobs are calls, its runners
# are ports, and everybody's jobs of the full hour are the spike. The load of all others is fitted
# to what one job met there; notebooks/a-shared-scheduler.ipynb holds it against 2023.
#
# Nine numbers are fitted, by examples/shared_scheduler.py, which writes this file:
#   jobs an hour at no particular minute: $any_minute
#   jobs in the list of the hour that come every 1, 4, 6, 12 and 24 hours: $every
#   share of a list that is in the queue before the watched job of that minute: $first
#   jobs a minute at which the rest of a list comes into the queue: $pace
#   jobs of minute 30, as a share of the hour's list: $half
# What was seen are times: they tell the load for each runner, and little of how many runners
# there are. 30 of them and jobs of 90 s are a choice, and set how much a wait varies by chance.

name = "a shared scheduler"

campaign = [
  { name = "watched jobs", tenant = "watched", start = "2022-06-14 23:00", \
profile = "job", max_retry = 0, message = "252 s", requests = { times_s = [
$slots
  ] } },
  { name = "any minute", tenant = "others", start = "2022-06-14 23:00", \
profile = "job", max_retry = 0, requests = { rate = "$any_minute/h" } },
$lists
]

[clock]
zone = "UTC"
date = 2022-06-15
begins = "2022-06-14 23:00"
ends = "2022-06-16 00:00"

[platform]
ports = 30
start_jitter = "1 ms"
lost_updates = 0
wedged_calls = 0

[callees]
post_dial_delay = "1 s"
ring_human = "1 s"
message = { distribution = "lognormal", median = "65 s", log_sd = 0.8 }
early_hang_up = 0
fax_share = 0
hour_factors = { morning = 1, afternoon = 1, evening = 1, night = 1 }

[profiles.job]
human = 100
voicemail = 0
no_answer = 0
busy = 0

[study]
campaign = "watched/watched jobs"

[about]
purpose = "To hold the model against a real shared queue with a crowd at the full hour."
data = "Commit times of a public job every 20 minutes, 2022-04-26 to 2022-12-31: \
see examples/data."
preprocessing = "Median delay of each of the 72 slots of a day; \
a delay that was not seen counts as 20 min."

[sources.campaign]
grade = "calibrated"
source = "nine numbers fitted to the slots of 2022 of scheduled_job_lag.csv.gz"

[sources."platform.ports"]
grade = "assumption"
source = "a choice: lags tell the load for each runner, and little of how many there are"

[sources."callees.message"]
grade = "assumption"
source = "a choice: 90 s on average, so that 30 runners start 20 jobs a minute"
""")


if __name__ == "__main__":
    slots = observed()
    found = fit(slots[slots["year"] == 2022])
    SCENARIO.write_text(scenario_text(found), encoding="utf-8")
    sys.stdout.write(f"{found}\n")

"""Runs cut at a moment, and what a forecast from there says of what then happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from outsim.clock import after
from outsim.questions.eta_measures import CAMPAIGN_MEASURES, quantiles
from outsim.results.checkpoint import simulate
from outsim.results.measures import measure
from outsim.scenario import Scenario, load
from outsim.scenario.loading import with_snapshot
from outsim.tape import Purpose, Tape

JUDGED = ("median_out_s", "p90_out_s", "last_out_s", "finish_time_s")
FORECASTS = 19
"""Replications of a forecast: the least and the greatest bound a band of exactly 90 %."""
FORECAST_SEED = 777


def busy(
    contacts: int = 2500, *, ports: int = 80, dial_rate: str = "4/s", **background: Any
) -> Scenario:
    """A campaign that other tenants' campaigns hold up, 5,000 calls and more in all."""
    return load(
        {
            "clock": {"date": "2026-03-10", "begins": "08:00", "ends": "09:30", "latest": "11:30"},
            "platform": {"ports": ports, "dial_rate": dial_rate, "wedged_calls": 0.0},
            "campaign": [
                {
                    "name": "list",
                    "tenant": "acme",
                    "start": "08:15",
                    "contacts": contacts,
                    "max_retry": 2,
                    "retry_interval": "5 min",
                }
            ],
            "background": {
                "tenants": 6,
                "campaigns_per_hour": 6,
                "median_size": 220,
                "max_retry": 1,
                "retry_interval": "10 min",
            }
            | background,
        }
    )


def small() -> Scenario:
    """The same in small: a campaign of 300 calls."""
    return busy(contacts=300, ports=12, dial_rate="1/s", median_size=30)


def cut(scenario: Scenario, run: int, replications: int = FORECASTS) -> dict[str, bool]:
    """Cut one run at a random moment; by figure, whether the band held what then happened.

    Figures that were over by then are left out.
    """
    study = scenario.campaign_under_study
    assert study is not None
    true = simulate(scenario, replication=run, engine="compiled")
    figures = measure(true.measure_view(study), CAMPAIGN_MEASURES)
    start_s = scenario.instant_us(study.start) / 1e6
    uniform = float(
        Tape(FORECAST_SEED, run).uniforms("", "cuts", Purpose.START_JITTER, count=1)[0]
    )
    at_s = start_s + uniform * (figures["last_out_s"] - start_s)
    moment = after(scenario.clock.begins, round(at_s * 1e6))
    begun = with_snapshot(scenario, true.snapshot(moment))
    forecasts = [
        measure(
            simulate(begun, seed=FORECAST_SEED, replication=k, engine="compiled").measure_view(
                study
            ),
            CAMPAIGN_MEASURES,
        )
        for k in range(run * replications, (run + 1) * replications)
    ]
    held = {}
    for name in JUDGED:
        if figures[name] > at_s:
            band = quantiles([each[name] for each in forecasts])
            held[name] = bool(band.low <= figures[name] <= band.high)
    return held


def coverage(scenario: Scenario, runs: Iterable[int]) -> dict[str, tuple[int, int]]:
    """By figure, how often the band held what then happened, and how often it was asked."""
    held: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for run in runs:
        for name, is_held in cut(scenario, run).items():
            asked[name] += 1
            held[name] += is_held
    return {name: (held[name], asked[name]) for name in JUDGED}

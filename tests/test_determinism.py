"""The same scenario and seed give the same tables, byte for byte, wherever they are made."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.scenario import load

SCENARIO: dict[str, Any] = {
    "clock": {
        "zone": "America/New_York",
        "date": date(2026, 3, 10),
        "begins": "08:50",
        "ends": "10:30",
        "latest": "11:30",
    },
    "platform": {
        "ports": 12,
        "dial_rate": "2/s",
        "workers": 1,
        "dial_work": {"distribution": "exponential", "mean": "60 ms"},
        "status_work": "90 ms",
        "lost_updates": 0.02,
        "wedged_calls": 0.01,
        "reconciliation_every": "10 min",
    },
    "carrier": {"channels": 14, "rate": "1/s", "burst": 3},
    "endpoint": [
        {"name": "one", "failure_share": 0.2, "posts_at_once": 1},
        {"name": "two", "latency": "3 s", "timeout": "2 s"},
    ],
    "tenant": [{"name": "bolt", "max_simultaneous": 4}, {"name": "acme", "weight": 3}],
    "suspension": [
        {"begins": "09:20", "ends": "09:25", "tenant": "corp"},
        {"begins": "09:40", "ends": "09:42"},
    ],
    "outage": [
        {"of": "carrier", "begins": "09:10", "ends": "09:11", "drop": True},
        {"of": "ports", "begins": "09:30", "ends": "09:35", "count": 6},
    ],
    "campaign": [
        {
            "name": name,
            "tenant": tenant,
            "start": start,
            "contacts": 60,
            "retry_interval": "5 min",
            "missing_ani_share": 0.1,
            "result_url": url,
        }
        for tenant, name, start, url in (
            ("acme", "reminders", "09:00", "one"),
            ("acme", "recall", "09:00", "two"),
            ("bolt", "reminders", "09:00", "two"),
            ("corp", "notices", "09:15", "one"),
        )
    ]
    + [
        {
            "name": "requests",
            "tenant": "dune",
            "start": "09:00",
            "requests": {"rate": "40/hour", "until": "10:00"},
            "stop_at": "09:45",
        }
    ],
    "background": {"tenants": 3, "campaigns_per_hour": 3, "median_size": 20},
    "study": {"campaign": "notices"},
}
SEED = 99


def run(mapping: dict[str, Any] = SCENARIO, seed: int = SEED) -> Result:
    return simulate(load(mapping), seed=seed)


def digest(tables: dict[str, pd.DataFrame]) -> str:
    """Digest of every value, type and category of the tables, in the order of their rows."""
    found = hashlib.sha256()
    for name, table in tables.items():
        found.update(f"{name} {len(table)}\n".encode())
        for column in table:
            values = table[column]
            found.update(f"{column} {values.dtype}\n".encode())
            if isinstance(values.dtype, pd.CategoricalDtype):
                found.update("|".join(map(str, values.cat.categories)).encode())
                values = values.cat.codes
            elif isinstance(values.dtype, pd.DatetimeTZDtype):
                values = pd.Series(pd.DatetimeIndex(values).asi8)
            found.update(values.to_numpy().tobytes())
    return found.hexdigest()


def in_another_process(**variables: str) -> str:
    finished = subprocess.run(
        [sys.executable, str(Path(__file__))],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout.strip()


@pytest.fixture(scope="module")
def first() -> Result:
    return run()


def test_the_scenario_has_something_to_get_wrong(first: Result) -> None:
    assert len(first.attempts) > 300
    assert set(first.attempts["cause"]) >= {"", "carrier_rate", "carrier_outage", "missing_ani"}
    assert (first.attempts["attempt"] > 1).sum() > 50
    assert len(first.deliveries) > 100
    assert first.updates["reconciled"].any()
    assert first.calls["background"].any()


def test_once_more_gives_the_same(first: Result) -> None:
    assert digest(run().tables) == digest(first.tables)


def test_another_seed_or_replication_does_not(first: Result) -> None:
    assert digest(run(seed=SEED + 1).tables) != digest(first.tables)
    other = simulate(load(SCENARIO), seed=SEED, replication=1)
    assert digest(other.tables) != digest(first.tables)


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_another_process_gives_the_same(hash_seed: str, first: Result) -> None:
    assert in_another_process(PYTHONHASHSEED=hash_seed) == digest(first.tables)


def test_another_time_zone_of_the_machine_gives_the_same(first: Result) -> None:
    assert in_another_process(TZ="Pacific/Kiritimati", LC_ALL="C") == digest(first.tables)


def test_the_order_of_the_file_does_not_count(first: Result) -> None:
    """Campaigns, tenants, endpoints, suspensions and outages in another order."""
    turned = deepcopy(SCENARIO)
    for part in ("campaign", "tenant", "endpoint", "suspension", "outage"):
        turned[part] = turned[part][::-1]
    assert digest(run(turned).tables) == digest(first.tables)
    parts = dict(reversed(turned.items()))
    assert digest(run(parts).tables) == digest(first.tables)


def test_each_campaign_has_its_row_in_the_summary_whatever_the_order(first: Result) -> None:
    turned = deepcopy(SCENARIO)
    turned["campaign"] = turned["campaign"][::-1]
    pd.testing.assert_frame_equal(run(turned).summary().sort_index(), first.summary().sort_index())


def test_a_view_leaves_the_tables_as_they_are() -> None:
    result = run()
    before = digest(result.tables)
    result.timeline()
    result.timeline(every=None)
    result.call_log()
    result.status_page(result.end)
    result.summary()
    assert digest(result.tables) == before


if __name__ == "__main__":
    print(digest(run().tables))  # noqa: T201

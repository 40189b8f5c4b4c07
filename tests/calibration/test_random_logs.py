"""Whatever a log holds, its fit is a profile that a scenario takes, or an error that says why."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import outsim
from outsim.calibration import CalleeFit, fit, mapping_of, read_call_log
from outsim.errors import ScenarioError
from tests.calibration.random_logs import random_log
from tests.calibration_logs import call_log
from tests.measured import tell

SCENARIO = """
extends = "callees.toml"
[clock]
date = 2026-03-10
begins = "09:00"
ends = "10:00"
[[campaign]]
name = "reminders"
tenant = "clinic"
contacts = 3
start = "09:00"
"""
SEEDS = [
    pytest.param(range(30), id="quick"),
    *(
        pytest.param(range(first, first + 1_000), id=f"from {first}", marks=pytest.mark.deep)
        for first in range(0, 10_000, 1_000)
    ),
]


def calibration_of(seed: int, directory: Path) -> CalleeFit:
    """Fit of a random log: of its table, or of a file with it."""
    table, options = random_log(seed)
    zone, last_only = options.pop("zone"), options.pop("last_only")
    if seed % 2:
        columns = table.drop(columns="number", errors="ignore")
        return fit(call_log(columns, zone, last_only=last_only), **options)
    file = directory / "log.csv"
    table.to_csv(file, index=False)
    mapping = mapping_of({name: name for name in table}, last_only=last_only)
    return fit(read_call_log([file], format="csv", mapping=mapping, zone=zone), **options)


def check(found: CalleeFit, directory: Path) -> str:
    """Hold a calibration to what every one keeps; what was fitted, in a word."""
    found.save(directory / "callees.toml")
    scenario = outsim.load(directory / "scenario.toml")
    assert scenario.callees == found.callees
    assert scenario.uncertainty == found.uncertainty
    table = found.table()
    assert np.isfinite(table["value"]).all()
    fitted = table[table["source"] == "calibrated"]
    assert (fitted["low"] <= fitted["value"] * (1 + 1e-5) + 1e-9).all()
    assert (fitted["value"] <= fitted["high"] * (1 + 1e-5) + 1e-9).all()
    found.to_toml(), found.forms(), repr(found)
    names = [each.key for each in found.durations] + ["mix"] * (found.outcomes is not None)
    return f"{len(names)} parts fitted"


@pytest.mark.parametrize("seeds", SEEDS)
def test_random_logs_are_fitted_or_refused_with_a_reason(
    seeds: range, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    counts: Counter[str] = Counter()
    for seed in seeds:
        try:
            counts[check(calibration_of(seed, tmp_path), tmp_path)] += 1
        except ScenarioError as error:
            counts[f"refused: {str(error).partition(': ')[2][:30]}"] += 1
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
    assert {what for what in counts if what[0] == "r"} <= {
        "refused: no row can be used, read as cs"
    }
    assert sum(size for what, size in counts.items() if what[0] in "1234") > len(seeds) / 4
    for what, size in counts.items():
        tell(request, "Random call logs", f"{what}: {size:,} of {len(seeds):,}")


@pytest.mark.parametrize("seeds", SEEDS)
def test_loads_of_random_logs_are_fitted_or_refused_with_a_reason(
    seeds: range, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    counts: Counter[str] = Counter()
    for seed in seeds:
        table, options = random_log(seed)
        zone, last_only = options["zone"], options["last_only"]
        generator = np.random.default_rng(seed)
        tenants = int(generator.choice([0, 1, 3, 20]))
        if tenants:
            table["tenant"] = generator.integers(-(seed % 2), tenants, len(table))
        if seed % 3 == 0:
            table["campaign"] = generator.integers(
                -1, int(generator.choice([1, 5, 90])), len(table)
            )
        names = tuple(f"tenant {k}" for k in range(tenants))
        try:
            found = fit(call_log(table, zone, last_only=last_only, tenants=names), load=True)
            assert found.load is not None
            check(found, tmp_path)
            background = outsim.load(tmp_path / "scenario.toml").background
            assert [part.name for part in background.tenant_class] == [
                part.kind for part in found.load.classes
            ]
            first = "attempt" not in table or last_only
            dials = len(table) if first else int((table["attempt"] <= 1).sum())
            assert sum(part.calls for part in found.load.classes) == dials
            counts[f"{len(found.load.classes)} classes"] += 1
        except ScenarioError as error:
            counts[f"refused: {str(error)[:30]}"] += 1
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
    assert all(what.startswith("refused: load: ") for what in counts if what[0] == "r")
    assert sum(size for what, size in counts.items() if what[0] in "123") > len(seeds) / 4
    for what, size in counts.items():
        tell(request, "Loads of random call logs", f"{what}: {size:,} of {len(seeds):,}")


def made(outcomes: dict[str, int], **durations: Any) -> CalleeFit:
    """Fit of a log in which durations are drawn again and again from a few values."""
    generator = np.random.default_rng(2)
    words = np.repeat([*outcomes], [*outcomes.values()])
    generator.shuffle(words)
    table = pd.DataFrame({"outcome": words})
    for name, values in durations.items():
        table[name] = generator.choice(values, len(words))
    return fit(call_log(table, None))


@pytest.mark.parametrize(
    "ring_s",
    [
        [2, 2, 4, 4, *range(8, 28)],
        [3] * 10 + [*range(6, 28)],
        [1, 1, 1, 1, 86_400],
        [0, 0, 0, 0, 30],
        [0.001, 1e5],
    ],
)
def test_quick_answers_beside_ringing_are_fitted(ring_s: list[float], tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    found = made({"answered": 250, "no_answer": 100}, ring_s=ring_s)
    check(found, tmp_path)
    if found.durations:
        share = np.mean(np.array(ring_s) <= np.median(ring_s))
        fitted = found.durations[0].distribution.quantile_s(np.array([share]))
        assert np.isfinite(fitted).all()

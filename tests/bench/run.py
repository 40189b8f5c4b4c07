"""Measures speed and memory: `make bench`. Prints a table, and writes JSON where told.

Machines are noisy, so engines are measured side by side in the same run, on the
same tape, and what counts is the ratio.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from naive import NaivePlatform

from outsim.engine.readable.platform import Platform
from outsim.plan import Plan, build_plan
from outsim.scenario import from_mapping
from outsim.tape import Tape

CALLS = 50_000

SCENARIO: dict[str, Any] = {
    "name": "one campaign of 50,000 calls",
    "clock": {
        "zone": "UTC",
        "date": "2026-03-10",
        "begins": "09:00",
        "ends": "21:00",
        "latest": "21:00",
    },
    "platform": {"ports": 900, "dial_rate": "60/s", "dial_burst": 60, "workers": 6},
    "carrier": {"rate": "45/s", "burst": 45, "channels": 1200},
    "endpoint": [{"name": "customer", "posts_at_once": 50}],
    "campaign": [
        {
            "name": "notices",
            "tenant": "customer",
            "start": "09:00",
            "contacts": CALLS,
            "result_url": "customer",
        }
    ],
}


def _plan() -> Plan:
    return build_plan(from_mapping(SCENARIO), Tape(1))


def _engine() -> int:
    records = Platform(_plan()).run()
    return len(records.attempts["call_id"])


def _naive() -> int:
    return NaivePlatform(_plan()).run()


def _rate(run: Callable[[], int]) -> tuple[float, int]:
    begin = time.perf_counter()
    attempts = run()
    return attempts / (time.perf_counter() - begin), attempts


def _bytes_per_attempt() -> float:
    tracemalloc.start()
    plan = _plan()
    platform_ = Platform(plan)
    attempts = len(platform_.run().attempts["call_id"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / attempts


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    arguments = parser.parse_args()
    rates: dict[str, list[float]] = {"engine on SimPy": [], "naive SimPy program": []}
    attempts: dict[str, int] = {}
    for _ in range(arguments.rounds):
        for name, run in (("engine on SimPy", _engine), ("naive SimPy program", _naive)):
            rate, attempts[name] = _rate(run)
            rates[name].append(rate)
    medians = {name: statistics.median(values) for name, values in rates.items()}
    ratios = [
        one / other
        for one, other in zip(rates["engine on SimPy"], rates["naive SimPy program"], strict=True)
    ]
    figures = {
        "calls": CALLS,
        "rounds": arguments.rounds,
        "attempts": attempts,
        "attempts_per_s": medians,
        "engine_over_naive": statistics.median(ratios),
        "bytes_per_attempt": _bytes_per_attempt(),
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    print(f"{CALLS:,} calls, median of {arguments.rounds} rounds in one process")
    print(f"{'':24}{'attempts':>12}{'attempts/s':>14}")
    for name, rate in medians.items():
        print(f"{name:24}{attempts[name]:>12,}{rate:>14,.0f}")
    print(f"engine over naive program: {figures['engine_over_naive']:.2f}")
    print(f"memory of the engine, peak: {figures['bytes_per_attempt']:,.0f} bytes an attempt")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()

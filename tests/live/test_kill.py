"""Twenty kills at random points of a session: twenty restarts, and equal records."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outsim.clock import SECOND
from outsim.live.replay import replay
from outsim.testing.differences import find_first

KILLS = 20
SCENARIO = """
seed = 3
[clock]
date = 2026-03-10
begins = "09:00"
ends = "12:00"
[platform]
ports = 5
[background]
tenants = 2
campaigns_per_hour = 8
median_size = 20
[[tenant]]
name = "acme"
[[tenant]]
name = "bolt"
"""


def _orders() -> list[dict[str, Any]]:
    """Half an hour of a session: submissions, stops, an outage, and time between them."""
    orders: list[dict[str, Any]] = []
    for k in range(24):
        numbers = "".join(f"2125550{100 + (k + j) % 100}\n" for j in range(12))
        orders.append(
            {
                "submit": {
                    "tenant": ("acme", "bolt")[k % 2],
                    "campaign": f"c{k}",
                    "contacts": f"destination\n{numbers}",
                    "max_retry": k % 3,
                    "retry_interval_s": 60,
                    "result_url": f"http://127.0.0.1:{8001 + k % 2}/done",
                }
            }
        )
        orders.append({"advance_to": (k + 1) * 75 * SECOND})
        if k % 5 == 4:
            orders.append({"stop": [("acme", "bolt")[k % 2], f"c{k}"]})
        if k == 7:
            orders.append({"fault": {"of": "ports", "ends": 900 * SECOND, "count": 3}})
    return [order | {"number": k} for k, order in enumerate(orders)]


class _Session:
    """The process of a session."""

    def __init__(self, scenario: Path, state: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("killed_session.py"), scenario, state],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def give(self, order: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def wait(self, order: dict[str, Any]) -> None:
        assert self._line() == str(order["number"])

    def kill(self) -> None:
        self.process.kill()
        self._close()

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait() == 0
        self._close()

    def _close(self) -> None:
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue


def _kills(orders: int) -> Iterator[int]:
    """After which order each kill comes, before it is known to be done."""
    yield from sorted(random.Random(7).sample(range(orders), KILLS))


def test_a_session_killed_twenty_times_has_the_records_of_an_undisturbed_one(
    tmp_path: Path,
) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(SCENARIO)
    orders = _orders()
    undisturbed = _Session(scenario, tmp_path / "undisturbed")
    for order in orders:
        undisturbed.give(order)
        undisturbed.wait(order)
    undisturbed.end()

    kills = [*_kills(len(orders))]
    killed = _Session(scenario, tmp_path / "killed")
    for number, order in enumerate(orders):
        killed.give(order)
        if number in kills:
            killed.kill()
            killed = _Session(scenario, tmp_path / "killed")
            killed.give(order)
        killed.wait(order)
    killed.end()
    assert len(kills) == KILLS

    one, other = (
        replay(tmp_path / name, engine="simpy").arrays.records
        for name in ("undisturbed", "killed")
    )
    assert one.deliveries.rows > 50
    difference = find_first(one, other)
    assert difference is None, difference

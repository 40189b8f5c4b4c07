"""Twenty kills at random points of a session: twenty restarts, and equal records."""

from __future__ import annotations

import multiprocessing
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from runpy import run_path
from typing import Any

from outsim.clock import SECOND
from outsim.live.replay import replay
from outsim.testing.differences import find_first

KILLS = 20
SESSION = str(Path(__file__).with_name("killed_session.py"))
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["outsim.live", "outsim.live.sandbox"])
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
    """The process of a session, a fork of one that has imported everything."""

    def __init__(self, scenario: Path, state: Path) -> None:
        self._orders, theirs = FORKS.Pipe()
        given = {"init_globals": {"GIVEN": (scenario, state, theirs)}, "run_name": "__main__"}
        self._process = FORKS.Process(target=run_path, args=(SESSION,), kwargs=given)
        self._process.start()
        theirs.close()
        assert self._orders.recv() == "ready"

    def give(self, order: dict[str, Any]) -> None:
        self._orders.send(order)

    def wait(self, order: dict[str, Any]) -> None:
        assert self._orders.recv() == order["number"]

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        assert self._process.exitcode == -signal.SIGKILL
        self._orders.close()

    def end(self) -> None:
        self._orders.close()
        self._process.join()
        assert self._process.exitcode == 0


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

"""Golden traces: digests of everything that is recorded of some scenarios, by model version.

What is kept lies beside this module, in ``golden_traces.json``. Records that change make another
model, and studies of two models don't mix, so a change needs a higher
`outsim.engine.records.MODEL_VERSION`; the digests of a version that is there never change::

    OUTSIM_KEEP=traces .venv/bin/python -m pytest tests/test_golden_traces.py

adds those of the present version, and refuses if other ones are there.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import outsim
from outsim.engine import execute
from outsim.engine.records import MODEL_VERSION, Records
from outsim.plan import build_plan
from outsim.scenario import Scenario, load
from outsim.tape import Tape
from tests.test_determinism import SCENARIO, SEED
from tests.test_scenario_files import DIRECTORY, cut

KEPT = Path(__file__).with_suffix(".json")
COMMAND = "OUTSIM_KEEP=traces .venv/bin/python -m pytest tests/test_golden_traces.py"

FILES = (
    "carrier-outage",
    "contact-list",
    "fair-queue",
    "port-shortage",
    "quarter-past",
    "status-lag",
    "stop-race",
    "top-of-hour-peak",
)
NAMES = ("everything", *FILES)
"""Scenarios whose records are kept: one with a little of each rule, and files cut short."""

Digests = dict[str, str]


class SettledError(Exception):
    """Digests of a model version that are there already, and are others."""


def scenario(name: str) -> Scenario:
    if name == "everything":
        return load(SCENARIO)
    return cut(outsim.load(DIRECTORY / f"{name}.toml"), contacts=100)


def digest(records: Records) -> str:
    """Digest of every column, its name and type, and of where the run ended."""
    found = hashlib.sha256(str(records.ended_us).encode())
    for kind in ("attempts", "updates", "deliveries", "calls"):
        for name, column in getattr(records, kind).items():
            little_endian = column.astype(column.dtype.newbyteorder("<"))
            found.update(f"{kind} {name} {little_endian.dtype.str} {len(column)}\n".encode())
            found.update(little_endian.tobytes())
    return found.hexdigest()


@cache
def traced(name: str, engine: str = "simpy") -> str:
    """Digest of a scenario's run with the seed and replication that are kept."""
    records, _ = execute(build_plan(scenario(name), Tape(SEED, 1)), engine)  # type: ignore[arg-type]
    return digest(records)


def read() -> dict[int, Digests]:
    """Digests by model version and scenario."""
    return {int(version): digests for version, digests in json.loads(KEPT.read_text()).items()}


def with_version(kept: dict[int, Digests], version: int, found: Digests) -> dict[int, Digests]:
    """What is kept, and the digests of one version, which may bring scenarios that are new.

    Raises
    ------
    SettledError
        If the version has other digests, or there are higher ones.
    """
    latest = max(kept, default=0)
    if version < latest:
        raise SettledError(f"model version {version}: there is {latest} already; it never falls")
    there = kept.get(version, {})
    other = [name for name in there if found.get(name, there[name]) != there[name]]
    if other:
        raise SettledError(
            f"model version {version} has other records of {', '.join(other)}. If the change is "
            f"meant: set outsim.engine.records.MODEL_VERSION to {latest + 1}, then run {COMMAND}"
        )
    return kept | {version: there | found}


def keep_present() -> None:
    """Add the digests of the present version to what is kept."""
    kept = with_version(read(), MODEL_VERSION, {name: traced(name) for name in NAMES})
    KEPT.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")

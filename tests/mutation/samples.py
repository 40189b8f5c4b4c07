"""Inputs that are right, small, and of every kind: what mutations begin with."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from tests.calibration.logs import ANSWERED, Attempt

SCENARIO = """\
name = "small"

[clock]
zone = "America/New_York"
date = 2026-03-10
begins = "09:00"
ends = "10:00"
latest = "12:00"

[platform]
ports = 10
workers = 2
dial_rate = "5/s"
ring_timeout = "30 s"
reconciliation_every = "10 min"

[carrier]
rate = "4/s"
channels = 9
other_traffic = "10 %"

[callees]
message = {distribution = "lognormal", median = "20 s", log_sd = 0.5}
redial_factors = [1.0, 0.8]

[[campaign]]
name = "reminders"
tenant = "clinic"
start = "09:05"
contacts = 60
max_retry = 2
retry_interval = "5 min"
pacing = "30/min"
stop_at = "09:40"
expires_at = "10:30"
result_url = "hook"

[campaign.window]
opens = "08:00"
closes = "20:00"
days = ["mon", "tue"]

[[campaign]]
name = "notices"
tenant = "utility"
start = "09:00"
contacts = 20

[[campaign]]
name = "alerts"
tenant = "bank"
start = "09:10"
requests = {rate = "10/min", until = "09:20"}

[[tenant]]
name = "utility"
max_simultaneous = 3

[[endpoint]]
name = "hook"
latency = "200 ms"
timeout = "2 s"

[[suspension]]
tenant = "bank"
begins = "09:12"
ends = "09:15"

[[outage]]
of = "carrier"
begins = "09:20"
ends = "09:22"

[background]
tenants = 3
median_size = 20

[study]
campaign = "clinic/reminders"
deadline = "10:00"
"""

SETTINGS: tuple[tuple[str, str, Any], ...] = (
    ("platform", "ports", 1),
    ("platform", "wedged_calls", 1.0),
    ("platform", "lost_updates", 0.5),
    ("platform", "detection_accuracy", 0),
    ("platform", "ring_timeout", "1 us"),
    ("platform", "stop_latency", "300 d"),
    ("platform", "start_jitter", "10 h"),
    ("platform", "status_work", "20 s"),
    ("platform", "queue", "fair"),
    ("carrier", "other_traffic", 1.0),
    ("carrier", "refusal_time", "2 d"),
    ("carrier", "missing_ani_refusal", 0),
    ("callees", "hour_factors", {"morning": 0, "afternoon": 0, "evening": 0, "night": 0}),
    ("callees", "weekday_factors", [3, 3, 3, 3, 3, 3, 3]),
    ("callees", "gap_factors", [0.5, 2.0]),
    ("callees", "redial_factors", [0]),
    ("callees", "fax_share", 1.0),
    ("callees", "early_hang_up", 1.0),
    ("callees", "greeting", "1 d"),
    ("campaign", "profile", "none"),
    ("campaign", "contacts", 0),
    ("campaign", "contacts", 10**8),
    ("campaign", "max_simultaneous", 1),
    ("campaign", "missing_ani_share", 1.0),
    ("campaign", "pacing_at", "dispatch"),
    ("campaign", "submitted_at", "09:30"),
    ("campaign", "requests", {"times_s": [5, 5, 1, 1e300]}),
    ("campaign", "requests", {"rate": "1000000/s"}),
    ("campaign", "window", {"opens": "09:10", "closes": "09:10:00.000001"}),
    ("campaign", "window", {"opens": "09:00", "closes": "17:00", "days": ["tue", "tue"]}),
    ("clock", "zone", "right/UTC"),
    ("clock", "date", date(1970, 1, 1)),
    ("clock", "latest", "2027-03-10 09:00"),
    ("endpoint", "failure_share", 1),
    ("endpoint", "retry_after", ["1 us"] * 10),
    ("outage", "of", "ports"),
    ("outage", "count", 1_000_000),
    ("outage", "drop", True),
    ("background", "tenants", 10**6),
    ("background", "size_log_sd", 3),
    ("study", "deadline", "09:01"),
)
"""Settings that are legal or nearly so, and unusual: table, key, value."""

SNAPSHOT: dict[str, Any] = {
    "at": "09:20",
    "campaign": [
        {
            "tenant": "clinic",
            "name": "reminders",
            "completed": 12,
            "failed": 2,
            "waiting_retry": {"count": 4, "oldest": "09:12", "attempts": 1},
            "queued": {"count": 20, "oldest": "09:10"},
            "dialing": ["20 s", "09:19:55"],
            "connected": 1,
            "scheduled": 19,
        },
        {"tenant": "utility", "name": "notices", "queued": 10, "completed": 9, "connected": 1},
        {"tenant": "gym", "name": "offers", "queued": 30, "expired": 2, "undialed": 1},
    ],
}

CONTACTS = [
    ["destination", "first_name", "time_zone", "ani"],
    *(
        [f"tel:+1212555{k:04d}", f"Ann {k}", "America/Chicago", "2125550100" if k % 3 else ""]
        for k in range(40)
    ),
    ["12345", "Bob", "", ""],
    ["3125550199;ani=2125550100", 'Eve "E", 2nd', "America/New_York", ""],
]


def attempts() -> list[Attempt]:
    """Dials of a log, the same each time."""
    random = Random(5)
    outcomes = ("human", "voicemail", "no_answer", "busy", "human", "no_answer", "invalid")
    dials = []
    for k in range(120):
        outcome = random.choice(outcomes)
        ring = random.randrange(2, 40) if outcome not in ("busy", "invalid") else None
        talk = random.randrange(3, 90) if outcome in ANSWERED else None
        dials.append(Attempt(97 * k, f"212555{k % 60:04d}", outcome, ring, talk))
    return dials


def text(rows: list[list[str]]) -> str:
    """A table as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def keep_runs(directory: Path) -> None:
    """Keep a result, a study and a golden trace of the small scenario in a directory."""
    import outsim
    from tests.mutation.commands import call

    scenario = directory / "small.toml"
    scenario.write_text(SCENARIO)
    outsim.simulate(outsim.load(scenario), seed=1, engine="simpy").save(directory / "result")
    later = directory / "later.toml"
    later.write_text('extends = "small.toml"\nname = "later"\n[platform]\nports = 12\n')
    two = ("--replications", "2", "--executor", "threads", "--engine", "simpy")
    made = call(
        "compare", str(scenario), str(later), *two, "--directory", str(directory / "study")
    )
    if made.code:
        raise RuntimeError(f"the study to mutate was not made: {made.err}")

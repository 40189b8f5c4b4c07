"""A calm platform to state the rules on: every duration is constant, nothing is scarce.

A test takes it and makes the one thing scarce that its rule is about. On the calm
platform a call that is dispatched at 0 s is dialed at 1 s, rings at 2 s and then

==========  ==========  ==========
outcome     answered    ended
==========  ==========  ==========
human       5 s         20 s
voicemail   5 s         25 s
fax         5 s         9 s
no_answer   -           32 s
busy        -           2 s
invalid     -           2 s
refused     -           2 s
==========  ==========  ==========

Everybody is a person who answers unless a test says otherwise: `recorded` sets the
outcomes of single attempts. Contacts are loaded one a millisecond, so the n-th call
of a list is there at n ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.scenario import Scenario, load
from outsim.tape import Tape

DAY = date(2026, 3, 10)
"""A Tuesday."""
BEGINS = datetime(2026, 3, 10, 9, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

CALM: dict[str, dict[str, Any]] = {
    "clock": {"zone": "UTC", "date": DAY, "begins": "09:00", "ends": "10:00"},
    "platform": {
        "ports": 1000,
        "dial_rate": "10000/s",
        "dial_burst": 1000,
        "loader_rate": "1000/s",
        "workers": 1000,
        "dial_work": "1 s",
        "status_work": "10 ms",
        "ring_timeout": "30 s",
        "start_jitter": None,
        "stop_latency": "2 s",
        "lost_updates": 0.0,
        "wedged_calls": 0.0,
        "delivery_pool": 1000,
        "detection_person": "2 s",
        "detection_machine": "4 s",
        "detection_accuracy": 1.0,
    },
    "carrier": {
        "rate": "10000/s",
        "burst": 1000,
        "channels": 1000,
        "other_traffic": 0.0,
        "missing_ani_refusal": 1.0,
        "refusal_time": "1 s",
    },
    "callees": {
        "post_dial_delay": "1 s",
        "ring_human": "3 s",
        "ring_voicemail": "3 s",
        "phone_off": 0.0,
        "message": "15 s",
        "early_hang_up": 0.0,
        "greeting": "5 s",
        "key_press": "6 s",
        "agent_talk": "100 s",
        "fax_share": 0.0,
        "hour_factors": {"morning": 1.0, "afternoon": 1.0, "evening": 1.0, "night": 1.0},
        "weekday_factors": [1.0] * 7,
        "redial_factors": [1.0],
    },
}

INSTANTS = ("submitted_at", "start", "expires_at", "stop_at", "begins", "ends")


def at(second: float) -> str:
    """Clock time so many seconds after the run begins."""
    return f"{BEGINS + timedelta(seconds=second):%Y-%m-%d %H:%M:%S.%f}"


def part(**keys: Any) -> dict[str, Any]:
    """A suspension, an outage ...: instants may be seconds after the run begins."""
    return {
        key: at(value) if key in INSTANTS and isinstance(value, int | float) else value
        for key, value in keys.items()
    }


def campaign(
    name: str = "list", tenant: str = "acme", *, start: float | str = 0, **keys: Any
) -> dict[str, Any]:
    """A campaign of one call, answered by people, that is dialed once and not again."""
    if not keys.keys() & {"contacts", "contact_list", "requests"}:
        keys["contacts"] = 1
    rules = {"profile": "people", "max_retry": 0, "retry_interval": "60 s"}
    return part(name=name, tenant=tenant, start=start, **rules | keys)


def requests(*times_s: float) -> dict[str, Any]:
    """Single calls that are handed in at these seconds after the run begins."""
    return {"times_s": list(times_s)}


def scenario(*campaigns: dict[str, Any], **parts: Any) -> Scenario:
    """Scenario of these campaigns on the calm platform, but for what `parts` says."""
    people = {"human": 100, "voicemail": 0, "no_answer": 0, "busy": 0}
    mapping: dict[str, Any] = {
        "profiles": {"people": people} | parts.pop("profiles", {}),
        "campaign": list(campaigns),
    }
    for name, calm in CALM.items():
        mapping[name] = calm | parts.pop(name, {})
    mapping |= parts
    return load(mapping)


def run(*campaigns: dict[str, Any], tape: Tape | None = None, **parts: Any) -> Result:
    """Run these campaigns on the calm platform, but for what `parts` says.

    The rules are stated on the readable engine, which is the model's definition.
    """
    seed, replication = parts.pop("seed", 1), parts.pop("replication", 0)
    return simulate(
        scenario(*campaigns, **parts),
        seed=seed,
        replication=replication,
        engine="simpy",
        tape=tape,
    )


def recorded(**outcomes: Sequence[str | Sequence[str]]) -> Tape:
    """Tape with the outcomes of each campaign's calls: one word, or one for each attempt.

    >>> recorded(list=["busy", ["no_answer", "human"]])
    """
    return Tape.from_table(
        pd.DataFrame(
            [
                {"campaign": name, "index": index, "attempt": attempt, "outcome": outcome}
                for name, calls in outcomes.items()
                for index, call in enumerate(calls)
                for attempt, outcome in enumerate([call] if isinstance(call, str) else call, 1)
            ]
        )
    )


def seconds(instants: pd.Series[Any] | Iterable[Any], begins: datetime = BEGINS) -> list[Any]:
    """Seconds since the run begins, exact to the microsecond; None where nothing came."""
    return [
        None if pd.isna(instant) else (instant - begins) // MICROSECOND / 1e6
        for instant in instants
    ]


def of(table: pd.DataFrame, name: str | None) -> pd.DataFrame:
    """Rows of one campaign; all of them where none is named."""
    return table if name is None else table[table["campaign"] == name]


def dials(result: Result) -> list[tuple[str, int, int, float]]:
    """(campaign, index, attempt, second of dispatch) of every attempt, in order of dispatch."""
    index = result.calls.set_index("call_id")["index"]
    rows = result.attempts
    return list(
        zip(
            rows["campaign"],
            index.reindex(rows["call_id"]).tolist(),
            rows["attempt"].tolist(),
            seconds(rows["dispatched_at"]),
            strict=True,
        )
    )


def dispatched(result: Result, name: str | None = None) -> list[float]:
    """Second of each dispatch, in order."""
    return seconds(of(result.attempts, name)["dispatched_at"])


def order_of_dispatch(result: Result) -> list[str]:
    """Campaign of each dispatch, in order."""
    return list(result.attempts["campaign"])


def outcomes(result: Result, name: str | None = None) -> list[str]:
    """Outcome of each attempt, in order of dispatch."""
    return list(of(result.attempts, name)["outcome"])


def statuses(result: Result, name: str | None = None) -> list[str]:
    """Status of each call when the run ended, in list order."""
    return list(of(result.calls, name)["status"])


def changes(result: Result, call: int = 0) -> list[tuple[str, int, float]]:
    """(status, attempt, second) of every change of one call, in order of happening."""
    rows = result.updates[result.updates["call_id"] == call]
    return list(
        zip(rows["status"], rows["attempt"].tolist(), seconds(rows["happened_at"]), strict=True)
    )


def moment(second: float) -> datetime:
    """Instant so many seconds after the run begins."""
    return BEGINS + timedelta(seconds=second)


def contact_list(directory: Any, *rows: str, header: str = "destination,ani") -> str:
    """Path of a CSV in the platform's format with these rows."""
    path = directory / "contacts.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return str(path)

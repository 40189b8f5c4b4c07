"""A platform whose callees are known, and thin call logs of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from outsim.calibration import fit
from outsim.scenario import Scenario, load
from tests.calibration_logs import FIRST, call_log

REDIAL = (1.0, 0.6)
SHARES = {"human": 34, "voicemail": 29, "busy": 5, "no_answer": 32}
RING_TIMEOUT_S = 45

TRUE_CALLEES: dict[str, Any] = {
    "post_dial_delay": "1 ms",
    "ring_human": {"distribution": "lognormal", "median": "8 s", "log_sd": 0.45},
    "ring_voicemail": {"distribution": "lognormal", "median": "21 s", "log_sd": 0.15},
    "phone_off": 0.0,
    "message": {"distribution": "lognormal", "median": "40 s", "log_sd": 0.8},
    "early_hang_up": 0.0,
    "fax_share": 0.0,
    "hour_factors": dict.fromkeys(("morning", "afternoon", "evening", "night"), 1.0),
    "weekday_factors": [1.0] * 7,
    "redial_factors": list(REDIAL),
}
TRUE_PROFILES = {"known_list": SHARES | {"invalid": 0}}

PLATFORM: dict[str, Any] = {
    "name": "reminders",
    "clock": {"zone": "UTC", "date": "2026-03-10", "begins": "10:00", "ends": "12:00"},
    "platform": {"ports": 12, "ring_timeout": f"{RING_TIMEOUT_S} s", "wedged_calls": 0.0},
    "carrier": {"rate": "10000/s", "burst": 1000, "channels": 1000, "other_traffic": 0.0},
    "campaign": [
        {
            "name": "reminders",
            "tenant": "clinic",
            "contacts": 120,
            "start": "10:00",
            "max_retry": 1,
            "retry_interval": "10 min",
        }
    ],
}


def true_scenario(**callees: Any) -> Scenario:
    """The platform with the callees as they are, or with some things of them changed."""
    return load(PLATFORM | {"callees": TRUE_CALLEES | callees, "profiles": TRUE_PROFILES})


def true_completed_share() -> float:
    """Share of calls that is answered at one of two dials, where nothing is refused."""
    total = sum(SHARES.values())
    missed = [1 - (SHARES["human"] * factor + SHARES["voicemail"]) / total for factor in REDIAL]
    return 1 - missed[0] * missed[1]


def log_of(seed: int, dials: int) -> pd.DataFrame:
    """So many dials to these callees over four weeks, timed in whole seconds."""
    generator = np.random.default_rng(seed)
    callees = true_scenario().callees
    seconds = np.sort(generator.uniform(0, 28 * 86_400, dials))
    attempt = generator.integers(1, len(REDIAL) + 1, dials)
    total = sum(SHARES.values())
    uniforms = generator.uniform(size=dials) * total
    people = SHARES["human"] * np.array(REDIAL)[attempt - 1]
    machines = total - SHARES["voicemail"] - SHARES["busy"]
    outcome = np.select(
        [uniforms < people, uniforms < machines, uniforms < total - SHARES["busy"]],
        ["human", "no_answer", "voicemail"],
        "busy",
    )
    rings_s = np.select(
        [outcome == "human", outcome == "voicemail", outcome == "no_answer"],
        [
            callees.ring_human.quantile_s(generator.uniform(size=dials)),
            callees.ring_voicemail.quantile_s(generator.uniform(size=dials)),
            np.full(dials, float(RING_TIMEOUT_S)),
        ],
        np.nan,
    )
    # Nobody answers whom the platform has given up by then.
    answered = np.isin(outcome, ["human", "voicemail"])
    outcome = np.where(answered & (rings_s > RING_TIMEOUT_S), "no_answer", outcome)
    rings_s = np.minimum(rings_s, RING_TIMEOUT_S)
    talks_s = callees.message.quantile_s(generator.uniform(size=dials))
    return pd.DataFrame(
        {
            "started": FIRST + pd.to_timedelta(seconds.round(), unit="s"),
            "outcome": outcome,
            "attempt": attempt,
            "ring_s": np.rint(rings_s),
            "talk_s": np.where(outcome == "human", np.rint(talks_s), np.nan),
        }
    )


def calibrated(seed: int, dials: int, *, timed: bool = True, **parts: Any) -> Scenario:
    """The platform with callees fitted to such a log; without times, its outcomes alone are.

    All else is as true.
    """
    log = log_of(seed, dials)
    found = fit(call_log(log if timed else log.drop(columns=["ring_s", "talk_s"])))
    mapping = found.to_mapping()
    callees = TRUE_CALLEES | mapping.pop("callees")
    return load(PLATFORM | mapping | {"callees": callees} | parts)

"""Every default of the model, once, with its grade and its source.

Grades: M measured, V stated by a vendor, S standard or regulation, A assumption
inside stated bounds. Rows refer to the table of dialing facts that the project
keeps its sources in; an assumption without a row is outsim's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from outsim.scenario.keys import keys_of, parts

GRADES = {"M": "measured", "V": "vendor", "S": "standard", "A": "assumption"}
"""Grades in words."""


@dataclass(frozen=True)
class Default:
    """A default value with where it comes from."""

    value: Any
    """As it would be written in a scenario file."""
    grade: str
    """M measured, V vendor, S standard, A assumption."""
    source: str
    """Where the value comes from, in one line."""
    sweep: str = ""
    """Range worth sweeping; empty where none was given."""


_LOGNORMAL = "lognormal"

DEFAULTS: dict[str, Default] = {
    # Platform
    "platform.ports": Default(
        300, "A", "sized so that a calm hour keeps them two thirds busy", "100-2,000"
    ),
    "platform.dial_rate": Default(
        "20/s", "A", "below the carrier's limit plus what redials recover", "5-100/s"
    ),
    "platform.dial_burst": Default(20, "A", "one second of the dial rate"),
    "platform.loader_rate": Default(
        "500/s", "A", "platform: calls often enter the queue immediately", "50-5,000/s"
    ),
    "platform.workers": Default(2, "A", "90-120 % busy at the full dial rate", "+-50 %"),
    "platform.dial_work": Default("20 ms", "A", "no measurement found", "5-100 ms"),
    "platform.status_work": Default("30 ms", "A", "no measurement found", "5-100 ms"),
    "platform.ring_timeout": Default("60 s", "V", "Amazon Connect and Twilio: 60 s", "15-60 s"),
    "platform.start_jitter": Default("5 s", "A", "scheduled starts come 0-5 s late", "0-60 s"),
    "platform.stop_latency": Default("2 s", "A", "no measurement found", "0-30 s"),
    "platform.lost_updates": Default(
        0.0001, "A", "platform FAQ: it happens; not how often", "0-1 %"
    ),
    "platform.wedged_calls": Default(
        0.0001, "A", "platform FAQ: it happens; not how often", "0-1 %"
    ),
    "platform.reconciliation_every": Default(None, "A", "off"),
    "platform.queue": Default("fifo", "V", "platform glossary: first in, first out"),
    "platform.one_call_per_number": Default(False, "A", "nothing is said of it"),
    "platform.intake_rate": Default(
        None, "A", "platform: too many single calls fail; no number is given", "1-100/s"
    ),
    "platform.intake_burst": Default(None, "A", "one second of the intake rate"),
    "platform.queue_limit": Default(None, "A", "platform: none is documented", "1,000-1,000,000"),
    "platform.delivery_pool": Default(50, "A", "no measurement found", "1-500"),
    "platform.detection_person": Default("2 s", "V", "Asterisk AMD limits, Twilio", "1-5 s"),
    "platform.detection_machine": Default("5 s", "V", "Asterisk AMD limits, Twilio", "3-30 s"),
    "platform.detection_accuracy": Default(0.94, "V", "Twilio AMD page of about 2018", "80-99 %"),
    # Carrier
    "carrier.rate": Default(
        "15/s", "A", "shared trunk; vendors state 1-5/s per tenant", "1-100/s"
    ),
    "carrier.burst": Default(15, "A", "one second of the carrier's rate"),
    "carrier.channels": Default(400, "A", "room for the platform's ports and other traffic"),
    "carrier.other_traffic": Default(0.02, "A", "flat; direction only is known", "0-60 %"),
    "carrier.other_traffic_peak": Default({}, "A", "none"),
    "carrier.missing_ani_refusal": Default(
        0.8, "A", "platform: most carriers block calls without origin", "0-100 %"
    ),
    "carrier.refusal_time": Default("100 ms", "A", "a SIP 503 comes back at once"),
    # Callees
    "callees.post_dial_delay": Default(
        {"distribution": _LOGNORMAL, "median": "2653 ms", "log_sd": 0.496},
        "S",
        "ITU-T E.721, local connection: mean 3 s, 95 % under 6 s",
        "2-8 s",
    ),
    "callees.ring_human": Default(
        {"distribution": _LOGNORMAL, "median": "8 s", "log_sd": 0.45},
        "M",
        "UNICOM dialer logs: mode 6-10 s; tawkon: mean 8.67 s (shape: assumption)",
        "median 6-12 s",
    ),
    "callees.ring_voicemail": Default(
        {"distribution": "normal", "mean": "21 s", "sd": "3 s", "least": "10 s", "most": "40 s"},
        "M",
        "UNICOM dialer logs: second mode 18-22 s",
        "mean 18-30 s",
    ),
    "callees.phone_off": Default(0.1, "A", "share of voicemail that answers in 0-3 s"),
    "callees.phone_off_ring": Default(
        {"distribution": "uniform", "least": "1 ms", "most": "3 s"},
        "M",
        "UNICOM: some answers within 1 s",
    ),
    "callees.message": Default(
        {"distribution": _LOGNORMAL, "median": "21115 ms", "log_sd": 0.46},
        "M",
        "1,073 English messages at 150 words/min (speed: assumption)",
        "median 15-45 s",
    ),
    "callees.early_hang_up": Default(0.25, "A", "no usable measurement found", "0-50 %"),
    "callees.key_press": Default(
        {"distribution": _LOGNORMAL, "median": "6 s", "log_sd": 0.5}, "A", "none found", "3-15 s"
    ),
    "callees.greeting": Default("12 s", "A", "detection that waits for the beep", "5-30 s"),
    "callees.agent_talk": Default(
        {"distribution": _LOGNORMAL, "median": "170716 ms", "log_sd": 0.91},
        "M",
        "bank_outbound_2008, n 27,690",
    ),
    "callees.fax_share": Default(0.005, "A", "UNICOM: fax and modem up to 3 %", "0-3 %"),
    "callees.hour_factors": Default(
        {"morning": 0.93, "afternoon": 1.02, "evening": 1.05, "night": 0.99},
        "M",
        "PMC5875189, cell, weekdays",
        "flat to +-20 %",
    ),
    "callees.weekday_factors": Default([1.0] * 7, "M", "PMC5875189: within 2 points"),
    "callees.redial_factors": Default(
        [1.0, 1.0, 0.75, 0.73, 0.60, 0.5], "M", "cns_mobile_calls, weak", "1.0 to 0.5"
    ),
    "callees.gap_factors": Default(False, "M", "overlaps with the redial factors: off"),
    # Profiles of answering, percent of dials
    "profiles.known_list": Default(
        {"human": 34, "voicemail": 29, "no_answer": 27, "busy": 5, "invalid": 3},
        "A",
        "inside UNICOM's bounds; carrier failures emerge and are left out",
        "human 20-74 %",
    ),
    "profiles.cold_list": Default(
        {"human": 22, "voicemail": 33, "no_answer": 28, "busy": 5, "invalid": 10},
        "M",
        "PMC5875189 table 3; carrier failures emerge and are left out",
        "human 17-25 %",
    ),
    # Campaigns
    "campaign.profile": Default("known_list", "A", "customers call their own customers"),
    "campaign.max_retry": Default(2, "V", "Exotel: 2-3 retries; platform: 0-10", "0-10"),
    "campaign.retry_interval": Default(
        "30 min", "V", "Exotel: 30-60 min; platform: 1 min-2 days", "1 min-48 h"
    ),
    "retry.back_off": Default(1.0, "V", "platform: one interval for all retries", "1-3"),
    "retry.cap": Default("48 h", "V", "platform: the longest interval that it takes"),
    "retry.jitter": Default(None, "V", "platform: one interval for all retries"),
    "campaign.pacing_at": Default("admission", "A", "then a stop can save what is not admitted"),
    "campaign.stop_reaches": Default("loading", "V", "platform FAQ: not what entered the queue"),
    "campaign.stop_mode": Default("campaign", "V", "platform FAQ: a campaign is stopped"),
    "campaign.cancel_rate": Default("10/s", "A", "no measurement found"),
    "campaign.cancel_order": Default("newest", "A", "it saves most: the oldest go out first"),
    "campaign.stop_cancels_retries": Default(True, "A", "a waiting retry is not in the queue"),
    "campaign.duplicates": Default("dial", "A", "platform: not documented"),
    "campaign.missing_ani_share": Default(0.0, "A", "a campaign given as a count has caller IDs"),
    "campaign.when_refused": Default("gives up", "A", "a program that looks at no reply"),
    "campaign.asks_again": Default(
        {"interval": "30 s", "back_off": 2.0, "cap": "10 min", "most": 5},
        "A",
        "none found",
    ),
    # result_url endpoints
    "endpoint.latency": Default(
        {"distribution": _LOGNORMAL, "median": "200 ms", "log_sd": 0.8},
        "A",
        "none found",
        "0.05-5 s",
    ),
    "endpoint.timeout": Default("5 s", "A", "copied from Dialpad"),
    "endpoint.retry_after": Default(["2 s", "4 s", "8 s"], "A", "copied from Dialpad, on 5xx"),
    "endpoint.failure_share": Default(0.0, "A", "a customer's page that works"),
    "endpoint.posts_at_once": Default(10, "A", "no measurement found", "1-500"),
    # Background tenants
    "background.tenants": Default(12, "A", "at least 10"),
    "background.campaigns_per_hour": Default(12, "A", "no measurement found", "4-30"),
    "background.median_size": Default(830, "A", "headline; 2,500 at full scale"),
    "background.size_log_sd": Default(1.0, "A", "no measurement found"),
    "background.start_minutes": Default(
        {"top": 0.5, "half": 0.2, "quarter": 0.15, "other": 0.15},
        "A",
        "direction is documented, the split is not measured",
        "top 25-75 %",
    ),
}


def default(name: str) -> Any:
    """Pydantic field that takes its default from `DEFAULTS`."""
    return Field(default=DEFAULTS[name].value, validate_default=True)


def _is_used(part: Any, key: str) -> bool:
    """Whether a key says anything: most of a background of classes alone do not."""
    is_of_classes = getattr(part, "campaigns_per_hour", 1) == 0
    return not is_of_classes or key == "start_minutes"


def defaults_in_use(scenario: Any) -> dict[str, list[str]]:
    """Defaults that a scenario rests on, in the order of `DEFAULTS`, with the keys that are left.

    The background is one more campaign, as far as it has the keys of one.
    """
    left: dict[str, list[str]] = {name: [] for name in DEFAULTS}
    for part in parts(scenario):
        for key in () if part.path[0] == "profiles" else keys_of(part):
            name = f"{part.path[0]}.{key.path[-1]}"
            if part.path[0] == "background" and name not in DEFAULTS:
                name = f"campaign.{key.path[-1]}"
            if name in DEFAULTS and not key.is_set and _is_used(part.value, str(key.path[-1])):
                left[name].append(key.key)
    for profile in scenario.profiles_in_use:
        if profile not in scenario.profiles:
            left[f"profiles.{profile}"].append(f"profiles.{profile}")
    return {name: keys for name, keys in left.items() if keys}

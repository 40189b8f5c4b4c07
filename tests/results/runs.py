"""Runs that fill every table, and runs that fill none of them."""

from __future__ import annotations

from typing import Any

from outsim.results.result import Result
from tests.engine.scenarios import campaign, part, recorded, run

OUTCOMES = ["human", ["busy", "voicemail"], ["no_answer", "invalid"], "fax"]


def full(**parts: Any) -> Result:
    """Two customers' campaigns with every kind of end, posted to an endpoint; cut off at 100 s."""
    return run(
        campaign(contacts=4, max_retry=1, result_url="page"),
        campaign("late", start=95),
        campaign("stopped", "zeta", start=50, submitted_at=0, contacts=2, stop_at=10),
        tape=recorded(list=OUTCOMES, late=["human"]),
        platform={"intake_rate": "100/s"},
        endpoint=[part(name="page", latency="1 s")],
        **{"clock": {"ends": "09:01:40", "latest": "09:01:40"}} | parts,
    )


def of_nobody() -> Result:
    """No campaign at all."""
    return run()


def of_no_contacts() -> Result:
    """A campaign without contacts."""
    return run(campaign(contacts=0))


def of_nobody_yet() -> Result:
    """A campaign that is handed in after the run has ended."""
    return run(
        campaign(start=7200),
        clock={"ends": "10:00", "latest": "10:00"},
        study={"campaign": "list"},
    )


EMPTY = (of_nobody, of_no_contacts, of_nobody_yet)

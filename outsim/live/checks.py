"""Refuses what can't be done in a session, before anything is changed."""

from __future__ import annotations

from urllib.parse import urlsplit

from outsim.clock import after
from outsim.errors import SandboxError, unknown_name
from outsim.live.clock import why_it_ends
from outsim.live.inputs import (
    FAULTS,
    INTAKE,
    AnyInput,
    EndFault,
    Fault,
    Pin,
    Resume,
    Stop,
    Submit,
    Suspend,
)
from outsim.live.planning import SessionPlan
from outsim.plan.campaigns import FICTION


def check_input(session: SessionPlan, entry: AnyInput) -> None:
    """Refuse an input that can't be done.

    Raises
    ------
    SandboxError
        With its reason.
    """
    latest_us = session.base.latest_us
    if entry.at >= latest_us:
        why = why_it_ends(session.scenario)
        raise SandboxError(
            f"the run is over: it ends at {_shown(session, latest_us)} ({why}); begin another "
            "session, or reset this one",
            "outside",
        )
    tenant = getattr(entry, "tenant", None)
    if tenant is not None and tenant not in session.tenants:
        raise SandboxError(unknown_name("tenant", tenant, session.tenants), "unknown")
    if isinstance(entry, Submit):
        _check_submission(session, entry)
    elif isinstance(entry, Stop):
        comes = session.find(entry.tenant, entry.campaign).plan.submitted_us
        if entry.at < comes:
            raise SandboxError(
                f"campaign {entry.campaign!r} is submitted at {_shown(session, comes)}; before, "
                "there is nothing to stop",
                "conflict",
            )
    elif isinstance(entry, Suspend | Resume):
        what, done, whose = "suspension", "suspended", entry.tenant or "everybody"
        if entry.campaign is not None:
            if entry.tenant is None:
                raise SandboxError("a campaign is its tenant's: give tenant too")
            session.find(entry.tenant, entry.campaign)
            what, done, whose = "pause", "paused", f"campaign {entry.campaign} of {entry.tenant}"
        is_on = session.disturbances.is_suspended(entry.tenant, entry.campaign)
        if is_on == isinstance(entry, Suspend):
            said = f"{whose} is {done} already" if is_on else f"no {what} of {whose} is on"
            raise SandboxError(said, "conflict")
    elif isinstance(entry, Pin):
        _check_pin(session, entry)
    elif isinstance(entry, Fault):
        _check_fault(session, entry)
    elif isinstance(entry, EndFault) and entry.fault not in session.faults:
        raise SandboxError(unknown_name("fault", entry.fault, session.faults), "unknown")


def _check_submission(session: SessionPlan, entry: Submit) -> None:
    if (entry.tenant, entry.campaign) in session.campaigns:
        raise SandboxError(
            f"campaign {entry.campaign!r} of {entry.tenant} is there already; give another name",
            "conflict",
        )
    latest_us = session.base.latest_us
    for name, instant in (("start", entry.start), ("expires", entry.expires)):
        if instant is not None and instant >= latest_us:
            raise SandboxError(
                f"{name} {_shown(session, instant)} lies outside the run, which ends at "
                f"{_shown(session, latest_us)}",
                "outside",
            )
    begins = max(entry.start or 0, entry.at)
    if entry.expires is not None and entry.expires <= begins:
        raise SandboxError(
            f"expires {_shown(session, entry.expires)}: must be after {_shown(session, begins)}, "
            "when its calls may go out",
            "outside" if entry.expires <= entry.at else "invalid",
        )
    if entry.result_url is not None:
        parts = urlsplit(entry.result_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise SandboxError(f"result_url {entry.result_url!r}: write http://HOST/PATH")
    session.definition(entry)


def _check_pin(session: SessionPlan, pin: Pin) -> None:
    for number in pin.numbers:
        digits = number.isdigit() and len(number) == 10
        if not digits or not FICTION <= int(number) % 10**7 < FICTION + 100:
            raise SandboxError(
                f"number {number!r}: reserved numbers have ten digits, the last seven 5550100 to "
                "5550199"
            )
    limit_s = session.base.platform.ring_timeout_us / 1_000_000
    if pin.after_s is not None and pin.after_s > limit_s:
        raise SandboxError(
            f"after {pin.after_s:g} s: it rings {limit_s:g} s at most, and is no answer then"
        )


def _check_fault(session: SessionPlan, fault: Fault) -> None:
    begins = fault.at if fault.begins is None else fault.begins
    if begins < fault.at:
        raise SandboxError(
            f"begins {_shown(session, begins)}: it is {_shown(session, fault.at)} already",
            "outside",
        )
    if fault.ends is not None and fault.ends <= begins:
        raise SandboxError(f"ends {_shown(session, fault.ends)}: must be after it begins")
    if fault.of == "endpoint" and not fault.endpoint:
        raise SandboxError("a fault of an endpoint names it: give endpoint")
    word = FAULTS[fault.of]
    takes = [name for name in word.takes if fault.endpoint != INTAKE or name != "phone_number"]
    meaningless = [name for name in fault.given if name not in takes]
    if meaningless:
        where = f"{fault.of} at {INTAKE}" if fault.endpoint == INTAKE else fault.of
        outage = "an outage of it is everybody's; " if word.is_outage else ""
        raise SandboxError(
            f"{', '.join(meaningless)}: nothing that a fault of {where} can be limited to or "
            f"given; {outage}allowed: {', '.join(['begins', 'ends', *takes])}"
        )


def _shown(session: SessionPlan, at: int) -> str:
    return f"{after(session.scenario.clock.begins, at):%Y-%m-%d %H:%M:%S %Z}"

"""Random sessions: scenarios, and what comes from outside while they run.

Instants come from a coarse grid, as those of `tests.strategies` do: what comes from outside
meets much else at the same instant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from outsim.clock import SECOND
from outsim.errors import SandboxError
from outsim.live import EndFault, Fault, Pin, Post, Reply, Resume, Sandbox, Submit, Suspend
from outsim.scenario import Scenario
from tests.strategies import LISTS

HALF_S = SECOND // 2
STEPS = (0, 1, HALF_S, SECOND, 5 * SECOND, 30 * SECOND, 60 * SECOND, 120 * SECOND)
URLS = ("http://127.0.0.1:8001/done", "http://127.0.0.1:8002/done")
CAMPAIGNS = ("first", "second", "third")
GROUPS = ("default", "app 1")
NUMBERS = tuple(f"21255501{k:02d}" for k in range(8))

Order = tuple[str, dict[str, Any]]
"""What is done, and with what; names are resolved by the one who does it."""


def _of(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def _order(name: str, **values: st.SearchStrategy[Any]) -> st.SearchStrategy[Order]:
    return st.tuples(st.just(name), st.fixed_dictionaries(values))


TENANT = st.integers(0, 5)

SUBMISSIONS = _order(
    "submit",
    tenant=TENANT,
    campaign=_of(None, *CAMPAIGNS),
    group=_of(*GROUPS),
    contacts=_of(*LISTS.values(), "destination\n2125550103\n"),
    start=_of(None, 0, HALF_S, 30 * SECOND),
    expires=_of(None, None, 60 * SECOND, 120 * SECOND),
    max_retry=st.integers(0, 2),
    retry_interval_s=_of(60, 90),
    result_url=_of(None, *URLS),
    pacing_per_min=_of(None, None, 60, 120),
)
ADVANCES = _order("advance", by=_of(*STEPS))
FAULTS = _order(
    "fault",
    of=_of("ports", "workers", "channels", "carrier", "status", "endpoint"),
    begins=_of(None, HALF_S, 30 * SECOND),
    lasts=_of(None, HALF_S, 60 * SECOND),
    count=_of(None, 1),
    drop=st.booleans(),
    endpoint=_of(*URLS),
)
ORDERS: st.SearchStrategy[Order] = st.one_of(
    SUBMISSIONS,
    SUBMISSIONS,
    ADVANCES,
    ADVANCES,
    _order("stop", campaign=st.integers(0, 20)),
    _order("cancel", tenant=TENANT, group=_of(*GROUPS)),
    _order("suspend", tenant=_of(None, 0, 1, 2)),
    _order("suspend", tenant=_of(None, 0)),
    _order("resume"),
    _order("resume"),
    _order("pause", campaign=st.integers(0, 20)),
    _order(
        "pin",
        numbers=st.lists(_of(*NUMBERS), min_size=1, max_size=4, unique=True),
        outcome=_of(
            None,
            "human",
            "voicemail",
            "busy",
            "no_answer",
            "invalid",
            "fax",
            "refused",
            "stuck",
            "wedged",
            "misdetected",
        ),
        after_s=_of(None, 0.5, 2.0),
        talk_s=_of(None, 1.0),
    ),
    FAULTS,
    _order("end_fault", fault=st.integers(0, 3)),
    _order("end_fault", fault=st.integers(0, 3)),
)


def sessions() -> st.SearchStrategy[list[Order]]:
    """What comes from outside, in order: calls and time first, and then whatever comes."""
    return st.tuples(
        st.lists(st.one_of(SUBMISSIONS, SUBMISSIONS, ADVANCES, FAULTS), max_size=8),
        st.lists(ORDERS),
    ).map(lambda parts: [*parts[0], *parts[1]])


async def answer(post: Post) -> Reply:
    """A handler whose answers depend on the call alone: some late, some errors, some never."""
    kind = (post.call.call_id * 7 + post.number) % 8
    wall_s = (0.0, 0.1, 0.5, 1.0)[kind % 4]
    if kind == 5:
        return Reply("server_error", 500, wall_s)
    if kind == 6:
        return Reply("unreachable", None, wall_s)
    if kind == 7:
        return Reply("timeout")
    return Reply("accepted", 200, wall_s)


async def carry_out(sandbox: Sandbox, orders: Sequence[Order]) -> Counter[str]:
    """Do what is ordered, and count what was done and what was refused."""
    done: Counter[str] = Counter()
    for name, values in orders:
        try:
            await _carry_out(sandbox, name, values)
            done[name] += 1
        except SandboxError:
            done[f"{name}, refused"] += 1
    return done


async def _carry_out(sandbox: Sandbox, name: str, values: dict[str, Any]) -> None:
    now, tenants = sandbox.clock.now, sandbox.tenants
    of = None if values.get("tenant") is None else tenants[values["tenant"] % len(tenants)]
    given = {key: value for key, value in values.items() if key != "tenant"}
    if name == "submit":
        for key in ("start", "expires"):
            given[key] = None if given[key] is None else now + given[key]
        await sandbox.submit(Submit(tenant=of or "", **given))
    elif name == "advance":
        await sandbox.clock.advance_to(min(now + values["by"], last_instant(sandbox)))
    elif name in ("stop", "pause"):
        campaigns = sandbox.campaigns()
        chosen = campaigns[values["campaign"] % len(campaigns)]
        if name == "stop":
            await sandbox.stop(chosen.tenant, chosen.name)
        else:
            await sandbox.pause(chosen.tenant, chosen.name)
    elif name == "cancel":
        await sandbox.cancel(of or "", values["group"])
    elif name == "suspend":
        await sandbox.suspend(of)
    elif name == "resume":
        tenant, campaign = suspended(sandbox)
        if campaign is None:
            await sandbox.resume(tenant)
        else:
            await sandbox.unpause(tenant or "", campaign)
    elif name == "pin":
        await sandbox.pin(Pin(**given))
    elif name == "fault":
        await sandbox.order_fault(_fault(now, given))
    else:
        faults = sandbox.faults()
        if not faults:
            raise SandboxError("there is none")
        await sandbox.end_fault(EndFault(fault=faults[values["fault"] % len(faults)].number))


def suspended(sandbox: Sandbox) -> tuple[str | None, str | None]:
    """Tenant and campaign of the last suspension or pause that holds."""
    held: list[tuple[str | None, str | None]] = []
    for entry in sandbox.log:
        if isinstance(entry, Suspend):
            held.append((entry.tenant, entry.campaign))
        elif isinstance(entry, Resume):
            held.remove((entry.tenant, entry.campaign))
    if not held:
        raise SandboxError("nobody is suspended")
    return held[-1]


def _fault(now: int, values: dict[str, Any]) -> Fault:
    of = values["of"]
    begins = now + (values["begins"] or 0)
    return Fault(
        of=of,
        begins=begins,
        ends=None if values["lasts"] is None else begins + values["lasts"],
        count=values["count"] if of in ("ports", "workers", "channels") else None,
        drop=values["drop"] and of in ("ports", "channels", "carrier"),
        endpoint=values["endpoint"] if of == "endpoint" else None,
    )


def last_instant(sandbox: Sandbox) -> int:
    """Where the run ends."""
    clock = sandbox.scenario.clock
    return sandbox.scenario.instant_us(clock.latest_end)


async def held_session(
    scenario: Scenario, orders: Sequence[Order], state: Path, *, handler_time: str = "real"
) -> tuple[Any, Counter[str]]:
    """Result of a session on a held clock, and what was done in it."""
    async with Sandbox(
        scenario,
        state=state,
        handler_time=handler_time,  # type: ignore[arg-type]
        poster=answer,
    ) as sandbox:
        done = await carry_out(sandbox, orders)
        sandbox.result()  # looking at it on the way changes nothing
        await sandbox.clock.advance_to(
            min(sandbox.clock.now + 300 * SECOND, last_instant(sandbox))
        )
        return sandbox.result(), done

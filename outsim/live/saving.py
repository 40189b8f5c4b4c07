"""A session as a scenario: what was submitted and ordered, as if it had been known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import tomlkit

from outsim.clock import NEVER, after
from outsim.directories import checksum_of_values
from outsim.disk import atomic_write, check_writable, translate_disk_errors
from outsim.errors import SandboxError
from outsim.live.campaigns import SessionCampaign
from outsim.live.inputs import MODEL_FAULTS, AnyInput
from outsim.live.log import InputLog
from outsim.live.planning import SessionPlan
from outsim.live.state import Begun
from outsim.scenario.campaigns import Campaign, Endpoint
from outsim.scenario.loading import CONTACTS, lists_of, written
from outsim.scenario.model import Scenario
from outsim.scenario.platform import Outage, Pause, Suspension


@dataclass(frozen=True)
class LeftOut:
    """What a scenario has no words for: how often it was in a session."""

    outcomes: int = 0
    """Calls whose outcome was given."""
    faults: int = 0
    """Faults of the interface."""
    answers: int = 0
    """Answers of handlers."""
    cancellations: int = 0
    """Cancellations of what had been stopped already."""

    @property
    def words(self) -> str:
        """The same in words; empty if nothing is left out."""
        counted = (
            (self.outcomes, "outcome that was given", "outcomes that were given"),
            (self.faults, "fault of the interface", "faults of the interface"),
            (self.answers, "answer of a handler", "answers of handlers"),
            (self.cancellations, "cancellation after a stop", "cancellations after stops"),
        )
        return ", ".join(f"{count:,} {words[count != 1]}" for count, *words in counted if count)


def _left_out(session: SessionPlan, log: InputLog) -> LeftOut:
    entries = [*log]
    return LeftOut(
        sum(len(c.tape.pinned) for c in session.campaigns.values() if c.tape is not None),
        sum(entry.kind == "fault" and entry.of not in MODEL_FAULTS for entry in entries),
        sum(entry.kind == "answer" for entry in entries),
        sum(c.plan.rules.clear_effect_us != NEVER for c in session.campaigns.values()),
    )


def check_room(path: Path) -> None:
    """Refuse a file that a session can't be written to, or whose contact lists can't.

    Raises
    ------
    SandboxError
        If so.
    """
    with translate_disk_errors(path, SandboxError, "name a file that can be written"):
        check_writable(path)
    lists = path.parent / CONTACTS
    with translate_disk_errors(lists, SandboxError, "contact lists are written there"):
        if lists.exists():
            check_writable(lists / "list.csv")


def check_place(path: Path, begun: Begun, log: InputLog) -> None:
    """Refuse a file that the session can't be written to, or that is not of the same session.

    Raises
    ------
    SandboxError
        If so.
    """
    check_room(path)
    if path.is_file() and path.stat().st_size:
        said = _SAVED.match(path.read_text(encoding="utf-8", errors="replace"))
        count = 0 if said is None else int(said["count"])
        if said is None or said["mark"] != _mark(begun, [*log][:count]):
            raise SandboxError(
                f"{path}: is there already, and is not this session; name another file", "conflict"
            )


_SAVED = re.compile(
    r"# A session of the sandbox, as a scenario: (?P<count>\d+) inputs, (?P<mark>\w+)\n"
)
"""First line of a saved session, by which it is known again."""


def _mark(begun: Begun, entries: Iterable[AnyInput]) -> str:
    """What a session is known by: what it was begun with, and its first inputs."""
    said = [written(begun.scenario), begun.seed, *(entry.model_dump() for entry in entries)]
    return checksum_of_values(said)


def save_scenario(session: SessionPlan, begun: Begun, log: InputLog, path: Path) -> LeftOut:
    """Write a session to a scenario file, its contact lists into ``contacts`` beside it."""
    scenario = scenario_of(session, is_about_submitted=True)
    left_out = _left_out(session, log)
    for place, contacts in lists_of([scenario]).items():
        beside = path.parent / place
        beside.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(beside) as room:
            contacts.copy_to(room)
    document = tomlkit.document()
    document.add(
        tomlkit.comment(
            f"A session of the sandbox, as a scenario: {len(log)} inputs, {_mark(begun, log)}"
        )
    )
    if left_out.words:
        document.add(tomlkit.comment(f"Not in it: {left_out.words}."))
    document.update(_without_none(written(scenario)))
    with atomic_write(path) as room:
        room.write_text(tomlkit.dumps(document), encoding="utf-8")
    return left_out


def _without_none(value: Any) -> Any:
    """A value without whatever says nothing: TOML has no word for it."""
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value]
    return value


def _pauses(session: SessionPlan) -> Iterator[Pause]:
    """Pauses of the scenario and those ordered; of one campaign they must not overlap."""
    begins = session.scenario.clock.begins
    plans = (*session.base.suspensions, *session.disturbances.suspensions)
    spans: dict[str, list[tuple[int, int]]] = {}
    for plan in sorted(plan for plan in plans if plan.campaign):
        joined = spans.setdefault(f"{plan.tenant}/{plan.campaign}", [])
        since, until = plan.begins_us, plan.ends_us
        if joined and since < joined[-1][1]:
            since, until = joined[-1][0], max(until, joined.pop()[1])
        joined.append((since, until))
    for name, times in spans.items():
        for since, until in times:
            yield Pause(campaign=name, begins=after(begins, since), ends=_local(begins, until))


def scenario_of(session: SessionPlan, *, is_about_submitted: bool = False) -> Scenario:
    """The scenario with all that was submitted and ordered.

    `is_about_submitted` has the largest campaign that was submitted under study, if one was.
    """
    scenario = session.scenario
    begins = scenario.clock.begins
    names = endpoint_names(session)
    own = {endpoint.name for endpoint in scenario.endpoint}
    handlers = session.handler_defaults.model_dump()
    saved = scenario.model_copy(
        update={
            "seed": session.tape.seed,
            "campaign": [_saved(begins, found, names) for found in session.campaigns.values()],
            "endpoint": [
                *scenario.endpoint,
                *(Endpoint(**handlers | {"name": name}) for name in names if name not in own),
            ],
            "suspension": [
                *scenario.suspension,
                *(
                    Suspension(
                        tenant=plan.tenant or None,
                        begins=after(begins, plan.begins_us),
                        ends=_local(begins, plan.ends_us),
                    )
                    for plan in session.disturbances.suspensions
                    if not plan.campaign
                ),
            ],
            "pause": [*_pauses(session)],
            "outage": [
                *scenario.outage,
                *(
                    Outage(
                        of=plan.of,
                        count=plan.count or None,
                        begins=after(begins, plan.begins_us),
                        ends=_local(begins, plan.ends_us),
                        drop=plan.drop,
                        endpoint=names[plan.endpoint] if plan.endpoint >= 0 else None,
                    )
                    for plan in session.disturbances.outages
                ),
            ],
        }
    )
    saved.__dict__.pop("campaign_under_study", None)
    submitted = [found for found in session.campaigns.values() if found.entry is not None]
    if is_about_submitted and submitted:
        largest = max(submitted, key=lambda found: found.plan.size)
        return saved.asked_about(largest.definition)
    return saved


def endpoint_names(session: SessionPlan) -> list[str]:
    """What its endpoints are called in a scenario: by their hosts, each otherwise."""
    names: list[str] = []
    for endpoint in session.endpoints:
        scheme, _, host = endpoint.name.rpartition("/")
        name = _NO_NAME.sub(" ", host).strip()[:_LONGEST_HOST]
        while name in names:
            name += f" {scheme.partition(':')[0]}"
        names.append(name)
    return names


_NO_NAME = re.compile(r"[^\w .:+-]")
_LONGEST_HOST = 60


def _saved(begins: datetime, found: SessionCampaign, endpoints: list[str]) -> Campaign:
    """A campaign with its stop, and the endpoint that stands for its handler."""
    rules, url = found.plan.rules, found.plan.result_url
    changes: dict[str, Any] = {}
    if found.is_stopped:
        changes["stop_at"] = after(begins, rules.stop_requested_us)
        changes["stop_reaches"] = "queue" if rules.stop_reaches_queue else "loading"
    if found.entry is not None and url is not None:
        changes["result_url"] = endpoints[url.endpoint]
    return found.definition.model_copy(update=changes)


def _local(begins: datetime, at: int) -> datetime | None:
    return None if at == NEVER else after(begins, at)

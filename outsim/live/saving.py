"""A session as a scenario: what was submitted and ordered, as if it had been known."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import tomlkit

from outsim.clock import NEVER, after
from outsim.disk import atomic_write
from outsim.live.campaigns import SessionCampaign
from outsim.live.planning import SessionPlan
from outsim.scenario.campaigns import Campaign, Endpoint
from outsim.scenario.loading import lists_of, written
from outsim.scenario.model import Scenario
from outsim.scenario.platform import Outage, Suspension


def save_scenario(session: SessionPlan, path: Path) -> None:
    """Write a session to a scenario file, its contact lists into ``contacts`` beside it."""
    scenario = scenario_of(session)
    for place, contacts in lists_of([scenario]).items():
        beside = path.parent / place
        beside.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(beside) as room:
            contacts.copy_to(room)
    document = tomlkit.document()
    document.add(tomlkit.comment("A session of the sandbox, as a scenario."))
    document.update(_without_none(written(scenario)))
    with atomic_write(path) as room:
        room.write_text(tomlkit.dumps(document), encoding="utf-8")


def _without_none(value: Any) -> Any:
    """A value without whatever says nothing: TOML has no word for it."""
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value]
    return value


def scenario_of(session: SessionPlan) -> Scenario:
    """The scenario with all that was submitted and ordered."""
    scenario = session.scenario
    begins = scenario.clock.begins
    names = endpoint_names(session)
    own = {endpoint.name for endpoint in scenario.endpoint}
    handlers = session.handler_defaults.model_dump()
    saved = scenario.model_copy(
        update={
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
                ),
            ],
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

"""Campaigns of a session: the scenario's own, and those that customers submit."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from outsim.clock import NEVER, after, parse_rate
from outsim.errors import SandboxError, ScenarioError
from outsim.live.inputs import Submit
from outsim.live.tape import SessionTape
from outsim.plan import CampaignPlan
from outsim.scenario.campaigns import Campaign
from outsim.scenario.contacts import Clock, ContactList
from outsim.scenario.files import read_rows


@dataclass(eq=False)
class SessionCampaign:
    """A campaign of the scenario, or one that was submitted."""

    definition: Campaign
    """As a scenario says it."""
    plan: CampaignPlan
    entry: Submit | None = None
    """What submitted it; None for the scenario's own."""
    group: str = "default"
    tape: SessionTape | None = None
    is_paused: bool = False
    """Whether it is paused by an order."""

    @property
    def is_stopped(self) -> bool:
        """Whether its stop was asked for."""
        return self.plan.rules.stop_requested_us != NEVER

    def variables(self, index: int) -> dict[str, str]:
        """Columns of a row of the list that was submitted, but for the first."""
        header, rows = self._rows
        fields = rows[index] if index < len(rows) else ()
        return dict(zip(header[1:], fields[1:], strict=False))

    @cached_property
    def _rows(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        assert self.entry is not None
        lines = self.entry.contacts.splitlines(keepends=True)
        rows = [row.fields or () for row in read_rows(lines)]
        return tuple(name.strip() for name in rows[0]), [tuple(row) for row in rows[1:]]


def definition_of(entry: Submit, begins: datetime, zones: Collection[str]) -> Campaign:
    """A submission as a scenario would say it, of callees in zones that the session knows.

    Raises
    ------
    SandboxError
        If it makes no campaign.
    """
    assert entry.campaign is not None
    zone = begins.tzinfo
    assert isinstance(zone, ZoneInfo)
    clock = after(begins, entry.at).date(), zone
    try:
        return Campaign(
            name=entry.campaign,
            tenant=entry.tenant,
            submitted_at=after(begins, entry.at),
            start=after(begins, max(entry.start or 0, entry.at)),
            contact_list=_in_zones(
                ContactList.from_text(entry.contacts, clock=clock), entry.contacts, zones, clock
            ),
            max_retry=entry.max_retry,
            retry_interval=entry.retry_interval_s * 1_000_000,
            expires_at=None if entry.expires is None else after(begins, entry.expires),
            pacing=(
                None if entry.pacing_per_min is None else parse_rate(f"{entry.pacing_per_min}/min")
            ),
        )
    except (ScenarioError, ValueError) as error:
        raise SandboxError(str(error)) from None


def _in_zones(
    contacts: ContactList, text: str, zones: Collection[str], clock: Clock
) -> ContactList:
    """A list whose rows have no time zone but these: others count as that of the scenario."""
    unknown = {*contacts.zones} - {*zones}
    if not unknown:
        return contacts
    header, *rows = read_rows(text.splitlines(keepends=True))
    assert header.fields is not None
    column = [name.strip() for name in header.fields].index("time_zone")
    lines = [header.text]
    for row in rows:
        fields = row.fields or []
        if column < len(fields) and fields[column].strip() in unknown:
            blank = io.StringIO()
            csv.writer(blank, lineterminator="").writerow(
                [*fields[:column], "", *fields[column + 1 :]]
            )
            lines.append(blank.getvalue())
        else:
            lines.append(row.text)
    return ContactList.from_text("\n".join(lines), clock=clock)

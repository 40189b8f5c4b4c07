"""A scenario: everything that a run is made from, but for the seed and the replication.

Models are frozen; unknown keys are refused; every field is documented where it
stands, and its default comes from `outsim.scenario.defaults`. Nothing here is
drawn and nothing is run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from outsim.clock import DAY, after, format_duration, microseconds_between, parse_clock_time
from outsim.display import percent
from outsim.errors import ScenarioError, nearest, unknown_name
from outsim.scenario.accounts import Account, all_accounts
from outsim.scenario.background import Background, TenantClass
from outsim.scenario.callees import Callees, Profile
from outsim.scenario.campaigns import Campaign, Endpoint, Tenant
from outsim.scenario.checking import NAMES, checked, reference_problems
from outsim.scenario.defaults import DEFAULTS
from outsim.scenario.keys import (
    AddedEntries,
    KeyPath,
    is_entry,
    key_path,
    kinds_at,
    put,
    read_value,
    value_at,
)
from outsim.scenario.parts import WEEKDAYS, Name, Part, check_order, written
from outsim.scenario.platform import Carrier, Outage, Pause, Platform, Suspension
from outsim.scenario.recurrence import days_of, moved, on_day
from outsim.scenario.snapshot import Snapshot, snapshot_problems
from outsim.scenario.source import Source, Written
from outsim.scenario.sources import About, SourceOf, Uncertainty
from outsim.text import LONGEST_TITLE, title
from outsim.units import (
    ContradictionError,
    Date,
    LocalTime,
    Problem,
    ZoneName,
    shown,
)

LONGEST_RUN = 366 * DAY
ALTERED = "varied"
"""Stands for the file of a value that was set by `Scenario.with_`."""
ROUNDING = 1e-9
"""By which shares that are meant to make 1 may miss it."""
MOST_REPAIRS = 1_000_000
"""How often a run may look for lost updates."""


class Clock(Part):
    """When the run begins and ends, in local clock time."""

    zone: ZoneName = "UTC"
    """Time zone of the scenario, such as ``America/New_York``."""
    date: Date
    """Date that clock times without a date fall on."""
    begins: LocalTime
    """Start of the run: simulated time 0."""
    ends: LocalTime
    """End of the run, unless the campaign under study needs longer."""
    latest: LocalTime | None = None
    """A run whose campaign under study is not over at `ends` goes on by whole hours,
    at most to here; default 24 hours after `ends`."""

    @property
    def zone_info(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.zone)

    def at(self, text: str) -> datetime:
        """Local time that a text such as ``"09:15"`` stands for in this scenario."""
        return parse_clock_time(text, self.date, self.zone_info)

    @property
    def latest_end(self) -> datetime:
        """Where a run ends at the latest."""
        return self.latest or after(self.ends, DAY)

    @model_validator(mode="after")
    def _in_order(self) -> Clock:
        check_order(
            ("ends", self.ends, "begins", self.begins, False),
            ("latest", self.latest, "ends", self.ends, True),
        )
        if microseconds_between(self.begins, self.latest_end) > LONGEST_RUN:
            key = "latest" if self.latest else "ends"
            raise ContradictionError([((key,), "a run may last 366 days at most")])
        return self


class Study(Part):
    """What a scenario is asked about."""

    campaign: Annotated[str, Field(min_length=1, max_length=161)]
    """The campaign under study, as ``name`` or ``tenant/name``."""
    deadline: LocalTime | None = None
    """Clock time by which completed calls are counted; default: where the run ends."""


class Scenario(Part):
    """Everything that a run is made from, but for the seed and the replication."""

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_TITLE), AfterValidator(title)] = (
        "unnamed"
    )
    """What tables and plots call it."""
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = 1
    """Seed, where none is given."""
    load: Annotated[float, Field(gt=0, le=1000)] = 1.0
    """Factor on the load: contacts of lists given as counts, rates of requests, and campaigns and
    calls of the background over time. Contact lists and recorded requests stay as they are."""
    clock: Clock
    """When the run begins and ends."""
    platform: Platform = Field(default_factory=Platform)
    """The platform."""
    carrier: Carrier = Field(default_factory=Carrier)
    """The carrier."""
    callees: Callees = Field(default_factory=Callees)
    """Those who are called."""
    profiles: dict[Name, Profile] = {}
    """Profiles of answering, beside known_list and cold_list."""
    tenant: list[Tenant] = []
    """Customers of whom more than the name is said."""
    account: list[Account] = []
    """How customers log in to the sandbox; default: made up for each, and said at its start."""
    campaign: list[Campaign] = []
    """The campaigns."""
    endpoint: list[Endpoint] = []
    """result_url endpoints."""
    suspension: list[Suspension] = []
    """Times in which calls are held back."""
    pause: list[Pause] = []
    """Times in which the calls of one campaign are held back."""
    outage: list[Outage] = []
    """Times in which something is out of service."""
    background: Background | None = None
    """Other customers' campaigns; default: none."""
    study: Study | None = None
    """What the scenario is asked about."""
    snapshot: Snapshot | None = None
    """A live queue to forecast from: the run begins anew at its moment; default: none."""

    about: About | None = None
    """What the author says of it; default: nothing."""
    sources: dict[str, SourceOf] = {}
    """Where its values come from, by key, such as ``"callees.ring_human"``."""
    uncertainty: Uncertainty | None = None
    """What a calibrated callee profile rests on; default: nothing is said."""

    _path: Path | None = PrivateAttr(default=None)
    _written: Written = PrivateAttr(default_factory=Written)

    @classmethod
    def from_source(cls, source: Source) -> Scenario:
        """Make a scenario of a `source`: what was written, wherever that was."""
        scenario = checked(cls, source)
        scenario._written = Written({key: at.file for key, at in source.origins.items()})
        return scenario

    def with_(self, changes: Mapping[str, Any], *, name: str | None = None) -> Scenario:
        """The same scenario with other values at these keys, checked as a file is.

        Parameters
        ----------
        changes : mapping
            Value by key. A key is written as messages write it: ``platform.ports``,
            ``campaign[NAME].start`` (``campaign[TENANT/NAME]`` where several have the name),
            ``callees.redial_factors[1]``. A text is read as in a scenario file, where quotes can
            be left out: ``300``, ``20/s``, ``10 min``, ``2 %``, ``09:15``, ``mon, tue``. ``new``,
            ``new2`` ... stand for entries that are added, as in ``outage[new].begins``; ``none``
            for an entry, as in ``suspension[0]``, takes it out.
        name : str, optional
            What it is called; default: this one's name and the changes.

        Raises
        ------
        ScenarioError
            If there is no such key, or the scenario can't be used with the value.

        Examples
        --------
        >>> import outsim
        >>> scenario = outsim.load("scenarios/stop-race.toml")
        >>> faster = scenario.with_({"campaign[paced offer].pacing": "1/s", "platform.ports": 40})
        >>> faster.name
        'the stop races the queue, campaign[paced offer].pacing = 1/s, platform.ports = 40'
        """
        values, whole, files = self._as_set(), self.plain_tables(), dict(self.written.files)
        settings = [
            f"{key} = {v if isinstance(v, str) else shown(v)}" for key, v in changes.items()
        ]
        if name is not None or settings:
            values["name"] = name or title(", ".join([self.name, *settings]))
        added: AddedEntries = {}
        removed: set[KeyPath] = set()
        for key, value in changes.items():
            path = key_path(key, whole, added)
            read = read_value(value, Scenario, path) if isinstance(value, str) else value
            if (
                isinstance(read, str)
                and read == "none"
                and is_entry(path)
                and value_at(whole, path) is not None
            ):
                removed.add(path)
                path = path[:1]  # those after it have other numbers then
            else:
                put(values, whole, path, read)
            files = {old: file for old, file in files.items() if old[: len(path)] != path}
            files[path] = ALTERED
        for listed, place in sorted(removed, reverse=True):
            del values[str(listed)][place]
        altered = Scenario.from_source(Source(values, {}, ", ".join(settings)))
        altered._path, altered._written = self._path, Written(files)
        return altered

    def _as_set(self) -> dict[str, Any]:
        """What is set, as plain tables; contact lists as they were read, to be read no more."""
        values = self.model_dump(mode="json", exclude_unset=True)
        for tables, campaign in zip(values.get("campaign", ()), self.campaign, strict=True):
            if campaign.contact_list is not None:
                tables["contact_list"] = campaign.contact_list
        return values

    def plain_tables(self) -> dict[str, Any]:
        """All that it means as plain tables, with its defaults and the built-in profiles."""
        whole = self.model_dump(mode="json")
        profiles = self.all_profiles.items()
        return whole | {"profiles": {name: p.model_dump(mode="json") for name, p in profiles}}

    @property
    def path(self) -> Path | None:
        """The file that it was read from, if any."""
        return self._path

    @property
    def written(self) -> Written:
        """Where each of its values was written."""
        return self._written

    @property
    def campaigns(self) -> tuple[Campaign, ...]:
        """The campaigns, in the file's order; one that repeats is one on each of its days."""
        if not any(entry.repeats for entry in self.campaign):
            return tuple(self.campaign)
        until, zone = self.clock.latest_end, self.clock.zone_info
        return tuple(c for entry in self.campaign for c in entry.occurrences(until, zone))

    @property
    def suspensions(self) -> tuple[Suspension, ...]:
        """The suspensions, in the file's order; one that repeats is one on each of its days."""
        until, zone = self.clock.latest_end, self.clock.zone_info
        return tuple(s for entry in self.suspension for s in entry.occurrences(until, zone))

    @cached_property
    def all_profiles(self) -> dict[str, Profile]:
        """Profiles by name: the built-in ones and the scenario's own."""
        built_in = {
            key.removeprefix("profiles."): Profile(**entry.value)
            for key, entry in DEFAULTS.items()
            if key.startswith("profiles.")
        }
        return built_in | self.profiles

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Accounts of all tenants, those made up for want of a written one included."""
        named = [*(t.name for t in self.tenant), *(c.tenant for c in self.campaign)]
        return all_accounts(self.account, named)

    @property
    def pauses(self) -> list[tuple[Campaign, Pause]]:
        """Pauses with the campaign of each; a campaign that repeats has its own on each day."""
        return [one for entry in self.pause for one in self.paused(entry)]

    def paused(self, pause: Pause) -> list[tuple[Campaign, Pause]]:
        """What a `pause` holds back and when: a campaign that repeats on each of its days."""
        first, zone = self.find_campaign(pause.campaign), self.clock.zone_info
        if pause.campaign in (first.name, first.full_name):
            return [(first, pause)]
        entry = next(c for c in self.campaign if c.full_name == first.entry)
        day = entry.start.astimezone(zone).date()
        return [
            (campaign, moved(pause, (campaign.start.date() - day).days, zone))
            for campaign in entry.occurrences(self.clock.latest_end, zone)
        ]

    @property
    def callers(self) -> list[Campaign | Background | TenantClass]:
        """Whose calls go out: the campaigns, and what there is of the background."""
        background = self.background
        if background is None:
            return [*self.campaign]
        at_all_hours = [background] if background.campaigns_per_hour else []
        return [*self.campaign, *at_all_hours, *background.tenant_class]

    @property
    def profiles_in_use(self) -> list[str]:
        """Names of the profiles of its campaigns and its background, sorted."""
        return sorted({caller.profile for caller in self.callers})

    @cached_property
    def campaign_under_study(self) -> Campaign | None:
        """The campaign that the scenario is asked about: the first one if it doesn't say."""
        if self.study is None:
            return next(iter(self.campaigns), None)
        return self.campaign_or_none(self.study.campaign)

    @property
    def deadline(self) -> datetime:
        """Clock time by which completed calls are counted."""
        return self.study.deadline if self.study and self.study.deadline else self.clock.ends

    def find_campaign(self, named: str | Campaign | None) -> Campaign:
        """Campaign called ``name`` or ``tenant/name``, or the one of a campaign's tenant and name.

        Parameters
        ----------
        named : str or Campaign
            Which; None is none.

        Raises
        ------
        ScenarioError
            If there is no such campaign, or several have the name.
        """
        where = f"in scenario {self.name!r}"
        name = named.full_name if isinstance(named, Campaign) else named
        campaigns = self.campaigns
        matches = [c for c in campaigns if name in (c.name, c.full_name)]
        if not matches:
            matches = self._first_days(name)
        if len(matches) == 1:
            return matches[0]
        if matches:
            several = ", ".join(sorted(campaign.full_name for campaign in matches))
            message = f"campaign {name!r}: is the name of several {where}; allowed: {several}"
            raise ScenarioError(message)
        there = sorted(campaign.full_name for campaign in campaigns)
        raise ScenarioError(unknown_name("campaign", name, there, where))

    def campaign_or_none(self, name: str) -> Campaign | None:
        """The first campaign called ``name`` or ``tenant/name``; None if there is none."""
        found = (c for c in self.campaigns if name in (c.name, c.full_name))
        return next(found, None) or next(iter(self._first_days(name)), None)

    def _first_days(self, name: str | None) -> list[Campaign]:
        """Campaigns that repeat, ``name`` or ``tenant/name``, each on its first day."""
        until, zone = self.clock.latest_end, self.clock.zone_info
        return [
            campaign
            for entry in self.campaign
            if entry.repeats and name in (entry.name, entry.full_name)
            for campaign in entry.occurrences(until, zone)[:1]
        ]

    def asked_about(self, campaign: Campaign, deadline: datetime | None = None) -> Scenario:
        """The same scenario with this campaign under study; `deadline` default: as it is."""
        study = Study(campaign=campaign.full_name, deadline=deadline or self.deadline)
        changed = self.model_copy(update={"study": study})
        changed.__dict__.pop("campaign_under_study", None)
        changed._path = self.path
        return changed

    def instant_us(self, local: datetime) -> int:
        """Microseconds from the begin of the scenario to `local`, aware, in any zone."""
        return microseconds_between(self.clock.begins, local)

    @model_validator(mode="after")
    def _fits_together(self) -> Scenario:
        problems = [*reference_problems(self.model_dump(include=NAMES)), *self._early()]
        problems += [*self._too_often(), *self._guaranteed_twice(), *self._unknown_sources()]
        problems += self._never()
        problems += [] if problems else [*self._paused_twice()]
        if self.snapshot is not None and not problems:
            found = snapshot_problems(self, self.snapshot)
            problems += [(("snapshot", *place), message) for place, message in found]
        if problems:
            raise ContradictionError(problems)
        return self

    def _unknown_sources(self) -> Iterator[Problem]:
        """Sources of keys that do not exist, as (key path, message)."""
        whole = self.plain_tables() if self.sources else {}
        for key in self.sources:
            try:
                is_known = bool(kinds_at(Scenario, key_path(key, whole)))
                message = "unknown key; allowed: one of a scenario, such as callees.ring_human"
            except ScenarioError as error:
                is_known, message = False, str(error)
            if not is_known:
                yield ("sources", key), message

    def _guaranteed_twice(self) -> Iterator[Problem]:
        """Guaranteed shares that together are more than all ports, as (key path, message)."""
        guaranteed = 0.0
        for i, tenant in enumerate(self.tenant):
            guaranteed += tenant.guaranteed_share
            if guaranteed > 1 + ROUNDING:
                yield (
                    ("tenant", i, "guaranteed_share"),
                    f"found {percent(tenant.guaranteed_share, 1)}, which makes "
                    f"{percent(guaranteed, 1)} with those before it; must be 100 % at "
                    "most in all",
                )
                return

    def _too_often(self) -> Iterator[Problem]:
        """Repairs of updates that would take longer than all the rest, as (key path, message)."""
        every = self.platform.reconciliation_every
        times = self.instant_us(self.clock.latest_end) // every if every else 0
        if every and times > MOST_REPAIRS:
            least = format_duration(-(-self.instant_us(self.clock.latest_end) // MOST_REPAIRS))
            yield (
                ("platform", "reconciliation_every"),
                f"found {format_duration(every)}, {times:,} times in the run; must be {least} or "
                f"more: at most {MOST_REPAIRS:,} times",
            )

    def _never(self) -> Iterator[Problem]:
        """What repeats on weekdays that the run does not have, as (key path, message)."""
        until, zone = self.clock.latest_end, self.clock.zone_info
        repeating: list[tuple[KeyPath, Campaign | Suspension]] = [
            *((("campaign", i), campaign) for i, campaign in enumerate(self.campaign)),
            *((("suspension", i), suspension) for i, suspension in enumerate(self.suspension)),
        ]
        for path, entry in repeating:
            if not entry.occurrences(until, zone):
                first = entry.start if isinstance(entry, Campaign) else entry.begins
                days = days_of(first, WEEKDAYS, until, zone)
                met = {WEEKDAYS[on_day(first, day, zone).weekday()] for day in islice(days, 7)}
                allowed = ", ".join(day for day in WEEKDAYS if day in met) or "none"
                why = f"found {', '.join(entry.repeats)}; allowed: {allowed}, which the run has"
                yield (*path, "repeats"), f"{why} from {written(first)} on"
        named: list[tuple[KeyPath, str]] = [
            *((("pause", i), pause.campaign) for i, pause in enumerate(self.pause)),
            *([] if self.study is None else [(("study",), self.study.campaign)]),
        ]
        for path, name in named:
            entries = [c for c in self.campaign if name in (c.name, c.full_name)]
            if not entries and self.campaign_or_none(name) is None:
                there = sorted(c.name for c in self.campaigns if c.entry != c.full_name)
                if there:
                    yield (*path, "campaign"), f"found {name!r}; {nearest(name, there)}"
        names = Counter(campaign.key for campaign in self.campaigns)
        for i, campaign in enumerate(self.campaign):
            if any(names[o.key] > 1 for o in campaign.occurrences(until, zone) if o != campaign):
                why = f"is that of {campaign.full_name} on one of its days; give another"
                yield ("campaign", i, "name"), why

    def _paused_twice(self) -> Iterator[Problem]:
        """Pauses of one campaign that are at the same time, as (key path, message)."""
        last: dict[tuple[str, str], tuple[int, Pause]] = {}
        paused = [(i, *one) for i, pause in enumerate(self.pause) for one in self.paused(pause)]
        for i, campaign, pause in sorted(paused, key=lambda entry: entry[2].begins):
            key = campaign.key
            before, other = last.get(key, (i, None))
            if other is not None and (other.ends is None or pause.begins < other.ends):
                until = "never" if other.ends is None else f"at {written(other.ends)}"
                yield (
                    ("pause", i, "begins"),
                    f"found {written(pause.begins)}, while pause[{before}] of {pause.campaign} is "
                    f"on, which ends {until}; pauses of a campaign must not overlap: join them",
                )
            last[key] = i, pause

    def _early(self) -> Iterator[Problem]:
        """Instants before the scenario begins, as (key path, message)."""
        instants: list[tuple[tuple[str | int, ...], datetime | None]] = []
        for i, campaign in enumerate(self.campaign):
            key = "submitted_at" if campaign.submitted_at else "start"
            instants.append((("campaign", i, key), campaign.submitted))
        instants += [(("outage", i, "begins"), o.begins) for i, o in enumerate(self.outage)]
        instants += [
            (("suspension", i, "begins"), s.begins) for i, s in enumerate(self.suspension)
        ]
        instants += [(("pause", i, "begins"), pause.begins) for i, pause in enumerate(self.pause)]
        if self.study is not None:
            instants.append((("study", "deadline"), self.study.deadline))
        for path, instant in instants:
            if instant is not None and self.instant_us(instant) < 0:
                begins = written(self.clock.begins)
                yield path, f"found {written(instant)}, before the scenario begins ({begins})"

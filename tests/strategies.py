"""Random scenarios that are small, full of ties, and leave no rule of the model out.

`mappings` draws what a scenario file would hold, `scenarios` the scenario of it. Instants
come from a coarse grid and durations from a few round numbers, so that a great deal happens
at the same instant: the order of events decides, and an engine that gets it wrong shows.

`tests.occurrences` counts which rules had anything to do in a run: what never occurs is not
tested.
"""

from __future__ import annotations

import tempfile
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from outsim.clock import SECOND, after
from outsim.scenario import Scenario, load
from outsim.scenario.campaigns import Campaign
from outsim.scenario.loading import with_snapshot
from outsim.scenario.offered_load import dialable
from outsim.scenario.parts import WEEKDAYS
from outsim.scenario.snapshot import Snapshot
from outsim.vocabulary import DISCIPLINES

Mapping = dict[str, Any]

CLOCKS = (
    # An ordinary Tuesday; a run that begins at an odd minute; the nights on which clocks are
    # put forward and back, with the run across the change.
    ("UTC", datetime(2026, 3, 10, 9, 0)),
    ("America/New_York", datetime(2026, 3, 10, 8, 58, 30)),
    ("America/New_York", datetime(2026, 3, 8, 1, 45)),
    ("Europe/Berlin", datetime(2026, 10, 25, 2, 45)),
    ("Australia/Lord_Howe", datetime(2026, 4, 5, 1, 50)),
)
CALLEE_ZONES = ("America/New_York", "America/Chicago", "Asia/Kolkata", "Pacific/Kiritimati")

LISTS = {
    "plain": "destination\n" + "".join(f"21255501{k:02d}\n" for k in range(8)),
    "zones": "destination,ani,time_zone\n"
    + "".join(
        f"31255501{k:02d},{'4155550100' if k % 3 else ''},{zone}\n"
        for k, zone in enumerate(("America/New_York", "America/Chicago", "", "Asia/Kolkata") * 2)
    ),
    "faulty": "destination\n2125550100\nnonsense\n2125550100\n12125550101\n911\n2125550102\n",
    "repeated": "destination,ani,time_zone\n"
    + "".join(
        f"41255501{k % 3:02d},4155550100,{zone}\n"
        for k, zone in enumerate(("America/New_York", "America/Chicago", "") * 4)
    ),
    "hopeless": "destination\nnonsense\n911\n",
}
"""Contact lists: without anything, with time zones and callers, with rows that can't be dialed
or stand twice, with numbers that stand four times, and without a row that can be dialed."""


@cache
def _list_directory() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="outsim-lists-"))
    for name, text in LISTS.items():
        (directory / f"{name}.csv").write_text(text)
    return directory


class _Choices(tuple[Any, ...]):
    """Values of which one is taken, each as often as any other; the first is the simplest."""


def _of(*values: Any) -> _Choices:
    return _Choices(values)


def _one_of(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def _sometimes(values: _Choices, one_in: int = 2) -> _Choices:
    """None, or else one of `values`."""
    return _Choices((*[None] * (one_in - 1) * len(values), *values))


def _some(**values: _Choices | st.SearchStrategy[Any]) -> st.SearchStrategy[Mapping]:
    """Keys with their values; those that are None are left out.

    All choices are made by one draw, a byte for each: that is many times as fast as a draw each.
    """
    choices = {key: value for key, value in values.items() if isinstance(value, _Choices)}
    others = {key: value for key, value in values.items() if not isinstance(value, _Choices)}

    def taken(picks: bytes, drawn: Mapping) -> Mapping:
        for byte, (key, of) in zip(picks, choices.items(), strict=True):
            drawn[key] = of[byte % len(of)]
        return {key: drawn[key] for key in values if drawn[key] is not None}

    picks = st.binary(min_size=len(choices), max_size=len(choices))
    if not others:
        return picks.map(lambda drawn: taken(drawn, {}))
    return st.tuples(picks, st.fixed_dictionaries(others)).map(lambda drawn: taken(*drawn))


def _exponential(mean: str) -> Mapping:
    return {"distribution": "exponential", "mean": mean}


def _uniform(least: str, most: str) -> Mapping:
    return {"distribution": "uniform", "least": least, "most": most}


_LOGNORMAL = {"distribution": "lognormal", "median": "8 s", "log_sd": 0.8}

DRAWN_SIZES = (
    {"distribution": "uniform", "least": 1, "most": 20},
    {"distribution": "lognormal", "median": 5, "log_sd": 0.8},
    {"distribution": "quantiles", "shares": [0.25, 0.75], "counts": [2, 12]},
)
"""Sizes of lists that are drawn in each replication."""

_OF_CLASS = {"tenants": 2, "profile": "mixed", "retry_interval": "60 s"}
TENANT_CLASSES = (
    {"name": "batch", "kind": "batch", "rate": "60/h", "contacts": 3, "max_retry": 1},
    {
        "name": "marked",
        "kind": "batch",
        "rate": "20/h",
        "contacts": DRAWN_SIZES[1],
        "start_minutes": {"top": 1, "half": 0, "quarter": 0, "other": 3},
        "rate_by_weekday": {"tue": 2.0, "sun": 0.5},
    },
    {"name": "daily", "kind": "batch", "rate": "40/h", "contacts": 4, "repeats": [*WEEKDAYS]},
    {
        "name": "steady",
        "kind": "steady",
        "rate": "30/h",
        "contacts": DRAWN_SIZES[2],
        "pacing": "20/min",
        "max_retry": 0,
    },
    {"name": "calls", "kind": "calls", "rate": "200/h", "rate_by_hour": {9: "600/h"}},
)
"""Classes of background tenants that have something to do in a run of minutes."""

PLATFORM = _some(
    ports=_of(1, 2, 3, 5, 100),
    dial_rate=_of("1/s", "2/s", "30/min", "10/s", "1000000/s"),
    dial_burst=_of(1, 2, 5),
    loader_rate=_of("1/s", "3/s", "500/s", "1000000/s"),
    workers=_of(1, 2, 4),
    dial_work=_of("1 us", "500 ms", "1 s", "3 s", _exponential("700 ms"), _uniform("1 s", "2 s")),
    status_work=_of("1 us", "500 ms", "1 s", _exponential("900 ms"), _uniform("1 s", "9 s")),
    ring_timeout=_of("10 s", "30 s"),
    start_jitter=_of("none", "none", "5 s"),
    stop_latency=_of("1 us", "2 s", "60 s"),
    lost_updates=_of(0.0, 0.0, 0.3),
    wedged_calls=_of(0.0, 0.0, 0.2),
    reconciliation_every=_sometimes(_of("60 s", "95 s")),
    queue=_of("fifo", "fifo", *DISCIPLINES),
    one_call_per_number=_of(False, True, True),
    delivery_pool=_of(1, 2, 50),
    detection_person=_of("2 s", "10 s"),
    detection_machine=_of("4 s", "10 s"),
    detection_accuracy=_of(1.0, 0.5),
)
_RATES_OF_REQUESTS = _of("20/min", "1/s", "6/min", "20/min", "1000000/s")


@st.composite
def _intake(draw: st.DrawFn, one_in: int) -> Mapping:
    """What limits the requests of the platform, or of a tenant."""
    limits = draw(
        _some(
            is_there=_Choices([True] + [False] * (one_in - 1)),
            intake_rate=_Choices([*_RATES_OF_REQUESTS] * 2 + [None] * len(_RATES_OF_REQUESTS)),
            intake_burst=_sometimes(_of(1, 1, 2)),
            queue_limit=_sometimes(_of(4, 8, 25)),
        )
    )
    if not limits.pop("is_there"):
        return {}
    if "intake_rate" not in limits:
        limits.pop("intake_burst", None)
    return limits


CARRIER = _some(
    rate=_of("1/s", "20/min", "20/min", "1000000/s"),
    burst=_of(1, 2, 20),
    channels=_of(1, 3, 100, 100, 100),
    other_traffic=_of(0.0, 0.0, 0.5),
    other_traffic_peak=_of({}, {0: 0.9}, {0: 1.0, 1: 0.5, 30: 0.7}),
    missing_ani_refusal=_of(0.8, 1.0),
    refusal_time=_of("1 us", "100 ms", "1 s"),
)
CALLEES = _some(
    post_dial_delay=_of("1 s", "2 s", _exponential("2 s")),
    ring_human=_of("3 s", "10 s", _LOGNORMAL),
    ring_voicemail=_of("3 s", "30 s"),
    phone_off=_of(0.0, 0.5),
    phone_off_ring=_of("1 s", _uniform("1 s", "3 s")),
    message=_of("1 ms", "15 s", "60 s", _LOGNORMAL),
    early_hang_up=_of(0.0, 0.25, 1.0),
    greeting=_of("5 s", "9 s"),
    agent_talk=_of("60 s", _exponential("90 s")),
    fax_share=_of(0.0, 0.2),
    redial_factors=_of([1.0], [1.0, 0.5, 0.0]),
    gap_factors=_of(False, True),
)
PROFILES = {
    "people": {"human": 1, "voicemail": 0, "no_answer": 0, "busy": 0},
    "mixed": {"human": 30, "voicemail": 25, "no_answer": 20, "busy": 20, "invalid": 10},
    "absent": {"human": 5, "voicemail": 0, "no_answer": 45, "busy": 50},
}


class _Grid:
    """Instants of one scenario, as aware datetimes: round, and often the same."""

    def __init__(self, begins: datetime) -> None:
        self.begins = begins

    def at(self, seconds: int) -> datetime:
        return after(self.begins, seconds * SECOND)

    def instants(self, *seconds: int) -> _Choices:
        return _Choices(self.at(second) for second in seconds)

    def time_of_day(self, seconds: int, zone: ZoneInfo) -> str:
        return f"{self.at(seconds).astimezone(zone):%H:%M:%S}"


@st.composite
def _windows(draw: st.DrawFn, grid: _Grid, zone: str) -> Mapping:
    """A window with an edge or two inside the run; some pass midnight."""
    window = draw(
        _some(
            zone=_of("scenario", "callee"),
            callee=_of(*CALLEE_ZONES),
            opens=_of(0, 60, 120, 300),
            closes=_of(360, 600, 1200),
            all_day=_of(False, True),
            days=_sometimes(_of(["mon", "tue", "sun"], ["sun"]), 6),
        )
    )
    callee, all_day = window.pop("callee"), window.pop("all_day")
    clock = ZoneInfo(zone if window["zone"] == "scenario" else callee)
    opens, closes = (grid.time_of_day(window[edge], clock) for edge in ("opens", "closes"))
    if opens >= closes and all_day:
        opens, closes = "00:00", "24:00"
    return window | {"opens": opens, "closes": closes}


def _timed_list(grid: _Grid) -> Path:
    """A contact list whose calls have schedules and expiries of their own."""
    name = f"{grid.begins.tzinfo}-{grid.begins:%Y%m%d%H%M%S}".replace("/", "-")
    path = _list_directory() / f"timed-{name}.csv"
    if not path.exists():
        times = [
            (150, 165),
            (0, 121),
            (60, 0),
            (60, 61),
            (0, 0),
            (121, 182),
            (90, 300),
            (150, 151),
        ]
        rows = (
            f"41255501{k:02d},{grid.at(since).isoformat() if since else ''},"
            f"{grid.at(until).isoformat() if until else ''}\n"
            for k, (since, until) in enumerate(times)
        )
        path.write_text("destination,scheduled_time,expiration_time\n" + "".join(rows))
    return path


_ASKING_AGAIN = (
    {"interval": "1 s", "back_off": 1.0, "most": 30},
    {"interval": "10 s", "cap": "1 min"},
    {"interval": "5 s", "jitter": 0.5, "most": 4},
)


def _retries() -> st.SearchStrategy[Mapping]:
    """Retries outcome by outcome."""
    after = _some(
        interval=_sometimes(_of("60 s", "61 s", "120 s")),
        most=_sometimes(_of(0, 1, 2)),
        back_off=_of(1.0, 1.5, 2.0),
        cap=_sometimes(_of("120 s", "150 s")),
        jitter=_sometimes(_of("20 %", 1.0, "2 s", "60 s")),
    )
    return _some(busy=st.none() | after, no_answer=st.none() | after, congestion=st.none() | after)


@st.composite
def _campaigns(draw: st.DrawFn, name: str, grid: _Grid, zone: str, urls: list[str]) -> Mapping:
    kinds = {
        "contacts": _of(0, 1, 4, 10, 20, *DRAWN_SIZES),
        "contact_list": _of(
            "plain", "zones", "zones", "faulty", "hopeless", *["repeated"] * 5, *["timed"] * 4
        ),
        "rate": _of("2/min", "5/min"),
        "until": grid.instants(150, 300),
        "duplicates": _of("dial", "reject"),
        "has_ani": _of(True, False),
    }
    campaign = draw(
        _some(
            start=_of(0, 60, 60, 60, 120, 148),
            # Background tenants, other-1 and so on, come between those of the scenario by name.
            tenant=_of("acme", "acme", "bolt", "corp", "zulu", "zulu"),
            profile=_of("mixed", "people", "absent"),
            max_retry=_of(0, 1, 2, 3),
            retry_interval=_of("60 s", "60 s", "61 s", "120 s"),
            missing_ani_share=_of(0.0, 0.0, 0.0, 0.5),
            kind=_of("count", "count", "count", "list", "recorded", "poisson"),
            **kinds,
        )
    )
    start, kind = campaign["start"], campaign.pop("kind")
    drawn = {key: campaign.pop(key) for key in kinds}
    if draw(st.booleans()):
        campaign["retry"] = draw(_retries())
    campaign |= {"name": name, "start": grid.at(start)}
    if kind == "count":
        campaign["contacts"] = drawn["contacts"]
    elif kind == "list":
        kept = drawn["contact_list"]
        path = _timed_list(grid) if kept == "timed" else _list_directory() / f"{kept}.csv"
        campaign["contact_list"] = str(path)
        campaign["duplicates"] = drawn["duplicates"]
        if drawn["has_ani"]:
            campaign["ani"] = "4155550199"
        del campaign["missing_ani_share"]
    elif kind == "recorded":
        times = _one_of(0.0, 30.0, 60.0, 60.0, 61.0, 119.5, 120.0, 180.0, 400.0)
        recorded = draw(st.lists(times, max_size=8))
        campaign["requests"] = {"times_s": recorded}
        if draw(st.booleans()):
            later = _one_of(0.0, 0.0, 30.0, 61.0, 200.0)
            own = [(at, at + draw(later)) for at in recorded]
            campaign["requests"] |= {
                "scheduled_s": [at if at > start else 0.0 for _, at in own],
                "expires_s": [draw(_one_of(0.0, at + 3, at + 15, at + 65)) for _, at in own],
            }
    else:
        campaign["requests"] = {key: drawn[key] for key in ("rate", "until")}
    campaign |= draw(
        _some(
            submitted_at=_sometimes(grid.instants(*sorted({0, start // 2, start})), 3),
            repeats=_sometimes(_of([*WEEKDAYS]), 6),
            expires_at=_sometimes(grid.instants(start + 1, start + 15, start + 32, 240, 600), 5),
            expires_after=_sometimes(_of("150 s", "200 s", "300 s"), 4),
            gives_up_after=_sometimes(_of("30 s", _exponential("60 s")), 3),
            stop_at=_sometimes(grid.instants(max(start, 60), start + 2, start + 20, 200, 300), 5),
            window=st.one_of(*[st.none()] * (1 if kind == "list" else 3), _windows(grid, zone)),
            pacing=_sometimes(_of("6/min", "20/min", "1/s", "1000000/s"), 3),
            pacing_at=_of("admission", "dispatch"),
            max_simultaneous=_sometimes(_of(1, 2), 4),
            priority=_sometimes(_of(1, 5, 9), 3),
            stop_reaches=_of("loading", "loading", "queue"),
            stop_cancels_retries=_of(False, True),
            stop_mode=_of("campaign", "campaign", "calls"),
            cancel_rate=_of("3/min", "20/min", "1/s", "1000000/s"),
            cancel_order=_of("newest", "oldest"),
            callee_zone=_sometimes(_of(*CALLEE_ZONES), 3),
            result_url=_sometimes(_of(*urls)) if urls else _of(None),
            when_refused=_of("gives up", "asks again", "asks again"),
            asks_again=_of(*_ASKING_AGAIN),
            message=_sometimes(_of("10 s", "30 s"), 4),
            asks_for_key=_sometimes(_of(True), 4),
            transfers_to_agent=_sometimes(_of(True), 4),
        )
    )
    return campaign


def _endpoints(name: str) -> st.SearchStrategy[Mapping]:
    return _some(
        name=_of(name),
        latency=_of("1 s", "5 s", _exponential("3 s")),
        timeout=_of("2 s", "5 s"),
        retry_after=_of([], ["1 s"], ["2 s", "4 s", "8 s"]),
        failure_share=_of(0.0, 0.4, 1.0),
        posts_at_once=_of(1, 2, 10),
    )


@st.composite
def _outages(draw: st.DrawFn, grid: _Grid, urls: list[str]) -> Mapping:
    kinds = [
        "ports",
        "workers",
        "channels",
        "carrier",
        "status",
        *(["endpoint"] * 2 if urls else []),
    ]
    outage = draw(
        _some(
            of=_of(*kinds),
            begins=grid.instants(0, 61, 65, 70, 100),
            ends=_Choices(grid.instants(121, 150, 180, 300) * 3 + (None,) * 4),
            endpoint=_of(*urls) if urls else _of(None),
            count=_sometimes(_of(1, 2)),
            drop=_of(False, True),
        )
    )
    of = outage["of"]
    if of == "endpoint":
        outage.pop("ends", None)
    else:
        outage.pop("endpoint", None)
    if of not in ("ports", "workers", "channels"):
        outage.pop("count", None)
    if of not in ("ports", "channels", "carrier"):
        del outage["drop"]
    return outage


@st.composite
def _suspensions(draw: st.DrawFn, grid: _Grid, tenants: list[str]) -> Mapping:
    ends = grid.instants(121, 150, 240)
    suspension = draw(
        _some(
            begins=grid.instants(0, 61, 90, 120),
            ends=_Choices(_sometimes(ends, 4) + 8 * ends),
            repeats=_sometimes(_of([*WEEKDAYS]), 6),
        )
    )
    if "ends" not in suspension:
        suspension.pop("repeats", None)
    if tenants and draw(st.booleans()):
        suspension["tenant"] = draw(st.sampled_from(tenants))
    return suspension


@st.composite
def _pauses(draw: st.DrawFn, grid: _Grid, campaigns: list[Mapping]) -> list[Mapping]:
    """Pauses of one campaign, one after the other; the last may not end."""
    paused = draw(st.sampled_from(campaigns))
    edges = draw(
        _some(
            begins=_of(0, 60, 61, 62, 90),
            ends=_of(63, 65, 70, 121, 150),
            again=_sometimes(_of(63, 70, 130, 150)),
            over=_sometimes(_of(160, 240, 301), 4),
        )
    )
    name = f"{paused['tenant']}/{paused['name']}"
    spans = [(edges["begins"], max(edges["ends"], edges["begins"] + 1))]
    if "again" in edges and edges["again"] >= spans[0][1]:
        spans.append((edges["again"], edges.get("over")))
    return [
        {"campaign": name, "begins": grid.at(begins)}
        | ({} if ends is None else {"ends": grid.at(ends)})
        for begins, ends in spans
    ]


def _tenants(name: str) -> st.SearchStrategy[Mapping]:
    return _some(
        name=_of(name),
        weight=_of(1, 2, 7),
        priority=_of(1, 5, 6),
        guaranteed_share=_of(0.0, 0.05, 0.25),
        max_simultaneous=_sometimes(_of(1, 2)),
        dial_rate=_sometimes(_of("20/min", "1/s", "1000000/s")),
    )


@st.composite
def mappings(draw: st.DrawFn, campaigns: int = 1) -> Mapping:
    """What a random scenario file would hold, with so many campaigns at least."""
    drawn = draw(
        _some(
            clock=_of(*CLOCKS[:2], *CLOCKS),
            urls=_of(0, 1, 2),
            campaigns=_of(*range(campaigns, 7)),
            ends=_of(150, 300, 900),
            latest=_of(0, 1200, 4500),
            outages=_of(0, 1, 1, 3),
            suspensions=_of(0, 0, 1, 2),
            paused=_of(False, True),
            background=_of(False, False, False, True),
            deadline=_sometimes(_of(130, 200), 3),
            load=_of(1.0, 1.0, 1.0, 0.5, 2.5),
            classes=_of(*range(1, 2 ** len(TENANT_CLASSES))),
            at_all_hours=_of(True, False, False),
        )
    )
    zone, local = drawn["clock"]
    grid = _Grid(local.replace(tzinfo=ZoneInfo(zone)))
    urls = ["https", "mail"][: drawn["urls"]]
    lists = [draw(_campaigns(f"list-{k}", grid, zone, urls)) for k in range(drawn["campaigns"])]
    names = sorted({each["tenant"] for each in lists})
    if len(lists) > 2 and lists[0]["tenant"] != lists[1]["tenant"]:
        lists[1]["name"] = lists[0]["name"]  # two tenants may use one name
    ends = drawn["ends"]
    mapping: Mapping = {
        "seed": draw(st.integers(0, 999)),
        "load": drawn["load"],
        "clock": {
            "zone": zone,
            "date": date(local.year, local.month, local.day),
            "begins": grid.begins,
            "ends": grid.at(ends),
            "latest": grid.at(drawn["latest"] or ends),
        },
        "platform": draw(PLATFORM) | draw(_intake(one_in=3)),
        "carrier": draw(CARRIER),
        "callees": draw(CALLEES),
        "profiles": PROFILES,
        "campaign": lists,
        "endpoint": [draw(_endpoints(name)) for name in urls],
        "tenant": [
            draw(_tenants(name)) | draw(_intake(one_in=2))
            for name in names
            if draw(_one_of(False, True))
        ],
        "outage": [draw(_outages(grid, urls)) for _ in range(drawn["outages"])],
        "suspension": [draw(_suspensions(grid, names)) for _ in range(drawn["suspensions"])],
        "pause": draw(_pauses(grid, lists)) if drawn["paused"] and lists else [],
    }
    if drawn["background"]:
        mapping["background"] = draw(
            _some(
                tenants=_of(1, 3),
                campaigns_per_hour=_of(1, 4),
                median_size=_of(1, 4),
                size_log_sd=_of(0.0, 0.5),
                start_minutes=_of({"top": 6, "half": 1, "quarter": 1, "other": 2}),
                profile=_of("mixed", "people"),
                max_retry=_of(0, 1),
                retry_interval=_of("60 s"),
                result_url=_of(urls[0] if urls else None),
                when_refused=_of("gives up", "asks again"),
                asks_again=_of(*_ASKING_AGAIN),
                retry=st.none() | _retries(),
            )
        )
        if not drawn["at_all_hours"]:
            chosen = enumerate(TENANT_CLASSES)
            mapping["background"]["campaigns_per_hour"] = 0
            mapping["background"]["tenant_class"] = [
                _OF_CLASS | of for k, of in chosen if drawn["classes"] >> k & 1
            ]
    if "deadline" in drawn:
        mapping["study"] = {
            "campaign": lists[-1]["name"],
            "deadline": grid.at(drawn["deadline"]),
        }
    return mapping


def scenarios() -> st.SearchStrategy[Scenario]:
    """Random scenarios."""
    return mappings().map(load)


def sharing_scenarios() -> st.SearchStrategy[Scenario]:
    """Random scenarios in which the calls of lists share numbers, and wait for each other."""
    return mappings().map(_sharing).map(load)


def _sharing(mapping: Mapping) -> Mapping:
    repeated = {"contact_list": str(_list_directory() / "repeated.csv"), "duplicates": "dial"}
    campaigns = [
        each | repeated if "contact_list" in each else each for each in mapping["campaign"]
    ]
    platform = mapping.get("platform", {}) | {"one_call_per_number": True}
    return mapping | {"platform": platform, "campaign": campaigns}


# Half seconds for all that takes time: whatever is due at one is due with much else.
_PLATFORM_IN_STEP = _some(
    ports=_of(3, 5, 100),
    dial_burst=_of(5, 20),
    loader_rate=_of("1/s", "2/s"),
    workers=_of(2, 4, 20),
    dial_work=_of("500 ms", "1 s"),
    status_work=_of("500 ms", "1 s"),
    ring_timeout=_of("10 s"),
    start_jitter=_of("none"),
    stop_latency=_of("2 s", "20 s"),
    lost_updates=_of(0.0, 0.6, 0.9),
    reconciliation_every=_of("1 s", "1 s", "5 s"),
    delivery_pool=_of(1, 50),
    detection_person=_of("2 s"),
    detection_machine=_of("4 s"),
)
_CARRIER_IN_STEP = _some(
    rate=_of("1/s", "1000000/s"),
    burst=_of(20),
    channels=_of(3, 100),
    other_traffic=_of(0.0),
    refusal_time=_of("1 s"),
)
_CALLEES_IN_STEP = _some(
    post_dial_delay=_of("1 s", "2 s"),
    ring_human=_of("3 s"),
    ring_voicemail=_of("3 s"),
    phone_off_ring=_of("1 s"),
    message=_of("2 s", "15 s"),
    early_hang_up=_of(0.0),
    greeting=_of("5 s"),
    agent_talk=_of("60 s"),
)
_ENDPOINT_IN_STEP = _some(
    latency=_of("1 s", "2 s"),
    timeout=_of("2 s"),
    retry_after=_of(["1 s", "1 s", "1 s"], ["1 s", "2 s", "4 s", "8 s"]),
    failure_share=_of(0.5, 0.8),
    posts_at_once=_of(2, 10),
)


@st.composite
def _crowded(draw: st.DrawFn) -> Mapping:
    """A scenario in step, with campaigns, outages and ends of campaigns in its busy minutes."""
    mapping: Mapping = draw(mappings(campaigns=3))
    grid = _Grid(mapping["clock"]["begins"])
    zone = mapping["clock"]["zone"]
    mapping["platform"] |= draw(_PLATFORM_IN_STEP)
    mapping["carrier"] |= draw(_CARRIER_IN_STEP) | {"other_traffic_peak": {}}
    mapping["callees"] |= draw(_CALLEES_IN_STEP)
    for endpoint in mapping["endpoint"]:
        endpoint |= draw(_ENDPOINT_IN_STEP)
    urls = [endpoint["name"] for endpoint in mapping["endpoint"]]
    for campaign in mapping["campaign"]:
        starts = max(campaign["start"], campaign.get("submitted_at", campaign["start"]))
        campaign |= draw(
            _some(
                expires_at=_sometimes(
                    _of(*(after(starts, k * SECOND) for k in (2, 8, 15, 32))), 4
                ),
                stop_at=_sometimes(_of(*(after(starts, k * SECOND) for k in (1, 6, 40, 70))), 4),
                result_url=_of(*urls) if urls else _of(None),
            )
        )
        if "contacts" in campaign:
            campaign["contacts"] = draw(_one_of(4, 10, 20))
        if "contact_list" in campaign and draw(st.booleans()):
            campaign["contact_list"] = str(_list_directory() / "zones.csv")
            campaign["window"] = draw(_windows(grid, zone)) | {"zone": "callee"}
        if "pacing" in campaign:
            campaign["pacing"] = draw(_one_of("20/min", "1/s"))
    mapping["outage"] += draw(st.lists(_outages(grid, urls), max_size=3))
    for outage in mapping["outage"]:
        if "drop" in outage:
            outage["drop"] = draw(_one_of(True, True, False))
    return mapping


def crowded_scenarios() -> st.SearchStrategy[Scenario]:
    """Random scenarios in which nearly everything shares its instant with something else."""
    return _crowded().map(load)


def _standings(draw: st.DrawFn, most: int, elapsed_s: int, retries: int) -> list[Mapping]:
    """Calls of a campaign in one state, as a snapshot lists them, `most` of them at most."""
    listed = []
    while most > 0 and draw(st.booleans()):
        count = draw(st.integers(1, most))
        most -= count
        standing: Mapping = {"count": count}
        if draw(st.booleans()):
            standing["lasting"] = f"{draw(st.integers(1, min(8, elapsed_s)))} s"
        if draw(st.booleans()):
            standing["attempts"] = draw(st.integers(retries > 0, retries))
        listed.append(standing)
    return listed


@st.composite
def standing_scenarios(draw: st.DrawFn) -> Scenario:
    """Random scenarios that begin with a queue as it stands, of their customers and of others."""
    mapping = draw(st.one_of(mappings(), _crowded()))
    if draw(st.booleans()):
        # Calls that waited for the moment go in one burst, and the carrier takes some of them.
        mapping["platform"] |= {"ports": 100, "dial_burst": 20, "workers": 20, "dial_work": "1 s"}
        mapping["carrier"] |= {"rate": "1/s", "burst": 2, "channels": 100}
    scenario = load(mapping)
    clock = scenario.clock
    moment_s = draw(_one_of(1, 60, 65, 120, 140))
    at = after(clock.begins, moment_s * SECOND)
    under_way = min(scenario.platform.ports, scenario.carrier.channels)

    def stands(tenant: str, name: str, rules: Campaign | None) -> Mapping:
        nonlocal under_way
        others = scenario.background.max_retry if scenario.background else 1
        retries = others if rules is None else rules.max_retry
        left = 20
        if rules is not None and rules.requests is None:
            left = int(dialable(scenario, rules))
        there: Mapping = {"tenant": tenant, "name": name}
        for state in ("dialing", "connected", "queued", "waiting_retry", "scheduled"):
            most = min(left, 8, under_way if state in ("dialing", "connected") else 8)
            if state == "waiting_retry" and retries == 0:
                continue
            if state != "scheduled" and rules is not None and rules.start > at:
                continue  # it has not started
            there[state] = _standings(draw, most, moment_s, retries)
            if rules is None and state == "queued":
                there[state].append({"count": 3})
            taken = sum(each["count"] for each in there[state])
            left -= taken
            under_way -= taken if state in ("dialing", "connected") else 0
        if rules is None or rules.start <= at:
            there["completed"] = draw(st.integers(0, max(0, min(3, int(left)))))
        return there

    told = [
        *(stands(c.tenant, c.name, c) for c in scenario.campaigns if draw(st.booleans())),
        *(
            stands(tenant, "of another customer", None)
            for tenant in ("aaa", "bbb", "mid", "zzz")
            if draw(st.booleans())
        ),
    ]
    context = {"zone": clock.zone_info, "date": clock.date}
    snapshot = Snapshot.model_validate({"at": at, "campaign": told}, context=context)
    return with_snapshot(scenario, snapshot)

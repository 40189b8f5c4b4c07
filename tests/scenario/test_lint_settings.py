"""Settings that are allowed and can't be meant: each is warned of, refused, or plainly fine."""

from __future__ import annotations

from typing import Any

import pytest

from outsim.errors import ScenarioError
from outsim.scenario import load
from outsim.scenario.lint import advice

CAMPAIGN: dict[str, Any] = {
    "name": "a",
    "tenant": "t",
    "start": "09:05",
    "contacts": 200,
    "max_retry": 1,
    "retry_interval": "5 min",
}
LOUD = {"distribution": "lognormal", "median": "3660 d", "log_sd": 5}
WEIGHTS = {"human": 0, "voicemail": 0, "no_answer": 0, "busy": 0}
THREES = {"morning": 3, "afternoon": 3, "evening": 3, "night": 3}
NEVER = dict.fromkeys(THREES, 0)
WHOLE_RUN = {"of": "carrier", "begins": "09:00", "ends": "11:00"}


def scenario(campaign: dict[str, Any] | None = None, **parts: Any) -> dict[str, Any]:
    """A scenario about which there is nothing to say, but for what is laid over it."""
    mapping: dict[str, Any] = {
        "clock": {
            "zone": "America/New_York",
            "date": "2026-03-10",
            "begins": "09:00",
            "ends": "10:00",
            "latest": "11:00",
        },
        "platform": {"ports": 20, "ring_timeout": "30 s"},
        "campaign": [{k: v for k, v in (CAMPAIGN | (campaign or {})).items() if v is not None}],
    }
    for key, part in parts.items():
        known = mapping.get(key)
        mapping[key] = known | part if isinstance(known, dict) else part
    return mapping


def requests(**said: Any) -> dict[str, Any]:
    return scenario({"contacts": None, "requests": said})


def profile(**weights: float) -> dict[str, Any]:
    return scenario({"profile": "p"}, profiles={"p": WEIGHTS | weights})


def endpoint(**said: Any) -> dict[str, Any]:
    return scenario({"result_url": "e"}, endpoint=[{"name": "e"} | said])


def shares(guaranteed_share: float, **said: Any) -> dict[str, Any]:
    tenant = {"name": "t", "guaranteed_share": guaranteed_share} | said
    return scenario(platform={"queue": "guaranteed"}, tenant=[tenant])


def window(**said: Any) -> dict[str, Any]:
    return scenario({"window": {"opens": "09:00", "closes": "17:00"} | said})


def platform(**said: Any) -> dict[str, Any]:
    return scenario(platform=said)


def callees(**said: Any) -> dict[str, Any]:
    return scenario(callees=said)


WARNED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing left by others": (
        scenario(carrier={"other_traffic": 1.0}),
        "carrier.other_traffic: leaves nothing to the platform",
    ),
    "all wedged": (platform(wedged_calls=1.0), "100 % of calls are never dialed"),
    "all lost": (platform(lost_updates=1.0), "100 % of updates are never visible"),
    "never told rightly": (platform(detection_accuracy=0), "is 0 %: people and machines"),
    "ringing for ten years": (platform(ring_timeout="3660 d"), "longer than the run (1 h)"),
    "ringing for nothing": (platform(ring_timeout="1 us"), "100 % of voicemail would pick up"),
    "told in a year": (platform(detection_person="366 d"), "100 % of such calls are over"),
    "jitter beyond the run": (platform(start_jitter="10 h"), "start_jitter: is 10 h, longer"),
    "stop beyond the run": (
        scenario({"stop_at": "09:06"}, platform={"stop_latency": "3660 d"}),
        "stop_at: takes effect 87840 h later",
    ),
    "hardly a dial": (platform(dial_rate="0.000001/s"), "at the platform's dial rate of 6e-05"),
    "hardly a load": (platform(loader_rate="0.000001/s"), "at the loader's rate"),
    "more ports than channels": (
        platform(dial_burst=1_000_000, ports=1_000_000),
        "392 are left to the platform, fewer than its 1000000 ports",
    ),
    "slow updates": (platform(status_work="59 s"), "take 802 % of it"),
    "endless message": (callees(message="3660 d"), "callees.message: is 87840 h, longer than"),
    "endless mean": (callees(message=LOUD), "more than 10000 % of it"),
    "silent day": (callees(post_dial_delay="1 d"), "callees.post_dial_delay: is 24 h, longer"),
    "greeting of a day": (callees(greeting="1 d"), "callees.greeting: is 24 h, longer"),
    "nobody answers": (profile(busy=1), "profiles.p: neither a person nor voicemail ever answers"),
    "factors cut": (
        scenario(
            {"profile": "p"},
            profiles={"p": WEIGHTS | {"human": 90, "voicemail": 10}},
            callees={"hour_factors": THREES},
        ),
        "takes more than its no_answer has",
    ),
    "no hour": (callees(hour_factors=NEVER), "hour_factors: no person ever answers"),
    "nobody on Tuesdays": (
        callees(weekday_factors=[1, 0, 1, 1, 1, 1, 1]),
        "weekday_factors: no person answers in the run",
    ),
    "nobody in the morning": (
        callees(hour_factors=NEVER | {"evening": 1}),
        "hour_factors: no person answers in the run",
    ),
    "phones off": (callees(phone_off=1.0), "phone_off: 100 % of phones are off"),
    "where no pace is kept": (
        scenario({"pacing_at": "dispatch"}),
        "pacing_at: has no effect without pacing",
    ),
    "repairs after the run": (
        platform(reconciliation_every="1 d"),
        "reconciliation_every: is 24 h, and the run is over by then",
    ),
    "a list that never has room": (
        platform(queue_limit=150),
        "platform.queue_limit: is less than the 200 calls of t/a: they are always refused",
    ),
    "a list that its tenant never has room for": (
        scenario(tenant=[{"name": "t", "queue_limit": 150}]),
        "tenant[t].queue_limit: is less than the 200 calls of t/a",
    ),
    "more requests than are taken": (
        scenario({"contacts": None, "requests": {"rate": "2/s"}}, platform={"intake_rate": "1/s"}),
        "platform.intake_rate: is less than the 2/s that t/a asks for: 50 % of its requests",
    ),
    "asking where nothing is refused": (
        scenario({"when_refused": "asks again"}),
        "campaign[t/a].when_refused: has no effect: nothing limits what is requested",
    ),
    "waits of a client that gives up": (
        scenario({"asks_again": {"most": 3}}, platform={"queue_limit": 1000}),
        'campaign[t/a].asks_again: has no effect unless when_refused = "asks again"',
    ),
    "chance that adds more than a wait is": (
        scenario(
            {"when_refused": "asks again", "asks_again": {"jitter": "2 min"}},
            platform={"queue_limit": 1000},
        ),
        "campaign[t/a].asks_again.jitter: is up to 2 min, longer than the interval of 30 s",
    ),
    "a pace of canceling without a stop": (
        scenario({"cancel_rate": "5/s"}),
        'campaign[t/a].cancel_rate: has no effect without stop_at and stop_mode = "calls"',
    ),
    "a client that never gives up": (
        scenario(
            {"when_refused": "asks again", "asks_again": {"most": 100}},
            platform={"queue_limit": 1000},
        ),
        "longer than the run: it never gives up",
    ),
    "suspended twice": (
        scenario(
            suspension=[
                {"tenant": "t", "begins": "09:10", "ends": "09:20"},
                {"begins": "09:15", "ends": "09:25"},
            ]
        ),
        "suspension[1].begins: overlaps suspension[0], of t too",
    ),
    "no weekday": (callees(weekday_factors=[0] * 7), "weekday_factors: no person ever answers"),
    "no redial": (callees(redial_factors=[0]), "redial_factors: no person ever answers"),
    "all faxes": (callees(fax_share=1.0), "100 % of contacts are fax machines"),
    "all leave": (callees(early_hang_up=1.0), "100 % of people leave before the message ends"),
    "paused after its expiry": (
        scenario(
            {"expires_at": "09:30"}, pause=[{"campaign": "a", "begins": "09:40", "ends": "09:50"}]
        ),
        "pause[0].begins: is not before the expiry of a: nothing is left to pause",
    ),
    "paused before its start": (
        scenario(
            {"start": "09:30"}, pause=[{"campaign": "a", "begins": "09:00", "ends": "09:20"}]
        ),
        "pause[0].ends: is not after the start of a: nothing is held back",
    ),
    "paused beyond its expiry": (
        scenario(
            {"expires_at": "09:30"}, pause=[{"campaign": "a", "begins": "09:10", "ends": "09:40"}]
        ),
        "pause[0].ends: is not before the expiry of a: what the pause holds back expires",
    ),
    "paused for good": (
        scenario(pause=[{"campaign": "a", "begins": "09:10"}]),
        "pause[0].ends: is not before the latest end of the run: a is not dialed from 09:10 on",
    ),
    "a window of 24 hours": (
        window(opens="09:00", closes="09:00"),
        "window.closes: is when it opens, 09:00: it is open for 24 hours",
    ),
    "a window the wrong way round": (
        window(opens="17:00", closes="09:00"),
        "it is open for 16 h, through the night; for one by day write opens 09:00, closes 17:00",
    ),
    "reaches the queue anyway": (
        scenario({"stop_at": "09:30", "stop_mode": "calls", "stop_reaches": "queue"}),
        "stop_reaches: has no effect: a stop by calls reaches queued calls anyway",
    ),
    "a cancel rate that saves nothing": (
        scenario({"stop_at": "09:30", "stop_mode": "calls", "cancel_rate": "1/min"}),
        "cancel_rate: is 1/min: at the pace that the platform's ports allow of",
    ),
    "suspended for good": (
        scenario(suspension=[{"begins": "09:00", "ends": "23:00"}]),
        "everybody is not dialed from 09:00 on",
    ),
    "suspended without an end": (scenario(suspension=[{"begins": "09:30"}]), "from 09:30 on"),
    "carrier out": (scenario(outage=[WHOLE_RUN]), "carrier is out from 09:00 on"),
    "two outages at once": (
        scenario(outage=[WHOLE_RUN, WHOLE_RUN | {"begins": "09:30"}]),
        "outage[1].begins: overlaps outage[0]",
    ),
    "more out than there are": (
        scenario(outage=[WHOLE_RUN | {"of": "ports", "count": 1000, "ends": "09:30"}]),
        "outage[0].count: is 1000, and there are 20 ports",
    ),
    "no day": (window(days=[]), "window: leaves no time to call anybody"),
    "a day twice": (window(days=["tue", "tue"]), "window.days: names tue 2 times"),
    "a moment's window": (
        window(opens="09:10", closes="09:10:00.000001"),
        "the 200 contacts can't all be dialed",
    ),
    "nobody": (scenario({"contacts": 0}), "there is nobody to call"),
    "one at a time": (scenario({"max_simultaneous": 1}), "limit on simultaneous calls"),
    "stopped at the start": (scenario({"stop_at": "09:05"}), "every call is canceled before"),
    "stopped after expiry": (
        scenario({"stop_at": "09:50", "expires_at": "09:40"}),
        "is not before expires_at: nothing is left to stop",
    ),
    "a moment's life": (
        scenario({"expires_at": "09:05:00.000001"}),
        "no retry can come before expiry",
    ),
    "a deadline before the start": (
        scenario(study={"campaign": "a", "deadline": "09:01"}),
        "is not after the start of the campaign under study",
    ),
    "handed in at the end": (scenario({"submitted_at": "10:59"}), "can't all be dialed"),
    "started at the end": (scenario({"start": "11:00"}), "nothing is dialed"),
    "endpoint of a moment": (endpoint(timeout="1 us"), "100 % of posts take longer, and fail"),
    "endpoint that fails": (
        endpoint(failure_share=1.0),
        "100 % of posts are answered",
    ),
    "slow endpoint": (endpoint(latency="1 d"), "100 % of posts take longer, and fail"),
    "repeated at once": (endpoint(retry_after=["1 us"] * 10), "within 10 us of each other"),
    "refused in days": (
        scenario(carrier={"refusal_time": "2 d", "rate": "1/s"}),
        "carrier.refusal_time: is 48 h, longer",
    ),
    "hardly a carrier": (scenario(carrier={"rate": "0.000001/s"}), "carrier.rate: the attempts"),
    "hardly a tenant": (
        scenario(tenant=[{"name": "t", "max_simultaneous": 1, "dial_rate": "0.000001/s"}]),
        "its tenant's dial rate",
    ),
    "a weight for nothing": (
        scenario(tenant=[{"name": "t", "weight": 3}]),
        "tenant[t].weight: has no effect unless",
    ),
    "a share for nothing": (
        scenario(tenant=[{"name": "t", "guaranteed_share": 0.3}]),
        'tenant[t].guaranteed_share: has no effect unless platform.queue = "guaranteed"',
    ),
    "a tenant's priority for nothing": (
        scenario(tenant=[{"name": "t", "priority": 1}]),
        'tenant[t].priority: has no effect unless platform.queue = "priority"',
    ),
    "a campaign's priority for nothing": (
        scenario({"priority": 1}, platform={"queue": "fair"}),
        'campaign[t/a].priority: has no effect unless platform.queue = "priority"',
    ),
    "one class of priority": (
        scenario({"priority": 1}, platform={"queue": "priority"}),
        "platform.queue: all calls are of priority 1: the queue is first in, first out",
    ),
    "nothing expires": (
        scenario(platform={"queue": "earliest_expiry"}),
        "platform.queue: no call ever expires: the queue is first in, first out",
    ),
    "nobody is guaranteed anything": (
        scenario(platform={"queue": "guaranteed"}, tenant=[{"name": "t"}]),
        "platform.queue: no tenant has a guaranteed share",
    ),
    "shares that leave nothing": (
        shares(0.97) | {"campaign": [CAMPAIGN, CAMPAIGN | {"tenant": "other"}]},
        "shares make 97.0 % of the ports in all: other goes only while they are idle",
    ),
    "a share above a limit": (
        shares(0.5, max_simultaneous=3),
        "is 10 ports, more than its max_simultaneous (3): it never holds all of them",
    ),
    "names alike": (
        scenario() | {"campaign": [CAMPAIGN, CAMPAIGN | {"tenant": "T"}]},
        "'T' and 't' are two: they differ in case or spaces only",
    ),
    "late requests": (
        requests(times_s=[10, 9999]),
        "1 of 2 come after the latest end of the run",
    ),
    "no requests": (requests(times_s=[]), "there is nobody to call"),
    "over before they begin": (requests(rate="1/min", until="09:01"), "there is nobody to call"),
    "requests beyond the run": (requests(rate="1/min", until="23:00"), "where requests end"),
    "another hour": (requests(rate_by_hour={"3": "1/min"}), "there is nobody to call"),
    "no caller IDs": (scenario({"missing_ani_share": 1.0}), "100.0 % of contacts have no caller"),
    "no summer time": (scenario(clock={"zone": "EST"}), "America/New_York has it"),
    "an offset": (scenario({"callee_zone": "Etc/GMT+6"}), "America/Chicago has it"),
}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "digits apart": (platform(dial_work="1__0 s"), "found '1__0 s'; write a number and a unit"),
    "digits open": (platform(dial_work="1_ s"), "found '1_ s'; write a number and a unit"),
    "weights too large": (profile(human=1e300), "human: found 1e+300; must be at most"),
    "weights too small": (profile(human=1e-320), "found weights that add up to 9.99989e-321"),
    "only invalid": (profile(invalid=1), "can't all be 0"),
    "hardly a pace": (scenario({"pacing": "0.001/h"}), "more than 0, 0.000001/s at least"),
    "leap seconds": (scenario(clock={"zone": "right/UTC"}), "is not a time zone"),
    "no place": (
        scenario(clock={"zone": "Factory"}),
        "'Factory', which is not a time zone",
    ),
    "this machine": (scenario(clock={"zone": "localtime"}), "is not a time zone"),
    "rules of a machine": (scenario(clock={"zone": "posixrules"}), "is not a time zone"),
    "an abbreviation": (scenario(clock={"zone": "CST"}), "did you mean 'America/Chicago'?"),
    "longer than a year": (
        scenario(clock={"ends": "2027-03-11 09:00", "latest": "2027-03-12 09:00"}),
        "a run may last 366 days at most",
    ),
    "repairs without end": (platform(reconciliation_every="1 us"), "7,200,000,000 times in the"),
    "requests after all runs": (requests(times_s=[1e300]), "must be at most 31622400"),
    "no name": (scenario() | {"name": ""}, "must have 1 or more characters"),
    "a long name": (scenario() | {"name": "x" * 60_000}, "must have 200 characters at most"),
    "two gap factors": (callees(gap_factors=[1.0, 0.5]), "found a list of 2; write true, false"),
    "a gap factor of words": (callees(gap_factors="often"), "write true, false or three factors"),
    "no profile": (scenario({"profile": "none"}), "profile: found 'none'; allowed: cold_list"),
    "no background profile": (
        scenario(background={"profile": "none"}),
        "background.profile: found 'none'",
    ),
    "no campaign": (scenario(study={"campaign": "none"}), "study.campaign: found 'none'"),
}
FINE: dict[str, dict[str, Any]] = {
    "as it is": scenario(),
    "no refusals": scenario({"missing_ani_share": 0.5}, carrier={"missing_ani_refusal": 0}),
    "handed in after the start": scenario({"submitted_at": "09:30"}),
    "long ago": scenario(clock={"date": "1970-01-01"}),
    "far ahead": scenario(clock={"date": "2199-12-30"}),
    "repairs every second": platform(reconciliation_every="1 s"),
    "requests in any order": requests(times_s=[5, 5, 5, 1, 400, 400]),
    "the largest seed": scenario() | {"seed": 2**63 - 1},
    "many tenants": scenario(
        background={"tenants": 1_000_000, "median_size": 1, "size_log_sd": 0.1}
    ),
}


@pytest.mark.parametrize("setting", WARNED)
def test_it_is_warned_of(setting: str) -> None:
    mapping, message = WARNED[setting]
    told = [str(each) for each in advice(load(mapping))]
    assert any(message in each for each in told), told


@pytest.mark.parametrize("setting", REFUSED)
def test_it_is_refused(setting: str) -> None:
    mapping, message = REFUSED[setting]
    with pytest.raises(ScenarioError) as caught:
        load(mapping)
    assert message in str(caught.value)


@pytest.mark.parametrize("setting", FINE)
def test_nothing_is_said_of_it(setting: str) -> None:
    assert advice(load(FINE[setting])) == []

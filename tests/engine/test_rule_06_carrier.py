"""Rule 6: the carrier takes an attempt or refuses it, and how a spike costs completions."""

from __future__ import annotations

import pytest

from outsim.scenario.defaults import DEFAULTS

from .scenarios import (
    campaign,
    of,
    outcomes,
    part,
    recorded,
    requests,
    run,
    seconds,
    statuses,
)


def causes(result, name=None):
    return list(of(result.attempts, name)["cause"])


# Rate


def test_the_carrier_admits_no_more_than_its_rate():
    """Two at once after a pause, then one a second; what comes faster is refused."""
    result = run(
        campaign(requests=requests(0, 0, 0, 0.5, 1, 1.5, 2)),
        carrier={"rate": "1/s", "burst": 2},
    )
    refused = "carrier_rate"
    assert causes(result) == ["", "", refused, refused, "", refused, ""]


def test_a_refusal_takes_no_token():
    """Refused all the time in between, the carrier takes the next one a second later."""
    result = run(
        campaign(requests=requests(0, 0.2, 0.4, 0.6, 0.8, 0.99, 1.0)),
        carrier={"rate": "1/s", "burst": 1},
    )
    assert causes(result) == ["", *["carrier_rate"] * 5, ""]


def test_nobodys_phone_rings_on_a_refusal():
    """A SIP 503: dialed at 1 s, refused at 2 s, and the port is free again."""
    result = run(campaign(requests=requests(0, 0)), carrier={"rate": "1/s", "burst": 1})
    row = result.attempts.iloc[1:]
    assert list(row["outcome"]) == ["congestion"]
    assert seconds(row["dialed_at"]) == [1.0]
    assert seconds(row["ringing_at"]) == seconds(row["answered_at"]) == [None]
    assert seconds(row["ended_at"]) == [2.0]
    assert list(row["callee_type"]) == [""]


def test_the_rate_counts_at_the_carrier_and_not_at_the_dispatch():
    """Dispatched together, dialed one after the other by the only worker: all are taken."""
    result = run(
        campaign(requests=requests(0, 0, 0, 0)),
        platform={"workers": 1, "dial_work": "1 s"},
        carrier={"rate": "1/s", "burst": 1},
    )
    assert causes(result) == [""] * 4


# Channels


def test_the_carrier_carries_no_more_calls_than_it_has_channels():
    """Two lines, three calls: the third is refused; the fourth finds a line free again."""
    result = run(campaign(requests=requests(0, 0, 0, 20)), carrier={"channels": 2})
    assert causes(result) == ["", "", "carrier_channels", ""]


def test_a_channel_is_held_to_the_end_of_the_attempt_and_ringing_takes_one_too():
    """Nobody answers for 30 s: the line is taken from 1 s to 32 s all the same."""
    result = run(
        campaign(requests=requests(0, 30.9, 31)),
        carrier={"channels": 1},
        tape=recorded(list=["no_answer"]),
    )
    assert causes(result) == ["", "carrier_channels", ""]


def test_a_refused_attempt_holds_no_channel():
    """The second is being refused when the line falls free; the third gets it."""
    result = run(campaign(requests=requests(0, 18.5, 19)), carrier={"channels": 1})
    assert causes(result) == ["", "carrier_channels", ""]
    assert seconds(result.attempts["ended_at"]) == [20.0, 20.5, 39.0]


# Other traffic


def test_other_traffic_takes_its_share_of_the_channels():
    result = run(
        campaign(requests=requests(0, 0, 0, 0)),
        carrier={"channels": 4, "other_traffic": 0.5},
    )
    assert causes(result) == ["", "", "carrier_channels", "carrier_channels"]


@pytest.mark.parametrize(("channels", "percent", "left"), [(5, 80, 1), (10, 90, 1), (25, 56, 11)])
def test_the_share_that_is_left_is_what_arithmetic_says(channels, percent, left):
    """Four fifths of five channels are four: one is left, and not none."""
    result = run(
        campaign(requests=requests(*[0] * channels)),
        carrier={"channels": channels, "other_traffic": f"{percent} %"},
    )
    assert causes(result).count("") == left


def test_other_traffic_takes_its_share_of_the_rate():
    half_seconds = [0.5 * k for k in range(10)]
    free = run(campaign(requests=requests(*half_seconds)), carrier={"rate": "2/s", "burst": 1})
    assert causes(free) == [""] * 10
    shared = run(
        campaign(requests=requests(*half_seconds)),
        carrier={"rate": "2/s", "burst": 1, "other_traffic": 0.5},
    )
    assert causes(shared) == ["", "carrier_rate"] * 5


def test_other_traffic_may_depend_on_the_minute_of_the_hour():
    """In the first minute of each hour the others take half of it all."""
    peak = {"other_traffic": 0.0, "other_traffic_peak": {0: 0.5}}
    half_seconds = [0.5 * k for k in range(10)]
    times = [hour + minute + s for hour in (0, 3600) for minute in (0, 60) for s in half_seconds]
    rate = run(campaign(requests=requests(*times)), carrier={"rate": "2/s", "burst": 1} | peak)
    in_peak, off_peak = ["", "carrier_rate"] * 5, [""] * 10
    assert causes(rate) == (in_peak + off_peak) * 2
    channels = run(campaign(requests=requests(0, 0, 0, *[60] * 5)), carrier={"channels": 4} | peak)
    assert causes(channels) == ["", "", "carrier_channels", *[""] * 4, "carrier_channels"]


def test_the_minute_is_that_of_the_clock_and_not_of_the_run():
    """A run from 8:58:30 meets the peak of minute 0 after a minute and a half."""
    result = run(
        campaign(start="08:58:30", requests=requests(0, 0, 85, 85, 95, 95)),
        clock={"begins": "08:58:30", "ends": "09:10"},
        carrier={"channels": 2, "other_traffic_peak": {0: 0.5}},
        platform={"dial_work": "1 ms"},
        callees={"message": "1 s"},
    )
    assert causes(result) == ["", "", "", "", "", "carrier_channels"]


def test_by_default_other_traffic_is_flat():
    assert DEFAULTS["carrier.other_traffic_peak"].value == {}


# What a refusal costs


def test_a_refusal_uses_up_an_attempt():
    """Three dials, three refusals: failed, though nobody's phone ever rang."""
    result = run(
        campaign(missing_ani_share=1.0, max_retry=2),
    )
    assert outcomes(result) == ["congestion"] * 3
    assert statuses(result) == ["failed"]


OUT = {"outage": [part(of="carrier", begins=0, ends=30)]}


def test_a_refusal_is_no_failure_of_the_callee():
    """Nobody picks up again after a failure here; after a refusal everybody does."""
    never_again = {"redial_factors": [1.0, 0.0]}
    refused = run(campaign(contacts=20, max_retry=1), callees=never_again, **OUT)
    assert outcomes(refused) == ["congestion"] * 20 + ["human"] * 20
    busy = run(
        campaign(contacts=20, max_retry=1), callees=never_again, tape=recorded(list=["busy"] * 20)
    )
    assert outcomes(busy) == ["busy"] * 20 + ["no_answer"] * 20


def test_a_refusal_does_not_count_in_the_gap_since_the_last_failure():
    """A minute after a failure fewer pick up; a minute after a refusal nobody minds."""
    gaps = {"gap_factors": True}
    refused = run(campaign(contacts=100, max_retry=1), callees=gaps, **OUT)
    assert outcomes(refused)[100:] == ["human"] * 100
    busy = run(
        campaign(contacts=100, max_retry=1), callees=gaps, tape=recorded(list=["busy"] * 100)
    )
    assert 10 < outcomes(busy)[100:].count("no_answer") < 40


# What follows


def test_a_spike_costs_completions_and_not_only_time():
    """The same hundred calls: all at once a good part is never completed, redials or not."""
    carrier = {"rate": "2/s", "burst": 2, "channels": 30}

    def run_at(times_s):
        return run(campaign(requests=requests(*times_s), max_retry=1), carrier=carrier)

    calm = run_at([float(k) for k in range(100)])
    assert statuses(calm).count("completed") == 100
    spike = run_at([0.0] * 100)
    assert statuses(spike).count("completed") < 60
    assert set(spike.attempts["cause"]) == {"", "carrier_rate"}


def test_dialing_below_the_carriers_rate_costs_nothing():
    """The platform's own dial rate keeps the burst from the carrier."""
    result = run(
        campaign(contacts=100),
        platform={"dial_rate": "2/s", "dial_burst": 1},
        carrier={"rate": "2/s", "burst": 1, "channels": 60},
    )
    assert outcomes(result) == ["human"] * 100


def test_another_customers_spike_costs_mine():
    mine = campaign("mine", requests=requests(*[float(k) for k in range(10)]))
    carrier = {"rate": "5/s", "burst": 5}
    assert statuses(run(mine, carrier=carrier), "mine") == ["completed"] * 10
    spike = campaign("theirs", tenant="aaa", requests=requests(*[k / 100 for k in range(1000)]))
    assert statuses(run(mine, spike, carrier=carrier), "mine").count("failed") >= 5

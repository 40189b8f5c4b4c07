"""Rule 7: what becomes of an attempt, when, and what is reported of it."""

from __future__ import annotations

import pandas as pd
import pytest

from outsim.tape import Purpose, Tape

from .scenarios import (
    campaign,
    contact_list,
    dispatched,
    of,
    outcomes,
    part,
    recorded,
    requests,
    run,
    seconds,
    statuses,
)

MIXED = {"human": 40, "no_answer": 30, "voicemail": 20, "busy": 10}
FLAT = {"morning": 1.0, "afternoon": 1.0, "evening": 1.0, "night": 1.0}


def mixed(name="list", **keys):
    """Campaign of two hundred calls that end in every possible way."""
    keys = {"contacts": 200} | keys
    return campaign(name, profile="mixed", **keys)


def run_mixed(*campaigns, **parts):
    return run(*campaigns, profiles={"mixed": MIXED}, **parts)


# Thresholds


def test_one_uniform_decides_in_the_order_human_no_answer_voicemail_busy():
    uniforms = Tape(1).uniforms("acme", "list", Purpose.OUTCOME, attempt=1, count=200)
    by_hand = [
        "human" if u < 0.4 else "no_answer" if u < 0.7 else "voicemail" if u < 0.9 else "busy"
        for u in uniforms
    ]
    assert outcomes(run_mixed(mixed())) == by_hand
    assert set(by_hand) == set(MIXED)


def test_each_attempt_has_a_draw_of_its_own():
    result = run_mixed(mixed(max_retry=1))
    again = result.attempts[result.attempts["attempt"] == 2]
    assert 60 < len(again) < 100
    assert 15 < (again["outcome"] == "human").sum() < 50


def test_weights_of_a_profile_need_not_add_up_to_100():
    result = run(mixed(), profiles={"mixed": {name: 7.7 * w for name, w in MIXED.items()}})
    assert outcomes(result) == outcomes(run_mixed(mixed()))


# Factors on the human share


def test_what_a_factor_takes_from_people_goes_to_no_answer():
    """Call by call: who does not answer at a bad hour had been a person, nobody else changes."""
    good, bad = (
        outcomes(run_mixed(mixed(), callees={"hour_factors": FLAT | {"morning": factor}}))
        for factor in (1.0, 0.6)
    )
    pairs = set(zip(good, bad, strict=True))
    assert pairs == {(name, name) for name in MIXED} | {("human", "no_answer")}
    assert abs(bad.count("human") / good.count("human") - 0.6) < 0.15


def test_what_a_factor_adds_to_people_comes_from_no_answer():
    good, better = (
        outcomes(run_mixed(mixed(), callees={"hour_factors": FLAT | {"morning": factor}}))
        for factor in (1.0, 1.5)
    )
    assert set(zip(good, better, strict=True)) == {(name, name) for name in MIXED} | {
        ("no_answer", "human")
    }


ASLEEP_IN_THE_MORNING = {"hour_factors": FLAT | {"morning": 0.0}}


def test_the_hour_is_that_of_the_dispatch():
    """Queued before noon, dispatched after it: the afternoon decides."""
    result = run(
        campaign(start="11:59:50", contacts=2),
        clock={"begins": "11:00", "ends": "13:00"},
        platform={"ports": 1},
        callees=ASLEEP_IN_THE_MORNING,
    )
    assert outcomes(result) == ["no_answer", "human"]


@pytest.mark.parametrize(
    ("hour", "part_of_day"),
    [
        (8, "night"),
        (9, "morning"),
        (11, "morning"),
        (12, "afternoon"),
        (16, "afternoon"),
        (17, "evening"),
        (20, "evening"),
        (21, "night"),
    ],
)
def test_parts_of_the_day(hour, part_of_day):
    result = run(
        campaign(start=f"{hour:02d}:00"),
        clock={"begins": "08:00", "ends": "22:00"},
        callees={"hour_factors": FLAT | {part_of_day: 0.0}},
    )
    assert outcomes(result) == ["no_answer"]


def test_the_hour_is_the_callees_own():
    """Ten in the morning here is evening in Tokyo."""
    result = run(
        campaign("here", start="10:00"),
        campaign("tokyo", start="10:00", callee_zone="Asia/Tokyo"),
        clock={"ends": "11:00"},
        callees=ASLEEP_IN_THE_MORNING,
    )
    assert outcomes(result, "here") == ["no_answer"]
    assert outcomes(result, "tokyo") == ["human"]


def test_the_list_knows_the_zone_of_each_callee(tmp_path):
    path = contact_list(
        tmp_path,
        "5125550100,5125550199,UTC",
        "5125550101,5125550199,Asia/Tokyo",
        "5125550102,5125550199,",
        header="destination,ani,time_zone",
    )
    result = run(campaign(contact_list=path), callees=ASLEEP_IN_THE_MORNING)
    assert outcomes(result) == ["no_answer", "human", "no_answer"]


def test_the_weekday_is_the_callees_own():
    """Tuesday evening here is Wednesday in Tokyo."""
    tuesday_off = [1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    result = run(
        campaign("here", start="18:00"),
        campaign("tokyo", start="18:00", callee_zone="Asia/Tokyo"),
        clock={"ends": "19:00"},
        callees={"weekday_factors": tuesday_off},
    )
    assert outcomes(result, "here") == ["no_answer"]
    assert outcomes(result, "tokyo") == ["human"]


def test_fewer_pick_up_after_failures():
    """The factor is that of the failures so far, and the last one lasts."""
    result = run(
        campaign(contacts=300, max_retry=3),
        callees={"redial_factors": [0.0, 0.5, 0.0]},
    )
    by_attempt = result.attempts.groupby("attempt")["outcome"].agg(
        lambda found: (found == "human").mean()
    )
    assert by_attempt[1] == by_attempt[3] == by_attempt[4] == 0
    assert abs(by_attempt[2] - 0.5) < 0.1


def test_a_line_that_was_busy_counts_as_a_failure_too():
    result = run(
        campaign(contacts=2, max_retry=1),
        callees={"redial_factors": [1.0, 0.0]},
        tape=recorded(list=["busy", "no_answer"]),
    )
    assert sorted(outcomes(result)) == ["busy", "no_answer", "no_answer", "no_answer"]


@pytest.mark.parametrize(
    ("interval", "share"), [("60 s", 0.75), ("299 s", 0.75), ("30 min", 0.85), ("2 h", 1.0)]
)
def test_a_short_gap_since_the_last_failure_lowers_the_human_share(interval, share):
    rules = {"contacts": 400, "max_retry": 1, "retry_interval": interval}
    tape = recorded(list=["busy"] * 400)
    result = run(campaign(**rules), callees={"gap_factors": True}, tape=tape)
    assert abs(outcomes(result)[400:].count("human") / 400 - share) < (share < 1) * 0.08 + 1e-9
    without = run(campaign(**rules), tape=tape)
    assert outcomes(without)[400:] == ["human"] * 400


# Times


COURSES = {
    # ringing, answered, detected, ended, type
    "human": (2.0, 5.0, 7.0, 20.0, "voice"),
    "voicemail": (2.0, 5.0, 9.0, 25.0, "answeringmachine"),
    "fax": (2.0, 5.0, 9.0, 9.0, "fax"),
    "no_answer": (2.0, None, None, 32.0, ""),
    "busy": (None, None, None, 2.0, ""),
    "invalid": (None, None, None, 2.0, ""),
}


@pytest.mark.parametrize("outcome", COURSES)
def test_the_course_of_an_attempt_by_its_outcome(outcome):
    result = run(campaign(), tape=recorded(list=[outcome]))
    row = result.attempts
    found = (
        *(seconds(row[f"{name}_at"])[0] for name in ("ringing", "answered", "detected", "ended")),
        row["callee_type"].iloc[0],
    )
    assert found == COURSES[outcome]
    assert list(row["outcome"]) == [outcome]


@pytest.mark.parametrize("outcome", ["human", "voicemail", "fax"])
def test_an_answer_later_than_the_ring_timeout_is_a_no_answer(outcome):
    """Somebody would answer after 30.001 s; after 30 s the platform has given up."""
    tape = Tape.from_table(
        pd.DataFrame(
            {
                "campaign": "list",
                "index": [0, 1],
                "outcome": outcome,
                "ring_s": [30.0, 30.001],
            }
        )
    )
    result = run(campaign(contacts=2), tape=tape)
    assert outcomes(result) == [outcome, "no_answer"]
    assert seconds(result.attempts["answered_at"]) == [32.0, None]
    assert seconds(result.attempts["ended_at"])[1] == 32.001
    assert statuses(result) == ["completed", "failed"]


def test_ring_times_are_not_cut_to_the_timeout():
    """Half of the people need longer than a short timeout, and none answers at it."""
    slow = {"distribution": "uniform", "least": "1 s", "most": "21 s"}
    result = run(
        campaign(contacts=300), platform={"ring_timeout": "11 s"}, callees={"ring_human": slow}
    )
    assert 110 < outcomes(result).count("no_answer") < 190
    rings = (result.attempts["answered_at"] - result.attempts["ringing_at"]).dt.total_seconds()
    assert rings.max() <= 11
    assert (rings.dropna() == 11).sum() <= 1


def test_a_phone_that_is_off_goes_to_voicemail_early():
    result = run(
        campaign(contacts=300),
        tape=recorded(list=["voicemail"] * 300),
        callees={"phone_off": 0.3, "phone_off_ring": "500 ms"},
    )
    rings = (result.attempts["answered_at"] - result.attempts["ringing_at"]).dt.total_seconds()
    assert set(rings) == {0.5, 3.0}
    assert abs((rings == 0.5).mean() - 0.3) < 0.1


@pytest.mark.parametrize(
    ("rules", "length"),
    [
        ({}, 15.0),
        ({"message": "40 s"}, 40.0),
        ({"asks_for_key": True}, 21.0),
        ({"transfers_to_agent": True}, 100.0),
    ],
)
def test_a_person_stays_for_the_message_a_key_or_an_agent(rules, length):
    row = run(campaign(**rules)).attempts
    assert seconds(row["ended_at"])[0] - seconds(row["answered_at"])[0] == length


def test_some_people_leave_before_the_message_ends():
    row = run(campaign(contacts=300), callees={"early_hang_up": 0.25}).attempts
    stayed = (row["ended_at"] - row["answered_at"]).dt.total_seconds()
    assert stayed.max() == 15
    assert abs((stayed < 15).mean() - 0.25) < 0.1
    assert 6 < stayed[stayed < 15].mean() < 9


# Traits


FAULTY = {"human": 60, "voicemail": 0, "no_answer": 0, "busy": 0, "invalid": 40}


def test_an_invalid_number_is_one_whenever_it_is_dialed():
    """Refused the first time, it turns out invalid the second time: the same numbers."""

    def invalid(**parts):
        result = run(
            campaign(contacts=200, profile="faulty", max_retry=1),
            profiles={"faulty": FAULTY},
            **parts,
        )
        rows = result.attempts[result.attempts["outcome"] == "invalid"]
        return set(rows["number"]), set(rows["attempt"])

    first, at_first = invalid()
    second, at_second = invalid(outage=[part(of="carrier", begins=0, ends=30)])
    assert (at_first, at_second) == ({1}, {2})
    assert first == second
    assert 50 < len(first) < 110


def test_a_fax_is_one_whenever_it_is_dialed_and_counts_as_answered():
    faxes = {"fax_share": 0.3}
    first = run(campaign(contacts=200, max_retry=1), callees=faxes)
    second = run(
        campaign(contacts=200, max_retry=1),
        callees=faxes,
        outage=[part(of="carrier", begins=0, ends=30)],
    )
    numbers = [
        set(result.attempts.loc[result.attempts["outcome"] == "fax", "number"])
        for result in (first, second)
    ]
    assert numbers[0] == numbers[1]
    assert 35 < len(numbers[0]) < 85
    assert set(first.attempts["callee_type"]) == {"voice", "fax"}
    assert statuses(first) == ["completed"] * 200


# Detection


@pytest.mark.parametrize(
    ("outcome", "wrong"),
    [("human", "answeringmachine"), ("voicemail", "voice"), ("fax", "unknown")],
)
def test_what_is_reported_is_not_always_what_happened(outcome, wrong):
    """Both are kept: the outcome is the truth, the callee type what the platform says."""
    result = run(campaign(), tape=recorded(list=[outcome]), platform={"detection_accuracy": 0.0})
    assert outcomes(result) == [outcome]
    assert list(result.attempts["callee_type"]) == [wrong]
    assert statuses(result) == ["completed"]


def test_detection_is_right_as_often_as_it_is_said_to_be():
    result = run(campaign(contacts=1000), platform={"detection_accuracy": 0.9})
    right = (result.attempts["callee_type"] == "voice").mean()
    assert abs(right - 0.9) < 0.04


def test_who_leaves_before_being_detected_is_not_known():
    """Detection takes 2 s, and the callee was gone after 1.999 s; 2 s are just enough."""
    tape = Tape.from_table(
        pd.DataFrame({"campaign": "list", "index": [0, 1], "talk_s": [1.999, 2.0]})
    )
    result = run(campaign(contacts=2), tape=tape)
    assert list(result.attempts["callee_type"]) == ["processing", "voice"]
    assert seconds(result.attempts["detected_at"]) == [None, 7.001]
    assert statuses(result) == ["completed", "completed"]


# Draws belong to the call


def test_a_changed_schedule_changes_nothing_but_the_schedule():
    """Another start, another campaign, fewer ports: the same people answer the same way."""
    alone = run_mixed(mixed(max_retry=2))
    crowded = run_mixed(
        mixed(max_retry=2, start=600),
        mixed("other", tenant="aaa", start=590, requests=requests(*[595.0] * 50), contacts=None),
        platform={"ports": 20},
    )
    assert dispatched(alone, "list") != dispatched(crowded, "list")

    def by_call(result):
        rows = of(result.attempts, "list")
        index = result.calls.set_index("call_id")["index"].reindex(rows["call_id"]).tolist()
        return sorted(zip(index, rows["attempt"], rows["outcome"], strict=True))

    assert by_call(alone) == by_call(crowded)

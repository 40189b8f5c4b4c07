"""Why a scenario does better or worse: every sentence follows from what the runs are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from outsim.clock import RATE_SECONDS
from outsim.questions.compare import Comparison, compare
from outsim.results.checkpoint import simulate
from outsim.results.tables.waiting import WAITING_MEASURES
from tests.engine import scenarios as engine
from tests.studies.scenarios import chancy

NAMES = [measure.name for measure in WAITING_MEASURES]


def why(*scenarios, **options) -> Comparison:
    with ThreadPoolExecutor(1) as thread:
        return compare(*scenarios, replications=4, executor=thread, **options).run()


def test_what_calls_wait_for_is_what_the_tables_say():
    """Counted call by call, and port by port."""
    others = engine.campaign("others", "zeta", contacts=25)
    own = engine.campaign("own", contacts=30, profile="known_list", max_retry=1, start=5)
    scenario = engine.scenario(own, others, platform={"ports": 4}, study={"campaign": "own"})
    campaign = scenario.campaign_under_study
    assert campaign is not None
    result = simulate(scenario, seed=1)
    view = result.measure_view(campaign)
    found = {measure.name: measure.compute(view) for measure in WAITING_MEASURES}
    attempts = result.attempts
    own = attempts["campaign"] == campaign.name
    first = attempts[own & (attempts["attempt"] == 1)]
    ahead = [
        int((~own & (attempts["dispatched_at"] >= row.queued_at)).loc[: row.Index - 1].sum())
        for row in first.itertuples()
    ]
    assert found["others_first"] == pytest.approx(np.mean(ahead))
    assert found["others_first"] > 0
    since, until = first["queued_at"].min(), first["dispatched_at"].max()
    span = {"lower": since, "upper": until}
    ended = attempts["ended_at"].fillna(result.end)
    held = ended.clip(**span) - attempts["dispatched_at"].clip(**span)
    capacity = scenario.platform.ports * (until - since)
    assert found["ports_busy"] == pytest.approx(held.sum() / capacity)
    during = attempts["dispatched_at"].between(since, until, inclusive="left").sum()
    at_most = scenario.platform.dial_rate / RATE_SECONDS * (until - since).total_seconds()
    assert found["dial_rate_used"] == pytest.approx(during / at_most)
    assert 0 <= found["ports_without_worker"] <= found["ports_busy"] <= 1


def test_ports_out_of_service_are_not_free_ones():
    own = engine.campaign("own", contacts=30, start=5)
    fewer = engine.scenario(own, platform={"ports": 2}, study={"campaign": "own"})
    outage = {"of": "ports", "count": 2, "begins": "09:00:00"}
    out = engine.scenario(own, platform={"ports": 4}, outage=[outage], study={"campaign": "own"})
    shares = []
    for scenario in (fewer, out):
        view = simulate(scenario, seed=1).measure_view(scenario.campaign_under_study)
        shares.append([measure.compute(view) for measure in WAITING_MEASURES])
    assert shares[0] == shares[1]


def test_a_later_start_is_told_by_the_clock_too():
    answer = why(chancy("early"), chancy("late", start=900))
    text = answer.document().why[0]
    assert text.startswith(
        "A wait counts from its own start: late starts 15 min later, and by the"
    )
    assert text.endswith(" later.")


def test_of_one_start_nothing_is_told_by_the_clock():
    texts = why(chancy("a"), chancy("b", max_retry=0)).document().why
    assert texts
    assert not any("by the clock" in text for text in texts)


def test_of_more_than_two_nothing_is_told():
    assert why(chancy("a"), chancy("b"), chancy("c")).document().why == []


def test_machines_are_given_the_sentences():
    answer = why(chancy("a"), chancy("b", start=900))
    assert answer.to_dict()["why"] == list(answer.document().why)
    assert set(NAMES).isdisjoint(answer.to_dict()["measures"])

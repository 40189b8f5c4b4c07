"""How far each number moves the answer: paired, one at a time, with what has no effect."""

from __future__ import annotations

import numpy as np
import pytest

import outsim
from outsim import plots
from outsim.errors import StudyError
from outsim.scenario import load
from outsim.studies.synchronous import run_sync

CLOCK = {"date": "2026-03-10", "begins": "09:00", "ends": "12:00"}
CAMPAIGN = {"name": "calls", "tenant": "acme", "start": "09:00", "contacts": 40, "max_retry": 0}
SOURCES = {
    "platform.ports": {"grade": "vendor", "source": "a page", "range": "5:20"},
}


@pytest.fixture(scope="module")
def effects():
    scenario = load(
        {"clock": CLOCK, "campaign": [CAMPAIGN], "platform": {"ports": 10}, "sources": SOURCES}
    )
    return run_sync(
        outsim.assumption_effects(
            scenario, measure="wait_p90_s", replications=10, executor="threads", progress=None
        )
    )


def by_key(found):
    return {each.factor.name: each for each in found}


def test_every_number_with_a_range_is_moved(effects):
    ranges = {each.key for each in effects.ledger if each.range}
    moved = {
        name.removesuffix(".median").removesuffix(".mean").removesuffix(".most")
        for name in by_key(effects.of())
    }
    assert moved == ranges


def test_more_ports_shorten_the_wait_and_fewer_make_it_longer(effects):
    ports = by_key(effects.of())["platform.ports"]
    assert ports.low.mean > 0 > ports.high.mean
    assert ports.move.mean == pytest.approx(ports.high.mean - ports.low.mean)


def test_an_effect_is_the_difference_of_runs_with_the_same_draws(effects):
    place = 1 + 2 * [each.name for each in effects.factors].index("platform.ports")
    values = [effects.findings.values(k, "wait_p90_s") for k in (0, place)]
    expected = np.mean(values[1] - values[0])
    assert by_key(effects.of())["platform.ports"].low.mean == pytest.approx(expected)


def test_a_number_that_no_call_meets_has_no_effect_at_all(effects):
    """Nobody talks to an agent here, and nobody is asked for a key."""
    found = by_key(effects.of())
    assert found["callees.agent_talk.median"].is_none
    assert found["callees.key_press.median"].is_none
    assert not found["platform.ports"].is_none


def test_an_effect_has_a_verdict_by_what_matters(effects):
    found = by_key(effects.of())
    assert found["platform.ports"].verdict == "moves"
    assert found["callees.agent_talk.median"].verdict == "none"
    small = [each for each in found.values() if each.verdict == "small"]
    assert small
    for each in small:
        assert each.matters_from >= 5
        assert max(abs(e.mean) for e in (each.low, each.high, each.move)) < each.matters_from
    rows = effects.to_dict()["effects"]["wait_p90_s"]
    assert {row["key"]: row["verdict"] for row in rows} == {
        name: each.verdict for name, each in found.items()
    }


def test_the_largest_effect_comes_first(effects):
    sizes = [each.size for each in effects.of()]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 0


def test_intervals_hold_together_so_that_each_is_wider_than_alone(effects):
    from outsim.estimates import estimate

    place = 1 + 2 * [each.name for each in effects.factors].index("platform.ports")
    values = [effects.findings.values(k, "wait_p90_s") for k in (0, place)]
    alone = estimate(values[1] - values[0])
    assert by_key(effects.of())["platform.ports"].low.half_width > alone.half_width


def test_table_and_document_have_every_number_and_figure(effects):
    rows = len(effects.factors) * len(effects.findings.measures)
    assert len(effects.table()) == rows
    assert sum(len(each) for each in effects.to_dict()["effects"].values()) == rows


def test_the_tornado_shows_what_moves_the_figure_widest_on_top(effects):
    labels = [text.get_text().split("\n")[0] for text in plots.effects(effects).get_yticklabels()]
    assert labels == [each.factor.name for each in effects.of() if each.size > 0][: len(labels)]
    assert "platform.ports" in labels


def test_an_unknown_figure_is_refused_before_anything_is_run(effects):
    with pytest.raises(StudyError, match="'wait': there is no such measure"):
        run_sync(outsim.assumption_effects(effects.ledger.scenario, measure="wait"))
    with pytest.raises(StudyError, match="'wait': there is no such measure"):
        effects.of("wait")


def test_one_replication_is_refused(effects):
    with pytest.raises(StudyError, match="replications = 1: must be 2 or more"):
        run_sync(outsim.assumption_effects(effects.ledger.scenario, replications=1))

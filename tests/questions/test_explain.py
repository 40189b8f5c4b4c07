"""Explanations: whose calls the wait went to, and what one more would have been worth."""

from __future__ import annotations

import json
from typing import Any

import pytest

import outsim
from outsim import plots
from outsim.display import percent
from outsim.errors import StudyError
from outsim.questions.explain import Explanation
from outsim.questions.marginal_value import default_increments
from outsim.scenario import Scenario
from outsim.vocabulary import FIRST_CALL_ID
from tests.engine.scenarios import campaign, scenario

OPTIONS = {"replications": 4, "executor": "threads", "progress": None}


def short_of_ports(**platform: object) -> Scenario:
    return scenario(
        campaign(contacts=40),
        campaign("late", "zeta", start=10, contacts=5),
        platform={"ports": 4} | platform,
        study={"campaign": "late"},
    )


@pytest.fixture(scope="module")
def found() -> Explanation:
    return outsim.explain(short_of_ports(), **OPTIONS).run()


def test_time_in_the_queue_is_told_by_whose_calls_it_went_to(found: Explanation) -> None:
    whom = found.by_whom()
    assert whom["tenant"].tolist() == ["acme", "zeta"]
    assert whom["own"].tolist() == [False, True]
    assert whom["share"].sum() == pytest.approx(1)
    share = percent(whom["share"].iloc[0])
    assert found.sentence.startswith(f"{share} of the time")
    assert "acme's 09:00 campaign" in found.sentence


@pytest.mark.parametrize(
    ("queue", "keys", "tenant", "why"),
    [
        ("fifo", {}, {}, None),
        ("priority", {"priority": 1}, {}, "their priority number is lower"),
        ("earliest_expiry", {"expires_at": 3000}, {}, "they expire earlier"),
        ("fair", {}, {}, "it was their tenants' turn"),
        (
            "guaranteed",
            {},
            {"guaranteed_share": 0.5},
            "their tenants held less than their guaranteed shares",
        ),
    ],
)
def test_it_says_who_was_served_ahead_and_why(
    queue: str, keys: dict[str, Any], tenant: dict[str, Any], why: str | None
) -> None:
    """Five calls come when 36 of 40 wait: not first in, first out they overtake some."""
    asked = scenario(
        campaign(contacts=40),
        campaign("late", "zeta", start=10, contacts=5, **keys),
        platform={"ports": 4, "queue": queue},
        tenant=[{"name": "zeta"} | tenant],
    )
    found = outsim.explain(asked, "acme/list", worth=False).run()
    told = found.to_dict()["served_ahead"]
    document = str(found.document())
    if why is None:
        assert told["attempts"] == 0
        assert "because" not in found.document().more
        return
    assert told["why"] == why
    assert told["by_whom"] == [{"tenant": "zeta", "campaign": "late", "attempts": 5}]
    assert found.served_ahead.sentence == (
        "5 attempts of others went out before calls of the campaign that had waited longer, "
        f"because {why}; most of them of zeta: late (5)."
    )
    assert document
    of_late = outsim.explain(asked, "zeta/late", worth=False).run()
    assert of_late.served_ahead.sentence == ""


def test_the_table_has_all_of_the_time(found: Explanation) -> None:
    table = found.table()
    assert table["share"].sum() == pytest.approx(1)
    calls = found.result.calls.set_index("call_id").loc[found.time_by_cause.index]
    lasted = (calls["final_at"] - calls["submitted_at"]).dt.total_seconds().mean()
    after = table.loc[["status_backlog"], "mean_s"].sum()
    assert table["mean_s"].sum() - after == pytest.approx(lasted)


def test_one_more_port_shortens_waits_exactly_as_its_run_does(found: Explanation) -> None:
    """Nothing is drawn in these runs: each replication is the same, and so is the effect."""
    assert found.worth is not None
    base = short_of_ports()
    names = [step.what for step in found.worth.steps]
    assert names == ["1 more port", "1 more worker", "1 more call/s"]
    waits = [
        outsim.simulate(short_of_ports(ports=ports)).measures()["wait_p90_s"] for ports in (4, 5)
    ]
    effect = found.worth.effect(0, "wait_p90_s")
    assert effect.mean == pytest.approx(waits[1] - waits[0])
    assert effect.mean < 0
    assert found.worth.effect(1, "wait_p90_s").mean == 0
    step = default_increments(base)[0]
    assert base.with_({step.key: step.value}).platform.ports == 5


def test_steps_are_one_more_and_a_share_of_many() -> None:
    steps = default_increments(short_of_ports(ports=300, dial_rate="90/min"))
    assert [(step.key, step.value, step.change) for step in steps] == [
        ("platform.ports", "301", "300 to 301"),
        ("platform.ports", "315", "300 to 315"),
        ("platform.workers", "1001", "1,000 to 1,001"),
        ("platform.dial_rate", "2.5/s", "1.5/s to 2.5/s"),
    ]


def test_the_answer_of_a_result_is_about_this_result() -> None:
    result = outsim.simulate(short_of_ports(), seed=7)
    found = outsim.explain(result, "acme/list", **OPTIONS).run()
    assert found.result is result
    assert found.worth is not None
    assert found.worth.findings.seed == 7
    assert len(found.time_by_cause) == 40


def test_the_document_says_what_the_methods_do(found: Explanation) -> None:
    document = json.loads(json.dumps(found.to_dict(), default=str))
    assert document["campaign"] == "zeta/late"
    assert document["queue"]["sentence"] == found.sentence
    assert {row["cause"] for row in document["causes"]} == set(found.table().index)
    assert [step["what"] for step in document["worth"]["steps"]] == [
        step.what
        for step in found.worth.steps  # type: ignore[union-attr]
    ]


def test_what_is_not_there_is_refused(found: Explanation) -> None:
    with pytest.raises(StudyError, match=r"call 3: no such call of zeta/late .* 40 to 44"):
        found.call(3)
    with pytest.raises(StudyError, match="no call of the campaign goes to it"):
        found.call_of_number("2125550100")
    with pytest.raises(StudyError, match="no such campaign"):
        outsim.explain(short_of_ports(), "nobody")


def test_a_call_is_known_by_the_number_that_customers_of_a_sandbox_know(
    found: Explanation,
) -> None:
    assert found.call(FIRST_CALL_ID + 43).call["call_id"] == 43
    with pytest.raises(StudyError, match="customers of a sandbox know these by 100,000,000 more"):
        found.call(FIRST_CALL_ID + 3)


def test_a_call_is_found_by_its_number(found: Explanation) -> None:
    calls = found.result.calls.set_index("call_id")
    assert found.call_of_number(f"{calls.loc[42, 'number']:010d}") == 42
    assert found.call(42).ending.startswith("completed")


# One accounting: sentence, table, picture and charges tell the same


PACED = {"contacts": 30, "pacing": "60/min", "profile": "known_list", "max_retry": 2}


@pytest.mark.parametrize(
    "platform", [{"ports": 1}, {"ports": 30}, {"dial_rate": "20/min", "dial_burst": 1}], ids=str
)
@pytest.mark.parametrize("keys", [{"contacts": 30}, PACED], ids=["unpaced", "paced"])
def test_table_picture_and_charges_are_one_accounting(
    platform: dict[str, object], keys: dict[str, object]
) -> None:
    result = outsim.simulate(scenario(campaign(**keys), platform=platform))
    own = result.scenario.campaign[0]
    found = Explanation(result, own)
    table = found.table()
    assert "calls_ahead" not in table.index

    over_time = result.causes_over_time(campaign=own, until="end")
    sums = over_time.drop(columns="calls").astype("int64").mul(over_time["calls"], axis=0).sum()
    drawn = sums[sums > 0] / sums.sum()
    assert dict(drawn) == pytest.approx(dict(table["share"]), abs=1e-5)

    charges = found.charges.drop(columns=["tenant", "campaign", "start", "total"])
    of_queue = charges.astype("int64").sum()
    spent = found.time_by_cause.astype("int64").sum()
    for cause in ("no_free_port", "dial_rate", "suspension", "limit"):
        assert of_queue[cause] == spent[cause]

    axes = plots.explain(found)
    legend = {text.get_text() for text in axes.get_legend().get_texts()}
    assert legend == {f"{row.label} {percent(row.share, 1)}" for row in table.itertuples()}
    most = table.loc[table["share"].idxmax()]
    assert percent(most["share"], 1) in found.cause_sentence
    assert found.cause_sentence.endswith(f"{most['label']}.")
    assert [most["label"], percent(most["share"], 1)] in [
        [row[0], row[2]] for row in found.document().tables[0].rows
    ]


def test_calls_that_go_nowhere_are_in_the_accounting_too() -> None:
    """Stopped at once: what is canceled has its time in table and picture."""
    result = outsim.simulate(scenario(campaign(contacts=20, pacing="6/min", stop_at="09:01:00")))
    own = result.scenario.campaign[0]
    over_time = result.causes_over_time(campaign=own, until="end")
    assert over_time["calls"].sum() == 20

"""Who gains and who loses when two scenarios are compared."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import outsim
from outsim.errors import StudyError
from outsim.estimates import LEVEL, estimate
from outsim.questions.compare import Comparison
from outsim.scenario import Scenario
from tests.engine.scenarios import campaign, scenario

BACKGROUND = {"tenants": 1, "campaigns_per_hour": 1, "median_size": 1}


def shared(queue: str, **parts: Any) -> Scenario:
    """A long list before a short one, on a platform with few ports."""
    return scenario(
        campaign("long", "gold", contacts=80),
        campaign("short", "silver", start=5, contacts=3),
        platform={"ports": 4, "queue": queue},
        study={"campaign": "gold/long"},
        **({"name": queue} | parts),
    )


def compared(**options: Any) -> Comparison:
    first, second = shared("fifo", background=BACKGROUND), shared("fair", background=BACKGROUND)
    return outsim.compare(first, second, replications=6, progress=None, **options).run()


@pytest.fixture(scope="module")
def answer() -> Comparison:
    return compared(all_tenants=True)


def test_it_is_said_first_who_gains_and_who_loses(answer: Comparison) -> None:
    document = answer.document()
    assert document.answer.startswith("fair, compared with fifo: gain: silver (p95 wait -")
    captions = [table.caption for table in document.tables]
    assert captions[0] == "P95 wait"
    assert "Fairness" in captions
    first = document.tables[0].to_dataframe()
    assert [*first.index] == ["gold", "silver", "background tenants"]


def test_differences_are_paired_and_hold_together_for_everybody(answer: Comparison) -> None:
    assert answer.gains is not None
    findings = answer.gains.findings
    name = "wait_p95_s of tenant silver"
    found = json.loads(json.dumps(answer.to_dict()))["everybody"]["subjects"]["silver"]
    difference = findings.values(1, name) - findings.values(0, name)
    measure = findings.measure(name)
    support = measure.support.between(findings.values(1, name), findings.values(0, name))
    level = 1 - (1 - LEVEL) / 3
    expected = estimate(difference, level, support).to_dict()
    (theirs,) = found["measures"]["wait_p95_s"]["differences"]
    assert {key: theirs[key] for key in expected} == expected
    assert found["side"] == ["gains"]
    assert theirs["verdict"] == "better"


def test_the_measures_of_the_campaign_under_study_are_what_they_are_alone(
    answer: Comparison,
) -> None:
    alone = compared()
    assert alone.to_dict()["measures"] == answer.to_dict()["measures"]
    assert "everybody" not in alone.to_dict()


def test_shares_of_port_time_add_up_with_the_background_as_one(answer: Comparison) -> None:
    assert answer.gains is not None
    names = ("tenant gold", "tenant silver", "background tenants")
    shares = [answer.gains.findings.values(0, f"port_share of {name}") for name in names]
    assert np.sum(shares, axis=0) == pytest.approx(1)


def test_campaigns_are_asked_about_by_name_or_object() -> None:
    first, second = shared("fifo"), shared("fair")
    named = ["long", first.find_campaign("silver/short")]
    found = outsim.compare(first, second, campaigns=named, replications=3, progress=None).run()
    assert [*found.to_dict()["everybody"]["subjects"]] == ["long", "short"]
    assert found.to_dict()["everybody"]["all_tenants"] == {}
    with pytest.raises(StudyError, match="there is no such campaign"):
        outsim.compare(first, second, campaigns=["shor"], progress=None)


def test_a_study_of_everybody_is_kept_and_read_again(tmp_path: Any) -> None:
    kept = compared(all_tenants=True, directory=tmp_path / "kept")
    assert kept.gains is not None
    again = outsim.load_study(tmp_path / "kept")
    read = {item.name: item for item in again.measures}
    for item in kept.gains.whose.measures:
        assert (read[item.name].of, read[item.name].label) == (item.of, item.label)
    assert Comparison.of(again.result).document().answer == kept.document().answer


def test_a_run_says_what_campaigns_take_of_the_platform() -> None:
    result = outsim.simulate(shared("fifo"), progress=None)
    ports = json.loads(json.dumps(result.to_dict()))["ports"]
    assert [*ports][-1] == "(all calls)"
    shares = [of["port_share"] for of in ports.values()]
    assert sum(shares[:-1]) == pytest.approx(1)
    assert ports["(all calls)"]["peak_queue"] >= max(of["peak_queue"] for of in ports.values())
    assert result.document().tables[1].caption == "Ports and queue"


class TestCapacity:
    """A promise to everybody is kept where it is kept to each."""

    def asked(self, **whose: Any) -> Any:
        return outsim.capacity(
            shared("fifo"),
            "platform.ports=2:40:3",
            ["p95 wait <= 60 s"],
            replications=3,
            progress=None,
            **whose,
        ).run()

    def test_each_campaign_has_the_promise(self) -> None:
        answer = self.asked(campaigns=["long", "short"])
        assert [promise.text for promise in answer.promises] == [
            "p95 wait <= 60 s, of gold/long",
            "p95 wait <= 60 s, of silver/short",
        ]
        assert answer.value is not None
        alone = [self.asked(campaign=name) for name in ("long", "short")]
        assert answer.number == max(one.number for one in alone)

    def test_every_tenant_has_it_and_the_worst_says_the_same(self) -> None:
        every = self.asked(all_tenants=True)
        worst = outsim.capacity(
            shared("fifo"),
            "platform.ports=2:40:3",
            ["every tenant's p95 wait <= 60 s"],
            replications=3,
            progress=None,
        ).run()
        assert every.value == worst.value is not None

"""The latest start or stop that keeps promises, against every one of them; what is scarce."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from outsim.errors import StudyError
from outsim.questions.capacity import capacity
from outsim.questions.check import check
from outsim.questions.eta import eta
from outsim.questions.latest import latest_start, latest_stop
from outsim.results.checkpoint import simulate
from outsim.scenario import Scenario
from outsim.scenario.factors import Moments
from outsim.studies.promise_limits import never_kept
from outsim.studies.promises import read_promise
from tests.engine import scenarios


def batch(calls: int = 40, *, campaign: dict[str, Any] | None = None, **platform: Any) -> Scenario:
    """Calls that are all there at once and differ in nothing: each holds its port for 20 s."""
    return scenarios.scenario(
        scenarios.campaign(contacts=calls, **(campaign or {})), platform={"ports": 8} | platform
    )


def ask(question: Any, *given: Any, **options: Any) -> Any:
    with ThreadPoolExecutor(1) as thread:
        options = {"replications": 2, "executor": thread, "progress": None} | options
        return question(*given, **options).run()


def keeps(scenario: Scenario, key: str, value: Any, text: str) -> bool:
    """Whether one run keeps a promise."""
    altered = scenario.with_({key: value}, name=scenario.name)
    result = simulate(altered)
    promise = read_promise(text, altered)
    shown = promise.measure.compute(result.measure_view(altered.campaign_under_study))
    return shown <= promise.limit if promise.at_most else shown >= promise.limit


@pytest.mark.parametrize("text", ["95% of calls out by 09:30", "finished by 09:31"])
def test_the_latest_start_is_the_last_of_all_that_keep_the_promise(text: str) -> None:
    scenario = batch()
    found = ask(latest_start, scenario, [text], between=("09:20", "09:35"), every="1min")
    kept = [m for m in range(20, 36) if keeps(scenario, "campaign[0].start", f"09:{m}", text)]
    assert found.value == f"09:{max(kept):02d}"
    assert found.below == f"09:{max(kept) + 1:02d}"
    answer = found.document().answer
    assert answer.startswith("Latest start of ")
    assert found.value in answer
    assert "95 % confidence" in answer
    assert "campaign[" not in answer
    assert found.to_dict()["above"] == found.below


def test_the_earliest_start_that_keeps_a_promise_is_the_first() -> None:
    found = ask(
        latest_start, batch(), ["finished by 09:31"], between=("09:00", "09:35"), earliest=True
    )
    assert found.value == "09:00"
    assert "earliest" in found.document().answer


def test_the_latest_stop_is_the_last_that_keeps_the_dials_few() -> None:
    scenario = batch(campaign={"stop_reaches": "queue"}, stop_latency="1 s")
    text = "at most 20 dialed"
    found = ask(latest_stop, scenario, [text], every="5s")
    stops = [f"09:{s // 60:02d}:{s % 60:02d}" for s in range(0, 100, 5)]
    kept = [at for at in stops if keeps(scenario, "campaign[0].stop_at", at, text)]
    assert found.value is not None
    assert f"{found.value}:00"[:8] == max(kept)
    assert "Latest stop of" in found.document().answer


@pytest.mark.parametrize("largest", [False, True])
def test_the_largest_value_is_the_last_of_a_small_grid(largest: bool) -> None:
    """As many as that may be in the list, and no more."""
    text = "p95 wait <= 41 s"
    scenario = batch()
    found = ask(capacity, scenario, "campaign[0].contacts=5:60", [text], largest=largest)
    kept = [n for n in range(5, 61) if keeps(scenario, "campaign[0].contacts", n, text)]
    assert found.number == (max(kept) if largest else min(kept))
    if largest:
        assert found.document().answer.startswith("Largest value that keeps")
        assert found.below == str(max(kept) + 1)


def test_what_is_scarce_is_named_where_more_changes_nothing() -> None:
    scenario = batch(40, dial_rate="2/s", dial_burst=1)
    found = ask(capacity, scenario, "platform.ports=50:200", ["p95 wait <= 5 s"])
    assert found.value is None
    assert found.scarce[0].startswith("the dial rate")
    assert any("calls wait for the dial rate" in text for text in found.document().more)
    assert "from 50 to 200" in found.document().answer


class TestForecast:
    def test_a_promise_is_kept_as_often_as_its_event_comes(self) -> None:
        for text, kept in (("95% of calls out by 09:30", 1), ("95% of calls out by 09:01", 0)):
            found = ask(eta, batch(), promise=[text], replications=20)
            (promise,) = found.promises
            assert found.keeps(promise).mean == kept
            assert found.verdict(promise) == ("kept" if kept else "broken")
            assert found.is_no == (not kept)
            assert found.document().answer.startswith(text)

    def test_out_by_counts_what_a_snapshot_says_is_out(self) -> None:
        scenario = batch(40)
        at = "09:00:50"
        found = ask(eta, scenario, at=at, promise=["50% of calls out by 09:01:30"], replications=4)
        assert found.keeps(found.promises[0]).mean == 1

    def test_what_a_snapshot_does_not_tell_is_refused(self) -> None:
        with pytest.raises(StudyError, match="out by a time"):
            eta(batch(), at="09:00:50", promise=["p95 wait <= 10 min"])

    def test_a_call_has_no_promise(self) -> None:
        with pytest.raises(StudyError, match="leave out the call"):
            eta(batch(), call=0, promise=["95% of calls out by 09:30"])


class TestNever:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("95% of calls out by 08:59", "the campaign starts at 09:00:00"),
            ("finished by 09:00", "the campaign starts at"),
            ("95% of calls done by 09:00:10", "platform.dial_rate lets at most"),
            ("p95 wait <= 5 s", "platform.dial_rate lets at most"),
            ("at least 41 calls dialed", "there are 40 calls"),
        ],
    )
    def test_a_promise_that_no_run_can_keep_is_warned_of(self, text: str, why: str) -> None:
        scenario = batch(40, dial_rate="2/s", dial_burst=1)
        (checked,) = check(scenario, promise=[text]).run().scenarios
        assert any(why in warning and text in warning for warning in checked.warnings)

    @pytest.mark.parametrize("ports", [1, 8, 40])
    @pytest.mark.parametrize("seconds", [1, 10, 19, 20, 21, 60, 400, 800])
    def test_what_a_run_keeps_is_never_said_to_be_impossible(
        self, ports: int, seconds: int
    ) -> None:
        scenario = batch(40, dial_rate="2/s", dial_burst=1, ports=ports)
        view = simulate(scenario).measure_view(scenario.campaign_under_study)
        at = f"09:{seconds // 60:02d}:{seconds % 60:02d}"
        for text in (f"p95 wait <= {seconds} s", f"95% of calls out by {at}", f"finished by {at}"):
            promise = read_promise(text, scenario)
            value = promise.measure.compute(view)
            if math.isnan(value):
                continue
            kept = value <= promise.limit if promise.at_most else value >= promise.limit
            assert not (kept and never_kept([promise], scenario))


def test_moments_are_clock_times_that_pass_midnight() -> None:
    scenario = batch()
    first = scenario.clock.at("23:58")
    from outsim.clock import MINUTE, after

    moments = [after(first, k * MINUTE) for k in range(5)]
    vary = Moments.of("campaign[0].start", moments, is_descending=True)
    assert [vary.moment(value) for value in vary.values()] == moments[::-1]
    assert vary.text(vary.values()[-1]) == "23:58"
    assert vary.text(vary.values()[0]) == f"{moments[-1]:%Y-%m-%d} 00:02"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": "1 ms"}, "must be whole seconds"),
        ({"between": ("09:10", "09:10")}, "nothing to search"),
        ({"every": "1s", "between": ("09:00", "11:00")}, "at most 5,000"),
    ],
)
def test_moments_that_can_not_be_searched_are_refused(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(StudyError, match=message):
        latest_start(batch(), ["finished by 11:00"], **options)

"""Sweeps of the platform: known flips, none, designs, and nothing run twice."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from outsim import plots
from outsim.errors import ScenarioError, StudyError
from outsim.estimates import estimate
from outsim.questions.sweep import sweep
from outsim.questions.sweep_answers import Sweep
from outsim.results.checkpoint import simulate
from outsim.results.measures import measure_named, port_use
from outsim.scenario import load
from outsim.studies.synchronous import run_sync
from tests.studies.flip_scenarios import FLIP_PER_MIN, hasty, paced
from tests.studies.scenarios import chancy, without_campaigns

mpl.use("Agg")

RATE = "platform.loader_rate=60/min:130/min:2"


class Refusing(Executor):
    """One that does no work: what it is asked for is not there yet."""

    def submit(self, *_: Any) -> Any:  # type: ignore[override]
        raise AssertionError("a run was begun that is there already")


def swept(*scenarios, **options: Any) -> Sweep:
    """A sweep in threads: no processes to wait for."""
    options = {"executor": "threads", "engine": "compiled", "progress": None} | options
    return run_sync(sweep(*scenarios, **options))


@pytest.fixture(scope="module")
def known() -> Sweep:
    """The flip that a formula gives."""
    return swept(hasty(), paced(), vary=[RATE], replications=10)


# Flips


def test_a_known_flip_is_found_where_the_formula_has_it(known):
    """Below 90 a minute the loader gets fewer than 30 calls out in 20 s, above it more."""
    (flip,) = known.flips
    assert flip.verdict == "flips"
    (crossing,) = flip.crossings
    low, high = (flip.factor.value(each.position) for each in (crossing.low, crossing.high))
    assert low <= FLIP_PER_MIN <= high
    assert high - low <= 20
    assert crossing.is_confirmed
    assert crossing.fresh[0].low > 0 > crossing.fresh[1].high


def test_the_recommendation_is_the_one_that_gets_more_calls_out(known):
    found = known
    (crossing,) = found.flips[0].crossings
    assert found.preferred(crossing.low.sign) == "paced"
    assert found.preferred(crossing.high.sign) == "hasty"


def test_a_range_beside_the_flip_holds_none():
    found = swept(
        hasty("people"),
        paced("people"),
        vary=["platform.loader_rate=120/min:180/min:2"],
        replications=2,
    )
    (flip,) = found.flips
    assert (flip.verdict, flip.crossings) == ("none in range", ())
    assert found.preferred(flip.probes[0].sign) == "hasty"


def test_an_assumption_that_touches_neither_scenario_has_no_effect():
    found = swept(hasty(), paced(), vary=["callees.greeting=5 s:30 s:2"], replications=3)
    assert found.flips[0].verdict == "no effect"


def test_each_value_is_a_paired_comparison_of_the_two_scenarios(known):
    probe = known.flips[0].probes[0]
    changes = {"platform.loader_rate": probe.text}
    differences = [
        _completed(paced().with_(changes), k) - _completed(hasty().with_(changes), k)
        for k in range(10)
    ]
    support = measure_named("completed_by_deadline").support.of_difference
    assert probe.difference == estimate(np.array(differences), support=support)


def _completed(scenario, replication: int) -> float:
    return simulate(scenario, replication=replication).measures()["completed_by_deadline"]


# Designs


def test_each_point_is_a_run_of_the_scenario_with_its_values():
    found = swept(
        chancy(), vary=["platform.ports=2:10:2", "platform.workers=1:2:2"], replications=2
    )
    assert found.design is not None
    assert found.design.points == 4
    figures = found.values("finish_time_s")
    for point in range(4):
        values = found.point(point)
        assert set(values) == {"platform.ports", "platform.workers"}
        for k in range(2):
            alone = simulate(chancy().with_(values), replication=k).measures()
            assert figures[point, k] == alone["finish_time_s"]


def test_what_delays_calls_matters_for_when_they_are_finished():
    found = swept(
        chancy(),
        vary=["platform.ports=2:10", "callees.fax_share=0:0.01"],
        design="morris",
        points=4,
        replications=2,
    )
    assert found.sensitivities["finish_time_s"].ranked[0] == "platform.ports"


def test_points_of_equal_values_are_run_once():
    """Whole numbers from 1 to 2: many positions, two values."""
    found = swept(
        chancy(contacts=3), vary=["platform.workers=1:2"], design="lhs", points=64, replications=2
    )
    assert found.findings is not None
    assert len(found.findings.scenarios) == 2
    assert found.values("finish_time_s").shape == (64, 2)


def test_of_two_scenarios_a_design_is_about_their_difference():
    found = swept(
        chancy(contacts=5),
        chancy(contacts=5, max_retry=0),
        vary=["platform.ports=1:2:2"],
        design="grid",
        replications=2,
    )
    first, second = found.values("attempts_per_call", 0), found.values("attempts_per_call", 1)
    assert (found.values("attempts_per_call") == second - first).all()
    assert found.flips


def test_all_assumptions_are_varied_by_one_option_but_for_ones_own_ranges():
    campaign = {"name": "list", "tenant": "acme", "start": "09:00", "contacts": 1}
    scenario = load(
        {
            "clock": {"date": "2026-03-10", "begins": "09:00", "ends": "09:30"},
            "platform": {"ports": 10},
            "campaign": [campaign | {"max_retry": 0}],
        }
    )
    options: dict[str, Any] = {"design": "morris", "points": 4, "replications": 2}
    found = swept(scenario, vary=["carrier.channels=10:20"], assumptions=True, **options)
    ends = {factor.name: factor.ends for factor in found.factors}
    assert [*ends].count("carrier.channels") == 1
    assert ends["carrier.channels"] == "10 to 20"
    assert ends["platform.dial_rate"] == "5/s to 100/s"
    assert "platform.ports" not in ends, "the scenario says how many there are"
    assert dict(found.left_out)["campaign.pacing_at"] == "it is a word, not a number"
    assert found.design is not None
    assert found.design.points == 4 * (len(ends) + 1)


def test_whoever_does_the_work_the_answer_is_the_same():
    options: dict[str, Any] = {"vary": ["platform.ports=2:10"], "replications": 2}
    options |= {"design": "lhs", "points": 64}
    threads = swept(chancy(contacts=4), **options)
    readable = swept(chancy(contacts=4), engine="simpy", **options)
    assert threads.to_dict() == readable.to_dict()


# Nothing is run twice


def certain(out, **options: Any) -> Sweep:
    """A small search that keeps what it runs: everybody answers, nothing is left to luck."""
    options = {"vary": ["platform.loader_rate=60/min:130/min:2"], "replications": 2} | options
    return swept(hasty("people"), paced("people"), directory=out, **options)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sweep, Path]:
    """Such a search, and its directory."""
    out = tmp_path_factory.mktemp("kept") / "out"
    return certain(out), out


def test_a_finished_sweep_is_read_and_not_run_again(kept):
    found, out = kept
    assert found.flips[0].verdict == "flips"
    assert certain(out, executor=Refusing()).to_dict() == found.to_dict()


@pytest.mark.parametrize("lost", ["base", "flips"])
def test_a_sweep_that_was_cut_short_goes_on_with_what_is_missing(kept, tmp_path, lost):
    found, out = kept
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    shutil.rmtree(max((copy / lost).rglob("replications/0*")))
    with pytest.raises(AssertionError, match="there already"):
        certain(copy, executor=Refusing())
    assert certain(copy).to_dict() == found.to_dict()
    assert certain(copy, executor=Refusing()).to_dict() == found.to_dict()


def test_a_directory_of_another_sweep_is_refused(kept):
    with pytest.raises(StudyError, match="holds another study"):
        certain(kept[1], seed=9)


# What it says


def test_the_json_document_holds_ranges_values_and_flips(known):
    document = json.loads(json.dumps(known.to_dict(), allow_nan=False))
    assert document["scenarios"] == ["hasty", "paced"]
    assert document["assumptions"] == [
        {
            "key": "platform.loader_rate",
            "low": "60/min",
            "high": "130/min",
            "scale": "linear",
            "values": 2,
            "source": "as asked",
        }
    ]
    (flip,) = document["flips"]
    assert (flip["verdict"], flip["crossings"][0]["confirmed"]) == ("flips", True)
    assert [each["value"] for each in flip["values"]] == ["60/min", "130/min"]


def test_the_table_has_a_row_for_each_point_and_figure():
    found = swept(chancy(contacts=3), vary=["platform.ports=1:2:2"], replications=2)
    table = found.table()
    row = table[(table["measure"] == "wait_p90_s") & (table["platform.ports"] == "2")].iloc[0]
    assert row["mean"] == found.estimates("wait_p90_s")[1].mean
    assert found.design is not None
    assert set(table["point"]) == {0, 1}


def test_a_sweep_draws_its_flip_and_its_bars(known):
    import matplotlib.pyplot as plt

    found = known
    ax = plots.sweep(found)
    assert ax.get_xlabel() == "platform.loader_rate (/min)"
    assert [text.get_text() for text in ax.texts] == [
        f"flips at {found.flips[0].factor.shown(found.flips[0].crossings[0].position)}"
    ]
    bars = swept(chancy(contacts=3), vary=["platform.ports=1:2", "callees.fax_share=0:1"])
    _, mine = plt.subplots()
    assert plots.sensitivity(bars, "finish_time_s", mine) is mine
    assert [label.get_text() for label in mine.get_yticklabels()] == list(
        bars.sensitivities["finish_time_s"].ranked
    )
    with pytest.raises(StudyError, match="no crossovers were looked for"):
        plots.crossover(bars)
    with pytest.raises(StudyError, match=r"varied key 'carrier\.rate': there is no such"):
        plots.crossover(found, "carrier.rate")
    plt.close("all")


# What can't be swept


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, StudyError, "nothing to vary"),
        ({"vary": ["platform.ports"]}, ScenarioError, "write KEY=LOW:HIGH"),
        ({"vary": ["platform.prots=1:2"]}, ScenarioError, 'did you mean "ports"'),
        ({"vary": ["platform.ports=0:2"]}, ScenarioError, "platform.ports"),
        ({"vary": ["platform.ports=1:2"] * 2}, ScenarioError, "given 2 times"),
        ({"vary": ["platform.ports=1:2"], "measure": "speed"}, StudyError, "no such measure"),
        ({"vary": ["platform.ports=1:2"], "design": "star"}, StudyError, "design 'star'"),
        ({"vary": ["platform.ports=1:2"], "replications": 1}, StudyError, "must be 2 or more"),
        (
            {"vary": ["platform.ports=1:2"], "precision": {"difference:finish_time_s": "1s"}},
            StudyError,
            "it takes two scenarios to differ",
        ),
    ],
)
def test_what_cannot_be_swept_is_refused_before_anything_runs(options, error, message):
    with pytest.raises(error, match=message):
        swept(chancy(), executor=Refusing(), **options)


def test_points_without_a_design_are_refused():
    with pytest.raises(StudyError, match="points: they are a design's"):
        swept(chancy(), chancy(), vary=["platform.ports=1:2"], points=50, executor=Refusing())


def test_nobody_to_call_is_no_sweep():
    with pytest.raises(StudyError, match="'nobody' has no campaign to study"):
        swept(without_campaigns(), vary=["platform.ports=1:2"])


class TestValuesOneByOne:
    """`KEY=A,B,C`: numbers, words and times, each as it was written."""

    def test_each_value_is_a_point_with_all_measures(self) -> None:
        answer = sweep(
            chancy(),
            vary=["platform.ports=1,2,5"],
            measures=True,
            replications=3,
            progress=None,
        ).run()
        assert [answer.point(k)["platform.ports"] for k in range(3)] == ["1", "2", "5"]
        said = answer.document().answer
        assert [f" at {ports}" in said for ports in (1, 2, 5)] == [True] * 3
        shown = [table.caption for table in answer.document().tables]
        assert "All measures, by platform.ports" in shown
        measures = answer.to_dict()["design"]["points"][1]["measures"]
        assert {"port_use of all calls", "peak_queue", "completions_per_port_hour"} <= {*measures}
        alone = simulate(chancy().with_({"platform.ports": "2"}), replication=1)
        view = alone.measure_view(alone.scenario.campaign_under_study)
        assert answer.values("port_use")[1][1] == port_use(view)

    def test_words_and_times_are_values_too(self) -> None:
        for vary in ("platform.queue=fifo,fair", "campaign[0].start=09:00,09:05"):
            answer = sweep(chancy(), vary=[vary], replications=2, progress=None).run()
            values = [next(iter(answer.point(k).values())) for k in range(2)]
            assert values == vary.partition("=")[2].split(",")
            table = answer.document().tables[0]
            assert [row[0] for row in table.rows] == values

    @pytest.mark.parametrize("vary", ["platform.ports=1,1", "platform.ports=1,,2"])
    def test_values_are_two_or_more_and_differ(self, vary: str) -> None:
        with pytest.raises(ScenarioError, match="two or more different values"):
            sweep(chancy(), vary=[vary], progress=None)

    def test_a_value_that_the_scenario_can_not_have_is_refused(self) -> None:
        with pytest.raises(ScenarioError, match="fare"):
            sweep(chancy(), vary=["platform.queue=fifo,fare"], progress=None)

    def test_everybody_has_a_column_at_each_point(self) -> None:
        answer = sweep(
            chancy(),
            vary=["platform.ports=1,2"],
            measure="max p95 wait",
            all_tenants=True,
            replications=2,
            progress=None,
        ).run()
        captions = [table.caption for table in answer.document().tables]
        assert "max p95 wait of all campaigns, at each point" in captions
        assert "p95 wait, at each point" in captions
        assert "all tenants, at each point" in captions

"""A name that there is none of is an error, wherever it is given: what was found, what may be."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot

import outsim
from outsim import plots
from outsim.cli import main
from outsim.errors import OutsimError, nearest, unknown_name
from outsim.results.measures import MEASURES
from outsim.results.result import Result
from outsim.studies.stopping import read_precisions
from outsim.testing.claims import find_measure
from tests.engine.scenarios import campaign, scenario
from tests.in_a_thread import studies_in_a_thread

Ask = Callable[[], object]


@pytest.fixture(scope="module")
def result() -> Result:
    given = scenario(
        campaign("reminders", contacts=3),
        campaign("offer", "retailer", contacts=3),
        name="too few ports",
    )
    return outsim.simulate(given, seed=1)


@pytest.fixture(scope="module")
def answers(result: Result) -> dict[str, Any]:
    """One small answer of each kind."""
    base = result.scenario
    other = base.model_copy(update={"name": "more"})
    options: dict[str, Any] = {"replications": 2, "progress": None, "executor": "threads"}
    asked: dict[str, Any] = {
        "findings": outsim.compare(base, other, **options),
        "schedule": outsim.schedule(base, every="30min", between=("09:00", "09:30"), **options),
        "eta": outsim.eta(base, **options),
        "stop": outsim.stop(base, after=["1s", "5s"], **options),
        "sweep": outsim.sweep(base, vary=["platform.ports=5:10:2"], **options),
    }
    with studies_in_a_thread():
        answers = {name: question.run() for name, question in asked.items()}
    return answers | {"findings": answers["findings"].findings}


def refused(ask: Ask) -> str:
    with pytest.raises(OutsimError) as told:
        ask()
    return str(told.value)


def test_the_nearest_name_is_suggested_and_the_others_are_listed():
    allowed = ["wait_median_s", "clinic/reminders"]
    assert unknown_name("figure", "wait_medain_s", allowed) == (
        "figure 'wait_medain_s': there is no such figure; did you mean 'wait_median_s'? allowed: "
        "wait_median_s, clinic/reminders"
    )
    assert nearest("Remindres", allowed).startswith("did you mean 'clinic/reminders'? ")
    assert nearest("xyz", allowed) == "allowed: wait_median_s, clinic/reminders"
    assert nearest("median", allowed).startswith("did you mean 'wait_median_s'? ")
    assert nearest(None, ["Nine"]) == "allowed: Nine"
    assert nearest("x", []) == "allowed: none, as none is defined"
    assert nearest("x", range(20)).endswith("14, 15 and 4 more")


PORTS, PROMISE = "platform.ports=1:2", ["p95 wait <= 1 h"]
OF_CAMPAIGNS: dict[str, Callable[[Result, Any], object]] = {
    "time_by_cause": lambda r, name: r.time_by_cause(name),
    "causes_over_time": lambda r, name: r.causes_over_time("5min", name),
    "queue_time_by_blocker": lambda r, name: r.queue_time_by_blocker(name),
    "view": lambda r, name: r.view(name),
    "measured": lambda r, name: r.measure_view(name),
    "find_campaign": lambda r, name: r.scenario.find_campaign(name),
    "plots.wait_causes": lambda r, name: plots.wait_causes(r, campaign=name),
    "plots.status_lag": lambda r, name: plots.status_lag(r, campaign=name),
    "plots.waits": lambda r, name: plots.waits(r, campaigns=[name]),
}
OF_CAMPAIGNS_BUT_NONE: dict[str, Callable[[Result, Any], object]] = {
    "measures": lambda r, name: r.measures(name),
    "plots.outcome_mix": lambda r, name: plots.outcome_mix(r, campaign=name),
    "plots.truth_and_seen": lambda r, name: plots.truth_and_seen(r, campaign=name),
    "eta": lambda r, name: outsim.eta(r.scenario, name),
    "schedule": lambda r, name: outsim.schedule(r.scenario, name),
    "stop": lambda r, name: outsim.stop(r.scenario, name),
    "explain": lambda r, name: outsim.explain(r, name),
    "status": lambda r, name: outsim.status(r, name, at="09:01"),
    "export": lambda r, name: outsim.export(r, "csv", Path("tables"), campaign=name),
    "compare": lambda r, name: outsim.compare(r.scenario, r.scenario, campaign=name),
    "sweep": lambda r, name: outsim.sweep(r.scenario, vary=["platform.ports=1:2"], campaign=name),
    "capacity": lambda r, name: outsim.capacity(r.scenario, PORTS, PROMISE, campaign=name),
    "frontier": lambda r, name: outsim.frontier(
        r.scenario, PORTS, "platform.workers=1:2", PROMISE, campaign=name
    ),
    "latest_start": lambda r, name: outsim.latest_start(r.scenario, PROMISE, name),
    "failed": lambda r, name: outsim.failed(r, name),
    "report": lambda r, name: outsim.report(r, name, replications=2),
}
"""Where none means the campaign under study."""


@pytest.mark.parametrize("name", OF_CAMPAIGNS | OF_CAMPAIGNS_BUT_NONE)
def test_a_campaign_that_there_is_none_of_answers_nothing(name, result):
    def ask() -> object:
        given: Any = (OF_CAMPAIGNS | OF_CAMPAIGNS_BUT_NONE)[name](result, "remindres")
        return given.run() if name == "report" else given  # what is reported is read later

    message = refused(ask)
    assert message == (
        "campaign 'remindres': there is no such campaign in scenario 'too few ports'; did you "
        "mean 'acme/reminders'? allowed: acme/reminders, retailer/offer"
    )


@pytest.mark.parametrize("name", OF_CAMPAIGNS)
def test_none_is_no_campaign_and_does_not_stand_for_all(name, result):
    message = refused(lambda: OF_CAMPAIGNS[name](result, None))
    assert message.startswith("campaign None: there is no such campaign in scenario ")


def test_whatever_takes_a_campaign_is_tried_here() -> None:
    functions = {
        **{name: getattr(outsim, name) for name in outsim.__all__},
        **{f"plots.{name}": getattr(plots, name) for name in plots.__all__},
        **{name: function for name, function in vars(Result).items() if name[0] != "_"},
    }
    taking = {
        name.replace("measure_view", "measured")
        for name, function in functions.items()
        if inspect.isfunction(function)
        and {"campaign", "campaigns"} & inspect.signature(function).parameters.keys()
    }
    # Its search has nothing to find in a campaign that is dialed in an instant.
    taking -= {"latest_stop"}
    assert taking == (OF_CAMPAIGNS | OF_CAMPAIGNS_BUT_NONE).keys() - {"find_campaign"}


@pytest.mark.parametrize("given", ["offer", "retailer/offer", "object"])
@pytest.mark.parametrize("name", OF_CAMPAIGNS | OF_CAMPAIGNS_BUT_NONE)
def test_whatever_takes_a_campaign_takes_its_name_and_the_object(name, given, result):
    offer = result.scenario.find_campaign("retailer/offer")
    (OF_CAMPAIGNS | OF_CAMPAIGNS_BUT_NONE)[name](result, offer if given == "object" else given)
    pyplot.close("all")


@pytest.mark.parametrize("given", ["offer", "retailer/offer", "object"])
def test_a_campaign_is_named_alike_everywhere(given, result):
    offer = result.scenario.find_campaign("retailer/offer")
    named = offer if given == "object" else given
    assert result.time_by_cause(named).index.tolist() == [3, 4, 5]
    assert len(result.view(named).calls) == 3
    assert outsim.eta(result.scenario, named, replications=2).run is not None
    assert len(result.time_by_cause()) == 6


def test_a_name_that_several_campaigns_have_is_none_of_one():
    two = scenario(campaign("list", "one"), campaign("list", "two"))
    message = refused(lambda: outsim.simulate(two).time_by_cause("list"))
    assert re.search("is the name of several in .*; allowed: one/list, two/list", message)


OF_FIGURES: dict[str, Callable[[dict[str, Any], Any], object]] = {
    "Findings.mean": lambda a, name: a["findings"].mean(0, name),
    "Findings.difference": lambda a, name: a["findings"].difference(1, name),
    "Findings.values": lambda a, name: a["findings"].values(0, name),
    "Findings.probability": lambda a, name: a["findings"].probability(0, name, at_most=1),
    "Findings.saved_by_pairing": lambda a, name: a["findings"].saved_by_pairing(1, name),
    "Findings.measure": lambda a, name: a["findings"].measure(name),
    "plots.compare": lambda a, name: plots.compare(a["findings"], name),
    "Schedule.mean": lambda a, name: a["schedule"].mean(a["schedule"].base, name),
    "Schedule.ranking": lambda a, name: a["schedule"].ranking(name),
    "Forecast.quantiles": lambda a, name: a["eta"].quantiles(name),
    "plots.start_sweep": lambda a, name: plots.start_sweep(a["schedule"], name),
    "plots.sensitivity": lambda a, name: plots.sensitivity(a["sweep"], name),
    "Sweep.estimates": lambda a, name: a["sweep"].estimates(name),
    "claim": lambda _, name: find_measure(name),
    "precision": lambda _, name: read_precisions({name: "5%"}, MEASURES),
}


@pytest.mark.parametrize("name", [None, "nine", "complete_share"])
@pytest.mark.parametrize("ask", OF_FIGURES)
def test_a_figure_that_there_is_none_of_has_no_value(ask, name, answers):
    if name is None and ask in ("precision", "plots.sensitivity"):
        pytest.skip("a key of a mapping is a text, and None is the measure that was asked about")
    message = refused(lambda: OF_FIGURES[ask](answers, name))
    assert re.search(f"(figure|measure) {name!r}: there is no such (figure|measure); ", message)
    assert "allowed: " in message


def test_a_figure_that_is_nearly_right_is_suggested(answers):
    message = refused(lambda: answers["findings"].mean(0, "wait_p95_s"))
    assert "did you mean 'wait_p90_s'? " in message


@pytest.mark.parametrize("place", [None, "too few port", 2, -1, True, 0.0, np.nan])
def test_a_scenario_that_there_is_none_of_has_no_mean(place, answers):
    for of in ("mean", "difference", "values", "saved_by_pairing"):
        message = refused(lambda of=of: getattr(answers["findings"], of)(place, "wait_p90_s"))
        assert f"scenario {place!r}: there is no such scenario; " in message
        assert "allowed: too few ports, more, 0, 1" in message


def test_a_scenario_is_named_by_its_place_or_its_label(answers):
    findings = answers["findings"]
    assert findings.mean("more", "wait_p90_s") == findings.mean(1, "wait_p90_s")
    assert findings.mean(np.int64(1), "wait_p90_s") == findings.mean(1, "wait_p90_s")
    assert answers["sweep"].estimates("wait_p90_s", "too few ports")


OTHERS: dict[str, tuple[Callable[[Result, dict[str, Any]], object], str]] = {
    "until": (
        lambda r, _: r.time_by_cause(until="ends"),
        "did you mean 'end'?",
    ),
    "engine": (
        lambda r, _: outsim.simulate(r.scenario, engine="compield"),
        "did you mean 'compiled'?",
    ),
    "executor": (
        lambda r, _: outsim.Study([r.scenario]).run(replications=2, executor="thread"),
        "executor 'thread': there is no such executor; did you mean 'threads'?",
    ),
    "design": (
        lambda r, _: outsim.sweep(r.scenario, vary=["platform.ports=1:2"], design="sobel").run(),
        "did you mean 'sobol'?",
    ),
    "start": (
        lambda _, a: a["schedule"].mean(datetime(2026, 3, 10, tzinfo=UTC), "duration_s"),
        "there is no such start; did you mean '2026-03-10 09:00:00+00:00'?",
    ),
    "stop": (lambda _, a: a["stop"].dials_saved(7), "allowed: 1000000, 5000000"),
    "point": (lambda _, a: a["sweep"].point(2), "point 2: there are 0 to 1"),
    "quantity": (
        lambda r, _: plots.load_over_replications([r], "busy_port"),
        "did you mean 'busy_ports'?",
    ),
    "key": (
        lambda r, _: outsim.sweep(r.scenario, vary=["campaign[remindres].max_retry=1:2"]),
        "did you mean 'acme/reminders'?",
    ),
    "promise": (
        lambda r, _: outsim.capacity(r.scenario, "platform.ports=1:2", ["complted <= 3"]).run(),
        "did you mean 'completed'?",
    ),
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_name_that_there_is_none_of_is_refused(what, result, answers):
    ask, expected = OTHERS[what]

    def run() -> object:
        found: Any = ask(result, answers)
        return found.run() if hasattr(found, "__await__") else found

    with studies_in_a_thread():
        message = refused(run)
    assert expected in message
    assert "None" not in message


COMMANDS = {
    "assumptions --measure": ("assumptions {file} --measure complete_share", "completed_share"),
    "assumptions --effect --measure": (
        "assumptions {file} --effect --measure complete_share",
        "completed_share",
    ),
    "sweep --measure": (
        "sweep {file} --vary platform.ports=1:2 --measure complete_share",
        "completed_share",
    ),
    "status --campaign": ("status {file} --at 09:01 --campaign remindres", "acme/reminders"),
    "failed --campaign": ("failed {file} --campaign remindres", "acme/reminders"),
    "eta --campaign": ("eta {file} --campaign remindres", "acme/reminders"),
    "schedule --campaign": ("schedule {file} --campaign remindres", "acme/reminders"),
    "stop --campaign": ("stop {file} --campaign remindres", "acme/reminders"),
    "explain --campaign": ("explain {file} --campaign remindres", "acme/reminders"),
    "report --campaign": ("report {file} --campaign remindres -o page.html", "acme/reminders"),
    "export --campaign": (
        "export {file} --campaign remindres --format csv -o tables",
        "acme/reminders",
    ),
    "compare --precision": ("compare {file} {file} --precision wait_p80_s=5s", "wait_p90_s"),
    "compare --executor": ("compare {file} {file} --replications 2 --executor core", "cores"),
    "capacity --target": (
        'capacity {file} --vary platform.ports=1:2 --target "complted >= 90 %"',
        "completed",
    ),
    "capacity --vary": (
        'capacity {file} --vary platform.port=1:2 --target "p90 wait <= 1 min"',
        "ports",
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_refuses_a_name_that_there_is_none_of(command, tmp_path, monkeypatch, capsys):
    import shlex

    file = tmp_path / "small.toml"
    file.write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    line, meant = COMMANDS[command]
    monkeypatch.setattr("sys.argv", ["outsim", *shlex.split(line.format(file="small.toml"))])
    with pytest.raises(SystemExit) as ended, studies_in_a_thread():
        main()
    assert ended.value.code == 2
    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert f"did you mean {meant!r}?" in said or f'did you mean "{meant}"?' in said


def test_what_is_about_effects_is_not_ignored_without_them(tmp_path, monkeypatch, capsys):
    file = tmp_path / "small.toml"
    file.write_text(SMALL)
    monkeypatch.setattr(
        "sys.argv", ["outsim", "assumptions", str(file), "--measure", "wait_p90_s"]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "ask for that too, with --effect" in capsys.readouterr().err


SMALL = """
name = "small"
[clock]
zone = "UTC"
date = 2026-03-10
begins = "09:00"
ends = "10:00"
[[campaign]]
name = "reminders"
tenant = "acme"
start = "09:00"
contacts = 5
"""


@pytest.mark.parametrize("every", ["1mni", 5, "0min", "-1min", ""])
def test_a_step_that_is_none_is_refused(every, result):
    for ask in (result.timeline, result.causes_over_time):
        assert "such as '1min'" in refused(lambda ask=ask: ask(every))


@pytest.mark.parametrize("at", [None, 9.5, "nine"])
def test_a_moment_that_is_none_is_refused(at, result):
    for ask in (result.status_page, result.snapshot, result.local_time):
        assert "found " in refused(lambda ask=ask: ask(at))


@pytest.mark.parametrize(("module", "name"), [(outsim, "simulat"), (plots, "queu")])
def test_python_can_suggest_the_name_that_was_meant(module, name):
    with pytest.raises(AttributeError) as told:
        getattr(module, name)
    assert (told.value.name, told.value.obj) == (name, module)


def test_one_campaign_may_be_named_where_several_may(result):
    assert plots.waits(result, campaigns="offer").get_title() is not None
    assert "'ofer'" in refused(lambda: plots.waits(result, campaigns="ofer"))

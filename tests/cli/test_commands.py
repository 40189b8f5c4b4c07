"""Every command on small scenarios: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import math
import re

import pandas as pd
import pytest

import outsim as package
from outsim.questions.schema import json_schema
from outsim.results.measures import MEASURES
from outsim.studies.default_replications import COMPARE

from .commands import COMMANDS
from .stored import stored


def test_the_same_command_gives_the_same_answer(outsim):
    assert outsim("run", "small.toml") == stored("run").ended
    assert outsim("run", "small.toml", "--seed", "2") != stored("run").ended


# run


def test_run_says_what_became_of_each_campaign(outsim):
    document = json.loads(outsim("run", "small.toml", "--seed", "5", "--json").out)
    assert (document["scenario"], document["seed"], document["replication"]) == ("small", 5, 0)
    assert document["ended"] == "2026-03-10T10:00:00-04:00"
    result = package.simulate(package.load("small.toml"), seed=5)
    assert document["attempts"] == len(result.attempts)
    assert list(document["campaigns"]) == ["appointment reminders", "notices"]
    assert document["campaigns"]["notices"]["calls"] == 20
    assert document["campaigns"] == result.to_dict()["campaigns"]
    for campaign in result.scenario.campaigns:
        for name, value in result.measures(campaign).items():
            shown = document["campaigns"][campaign.name][name]
            assert (shown is None) if math.isnan(value) else shown == value


def test_run_names_every_default_it_rests_on_with_its_source():
    assumptions = stored("run").facts["assumptions"]
    assert f"It rests on {len(assumptions)} defaults" in stored("run").words
    assert all(each["source"] and each["grade"] in "MVSA" for each in assumptions)
    keys = {each["key"] for each in assumptions}
    assert "platform.workers" in keys
    assert "platform.ports" not in keys, "the scenario says it"


def test_run_shows_the_counts_and_every_measure_of_each_campaign(files):
    text = stored("run").ended.out
    rows = [line.split() for line in text.splitlines()]
    assert ["calls", "60", "20"] in rows
    result = package.simulate(package.load("small.toml"))
    summary = result.summary()
    for status in ("completed", "failed"):
        counted = summary[status].astype(int).astype(str).tolist()
        assert [status, *counted] in rows
    for measure in MEASURES:
        shown = measure.label_at(result.scenario.deadline) in text
        unknown = summary[measure.name.removesuffix("_s")].isna().all()
        assert shown != (measure.optional and unknown)


def test_run_takes_a_replication(outsim):
    second = json.loads(outsim("run", "small.toml", "--replication", "1", "--json").out)
    assert second["replication"] == 1
    assert stored("run").facts["campaigns"] != second["campaigns"]


def test_run_writes_its_tables(outsim, files):
    ended = outsim("run", "small.toml", "--out", "new/place")
    assert "tables written to new/place" in ended.err
    calls = pd.read_parquet(files / "new" / "place" / "calls.parquet")
    assert len(calls) == 80
    assert json.loads((files / "new" / "place" / "run.json").read_text())["seed"] == 1


def test_run_verifies_every_invariant(outsim):
    ended = outsim("run", "small.toml", "--verify", "--json")
    assert (ended.code, json.loads(ended.out)["seed"]) == (0, 1)
    assert "every invariant holds" in ended.err


@pytest.mark.parametrize("file", ["nobody.toml", "zero.toml"])
def test_run_has_an_answer_where_nobody_is_called(outsim, file):
    ended = outsim("run", file)
    assert ended.code == 0
    assert "0 attempts" in ended.out
    assert "warning" in ended.err
    assert json.loads(outsim("run", file, "--json").out)["attempts"] == 0


# compare


def test_compare_prints_what_the_api_gives(outsim):
    document = json.loads(outsim(*COMMANDS["compare"], "--seed", "4", "--json").out)
    scenarios = [package.load(name) for name in ("small.toml", "later.toml")]
    comparison = package.compare(*scenarios, replications=3, seed=4).run()
    assert document == json.loads(json.dumps(comparison.to_dict()))


def test_compare_says_how_many_replications_and_what_is_clear():
    text = stored("compare").words
    assert "3 paired replications, seed 1" in text
    assert "worse: finished at +10.00 min (all within 1 s)" in text


def test_compare_tells_files_apart_that_say_one_name_and_makes_its_usual_replications(outsim):
    text = " ".join(outsim("compare", "zero.toml", "zero.toml").out.split())
    assert f"{COMPARE} paired replications" in text
    assert "no contacts (2) compared with no contacts (1)" in text


def test_compare_holds_several_against_the_first(outsim):
    document = json.loads(
        outsim(*COMMANDS["compare"][:3], "small.toml", "--replications", "2", "--json").out
    )
    assert len(document["scenarios"]) == 3
    assert document["measures"]["finish_time_s"]["differences"][1]["mean"] == 0


# schedule and stop


def test_schedule_gives_machines_what_the_api_gives(files):
    answer = package.schedule(
        package.load("small.toml"),
        every="10min",
        between=("09:05", "09:15"),
        replications=2,
        executor="threads",
    ).run()
    assert stored("schedule").facts == json.loads(json.dumps(answer.to_dict()))


def test_schedule_names_the_best_start_or_says_that_it_is_not_clear():
    text = stored("schedule").words
    assert "appointment reminders (clinic) was started at 09:05, 09:15, on the same days" in text
    assert "Finished at: 09:05 is best." in text
    assert "answered" not in text


def test_schedule_says_what_keeps_its_clock_time(outsim, files):
    (files / "kept.toml").write_text(
        'extends = "small.toml"\n[[campaign]]\nname = "appointment reminders"\n'
        'stop_at = "09:40"\nexpires_at = "09:50"\nwindow = {opens = "09:00", closes = "09:30"}\n'
    )
    text = " ".join(outsim("schedule", "kept.toml", *COMMANDS["schedule"][2:]).out.split())
    kept = "stopped at 09:40:00, expires at 09:50:00, dialed from 09:00 to 09:30"
    assert f"At every start: {kept}" in text


def test_stop_gives_machines_what_the_api_gives(files):
    race = package.stop(
        package.load("small.toml"),
        after=["0s", "1s", "5min"],
        replications=2,
        executor="threads",
    ).run()
    assert stored("stop").facts == json.loads(json.dumps(race.to_dict()))


def test_stop_says_how_stops_work_in_the_scenario(outsim, files):
    (files / "reaching.toml").write_text(
        'extends = "small.toml"\n[platform]\nstop_latency = "7 s"\n[[campaign]]\n'
        'name = "appointment reminders"\nstop_reaches = "queue"\nstop_cancels_retries = false\n'
        'stop_at = "09:20"\n'
    )
    text = " ".join(outsim("stop", "reaching.toml", *COMMANDS["stop"][2:]).out.split())
    assert "A stop takes effect after 7 s (stop_latency)" in text
    assert 'what is not dispatched yet (stop_reaches = "queue")' in text
    assert "spares calls that wait for a retry (stop_cancels_retries = false)" in text
    assert "The scenario's own stop at 09:20:00 is left out." in text


@pytest.mark.parametrize("command", ["run", "status", "schedule", "stop"])
def test_a_picture_is_written_where_it_is_asked_for(outsim, files, command):
    ended = outsim(*COMMANDS[command], "--plot", "picture.png")
    assert "picture written to picture.png" in ended.err
    assert (files / "picture.png").read_bytes().startswith(b"\x89PNG")


# status


def test_status_holds_the_page_against_the_truth():
    document = stored("status").facts
    assert document["campaign"] == "appointment reminders"
    assert document["at"] == "2026-03-10T09:06:00-04:00"
    assert sum(document["seen"].values()) == sum(document["true"].values()) == 60
    assert document["differing"] >= 0
    assert "table" not in document
    lines = [line.split()[:2] for line in stored("status").ended.out.splitlines()]
    for status, count in document["seen"].items():
        assert [status, str(count)] in lines


def test_status_before_the_start_shows_every_call_as_scheduled(outsim):
    document = json.loads(
        outsim("status", "small.toml", "--at", "09:00", "--campaign", "notices", "--json").out
    )
    assert document["calls"] == 20
    assert document["seen"] == {"scheduled": 20}


def test_status_shows_the_call_table_of_the_customer():
    ended = stored("status of calls").ended
    assert "call table, 40 of 60" in ended.out
    rows = [line.split() for line in ended.out.splitlines() if "555-01" in line]
    assert len(rows) == 40
    table = stored("status of calls").facts["table"]
    assert list(table[0])[:6] == [
        *("number", "ani", "status", "attempt", "callee_type", "call_info")
    ]
    for row, call in zip(rows, table, strict=True):
        assert row[0].replace("-", "") == str(call["number"])
        assert row[2:4] == [call["status"], str(call["attempt"])]


def test_a_campaign_goes_by_its_name_or_by_its_customer_and_name(outsim):
    asked = ("status", "small.toml", "--at", "09:06", "--json", "--campaign")
    by_name, by_both = (outsim(*asked, name).out for name in ("notices", "utility/notices"))
    assert by_name == by_both
    assert json.loads(by_name)["tenant"] == "utility"


# failed


def test_failed_counts_causes_attempts_and_hours(files):
    document = stored("failed").facts
    scenario = package.load("small.toml")
    result = package.simulate(scenario)
    view = result.view(scenario.campaign_under_study)
    failed = int((view.calls["status"] == "failed").sum())
    assert failed > 0
    assert sum(each["calls"] for each in document["by_cause"].values()) == failed
    for table in ("by_attempt", "by_hour"):
        assert sum(each["attempts"] for each in document[table].values()) == len(view.attempts)
    assert f"{failed} of 60 calls failed" in stored("failed").ended.out


def test_failed_matches_pending_calls_against_the_call_log(outsim, files):
    (files / "lossy.toml").write_text(
        'extends = "small.toml"\n[platform]\nlost_updates = "50 %"\n'
    )
    document = json.loads(outsim("failed", "lossy.toml", "--json").out)["pending"]
    assert document["at"] == "2026-03-10T10:00:00-04:00"
    given = document["went out"] + document["never went out"]
    assert given > 0
    assert document["error_rate"] == document["wrong"] / given
    text = outsim("failed", "lossy.toml").out
    assert (
        f"{given + document['ambiguous']} calls are still shown as pending at 10:00"
        in " ".join(text.split())
    )


@pytest.mark.parametrize("file", ["nobody.toml", "zero.toml"])
def test_failed_has_an_answer_where_nobody_is_called(outsim, file):
    ended = outsim("failed", file)
    assert ended.code == 0
    assert "0 of 0 calls failed" in ended.out
    assert json.loads(outsim("failed", file, "--json").out)["pending"]["error_rate"] is None


# check, diff, schema


def test_check_reports_every_file_even_if_one_is_wrong(outsim):
    ended = outsim("check", "broken.toml", "small.toml", "missing.toml")
    assert ended.code == 2
    assert "small.toml: small" in ended.out
    assert "outsim: broken.toml:1: " in ended.err
    assert "outsim: missing.toml: no such file" in ended.err
    documents = json.loads(outsim("check", "broken.toml", "small.toml", "--json").out)
    assert [bool(each["errors"]) for each in documents] == [True, False]
    assert documents[1]["utilisation"].keys() == {
        *("dial rate", "ports", "workers", "carrier rate", "carrier channels")
    }


def test_diff_names_what_differs_and_exits_with_1():
    assert stored("diff").ended.code == 1
    assert stored("diff").facts == [
        {"key": "campaign[clinic/appointment reminders].start", "left": "09:05", "right": "09:15"}
    ]


def test_scenarios_that_mean_the_same_do_not_differ(outsim):
    ended = outsim("diff", "small.toml", "small.toml")
    assert (ended.code, ended.out) == (0, "The scenarios mean the same.\n")
    assert json.loads(outsim("diff", "small.toml", "small.toml", "--json").out) == []


def test_schema_prints_the_json_schema(outsim):
    ended = outsim("schema")
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out) == json.loads(json.dumps(json_schema()))


# All of them


def test_names_stand_as_they_were_written(outsim, files):
    """Brackets are no markup, and what stands between colons is no emoji."""
    name = "[bold]a :100: b[/bold]"
    (files / "odd.toml").write_text(f'extends = "small.toml"\nname = "{name}"\n')
    assert f"{name}: one run" in outsim("run", "odd.toml").out
    assert name in " ".join(
        outsim("compare", "odd.toml", "small.toml", "--replications", "2").out.split()
    )


def test_advice_goes_to_standard_error_and_not_into_the_answer(outsim, files):
    (files / "tight.toml").write_text('extends = "small.toml"\n[platform]\nports = 1\n')
    ended = outsim("run", "tight.toml", "--json")
    assert ended.code == 0
    assert "warning: tight.toml: platform.ports" in ended.err
    json.loads(ended.out)


@pytest.mark.parametrize("command", ["", *sorted({each[0] for each in COMMANDS.values()})])
def test_every_command_explains_itself(outsim, command):
    ended = outsim(*([command] if command else []), "--help")
    assert (ended.code, ended.err) == (0, "")
    assert "Usage: outsim" in ended.out
    assert "--help" in ended.out


# eta


def test_eta_gives_quantiles_as_clock_times(outsim):
    document = json.loads(outsim("eta", "small.toml", "--replications", "19", "--json").out)
    assert (document["replications"], document["band"], document["at"]) == (19, 0.9, None)
    for figure in document["figures"].values():
        low, median, high = (pd.Timestamp(figure[name]) for name in ("low", "median", "high"))
        assert low <= median <= high
        assert figure["never"] == 0
    medians = [figure["median"] for figure in document["figures"].values()]
    assert medians == sorted(medians)
    assert medians[0] >= "2026-03-10T09:05"


def test_eta_says_what_of_a_queue_it_estimates_and_what_is_over():
    text = stored("eta of a queue").words
    assert "first call out" in text
    assert "already" in text
    assert "bank/alerts: not in the scenario, its rules are the defaults" in text
    assert "utility/notices: not in the snapshot, taken as over" in text


def test_eta_of_one_call_says_how_many_are_ahead(outsim):
    first = stored("eta of a call").facts
    next_one = ("51", *COMMANDS["eta of a call"][6:])
    second = json.loads(outsim(*COMMANDS["eta of a call"][:5], *next_one, "--json").out)
    assert second["call"]["ahead"] == first["call"]["ahead"] + 1
    assert first["figures"]["call_out_s"]["median"] > "2026-03-10T09:07"


def test_the_schema_of_a_snapshot_is_printed(outsim):
    document = json.loads(outsim("schema", "--snapshot").out)
    assert document["title"] == "outsim snapshot"
    assert set(document["required"]) == {"at"}


# explain


def test_explain_gives_machines_what_the_api_gives(files):
    result = package.simulate(package.load("small.toml"))
    found = package.explain(result, replications=3, executor="threads").run()
    assert stored("explain").facts == json.loads(json.dumps(found.to_dict()))


def test_explain_finds_the_campaign_of_a_call_and_a_call_by_its_number(outsim):
    by_call = outsim("explain", "small.toml", "--call", "70", "--json")
    document = json.loads(by_call.out)
    assert (document["tenant"], document["campaign"]) == ("utility", "notices")
    by_number = outsim(
        *("explain", "small.toml", "--campaign", "notices", "--number", document["number"]),
        "--json",
    )
    assert by_number.out == by_call.out
    anywhere = outsim("explain", "small.toml", "--number", document["number"], "--json")
    assert anywhere.out == by_call.out


def test_explain_asks_for_runs_enough_for_an_interval(outsim):
    ended = outsim("explain", "small.toml", "--replications", "1")
    assert ended.code == 2
    assert "2 or more" in ended.err


def test_explain_names_calls_that_failed_and_how_to_ask_for_one(files):
    text = stored("explain").words
    calls = package.simulate(package.load("small.toml")).calls
    failed = calls[calls["campaign"].eq("appointment reminders") & calls["status"].eq("failed")]
    named = re.search(r"--call (\d+) tells why", text)
    assert named is not None
    assert int(named[1]) in failed["call_id"].tolist()


def test_explain_draws_the_wait_by_cause(outsim, files):
    assert outsim(*COMMANDS["explain one run"], "--plot", "wait.png").code == 0
    assert (files / "wait.png").stat().st_size > 1000


TEXTBOOK = """\
name = "a port, constant talk"
[clock]
date = 2026-03-10
begins = "08:00"
ends = "16:00"
[platform]
ports = 1
dial_rate = "1000/s"
[carrier]
rate = "1000/s"
[callees]
message = "10 s"
[[campaign]]
name = "reminders"
tenant = "clinic"
start = "08:00"
max_retry = 0
requests = { rate = "50/hour" }
"""


def test_theory_is_told_beside_simulation(outsim, files):
    (files / "textbook.toml").write_text(TEXTBOOK)
    ended = outsim("check", "textbook.toml", "--theory", "--replications", "6", "--ciw")
    assert ended.code == 0
    assert "its runs agree with theory" in " ".join(ended.out.split())
    assert "Pollaczek-Khinchine" in ended.out
    assert "batch makespan: no, calls come in one by one" in ended.out
    assert "Ciw: agrees" in " ".join(ended.out.split())
    narrow = outsim("check", "textbook.toml", "--theory", "--replications", "2", columns=60)
    assert max(map(len, narrow.out.splitlines())) <= 60


def test_theory_for_machines(outsim):
    ended = outsim("check", "small.toml", "--theory", "--replications", "3", "--json")
    assert ended.code == 0
    (document,) = json.loads(ended.out)
    found = document["theory"]
    assert found["replications"] == 3
    assert found["agrees"] is True
    bounds = [each for each in found["applies"] if each["kind"] == "at least"]
    assert bounds
    assert all(each["runs_beyond_the_bound"] == 0 for each in bounds)
    because = {each["formula"]: each["because"] for each in found["does_not_apply"]}
    assert because["Erlang C, ports"] == "calls come in lists, not one by one at random"


def test_runs_that_are_not_as_theory_says_end_with_1(outsim, files, monkeypatch):
    from outsim.theory import formulas

    (files / "textbook.toml").write_text(TEXTBOOK)
    right = formulas.several_servers_wait_s
    monkeypatch.setattr(formulas, "several_servers_wait_s", lambda *args: 2 * right(*args))
    ended = outsim("check", "textbook.toml", "--theory", "--replications", "6")
    assert ended.code == 1
    assert "DIFFERS" in ended.out


def test_theory_of_nobody(outsim):
    ended = outsim("check", "zero.toml", "--theory", "--replications", "2")
    assert ended.code == 0
    assert "worker stability: no, there is nobody to call" in ended.out

"""Event logs for process mining, opened by pm4py."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings

from outsim.formats import selection
from outsim.formats import write as export
from outsim.formats.event_logs import calls_of
from outsim.formats.selection import Selection
from outsim.results.checkpoint import simulate
from outsim.vocabulary import STATUSES
from tests.engine.scenarios import campaign, recorded, run
from tests.results.runs import EMPTY, full
from tests.strategies import scenarios

FEWER = settings(max_examples=max(1, settings.default.max_examples // 10), deadline=None)


def opened(reader: str, path: Path) -> Any:
    """What pm4py reads; what it warns of itself is no matter of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pm4py

        return getattr(pm4py, reader)(str(path))


@pytest.mark.parametrize("suffix", ["xes", "xes.gz"])
def test_pm4py_opens_the_xes_log_and_finds_every_change(suffix, tmp_path):
    result = full()
    log = opened("read_xes", export(result, "xes", tmp_path / f"log.{suffix}"))
    updates = result.updates.sort_values("call_id", kind="stable")
    assert log["case:concept:name"].tolist() == updates["call_id"].astype(str).tolist()
    assert log["concept:name"].tolist() == updates["status"].astype(str).tolist()
    happened = pd.to_datetime(log["time:timestamp"], utc=True)
    assert happened.tolist() == updates["happened_at"].dt.tz_convert("UTC").tolist()
    assert log["lost"].tolist() == updates["lost"].tolist()
    numbers = result.calls.set_index("call_id")["number"]
    assert log["case:number"].tolist() == numbers.loc[updates["call_id"]].tolist()
    assert log["org:resource"].tolist() == updates["tenant"].astype(str).tolist()


def test_pm4py_discovers_the_course_of_a_call(tmp_path):
    """Starts, ends and the order of activities, as a miner sees them."""
    result = run(
        campaign(contacts=2, max_retry=1), tape=recorded(list=[["busy", "human"], "human"])
    )
    log = opened("read_xes", export(result, "xes", tmp_path / "log.xes"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pm4py

        follows, starts, ends = pm4py.discover_dfg(log)
    assert starts == {"scheduled": 2}
    assert ends == {"completed": 2}
    assert follows == {
        ("scheduled", "queued"): 2,
        ("queued", "dialing"): 3,
        ("dialing", "waiting_retry"): 1,
        ("waiting_retry", "queued"): 1,
        ("dialing", "connected"): 2,
        ("connected", "completed"): 2,
    }


def test_pm4py_opens_the_object_centric_log_and_finds_calls_campaigns_and_tenants(tmp_path):
    result = full()
    log = opened("read_ocel2_json", export(result, "ocel", tmp_path / "log.json"))
    assert len(log.events) == len(result.updates)
    kinds = log.objects["ocel:type"].value_counts().to_dict()
    assert kinds == {"call": len(result.calls), "campaign": 3, "tenant": 2}
    assert len(log.relations) == 3 * len(result.updates)
    counted = result.updates["status"].value_counts()
    told = log.events["ocel:activity"].value_counts()
    assert told.to_dict() == counted[counted > 0].to_dict()
    of_calls = log.relations[log.relations["ocel:type"] == "call"]
    assert set(of_calls["ocel:oid"]) == {f"call:{k}" for k in result.calls["call_id"]}


@pytest.mark.parametrize("make", EMPTY, ids=lambda make: make.__name__)
def test_logs_without_a_call_are_well_formed(make, tmp_path):
    from xml.etree import ElementTree

    log = json.loads(export(make(), "ocel", tmp_path / "log.json").read_text())
    assert (log["objects"], log["events"]) == ([], [])
    assert [each["name"] for each in log["eventTypes"]] == list(STATUSES)
    root = ElementTree.parse(export(make(), "xes", tmp_path / "log.xes")).getroot()
    assert [each for each in root if each.tag.endswith("trace")] == []


def test_what_an_object_centric_log_refers_to_is_in_it_and_of_its_type(tmp_path):
    log = json.loads(export(full(), "ocel", tmp_path / "log.json").read_text())
    ids = {each["id"] for each in log["objects"]}
    assert len(ids) == len(log["objects"])
    assert len({each["id"] for each in log["events"]}) == len(log["events"])
    for kind, entries in (("objectTypes", "objects"), ("eventTypes", "events")):
        types = {
            each["name"]: {a["name"]: a["type"] for a in each["attributes"]} for each in log[kind]
        }
        python = {"string": str, "integer": int, "float": float, "boolean": bool, "time": str}
        for entry in log[entries]:
            for attribute in entry["attributes"]:
                declared = types[entry["type"]][attribute["name"]]
                assert type(attribute["value"]) is python[declared]
            assert all(each["objectId"] in ids for each in entry["relationships"])


@FEWER
@given(scenarios())
def test_every_change_of_every_call_is_told_once_in_order(scenario):
    """In blocks of a few calls too, with the outcome at the end of each attempt."""
    result = simulate(scenario)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("outsim.formats.event_logs.CALLS_AT_ONCE", 3)
        calls = list(calls_of(Selection(result)))
    assert [call.values["call_id"] for call in calls] == result.calls["call_id"].tolist()
    attempts = {(a.call_id, a.attempt): a for a in result.attempts.itertuples()}
    told = set()
    by_call = dict(iter(result.updates.groupby("call_id")))
    for call in calls:
        call_id = call.values["call_id"]
        rows = by_call[call_id]
        assert [event["status"] for event in call.events] == rows["status"].tolist()
        assert [event["happened_at"] for event in call.events] == (
            selection.iso_times(rows["happened_at"]).tolist()
        )
        for event in call.events:
            if event.get("outcome"):
                attempt = attempts[call_id, event["attempt"]]
                assert event["outcome"] == attempt.outcome
                assert event["happened_at"] == attempt.ended_at.isoformat(timespec="microseconds")
                told.add((call_id, event["attempt"]))
    ended = {key for key, attempt in attempts.items() if not pd.isna(attempt.ended_at)}
    assert told == ended


def test_names_are_no_markup(tmp_path):
    from xml.etree import ElementTree

    path = export(run(campaign(), name='<a> & "b"'), "xes", tmp_path / "log.xes")
    root = ElementTree.parse(path).getroot()
    names = [each.get("value") for each in root if each.get("key") == "concept:name"]
    assert names == ['<a> & "b"']


def test_a_campaign_is_told_of_alone(tmp_path):
    result = full()
    log = json.loads(
        export(
            result, "ocel", tmp_path / "log.json", campaign=result.scenario.campaigns[1]
        ).read_text()
    )
    assert {each["id"] for each in log["objects"] if each["type"] != "call"} == {
        "tenant:acme",
        "campaign:acme/late",
    }

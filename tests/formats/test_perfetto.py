"""A trace for the Perfetto viewer, read by Perfetto's own message types."""

from __future__ import annotations

import gzip
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim.clock import MISSING
from outsim.errors import ResultError
from outsim.formats import perfetto
from outsim.formats import write as export
from outsim.formats.perfetto import ports_of
from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from tests.engine.scenarios import campaign, part, run
from tests.results.runs import EMPTY, full
from tests.strategies import scenarios

FEWER = settings(max_examples=max(1, settings.default.max_examples // 10), deadline=None)
BEGIN, END, INSTANT, COUNTER = 1, 2, 3, 4


class Trace:
    """What a viewer makes of a trace: tracks, slices and counters, by names."""

    def __init__(self, data: bytes) -> None:
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace as Message

        message = Message()
        message.ParseFromString(data)
        assert message.ByteSize() == len(data)
        names: dict[int, str] = {}
        values: dict[int, str] = {}
        self.tracks: dict[int, Any] = {}
        self.slices: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.instants: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self.counters: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.zone_min = 0
        open_slices: dict[int, list[dict[str, Any]]] = defaultdict(list)
        assert message.packet[0].sequence_flags == 1
        for packet in message.packet:
            assert packet.IsInitialized()
            assert packet.trusted_packet_sequence_id == 1
            for each in packet.interned_data.event_names:
                assert names.setdefault(each.iid, each.name) == each.name
            for each in packet.interned_data.debug_annotation_names:
                assert values.setdefault(each.iid, each.name) == each.name
            if packet.HasField("clock_snapshot"):
                clocks = {each.clock_id: each.timestamp for each in packet.clock_snapshot.clocks}
                self.epoch_ns = clocks[1] - clocks[6]
            if packet.HasField("system_info"):
                self.zone_min = packet.system_info.timezone_off_mins
            if packet.HasField("track_descriptor"):
                described = packet.track_descriptor
                assert described.uuid not in self.tracks
                assert not described.parent_uuid or described.parent_uuid in self.tracks
                self.tracks[described.uuid] = described
            if packet.HasField("track_event"):
                event, at = packet.track_event, packet.timestamp + self.epoch_ns
                track = self.tracks[event.track_uuid]
                assert track.HasField("counter") == (event.type == COUNTER)
                above = open_slices[track.uuid]
                if event.type == BEGIN:
                    assert not above or at >= above[-1]["begin"]
                    notes = {
                        values[note.name_iid]: note.string_value or note.int_value
                        for note in event.debug_annotations
                    }
                    name = names[event.name_iid]
                    made = {"name": name, "begin": at, "end": None, "depth": len(above)} | notes
                    self.slices[track.name].append(made)
                    above.append(made)
                elif event.type == END:
                    assert at >= above[-1]["begin"]
                    above.pop()["end"] = at
                elif event.type == INSTANT:
                    self.instants[track.name].append((names[event.name_iid], at))
                else:
                    self.counters[track.name].append((at, event.counter_value))

    def attempts(self) -> list[dict[str, Any]]:
        ports = [made for name, made in self.slices.items() if name.startswith("port ")]
        return [each for made in ports for each in made if each["depth"] == 0]


def ns(instants: pd.Series[Any]) -> list[int | None]:
    return [None if pd.isna(each) else each.as_unit("ns").value for each in instants]


def traced(result: Result, path: Path, **keys: Any) -> Trace:
    return Trace(export(result, "perfetto", path, **keys).read_bytes())


def assert_shows(trace: Trace, result: Result) -> None:
    """Every attempt from dispatch to end; counters that are the timeline's step functions."""
    shown = {(each["call_id"], each["attempt"]): each for each in trace.attempts()}
    attempts = result.attempts
    assert len(shown) == len(trace.attempts()) == len(attempts)
    for row, begin, end in zip(
        attempts.itertuples(), ns(attempts["dispatched_at"]), ns(attempts["ended_at"]), strict=True
    ):
        made = shown[row.call_id, row.attempt]
        assert (made["begin"], made["end"]) == (begin, end)
        assert made["name"] == f"{row.tenant}/{row.campaign}"
        assert made["outcome"] == ("under way" if pd.isna(row.outcome) else row.outcome)
    timeline = result.timeline(every=None)
    for column, (title, _) in perfetto._COUNTERS.items():
        changed = timeline[column][timeline[column].diff().fillna(timeline[column]) != 0]
        steps = dict(trace.counters.get(title, []))
        kept = [(at, steps[at]) for at in sorted(steps)]
        seen = [
            each
            for each, before in zip(kept, [(0, 0), *kept], strict=False)
            if each[1] != before[1]
        ]
        assert seen == list(zip(ns(changed.index.to_series()), changed.tolist(), strict=True))


@FEWER
@given(scenarios())
def test_a_trace_shows_every_attempt_and_every_length(tmp_path_factory, scenario):
    result = simulate(scenario)
    assert_shows(traced(result, tmp_path_factory.mktemp("trace") / "out"), result)


@pytest.mark.parametrize("make", [full, *EMPTY], ids=lambda make: make.__name__)
def test_traces_with_everything_and_with_nothing_in_them(make, tmp_path):
    assert_shows(traced(make(), tmp_path / "out"), make())


def test_phases_fill_an_attempt_without_gaps(tmp_path):
    trace = traced(run(campaign(contacts=2)), tmp_path / "out")
    for name in ("port 1", "port 2"):
        whole, *phases = trace.slices[name]
        assert [each["name"] for each in phases] == [
            *("waits for a worker", "dial work", "connecting", "ringing", "answered"),
        ]
        assert [each["begin"] for each in phases[1:]] == [each["end"] for each in phases[:-1]]
        assert (phases[0]["begin"], phases[-1]["end"]) == (whole["begin"], whole["end"])


def test_times_are_of_the_wall_clock(tmp_path):
    clock = {"zone": "America/New_York", "ends": "09:02", "latest": "09:02"}
    result = full(clock=clock)
    trace = traced(result, tmp_path / "out")
    assert trace.zone_min == -240
    assert trace.epoch_ns == pd.Timestamp("2026-03-10 13:00", tz="UTC").as_unit("ns").value


def test_stops_suspensions_and_outages_are_shown(tmp_path):
    result = run(
        campaign(contacts=2, stop_at=10, expires_at=50),
        suspension=[part(tenant="acme", begins=5, ends=20)],
        outage=[part(of="ports", count=3, begins=30), part(of="carrier", begins=7200)],
    )
    trace = traced(result, tmp_path / "out")
    second = {name: (at - trace.epoch_ns) // 10**9 for name, at in trace.instants["acme/list"]}
    assert second == {"stop asked for": 10, "stop takes effect": 12, "expires": 50}
    (suspension,) = trace.slices["suspension of acme"]
    assert (suspension["end"] - suspension["begin"]) // 10**9 == 15
    (outage,) = trace.slices["outage of ports (3)"]
    assert outage["end"] is None
    assert "outage of carrier" not in trace.slices


def test_a_tenants_queue_is_a_counter_of_its_own(tmp_path):
    result = run(campaign(contacts=3), campaign("late", "bolt"), platform={"ports": 1})
    trace = traced(result, tmp_path / "out")
    assert max(length for _, length in trace.counters["queue of acme"]) == 2
    assert max(length for _, length in trace.counters["queue of bolt"]) == 1
    assert trace.counters["queue of bolt"][-1][1] == 0


def test_workers_at_status_work_are_counted_lost_updates_included(tmp_path):
    result = run(campaign(), platform={"lost_updates": 1.0, "status_work": "500 ms"})
    trace = traced(result, tmp_path / "out")
    updates = result.updates[result.updates["started_at"].notna()]
    assert updates["lost"].all()
    busy = trace.counters["workers at status work"]
    work_ns = sum(count * (after - at) for (at, count), (after, _) in pairwise(busy))
    assert work_ns == len(updates) * 500_000_000
    assert busy[0][0] == ns(updates["started_at"])[0]
    assert busy[-1][1] == 0


def test_a_counter_that_changes_often_is_told_every_second_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(perfetto, "OFTEN", 10)
    trace = traced(run(campaign(contacts=50)), tmp_path / "out")
    thinned = trace.counters["queue, every second"]
    seconds = [at // 10**9 for at, _ in thinned]
    assert len(set(seconds)) == len(seconds)
    assert thinned[-1][1] == 0


def test_one_campaigns_attempts_are_shown_on_the_ports_that_they_have_among_all(tmp_path):
    result = run(campaign(contacts=3), campaign("other", contacts=2))
    whole = traced(result, tmp_path / "whole")
    other = result.scenario.campaigns[1]
    alone = traced(result, tmp_path / "alone", campaign=other)
    for name, slices in alone.slices.items():
        if name.startswith("port "):
            assert slices == whole.slices[name]
    assert {each["name"] for each in alone.attempts()} == {"acme/other"}
    assert len(alone.attempts()) == 2


def test_a_trace_may_be_compressed(tmp_path):
    packed = export(full(), "perfetto", tmp_path / "out.gz").read_bytes()
    plain = export(full(), "perfetto", tmp_path / "out").read_bytes()
    assert gzip.decompress(packed) == plain


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20), st.booleans()), max_size=30))
def test_a_port_has_one_attempt_at_a_time_and_no_more_ports_are_used_than_needed(drawn):
    drawn.sort(key=lambda each: each[0])
    begins = np.array([begin for begin, _, _ in drawn], dtype=np.int64)
    ends = np.array(
        [begin + length if over else MISSING for begin, length, over in drawn], dtype=np.int64
    )
    ports = ports_of(begins, ends)
    until = np.where(ends == MISSING, 2**62, ends)
    for port in set(ports.tolist()):
        mine = ports == port
        assert (begins[mine][1:] >= until[mine][:-1]).all()
    most = max(((begins <= at) & (until > at)).sum() for at in begins) if len(begins) else 0
    assert set(ports.tolist()) == set(range(1, most + 1))


def test_without_the_package_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(perfetto, "find_spec", lambda _: None)
    with pytest.raises(ResultError, match=r"pip install 'outsim\[perfetto\]'"):
        export(full(), "perfetto", tmp_path / "out")

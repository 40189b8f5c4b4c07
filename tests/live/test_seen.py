"""What inboxes have received and which requests were seen is there after a crash as well."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from outsim.errors import SandboxError
from outsim.live.http.seen import KEPT, Request, Requests, open_journal
from outsim.live.inbox import Inbox
from outsim.live.journal import SEEN
from outsim.live.state import INPUTS
from tests.live.serving import SCENARIO, Running, running

NUMBERS = "".join(f"21255501{k:02d};ani=2125550199\n" for k in range(5))
REPORTED = {"until": "reported", "tenant": "clinic"}


def _ask(server: Running, place: str) -> Any:
    return server.client.get(f"/sandbox/{place}").raise_for_status().json()


def _advance(server: Running) -> None:
    server.client.post("/sandbox/clock/advance", json=REPORTED).raise_for_status()


def test_messages_and_requests_are_there_after_a_crash_and_no_post_comes_twice(
    tmp_path: Path,
) -> None:
    state, crashed = tmp_path / "session", tmp_path / "crashed"
    with running(SCENARIO, state=state) as server:
        port = server.client.base_url.port
        results = f"{server.url}/inbox/results"
        server.queuecalls(NUMBERS, result_url=results).raise_for_status()
        server.queuecalls(NUMBERS, pin="wrong")
        _advance(server)
        messages, requests = _ask(server, "inbox/results"), _ask(server, "requests")
        shutil.copytree(state, crashed)
    assert len(messages) == 5
    assert [request["status"] for request in requests] == [200, 401]

    # The last message had come, and that it had was not in the log yet.
    lines = (crashed / INPUTS).read_bytes().splitlines(keepends=True)
    last = max(k for k, line in enumerate(lines) if b'"kind":"answer"' in line)
    (crashed / INPUTS).write_bytes(b"".join(lines[:last]))
    for _ in range(2):
        kept = tmp_path / "kept"
        with running(SCENARIO, state=crashed, port=port, held=True) as server:
            assert _ask(server, "inbox/results") == messages
            assert _ask(server, "requests") == requests
            shutil.copytree(crashed, kept, dirs_exist_ok=True)
        shutil.rmtree(crashed)
        kept.rename(crashed)

    with running(SCENARIO, state=crashed, port=port) as server:
        _advance(server)
        assert _ask(server, "inbox/results") == messages
        call_id = messages[-1]["fields"]["call_id"]
        server.client.post(f"/sandbox/deliveries/{call_id}/resend").raise_for_status()
        assert [message["number"] for message in _ask(server, "inbox/results")] == [*range(1, 7)]
        server.client.delete("/sandbox/inbox/results").raise_for_status()
        server.client.post("/inbox/other", data={"a": "b"}).raise_for_status()
    with running(SCENARIO, state=crashed, port=port) as server:
        assert _ask(server, "inbox") == {"other": 1, "start": len(_ask(server, "inbox/start"))}
        server.client.post("/sandbox/reset").raise_for_status()
    with running(SCENARIO, state=crashed, port=port) as server:
        assert _ask(server, "inbox") == {}
        assert _ask(server, "requests") == []


def test_a_file_of_what_was_seen_is_bounded(tmp_path: Path) -> None:
    line = b'{"request":{"number":%d,"at":0,"local":"","method":"GET","path":"/"}}\n'
    (tmp_path / SEEN).write_bytes(b"".join(line % k for k in range(1, 3 * KEPT)) + line[:20])
    requests = Requests()
    journal = open_journal(tmp_path, Inbox(lambda: (0, "")), requests)
    asyncio.run(journal.close())
    assert len((tmp_path / SEEN).read_bytes().splitlines()) == KEPT
    assert requests.last[-1] == Request(3 * KEPT - 1, 0, "", "GET", "/")
    assert requests.begin(0, "", "GET", "/").number == 3 * KEPT


def test_a_damaged_file_of_what_was_seen_is_refused(tmp_path: Path) -> None:
    (tmp_path / SEEN).write_bytes(b"{]\n")
    with pytest.raises(SandboxError, match=r"seen\.jsonl:1: is damaged.*remove it"):
        open_journal(tmp_path, Inbox(lambda: (0, "")), Requests())

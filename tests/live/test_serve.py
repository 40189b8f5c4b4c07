"""`outsim serve` as a process: how it starts, is killed, goes on, and ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import httpx
import pytest

import outsim

SCENARIO = """\
name = "one customer"
[clock]
zone = "America/Chicago"
date = 2026-03-10
begins = "09:00"
ends = "12:00"
[platform]
lost_updates = "0 %"
wedged_calls = "0 %"
[[tenant]]
name = "clinic"
"""


@pytest.fixture
def serve(tmp_path):
    (tmp_path / "scenario.toml").write_text(SCENARIO)

    @contextmanager
    def start(*options):
        command = [sys.executable, "-m", "outsim", "serve", "scenario.toml", "--port", "0"]
        with (
            subprocess.Popen(
                [*command, *options],
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ) as process,
        ):
            try:
                ready = json.loads(process.stdout.readline())
                with httpx.Client(base_url=ready["url"], trust_env=False, timeout=60) as client:
                    yield process, ready, client
            finally:
                process.kill()

    return start


def queue(ready, client, number="2125550100"):
    (account,) = ready["accounts"]
    given = {
        "login": account["login"],
        "pin": account["pin"],
        "phone_number": f"{number};ani=2125550199",
        "start_url": f"{ready['url']}/inbox/start",
    }
    answer = client.post("/webservice/queuecall.php", data=given)
    return int(ElementTree.fromstring(answer.text).get("call_id"))


def test_a_session_goes_on_after_it_was_killed(serve):
    with serve("--held", "--state", "session") as (process, ready, client):
        first = queue(ready, client)
        client.post("/sandbox/clock/advance", json={"by": "5 min"}).raise_for_status()
        was = client.get(f"/sandbox/calls/{first}").json()
        second = queue(ready, client, "2125550101")
        process.kill()
        process.wait()
    with serve("--held", "--state", "session") as (_, ready, client):
        assert client.get("/sandbox/clock").json()["now"] == 300_000_000
        found = client.get(f"/sandbox/calls/{first}").json()
        assert {key: found[key] for key in ("status", "attempts", "changes")} == {
            key: was[key] for key in ("status", "attempts", "changes")
        }
        client.post("/sandbox/clock/advance", json={"by": "5 min"}).raise_for_status()
        assert len(client.get(f"/sandbox/calls/{second}").json()["attempts"]) == 1
        assert queue(ready, client) == second + 1


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_it_is_told_to_and_saves_the_session(serve, tmp_path, kind):
    with serve("--held", "--save", "saved.toml") as (process, ready, client):
        queue(ready, client)
        client.post("/sandbox/clock/advance", json={"by": "5 min"}).raise_for_status()
        process.send_signal(kind)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    assert "session written to saved.toml" in said
    saved = outsim.load(tmp_path / "saved.toml")
    assert [campaign.tenant for campaign in saved.campaigns] == ["clinic"]


def test_where_a_session_is_saved_is_checked_at_the_start(tmp_path):
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "outsim", "serve", "scenario.toml", "--port", "0"),
            *("--save", "scenario.toml"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "scenario.toml: is there already" in ended.stderr


def test_a_free_clock_runs(serve):
    with serve("--speed", "1000") as (_, ready, client):
        queue(ready, client)
        given = {"kind": "dialed", "after": 0}
        assert client.post("/sandbox/wait", json=given).json()["event"]["tenant"] == "clinic"
        assert client.get("/sandbox/clock").json()["speed"] == 1000


def test_it_may_begin_now(serve):
    with serve("--held", "--begins", "now") as (_, ready, client):
        begins = datetime.fromisoformat(ready["clock"]["local"])
        assert abs(datetime.now(UTC) - begins) < timedelta(hours=1)
        queue(ready, client)
        (campaign,) = client.get("/sandbox/campaigns").json()
        assert campaign["submitted_at"] == 0


def test_the_ready_line_is_all_of_standard_output(serve):
    with serve("--held") as (process, ready, _):
        assert ready["clock"]["state"] == "held"
        assert ready["docs"] == f"{ready['url']}/docs"
        assert ready["page"] == f"{ready['url']}/"
        process.terminate()
        assert process.communicate(timeout=60)[0] == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--speed", "0"], "0.1 to 1000"),
        (["--port", "70000"], "65535"),
        (["--host", "nowhere.invalid"], "can't listen at nowhere.invalid"),
    ],
)
def test_wrong_use_is_told(tmp_path, options, said):
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    ended = subprocess.run(
        [sys.executable, "-m", "outsim", "serve", "scenario.toml", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert said in " ".join(ended.stderr.replace("│", " ").split())
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_taken_is_told(tmp_path):
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-m", "outsim", "serve", "scenario.toml", "--port", port],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 2
    assert "--port 0 takes one that is free" in ended.stderr


@pytest.mark.parametrize("name", ["fastapi", "nicegui"])
def test_what_is_not_installed_is_named(tmp_path, name):
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    code = (
        f"import sys; sys.modules['{name}'] = None; "
        "sys.argv = ['outsim', 'serve', 'scenario.toml']; from outsim.cli import main; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert f"the sandbox needs {name}" in ended.stderr
    assert "outsim[live]" in ended.stderr

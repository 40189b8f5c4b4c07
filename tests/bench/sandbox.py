"""The sandbox as a process: how soon it is ready, what it takes in, and how true its clock is.

Alone: ``python tests/bench/sandbox.py [FIGURE ...]``. Handlers are processes of their own.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

Figures = dict[str, Any]

LIST, CALLS, SPEED, REQUESTS, POSTS, SLOW_CLIENTS = 100_000, 50_000, 60, 10_000, 5_000, 400
SCENARIO = """\
name = "a sandbox under load"
[clock]
date = 2026-03-10
begins = "09:00"
ends = "17:00"
[platform]
ports = {ports}
dial_rate = "{rate}/s"
dial_burst = {rate}
loader_rate = "{rate}/s"
workers = 8
dial_work = "1 ms"
status_work = "1 ms"
lost_updates = "0 %"
wedged_calls = "0 %"
[carrier]
rate = "{rate}/s"
burst = {rate}
channels = {ports}
[[tenant]]
name = "clinic"
[[endpoint]]
name = "handlers"
posts_at_once = 64
"""
HANDLER = """\
import asyncio, sys
count = 0
class Pages(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.data = transport, b""
    def data_received(self, data):
        global count
        self.data += data
        while b"\\r\\n\\r\\n" in self.data:
            head, _, rest = self.data.partition(b"\\r\\n\\r\\n")
            lines = head.lower().split(b"\\r\\n")
            length = sum(int(l.split(b":")[1]) for l in lines if l.startswith(b"content-length"))
            if len(rest) < length:
                return
            self.data = rest[length:]
            if sys.argv[1] == "hangs" and head.startswith(b"POST"):
                return
            self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
async def main():
    server = await asyncio.get_running_loop().create_server(Pages, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


class Sandbox:
    """A sandbox in a process of its own."""

    def __init__(self, room: Path, *options: str, ports: int = 500, rate: int = 100) -> None:
        file = room / "scenario.toml"
        file.write_text(SCENARIO.format(ports=ports, rate=rate))
        self.room = room
        begin = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "outsim", "serve", str(file), "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        self.ready_s = time.perf_counter() - begin
        self.ready_cpu_s = self.cpu_s()
        self.url = ready["url"]
        (account,) = ready["accounts"]
        self.login = {"login": account["login"], "pin": account["pin"]}
        self.client = httpx.Client(base_url=self.url, timeout=600, trust_env=False)

    def post(self, path: str, given: Any) -> Any:
        """Order something."""
        return self.client.post(f"/sandbox/{path}", json=given).raise_for_status().json()

    def queue(self, calls: int, name: str = "reminders", result_url: str | None = None) -> float:
        """Queue a list: seconds until it is answered."""
        rows = "".join(f"{2_122_000_000 + k};ani=2125550199\n" for k in range(calls))
        given = {"campaign_name": name, "start_url": f"{self.url}/inbox/start", **self.login}
        if result_url is not None:
            given["result_url"] = result_url
        begin = time.perf_counter()
        answer = self.client.post(
            "/webservice/queuecalls.php",
            data=given,
            files={"phone_number_list": ("n.txt", rows)},
        )
        took = time.perf_counter() - begin
        assert answer.raise_for_status().text.count("call_id=") == calls
        return took

    def cpu_s(self) -> float:
        """Processor time of the process so far, which other processes don't take from it."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        """Memory of the process."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def sandbox(*options: str, keeps: bool = False, **platform: int) -> Iterator[Sandbox]:
    """A sandbox, ended at the end."""
    with tempfile.TemporaryDirectory() as room:
        state = ("--state", f"{room}/state") if keeps else ()
        served = Sandbox(Path(room), *state, *options, **platform)
        try:
            yield served
        finally:
            served.process.send_signal(signal.SIGTERM)
            served.process.wait()


@contextmanager
def handler(kind: str = "answers") -> Iterator[str]:
    """URL of a handler that answers, or hangs."""
    with subprocess.Popen(
        [sys.executable, "-c", HANDLER, kind], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/result"
        finally:
            process.kill()


def ready() -> Figures:
    """From the command to the ready line: the first time on a machine, and later."""
    times, worked = [], []
    for _ in range(5):
        with sandbox("--held") as served:
            times.append(served.ready_s)
            worked.append(served.ready_cpu_s)
    return {
        "first_ready_s": times[0],
        "ready_s": statistics.median(times[1:]),
        "ready_cpu_s": statistics.median(worked),
    }


def intake() -> Figures:
    """A list of 100,000, accepted and durable."""
    times, worked = [], []
    for _ in range(3):
        with sandbox("--held", keeps=True) as served:
            times.append(served.queue(LIST))
            worked.append(served.cpu_s() - served.ready_cpu_s)
    return {
        "list_of_100000_s": statistics.median(times),
        "list_of_100000_cpu_s": statistics.median(worked),
    }


async def _ask(url: str, seconds: float, pauses_s: float) -> tuple[list[float], list[float]]:
    """Answers of several readers: how long they took; and where the clock was by the wall's."""
    took: list[float] = []
    drifts: list[float] = []
    ends = time.perf_counter() + seconds

    async def read(path: str) -> None:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
            first: tuple[float, int] | None = None
            while time.perf_counter() < ends:
                begin = time.perf_counter()
                answer = await client.get(path)
                end = time.perf_counter()
                took.append(end - begin)
                if path == "/sandbox/clock":
                    at = answer.json()["now"]
                    first = first or (end, at)
                    drifts.append((end - first[0]) - (at - first[1]) / 1e6 / SPEED)
                await asyncio.sleep(pauses_s)

    paths = ("/sandbox/clock", "/sandbox/campaigns", "/sandbox/calls/100000100", "/sandbox/clock")
    await asyncio.gather(*map(read, paths))
    return took, drifts


def clock() -> Figures:
    """50,000 calls queued or in progress, at speed 60: drift of the clock, and answers."""
    with sandbox("--held", keeps=True, rate=20) as served:
        served.queue(CALLS)
        served.post("clock", {"state": "free", "speed": SPEED})
        began = served.cpu_s()
        took, drifts = asyncio.run(_ask(served.url, 30.0, 0.05))
        worked = (served.cpu_s() - began) / 30.0
        view = served.client.get("/sandbox/clock").json()
        (campaign,) = served.client.get("/sandbox/campaigns").json()
    took.sort()
    return {
        "clock_answers": len(took),
        "clock_answer_p50_ms": 1000 * took[len(took) // 2],
        "clock_answer_p99_ms": 1000 * took[int(len(took) * 0.99)],
        "clock_drift_ms": 1000 * max(map(abs, drifts)),
        "clock_behind_ms": 1000 * view["behind_s"],
        "clock_processor_share": worked,
        "clock_calls_left": sum(campaign["counts"].get(s, 0) for s in ("scheduled", "queued")),
    }


def posts() -> Figures:
    """Results to a handler, with a dead and a hanging one beside it."""
    with (
        sandbox("--held", keeps=True, ports=5000, rate=2000) as served,
        handler() as good,
        handler("hangs") as hanging,
        socket.socket() as unbound,
    ):
        unbound.bind(("127.0.0.1", 0))
        served.queue(POSTS // 10, "hanging", hanging)
        with handler() as dead:
            served.queue(POSTS // 10, "dead", dead)
        served.queue(POSTS, "good", good)
        begin = time.perf_counter()
        served.post("clock", {"state": "free", "speed": 100})
        done, first, last = 0, 0.0, 0.0
        while done < POSTS and time.perf_counter() - begin < 120:
            stats = {c["name"]: c for c in served.client.get("/sandbox/campaigns").json()}
            done = _delivered(served, stats["good"])
            now = time.perf_counter()
            first = first or (now if done else 0.0)
            last = now
            time.sleep(0.1)
        took = last - begin
    return {"posts": done, "posts_s": took, "posts_per_s": done / took}


def _delivered(served: Sandbox, _: Any) -> int:
    log = (served.room / "state" / "inputs.jsonl").read_bytes()
    return log.count(b'"result":"accepted"')


def replays() -> Figures:
    """A session of 10,000 requests, run again on each engine."""
    with tempfile.TemporaryDirectory() as kept, sandbox("--held", keeps=True) as served:
        given = {"start_url": f"{served.url}/inbox/s", "result_url": f"{served.url}/inbox/r"}
        begin = time.perf_counter()
        for k in range(REQUESTS):
            number = f"{2_122_000_000 + k};ani=2125550199"
            form = {**served.login, **given, "phone_number": number}
            served.client.post("/webservice/queuecall.php", data=form).raise_for_status()
            if k % 100 == 99:
                served.post("clock/advance", {"by": "10 s"})
        took = time.perf_counter() - begin
        served.post("clock/advance", {"until": "idle"})
        subprocess.run(["cp", "-r", str(served.room / "state"), kept], check=True)
        figures = {"session_requests": REQUESTS, "requests_per_s": REQUESTS / took}
        tables: dict[str, list[bytes]] = {}
        for engine in ("simpy", "compiled"):
            out = Path(kept) / engine
            begin = time.perf_counter()
            subprocess.run(
                [
                    *(sys.executable, "-m", "outsim", "replay", f"{kept}/state"),
                    *("--engine", engine, "--out", str(out), "--json"),
                ],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            figures[f"replay_{engine}_s"] = time.perf_counter() - begin
            tables[engine] = [table.read_bytes() for table in sorted(out.rglob("*.parquet"))]
        figures["replays_are_equal"] = tables["simpy"] == tables["compiled"]
    return figures


def slow_clients() -> Figures:
    """Memory that clients take who never end their requests, and answers to others meanwhile."""
    with sandbox("--held") as served:
        served.client.get("/sandbox/clock")
        before = served.resident_bytes()
        host, port = served.url.removeprefix("http://").split(":")
        clients = []
        for _ in range(SLOW_CLIENTS):
            client = socket.create_connection((host, int(port)))
            client.sendall(
                b"POST /webservice/queuecalls.php HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                b"Content-Type: multipart/form-data; boundary=part\r\n"
                b"Content-Length: 30000000\r\n\r\n--part\r\nContent-Disposition: form-data; "
                b'name="phone_number_list"; filename="n.txt"\r\n\r\n'
            )
            with suppress(OSError):
                client.sendall(b"2125550100\n" * 9_000)
            clients.append(client)
        begin = time.perf_counter()
        served.client.get("/sandbox/clock").raise_for_status()
        took = time.perf_counter() - begin
        after = served.resident_bytes()
        for client in clients:
            client.close()
    return {
        "slow_clients": SLOW_CLIENTS,
        "slow_clients_bytes_each": (after - before) / SLOW_CLIENTS,
        "slow_clients_bytes": after - before,
        "answer_beside_slow_clients_ms": 1000 * took,
    }


FIGURES = {
    "ready": ready,
    "intake": intake,
    "clock": clock,
    "posts": posts,
    "replays": replays,
    "slow_clients": slow_clients,
}


def sandbox_figures(names: list[str] | None = None) -> Figures:
    """All figures of the sandbox, or some."""
    return {key: value for name in names or FIGURES for key, value in FIGURES[name]().items()}


def figures_in_words(figures: Figures) -> list[str]:
    """A line for each thing that was measured."""
    forms = (
        "sandbox ready: {ready_s:.1f} s, of which {ready_cpu_s:.1f} s of processor time",
        "a list of 100,000 accepted and durable: {list_of_100000_s:.1f} s",
        "50,000 calls at speed 60: drift {clock_drift_ms:.0f} ms, "
        "answers p99 {clock_answer_p99_ms:.0f} ms",
        "posts to a handler, with a dead and a hanging one beside: {posts_per_s:.0f}/s",
        "a session of 10,000 requests run again: {replay_simpy_s:.0f} s readable, "
        "{replay_compiled_s:.0f} s compiled, equal: {replays_are_equal}",
        "memory of {slow_clients} slow clients: {slow_clients_bytes:,} B",
    )
    return [form.format(**figures) for form in forms]


if __name__ == "__main__":
    print(json.dumps(sandbox_figures(sys.argv[1:]), indent=2))

"""A customer's application that is run for a day: queues a list, and counts what comes back.

It has a fault: each callback counts, also one that has been counted.
"""

from __future__ import annotations

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import httpx

CALLS = 20
counted: list[str] = []


class Pages(BaseHTTPRequestHandler):
    """start_url and result_url."""

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/result":
            counted.extend(parse_qs(body)["call_id"])
        self.answer()

    def answer(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def a_day(client: httpx.Client, login: str, pin: str) -> None:
    """Queue the list, and wait until all is over."""
    counted.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as pages:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        own = f"http://127.0.0.1:{pages.server_port}"
        client.post(
            "/webservice/queuecalls.php",
            data={
                "login": login,
                "pin": pin,
                "campaign_name": "reminders",
                "start_url": f"{own}/start",
                "result_url": f"{own}/result",
            },
            files={
                "phone_number_list": (
                    "numbers.txt",
                    "".join(f"2125550{k};ani=2125550199\n" for k in range(200, 200 + CALLS)),
                )
            },
        ).raise_for_status()
        client.post("/sandbox/clock/advance", json={"until": "idle"}).raise_for_status()
        pages.shutdown()
    assert len(counted) <= CALLS, "more results than calls"


if __name__ == "__main__":
    with httpx.Client(
        base_url=os.environ["OUTSIM_URL"], trust_env=False, timeout=60
    ) as sandbox_client:
        a_day(sandbox_client, os.environ["OUTSIM_LOGIN"], os.environ["OUTSIM_PIN"])
    sys.stdout.write(f"counted {len(counted)} results\n")

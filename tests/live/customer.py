"""A customer's application, in a process of its own: queues a list, handles results, stops.

It says in lines of JSON what it does, and ends when its standard input does.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote
from urllib.request import Request, urlopen
from xml.etree import ElementTree

URL, LOGIN, PIN, TENANT, CALLS, STOP_AFTER = sys.argv[1:7]
results: dict[str, list[str]] = {}
lock = threading.Lock()


class Pages(BaseHTTPRequestHandler):
    """start_url and result_url."""

    def do_GET(self) -> None:
        self.answer(200)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        fields = {key: values[0] for key, values in parse_qs(body).items()}
        if self.path == "/result":
            with lock:
                results.setdefault(fields["call_id"], []).append(fields["result"])
                is_time = sum(map(len, results.values())) == int(STOP_AFTER)
            if is_time:
                stop()
        self.answer(200)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def stop() -> None:
    """Press the stop button."""
    path = f"/sandbox/campaigns/{quote(TENANT)}/reminders/stop"
    with urlopen(Request(URL + path, method="POST", data=b"")) as answer:
        answer.read()


def queue(pages: str) -> list[str]:
    """Queue the list; gives the call_ids."""
    numbers = "".join(f"+1212555{k:04};ani=2125550199\n" for k in range(200, 200 + int(CALLS)))
    fields = {
        "login": LOGIN,
        "pin": PIN,
        "campaign_name": "reminders",
        "start_url": f"{pages}/start",
        "result_url": f"{pages}/result",
    }
    parts = [
        f'--part\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        '--part\r\nContent-Disposition: form-data; name="phone_number_list"; filename="n.txt"\r\n'
        f"Content-Type: text/plain\r\n\r\n{numbers}\r\n--part--\r\n"
    )
    request = Request(
        f"{URL}/webservice/queuecalls.php",
        data="".join(parts).encode(),
        headers={"Content-Type": "multipart/form-data; boundary=part"},
    )
    with urlopen(request) as answer:
        return [call.get("call_id", "") for call in ElementTree.parse(answer).getroot()]


def say(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
threading.Thread(target=server.serve_forever, daemon=True).start()
say(queued=queue(f"http://127.0.0.1:{server.server_port}"))
sys.stdin.read()
server.shutdown()
say(results=results)

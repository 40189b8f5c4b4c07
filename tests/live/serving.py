"""A sandbox behind a real socket, in a thread of the test's own process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx

import outsim
from outsim.live.http.context import Settings
from outsim.live.http.server import Served, serving

SCENARIO = {
    "name": "two clinics",
    "clock": {"zone": "America/Chicago", "date": "2026-03-10", "begins": "09:00", "ends": "12:00"},
    "tenant": [{"name": "clinic"}, {"name": "school"}],
    "account": [
        {"tenant": "clinic", "login": "desk@clinic.example", "pin": "4711"},
        {"tenant": "gone", "login": "gone", "pin": "1", "is_active": False},
    ],
}


class Running:
    """A sandbox that answers, and clients of its accounts."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.context = served.context
        self.client = httpx.Client(base_url=served.url, trust_env=False, timeout=30)
        self.url = served.url
        self.clinic, *_, self.school = self.context.logins.accounts
        self.fuse = (self.clinic.login, self.clinic.developer_key)
        self.dev = (self.clinic.login, self.clinic.pin)
        self.bearer = {"Authorization": f"Bearer {self.clinic.token}"}

    def form(self, **more: Any) -> dict[str, Any]:
        """Fields of a DEV request, without the number."""
        given = {
            "login": self.clinic.login,
            "pin": self.clinic.pin,
            "start_url": f"{self.url}/inbox/start",
            **more,
        }
        return {key: value for key, value in given.items() if value is not None}

    def queuecall(self, **more: Any) -> httpx.Response:
        """Queue one call."""
        return self.client.post(
            "/webservice/queuecall.php", data=self.form(**{"phone_number": "2125550100", **more})
        )

    def queuecalls(self, numbers: str | bytes, **more: Any) -> httpx.Response:
        """Queue a list."""
        return self.client.post(
            "/webservice/queuecalls.php",
            data=self.form(**{"campaign_name": "reminders", **more}),
            files={"phone_number_list": ("numbers.txt", numbers)},
        )

    def fault(self, of: str, **more: Any) -> None:
        """Have something go wrong."""
        self.client.post("/sandbox/faults", json={"of": of, **more}).raise_for_status()

    def last_request(self) -> dict[str, Any]:
        """The last request, as it was seen."""
        return dict(self.client.get("/sandbox/requests").json()[-1])


@contextmanager
def running(scenario: Any, **options: Any) -> Iterator[Running]:
    """Serve a scenario from a thread."""
    there: Future[tuple[Served, asyncio.AbstractEventLoop]] = Future()

    async def serve() -> None:
        try:
            async with serving(outsim.load(scenario), **options) as (served, until):
                there.set_result((served, asyncio.get_running_loop()))
                await until
        except BaseException as error:
            if not there.done():
                there.set_exception(error)
            raise

    with ThreadPoolExecutor(1) as thread:
        ended = thread.submit(lambda: asyncio.run(serve()))
        served, loop = there.result()
        try:
            server = Running(served)
            with server.client:
                yield server
        finally:
            loop.call_soon_threadsafe(served.stop)
            ended.result()


PACED = Settings(pacing_api=True, most_body=4_000_000)

"""A sandbox as tests use it: from the outside, as customers use a platform."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree

import httpx

from outsim.errors import SandboxError, unknown_name
from outsim.live.clock import Until
from outsim.live.inputs import FaultKind, PinnedOutcome
from outsim.scenario.loading import load

ENDS_S = 10.0
ANSWERS_S = 660.0
"""Waiting and advancing take as long as they take; the sandbox bounds them itself."""


def _client(url: str) -> httpx.Client:
    """A client whose errors say why a request was refused, and what comes nearest to it."""
    client = httpx.Client(base_url=url, timeout=ANSWERS_S, trust_env=False)

    def explain(answer: httpx.Response) -> None:
        if answer.is_error:
            answer.read()
            # What `raise_for_status` shows beside the code.
            said = f"{answer.reason_phrase}: {_reason(client, answer)}"
            answer.extensions["reason_phrase"] = said.encode("ascii", "replace")

    client.event_hooks["response"].append(explain)
    return client


def _reason(client: httpx.Client, answer: httpx.Response) -> str:
    """Why a request was refused, with the accepted form that comes nearest."""
    path = answer.request.url.path
    if path.startswith("/sandbox/"):
        said = answer.json()
        reason, nearest = said.get("error", ""), said.get("nearest", "")
    else:
        refused = client.get("sandbox/requests", params={"only_refused": True}).json()
        seen = [request for request in refused if request["path"] == path]
        reason, nearest = (seen[-1][key] if seen else "" for key in ("reason", "nearest"))
    return f"{reason}; nearest: {nearest}" if nearest else reason or answer.text


class RunningSandbox:
    """A sandbox in a process of its own, with the clock held unless it is set free.

    Attributes
    ----------
    url : str
        Where it answers.
    accounts : dict
        Logins by tenant: ``login``, ``pin``, ``developer_key``, ``token``, ``application_id``.
    client : httpx.Client
        Sends requests to it; its ``raise_for_status`` says why one was refused.
    """

    def __init__(self, command: list[str]) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "outsim", "serve", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait(ENDS_S)
            self._errors.seek(0)
            said = self._errors.read().strip()
            self._errors.close()
            self._process.stdout.close()
            raise SandboxError(f"the sandbox did not start: {said}")
        ready: dict[str, Any] = json.loads(line)
        self.url: str = ready["url"]
        # The ready line has no secret that the scenario has.
        written = {a.login: a.model_dump() for a in load(command[0]).account}
        self.accounts: dict[str, dict[str, Any]] = {
            account["tenant"]: written.get(account["login"], {}) | account
            for account in ready["accounts"]
        }
        self.client = _client(self.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self.client.close()
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDS_S)
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._process.poll() is None

    def _asked(self, method: str, path: str, **given: Any) -> Any:
        answer = self._taken(method, f"sandbox/{path}", **given)
        return answer.json() if answer.content else None

    def _taken(self, method: str, path: str, **given: Any) -> httpx.Response:
        """The answer to a request; an error with its reason if it is refused."""
        answer = self.client.request(method, path, **given)
        if answer.is_error:
            code, reason = answer.status_code, answer.reason_phrase.partition(": ")[2]
            shown = path.removeprefix("sandbox/")
            raise SandboxError(f"{method} {shown}: {reason} (status {code})")
        return answer

    def reset(self, seed: int | None = None, vary: Collection[str] | None = None) -> None:
        """Begin anew, at the scenario's beginning, with the clock held.

        Parameters
        ----------
        seed : int, optional
            Default: the same.
        vary : collection of str, optional
            What the seed varies: ``lag``, ``loss``, ``order``, ``outages``. Default: the same.
        """
        given = {"seed": seed, "vary": None if vary is None else list(vary)}
        self._asked("POST", "reset", json=given)

    @property
    def clock(self) -> dict[str, Any]:
        """How its clock stands."""
        return dict(self._asked("GET", "clock"))

    def advance(
        self,
        *,
        to: str | None = None,
        by: str | None = None,
        until: Until | None = None,
        tenant: str | None = None,
        campaign: str | None = None,
    ) -> dict[str, Any]:
        """Advance the clock to a time, by a duration, or until something has happened.

        Parameters
        ----------
        to, by : str, optional
            Such as ``"09:45"`` and ``"10 min"``.
        until : str, optional
            ``reported``, ``idle``, ``campaign over``, ``next update visible`` or ``next
            delivery``; see `outsim.live.clock.SandboxClock.advance_until`.
        tenant, campaign : str, optional
            Of which; a campaign as its name, or ``tenant/name``.
        """
        if campaign is not None:
            tenant, campaign = self._campaign(campaign, tenant)
        given = {"to": to, "by": by, "until": until, "tenant": tenant, "campaign": campaign}
        return dict(self._asked("POST", "clock/advance", json=given))

    def free(self, speed: float = 1.0) -> dict[str, Any]:
        """Let the clock run."""
        return dict(self._asked("POST", "clock", json={"state": "free", "speed": speed}))

    def hold(self) -> dict[str, Any]:
        """Hold the clock."""
        return dict(self._asked("POST", "clock", json={"state": "held"}))

    def wait(self, kind: str, *, timeout_s: float = 30.0, **whose: Any) -> dict[str, Any]:
        """The next event of a kind; an error if none comes in time."""
        given = {"kind": kind, "timeout_s": timeout_s, **whose}
        event = self._asked("POST", "wait", json=given)["event"]
        if event is None:
            raise SandboxError(f"no event {kind!r} within {timeout_s:g} s")
        return dict(event)

    def campaigns(self, tenant: str | None = None) -> list[dict[str, Any]]:
        """Campaigns with their calls by status."""
        return list(self._asked("GET", "campaigns", params=_given(tenant=tenant)))

    def queue(
        self,
        numbers: Iterable[str | int] | Path,
        *,
        tenant: str | None = None,
        campaign: str = "campaign",
        result_url: str | None = None,
        **fields: Any,
    ) -> list[int]:
        """Queue a list as a campaign, as a customer does with ``queuecalls.php``.

        Parameters
        ----------
        numbers : iterable of str, or Path
            Rows of the list, such as ``2125550100;ani=2125550199``, or the file that has them.
        tenant : str, optional
            Whose; default: the first account's.
        campaign : str
            Its name.
        result_url : str, optional
            Where results are posted; default: the inbox ``results``.
        fields
            Other fields of the request, such as ``max_retry`` and ``start_url`` (default: the
            inbox ``start``).

        Returns
        -------
        list of int
            The call_id of each row.

        Raises
        ------
        SandboxError
            If the request is refused, or a row is rejected; the other rows are queued then.
        """
        account = self.accounts[tenant or next(iter(self.accounts))]
        given = {
            "login": account["login"],
            "pin": account["pin"],
            "campaign_name": campaign,
            "start_url": f"{self.url}/inbox/start",
            "result_url": result_url or f"{self.url}/inbox/results",
            **fields,
        }
        rows = (
            numbers.read_bytes()
            if isinstance(numbers, Path)
            else "\n".join(map(str, numbers)).encode()
        )
        answer = self._taken(
            "POST",
            "webservice/queuecalls.php",
            data=given,
            files={"phone_number_list": ("numbers.txt", rows)},
        )
        found = ElementTree.fromstring(answer.text)
        calls = [int(call.attrib["call_id"]) for call in found.iter("call")]
        rejected = [*found.iter("rejected")]
        if rejected:
            first = rejected[0]
            raise SandboxError(
                f"{len(rejected):,} of {len(calls) + len(rejected):,} rows of {campaign!r} "
                f"rejected, the first row {first.get('row')}, {first.get('phone_number')!r}: "
                f"{first.text}; mend it, or post such a list with platform.client, whose answer "
                "has a rejected element for each"
            )
        return calls

    def status(self, campaign: str) -> dict[str, Any]:
        """A campaign: its calls by status as it is and as it is seen, and what its stop left."""
        return dict(self._asked("GET", "campaigns/{}/{}".format(*self._campaign(campaign))))

    def stop(self, campaign: str) -> None:
        """Stop a campaign."""
        self._asked("POST", "campaigns/{}/{}/stop".format(*self._campaign(campaign)))

    def pause(self, campaign: str) -> None:
        """Hold the calls of a campaign back; they keep their places."""
        self._asked("POST", "campaigns/{}/{}/pause".format(*self._campaign(campaign)))

    def resume(self, campaign: str) -> None:
        """Let a campaign that was paused go on."""
        self._asked("POST", "campaigns/{}/{}/resume".format(*self._campaign(campaign)))

    def _campaign(self, name: str, tenant: str | None = None) -> tuple[str, str]:
        """Tenant and name of a campaign, given as its name or ``tenant/name``."""
        there = [(found["tenant"], found["name"]) for found in self.campaigns(tenant)]
        found = [(whose, own) for whose, own in there if name in (own, f"{whose}/{own}")]
        if len(found) != 1:
            names = ["/".join(whose) for whose in found or there]
            raise SandboxError(unknown_name("campaign", name, names))
        return found[0]

    def call(self, call_id: int) -> dict[str, Any]:
        """A call as it is, and as it is seen."""
        return dict(self._asked("GET", f"calls/{call_id}"))

    def pin(self, numbers: Iterable[str], outcome: PinnedOutcome | None, **more: float) -> None:
        """Give reserved numbers an outcome (``after_s``, ``talk_s``); None takes it away."""
        given = {"numbers": list(numbers), "outcome": outcome, **more}
        self._asked("PUT", "numbers", json=given)

    def fault(self, of: FaultKind, **more: Any) -> int:
        """Have something go wrong: ``count``, ``share``, whose and when; the number ends it."""
        return int(self._asked("POST", "faults", json={"of": of, **more})["number"])

    def end_fault(self, number: int) -> None:
        """End a fault."""
        self._asked("DELETE", f"faults/{number}")

    def inbox(self, name: str, at_least: int = 0, timeout_s: float = 30.0) -> list[dict[str, Any]]:
        """Messages of the built-in receiver, once there are so many."""
        given = {"at_least": at_least, "timeout_s": timeout_s}
        return list(self._asked("GET", f"inbox/{name}", params=given))

    def deliveries(self, call_id: int | None = None) -> list[dict[str, Any]]:
        """Posts of final results, with what went over the wire."""
        return list(self._asked("GET", "deliveries", params=_given(call_id=call_id)))

    def requests(self, *, only_refused: bool = False) -> list[dict[str, Any]]:
        """The last thousand requests as they were seen."""
        return list(self._asked("GET", "requests", params={"only_refused": only_refused}))


class ServedSandbox(RunningSandbox):
    """The sandbox that ``outsim serve --futures`` runs a command against."""

    def __init__(self) -> None:
        self.url = os.environ["OUTSIM_URL"]
        accounts = json.loads(os.environ["OUTSIM_ACCOUNTS"])
        self.accounts = {account["tenant"]: account for account in accounts}
        self.client = _client(self.url)

    def close(self) -> None:
        """Leave it."""
        self.client.close()

    @property
    def is_running(self) -> bool:
        """It is ended by whoever has started it."""
        return True


def is_served() -> bool:
    """Whether there is a sandbox already, one day of many."""
    return "OUTSIM_URL" in os.environ and "OUTSIM_ACCOUNTS" in os.environ


def _given(**parameters: Any) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if value is not None}

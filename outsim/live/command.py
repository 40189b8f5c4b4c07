"""A customer's application as a command: what it is told, how it is run, and how it is ended."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import signal
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress

from outsim.errors import SandboxError
from outsim.live.http.server import Served
from outsim.live.variations import Day

_MOST_SAID = 100_000
_GRACE_S = 5.0
KEYS = ("tenant", "login", "pin", "developer_key", "token")
"""Of the first account, in environment variables: OUTSIM_TENANT and so on."""


def words_of(command: str) -> list[str]:
    """Words of a command as a shell reads them; its program must be there."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise SandboxError(f"command {command!r}: {error}") from None
    if not words:
        raise SandboxError(
            "the command is empty; write one such as 'pytest tests/test_handler.py'"
        )
    if shutil.which(words[0]) is None:
        raise SandboxError(
            f"command {words[0]!r}: there is no such program; for what a shell understands, write "
            "sh -c '...'"
        )
    return words


def environment_of(served: Served, day: Day) -> Mapping[str, str]:
    """What the command is told, beside what it would have anyway."""
    accounts = [account.model_dump() for account in served.context.logins.accounts]
    numbered = [
        {key: account[key] for key in KEYS} | {"application_id": number}
        for number, account in enumerate(accounts, 1)
    ]
    told = {f"OUTSIM_{key.upper()}": str(value) for key, value in numbered[0].items()}
    return (
        os.environ
        | told
        | {
            "OUTSIM_URL": served.url,
            "OUTSIM_SEED": str(day.seed),
            "OUTSIM_ACCOUNTS": json.dumps(numbered),
        }
    )


async def run_command(
    words: Sequence[str], environment: Mapping[str, str], timeout_s: float
) -> tuple[str, str]:
    """Run the command: why it failed, if it did, and what it said."""
    with tempfile.TemporaryFile() as output:
        process = await asyncio.create_subprocess_exec(
            *words,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(timeout_s):
                code = await process.wait()
            why = "" if code == 0 else f"exit code {code}" if code > 0 else f"signal {-code}"
        except TimeoutError:
            why = f"longer than {timeout_s:g} s"
        finally:
            await _end(process)
        output.seek(0, os.SEEK_END)
        output.seek(max(0, output.tell() - _MOST_SAID))
        return why, output.read().decode("utf-8", "replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a command and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(TimeoutError):
        async with asyncio.timeout(_GRACE_S):
            await process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()

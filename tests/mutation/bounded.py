"""Something done in a process of its own, with bounds on processor time and memory."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROCESSOR_S, MEMORY_BYTES = 5, 2**30
"""What one input may take."""


class _OverTimeError(BaseException):
    """Processor time is used up; not an `Exception`, so that nobody takes it for a mistake."""


def bounded(act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do something in a child; what it returned, or a fault, its detail and the last command.

    A fault is a ``traceback``, ``over time``, ``over memory``, or a ``crash`` of the process.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _do(act, write)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if said:
        answer: dict[str, Any] = json.loads(said)
        return answer
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    fault = "over time" if number in (signal.SIGXCPU, signal.SIGKILL) else "crash"
    return {"fault": fault, "detail": f"ended by signal {number}, status {status}"}


def _do(act: Callable[[], dict[str, Any]], write: int) -> None:
    """Never returns: a child ends here, whatever happens."""
    try:
        _bound()
        answer = act()
    except _OverTimeError:
        answer = {"fault": "over time", "detail": traceback.format_exc(limit=-8)}
    except MemoryError:
        answer = {"fault": "over memory", "detail": traceback.format_exc(limit=-8)}
    except BaseException as error:
        fault = "over memory" if isinstance(error.__context__, MemoryError) else "traceback"
        answer = {"fault": fault, "detail": traceback.format_exc(limit=-8)}
    if "fault" in answer:
        answer["command"] = sys.argv[1:]
    try:
        signal.setitimer(signal.ITIMER_PROF, 0)
        os.write(write, json.dumps(answer, default=repr)[:60_000].encode(errors="replace"))
    finally:
        os._exit(0)


def _bound() -> None:
    def over(*_: object) -> None:
        raise _OverTimeError

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S + 3, PROCESSOR_S + 4))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, over)
    signal.setitimer(signal.ITIMER_PROF, PROCESSOR_S)

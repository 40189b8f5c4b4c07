"""Sandboxes for tests: processes of their own, used from the outside as customers use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from traceback import extract_tb
from typing import Any

import pytest

from outsim.errors import SandboxError
from outsim.live.futures import Futures as Fared
from outsim.live.futures import keep_session
from outsim.live.search import SHOWN, Lived, Search
from outsim.live.state import INPUTS
from outsim.live.variations import KINDS, Day
from outsim.scenario.loading import load
from outsim.scenario.model import Scenario
from outsim.testing.running import RunningSandbox, ServedSandbox, is_served


class Future:
    """One day of many: ``with future as platform`` tries an application on it.

    What fails in the block is noted, and the next day goes on.
    """

    def __init__(self, platform: RunningSandbox, day: Day, note: Callable[[str], None]) -> None:
        self.platform, self.day, self._note = platform, day, note

    def __enter__(self) -> RunningSandbox:
        self.platform.hold()
        self.platform.reset(self.day.seed, self.day.names)
        return self.platform

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> bool:
        is_failure = isinstance(error, Exception | pytest.fail.Exception)
        if error is None or is_failure:
            self._note("" if error is None else _where_and_why(error))
        return is_failure


class Futures:
    """Days to try an application on, one for each seed: `for future in sandbox(..., futures=9)`.

    After the last one the test fails if any did.

    Parameters
    ----------
    platform : RunningSandbox
        Lives them.
    scenario : Scenario
        What is varied.
    count : int
        How many.
    state : Path
        Directory of its session.
    keep : Path
        Directory for the session of the smallest failing day.
    vary : sequence of str
        What is varied.
    """

    def __init__(
        self,
        platform: RunningSandbox,
        scenario: Scenario,
        count: int,
        *,
        state: Path,
        keep: Path,
        vary: Sequence[str],
    ) -> None:
        self._platform, self._scenario, self._state, self._keep = platform, scenario, state, keep
        self._search = Search(scenario, range(scenario.seed, scenario.seed + count), vary)

    def __iter__(self) -> Iterator[Future]:
        search = self._search
        for day in search:

            def note(why: str, day: Day = day) -> None:
                log = self._state / INPUTS
                if search.lived(Lived(day, why, len(log.read_bytes().splitlines()))):
                    keep_session(self._state, self._keep, why)

            yield Future(self._platform, day, note)
        found = Fared(self._scenario.name, "", search.days, search.smallest, self._keep)
        if found.smallest is not None:
            days = [
                f"seed {lived.day.seed}: {lived.why} ({', '.join(lived.day.names) or 'nothing'})"
                for lived in found.failed[:SHOWN]
            ]
            words = [found.sentence(), *days, found.smallest.words, f"outsim replay {self._keep}"]
            pytest.fail("\n".join(words), pytrace=False)


def _where_and_why(error: BaseException) -> str:
    """Line of the test at which it failed, and the first line of what it says."""
    frames = extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    place = f"{Path(own[-1].filename).name}:{own[-1].lineno}: " if own else ""
    said = str(error).strip().partition("\n")[0]
    return f"{place}{type(error).__name__}{f': {said}' if said else ''}"


class Sandboxes:
    """Sandboxes of a test session: one that a test is done with serves the next, reset.

    Parameters
    ----------
    directory : Path
        Where scenarios that are no files are written to.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._idle: dict[tuple[str, ...], list[RunningSandbox]] = {}
        self._keys: dict[RunningSandbox, tuple[str, ...]] = {}
        self._files = 0
        self._is_taken = False

    def take(self, scenario: str | Path | Mapping[str, Any], options: list[str]) -> RunningSandbox:
        """A sandbox of a scenario, at its beginning; the day's, where there is one already."""
        if is_served():
            return self._served()
        text = scenario if isinstance(scenario, str | Path) else _toml(scenario)
        key = (str(text), *options)
        idle = self._idle.setdefault(key, [])
        while idle:
            sandbox = idle.pop()
            if sandbox.is_running:
                sandbox.hold()
                sandbox.reset()
                return sandbox
        sandbox = RunningSandbox([str(self._file(text)), "--port", "0", "--held", *options])
        self._keys[sandbox] = key
        return sandbox

    def _served(self) -> RunningSandbox:
        if self._is_taken:
            raise SandboxError("outsim serve --futures has one sandbox, and it is taken")
        self._is_taken = True
        sandbox = ServedSandbox()
        self._keys[sandbox] = ()
        sandbox.hold()
        sandbox.reset()
        return sandbox

    def futures(
        self,
        scenario: str | Path | Mapping[str, Any],
        options: list[str],
        count: int,
        vary: Sequence[str] | None,
    ) -> tuple[RunningSandbox, Futures]:
        """A sandbox for many days of a scenario, and these days."""
        if is_served():
            raise SandboxError(
                "futures: outsim serve --futures goes through many days already; ask for one"
            )
        self._files += 1
        state, keep = (self._directory / f"{name}-{self._files}" for name in ("state", "failing"))
        platform = self.take(scenario, [*options, "--state", str(state)])
        text = scenario if isinstance(scenario, str | Path) else _toml(scenario)
        loaded = load(self._file(text))
        vary = tuple(KINDS) if vary is None else vary
        return platform, Futures(platform, loaded, count, state=state, keep=keep, vary=vary)

    def give_back(self, sandbox: RunningSandbox) -> None:
        """Leave a sandbox to the next test."""
        self._is_taken = False
        self._idle.setdefault(self._keys[sandbox], []).append(sandbox)

    def close(self) -> None:
        """End all that are idle."""
        for idle in self._idle.values():
            for sandbox in idle:
                sandbox.close()
        self._idle.clear()
        self._keys.clear()

    def _file(self, text: str | Path) -> Path:
        if isinstance(text, Path):
            return text
        self._files += 1
        path = self._directory / f"scenario-{self._files}.toml"
        path.write_text(text, encoding="utf-8")
        return path


def _toml(scenario: Mapping[str, Any]) -> str:
    import tomlkit

    return tomlkit.dumps(scenario)

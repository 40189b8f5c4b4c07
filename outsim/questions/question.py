"""What every question gives back: something to await, to iterate over, or to run."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from functools import wraps
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, TypedDict, TypeVar, cast

from outsim.errors import StudyError, nearest
from outsim.studies.default_replications import MOST
from outsim.studies.synchronous import run_sync
from outsim.text import bounded

if TYPE_CHECKING:  # some questions run nothing: theirs are answered before a study is loaded
    from concurrent.futures import Executor
    from pathlib import Path

    from outsim.engine import Engine
    from outsim.progress import Progress
    from outsim.studies.run_array import RunArray
    from outsim.studies.study_result import StudyResult
    from outsim.studies.study_run import StudyRun

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class StudyOptions(TypedDict, total=False):
    """Keyword parameters of every question that is one study; see `outsim.Study`."""

    replications: int | range | None
    seed: int | None
    engine: Engine
    executor: Executor | str | None
    progress: Progress | Literal["bar"] | None
    precision: dict[str, str | float] | None
    timeout: str | None
    min_replications: int | None
    max_replications: int
    directory: str | Path | None
    keep_tables: bool
    keep_series: bool
    input_uncertainty: bool | Literal["drawn"]


DEFAULTS = {"engine": "auto", "progress": "bar", "max_replications": MOST} | dict.fromkeys(
    ("keep_tables", "keep_series", "input_uncertainty"), False
)
"""Defaults of `Study` that are not None."""

_DECIDING = ("replications", "precision", "timeout")


class Question(Generic[Answer]):
    """A question that has been asked, and not been answered yet.

    ``await`` it in a notebook or an asyncio program, or call `run` in a script, for the answer;
    ``async for`` gives the replications as they finish.

    Parameters
    ----------
    name : str
        Name of the function that asks it.
    work : callable
        Given somebody to tell of each replication that is over, it gives the answer, or
        something to await for it.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Callable[[RunArray], None]], Awaitable[Answer] | Answer],
    ) -> None:
        self.name = name
        self._work = work
        self._done: list[Answer] = []

    def __repr__(self) -> str:
        return bounded(
            f"Question({self.name!r}): await it, or call run() in a script, for the answer; "
            "async for gives the replications as they finish"
        )

    @property
    def answer(self) -> Answer:
        """The answer, once it is there.

        Raises
        ------
        StudyError
            If it is not there yet.
        """
        if not self._done:
            raise StudyError(f"{self.name}: not answered yet; await it, or call run()")
        return self._done[0]

    async def __aiter__(self) -> AsyncIterator[RunArray]:
        """Replications as they finish; then `answer` is there."""
        finished: asyncio.Queue[RunArray | None] = asyncio.Queue()
        task = asyncio.ensure_future(self._ask(finished.put_nowait))
        task.add_done_callback(lambda _: finished.put_nowait(None))
        try:
            while (replication := await finished.get()) is not None:
                yield replication
            await task
        finally:
            task.cancel()

    async def _ask(self, tell: Callable[[RunArray], None]) -> Answer:
        if not self._done:
            if inspect.iscoroutinefunction(self._work):
                self._done.append(await self._work(tell))
            else:
                await asyncio.to_thread(self._ask_here, tell)
        return self._done[0]

    def _ask_here(self, tell: Callable[[RunArray], None]) -> None:
        self._done.append(cast("Callable[[Any], Answer]", self._work)(tell))

    async def _all(self) -> Answer:
        return await self._ask(lambda _: None)

    def __await__(self) -> Generator[Any, None, Answer]:
        """Wait for the answer."""
        return self._all().__await__()

    def run(self) -> Answer:
        """Wait for the answer, in a script or a cell."""
        if inspect.iscoroutinefunction(self._work):
            return run_sync(self._all())
        if not self._done:  # in this thread, so that an interruption reaches it
            self._ask_here(lambda _: None)
        return self._done[0]


class StudyQuestion(Question[Answer]):
    """A question that one study answers.

    Parameters
    ----------
    name : str
        Name of the function that asks it.
    run : StudyRun
        The study, as it is to be run.
    answered : callable
        Makes the answer of what the study finds.
    """

    def __init__(
        self, name: str, run: StudyRun, answered: Callable[[StudyResult], Answer]
    ) -> None:
        self.name = name
        self.study = run.study
        self._run = run
        self._answered = answered

    def __aiter__(self) -> AsyncIterator[RunArray]:
        """Replications as they finish."""
        return self._run.__aiter__()

    @property
    def answer(self) -> Answer:
        """The answer from the replications that are there without a gap.

        Raises
        ------
        StudyError
            If there are none.
        """
        return self._answered(self._run.result)

    async def _all(self) -> Answer:
        return self._answered(await self._run)

    def run(self) -> Answer:
        """Wait for all replications, in a script or a cell."""
        return run_sync(self._all())


def asks(
    options: type | None = None, *, usual: int | None = None
) -> Callable[[Callable[Given, Answer]], Callable[Given, Answer]]:
    """Decorate a question: ``**options: Unpack[OPTIONS]`` is written out in its signature.

    A keyword that it does not have is an error that names the function and the nearest keyword.
    It makes its usual number of replications, if neither a count, a precision nor a time decides.
    """

    def decorate(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
        signature = inspect.signature(function)
        named_here = signature.parameters.values()
        parameters = {each.name: each for each in named_here if each.kind != each.VAR_KEYWORD}
        for name, hint in (options.__annotations__ if options else {}).items():
            option = inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=DEFAULTS.get(name),
                annotation=getattr(hint, "__forward_arg__", hint),
            )
            parameters.setdefault(name, option)
        signature = signature.replace(parameters=[*parameters.values()])

        @wraps(function)
        def asked(*given: Given.args, **named: Given.kwargs) -> Answer:
            for name in named:
                if name not in parameters:
                    raise TypeError(
                        f"{function.__name__}({name}=...): there is no such parameter; "
                        f"{nearest(name, parameters)}"
                    )
            if usual is not None and all(named.get(name) in (None, {}) for name in _DECIDING):
                named["replications"] = usual
            return function(*given, **named)

        asked.__signature__ = signature  # type: ignore[attr-defined]
        return asked

    return decorate

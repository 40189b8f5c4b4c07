"""What every question gives back: something to await, to iterate over, or to run."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, TypedDict, TypeVar, cast

from outsim.errors import StudyError, nearest
from outsim.studies.synchronous import run_sync
from outsim.text import bounded

if TYPE_CHECKING:  # some questions run nothing: theirs are answered before a study is loaded
    from concurrent.futures import Executor
    from pathlib import Path

    from outsim.engine import Engine
    from outsim.progress import Progress
    from outsim.studies.run_array import RunArray
    from outsim.studies.run_cache import RunCache
    from outsim.studies.study_result import StudyResult
    from outsim.studies.study_run import StudyRun

Parameters = ParamSpec("Parameters")
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
    cache: RunCache | None
    input_uncertainty: bool | Literal["drawn"]


_SHARED = """\
Parameters
----------
scenario : Scenario
    What `outsim.load` gives.
asked : Scenario or Result
    What `outsim.load`, `outsim.simulate` or `outsim.load_result` gives.
campaign : str or Campaign, optional
    ``name``, ``tenant/name`` or the object; default: the one under study.
"""
"""Parameters of several questions, as a docstring describes them."""

_DECIDING = ("replications", "precision", "timeout")


class Question(Generic[Answer]):
    """A question that has been asked, and not been answered yet.

    ``await`` it in a notebook or an asyncio program, or call `run` in a script, for the answer;
    ``async for`` gives the replications as they finish. `name` is that of the function that asks.
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
    """A question that one study answers."""

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
    def without_gap(self) -> range:
        """Replications that `answer` rests on by now: from the first up to one that is missing."""
        return self._run.without_gap

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
) -> Callable[[Callable[Parameters, Answer]], Callable[Parameters, Answer]]:
    """Decorate a question: ``**options: Unpack[OPTIONS]`` is written out in its signature.

    A keyword that it does not have is an error that names the function and the nearest keyword.
    It makes its usual number of replications, if neither a count, a precision nor a time decides.
    Its docstring says what is its own: what `Study` or `simulate` describe is added from there.
    """

    def decorate(function: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
        signature = inspect.signature(function)
        parameters = {
            name: parameter
            for name, parameter in signature.parameters.items()
            if parameter.kind != parameter.VAR_KEYWORD
        }
        for name, hint in (options.__annotations__ if options else {}).items():
            parameters.setdefault(
                name,
                inspect.Parameter(
                    name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=_default_of(name),
                    annotation=getattr(hint, "__forward_arg__", hint),
                ),
            )

        @wraps(function)
        def question(*positional: Parameters.args, **named: Parameters.kwargs) -> Answer:
            for name in named:
                if name not in parameters:
                    raise TypeError(
                        f"{function.__name__}({name}=...): there is no such parameter; "
                        f"{nearest(name, parameters)}"
                    )
            if usual is not None and all(named.get(name) in (None, {}) for name in _DECIDING):
                named["replications"] = usual
            return function(*positional, **named)

        whole = signature.replace(parameters=[*parameters.values()])
        question.__signature__ = whole  # type: ignore[attr-defined]
        if function.__doc__:  # there is none under python -OO
            question.__doc__ = _whole_docstring(function, [*parameters], bool(options), usual)
        return question

    return decorate


def _default_of(name: str) -> Any:
    """Default of an option of `Study` or of `Study.stream`."""
    from outsim.studies.study import Study

    ours, theirs = inspect.signature(Study).parameters, inspect.signature(Study.stream).parameters
    return (ours | theirs)[name].default


def _whole_docstring(
    function: Callable[..., object], names: list[str], is_study: bool, usual: int | None
) -> str:
    """The docstring of a question, with shared parameters and what is given back added."""
    text = inspect.cleandoc(function.__doc__ or "")
    entries = _entries(text)
    missing = set(names).difference(*(described for described, _ in entries))
    for source in _sources(is_study or usual is not None, usual):
        for described, rest in _entries(source):
            if shared := [name for name in described if name in missing]:
                entries.append((shared, rest))
                missing.difference_update(shared)
        if not missing:
            break
    entries.sort(key=lambda entry: names.index(entry[0][0].lstrip("*")))
    parts = ["\n".join(f"{', '.join(described)}{rest}" for described, rest in entries)]
    if "\nReturns\n" not in text:
        answer = str(function.__annotations__["return"]).partition("[")[2].removesuffix("]")
        of = answer.replace(" | ", " or ")
        parts.append(
            f"Returns\n-------\nQuestion of {of}\n    To be awaited, or `run` in a script."
        )
    return _PARAMETERS.sub(lambda found: found[1] + "\n\n".join(parts), text)


_PARAMETERS = re.compile(r"^(Parameters\n-+\n)(.*?)(?=\n\n|\Z)", re.DOTALL | re.MULTILINE)


def _entries(docstring: str) -> list[tuple[list[str], str]]:
    """Parameters that a docstring describes: their names, and what follows these."""
    section = _PARAMETERS.search(docstring)
    split = re.findall(
        r"^(\*?\w+(?:, \*?\w+)*)(.*(?:\n .*)*)", section[2] if section else "", re.MULTILINE
    )
    return [(names.split(", "), rest) for names, rest in split]


def _sources(is_study: bool, usual: int | None) -> Iterator[str]:
    """Docstrings with the parameters that questions share, each loaded if it comes to it."""
    yield _SHARED
    if not is_study:
        from outsim.results.checkpoint import simulate

        yield inspect.getdoc(simulate) or ""
        return
    from outsim.studies.study import Study

    if usual is not None:
        yield (
            "Parameters\n---\nreplications : int or range, optional\n"
            f"    How many, or which; default: {usual}, unless a precision or a timeout decides."
        )
    yield inspect.getdoc(Study) or ""
    yield inspect.getdoc(Study.stream) or ""

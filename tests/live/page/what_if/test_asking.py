"""Questions are answered from few replications and then from more; only the newest is."""

from __future__ import annotations

import asyncio

import pytest

from outsim.live.page.narrowing import FEWEST
from outsim.live.page.what_if.asking import Asking, Found, answers
from outsim.questions.compare import compare
from outsim.studies.run_cache import RunCache

from .pages import AtOnce, Here, Never, what_if_of, write_scenarios


@pytest.fixture
def what_if(tmp_path):
    return what_if_of(write_scenarios(tmp_path)[0])


async def all_of(work, cache, scenarios, replications=8, seed=7) -> list[Found]:
    return [found async for found in answers(work, cache, scenarios, replications, seed)]


def test_the_first_answer_is_from_few_and_the_last_from_all(what_if):
    what_if.set({"platform.ports": "8"})
    pair = (what_if.base, what_if.changed)
    found = asyncio.run(all_of(Here(AtOnce()), RunCache(), pair))
    counts = [one.replications for one in found]
    assert counts[-1] == 8
    assert counts == sorted(set(counts))
    assert min(counts) >= FEWEST
    assert {one.asked for one in found} == {8}


def test_it_is_the_answer_of_compare(what_if):
    what_if.set({"platform.ports": "8"})
    pair = (what_if.base, what_if.changed)
    last = asyncio.run(all_of(Here(AtOnce()), RunCache(), pair))[-1]
    in_batch = compare(*pair, replications=8, seed=7, progress=None, engine="compiled").run()
    assert last.document.answer == in_batch.document().answer
    assert last.document.tables[0].rows == in_batch.document().tables[0].rows
    assert last.names == ("a small morning", "a small morning, ports 8")


def test_runs_of_the_base_and_of_values_looked_at_before_are_not_made_again(what_if):
    executor, cache = AtOnce(), RunCache()
    work = Here(executor)
    asyncio.run(all_of(work, cache, (what_if.base,), 5))
    for ports in ("8", "9", "8"):
        what_if.set({"platform.ports": ports})
        asyncio.run(all_of(work, cache, (what_if.base, what_if.changed), 5))
    names = ["a small morning", *(f"a small morning, ports {ports}" for ports in (8, 9))]
    assert executor.made == [(name, k) for name in names for k in range(5)]


def test_the_base_by_itself_has_a_day_and_no_answer(what_if):
    [*_, last] = asyncio.run(all_of(Here(AtOnce()), RunCache(), (what_if.base,), 5))
    assert last.document is None
    assert last.names == ("a small morning",)
    assert [len(day.columns) for day in last.days] == [2, 2, 2]


def test_a_newer_question_gives_up_an_older_one(what_if):
    async def ask() -> tuple[list[Found], Never]:
        shown: list[Found] = []
        never, whole = Never(), asyncio.Event()

        def show(found: Found) -> None:
            shown.append(found)
            if found.replications == found.asked:
                whole.set()

        work = Here(never)
        asking = Asking(work, RunCache(), show, print, pytest.fail)
        what_if.set({"platform.ports": "8"})
        asking.ask(what_if, 5)
        await never.is_asked.wait()
        work.executor = AtOnce()
        what_if.set({"platform.ports": "9"})
        asking.ask(what_if, 5)
        await whole.wait()
        return shown, never

    shown, never = asyncio.run(ask())
    assert {found.names[1] for found in shown} == {"a small morning, ports 9"}
    assert never.asked
    assert all(future.cancelled() for future in never.asked)


def test_what_fails_is_said_and_noted(what_if):
    class Broken(AtOnce):
        def submit(self, _work, /, _job):
            raise OSError("no room")

    async def ask() -> tuple[str, list[dict]]:
        noted: list[dict] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: noted.append(context))
        refused: asyncio.Future[str] = loop.create_future()
        asking = Asking(Here(Broken()), RunCache(), pytest.fail, print, refused.set_result)
        asking.ask(what_if, 5)
        return await refused, noted

    said, noted = asyncio.run(ask())
    assert "no room" in said
    assert [str(context["exception"]) for context in noted] == ["no room"]


def test_what_cant_be_compared_is_said(what_if, tmp_path):
    served = tmp_path / "served.toml"
    other = tmp_path / "later.toml"
    other.write_text(
        'extends = "served.toml"\nname = "later"\n[study]\ncampaign = "reminders"\n'
        'deadline = "09:30"\n'
    )
    unlike = what_if_of(served, other)

    async def ask() -> str:
        refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        asking = Asking(Here(AtOnce()), RunCache(), pytest.fail, print, refused.set_result)
        asking.ask(unlike, 5)
        return await refused

    assert "scenarios of different deadlines can't be compared" in asyncio.run(ask())

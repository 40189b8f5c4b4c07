"""A table that is read as it grows has what one that is read at the end has."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from outsim.clock import SECOND
from outsim.engine.records import UPDATE_TYPES, UpdateRecord
from outsim.live import Sandbox, reading
from outsim.live.followed import FollowedTable
from outsim.plots.animation import animation
from tests.engine.scenarios import campaign, scenario

STEPS = st.lists(
    st.one_of(
        st.just(("begin", 0)),
        st.tuples(st.sampled_from(["change", "settle", "read", "columns"]), st.integers(0, 5)),
    ),
    max_size=60,
)


def nothing(row: UpdateRecord) -> None:
    """Nobody is told."""


@given(STEPS)
def test_rows_are_as_they_are_whenever_they_were_read(steps):
    table = FollowedTable[UpdateRecord](UPDATE_TYPES, nothing, nothing)
    rows: list[UpdateRecord] = []
    is_open: list[UpdateRecord] = []
    kept = []
    for step, which in steps:
        if step == "begin":
            row = UpdateRecord(len(rows), 1, 2, 1000 * len(rows))
            table.begin(row)
            rows.append(row)
            is_open.append(row)
        elif step == "read":
            assert table.read_ahead(which) is (table._read_rows < len(rows))
        elif step == "columns":
            found = table.columns()
            expected = {name: [getattr(row, name) for row in rows] for name in UPDATE_TYPES}
            assert {name: column.tolist() for name, column in found.items()} == expected
            kept.append((found, expected))
        elif is_open:
            row = is_open[which % len(is_open)]
            row.visible = row.happened + which
            if step == "settle":
                is_open.remove(row)
                table.settle(row)
    for found, expected in kept:
        assert {name: column.tolist() for name, column in found.items()} == expected


def test_a_session_that_is_read_in_turns_is_the_session(monkeypatch):
    monkeypatch.setattr(reading, "ROWS_IN_A_TURN", 7)
    waiting = scenario(campaign(contacts=40), platform={"ports": 2})

    async def live() -> None:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with Sandbox(waiting) as box:
            for _ in range(3):
                await box.clock.advance_by(60 * SECOND)
                task = asyncio.create_task(others())
                await box.read_ahead()
                found = box.result()
                task.cancel()
                for name, table in box.result().tables.items():
                    assert found.tables[name].equals(table)
            assert turns > 6
            assert animation(found, step_s=1, is_live=True)["queue"]["by_tenant"][0][-1] > 0

    asyncio.run(live())

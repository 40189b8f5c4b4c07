"""What is said where an order is refused on the page: the same as over HTTP, and no traceback."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager

import pytest
from nicegui import ui
from nicegui.testing.user_simulation import user_simulation

import outsim
from outsim.live.http.server import serving
from outsim.live.inputs import FAULTS
from outsim.live.page import customer, operator, shell
from outsim.live.page.orders import in_one_line
from outsim.live.page.session import Page

SCENARIO = {
    "name": "two clinics",
    "clock": {"zone": "America/Chicago", "date": "2026-03-10", "begins": "09:00", "ends": "12:00"},
    "tenant": [{"name": "clinic"}, {"name": "school"}],
    "account": [{"tenant": "gone", "login": "gone", "pin": "1", "is_active": False}],
}


@pytest.fixture(autouse=True)
def _modules():
    """NiceGUI's simulation forgets the module of each room, and all that is above it."""
    loaded = dict(sys.modules)
    yield
    sys.modules.update(loaded)


@asynccontextmanager
async def opened(room):
    """A room of a sandbox, and a user who has opened it."""
    async with serving(outsim.load(SCENARIO)) as (served, _):
        page = Page(served.context)
        async with user_simulation(lambda: room.build(page)) as user:
            await user.open("/")
            yield user, served.context
        page.work.close()


def refused(room, pressed, expected, **filled):
    """Fill in fields, press a button, and see what is said."""

    async def session():
        async with opened(room) as (user, context):
            for label, value in filled.items():
                fields = {
                    *user.find(kind=ui.input).elements,
                    *user.find(kind=ui.select).elements,
                }
                field = next(
                    found
                    for found in fields
                    if found.props.get("label") == label.replace("_", " ")
                )
                field.value = value
            user.find(kind=ui.button, content=pressed).click()
            await user.should_see(expected)
            entries = [entry.kind for entry in context.sandbox.log]
            assert entries in ([], ["clock"])

    asyncio.run(session())


@pytest.mark.parametrize(
    ("filled", "expected"),
    [
        ({}, "campaign_name: is missing"),
        ({"campaign_name": "spring"}, "phone_number_list: is missing"),
        ({"campaign_name": "spring", "max_retry": "eleven"}, "max_retry: found 'eleven'"),
    ],
)
def test_a_list_that_is_not_taken_is_refused_where_it_is_handed_in(filled, expected):
    refused(customer, "Queue calls", expected, **filled)


def test_an_account_that_is_not_active_hands_in_nothing():
    async def session():
        async with opened(customer) as (user, context):
            (chosen,) = user.find(kind=ui.select, content="Customer").elements
            chosen.value = next(
                place for place, text in chosen.options.items() if text.startswith("gone")
            )
            user.find(kind=ui.button, content="Queue calls").click()
            await user.should_see("this account is not active")
            assert len(context.sandbox.log) == 0

    asyncio.run(session())


@pytest.mark.parametrize(
    ("pressed", "filled", "expected"),
    [
        ("Let it run", {"Times wall-clock time": "fast"}, "speed: found 'fast'"),
        ("Advance by", {"Duration": "10 parsecs"}, "by: "),
        ("Advance to", {"Local time": "noonish"}, "noonish"),
        ("Advance to", {"Local time": "2027-01-01 00:00"}, "lies outside the run"),
        ("Order it", {}, "of: is missing"),
        ("Order it", {"share": "2"}, "share: found"),
        (
            "Order it",
            {"what goes wrong (of)": "ports", "count": "9999"},
            "count: found 9,999; there are 300 ports",
        ),
        ("Give it", {"numbers": "2125551234"}, "555-0100 to 555-0199"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_where_it_is_given(pressed, filled, expected):
    refused(operator, pressed, expected, **filled)


def test_every_fault_is_explained_where_it_is_ordered():
    async def session():
        async with opened(operator) as (user, _):
            for word in FAULTS.values():
                await user.should_see(in_one_line(word.meaning))

    asyncio.run(session())


def test_a_room_that_takes_long_to_load_does_not_keep_its_frame_waiting():
    """Where modules load slowly, a browser is answered, and the room comes when it is there."""

    async def session():
        async with serving(outsim.load(SCENARIO)) as (served, _):
            page = Page(served.context)
            loaded = asyncio.Event()

            async def load(*_):
                await loaded.wait()
                return customer

            page.work.run = load
            async with user_simulation() as user:
                shell._add_room(page, "/customer", "outsim.a_module_that_is_loaded_slowly")
                await user.open("/customer")
                await user.should_see("The room is being loaded")
                loaded.set()
                await user.should_see("Queue calls")
                await user.should_not_see("The room is being loaded")
            page.work.close()

    asyncio.run(session())

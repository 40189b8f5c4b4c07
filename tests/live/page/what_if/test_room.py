"""The room in a real browser: change a value, see the difference, keep it, get it again."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from outsim.questions.compare import compare
from outsim.scenario.loading import load

from ..opening import DESK, PHONE
from .pages import write_scenarios

# As long as it takes: other tests may have all cores.
expect.set_options(timeout=60_000)


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> tuple[Path, Path]:
    return write_scenarios(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def alone(serve, served):
    with serve(served[0], "--held", "--seed", "3") as opened:
        yield opened


@pytest.fixture
def room(alone) -> Iterator[Page]:
    with alone.page("what-if") as page:
        expect(status(page)).to_have_text("From 20 replications.")
        yield page


def status(page: Page) -> Locator:
    return page.get_by_label("Answer").get_by_role("status")


def answer(page: Page) -> Locator:
    return page.get_by_label("Answer").locator(".answer")


def measures(page: Page) -> list[list[str]]:
    """Rows of the table of measures: measure, difference, base, changed."""
    rows = page.get_by_role("table", name="Measures of each scenario").locator("tbody tr")
    return [row.locator("th, td").all_inner_texts() for row in rows.all()]


def from_20(page: Page) -> None:
    expect(status(page)).to_have_text("From 20 paired replications.")


def test_nothing_is_said_before_anything_is_changed(room):
    expect(answer(room)).to_contain_text("Nothing is changed yet: move a slider")
    expect(room.get_by_role("table", name="Measures")).to_have_count(0)
    expect(room.get_by_label("Keep")).to_be_hidden()
    expect(room.get_by_role("img", name="Calls in the queue")).to_have_attribute(
        "aria-label", re.compile(r"over 20 replications\. a small morning: highest at")
    )


def test_a_start_that_is_moved_is_compared_kept_and_got_again_in_batch(room, served):
    slider = room.get_by_label("Start, slider")
    slider.focus()
    for _ in range(10):  # from 09:05 on, minute by minute
        slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "09:15")
    expect(room.get_by_label("Start", exact=True)).to_have_value("09:15")
    from_20(room)
    expect(room.locator(".compared")).to_have_text(
        "a small morning, start 09:15 compared with a small morning."
    )
    expect(answer(room)).to_contain_text("a small morning, start 09:15")
    shown = measures(room)

    keep = room.get_by_label("Keep")
    kept = served[0].with_name("served-start-09-15.toml")
    keep.get_by_role("button", name="Write beside served.toml").click()
    expect(keep.get_by_role("status")).to_have_text(f"{kept} is written.")
    assert kept.read_text() == keep.get_by_label("The file").inner_text()

    command = shlex.split(keep.get_by_label("The command").inner_text())
    ran = subprocess.run(
        [sys.executable, "-m", *command, "--json"], capture_output=True, text=True, check=True
    )
    again = compare(*map(load, command[2:4]), replications=20, seed=3, progress=None).run()
    assert json.loads(ran.stdout) == json.loads(json.dumps(again.to_dict()))
    assert answer(room).inner_text() == again.document().answer
    rows = again.document().tables[0].rows
    assert shown == [[row[0], row[-1], *row[1:-1]] for row in rows]

    keep.get_by_role("button", name="Write beside served.toml").click()
    expect(keep.get_by_role("status")).to_contain_text("is there already; give another name")


def test_the_file_can_be_downloaded(room):
    field = room.get_by_label("Ports", exact=True)
    field.fill("8")
    field.press("Enter")
    keep = room.get_by_label("Keep")
    expect(keep.get_by_label("The file")).to_contain_text("ports = 8")
    name = keep.get_by_label("File", exact=True)
    name.fill("eight.toml")
    name.press("Enter")
    expect(keep.get_by_label("The command")).to_contain_text("eight.toml")
    with room.expect_download() as coming:
        keep.get_by_role("button", name="Download").click()
    assert coming.value.suggested_filename == "eight.toml"
    text = Path(coming.value.path()).read_text()
    assert text == keep.get_by_label("The file").inner_text()


def test_a_value_that_cant_be_used_is_said_at_its_control(room):
    field = room.get_by_label("Retry interval", exact=True)
    field.fill("12 sheep")
    field.press("Enter")
    control = room.locator(".control", has=field)
    expect(control.get_by_role("alert")).to_have_text(
        "found the unit 'sheep' in '12 sheep'; allowed: us, ms, s, min, h, d"
    )
    expect(field).to_have_attribute("aria-invalid", "true")
    said = room.get_by_label("Answer").get_by_role("alert")
    expect(said).to_have_text(
        "Retry interval (campaign[clinic/reminders].retry_interval): "
        "found the unit 'sheep' in '12 sheep'; allowed: us, ms, s, min, h, d"
    )
    expect(status(room)).to_have_text(
        "Not run. The figures are those of the last valid setting: a small morning."
    )
    field.fill("12 min")
    field.press("Enter")
    expect(control.get_by_role("alert")).to_have_count(0)
    expect(field).to_have_attribute("aria-invalid", "false")
    from_20(room)


def test_values_go_back_to_the_base_one_by_one_or_all_together(room):
    ports, workers = (room.get_by_label(name, exact=True) for name in ("Ports", "Workers"))
    for field, text in ((ports, "8"), (workers, "2")):
        field.fill(text)
        field.press("Enter")
    expect(room.locator(".compared")).to_contain_text("ports 8, workers 2 compared with")
    room.get_by_role("button", name="Back to base: 6").click()
    expect(ports).to_have_value("6")
    expect(room.locator(".compared")).to_contain_text("a small morning, workers 2 compared with")
    room.get_by_role("button", name="Take all changes back").click()
    expect(workers).to_have_value("1")
    expect(answer(room)).to_contain_text("Nothing is changed yet")


def test_controls_of_all_parts_open_when_they_are_wanted(room):
    expect(room.get_by_label("Queue", exact=True)).to_have_count(0)
    room.get_by_text("More of Platform").click()
    room.get_by_label("Queue", exact=True).select_option("fair")
    expect(room.locator(".compared")).to_contain_text("a small morning, queue fair compared with")
    from_20(room)


def test_more_replications_narrow_the_same_answer(room):
    field = room.get_by_label("Ports", exact=True)
    field.fill("7")
    field.press("Enter")
    from_20(room)
    room.get_by_role("button", name="20 more replications").click()
    expect(status(room)).to_have_text("From 40 paired replications.")
    expect(room.get_by_label("The command")).to_contain_text("--replications 40 --seed 3")


def test_the_second_scenario_is_compared_with_the_first_unless_others_are_chosen(serve, served):
    with serve(*served, "--held") as opened, opened.page("what-if") as page:
        from_20(page)
        expect(answer(page)).to_contain_text("ten ports, compared with a small morning, is")
        expect(page.get_by_role("button", name="Back to base: 6")).to_be_visible()
        page.get_by_label("Base:").select_option("ten ports (second)")
        expect(answer(page)).to_contain_text("Nothing is changed yet")
        page.get_by_label("Changed:").select_option("a small morning (first)")
        expect(answer(page)).to_contain_text("a small morning, compared with ten ports, is")
        expect(page).to_have_url(re.compile(r"\?changed=first&base=second$"))
        page.reload()
        expect(answer(page)).to_contain_text("a small morning, compared with ten ports, is")


def test_changes_survive_reload_the_way_back_and_other_rooms(room):
    slider = room.get_by_label("Start, slider")
    slider.focus()
    slider.press("ArrowRight")
    room.get_by_role("button", name="Add a suspension").click()
    begins = room.get_by_label("Begins", exact=True)
    begins.fill("9:20")
    begins.press("Enter")
    expect(begins).to_have_value("09:20")
    address = re.compile(r"\?campaign\.start=09:06&suspension\[new\]\.begins=09:20$")
    expect(room).to_have_url(address)

    def is_there() -> None:
        expect(room).to_have_url(address)
        expect(room.get_by_label("Start", exact=True)).to_have_value("09:06")
        expect(room.get_by_label("Begins", exact=True)).to_have_value("09:20")
        expect(answer(room)).to_contain_text("a small morning, start 09:06, suspension 09:20")

    room.reload()
    is_there()
    room.get_by_role("link", name="Customer").click()
    expect(room.get_by_role("heading", name="Customer", level=1)).to_be_visible()
    room.go_back()
    is_there()
    room.get_by_role("link", name="Operator").click()
    expect(room.get_by_role("heading", name="Operator", level=1)).to_be_visible()
    room.get_by_role("link", name="What if").click()
    is_there()
    room.get_by_role("button", name="Take all changes back").click()
    expect(room).to_have_url(re.compile(r"/what-if$"))
    expect(room.get_by_label("Begins", exact=True)).to_have_count(0)


def test_an_address_that_is_wrong_is_told_and_the_rest_of_it_used(alone):
    with alone.page("what-if?platform.portz=8&platform.workers=2&platform.ports=many") as page:
        expect(page.get_by_label("What is compared").get_by_role("alert")).to_contain_text(
            "platform.portz: found nothing that can be changed here; did you mean 'platform.ports"
        )
        expect(page.get_by_label("Answer").get_by_role("alert")).to_have_text(
            "Ports (platform.ports): found 'many'; must be a whole number"
        )
        field = page.get_by_label("Ports", exact=True)
        expect(field).to_have_attribute("aria-invalid", "true")
        field.fill("8")
        field.press("Enter")
        from_20(page)
        expect(answer(page)).to_contain_text("a small morning, workers 2, ports 8")


def test_entries_are_changed_and_taken_out(serve, tmp_path_factory):
    place = tmp_path_factory.mktemp("suspended")
    first, _ = write_scenarios(place)
    first.write_text(f'{first.read_text()}[[suspension]]\nbegins = "09:10"\nends = "09:20"\n')
    with serve(first, "--held", "--seed", "3") as opened, opened.page("what-if") as page:
        page.get_by_text("1: suspension of everybody from 09:10").click()
        page.get_by_role("button", name="Take suspension 1 out").click()
        expect(answer(page)).to_contain_text("a small morning, without suspension 1")
        expect(page.get_by_label("The file")).to_contain_text('replaces = ["suspension"]')
        page.get_by_role("button", name="Put it back").click()
        expect(answer(page)).to_contain_text("Nothing is changed yet")


def test_what_a_change_makes_scarce_is_said(room):
    field = room.get_by_label("Ports", exact=True)
    field.fill("450")
    field.press("Enter")
    from_20(room)
    expect(room.get_by_label("In full").locator(".notice")).to_contain_text(
        "carrier.channels: 392 are left to the platform, fewer than its 450 ports"
    )
    field.fill("6")
    field.press("Enter")
    expect(room.get_by_label("In full").locator(".notice")).to_have_count(0)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_answer_stays_in_sight_while_one_changes_something(alone, size):
    with alone.page("what-if?platform.ports=8", size) as page:
        from_20(page)
        field = page.get_by_label("Workers", exact=True)
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        field.focus()
        said = page.get_by_label("Answer")
        expect(answer(page)).to_be_in_viewport(ratio=1)
        expect(said.locator(".short li").first).to_be_in_viewport(ratio=1)
        expect(field).to_be_in_viewport(ratio=1)
        bar, at = said.bounding_box(), field.bounding_box()
        assert bar["height"] < size["height"] / 3
        assert at["y"] >= bar["y"] + bar["height"]  # what is written into is not behind it


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_nothing_in_an_answer(alone, size, theme):
    with alone.page("what-if", size, theme) as page:
        expect(status(page)).to_have_text("From 20 replications.")
        page.get_by_text("More of Load of others").click()
        page.get_by_text("Calls in the queue, as a table").click()
        field = page.get_by_label("Ports", exact=True)
        field.fill("x")
        field.press("Enter")
        expect(page.get_by_role("alert").first).to_be_visible()
        assert Axe().run(page).violations_count == 0
        field.fill("8")
        field.press("Enter")
        from_20(page)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]

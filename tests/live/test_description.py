"""The description of the interface, its grades, and the page that shows it."""

from __future__ import annotations

import re

import pytest
from pydantic import BaseModel

from outsim.live.http import fields, fuse_fields
from outsim.live.http.call_logs import (
    Errors,
    ErrorsAnswer,
    Log,
    LogAnswer,
    LoggedError,
    Logs,
    LogsAnswer,
)
from outsim.live.http.fuse_logs import Blocked, LogEvent, LogLine, NotBlocked
from outsim.live.http.grades import GRADES, KEY, parts_of
from tests.browser import chromium

PLATFORMS = [
    fields.QueueCall,
    fields.QueueCalls,
    *(m for m in vars(fuse_fields).values() if isinstance(m, type) and issubclass(m, BaseModel)),
    *(Log, LogAnswer, Logs, LogsAnswer, LoggedError, Errors, ErrorsAnswer),
    *(LogLine, LogEvent, Blocked, NotBlocked),
]


@pytest.fixture(scope="session")
def description(a_server):
    return a_server.client.get("/openapi.json").json()


def test_everything_has_a_grade(description):
    grades = {place: part[KEY] for place, part in parts_of(description)}
    assert len(grades) > 100
    assert set(grades.values()) == set(GRADES)
    assert grades["POST /webservice/queuecall.php"] == "documented"
    assert grades["QueueCalls.campaign_name"] == "inferred"
    assert grades["POST /sandbox/clock/advance"] == "ours"


@pytest.mark.parametrize("model", dict.fromkeys(PLATFORMS), ids=lambda model: model.__name__)
def test_every_field_of_the_platforms_own_part_is_graded_by_hand(model):
    ungraded = [
        name
        for name, field in model.model_fields.items()
        if KEY not in (field.json_schema_extra or {})
    ]
    assert ungraded == []


def test_every_endpoint_says_what_it_is_for(description):
    for methods in description["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            assert "422" not in operation["responses"]


def test_the_page_needs_no_network(server):
    page = server.client.get("/docs")
    assert page.status_code == 200
    linked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert linked
    for url in linked:
        assert url.startswith("/")
        assert server.client.get(url).status_code == 200
    assert "http" not in re.sub(r"https?://(127\.0\.0\.1|localhost)", "", page.text)


def test_the_page_is_told_to_load_nothing_else(server):
    policy = server.client.get("/docs").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy


def test_the_page_shows_the_interface_in_a_browser(server):
    """With nothing but the sandbox to load from, under its own policy."""
    with chromium() as browser:
        page = browser.new_page()
        said, asked = [], []
        page.on("console", lambda message: said.append((message.type, message.text)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{server.url}/docs")
        page.wait_for_selector("text=Queue many calls")
    assert [text for kind, text in said if kind == "error"] == []
    assert [url for url in asked if not url.startswith((server.url, "data:", "blob:"))] == []

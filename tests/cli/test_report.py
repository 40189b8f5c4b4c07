"""`outsim report`: from a run, a study or a scenario to one page."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("what", ["small.toml", "run"])
def test_it_writes_one_page(outsim, files, what):
    if what == "run":
        outsim("run", "small.toml", "--out", "run")
    ended = outsim("report", what, "-o", "page.html", "--replications", "2")
    assert ended.code == 0, ended.err
    assert ended.out == ""
    assert "report written to page.html" in ended.err
    text = (files / "page.html").read_text()
    assert f"outsim report {what} --replications 2 --output page.html" in text


def test_a_study_needs_no_run_of_its_own(outsim, files):
    kept = ("--replications", "2", "--directory", "study")
    assert outsim("compare", "small.toml", "stopped.toml", *kept).code == 0
    assert outsim("report", "study").code == 0
    text = (files / "report.html").read_text()
    assert "Which scenario does better?" in text
    assert "outsim schedule" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("directory",), "holds neither a run"),
        (("missing",), "missing"),
        (("small.toml", "-o", "page.pdf"), "must end in .html"),
        (("small.toml", "-o", "nowhere/page.html"), "report nowhere/page.html: No such file"),
        (("nobody.toml",), "no campaign to study"),
        (("small.toml", "--campaign", "none"), "there is no such campaign in scenario"),
    ],
)
def test_what_can_not_be_reported_is_told(outsim, arguments, message):
    ended = outsim("report", *arguments)
    assert ended.code == 2
    assert message in ended.message
    assert "Traceback" not in ended.err

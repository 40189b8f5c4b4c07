"""Files in an empty directory, named as a user in that directory would name them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from outsim.errors import ScenarioError
from outsim.scenario import load

Write = Callable[[str, str], Path]
Problems = Callable[[str | Path], list[str]]

CLOCK = """\
[clock]
zone = "America/New_York"
date = 2026-03-10
begins = "08:00"
ends = "13:00"
"""
OWN = "campaign[clinic/reminders]"
CAMPAIGN = """\
[[campaign]]
name = "reminders"
tenant = "clinic"
start = "09:00"
contacts = 100
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a text file in the current directory."""
    monkeypatch.chdir(tmp_path)

    def write_file(name: str, text: str) -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


@pytest.fixture
def problems() -> Problems:
    """Lines of the message about a scenario file that can't be used."""

    def problems_of(path: str | Path) -> list[str]:
        with pytest.raises(ScenarioError) as caught:
            load(path)
        assert caught.value.problems
        return str(caught.value).splitlines()

    return problems_of

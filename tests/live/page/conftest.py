"""What tests of the page share: a real browser, and a sandbox as a process that serves one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from .opening import OTHER, SCENARIO, Opened


@pytest.fixture(scope="module")
def serve(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., AbstractContextManager[Opened]]:
    """Serves scenario files; no request of a room goes elsewhere, and nothing fails."""

    @contextmanager
    def start(*arguments: str | Path) -> Iterator[Opened]:
        command = [sys.executable, "-m", "outsim", "serve", "--port", "0", *map(str, arguments)]
        place = tmp_path_factory.mktemp("served")
        told = place / "stderr"
        with (
            told.open("w") as file,
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=file, text=True, cwd=place
            ) as process,
        ):
            try:
                assert process.stdout is not None
                opened = Opened(json.loads(process.stdout.readline())["url"], browser)
                yield opened
            finally:
                process.terminate()
        assert "Traceback" not in told.read_text(), told.read_text()
        assert process.returncode == 0
        assert opened.outside == []
        assert opened.errors == []

    return start


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small scenario with markup in its names, and another to compare it with."""
    place = tmp_path_factory.mktemp("scenarios")
    for name, text in (("scenario.toml", SCENARIO), ("other.toml", OTHER)):
        (place / name).write_text(text)
    return place / "scenario.toml", place / "other.toml"


@pytest.fixture(scope="module")
def opened(
    serve: Callable[..., AbstractContextManager[Opened]], files: tuple[Path, Path]
) -> Iterator[Opened]:
    """The page of both, with the clock held."""
    with serve(*files, "--held") as found:
        yield found

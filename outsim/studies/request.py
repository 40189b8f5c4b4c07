"""What was asked of a directory of several studies, so that it can be asked again.

A sweep keeps each of its studies in a directory of its own. ``request.json`` beside them says
which question they answer: asking it again finds every replication there and runs none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outsim.directories import FILES, REQUEST, read_checked, refuse_other_kind, with_checksum
from outsim.disk import replace_file, resolve_links, temporary_directory, translate_disk_errors
from outsim.errors import StudyError
from outsim.scenario.loading import lists_of
from outsim.scenario.model import Scenario
from outsim.studies.identity import check_version, copy_lists, identity_of, scenarios_of


def check_collection(directory: Path) -> None:
    """Refuse a place that can't hold several studies.

    Raises
    ------
    StudyError
        If a run or a study is kept there, or somebody else's link leads there.
    """
    refuse_other_kind(REQUEST, directory, StudyError)
    with translate_disk_errors(directory):
        resolve_links(directory)


@dataclass(frozen=True)
class StudyRequest:
    """A question that was asked of a directory."""

    command: str
    """Name of the command."""
    scenarios: tuple[Scenario, ...]
    seed: int
    options: Mapping[str, Any]
    """What it was asked with, by the names that the function has for it."""


def write_request(
    directory: Path,
    command: str,
    scenarios: Sequence[Scenario],
    seed: int,
    options: Mapping[str, Any],
    *,
    is_finished: bool,
) -> None:
    """Write down what is asked of a directory; the last question is kept.

    Raises
    ------
    StudyError
        If it can't be written.
    """
    asked = {"command": command, "is_finished": is_finished, "options": dict(options)}
    with translate_disk_errors(directory):
        resolve_links(directory).mkdir(parents=True, exist_ok=True)
        with temporary_directory(directory) as room:
            files = copy_lists(directory, lists_of(scenarios), room)
            document = identity_of(scenarios, seed, ()) | asked | {FILES: files}
            (room / REQUEST).write_text(with_checksum(document), encoding="utf-8")
            replace_file(room / REQUEST, directory / REQUEST)


def read_request(directory: Path) -> StudyRequest:
    """What was asked of a directory.

    Raises
    ------
    StudyError
        If nobody knows, it was never answered to the end, or by another version of the model.
    """
    path = directory / REQUEST
    try:
        found = read_checked(path)
        command, options, seed = found["command"], dict(found["options"]), int(found["seed"])
        is_finished = found["is_finished"]
        found[FILES].items()
        check_version(directory, found)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(
            f"{path}: can't be read ({error}); ask again what was asked there"
        ) from None
    if not is_finished:
        raise StudyError(
            f"{directory}: the {command} in it is not finished; run outsim {command} with --out "
            f"{directory} again to finish it (what is there is not run again), or name one of "
            "the studies in it"
        )
    return StudyRequest(command, scenarios_of(directory, found), seed, options)

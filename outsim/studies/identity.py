"""Which study a directory holds: what was run, so that nothing else is mixed into it.

``study.json`` says it twice: what the scenarios mean, which is what is compared, and the
scenarios themselves, from which they are made again. Contact lists are copied beside it. It has
checksums of all of that.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from outsim._version import __version__
from outsim.directories import (
    FILES,
    REQUEST,
    STUDY,
    OutsideError,
    checksum_of_values,
    checksums_of,
    inside,
    read_checked,
    read_file,
    refuse_other_kind,
    with_checksum,
)
from outsim.disk import (
    replace_file,
    resolve_links,
    sync,
    temporary_directory,
    translate_disk_errors,
)
from outsim.engine.records import MODEL_VERSION
from outsim.errors import ScenarioError, StudyError
from outsim.results.measures import DEFINITIONS, Measure
from outsim.scenario.contacts import ContactList
from outsim.scenario.difference import meaning
from outsim.scenario.loading import CONTACTS, lists_of, made_again, written
from outsim.scenario.model import Scenario
from outsim.studies.runs import DRAWING, NONE, VarianceReduction

REPLICATIONS = "replications"

FORMAT = 2
"""Version of how a study is laid out on disk."""

_COMPARED = ("model_version", "definitions", "seed", "names", "measures", "switches")
_SHAPE: dict[str, type] = {
    "format": int,
    "model_version": int,
    "definitions": int,
    "seed": int,
    "names": list,
    "measures": list,
    "switches": list,
    "scenarios": list,
    "written": list,
    FILES: dict,
}
_LONG = 200
"""Characters of a value from which on only its checksum is written."""
_LISTED = 8
"""Differences that a message lists."""

Identity = dict[str, Any]
"""What ``study.json`` holds."""


def identity_of(
    scenarios: Sequence[Scenario],
    seed: int,
    measures: Sequence[Measure],
    switches: VarianceReduction = NONE,
    unlike: Sequence[str] = (),
) -> Identity:
    """Which study this is, and what may be unlike in its scenarios."""
    return {
        "format": FORMAT,
        "model_version": MODEL_VERSION,
        "definitions": DEFINITIONS,
        "outsim_version": __version__,
        "seed": seed,
        "measures": [measure.name for measure in measures],
        "switches": switches.names,
        "unlike": list(unlike),
        "names": [scenario.name for scenario in scenarios],
        "scenarios": [meaning_in_study(scenario, switches.names) for scenario in scenarios],
        "written": [written(scenario) for scenario in scenarios],
    }


def meaning_in_study(scenario: Scenario, switches: Sequence[str]) -> dict[str, str]:
    """What a scenario means to a study: not its seed, but data of callees that are drawn."""
    means = {key: text for key, text in meaning(scenario).items() if key != "seed"}
    if {*DRAWING} & {*switches} and scenario.uncertainty is not None:
        for key, value in scenario.uncertainty.model_dump(mode="json").items():
            text = json.dumps(value)
            if len(text) > _LONG:
                text = f"{len(text)} characters, sha256 {sha256(text.encode()).hexdigest()[:16]}"
            means[f"uncertainty.{key}"] = text
    return means


def copies_in(directory: Path) -> dict[Path, Path]:
    """Contact lists that a directory keeps, by place in it; refused if one leads outside."""
    names = [path.relative_to(directory) for path in (directory / CONTACTS).glob("*.csv")]
    try:
        return {name: inside(directory, name) for name in names}
    except OutsideError as error:
        raise StudyError(_unusable(directory / CONTACTS, str(error))) from None


def settle(directory: Path, identity: Identity, lists: Mapping[Path, ContactList | Path]) -> None:
    """Have a directory hold this study, made if it is new; refused if it holds another."""
    with translate_disk_errors(directory):
        place = resolve_links(directory)
    refuse_other_kind(STUDY, directory, StudyError)
    if not (directory / STUDY).exists():
        if (directory / REPLICATIONS).exists() and any((directory / REPLICATIONS).iterdir()):
            raise StudyError(
                f"{directory}: has replications and no {STUDY} that says of what; restore it, or "
                "give another directory"
            )
        with translate_disk_errors(directory):
            place.mkdir(parents=True, exist_ok=True)
            with temporary_directory(directory) as room:
                beside = room / STUDY
                document = identity | {FILES: copy_lists(directory, lists, room)}
                beside.write_text(with_checksum(document), encoding="utf-8")
                sync(beside)
                _put_first(beside, directory / STUDY)
                sync(directory)
    check_same(directory, read_identity(directory), identity)


def copy_lists(directory: Path, lists: Mapping[Path, ContactList | Path], room: Path) -> Identity:
    """Copy contact lists to a directory by way of a room in it; their checksums by place."""
    for place, contacts in lists.items():
        _copy(contacts, room / place)
    checksums = checksums_of(room, map(Path.as_posix, lists))
    for place in lists:
        (directory / place).parent.mkdir(exist_ok=True)
        replace_file(room / place, directory / place)
    return checksums


def _copy(contacts: ContactList | Path, beside: Path) -> None:
    beside.parent.mkdir(exist_ok=True)
    try:
        if isinstance(contacts, Path):
            shutil.copyfile(contacts, beside)
        else:
            contacts.copy_to(beside)
    except FileNotFoundError as error:
        raise StudyError(
            f"{error.filename}: is gone, and the study keeps a copy of it; put the contact list "
            "back"
        ) from None


def _put_first(beside: Path, place: Path) -> None:
    """Put a file in its place unless another study was quicker: it then keeps the directory."""
    try:
        place.hardlink_to(beside)
    except FileExistsError:
        return
    except OSError:
        if not place.exists():
            beside.replace(place)  # a disk that has no links


def read_identity(directory: Path) -> Identity:
    """Which study a directory holds; refused if it holds none that can be read."""
    path = directory / STUDY
    try:
        identity = read_checked(path)
    except FileNotFoundError:
        raise StudyError(
            f"{directory}: holds no study (there is no {STUDY} in it); give the directory that "
            "a study was kept in with --directory"
        ) from None
    except (OSError, ValueError) as error:
        raise StudyError(_unusable(path, str(error))) from None
    if identity.get("format", 1) != FORMAT:
        raise StudyError(
            f"{directory}: is laid out in format {identity.get('format', 1)}, and this outsim has "
            f"format {FORMAT}; {_instead(identity)}"
        )
    for key, kind in _SHAPE.items():
        if not isinstance(identity.get(key), kind):
            raise StudyError(_unusable(path, f"it has no {key}"))
    scenarios, tables = identity["scenarios"], identity["written"]
    if not len(identity["names"]) == len(scenarios) == len(tables):
        raise StudyError(_unusable(path, "its scenarios are not as many as their names"))
    if not all(isinstance(table, dict) for table in (*scenarios, *tables)):
        raise StudyError(_unusable(path, "its scenarios are no tables"))
    return identity


def _instead(identity: Identity) -> str:
    """What to do with a study of another version."""
    version = identity.get("outsim_version")
    return f"use the outsim that wrote it ({version}), or run it again in another directory"


def check_version(directory: Path, identity: Identity) -> None:
    """Refuse a study that this outsim would not run, or measure, in the same way."""
    for key, ours, of in (
        ("model_version", MODEL_VERSION, "the model"),
        ("definitions", DEFINITIONS, "what its figures mean"),
    ):
        if identity[key] != ours:
            raise StudyError(
                f"{directory}: was run with version {identity[key]} of {of}, and this outsim has "
                f"version {ours}; {_instead(identity)}"
            )


def _unusable(path: Path, why: str) -> str:
    return f"{path}: can't be read ({why}); restore it, or give another directory"


def check_lists(directory: Path, identity: Identity) -> None:
    """Refuse contact lists that are not those that were copied."""
    for name in identity[FILES]:
        try:
            read_file(directory, name, identity[FILES])
        except (OSError, ValueError) as error:
            raise StudyError(_unusable(directory / name, str(error))) from None


def fingerprint(identity: Identity) -> str:
    """What tells the replications of a study from those of another one."""
    return checksum_of_values([identity[key] for key in (*_COMPARED, "scenarios")])


def check_same(directory: Path, stored: Identity, request: Identity) -> None:
    """Refuse a directory that holds another study than the one asked for, and say what differs."""
    differences = [f"\n  {difference}" for difference in _differences(stored, request)]
    if differences:
        more = [f"\n  and {len(differences) - _LISTED} more"] if differences[_LISTED:] else []
        raise StudyError(
            f"{directory}: holds another study:{''.join([*differences[:_LISTED], *more])}\n"
            "give another directory, or ask for what is in this one"
        )


def _differences(stored: Identity, request: Identity) -> Iterator[str]:
    for key in _COMPARED:
        if stored[key] != request[key]:
            yield f"{key}: {_shown(stored[key])}, and not {_shown(request[key])}"
    pairs = zip(request["names"], stored["scenarios"], request["scenarios"], strict=False)
    for name, left, right in pairs:
        for key in dict.fromkeys((*left, *right)):
            there, here = left.get(key, "not there"), right.get(key, "not there")
            # A part that is not there is listed once, and not key by key.
            inside = any(key.startswith(f"{part}.") for part in set(left) ^ set(right))
            if there != here and not inside:
                yield f"{name}: {key}: {there}, and not {here}"


def _shown(value: Any) -> str:
    return (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)


def scenarios_of(directory: Path, identity: Identity) -> tuple[Scenario, ...]:
    """Make the scenarios of a study on disk again; refused if they come out as others."""
    check_lists(directory, identity)
    scenarios = []
    for name, tables, means in zip(
        identity["names"], identity["written"], identity["scenarios"], strict=True
    ):
        try:
            scenarios.append(made_again(tables, means, directory, identity.get("outsim_version")))
        except ScenarioError as error:
            raise StudyError(f"{directory / STUDY}: scenario {name!r}: {error}") from None
    return tuple(scenarios)


def check_collection(directory: Path) -> None:
    """Refuse a place that can't hold several studies."""
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
    """Write down what is asked of a directory, instead of what was asked before."""
    asked = {"command": command, "is_finished": is_finished, "options": dict(options)}
    with translate_disk_errors(directory):
        resolve_links(directory).mkdir(parents=True, exist_ok=True)
        with temporary_directory(directory) as room:
            files = copy_lists(directory, lists_of(scenarios), room)
            document = identity_of(scenarios, seed, ()) | asked | {FILES: files}
            (room / REQUEST).write_text(with_checksum(document), encoding="utf-8")
            replace_file(room / REQUEST, directory / REQUEST)


def read_request(directory: Path) -> StudyRequest:
    """What was asked of a directory; refused if it was never answered to the end."""
    path = directory / REQUEST
    try:
        document = read_checked(path)
        command, options = document["command"], dict(document["options"])
        is_finished, seed = document["is_finished"], int(document["seed"])
        document[FILES].items()
        check_version(directory, document)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(
            f"{path}: can't be read ({error}); ask again what was asked there"
        ) from None
    if not is_finished:
        raise StudyError(
            f"{directory}: the {command} in it is not finished; run outsim {command} with "
            f"--directory {directory} again to finish it (what is there is not run again), or "
            "name one of the studies in it"
        )
    return StudyRequest(command, scenarios_of(directory, document), seed, options)

"""Scenarios from files, texts and tables, with a snapshot, and as they are kept beside runs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from outsim.directories import OutsideError, inside
from outsim.errors import Problem, ScenarioError
from outsim.scenario.checking import checked
from outsim.scenario.contacts import ContactList
from outsim.scenario.difference import meaning
from outsim.scenario.files import check_kind, refusal
from outsim.scenario.keys import dotted, entry_names
from outsim.scenario.model import Scenario
from outsim.scenario.snapshot import Snapshot, snapshot_problems
from outsim.scenario.source import Source, Written, mapping_source, read_source, text_source
from outsim.units import shown

_KEY_AND_VALUE = re.compile(r"""\s*[\w"'][\w."' -]*=""")


def load(
    source: str | Path | Mapping[str, Any], *, directory: str | Path | None = None
) -> Scenario:
    r"""Make a scenario of a TOML file, a TOML text, or tables like those of a file.

    Parameters
    ----------
    source : path, str or mapping
        The path of a file; or a text of several lines, or of one such as
        ``'extends = "morning.toml"'``; or what such a text would hold. In a mapping the
        `contacts` of a campaign may be a DataFrame with the columns of a contact list.
    directory : path, optional
        Where the path of a file, and paths in a text or a mapping, begin; default: the current
        directory. Paths in a file begin where the file is.

    Returns
    -------
    Scenario
        Frozen, with every value checked.

    Raises
    ------
    ScenarioError
        If a file can't be read, or for everything in it that can't be used.

    Examples
    --------
    >>> import outsim
    >>> scenario = outsim.load("scenarios/quarter-past.toml")
    >>> f"{scenario.campaign_under_study.start:%H:%M %Z}"
    '09:15 EDT'
    >>> later = outsim.load('extends = "quarter-past.toml"\nname = "later"', directory="scenarios")
    >>> later.name
    'later'
    """
    place = Path(directory or "")
    if isinstance(source, Mapping):
        return Scenario.from_source(mapping_source(source, place, "mapping"))
    if isinstance(source, str) and ("\n" in source or _is_toml(source)):
        return Scenario.from_source(text_source(source, place, "text"))
    scenario = Scenario.from_source(read_source(place / source))
    scenario._path = place / source
    return scenario


def _is_toml(line: str) -> bool:
    """Whether a line is no path of a file, but a key and its value."""
    return not line.endswith(".toml") and _KEY_AND_VALUE.match(line) is not None


SIZE_LIMIT = 64 * 1024 * 1024
"""Largest snapshot file, in bytes."""
DIGITS = 18
"""Digits of a whole number at most."""


def with_snapshot(
    scenario: Scenario, snapshot: str | Path | Mapping[str, Any] | Snapshot
) -> Scenario:
    """The scenario, beginning at the moment of a snapshot with the queue as it stands."""
    file = str(snapshot) if isinstance(snapshot, str | Path) else "snapshot"
    document = _document(Path(snapshot)) if isinstance(snapshot, str | Path) else snapshot
    if not isinstance(document, Snapshot | Mapping):
        message = f'found {shown(document)}; write a table such as {{"at": "09:20", ...}}'
        raise refusal(file, message)
    source = Source(dict(document) if isinstance(document, Mapping) else {}, {}, file)
    if isinstance(document, Mapping):
        context = {"zone": scenario.clock.zone_info, "date": scenario.clock.date}
        document = checked(Snapshot, source, context, names=lambda _: iter(()))
    called = [campaign.full_name for campaign in document.campaign]
    problems = [
        Problem(file, None, dotted(place, {("campaign",): called}), message)
        for place, message in snapshot_problems(scenario, document)
    ]
    if problems:
        raise ScenarioError(problems)
    changed = scenario.model_copy(update={"snapshot": document})
    changed._path = scenario.path
    return changed


def _document(path: Path) -> Any:
    check_kind(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise refusal(path, f"can't be read: {error.strerror}") from None
    if len(content) > SIZE_LIMIT:
        raise refusal(path, "found more than 64 MiB, the limit for a snapshot")
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_table,
            parse_int=_whole,
            parse_constant=_no_number,
        )
    except UnicodeDecodeError:
        raise refusal(path, "is no UTF-8 text; give a JSON document") from None
    except json.JSONDecodeError as error:
        raise refusal(path, f"is not valid JSON: {error.msg}", error.lineno) from None
    except RecursionError:
        raise refusal(path, "lists or tables are nested too deeply") from None
    except ValueError as error:
        raise refusal(path, str(error)) from None


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"found the key {shown(twice)} twice in one table; give each once")
    return table


def _whole(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(f"found a number of {len(digits)} digits; write {DIGITS} at most")
    return int(digits)


def _no_number(word: str) -> Any:
    raise ValueError(f"found {word}, which is not a number")


CONTACTS = "contacts"


def written(scenario: Scenario) -> dict[str, Any]:
    """A scenario's tables as a file would hold them, its contact lists by their copies."""
    tables: dict[str, Any] = json.loads(scenario.model_dump_json(exclude_unset=True))
    for campaign, table in zip(scenario.campaign, tables.get("campaign", []), strict=True):
        if campaign.contact_list is not None:
            table["contact_list"] = str(_copy_of(campaign.contact_list))
    return tables


def places_written(scenario: Scenario) -> list[list[Any]]:
    """Which file holds each value: key path and name of the file, for `made_again`."""
    return [[[*key], Path(file).name] for key, file in scenario.written.files.items()]


def _copy_of(contacts: ContactList) -> Path:
    return Path(CONTACTS, f"{contacts.digest[:16]}.csv")


def lists_of(scenarios: Sequence[Scenario]) -> dict[Path, ContactList]:
    """Contact lists of some scenarios, by their places in the directory."""
    return {
        _copy_of(campaign.contact_list): campaign.contact_list
        for scenario in scenarios
        for campaign in scenario.campaign
        if campaign.contact_list is not None
    }


def _check_inside(tables: Mapping[str, Any], directory: Path) -> None:
    """Refuse tables that name files other than the copies in their directory."""
    if "extends" in tables:
        raise ScenarioError(
            f"extends: found {shown(tables['extends'])}; what is kept extends no file. Load the "
            "scenario from its own file, and run it again"
        )
    campaigns = tables.get("campaign")
    for i, campaign in enumerate(campaigns if isinstance(campaigns, list) else ()):
        named = campaign.get("contact_list") if isinstance(campaign, Mapping) else None
        if not isinstance(named, str) or named in ("", "none"):
            continue
        try:
            place = inside(directory / CONTACTS, Path(named).name)
            if Path(named) != Path(CONTACTS, place.name):
                raise OutsideError(f"it is none of the copies in {directory / CONTACTS}")
        except OutsideError as error:
            key = dotted(("campaign", i, "contact_list"), entry_names(tables))
            raise ScenarioError(f"{key}: found {shown(named)}: {error}") from None


def made_again(
    tables: Mapping[str, Any],
    means: Mapping[str, str],
    directory: Path,
    version: object,
    places: Iterable[Sequence[Any]] = (),
) -> Scenario:
    """Scenario of what `written` gave."""
    _check_inside(tables, directory)
    scenario = load(tables, directory=directory)
    now = meaning(scenario)
    for key in now:
        if key != "seed" and means.get(key) != now[key]:
            raise ScenarioError(
                f"{key} was {means.get(key)}, and is {now[key]} now; restore the files in "
                f"{directory}, or use the version of outsim that wrote it ({version})"
            )
    if places:
        scenario._written = Written({tuple(key): file for key, file in places})
    return scenario

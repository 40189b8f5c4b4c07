"""Scenarios from files, from tables and from texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from outsim.scenario.model import Scenario
from outsim.scenario.source import mapping_source, read_source, text_source

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

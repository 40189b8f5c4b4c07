"""Scenarios from files, from tables and from texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from outsim.scenario.model import Scenario
from outsim.scenario.source import mapping_source, read_source


def load(path: str | Path) -> Scenario:
    """Read a scenario from a TOML file and the files that it extends.

    Parameters
    ----------
    path : path
        The file; what it extends is found from there.

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
    """
    scenario = Scenario.from_source(read_source(Path(path)))
    scenario._path = Path(path)
    return scenario


def from_mapping(mapping: Mapping[str, Any], directory: str | Path | None = None) -> Scenario:
    """Make a scenario from tables like those of a scenario file.

    Parameters
    ----------
    mapping : mapping
        What a TOML file would hold.
    directory : path, optional
        Where paths in it begin; default: the current directory.

    Raises
    ------
    ScenarioError
        For everything in it that can't be used.
    """
    return Scenario.from_source(mapping_source(mapping, Path(directory or ""), "mapping"))

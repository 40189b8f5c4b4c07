"""Every number that a scenario uses, with where it comes from and how good that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from outsim.display import table_html
from outsim.scenario.defaults import DEFAULTS, GRADES, defaults_in_use
from outsim.scenario.difference import NONE, shown_values
from outsim.scenario.factors import Assumed, Factor, assumed, read_range
from outsim.scenario.keys import keys_of, parts
from outsim.scenario.model import ALTERED, Scenario
from outsim.scenario.sources import SourceOf
from outsim.text import bounded, plain

if TYPE_CHECKING:
    import pandas as pd

AUTHOR = "author"
"""Grade of what a scenario says by itself, with no source."""

DEFAULT = "default"
"""Where a value comes from that a scenario leaves out."""

SCENARIO = "scenario"
"""Where a value comes from that no file holds."""


@dataclass(frozen=True)
class Parameter:
    """One number, or word, that a scenario uses."""

    key: str
    """Key as people write it; of a default, the key that every silent campaign has."""
    value: str
    """With its unit, as people read it."""
    written_in: str
    """File that holds it, ``default``, or ``scenario`` where no file does."""
    grade: str
    """measured, vendor, standard, assumption, calibrated; or author, set without a source."""
    source: str
    """Where it comes from, in one line; empty where nobody says."""
    range: str = ""
    """Values that are plausible too; empty where none are given."""
    range_source: str = ""
    """Where these come from; or why there are none."""


@dataclass(frozen=True, eq=False)
class ParameterTable:
    """Every number that a scenario uses: what its files set, and each default they leave."""

    scenario: Scenario
    entries: tuple[Parameter, ...]
    factors: tuple[Factor, ...]
    """What can be moved through a plausible range, in the order of the entries."""

    @cached_property
    def by_grade(self) -> dict[str, int]:
        """How many entries there are of each grade, as far as there are any."""
        grades = [*GRADES.values(), "calibrated", AUTHOR]
        counts = {grade: sum(entry.grade == grade for entry in self.entries) for grade in grades}
        return {grade: count for grade, count in counts.items() if count}

    def table(self) -> pd.DataFrame:
        """One row an entry, indexed by key: value, written_in, grade, source, range (texts)."""
        import pandas as pd

        return pd.DataFrame([vars(entry) for entry in self.entries]).set_index("key")

    def to_dict(self) -> list[dict[str, str]]:
        """The entries for machines, in their order."""
        entries: list[dict[str, str]] = plain([vars(entry) for entry in self.entries])
        return entries

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        grades = ", ".join(f"{count} {grade}" for grade, count in self.by_grade.items())
        return bounded(f"ParameterTable({self.scenario.name}: {len(self)} numbers; {grades})")

    def _repr_html_(self) -> str:
        return table_html(self.table())


def assumptions(scenario: Scenario) -> ParameterTable:
    """Every number that a scenario uses, with its source, grade and plausible range.

    What its files set comes first, then each default that some part of it leaves as it is. A
    number that is set is graded by `Scenario.sources`, and without an entry there it is the
    author's. Ranges are those of the sources; of a default without one, from half to double.

    Parameters
    ----------
    scenario : Scenario
        What `outsim.load` gives.

    Returns
    -------
    ParameterTable

    Raises
    ------
    ScenarioError
        If a range in `Scenario.sources` can't be read, or used.

    Examples
    --------
    >>> import outsim
    >>> numbers = outsim.assumptions(outsim.load("scenarios/top-of-hour.toml"))
    >>> numbers.table().loc["platform.ring_timeout", ["value", "written_in", "grade"]].tolist()
    ['30 s', 'morning.toml', 'author']
    """
    swept = assumed(scenario, grades=GRADES)
    stated = _stated_ranges(scenario)
    entries = [*_set(scenario, stated), *_defaults(scenario, swept)]
    return ParameterTable(scenario, tuple(entries), (*stated.values(), *swept.factors))


def _stated_ranges(scenario: Scenario) -> dict[str, Factor]:
    """Ranges that come with the sources of a scenario, by key."""
    return {
        key: Factor(read_range(f"{key}={entry.range}", scenario), source=entry.source)
        for key, entry in scenario.sources.items()
        if entry.range is not None
    }


def _set(scenario: Scenario, stated: Mapping[str, Factor]) -> Iterator[Parameter]:
    values = shown_values(scenario) | _contact_lists(scenario)
    for key, path in _keys_set(scenario):
        files = scenario.written.files_of(*path)
        names = sorted({Path(file).name for file in files if file != ALTERED})
        source = _source(scenario, key, files)
        factors = [entry for name, entry in stated.items() if name == key or _is_below(name, key)]
        yield Parameter(
            key,
            values.get(key, NONE),
            ", ".join(names) or SCENARIO,
            AUTHOR if source is None else source.grade,
            "" if source is None else source.source,
            "; ".join(_range(key, factor) for factor in factors),
            "; ".join(dict.fromkeys(factor.source for factor in factors)),
        )


def _contact_lists(scenario: Scenario) -> dict[str, str]:
    """Contact lists by what is in them: a result keeps a copy of each under another name."""
    return {
        f"campaign[{campaign.full_name}].contact_list": (
            f"{len(campaign.contact_list):,} rows, sha256 {campaign.contact_list.digest[:16]}"
        )
        for campaign in scenario.campaign
        if campaign.contact_list is not None
    }


def _range(key: str, factor: Factor) -> str:
    """A range, with the parameter of a distribution that it is about."""
    inner = factor.name.removeprefix(key).lstrip(".")
    return f"{inner} {factor.ends}" if inner else factor.ends


def _keys_set(scenario: Scenario) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """What is set, as people write its key and as a path."""
    if "seed" in scenario.model_fields_set:
        yield "seed", ("seed",)
    for part in parts(scenario):
        if part.path[0] == "profiles":
            yield part.key, part.path
            continue
        for key, path, _, is_set in keys_of(part):
            if is_set and path[-1] not in ("name", "tenant") and key != "study.campaign":
                yield key, path


def _source(scenario: Scenario, key: str, files: set[str]) -> SourceOf | None:
    """The source that stands nearest to a key, if it was written in the same file."""
    covering = [name for name in scenario.sources if name == key or _is_below(key, name)]
    for name in sorted(covering, key=len, reverse=True):
        if files == scenario.written.files_of("sources", name):
            return scenario.sources[name]
    return None


def _is_below(key: str, other: str) -> bool:
    return key.startswith((f"{other}.", f"{other}["))


def _defaults(scenario: Scenario, swept: Assumed) -> Iterator[Parameter]:
    factors = {_without_parameter(factor.name): factor for factor in swept.factors}
    reasons = dict(swept.left_out)
    values = shown_values(scenario)
    for name, keys in defaults_in_use(scenario).items():
        default, factor = DEFAULTS[name], factors.get(name)
        yield Parameter(
            name,
            values[keys[0]],
            DEFAULT,
            GRADES[default.grade],
            default.source,
            "" if factor is None else _range(name, factor),
            reasons.get(name, "") if factor is None else factor.source,
        )


def _without_parameter(name: str) -> str:
    """Key of a default, of which a factor may move one parameter."""
    return ".".join(name.split(".")[:2])

"""What items of STRESS-DES are told by; see `outsim.questions.describe`."""

from __future__ import annotations

from dataclasses import dataclass

from outsim.engine.rules import RULES, Rule
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.scenario.provenance import ParameterTable


@dataclass(frozen=True)
class Subject:
    """What is described."""

    scenario: Scenario
    others: tuple[Scenario, ...]
    ledger: ParameterTable


@dataclass(frozen=True)
class Table:
    """A table of text in an item."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Told:
    """What is told of an item."""

    paragraphs: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    diagram: str = ""
    table: Table | None = None


def said_of(subject: Subject, key: str, what: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the author says under a key of [about]; or the gap that is left without it."""
    about = subject.scenario.about
    text = getattr(about, key) if about is not None else None
    if text is not None:
        return (text,), ()
    return (), (f"only the author can say {what}; write it under [about] as {key}.",)


def rules_told(*numbers: int) -> tuple[str, ...]:
    """Rules of the model in full."""
    return tuple(rule_told(RULES[number - 1]) for number in numbers)


def referred(*numbers: int) -> str:
    """Sentence that refers to rules told before."""
    named = "; ".join(f"{RULES[number - 1].name} (rule {number})" for number in numbers)
    return f"As told in 2.2: {named}."


def rule_told(rule: Rule) -> str:
    """One rule in full."""
    return f"Rule {rule.number}, {rule.name}: {rule.text}"


def called(campaign: Campaign) -> str:
    """Name a campaign as commands take it."""
    return f"{campaign.tenant}/{campaign.name}"


def value_of(subject: Subject, key: str) -> str:
    """Value of a key, as the ledger tells it."""
    return next(each.value for each in subject.ledger if each.key == key)


# 1 Objectives

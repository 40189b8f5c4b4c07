"""Sections of a report: the documents of its questions, arranged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from outsim._version import __version__
from outsim.document import Answer, Document, Table
from outsim.engine.records import MODEL_VERSION
from outsim.present.context import ReportContext
from outsim.questions import eta, schedule, stop, sweep_answers
from outsim.questions.compare import Comparison
from outsim.questions.describe import describe
from outsim.questions.effects import TITLE as ASSUMPTIONS
from outsim.questions.effects import Assumptions
from outsim.questions.explain import Explanation
from outsim.questions.failed import Failures
from outsim.questions.status import CampaignStatus, furthest_behind
from outsim.scenario.provenance import assumptions


def sections(context: ReportContext, command: str) -> Iterator[Document]:
    """The answers, and what they rest on."""
    if context.comparison is not None:
        yield replace(Comparison.of(context.comparison).document(), id="comparison")
    if context.sweep is not None:
        yield replace(context.sweep.document(), id="sensitivity")
    yield from _questions(context)
    yield _unlisted(Assumptions(assumptions(context.scenario)).document())
    if context.sweep is None:
        yield Document(
            id="sensitivity",
            title=sweep_answers.TITLE,
            asked=sweep_answers.NOT_SWEPT,
            command=context.asking("sweep", "--assumptions", names_campaign=False),
        )
    yield _checklist(context)
    yield _reproduction(context, command)


def _questions(context: ReportContext) -> Iterator[Document]:
    """The five questions, and where the wait went."""
    result, campaign, means = context.result, context.campaign, context.means
    yield _over_replications(context, "schedule", schedule.TITLE, context.schedule)
    out = _over_replications(context, "eta", eta.TITLE, context.forecast, eta.mean_document(means))
    waits = [eta.waits_picture(result, campaign)] if out.tables else []
    yield replace(out, pictures=[*out.pictures, *waits])
    seen = CampaignStatus(result, campaign, furthest_behind(result, campaign)).document(means)
    in_full = "" if means.get("status_lag_p90_s") else context.asking("status", "--at 09:30")
    yield replace(seen, command=in_full)
    failed = Failures(result, campaign).document(means)
    in_full = "" if means.get("completed_share") else context.asking("failed")
    yield replace(failed, command=in_full)
    stopped = _over_replications(
        context, "stop", stop.TITLE, context.race, stop.mean_document(means)
    )
    yield replace(stopped, more=[*stop.standing_at_stop(result, campaign), *stopped.more])
    explained = Explanation(result, campaign).document()
    yield replace(explained, command=context.asking("explain"))


def _over_replications(
    context: ReportContext,
    name: str,
    title: str,
    answer: Answer | None,
    known: Document | None = None,
) -> Document:
    """The answer to a question; or what is known of it, or why nothing is."""
    if answer is not None:
        return answer.document()
    if known is not None:
        return replace(known, command=context.asking(name))
    return context.unanswered(name, title)


def _unlisted(document: Document) -> Document:
    """A document that is no answer to a question: it is not listed among the short answers."""
    return replace(document, answer="", asked=document.answer)


_ELSEWHERE = ("item-3-3", "item-3-4")
"""Items whose tables are those of the numbers that the answers rest on."""


def _checklist(context: ReportContext) -> Document:
    """All 20 items of STRESS-DES, with what only the author can say left as named gaps."""
    compared = context.comparison
    scenarios = compared.scenarios if compared is not None else (context.scenario,)
    described = describe(*scenarios).run().document()
    parts = [
        replace(section, parts=[_without_table(item) for item in section.parts])
        for section in described.parts
    ]
    return replace(_unlisted(described), id="stress-des", parts=parts)


def _without_table(item: Document) -> Document:
    if item.id not in _ELSEWHERE:
        return item
    return replace(item, tables=[], texts=[*item.texts, f'See "{ASSUMPTIONS}"'])


def _reproduction(context: ReportContext, command: str) -> Document:
    """Version, seed and the command that gives this report again."""
    result, scenario = context.result, context.scenario
    facts = [
        ["outsim", __version__],
        ["model version", str(MODEL_VERSION)],
        ["seed", str(context.seed)],
        ["engine of the one run", f"{result.engine} (the engine changes no number)"],
        ["scenario", scenario.name],
        ["run", f"{result.period} {scenario.clock.zone}"],
        ["made from", context.made_of],
    ]
    return Document(
        id="again",
        title="Making this report again",
        asked="The same version, seed and scenario give the same numbers on any machine.",
        tables=[Table("Version and seed", ["", "value"], facts, is_text=True)],
        code=(
            ("Command", command),
            (f"The scenario, as it was run ({context.file})", _toml(context)),
        ),
    )


def _toml(context: ReportContext) -> str:
    """The scenario as a file that can be run again; a contact list is named and not in it."""
    import tomlkit

    said: dict[str, Any] = json.loads(context.scenario.model_dump_json(exclude_unset=True))
    return tomlkit.dumps(_written(said)).strip()


def _written(value: Any) -> Any:
    """Without what is not there: a TOML file has no word for it."""
    if isinstance(value, dict):
        return {key: _written(part) for key, part in value.items() if part is not None}
    return [*map(_written, value)] if isinstance(value, list) else value

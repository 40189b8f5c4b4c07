"""The section of a sweep: which assumption matters, and which one turns an answer round."""

from __future__ import annotations

from outsim.document import Document, Picture, Table
from outsim.present.context import ReportContext
from outsim.questions import sweep_texts
from outsim.questions.sweep_answers import Sweep

TITLE = "Which assumption matters most?"


def sensitivity(context: ReportContext) -> Document:
    """Which assumption matters: told where a sweep was made."""
    found = context.sweep
    if found is None:
        return Document(
            id="sensitivity",
            title=TITLE,
            asked=(
                "Not looked at here: a sweep varies every assumption through its range, and "
                "tells which one would turn an answer round."
            ),
            command=context.asking("sweep", "--assumptions", names_campaign=False),
        )
    names = " against ".join(scenario.name for scenario in found.scenarios)
    ranges = [[each.name, each.ends, each.source] for each in found.factors]
    more, pictures, tables = [], [], []
    answer = ""
    if found.base is not None:
        differ, better = sweep_texts.base_texts(found)
        answer = f"{differ} {better}"
        more = _flips(found)
        tables.append(
            Table(
                "What would turn the answer round",
                sweep_texts.FLIP_COLUMNS,
                sweep_texts.flip_rows(found),
                is_text=True,
            )
        )
        if found.flips:
            pictures.append(_flip_picture(found))
    if found.design is not None and found.sensitivities:
        matters = sweep_texts.matters_rows(found)
        chosen = found.sensitivities.get(found.measure.name)
        label = sweep_texts.label(found, found.measure)
        if chosen is not None and chosen.ranked and not answer:
            clear = "" if chosen.is_clear else ", though not clearly"
            answer = f"{chosen.ranked[0]} matters most for what is {label}{clear}."
            if chosen.indices:
                first = sweep_texts.index_rows(found, chosen)[0]
                told = f"{sweep_texts.index_columns(chosen)[1]} {first[1]}"
                answer = f"{answer[:-1]}: {told}."
        if chosen is not None and chosen.indices:
            columns = sweep_texts.index_columns(chosen)
            rows = sweep_texts.index_rows(found, chosen)
            tables.append(Table(f"How much each one matters: {label}", columns, rows))
            told = "; ".join(f"{row[0]}: {row[1]}" for row in rows)
            pictures.append(
                Picture(
                    "sensitivity",
                    found,
                    alt=f"A bar for each assumption, with its interval. {columns[1]}: {told}.",
                    caption=f"How much each assumption matters: {label}",
                    rows=max(4, len(rows)),
                )
            )
        tables.append(
            Table("What matters most, by figure", sweep_texts.matters_columns(found), matters)
        )
    tables.append(
        Table("What was varied", ["varied", "range", "where it comes from"], ranges, is_text=True)
    )
    return Document(
        id="sensitivity",
        title=TITLE,
        asked=(
            f"{names}: {len(found.factors)} varied, {found.replications} paired replications at "
            f"each point, seed {found.seed}."
        ),
        answer=" ".join([*found.unlike_texts, answer]) if answer else "",
        more=more,
        pictures=pictures,
        tables=tables,
        notes=[f"Not varied: {key}: {why}" for key, why in found.left_out],
    )


def _flips(found: Sweep) -> list[str]:
    texts = [
        sweep_texts.crossing_text(found, flip, crossing)
        for flip in found.flips
        for crossing in flip.crossings
    ]
    if "flips" not in {flip.verdict for flip in found.flips}:
        texts.append("No assumption was found to turn the answer round within its range.")
    return texts


def _flip_picture(found: Sweep) -> Picture:
    first = found.flips[0]
    values = "; ".join(
        f"{rung.text}: " + sweep_texts.written(found, rung.difference, found.measure, signed=True)
        for rung in first.rungs
    )
    return Picture(
        "crossover",
        found,
        alt=f"The difference over {first.name}, with intervals. {values}.",
        caption=f"The difference over {first.name}",
        rows=7,
    )

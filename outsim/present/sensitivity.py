"""The section of a sweep: which assumption matters, and which one turns an answer round."""

from __future__ import annotations

from dataclasses import replace

from outsim.document import Document
from outsim.present.context import ReportContext
from outsim.questions.sweep_answers import TITLE


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
    return replace(found.document(), id="sensitivity")

"""The JSON Schema of scenario files and of snapshots, for editors and forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from outsim.document import Answer, Document
from outsim.questions.question import Question, asks
from outsim.scenario.schema import json_schema
from outsim.scenario.snapshot import json_schema as snapshot_schema


@dataclass(frozen=True, eq=False, repr=False)
class Schema(Answer):
    """A JSON Schema."""

    schema: dict[str, Any]

    def document(self) -> Document:
        """The keys at the top of it."""
        keys = self.schema["properties"]
        return Document(
            id="schema",
            title="What may stand in a file?",
            answer=f"{self.schema.get('title', 'Schema')}: keys {', '.join(keys)}.",
        )

    def to_dict(self) -> dict[str, Any]:
        """The schema itself."""
        return self.schema


@asks()
def schema(*, snapshot: bool = False) -> Question[Schema]:
    """Give the JSON Schema of scenario files, for editors that complete and check them.

    Parameters
    ----------
    snapshot : bool
        Give that of a snapshot of a live queue (JSON) instead.

    Returns
    -------
    Question
        Its answer has the schema as `Schema.schema`.
    """
    return Question("schema", lambda _: Schema(snapshot_schema() if snapshot else json_schema()))

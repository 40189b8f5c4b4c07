"""Parts of a study, joined into one directory, and what each brought."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outsim.document import Answer, Document, Table
from outsim.questions.question import Question, asks
from outsim.studies.storage import DirectoryStorage, Joined
from outsim.studies.storage import merge as merge_parts
from outsim.text import plain


@dataclass(frozen=True, eq=False, repr=False)
class Merged(Answer):
    """A directory in which parts of one study are joined."""

    directory: Path
    replications: tuple[int, ...]
    """Those that are in it."""
    parts: tuple[Joined, ...]

    def document(self) -> Document:
        """Which replications came from where."""
        return Document(
            id="merge",
            title="Which replications came from where?",
            answer=(
                f"{self.directory} has {len(self.replications)} replications: "
                f"{_spans(self.replications)}"
            ),
            tables=[
                Table(
                    "",
                    ["part", "taken", "there already"],
                    [
                        [str(part.directory), _spans(part.taken), _spans(part.there)]
                        for part in self.parts
                    ],
                )
            ],
        )

    def to_dict(self) -> dict[str, Any]:
        """The same for machines."""
        return plain(
            {
                "directory": str(self.directory),
                "replications": self.replications,
                "parts": [
                    {"directory": str(part.directory), "taken": part.taken, "there": part.there}
                    for part in self.parts
                ],
            }
        )


@asks()
def merge(out: str | Path, parts: Sequence[str | Path]) -> Question[Merged]:
    """Join parts of one study, each made with a range of replications, into a directory.

    Parameters
    ----------
    out : path
        Directory to join them in, which is made or added to.
    parts : sequence of path
        Directories of studies; nothing in them changes.

    Raises
    ------
    StudyError
        When it is run: if a part holds no study or another one, with what differs; if two have a
        replication with different results; if something can't be read or written.
    """

    def work(_: Any) -> Merged:
        joined = merge_parts(out, parts)
        return Merged(Path(out), tuple(DirectoryStorage.at(out).indexes()), tuple(joined))

    return Question("merge", work)


def _spans(indexes: Iterable[int]) -> str:
    """Replications as ``--replications`` takes them: ``0:20, 30:50``."""
    return ", ".join(f"{span.start}:{span.stop}" for span in _runs(sorted(indexes))) or "none"


def _runs(indexes: list[int]) -> Iterator[range]:
    begin = None
    for place, index in enumerate(indexes):
        begin = index if begin is None else begin
        if place + 1 == len(indexes) or indexes[place + 1] != index + 1:
            yield range(begin, index + 1)
            begin = None

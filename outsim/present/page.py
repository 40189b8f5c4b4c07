"""The page: sections put into the template, as one file that needs no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from outsim.disk import atomic_write, check_writable, reason
from outsim.document import Document, Picture
from outsim.document.html import environment
from outsim.errors import OutsimError
from outsim.present.pictures import data_uri
from outsim.progress import Progress, unseen

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Page:
    """A whole report."""

    title: str
    about: Sequence[tuple[str, str]]
    """What it is about, fact by fact."""
    notices: Sequence[str]
    """What a reader must know before the rest, such as that a study is not finished."""
    sections: Sequence[Document]

    @property
    def short(self) -> list[Document]:
        """Sections with an answer, for the list at the top."""
        return [each for each in self.sections if each.answer]


def html(page: Page, progress: Progress = unseen) -> str:
    """Page as HTML.

    Parameters
    ----------
    page : Page
        What is in it.
    progress : callable
        Told (pictures drawn, pictures in all).
    """
    total, done = sum(_pictures(each) for each in page.sections), 0

    def drawn(picture: Picture) -> str:
        nonlocal done
        made = data_uri(picture)
        done += 1
        progress(done, total)
        return made

    template = environment(_HERE).get_template("page.html")
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    return template.render(page=page, drawn=drawn, style=style)


def _pictures(section: Document) -> int:
    return len(section.pictures) + sum(_pictures(each) for each in section.parts)


def check_file(path: str | Path) -> Path:
    """Path that a report can be written to, found out before any run is made for it.

    Raises
    ------
    OutsimError
        If it can't be; the message says why.
    """
    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise OutsimError(f"report {path}: its name must end in .html")
    if target.is_dir():
        raise OutsimError(f"report {path}: is a directory; name a file, such as report.html")
    try:
        check_writable(target)
    except OSError as error:
        raise _unwritable(path, error) from None
    return target


def write(text: str, path: Path) -> None:
    """Write a page, whole or not at all.

    Raises
    ------
    OutsimError
        If it can't be written.
    """
    try:
        with atomic_write(path) as beside:
            beside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: str | Path, error: OSError) -> OutsimError:
    return OutsimError(
        f"report {path}: {reason(error)}; name a file in a directory that can be written to"
    )

"""Pictures as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from outsim.disk import check_place, reason, whole_file
from outsim.errors import StudyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def check_picture(path: str | Path) -> Path:
    """Path of a picture that can be written.

    Raises
    ------
    StudyError
        If its ending stands for no kind of picture, its directory is not there, or it can't be
        written there.
    """
    from matplotlib.backend_bases import FigureCanvasBase

    target = Path(path)
    kinds = FigureCanvasBase.get_supported_filetypes()
    if target.suffix.removeprefix(".").lower() not in kinds:
        raise StudyError(f"picture {path}: its ending must be one of .{', .'.join(sorted(kinds))}")
    if not target.parent.is_dir():
        raise StudyError(f"picture {path}: there is no directory {target.parent}")
    try:
        check_place(target)
    except OSError as error:
        raise _unwritable(path, error) from None
    return target


def save_picture(axes: Sequence[Axes], path: Path) -> None:
    """Write the figure that some axes are in, whole or not at all, and let go of it.

    Raises
    ------
    StudyError
        If it can't be written.
    """
    import matplotlib.pyplot as plt

    figure = axes[0].get_figure(root=True)
    assert figure is not None
    try:
        with whole_file(path) as beside:
            figure.savefig(beside, dpi=150, format=path.suffix.removeprefix(".").lower())
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        plt.close(figure)


def _unwritable(path: str | Path, error: OSError) -> StudyError:
    return StudyError(f"picture {path}: can't be written ({reason(error)}); name another file")

"""Pictures in a page: the same each time."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

from outsim import plots
from outsim.document import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_IN = 5.2
"""Width of a picture; at that of a phone its text is still read without zooming."""

LARGEST = 150_000
"""Bytes of a picture that is kept as lines."""

DOTS_PER_IN = 200


def draw(picture: Picture, ax: Axes) -> None:
    """Draw a picture on these axes."""
    if isinstance(picture.plot, str):
        getattr(plots, picture.plot)(picture.of, **picture.options, ax=ax)
    else:
        picture.plot(ax)


def data_uri(picture: Picture) -> str:
    """Picture as the address of an image that holds it whole and needs no font.

    It is SVG, or PNG where so much is on it that lines would take more room than dots.
    """
    import matplotlib.pyplot as plt

    settings: Any = {"svg.hashsalt": "outsim", "svg.fonttype": "path", "font.size": 12.0}
    with plt.rc_context(settings):
        figure, axes = plt.subplots(
            figsize=(WIDTH_IN, 1.1 + 0.35 * picture.rows), layout="constrained"
        )
        try:
            draw(picture, axes)
            for ax in figure.axes:
                ax.set_title("")  # the caption says it
            file = io.BytesIO()
            figure.savefig(file, format="svg", metadata={"Date": None})
            kind = "svg+xml"
            if file.tell() > LARGEST:
                file = io.BytesIO()
                figure.savefig(file, format="png", dpi=DOTS_PER_IN, metadata={"Software": None})
                kind = "png"
        finally:
            plt.close(figure)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"

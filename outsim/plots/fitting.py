"""Pictures of a calibration: what was fitted beside what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outsim.plots.style import COLOURS, DASHES, draws, legend, new_axes, plain, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from outsim.calibration.durations import DurationFit

_SHARES = (np.arange(400) + 0.5) / 400
_LEAST_S = 0.5
"""Shortest duration that the logarithmic axis shows."""


@draws
def fitted_duration(fit: DurationFit, ax: Axes | None = None) -> Axes:
    """Draw the share of durations that are at most so long, as fitted and as recorded.

    `fit` is one of `outsim.Calibration.durations`. The recorded shares are those of the calls by
    which the form was chosen, the earlier and the later ones apart, so that drift is seen.
    """
    ax = new_axes(ax)
    parts = ((fit.early, "earlier calls"), (fit.late, "later calls"))
    for number, (counts, name) in enumerate(parts, start=1):
        seconds = np.maximum(counts.upper_s, _LEAST_S)
        label = plain(f"{name} ({counts.total:,.0f})")
        ax.step(
            seconds,
            100 * counts.shares,
            where="post",
            color=COLOURS[number],
            linestyle=DASHES[number],
            label=label,
        )
    fitted_s = np.maximum(fit.distribution.quantile_s(_SHARES), _LEAST_S)
    ax.plot(fitted_s, 100 * _SHARES, color=COLOURS[0], label=f"fit ({fit.form})")
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlabel("duration (s)")
    ax.set_ylabel("calls that are at most so long (%)")
    ax.set_ylim(0, 104)
    title(ax, fit.key)
    legend(ax)
    return ax


@draws
def fitted_quantiles(fit: DurationFit, ax: Axes | None = None) -> Axes:
    """Draw each fitted quantile over the recorded one (Q-Q); on the line they are equal."""
    ax = new_axes(ax)
    shares = _SHARES[_SHARES * fit.calls >= 1]
    recorded_s = np.maximum(fit.all.quantiles_s(shares), _LEAST_S)
    fitted_s = np.maximum(fit.distribution.quantile_s(shares), _LEAST_S)
    ends = [min(recorded_s[0], fitted_s[0]), max(recorded_s[-1], fitted_s[-1])]
    ax.plot(ends, ends, color="0.6", linewidth=1, label="equal")
    ax.plot(recorded_s, fitted_s, ".", markersize=3, color=COLOURS[0], label="quantiles")
    ax.set_xscale("log")
    ax.set_yscale("log")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter("{x:g}")
    ax.set_xlabel("recorded (s)")
    ax.set_ylabel("fitted (s)")
    title(ax, f"{fit.key}: quantiles")
    legend(ax)
    return ax

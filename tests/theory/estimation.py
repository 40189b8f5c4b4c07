"""Estimates with known power: a mean is what theory says, and an error would have shown.

Every test here has the same form. A figure is taken from each of a number of independent
replications with fixed seeds, and compared with its theoretical value by Student's t test
at the 1 % level. Much of what varies between replications is what went in: arrivals and
services that happened to be a little dense. Figures of the input whose means are known
exactly (control variates) take that out by regression. Tried 200 times on queues that are
right, the method rejects about 2 % of them, and its mean is not biased.

Power: with a standard error s, an error of size d is found with probability 95 % or more if
d >= (t(0.995) + t(0.95)) s. `Comparison.would_show` asks for that, so a test that passes
says two things: the figure agrees, and a figure off by d would not have.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

LEVEL = 0.01
POWER = 0.95


@dataclass(frozen=True)
class Comparison:
    """A mean over replications beside what theory says."""

    theory: float
    mean: float
    error: float
    """Standard error of the mean."""
    freedom: int

    level: float = LEVEL
    """How often the test rejects what is right."""

    @property
    def errors(self) -> float:
        """How many standard errors the mean lies above the theoretical value."""
        return (self.mean - self.theory) / self.error

    @property
    def agrees(self) -> bool:
        """Whether the t test lets the theoretical value stand."""
        bound = stats.t.ppf(1 - self.level / 2, self.freedom)
        return bool(abs(self.mean - self.theory) <= bound * self.error)

    def would_show(self, share: float) -> bool:
        """Whether an error of this share of the theoretical value is found in 95 % of cases."""
        bounds = stats.t.ppf([1 - self.level / 2, POWER], self.freedom)
        return bool(bounds.sum() * self.error <= share * self.theory)

    def off_by(self, share: float) -> Comparison:
        """The same estimate beside a theory that is off by a share."""
        return replace(self, theory=self.theory * (1 + share))

    def __str__(self) -> str:
        return (
            f"theory {self.theory:.6g}, found {self.mean:.6g} +- {self.error:.2g} "
            f"({self.error / self.theory:.2%})"
        )


def compare(theory: float, figures: list[float], controls: list[list[float]]) -> Comparison:
    """Take what the controls explain out of the figures, and compare their mean with theory.

    How much they explain is learnt, for each replication, from all the others: learnt from
    the same one it would bias the mean, since long waits are more than explained.

    Parameters
    ----------
    figures : list of float
        One of each replication.
    controls : list of list of float
        For each replication, what each control was less its known mean.
    """
    y, x = np.array(figures), np.array(controls, dtype=float).reshape(len(figures), -1)
    scale = x.std(0)
    x = x[:, scale > 1e-12] / scale[scale > 1e-12]  # what does not vary explains nothing
    freedom = len(y) - 1 - x.shape[1]
    assert freedom >= 10, "too few replications for so many controls"
    design = np.column_stack([np.ones(len(y)), x])
    cleared = np.empty(len(y))
    for k in range(len(y)):
        others = np.arange(len(y)) != k
        beta, *_ = np.linalg.lstsq(design[others], y[others], rcond=None)
        cleared[k] = y[k] - x[k] @ beta[1:]
    # The error of the intercept, by least squares: that of the slopes counts as well.
    beta, *_ = np.linalg.lstsq(design, y, rcond=None)
    residuals = y - design @ beta
    variance = float(residuals @ residuals) / freedom
    error = float(np.sqrt(variance * np.linalg.inv(design.T @ design)[0, 0]))
    return Comparison(theory, float(cleared.mean()), error, freedom)


def assert_agrees(comparison: Comparison, share: float) -> None:
    """The figure agrees with theory, and one that is off by `share` would not have."""
    assert comparison.would_show(share), f"too weak a test: {comparison}"
    assert comparison.agrees, str(comparison)
    assert not comparison.off_by(share).agrees
    assert not comparison.off_by(-share).agrees


def lindley(gaps: np.ndarray, services: np.ndarray) -> np.ndarray:
    """Waits in a single-server queue, first come first served, that begins empty."""
    steps = np.concatenate([[0.0], services[:-1] - gaps[1:]])
    walk = np.cumsum(steps)
    return walk - np.minimum.accumulate(walk)

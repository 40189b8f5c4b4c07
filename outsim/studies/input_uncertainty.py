"""How much of an answer's interval is stochastic, and how much is input uncertainty.

Callees are drawn anew for each replication out of what their calibration's data leave open, and
replications 0 and 1, 2 and 3 ... are partners: each runs its day with its own callees and with
its partner's. So the four runs of two partners are a square of two callees by two days,

    Y[i, j] = mean + callees[i] + day[j] + both[i, j],

a two-way random-effects model, in which analysis of variance tells the variance that comes from
callees alone, without a bias and however much a day depends on who is called (Searle,
Casella and McCulloch, Variance Components, 1992, chapter 4). All runs of a replication have one
tape, so the day cancels from the contrast that the callees' variance is estimated by. What
varies with both is counted as stochastic: with more days it averages out, as that does.

The answer that is sought, m(truth), is the mean over days with the callees as they are. As far as
the data tell, the truth is one more draw of callees: so m(truth) differs from the mean over n
replications by a variance of v + s2 / n, where v is the callees' variance and s2 that of all
runs (the random-effects view of input uncertainty: Zouaoui and Wilson, IIE Transactions 35, 2003;
Ankenman and Nelson, Winter Simulation Conference, 2012). More replications make the second part
small, and never the first. The interval is a generalized one (Weerahandi, JASA 88, 1993): a
normal distribution whose variance has the distribution that its three estimates leave it, with
none below 0. It is Student's where either part is all there is, and wide where the runs are too
few to tell the parts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsim.errors import StudyError
from outsim.estimates import ANYTHING, LEVEL, Estimate, Support, bounded, estimate, finite_or_none
from outsim.scenario.model import Scenario
from outsim.scenario.sources import Uncertainty
from outsim.studies.control_variates import VARIES
from outsim.tape import Purpose, Tape

Array = NDArray[np.float64]


def paired_replication(replication: int) -> int:
    """The replication that another one shares its callees with: 0 with 1, 2 with 3 ..."""
    return replication ^ 1


def with_drawn_callees(scenario: Scenario, seed: int, replication: int) -> Scenario:
    """Scenario with the callees of one replication, the same in all scenarios of a calibration."""
    uncertainty = uncertainty_of(scenario)
    # Fitting takes most of a second to load, and most studies draw no callees.
    from outsim.calibration.profile import draw_profile, uniforms_needed

    count = uniforms_needed(uncertainty)
    # Their stream is nobody else's: the rest of the tape is as without them.
    uniforms = Tape(seed, replication).uniforms("", "", Purpose.CALLEES, count=count)
    return draw_profile(scenario, uniforms)


def uncertainty_of(scenario: Scenario) -> Uncertainty:
    """What the callees of a scenario rest on; refused if it does not say so."""
    if scenario.uncertainty is None:
        raise StudyError(
            f"input uncertainty: scenario {scenario.name!r} has no [uncertainty] of its callees; "
            "let it extend what outsim calibrate LOG --out FILE wrote, or leave input uncertainty "
            "out"
        )
    return scenario.uncertainty


NODES = 14
"""Places at which a distribution is looked at: half-widths are then right to two digits."""


@dataclass(frozen=True)
class VarianceComponents:
    """An answer whose callees rest on data, and where its uncertainty comes from."""

    estimate: Estimate
    """Mean over replications, with the interval that holds the answer for the true callees."""
    stochastic_half_width: float
    """Half-width of the interval if the callees were known."""
    input_sd: float
    """Standard deviation of the answer over callees that the data would bear out as well."""
    input_sd_low: float
    """Lower end of its 95 % interval (Williams, Biometrika 49, 1962)."""
    input_sd_high: float
    """Upper end."""
    stochastic_sd: float
    """Standard error of the mean over replications."""
    pairs: int
    """Partners that had the measure in all four runs."""

    @property
    def input_share(self) -> float:
        """Share of the squared interval that is input uncertainty, 0 to 1; NaN where not known."""
        return self._share(self.input_sd)

    @property
    def input_share_interval(self) -> tuple[float, float]:
        """95 % interval of `input_share`, as far as the callees' variance is in doubt."""
        return self._share(self.input_sd_low), self._share(self.input_sd_high)

    def _share(self, sd: float) -> float:
        whole = sd**2 + self.stochastic_sd**2
        return sd**2 / whole if whole > 0 else math.nan

    def to_dict(self) -> dict[str, Any]:
        """The parts for machines; None where one is not known."""
        low, high = self.input_share_interval
        parts = {
            "stochastic_half_width": self.stochastic_half_width,
            "input_sd": self.input_sd,
            "input_sd_low": self.input_sd_low,
            "input_sd_high": self.input_sd_high,
            "input_share": self.input_share,
            "input_share_low": low,
            "input_share_high": high,
        }
        finite = {name: finite_or_none(value) for name, value in parts.items()}
        return {**finite, "pairs": self.pairs}


def variance_components(
    own: Array, swapped: Array, first: int = 0, level: float = LEVEL, support: Support = ANYTHING
) -> VarianceComponents:
    """Estimate an answer from replications with their own callees and with their partners'."""
    from scipy.special import fdtri

    plain = estimate(own, level, support)
    stochastic = plain.half_width if plain.rare is None else plain.rare.half_width
    sd = float(np.nanstd(own, ddof=1)) / math.sqrt(plain.count) if plain.count > 1 else np.nan
    skipped = first % 2
    whole = skipped + 2 * ((len(own) - skipped) // 2)
    # Shape (partners, 2): by day, and by whose callees in the order of the days.
    mine, theirs = (of[skipped:whole].reshape(-1, 2) for of in (own, swapped))
    known = ~np.isnan(mine + theirs).any(axis=1)
    mine, theirs = mine[known], theirs[known]
    pairs = len(mine)
    four = np.array([mine, theirs])
    if pairs and np.ptp(four) <= VARIES * np.abs(four).max():
        # What is left by rounding is no variance.
        return VarianceComponents(plain, stochastic, 0.0, 0.0, 0.0, 0.0, pairs)
    if pairs == 0:
        nothing = replace(plain, half_width=math.nan, ends=None)
        return VarianceComponents(nothing, stochastic, math.nan, math.nan, math.nan, sd, 0)
    # By day, what the callees of its number do against the partner's.
    does = mine - theirs
    callees, both = (does[:, 0] - does[:, 1]) / 2, (does[:, 0] + does[:, 1]) / 2
    # Expected: twice the callees' variance and once that of both; that of both.
    of_callees, of_both = float(np.mean(callees**2)), float(np.mean(both**2))
    variance = (of_callees - of_both) / 2

    def sd_at(share: float) -> float:
        least = of_callees - of_both * float(fdtri(pairs, pairs, share))
        return math.sqrt(max(least / 2 / _chi_squares(pairs, share), 0.0))

    half_width = _half_width((of_callees, of_both, pairs), (sd**2, plain.count - 1), level)
    answer = plain
    if plain.rare is None:
        answer = Estimate(plain.mean, half_width, plain.count, plain.n_missing)
        answer = bounded(answer, support)
    tail = (1 - LEVEL) / 2
    return VarianceComponents(
        estimate=answer,
        stochastic_half_width=stochastic,
        input_sd=math.sqrt(max(variance, 0.0)),
        input_sd_low=sd_at(1 - tail),
        input_sd_high=sd_at(tail),
        stochastic_sd=sd,
        pairs=pairs,
    )


def _chi_squares(freedom: int, shares: Any) -> Any:
    """Quantiles of a chi-squared variable over its degrees of freedom."""
    from scipy.special import gammaincinv

    return gammaincinv(freedom / 2, shares) * 2 / freedom


@lru_cache(maxsize=4096)
def _half_width(
    callees: tuple[float, float, int], stochastic: tuple[float, int], level: float
) -> float:
    """Half-width of the generalized interval, from mean squares and degrees of freedom."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    of_callees, of_both, pairs = callees
    squared, freedom = stochastic
    if not of_callees + squared > 0:
        return 0.0
    shares, weights = _nodes()
    squares = _chi_squares(pairs, shares)
    # By callees, both and stochastic part: what the variance may be.
    variance = np.maximum(of_callees / squares[:, None] - of_both / squares, 0)[:, :, None] / 2
    variance = variance + squared / _chi_squares(freedom, shares)
    weight = weights[:, None, None] * weights[:, None] * weights
    known = variance > 0
    sd, weight = np.sqrt(variance[known]), weight[known]
    missing = 1 - float(weight.sum())

    def short_of(half_width: float) -> float:
        inside = float(weight @ (2 * ndtr(half_width / sd) - 1)) + missing
        return inside - level

    if short_of(0.0) >= 0:
        return 0.0
    most = max(math.sqrt(float(weight @ sd**2)), float(sd.min()))  # squares may be too small
    while short_of(most) < 0:
        most *= 2
    return float(brentq(short_of, 0.0, most, xtol=1e-4 * most))


@lru_cache
def _nodes() -> tuple[Array, Array]:
    """Shares and weights to take means over a distribution with (Gauss and Legendre)."""
    places, weights = np.polynomial.legendre.leggauss(NODES)
    return (places + 1) / 2, weights / 2

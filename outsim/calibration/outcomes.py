"""What becomes of dials: shares of the outcomes, and the factors that scale the human share.

The share answered is a product of factors by hour, weekday, failures so far and redial gap, found
by the method of marginal totals (Bailey, Proceedings of the Casualty Actuarial Society 50, 1963),
the maximum of a Poisson likelihood with a logarithmic link: it can't push a share above 1 and
back, and is consistent whatever the distribution. The covariance is the sandwich one with the
variance of yes and no (Zou, American Journal of Epidemiology 159, 2004).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import sub
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from outsim.calibration.durations import DRIFT_LEVEL, DRIFT_SIZE, Z
from outsim.calibration.mapping import MOST_ATTEMPTS, WORDS
from outsim.calibration.values import Flags, Floats, Integers
from outsim.clock import MINUTE, SECOND
from outsim.errors import ScenarioError
from outsim.estimates import LEVEL
from outsim.scenario.callees import DAY_PARTS, GAP_BOUNDS_US, REDIAL_LEVELS, day_part
from outsim.scenario.defaults import DEFAULTS
from outsim.scenario.sources import DRAWN, TRAITS
from outsim.text import brief
from outsim.vocabulary import DRAWN_EACH_ATTEMPT

ENOUGH_DIALS = 50
"""Dials that a factor needs, at least."""
ENOUGH_EACH = 10
"""Answered ones among them, and unanswered ones, at least."""


@dataclass(frozen=True)
class Group:
    """Levels that have a factor each."""

    name: str
    """Such as ``hour``."""
    levels: tuple[str, ...]
    """What each is called."""
    from_first: bool = False
    """Whether factors are relative to the first level; else their mean over the dials is 1."""


@dataclass(frozen=True)
class Factors:
    """Fitted factors, as logarithms."""

    __repr__ = brief

    names: tuple[tuple[str, str], ...]
    """What each logarithm belongs to; the first one, ``("base", "")``, is the share answered where
    all factors are 1."""
    logs: Floats
    """Natural logarithms. Shape (names,)."""
    covariance: Floats
    """Of the logarithms; singular, since the factors of a group determine each other. Shape
    (names, names)."""
    dials: Floats
    """Dials that each rests on. Shape (names,)."""


def has_enough(dials: Floats, answered: Floats) -> Flags:
    """Which levels have enough dials for a factor."""
    missed = dials - answered
    return (dials >= ENOUGH_DIALS) & (answered >= ENOUGH_EACH) & (missed >= ENOUGH_EACH)


def sums(places: Integers, weights: Floats, count: int) -> Floats:
    """Sum of the weights at each of `count` places."""
    return np.bincount(places, weights=weights, minlength=count).astype(np.float64)


def fit_factors(
    levels: Integers, dials: Floats, answered: Floats, groups: tuple[Group, ...]
) -> Factors:
    """Fit all factors to dials by cell; levels with too few dials share one that is left out."""
    columns: list[tuple[int, str, Floats]] = []
    weights: dict[str, Floats] = {}
    for g, group in enumerate(groups):
        at = levels[:, g]
        of_level, hits = (
            sums(at[at >= 0], counts[at >= 0], len(group.levels)) for counts in (dials, answered)
        )
        fitted = np.flatnonzero(has_enough(of_level, hits))
        if len(fitted) < 2 or (group.from_first and 0 not in fitted):
            continue
        columns += [(g, group.levels[i], (at == i).astype(np.float64)) for i in fitted]
        other = ~np.isin(at, fitted)
        if other.any():
            columns.append((g, "", other.astype(np.float64)))
        weights[group.name] = of_level[fitted]
    design = np.column_stack([np.ones(len(dials)), *(column for *_, column in columns)])
    logs, bread = marginal_totals(design, dials, answered)
    expected = dials * np.exp(design @ logs)
    shares = np.minimum(np.exp(design @ logs), 1.0)
    # The sandwich covariance: hits are binomial, and not Poisson as the equations have them.
    filling = design.T @ (design * (expected * (1 - shares))[:, None])
    covariance = bread @ filling @ bread
    names = [("base", ""), *((groups[g].name, level) for g, level, _ in columns)]
    transform, centred = _normalised(names, logs, weights, groups)
    named = [i for i, (group, level) in enumerate(names) if level or group == "base"]
    covariance = transform @ covariance @ transform.T
    return Factors(
        names=tuple(names[i] for i in named),
        logs=centred[named],
        covariance=covariance[np.ix_(named, named)],
        dials=(design.T @ dials)[named],
    )


def marginal_totals(design: Floats, exposures: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Logarithms whose products have the recorded totals, and their covariance if Poisson."""
    logs = np.zeros(design.shape[1])
    logs[0] = np.log(counts.sum() / exposures.sum())
    for _ in range(100):
        expected = exposures * np.exp(design @ logs)
        information = design.T @ (design * expected[:, None])
        step = np.linalg.pinv(information, hermitian=True) @ (design.T @ (counts - expected))
        logs = logs + np.clip(step, -1, 1)
        if np.max(np.abs(step)) < 1e-10:
            break
    expected = exposures * np.exp(design @ logs)
    covariance = np.linalg.pinv(design.T @ (design * expected[:, None]), hermitian=True)
    return logs, np.asarray(covariance, dtype=np.float64)


def _normalised(
    names: list[tuple[str, str]],
    logs: Floats,
    weights: dict[str, Floats],
    groups: tuple[Group, ...],
) -> tuple[Floats, Floats]:
    """Jacobian of the normalisation, and the normalised logarithms."""
    jacobian, centred = np.eye(len(names)), logs.copy()
    first = {group.name: group.from_first for group in groups}
    for name, dials in weights.items():
        mine = [i for i, (group, level) in enumerate(names) if group == name and level]
        share = np.zeros(len(names))
        if first[name]:
            share[mine[0]] = 1.0
            middle = logs[mine[0]]
        else:
            parts = dials * np.exp(logs[mine])
            middle = np.log(parts.sum() / dials.sum())
            share[mine] = parts / parts.sum()
        centred[0] += middle
        jacobian[0] += share
        centred[mine] -= middle
        jacobian[mine] -= share
    return jacobian, centred


ENOUGH = 100
"""Dials from which the outcome mix is fitted at all."""
OTHERS = tuple(word for word in DRAWN if word not in ("human", "no_answer"))
"""Outcomes that keep their share where the human one is scaled."""
ANSWERERS = tuple(outcome.name for outcome in DRAWN_EACH_ATTEMPT if outcome.is_answered)
"""Those of `DRAWN` that ``answered`` stands for, in a log that doesn't say which."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOUR, WEEKDAY, REDIAL, GAP = "hour", "weekday", "failures", "gap"
GAPS = tuple(f"under {bound // MINUTE} min" for bound in GAP_BOUNDS_US)


@dataclass(frozen=True)
class OutcomeFit:
    """Shares of the outcomes, and factors on the human share."""

    __repr__ = brief

    shares: dict[str, float]
    """Share of each outcome of `DRAWN` among dials to numbers in use, at the factors' mean and
    with no failure so far."""
    counts: dict[str, float]
    """Dials with each of them, as recorded; what `answered` dials there were is divided as
    `divided` says."""
    contacts: dict[str, float]
    """First dials that were ``invalid``, a ``fax``, and ``other``; empty if the log has none of
    the first two words."""
    factors: Factors
    """On the human share, base included."""
    pooled: int
    """Number of failures from which on all dials share one factor; 0 if none was fitted."""
    divided: float | None
    """Share of answered dials taken to be human where the log doesn't tell; None if it does."""
    named: tuple[str, ...]
    """Which of ``human`` and ``voicemail`` the log names."""

    @property
    def dials(self) -> float:
        """Dials to numbers in use."""
        return sum(self.counts.values())

    def interval(self, outcome: str) -> tuple[float, float]:
        """95 % interval of an outcome's share (Jeffreys; of the human share: from the fit)."""
        if outcome == "human":
            share, width = self.shares[outcome], Z * self.factors.covariance[0, 0] ** 0.5
            return share * float(np.exp(-width)), min(share * float(np.exp(width)), 1.0)
        scale = self.shares[outcome] / max(self.counts[outcome] / self.dials, 1e-12)
        low, high = jeffreys(self.counts[outcome], self.dials)
        return low * scale, min(high * scale, 1.0)


def jeffreys(hits: float, of: float) -> tuple[float, float]:
    """95 % interval of a share: the Jeffreys interval (Brown, Cai, DasGupta 2001)."""
    low, high = stats.beta.interval(LEVEL, hits + 0.5, max(of - hits, 0) + 0.5)
    return (float(low) if hits > 0 else 0.0), (float(high) if hits < of else 1.0)


IN_USE = (*DRAWN, "answered", "unanswered")
"""What the outcome of an attempt at a number in use may be called."""


def as_words(outcomes: pd.Series[Any]) -> pd.Series[Any]:
    """Outcomes as categories, `WORDS` in their order."""
    return outcomes.astype(pd.CategoricalDtype([*WORDS]))


def count_outcomes(table: pd.DataFrame) -> dict[str, float]:
    """Attempts by outcome, in the order of `WORDS`, as far as there are any."""
    codes = table["outcome"].cat.codes.to_numpy().astype(np.int64) + 1
    sizes = np.bincount(codes, weights=weights_of(table), minlength=len(WORDS) + 1)[1:]
    return {word: float(size) for word, size in zip(WORDS, sizes, strict=True) if size}


def weights_of(table: pd.DataFrame) -> Floats:
    """How many attempts each row stands for."""
    if "weight" in table:
        return table["weight"].to_numpy(dtype=np.float64, na_value=1.0)
    return np.ones(len(table))


def fit_outcomes(table: pd.DataFrame, zone: str | None) -> OutcomeFit:
    """Fit the outcome mix of attempts."""
    by_outcome = count_outcomes(table)
    counts, divided = _divided(by_outcome)
    counts = _with_unanswered(counts, by_outcome.get("unanswered", 0.0))
    words = table["outcome"]
    dialed = words.isin([*IN_USE]).to_numpy()
    named = tuple(word for word in ANSWERERS if by_outcome.get(word))
    rows, inflation = table[dialed], 1.0
    if "human" in named and divided is not None:
        rows, inflation = _named_alone(rows)
    answered = rows["outcome"].isin(["human", "answered"]).to_numpy()
    pooled = _pooled(rows, answered)
    groups = (
        Group(HOUR, DAY_PARTS),
        Group(WEEKDAY, WEEKDAYS),
        Group(REDIAL, tuple(str(k) for k in range(pooled + 1)), from_first=True),
        Group(GAP, ("later", *GAPS), from_first=True),
    )
    factors = fit_factors(*_cells(rows, answered, zone, groups), groups)
    factors = replace(factors, covariance=factors.covariance * inflation)
    total = sum(counts.values())
    shares = {word: counts[word] / total for word in DRAWN}
    # Where no person is named, what was fitted is the share answered by anyone.
    human = float(np.exp(factors.logs[0]))
    human *= 1 if divided is None or "human" in named else divided
    rest = reduce(sub, (shares[word] for word in OTHERS), 1.0)
    shares["human"] = min(human, rest)
    shares["no_answer"] = rest - shares["human"]
    return OutcomeFit(shares, counts, _contacts(table), factors, pooled, divided, named)


def _named_alone(rows: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Dials without answers that name nobody, weighted for these; how much variances grow."""
    unnamed = (rows["outcome"] == "answered").to_numpy()
    by_name = rows["outcome"].isin([*ANSWERERS]).to_numpy()
    weights = weights_of(rows)
    inflation = 1 + float(weights[unnamed].sum() / weights[by_name].sum())
    weighted = rows.assign(weight=np.where(by_name, weights * inflation, weights))
    return weighted[~unnamed], inflation


def _divided(by_outcome: Mapping[str, float]) -> tuple[dict[str, float], float | None]:
    """Dials by outcome of `DRAWN`, and the human share of answered dials that was assumed."""
    counts = {word: by_outcome.get(word, 0.0) for word in DRAWN}
    unknown = by_outcome.get("answered", 0.0)
    if not unknown:
        return counts, None
    known = {word: counts[word] for word in ANSWERERS}
    if not known["human"] and known["voicemail"]:
        known = {"human": 1.0, "voicemail": 0.0}  # a log that names machines alone
    known = _or_default(known)
    human = known["human"] / sum(known.values())
    counts["human"] += unknown * human
    counts["voicemail"] += unknown * (1 - human)
    return counts, human


def _with_unanswered(counts: dict[str, float], unanswered: float) -> dict[str, float]:
    """Dials by outcome, with those added of which the log says no more than unanswered."""
    known = _or_default({word: counts[word] for word in ("no_answer", "busy")})
    whole = sum(known.values())
    return {
        word: size + unanswered * known.get(word, 0.0) / whole for word, size in counts.items()
    }


def _or_default(counts: dict[str, float]) -> dict[str, float]:
    """Counts of some outcomes; the weights of the default profile where there are none."""
    if sum(counts.values()):
        return counts
    return {word: float(DEFAULTS["profiles.known_list"].value[word]) for word in counts}


def with_earlier_attempts(table: pd.DataFrame) -> pd.DataFrame:
    """Attempts of a log of last ones, with the unanswered ones before, one weighted row a dial."""
    attempts = table["attempt"].to_numpy(dtype=np.float64, na_value=1)
    most = attempts.max(initial=1)
    if most > MOST_ATTEMPTS:
        raise ScenarioError(
            f"call log: attempt: found {most:.0f}; must be 1 to {MOST_ATTEMPTS}, "
            "which dial of its call each row is"
        )
    weights = weights_of(table)
    last = np.maximum(attempts, 1).astype(np.int64)
    ending = sums(last, weights, int(most) + 1)
    before = pd.DataFrame({"attempt": np.arange(1, int(most))})
    before["outcome"] = as_words(pd.Series("unanswered", index=before.index))
    before["weight"] = np.cumsum(ending[::-1])[::-1][2:]
    return pd.concat([table.assign(weight=weights), before], ignore_index=True)


def _contacts(table: pd.DataFrame) -> dict[str, float]:
    """First dials by trait of the contact."""
    is_told = "attempt" in table and bool((table["attempt"] == 1).any())
    first = table[table["attempt"] == 1] if is_told else table
    counts = count_outcomes(first)
    if not any(counts.get(word) for word in TRAITS[:-1]):
        return {}
    traits = {word: counts.get(word, 0.0) for word in TRAITS[:-1]}
    others = sum(counts.get(word, 0.0) for word in IN_USE)
    return {**traits, "other": others}


def _failures(rows: pd.DataFrame) -> Integers | None:
    if "attempt" not in rows or rows["attempt"].isna().all():
        return None
    attempts = rows["attempt"].to_numpy(dtype=np.float64, na_value=0)
    return np.asarray(attempts, dtype=np.int64) - 1


def _pooled(rows: pd.DataFrame, answered: Flags) -> int:
    """Number of failures from which on all dials share a factor: as many as the data carry."""
    failures = _failures(rows)
    if failures is None:
        return 0
    known = failures >= 0
    weights = weights_of(rows)[known]
    at = np.minimum(failures[known], REDIAL_LEVELS - 1)
    dials = sums(at, weights, REDIAL_LEVELS)
    hits = sums(at, weights * answered[known], REDIAL_LEVELS)
    alone = has_enough(dials, hits)
    together = has_enough(np.cumsum(dials[::-1])[::-1], np.cumsum(hits[::-1])[::-1])
    for last in range(REDIAL_LEVELS - 1, 0, -1):
        if together[last] and alone[:last].all():
            return last
    return 0


def _cells(
    rows: pd.DataFrame, answered: Flags, zone: str | None, groups: tuple[Group, ...]
) -> tuple[Integers, Floats, Floats]:
    """Level in each group (-1: not known), dials and answered ones of each cell of dials."""
    codes = [np.full(len(rows), -1, dtype=np.int64) for _ in groups]
    if "started" in rows and zone is not None:
        local = rows["started"].dt.tz_convert(zone)
        known = local.notna().to_numpy()
        hours, days = (
            part.to_numpy(dtype=np.float64, na_value=0).astype(np.int64)
            for part in (local.dt.hour, local.dt.day_of_week)
        )
        codes[0] = np.where(known, _PART_OF_HOUR[hours], -1)
        codes[1] = np.where(known, days, -1)
    failures = _failures(rows)
    if failures is not None:
        codes[2] = np.clip(failures, -1, len(groups[2].levels) - 1)
        if "gap_s" in rows:
            gaps_s = rows["gap_s"].to_numpy(dtype=np.float64, na_value=np.nan)
            bounds_s = np.array(GAP_BOUNDS_US) / SECOND
            place = np.searchsorted(bounds_s, gaps_s, side="right")
            level = np.where(place == len(bounds_s), 0, place + 1)
            codes[3] = np.where(failures > 0, np.where(np.isnan(gaps_s), -1, level), 0)
    sizes = [len(group.levels) + 1 for group in groups]
    index = np.ravel_multi_index([code + 1 for code in codes], sizes).astype(np.int64)
    weights, count = weights_of(rows), int(np.prod(sizes))
    dials, hits = sums(index, weights, count), sums(index, weights * answered, count)
    filled = np.flatnonzero(dials)
    levels = np.column_stack(np.unravel_index(filled, sizes)).astype(np.int64) - 1
    return levels, dials[filled], hits[filled]


_PART_OF_HOUR = np.array([DAY_PARTS.index(day_part(hour)) for hour in range(24)], dtype=np.int64)


@dataclass(frozen=True)
class MixDrift:
    """How far an outcome's share moved from the early to the late part."""

    outcome: str
    early: float
    late: float
    low: float
    """Lower end of the 95 % interval of the difference (normal)."""
    high: float
    """Upper end."""
    p_value: float
    """Of the chi-square test over all outcomes."""

    @property
    def is_there(self) -> bool:
        """Whether it is more than chance, and large enough to matter."""
        return self.p_value < DRIFT_LEVEL and abs(self.late - self.early) >= DRIFT_SIZE / 2


def mix_drift(early: pd.DataFrame, late: pd.DataFrame) -> list[MixDrift]:
    """How the outcome mix moved between two parts of a log."""
    counts = [count_outcomes(part) for part in (early, late)]
    words = [word for word in WORDS if any(word in of_part for of_part in counts)]
    observed = np.array([[of_part.get(word, 0.0) for word in words] for of_part in counts])
    sizes = observed.sum(axis=1)
    if len(words) < 2 or not sizes.all():
        return []
    p_value = float(stats.chi2_contingency(observed).pvalue)
    shares = observed / sizes[:, None]
    widths = Z * np.sqrt(np.sum(shares * (1 - shares) / sizes[:, None], axis=0))
    change = shares[1] - shares[0]
    columns = np.column_stack([*shares, change - widths, change + widths]).tolist()
    return [MixDrift(word, *(*row, p_value)) for word, row in zip(words, columns, strict=True)]

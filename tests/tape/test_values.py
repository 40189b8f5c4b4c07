"""Draws follow the distributions that they are named after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from outsim.scenario.model import Callees, Platform, Profile
from outsim.tape import Purpose, Tape
from outsim.tape.draws import (
    LONGEST_MS,
    TRAIT_FAX,
    TRAIT_INVALID,
    CallModel,
    call_model,
    whole_ms,
)

COUNT = 60_000
UNLIKELY = 1e-4
"""Level of each test here; the seeds are fixed, so it passes always or never."""
FILE = {"zone": None, "date": None}
SECOND = 1e6


def model(
    callees: dict[str, Any] | None = None, platform: dict[str, Any] | None = None, **keys: Any
) -> CallModel:
    profile = Profile(human=34, voicemail=29, no_answer=27, busy=5, invalid=5)
    choices: dict[str, Any] = {
        "message": None,
        "asks_for_key": False,
        "transfers_to_agent": False,
        "missing_ani_share": 0.0,
        "missing_ani_refusal": 0.8,
    }
    return call_model(
        Platform.model_validate(platform or {}, context=FILE),
        Callees.model_validate(callees or {}, context=FILE),
        profile,
        **choices | keys,
    )


def same_distribution(milliseconds: np.ndarray, law: Any) -> bool:
    """Whether whole milliseconds may come from a law in seconds, by a chi-square test.

    Bounds of the bins lie half-way between milliseconds, where rounding can't move anybody.
    """
    bounds = np.unique(np.round(law.ppf(np.linspace(0.02, 0.98, 49)) * 1000)) + 0.5
    edges = np.concatenate([[-np.inf], bounds / 1000, [np.inf]])
    expected = np.diff(law.cdf(edges)) * len(milliseconds)
    found = np.histogram(milliseconds / 1000, edges)[0]
    return bool(stats.chisquare(found, expected).pvalue > UNLIKELY)


def test_uniforms_are_uniform() -> None:
    uniforms = Tape(1).uniforms("acme", "study", Purpose.OUTCOME, attempt=1, count=COUNT)
    assert uniforms.min() > 0
    assert uniforms.max() < 1
    assert stats.kstest(uniforms, "uniform").pvalue > UNLIKELY
    for lag in (1, 2, 64):
        r = stats.pearsonr(uniforms[:-lag], uniforms[lag:])
        assert r.pvalue > UNLIKELY


def test_first_draws_of_many_streams_are_uniform_too() -> None:
    """Streams are as good across campaigns, attempts and purposes as each is in itself."""
    tape = Tape(3)
    across = [
        [tape.uniforms("acme", f"list {k}", Purpose.RING, count=1)[0] for k in range(3_000)],
        [tape.uniforms("acme", "list", Purpose.RING, attempt=k, count=1)[0] for k in range(3_000)],
        [tape.uniforms("acme", "list", k, count=1)[0] for k in range(3_000)],
        [Tape(seed).uniforms("acme", "list", 1, count=1)[0] for seed in range(3_000)],
        [Tape(1, k).uniforms("acme", "list", 1, count=1)[0] for k in range(3_000)],
    ]
    for firsts in across:
        assert stats.kstest(firsts, "uniform").pvalue > UNLIKELY
        assert stats.pearsonr(firsts[:-1], firsts[1:]).pvalue > UNLIKELY


def test_streams_of_a_call_are_independent() -> None:
    tape = Tape(4)
    streams = [
        tape.uniforms("acme", "list", purpose, attempt=attempt, count=COUNT)
        for purpose in (Purpose.OUTCOME, Purpose.RING, Purpose.TALK)
        for attempt in (1, 2)
    ]
    correlations = np.corrcoef(streams)[np.triu_indices(len(streams), 1)]
    bound = stats.norm.ppf(1 - UNLIKELY / 2 / len(correlations)) / np.sqrt(COUNT)
    assert np.abs(correlations).max() < bound


DISTRIBUTIONS: dict[str, tuple[Any, Any]] = {
    "constant": ("1234 ms", None),
    "lognormal": (
        {"distribution": "lognormal", "median": "8 s", "log_sd": 0.45},
        stats.lognorm(0.45, scale=8),
    ),
    "normal": (
        {"distribution": "normal", "mean": "21 s", "sd": "3 s", "least": "18 s", "most": "40 s"},
        stats.truncnorm(-1, 19 / 3, loc=21, scale=3),
    ),
    "exponential": ({"distribution": "exponential", "mean": "7 s"}, stats.expon(scale=7)),
    "uniform": (
        {"distribution": "uniform", "least": "1 ms", "most": "3 s"},
        stats.uniform(0.001, 2.999),
    ),
}


@pytest.mark.parametrize(("written", "law"), DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)
def test_durations_follow_their_law_in_whole_milliseconds(written: Any, law: Any) -> None:
    drawn = Tape(5).attempts("acme", "list", model({"post_dial_delay": written}), 1, COUNT)
    milliseconds = drawn.post_dial_ms
    assert milliseconds.dtype == np.int32
    assert milliseconds.min() >= 0
    if law is None:
        assert (milliseconds == 1234).all()
    else:
        assert same_distribution(milliseconds, law)


@pytest.mark.parametrize(
    ("written", "law"), list(DISTRIBUTIONS.values())[1:], ids=list(DISTRIBUTIONS)[1:]
)
def test_quantiles_are_those_of_scipy(written: Any, law: Any) -> None:
    distribution = model({"post_dial_delay": written}).callees.post_dial_delay
    levels = np.array([1e-9, 1e-4, 0.01, 0.25, 0.5, 0.9, 0.999, 1 - 1e-9])
    np.testing.assert_allclose(distribution.quantile_s(levels), law.ppf(levels), rtol=1e-8)
    np.testing.assert_allclose(distribution.mean_s(), law.mean(), rtol=1e-9)


def test_rounding_is_to_the_nearest_millisecond_and_within_32_bits() -> None:
    seconds = np.array([0.0, 0.0004, 0.0005, 0.0006, 0.0015, 1.2344, 1.2346, 1e12])
    assert whole_ms(seconds).tolist() == [0, 0, 0, 1, 2, 1234, 1235, LONGEST_MS]


def test_work_is_at_least_a_microsecond() -> None:
    short = {"distribution": "exponential", "mean": "1 ms"}
    work = Tape(6).attempts("acme", "list", model(platform={"dial_work": short}), 1, COUNT)
    assert work.dial_work_us.dtype == np.int64
    assert work.dial_work_us.min() == 1
    assert ((work.dial_work_us % 1000 == 0) | (work.dial_work_us == 1)).all()


def near(flags: np.ndarray, share: float) -> bool:
    """Whether a share of flags may be this one, by the binomial test."""
    found = stats.binomtest(int(np.count_nonzero(flags)), flags.size, share)
    return bool(found.pvalue > UNLIKELY)


def test_traits_have_their_shares() -> None:
    shaped = model({"fax_share": 0.1}, {"wedged_calls": 0.03}, missing_ani_share=0.2)
    contacts = Tape(7).contacts("acme", "list", shaped, COUNT)
    assert near(contacts.trait == TRAIT_INVALID, 0.05)
    assert near(contacts.trait == TRAIT_FAX, 0.95 * 0.1)
    assert near(contacts.wedged, 0.03)
    assert near(contacts.missing_ani, 0.2)


def test_no_share_is_no_flag_and_a_share_of_one_is_all() -> None:
    none = model({"fax_share": 0.0}, {"wedged_calls": 0.0, "lost_updates": 0.0})
    contacts = Tape(8).contacts("acme", "list", none, COUNT)
    assert not contacts.wedged.any()
    assert not contacts.missing_ani.any()
    assert not Tape(8).updates("acme", "list", none, 1, COUNT).lost.any()
    every = model(platform={"wedged_calls": 1.0, "lost_updates": 1.0}, missing_ani_share=1.0)
    contacts = Tape(8).contacts("acme", "list", every, COUNT)
    assert contacts.wedged.all()
    assert contacts.missing_ani.all()
    assert (Tape(8).updates("acme", "list", every, 1, COUNT).lost == 0b11111).all()


def test_each_kind_of_update_is_lost_by_itself() -> None:
    shaped = model(platform={"lost_updates": 0.2})
    lost = Tape(9).updates("acme", "list", shaped, 1, COUNT).lost
    bits = np.array([(lost >> kind) & 1 for kind in range(5)])
    assert lost.max() < 2**5
    for kind in range(5):
        assert near(bits[kind], 0.2)
    assert near(bits[0] & bits[1], 0.04)


def test_people_hang_up_anywhere_in_the_message() -> None:
    shaped = model({"message": "10 s", "early_hang_up": 0.25})
    talk = Tape(10).attempts("acme", "list", shaped, 1, COUNT).talk_human_ms
    early = talk < 10_000
    assert near(early, 0.25)
    assert same_distribution(talk[early], stats.uniform(0, 10))


def test_voicemail_hears_greeting_and_message_and_phones_off_answer_early() -> None:
    shaped = model({"greeting": "12 s", "message": "10 s", "phone_off": 0.1})
    drawn = Tape(11).attempts("acme", "list", shaped, 1, COUNT)
    assert (drawn.talk_voicemail_ms == 22_000).all()
    early = drawn.ring_voicemail_ms <= 3_000
    assert near(early, 0.1)
    assert same_distribution(drawn.ring_voicemail_ms[early], stats.uniform(0.001, 2.999))


FLAGS: dict[str, tuple[Callable[[Any], np.ndarray], float]] = {
    "misdetected": (lambda drawn: drawn.misdetected, 0.06),
    "refused without a caller ID": (lambda drawn: drawn.ani_refused, 0.8),
}


@pytest.mark.parametrize(("flags", "share"), FLAGS.values(), ids=FLAGS)
def test_flags_of_attempts_have_their_shares(flags: Any, share: float) -> None:
    drawn = Tape(12).attempts("acme", "list", model(), 1, COUNT)
    assert near(flags(drawn), share)


def test_posts_fail_with_their_share() -> None:
    latency = model().callees.ring_human
    posts = Tape(13).posts("acme", "list", latency, 0.3, 1, COUNT)
    assert near(posts.fails, 0.3)
    assert same_distribution(posts.latency_ms, stats.lognorm(0.45, scale=8))

"""The tape of a session: what was pinned and what handlers answered, laid over what is drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from outsim.distributions import Distribution
from outsim.live.inputs import Answer, Pin
from outsim.tape import Tape
from outsim.tape.draws import (
    LONGEST_MS,
    REFUSED,
    TRAIT_NONE,
    AttemptDraws,
    CallModel,
    ContactDraws,
    Milliseconds,
    PostDraws,
    UpdateDraws,
)
from outsim.vocabulary import OUTCOMES, POST_RESULTS, QUEUED_KIND, TIMEOUT, UPDATE_KINDS

DEFAULT_RING_S = 12.0
"""Ringing until a pinned number is answered, where the pin doesn't say."""

_ALL_LOST = sum(1 << kind for kind in range(len(UPDATE_KINDS)) if kind != QUEUED_KIND)
"""Every update that tells that a call went out."""


@dataclass(frozen=True)
class PinnedCall:
    """What becomes of the attempts of one call, whatever is drawn for it."""

    outcome: str
    ring_ms: int
    talk_ms: int | None

    @classmethod
    def of(cls, pin: Pin) -> PinnedCall:
        """What a pin says."""
        assert pin.outcome is not None
        ring_s = DEFAULT_RING_S if pin.after_s is None else pin.after_s
        talk_ms = None if pin.talk_s is None else round(pin.talk_s * 1000)
        return cls(pin.outcome, round(ring_s * 1000), talk_ms)

    @property
    def code(self) -> int:
        """Code of the outcome of its attempts."""
        answered = self.outcome in ("refused", "stuck", "wedged", "misdetected")
        return OUTCOMES.index("human" if answered else self.outcome)


class SessionTape(Tape):
    """Tape of one campaign that was handed in; it draws for nobody else.

    Parameters
    ----------
    tape : Tape
        The session's.
    pinned : mapping
        Pinned calls by their place in the campaign.
    has_handler : bool
        Whether posts go to a real handler: one that it never answered has timed out.
    """

    def __init__(self, tape: Tape, pinned: Mapping[int, PinnedCall], *, has_handler: bool) -> None:
        self.__dict__.update(copy(tape).__dict__)
        self.pinned = pinned
        self.has_handler = has_handler
        self._drawn: dict[int, Milliseconds] = {}
        self._answers: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)

    def answer(self, index: int, answer: Answer) -> None:
        """Keep what a handler answered about a call."""
        fails = max(0, POST_RESULTS.index(answer.result) - TIMEOUT)
        latency_ms = LONGEST_MS if answer.result == "timeout" else answer.latency_ms
        self._answers[answer.post].append((index, latency_ms, fails))

    @override
    def contacts(self, tenant: str, campaign: str, model: CallModel, count: int) -> ContactDraws:
        draws = super().contacts(tenant, campaign, model, count)
        for index, pinned in self.pinned.items():
            draws.trait[index] = TRAIT_NONE
            draws.wedged[index] = pinned.outcome == "wedged"
            draws.missing_ani[index] = False
        return draws

    @override
    def attempts(
        self, tenant: str, campaign: str, model: CallModel, attempt: int, count: int
    ) -> AttemptDraws:
        draws = super().attempts(tenant, campaign, model, attempt, count)
        for index, pinned in self.pinned.items():
            row = draws.rows[index : index + 1]
            row["recorded_outcome"] = pinned.code
            row["ring_human_ms"] = row["ring_voicemail_ms"] = pinned.ring_ms
            if pinned.talk_ms is not None:
                row["talk_human_ms"] = row["talk_voicemail_ms"] = pinned.talk_ms
            row["misdetected"] = pinned.outcome == "misdetected"
            row["ani_refused"] = REFUSED if pinned.outcome == "refused" else 0
        return draws

    @override
    def updates(
        self, tenant: str, campaign: str, model: CallModel, attempt: int, count: int
    ) -> UpdateDraws:
        draws = super().updates(tenant, campaign, model, attempt, count)
        for index, pinned in self.pinned.items():
            draws.lost[index] = _ALL_LOST if pinned.outcome == "stuck" and attempt else 0
        return draws

    @override
    def posts(
        self,
        tenant: str,
        campaign: str,
        latency: Distribution,
        failure_share: float,
        post: int,
        count: int,
    ) -> PostDraws:
        if not self.has_handler:
            return super().posts(tenant, campaign, latency, failure_share, post, count)
        draws = PostDraws(
            latency_ms=np.full(count, LONGEST_MS, np.int32), fails=np.zeros(count, np.uint8)
        )
        for index, latency_ms, fails in self._answers[post]:
            draws.latency_ms[index] = latency_ms
            draws.fails[index] = fails
        return draws

    def drawn_posts(
        self, tenant: str, campaign: str, latency: Distribution, post: int, count: int
    ) -> Milliseconds:
        """How long posts with this number would take by the scenario."""
        if post not in self._drawn:
            draws = super().posts(tenant, campaign, latency, 0.0, post, count)
            self._drawn[post] = draws.latency_ms
        return self._drawn[post]

"""The tape: every random input of a run, drawn before anything moves.

The engines contain no randomness. They read what the tape says about the n-th
call's k-th attempt, so two runs that differ only in their mechanics have
common random numbers by construction.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsim.distributions import Distribution
from outsim.errors import TapeError
from outsim.tape.draws import (
    UPDATE_KINDS,
    AttemptDraws,
    CallModel,
    ContactDraws,
    PostDraws,
    UpdateDraws,
    constant_us,
    heard_s,
    lost_bits,
    traits,
    whole_ms,
    work_us,
)
from outsim.tape.recorded import RecordedAttempts, read_recorded
from outsim.tape.streams import Purpose, uniforms

__all__ = ["Purpose", "Tape"]

_NO_WORK: NDArray[np.int64] = np.empty(0, dtype=np.int64)


class Tape:
    """All random inputs of one run.

    Parameters
    ----------
    seed : int
        Seed of a study, 0 to 2**63 - 1.
    replication : int
        Which of its replications, from 0.

    Raises
    ------
    TapeError
        If seed or replication is negative, or too large.

    Examples
    --------
    >>> Tape(1).uniforms("acme", "reminders", Purpose.OUTCOME, attempt=1, count=2).round(3)
    array([0.346, 0.811])
    """

    def __init__(self, seed: int, replication: int = 0) -> None:
        for name, value in (("seed", seed), ("replication", replication)):
            if not 0 <= value < 2**63:
                raise TapeError(f"{name} {value}: must be 0 to 2**63 - 1")
        self.seed = seed
        self.replication = replication
        self._recorded: dict[tuple[str, str], RecordedAttempts] = {}

    @classmethod
    def from_table(cls, table: Any, *, seed: int = 1, replication: int = 0) -> Tape:
        """Tape whose attempts are recorded data: trace-driven simulation.

        Parameters
        ----------
        table : DataFrame or mapping of arrays
            One row per recorded attempt, with columns ``campaign`` (and ``tenant``, where
            campaigns of two tenants share a name), ``index`` (of the call in its campaign,
            from 0), ``attempt`` (from 1), and any of ``outcome``, ``post_dial_s``,
            ``ring_s``, ``talk_s``. What is missing or empty is drawn from the seed.

        Raises
        ------
        TapeError
            If a column is missing or unknown, a row stands twice, or a value can't be used.
        """
        tape = cls(seed, replication)
        tape._recorded = read_recorded(table)
        return tape

    def __repr__(self) -> str:
        recorded = f", recorded={len(self._recorded)} campaigns" if self._recorded else ""
        return f"Tape(seed={self.seed}, replication={self.replication}{recorded})"

    @property
    def recorded_campaigns(self) -> list[tuple[str, str]]:
        """Tenant (empty where none is given) and name of the campaigns with recorded attempts."""
        return list(self._recorded)

    def uniforms(
        self, tenant: str, campaign: str, purpose: int, *, attempt: int = 0, count: int
    ) -> NDArray[np.float64]:
        """First `count` uniforms of one stream, one for each call of the campaign."""
        return uniforms(self.seed, self.replication, tenant, campaign, purpose, attempt, count)

    def contacts(self, tenant: str, campaign: str, model: CallModel, count: int) -> ContactDraws:
        """Traits of the first `count` contacts of a campaign."""

        def stream(purpose: Purpose) -> NDArray[np.float64]:
            return self.uniforms(tenant, campaign, purpose, count=count)

        return ContactDraws(
            trait=traits(model, stream(Purpose.TRAIT)),
            wedged=stream(Purpose.WEDGED) < model.wedged_calls,
            missing_ani=(
                stream(Purpose.MISSING_ANI) < model.missing_ani_share
                if model.missing_ani_share > 0
                else np.zeros(count, dtype=np.bool_)
            ),
        )

    def attempts(
        self, tenant: str, campaign: str, model: CallModel, attempt: int, count: int
    ) -> AttemptDraws:
        """Draws of the attempts numbered `attempt` (from 1) of the first `count` calls."""

        def stream(purpose: Purpose) -> NDArray[np.float64]:
            return self.uniforms(tenant, campaign, purpose, attempt=attempt, count=count)

        callees = model.callees
        ring, talk = stream(Purpose.RING), stream(Purpose.TALK)
        ring_off = callees.phone_off_ring.quantile_s(ring)
        ring_on = callees.ring_voicemail.quantile_s(ring)
        phone_off = stream(Purpose.PHONE_OFF) < callees.phone_off
        key_press = stream(Purpose.KEY_PRESS) if model.asks_for_key else None
        draws = AttemptDraws(
            outcome=stream(Purpose.OUTCOME),
            recorded_outcome=np.full(count, -1, dtype=np.int8),
            post_dial_ms=whole_ms(
                callees.post_dial_delay.quantile_s(stream(Purpose.POST_DIAL_DELAY))
            ),
            ring_human_ms=whole_ms(callees.ring_human.quantile_s(ring)),
            ring_voicemail_ms=whole_ms(np.where(phone_off, ring_off, ring_on)),
            talk_human_ms=whole_ms(heard_s(model, talk, stream(Purpose.HANG_UP), key_press)),
            talk_voicemail_ms=whole_ms(
                callees.greeting.quantile_s(talk) + model.message.quantile_s(talk)
            ),
            misdetected=(stream(Purpose.DETECTION) >= model.detection_accuracy).astype(np.uint8),
            ani_refused=(stream(Purpose.ANI_REFUSAL) < model.missing_ani_refusal).astype(np.uint8),
            dial_work_us=(
                _NO_WORK
                if constant_us(model.dial_work) >= 0
                else work_us(model.dial_work, [stream(Purpose.DIAL_WORK)])[0]
            ),
        )
        recorded = self._recorded.get((tenant, campaign)) or self._recorded.get(("", campaign))
        return draws if recorded is None else recorded.laid_over(draws, attempt)

    def updates(
        self, tenant: str, campaign: str, model: CallModel, attempt: int, count: int
    ) -> UpdateDraws:
        """Draws of the updates about the attempts numbered `attempt` of the first `count` calls.

        Attempt 0 stands for what happens to a call before it is ever dialled.
        """

        def streams(purpose: Purpose) -> list[NDArray[np.float64]]:
            return [
                self.uniforms(tenant, campaign, purpose + kind, attempt=attempt, count=count)
                for kind in range(len(UPDATE_KINDS))
            ]

        return UpdateDraws(
            lost=(
                lost_bits(model.lost_updates, streams(Purpose.LOST_UPDATE))
                if model.lost_updates > 0
                else np.zeros(count, dtype=np.uint8)
            ),
            status_work_us=(
                _NO_WORK
                if constant_us(model.status_work) >= 0
                else work_us(model.status_work, streams(Purpose.STATUS_WORK))
            ),
        )

    def posts(
        self,
        tenant: str,
        campaign: str,
        latency: Distribution,
        failure_share: float,
        post: int,
        count: int,
    ) -> PostDraws:
        """Draws of the posts numbered `post` (from 1) about the first `count` calls."""

        def stream(purpose: Purpose) -> NDArray[np.float64]:
            return self.uniforms(tenant, campaign, purpose, attempt=post, count=count)

        return PostDraws(
            latency_ms=whole_ms(latency.quantile_s(stream(Purpose.LATENCY))),
            fails=(stream(Purpose.POST_FAILURE) < failure_share).astype(np.uint8),
        )

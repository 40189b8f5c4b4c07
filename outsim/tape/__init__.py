"""The tape: every random input of a run, drawn before anything moves.

The engines contain no randomness. They read what the tape says about the n-th
call's k-th attempt, so two runs that differ only in their mechanics have
common random numbers by construction.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from outsim.distributions import Distribution
from outsim.errors import TapeError
from outsim.tape.drawing import draw_attempts, draw_contacts, draw_posts, draw_updates
from outsim.tape.draws import AttemptDraws, CallModel, ContactDraws, PostDraws, UpdateDraws
from outsim.tape.recorded import RecordedAttempts, read_recorded, table_of
from outsim.tape.streams import STRATA, Family, Purpose, family, uniforms
from outsim.units import shown

__all__ = ["STRATA", "Purpose", "Tape"]

Value = TypeVar("Value")

_Memory = dict[tuple[Any, ...], Any]
"""What was drawn: by its key, a list of what shaped it and what it is."""


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
    array([0.082, 0.411])
    """

    def __init__(self, seed: int, replication: int = 0) -> None:
        for name, value in (("seed", seed), ("replication", replication)):
            if not 0 <= value < 2**63:
                raise TapeError(f"{name} {shown(value)}: must be 0 to 2**63 - 1")
        self.seed = seed
        self.replication = replication
        self.stratum = 0
        """Which of the stratified runs of the replication it is for; 0 for the plain one."""
        self.is_mirrored = False
        """Whether it holds 1 - u where the other run of its antithetic pair has u."""
        self._recorded: dict[tuple[str, str], RecordedAttempts] = {}
        self._memory: _Memory | None = None

    def remembering(self) -> Tape:
        """The same tape, which keeps what it has drawn: several runs then draw it once.

        It is as large as all that they ask it for.
        """
        if self._memory is not None:
            return self
        twin = copy(self)
        twin._memory = {}
        return twin

    def mirrored(self) -> Tape:
        """The other tape of the antithetic pair: 1 - u where this one has the uniform u.

        All that is drawn is mirrored, background tenants included: a run's law is the same, and
        where they start is most of what replications differ by. What is recorded stays.
        """
        twin = self._anew()
        twin.is_mirrored = not self.is_mirrored
        return twin

    def in_stratum(self, stratum: int) -> Tape:
        """Tape of one of the stratified runs of this replication.

        Together they have each uniform once in each of `STRATA` equal parts of the unit interval;
        each by itself is as good a tape as the plain one, which is `stratum` 0. What is recorded
        stays.

        Raises
        ------
        TapeError
            If there is no such run.
        """
        if not 0 <= stratum < STRATA:
            raise TapeError(f"stratum {shown(stratum)}: must be 0 to {STRATA - 1}")
        twin = self._anew()
        twin.stratum = stratum
        return twin

    def _anew(self) -> Tape:
        """A copy that remembers nothing yet, if it remembers at all."""
        twin = copy(self)
        twin._memory = None if self._memory is None else {}
        return twin

    def _once(
        self, key: tuple[Any, ...], shape: tuple[Any, ...], draw: Callable[[], Value]
    ) -> Value:
        """What `draw` gives; if it is remembered, from the last time with this key and shape."""
        if self._memory is None:
            return draw()
        values: list[tuple[tuple[Any, ...], Value]] = self._memory.setdefault(key, [])
        for known, value in values:
            if all(a is b or a == b for a, b in zip(known, shape, strict=True)):
                return value
        value = draw()
        values.append((shape, value))
        return value

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
        seed, replication : int
            Of the draws that the table does not have.

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
        stratum = f", stratum={self.stratum}" if self.stratum else ""
        mirrored = ", mirrored" if self.is_mirrored else ""
        key = f"seed={self.seed}, replication={self.replication}"
        return f"Tape({key}{stratum}{mirrored}{recorded})"

    @property
    def recorded_campaigns(self) -> list[tuple[str, str]]:
        """Tenant (empty where none is given) and name of the campaigns with recorded attempts."""
        return list(self._recorded)

    @property
    def recorded_table(self) -> Any:
        """What was recorded, as a table that `from_table` takes; None if nothing was."""
        return table_of(self._recorded) if self._recorded else None

    def uniforms(
        self, tenant: str, campaign: str, purpose: int, *, attempt: int = 0, count: int
    ) -> NDArray[np.float64]:
        """First `count` uniforms of one stream, float64, one for each call of the campaign.

        The stream is that of a `tenant`, its `campaign`, a `purpose` of `Purpose`, and an
        `attempt` number.
        """
        return uniforms(self._family(tenant, campaign), purpose, attempt, count)

    def contacts(self, tenant: str, campaign: str, model: CallModel, count: int) -> ContactDraws:
        """Traits of the first `count` contacts of a `campaign` of a `tenant`, by its `model`."""
        streams = self._family(tenant, campaign)
        return self._once(
            ("contacts", tenant, campaign),
            (model, count),
            lambda: draw_contacts(streams, model, count),
        )

    def attempts(
        self, tenant: str, campaign: str, model: CallModel, attempt: int, count: int
    ) -> AttemptDraws:
        """Draws of the attempts numbered `attempt` (from 1) of the first `count` calls.

        The calls are those of a `campaign` of a `tenant`, by its `model`.
        """
        streams = self._family(tenant, campaign)
        recorded = self._recorded.get((tenant, campaign)) or self._recorded.get(("", campaign))

        def draw() -> AttemptDraws:
            draws = draw_attempts(streams, model, attempt, count)
            if recorded is not None:
                recorded.lay_over(draws, attempt)
            return draws

        return self._once(("attempts", tenant, campaign, attempt), (model, count), draw)

    def updates(
        self, tenant: str, campaign: str, model: CallModel, attempt: int, count: int
    ) -> UpdateDraws:
        """Draws of the updates about the attempts numbered `attempt` of the first `count` calls.

        The calls are those of a `campaign` of a `tenant`, by its `model`. Attempt 0 stands for
        what happens to a call before it is ever dialed.
        """
        streams = self._family(tenant, campaign)
        return self._once(
            ("updates", tenant, campaign, attempt),
            (model, count),
            lambda: draw_updates(streams, model, attempt, count),
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
        """Draws of the posts numbered `post` (from 1) about the first `count` calls.

        The calls are those of a `campaign` of a `tenant`; its endpoint takes a time of `latency`,
        and answers a `failure_share` of posts with an error.
        """
        streams = self._family(tenant, campaign)
        return self._once(
            ("posts", tenant, campaign, post),
            (latency, failure_share, count),
            lambda: draw_posts(streams, latency, failure_share, post, count),
        )

    def millionths(
        self, tenant: str, campaign: str, purpose: int, *, attempt: int = 0, count: int
    ) -> NDArray[np.int64]:
        """First `count` uniforms of one stream, in whole millionths, one for each call.

        The stream is that of a `tenant`, its `campaign`, a `purpose` of `Purpose`, and an
        `attempt` number.
        """
        uniforms = self.uniforms(tenant, campaign, purpose, attempt=attempt, count=count)
        return np.multiply(uniforms, 1_000_000).astype(np.int64)

    def _family(self, tenant: str, campaign: str) -> Family:
        return family(
            self.seed, self.replication, tenant, campaign, self.stratum, self.is_mirrored
        )

"""Hands the kernel what the tape says, when the first call gets there."""

from __future__ import annotations

from typing import Any

import numpy as np

from outsim.engine.compiled.state import State, address_of
from outsim.plan import Plan


class Draws:
    """Everything that was drawn so far; branches of a run share it, as the tape is the same."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._attempts: dict[tuple[int, int], tuple[int, int, int, int]] = {}
        self._posts: dict[tuple[int, int], tuple[int, int]] = {}
        self._kept: list[np.ndarray[Any, Any]] = []

    def _address(self, array: np.ndarray[Any, Any]) -> int:
        self._kept.append(array)
        return address_of(array)

    def hand_attempts(self, state: State, rank: int, attempt: int) -> None:
        """Give a run the draws of a campaign's attempts with this number, 0 for none yet."""
        campaign = self.plan.campaigns[rank]
        found = self._attempts.get((rank, attempt))
        if found is None:
            updates = campaign.updates(attempt)
            rows = dial_work = 0
            if attempt > 0:
                draws = campaign.attempts(attempt)
                rows, dial_work = self._address(draws.rows), self._address(draws.dial_work_us)
            lost, status_work = self._address(updates.lost), self._address(updates.status_work_us)
            found = self._attempts[rank, attempt] = rows, lost, dial_work, status_work
        first = int(state.arrays["campaigns"][rank]["blocks"])
        state.arrays["blocks"][first + attempt] = found
        if campaign.result_url is not None:
            self.hand_posts(state, rank, 1)

    def hand_posts(self, state: State, rank: int, post: int) -> None:
        """Give a run the draws of a campaign's posts with this number."""
        found = self._posts.get((rank, post))
        if found is None:
            draws = self.plan.campaigns[rank].posts(post)
            found = self._address(draws.latency_ms), self._address(draws.fails)
            self._posts[rank, post] = found
        first = int(state.arrays["campaigns"][rank]["posts"])
        state.arrays["posts"][first + post] = found

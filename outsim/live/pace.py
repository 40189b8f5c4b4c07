"""How fast a clock goes, and where a free one should be by the wall clock."""

from __future__ import annotations

from time import perf_counter

from outsim.clock import SECOND

BEHIND_S = 1.0
"""Lag of a free clock that it does not try to make up for, and says so."""
LONGEST_LIMIT_S = 30.0
"""How long a page may take at most by the wall clock, where its time does not count."""


class Pace:
    """Speed of a clock, and the wall time by which it has fallen behind."""

    def __init__(self) -> None:
        self.speed = 1.0
        self.behind_s = 0.0
        self._said_s = 0.0
        self._wall_s, self._at = 0.0, 0

    def anchor(self, at: int) -> None:
        """It goes on from here and now."""
        self._wall_s, self._at = perf_counter(), at

    @property
    def due_us(self) -> int:
        """Where a free clock should be now."""
        return self._at + int((perf_counter() - self._wall_s) * self.speed * SECOND)

    def wall_s(self, duration_us: int) -> float:
        """What a duration of simulated time is by the wall clock."""
        return duration_us / SECOND / self.speed

    def limit_s(self, timeout_us: int, *, is_timed: bool) -> float:
        """How long a page may take by the wall clock; its time counts at the speed, or not."""
        return self.wall_s(timeout_us) if is_timed else min(timeout_us / SECOND, LONGEST_LIMIT_S)

    def set(self, speed: float, at: int) -> None:
        """It goes on from here and now at this speed, and is not behind."""
        self.speed = speed
        self.behind_s = self._said_s = 0.0
        self.anchor(at)

    def slow_down(self, lag_s: float, at: int, *, has_waited: bool = False) -> bool:
        """Give up on a lag: a long one, or one of waiting; whether it is time to say so."""
        if lag_s <= (0.0 if has_waited else BEHIND_S):
            return False
        self.behind_s += lag_s
        self.anchor(at)
        if self.behind_s - self._said_s < BEHIND_S:
            return False
        self._said_s = self.behind_s
        return True

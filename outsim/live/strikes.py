"""Which faults of the interface strike a request or a post: counts, shares, and whose it is."""

from __future__ import annotations

import numpy as np

from outsim.live.inputs import LIMITS, Fault, FaultKind
from outsim.live.planning import SessionPlan
from outsim.tape import Purpose

_FIRST_DRAWS = 64


class Strikes:
    """How often each fault has struck, and whether it strikes next.

    Parameters
    ----------
    session : SessionPlan
        What was ordered.
    """

    def __init__(self, session: SessionPlan) -> None:
        self._session = session
        self._counts: dict[int, int] = {}
        self._asked: dict[int, int] = {}
        self._drawn: dict[int, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}

    def count(self, fault: int) -> None:
        """It has struck once more."""
        self._counts[fault] = self._counts.get(fault, 0) + 1

    def is_used_up(self, fault: Fault) -> bool:
        """Whether it has struck as often as it was to."""
        return fault.count is not None and self._counts.get(fault.number, 0) >= fault.count

    def meet(self, of: FaultKind, now: int, **met: str | None) -> Fault | None:
        """The fault that strikes what comes now, if one does.

        Whether it does is drawn by the seed, so asking twice is two requests.
        """
        for number, fault in self._session.faults.items():
            begins = fault.at if fault.begins is None else fault.begins
            if fault.of != of or now < begins or (fault.ends is not None and now >= fault.ends):
                continue
            if self.is_used_up(fault):
                continue
            limits = {
                name: limit for name in LIMITS if (limit := getattr(fault, name)) is not None
            }
            if any(met.get(name) != limit for name, limit in limits.items()):
                continue
            if self._draw(number) < fault.share:
                return fault
        return None

    def _draw(self, fault: int) -> float:
        """The next uniform of a fault; more of them are drawn as more are asked for."""
        place = self._asked.get(fault, 0)
        self._asked[fault] = place + 1
        drawn = self._drawn.get(fault)
        if drawn is None or place >= len(drawn):
            count = max(_FIRST_DRAWS, 2 * place)
            drawn = self._session.tape.uniforms(
                "", f"fault {fault}", Purpose.POST_FAILURE, count=count
            )
            self._drawn[fault] = drawn
        return float(drawn[place])

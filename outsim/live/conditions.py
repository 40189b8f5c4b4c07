"""What an advancing clock can be asked to stop at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from outsim.errors import SandboxError
from outsim.live.board import Board
from outsim.live.clock import Until
from outsim.live.planning import SessionPlan
from outsim.live.views import EventKind

Condition = Callable[[], bool]
"""Whether something has come to be."""


@dataclass(eq=False)
class _Watch:
    """Looks out for the next thing of a kind."""

    kind: EventKind
    tenant: str | None
    campaign: str | None
    is_met: bool = False

    def see(self, kind: EventKind, tenant: str, campaign: str) -> None:
        self.is_met = self.is_met or (
            kind == self.kind
            and self.tenant in (None, tenant)
            and self.campaign in (None, campaign)
        )


class Conditions:
    """Conditions of a session, and the events that some of them look out for."""

    def __init__(self, session: SessionPlan, board: Board) -> None:
        self._session = session
        self._board = board
        self._watch: _Watch | None = None

    def of(self, what: Until, tenant: str | None, campaign: str | None) -> Condition:
        """Whether something has come to be since now."""
        if what == "idle":
            return lambda: self._board.is_idle
        if what == "campaign over":
            if tenant is None or campaign is None:
                raise SandboxError("campaign over: name tenant and campaign")
            rank = self._session.find(tenant, campaign).plan.rank
            return lambda: self._board.is_over(rank)
        watch = _Watch(
            "visible" if what == "next update visible" else "delivery_begun", tenant, campaign
        )
        self._watch = watch
        return lambda: watch.is_met

    def see(self, kind: EventKind, tenant: str, campaign: str) -> None:
        """Look at an event."""
        if self._watch is not None:
            self._watch.see(kind, tenant, campaign)

    def clear(self) -> None:
        """Look out for nothing any more."""
        self._watch = None

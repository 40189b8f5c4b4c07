"""What an advancing clock can be asked to stop at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from outsim.errors import SandboxError, unknown_name
from outsim.live.board import Board, Coming
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
        if what in ("idle", "reported", "campaign over"):
            coming = self._coming(what, tenant, campaign)
            if what == "campaign over":
                return lambda: coming.unfinished == 0
            return lambda: coming.is_nothing
        watch = _Watch(
            "visible" if what == "next update visible" else "delivery_begun", tenant, campaign
        )
        self._watch = watch
        return lambda: watch.is_met

    def _coming(self, what: Until, tenant: str | None, campaign: str | None) -> Coming:
        """What is still to come of those that a condition is about."""
        if what == "idle" and not tenant is campaign is None:
            raise SandboxError("idle is about everybody; reported is about those that you name")
        if what == "campaign over" and campaign is None:
            raise SandboxError("campaign over: name tenant and campaign")
        if campaign is not None:
            if tenant is None:
                raise SandboxError(f"{what}: name the tenant of {campaign!r} as well")
            return self._board.coming_of(self._session.find(tenant, campaign))
        if tenant is not None and tenant not in self._session.tenants:
            raise SandboxError(unknown_name("tenant", tenant, self._session.tenants), "unknown")
        return self._board.coming(tenant)

    def see(self, kind: EventKind, tenant: str, campaign: str) -> None:
        """Look at an event."""
        if self._watch is not None:
            self._watch.see(kind, tenant, campaign)

    def clear(self) -> None:
        """Look out for nothing any more."""
        self._watch = None

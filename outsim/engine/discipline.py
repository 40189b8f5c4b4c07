"""A discipline of one's own: who goes next in the outbound queue, in Python.

The readable engine takes one: ``outsim.simulate(scenario, engine="simpy", discipline=Mine)``,
where ``Mine`` is a class made from `Discipline`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class QueuedCall:
    """A call that waits in the outbound queue, as a `Discipline` sees it."""

    call_id: int
    """Its number, as in `Result.calls`."""
    tenant: str
    """Whose it is."""
    campaign: str
    """The campaign that it belongs to."""
    priority: int
    """Priority class of the campaign, 1 to 9."""
    attempt: int
    """The dial that it waits for, from 1: from 2 on it is a retry."""
    entry: int
    """Number of its entry into the queue, over the whole platform: a lower one is older."""
    queued_us: int
    """When it entered, in microseconds since the run begins."""
    expires_us: int | None
    """When it expires, in microseconds since the run begins; None if it never does."""


@dataclass(frozen=True, slots=True)
class PortsInUse:
    """The moment at which a `Discipline` chooses, and who holds the ports then."""

    now_us: int
    """Microseconds since the run begins."""
    in_service: int
    """Ports in service."""
    busy: Mapping[str, int]
    """Busy ports by tenant, of all tenants that have a campaign."""


class Discipline:
    """Who goes next in the outbound queue; make a class from it and say it in your own way.

    As it stands it is first in, first out. Override `order`, or `choose`, or both. An engine makes
    one for each run, without arguments, so it may remember things. Give the same answers in the
    same situation: a run is repeated by its seed.

    A call that is held back (by its window, a suspension, a limit) is not among those to choose
    from and keeps its place; dial rate, ports and everything else of the model stay as they are,
    and `outsim.results.invariants.check_invariants` holds the run to all of it but the queue's
    order.

    Examples
    --------
    >>> import outsim
    >>> class RetriesFirst(outsim.Discipline):
    ...     def order(self, call):
    ...         return -call.attempt
    ...
    ...     def choose(self, heads, ports):
    ...         return min(heads, key=lambda call: (-call.attempt, call.entry))
    >>> scenario = outsim.load("scenarios/port-shortage.toml")
    >>> smaller = scenario.with_({"campaign[renewal notices].contacts": 300})
    >>> result = outsim.simulate(smaller, engine="simpy", discipline=RetriesFirst)
    >>> int(result.attempts["attempt"].max())
    3
    """

    def order(self, call: QueuedCall) -> Any:
        """Place of a call among those of its campaign that are held back together with it.

        Asked once, as the call enters. The lowest goes first, of equal ones the oldest.

        Parameters
        ----------
        call : QueuedCall
            The call that enters.

        Returns
        -------
        number, text or tuple of them
            Whatever can be compared with the places of other calls.
        """
        return call.entry

    def choose(self, heads: Sequence[QueuedCall], ports: PortsInUse) -> QueuedCall:  # noqa: ARG002
        """The call that goes next, once there is a port and a dial token.

        Asked whenever that may have changed; not each answer leads to a dispatch.

        Parameters
        ----------
        heads : sequence of QueuedCall
            The first call of each campaign that may go now (of each callee zone, where a window
            follows the callees' clocks), oldest first; at least one.
        ports : PortsInUse
            The moment, and who holds the ports.

        Returns
        -------
        QueuedCall
            One of `heads`.
        """
        return heads[0]

    def dispatched(self, call: QueuedCall) -> None:
        """Take note that a call has gone: it has a port and a dial token.

        Parameters
        ----------
        call : QueuedCall
            The call that `choose` gave last.
        """

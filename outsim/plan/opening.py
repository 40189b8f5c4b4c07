"""Where a campaign's calls stand when a run begins in the middle."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Instants = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Opening:
    """What has happened to the calls of a campaign before the moment of a snapshot.

    Arrays have one entry for each call that the run still has to dial, in the order in which
    they become ready. Instants are microseconds since the scenario begins.
    """

    at_us: int
    """The moment. Nothing is dispatched before it."""
    ready_us: Instants
    """When each call is, or will be, ready to enter the queue; ascending."""
    attempts: NDArray[np.int8]
    """Attempts of each that are over, or will be when it is ready."""
    failures: NDArray[np.int8]
    """Those of them that reached the callee and were not answered."""
    last_failure_us: Instants
    """When the last of those ended; `clock.MISSING` where it is not known, or there is none."""
    is_loaded: NDArray[np.bool_]
    """Whether each has been in the queue already: it is not wedged, then."""
    places: Instants = field(repr=False)
    """Index of each call that the snapshot tells of, in the order of `STATES`; -1 where it has
    nothing more to dial."""
    settled_us: Instants
    """When those under way end that have nothing more to dial."""
    settled_out: int
    """Calls with nothing more to dial that have been dialed at least once."""
    settled_undialed: int
    """Calls that expired before they were ever dialled."""

    @property
    def is_out(self) -> NDArray[np.bool_]:
        """Whether the carrier took an attempt of each before the moment.

        An attempt that it took and did not cut off was not answered, or nothing would be left to
        dial: it is a failure of the callee. One that it refused is none, and reached nobody.
        """
        return np.asarray(self.failures > 0)

    @property
    def out(self) -> int:
        """Calls of which the carrier took an attempt before the moment."""
        return self.settled_out + int(np.count_nonzero(self.is_out))

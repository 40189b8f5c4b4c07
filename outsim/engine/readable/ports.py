"""The platform's ports."""

from __future__ import annotations


class Ports:
    """The platform's ports: one for each simultaneous call."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.out_of_service = 0
        self.busy = 0
        self.free_since = 0

    @property
    def in_service(self) -> int:
        """Ports that can be taken or are busy, but for those that leave as their calls end."""
        return max(0, self.count - self.out_of_service)

    @property
    def free(self) -> int:
        """Ports that can be taken; negative while busy ones are due to leave."""
        return self.in_service - self.busy

    def give_back(self, now: int) -> None:
        """A call has ended."""
        self.busy -= 1
        if self.free == 1:
            self.free_since = now

    def change_service(self, out_of_service: int, now: int) -> None:
        """Put ports in or out of service."""
        had_free = self.free > 0
        self.out_of_service += out_of_service
        if self.free > 0 and not had_free:
            self.free_since = now

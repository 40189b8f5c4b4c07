"""The platform's ports: one for each simultaneous call."""

from __future__ import annotations

from outsim.engine.compiled.memory import Row, kernel


@kernel
def in_service(p: Row) -> int:
    """Ports that can be taken or are busy, but for those that leave as their calls end."""
    return max(0, p.port_count - p.ports_out)


@kernel
def free(p: Row) -> int:
    """Ports that can be taken; negative while busy ones are due to leave."""
    return in_service(p) - p.ports_busy


@kernel
def give_back(p: Row) -> None:
    """A call has ended."""
    p.ports_busy -= 1
    if free(p) == 1:
        p.ports_free_since = p.now


@kernel
def change_service(p: Row, out_of_service: int) -> None:
    """Put ports in or out of service."""
    had_free = free(p) > 0
    p.ports_out += out_of_service
    if free(p) > 0 and not had_free:
        p.ports_free_since = p.now

"""The platform's ports: in service, busy, and since when one is free."""

from __future__ import annotations

from outsim.engine.compiled.memory import Row, kernel


@kernel
def free_ports(p: Row) -> int:
    """Ports that can be taken; negative while busy ones are due to leave."""
    return max(0, p.port_count - p.ports_out) - p.ports_busy


@kernel
def give_back(p: Row) -> None:
    """A call has ended."""
    p.ports_busy -= 1
    if free_ports(p) == 1:
        p.ports_free_since = p.now


@kernel
def change_ports(p: Row, out_of_service: int) -> None:
    """Put ports in or out of service."""
    had_free = free_ports(p) > 0
    p.ports_out += out_of_service
    if free_ports(p) > 0 and not had_free:
        p.ports_free_since = p.now

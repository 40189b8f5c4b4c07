"""What is to happen when, on a SimPy environment.

SimPy orders by time and then by priority. A priority made of the event's class
and key (see `outsim.engine.order`) gives the written order natively.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simpy
from simpy.events import EventPriority

from outsim.engine.order import CLASS_BITS, EventClass


class Moment(simpy.Event):
    """A SimPy event that is due at a known instant and carries one value."""

    def __init__(self, env: simpy.Environment, value: Any) -> None:
        self.env = env
        self.callbacks = []
        self._value = value
        self._ok = True
        self._defused = False


Action = Callable[[Any], None]


class Agenda:
    """Schedules what is to happen on a SimPy environment."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self.now = int(env.now)
        """Microseconds since the scenario begins; whoever lets time pass keeps it right."""

    def moment(self, at: int, event_class: EventClass, key: int, value: Any = None) -> Moment:
        """Event for an actor to wait for."""
        moment = Moment(self.env, value)
        priority = EventPriority((event_class << CLASS_BITS) | key)
        self.env.schedule(moment, priority, at - self.now)
        return moment

    def call(
        self, at: int, event_class: EventClass, key: int, action: Action, value: Any = None
    ) -> None:
        """Have ``action(value)`` called then: a timer."""
        moment = self.moment(at, event_class, key, value)
        moment.callbacks.append(lambda _: action(value))

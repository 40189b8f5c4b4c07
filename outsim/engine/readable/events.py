"""What is to happen when, on a SimPy environment.

SimPy orders by time and then by priority. A priority made of the event's class
and key (see `outsim.engine.order`) gives the written order natively.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy

from outsim.engine.order import CLASS_BITS, EventClass

Process = Generator[simpy.Event, Any, Any]
"""What an actor does, one thing after the other; it yields what it waits for."""


class Event(simpy.Event):
    """Something that a process can wait for."""

    def __init__(self, env: simpy.Environment, value: Any = None) -> None:
        # Not by way of the parent: it is one of the two things that a run does most often.
        self.env = env
        self.callbacks = []
        self._value = value
        self._ok = True

    def happen(self) -> None:
        """Have it happen at once: whoever waits for it goes on before anything else does."""
        callbacks, self.callbacks = self.callbacks, None  # type: ignore[assignment]
        for callback in callbacks:
            callback(self)


class EventList:
    """The future events of a run, in their order."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self.now = int(env.now)
        """Microseconds since the scenario begins; whoever lets time pass keeps it right."""

    def event(self, value: Any = None) -> Event:
        """Something that somebody else will have happen."""
        return Event(self.env, value)

    def schedule(self, event: Event, at: int, event_class: EventClass, key: int) -> None:
        """Have an event happen then."""
        priority = (event_class << CLASS_BITS) | key
        self.env.schedule(event, priority, at - self.now)  # type: ignore[arg-type]

    def at(self, at: int, event_class: EventClass, key: int) -> Event:
        """A new event, that happens then."""
        event = Event(self.env)
        self.schedule(event, at, event_class, key)
        return event

    def call(self, at: int, event_class: EventClass, key: int, action: Callable[[], None]) -> None:
        """Have an action done then: a timer."""
        self.at(at, event_class, key).callbacks.append(lambda _: action())

    def start(self, process: Process) -> simpy.Process:
        """Have an actor begin now."""
        return self.env.process(process)

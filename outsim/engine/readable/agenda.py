"""The order of events: time, then class, then whose event it is.

SimPy orders by time and then by priority. A priority made of the class and of
the place of tenant, campaign, call and attempt in their written order gives
the order of the design, and leaves nothing to the order of insertion.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

import simpy
from simpy.events import EventPriority

INDEX_BITS = 27
ATTEMPT_BITS = 4
STEP_BITS = 4
CALL_BITS = ATTEMPT_BITS + STEP_BITS
CAMPAIGN_BITS = INDEX_BITS + CALL_BITS
CLASS_BITS = 58


class EventClass(IntEnum):
    """What goes first at the same instant."""

    ATTEMPT_ENDS = 0
    """An attempt ends and frees its port."""
    WORKER_FINISHES = 1
    """A worker finishes dial work or an update."""
    CONTROL = 2
    """Stops, suspensions, outages, windows, expiries, and their ends."""
    ENTERS_QUEUE = 3
    """A call enters the queue, or asks to."""
    DISPATCH = 4
    """The dispatcher looks at the head of the queue."""
    OTHER = 5
    """Everything else: answers, posts, reconciliation."""


def call_key(rank: int, index: int, attempt: int = 0, step: int = 0) -> int:
    """Place of an event among those of its class.

    `rank` is the campaign's place in the order of (tenant, campaign); `step`
    tells apart what one attempt can have due at one instant. Events of the
    whole platform have keys below those of any campaign.
    """
    return ((((rank + 1) << INDEX_BITS | index) << ATTEMPT_BITS) | attempt) << STEP_BITS | step


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

"""The sandbox: the platform itself, alive, in the caller's asyncio loop.

The readable engine advances in slices. Whatever comes from outside is an input: stamped with
simulated time and a number, and in the input log before it is answered. Scenario, seed and log
give the same records in batch, on both engines.
"""

from outsim.live.clock import SandboxClock
from outsim.live.inputs import (
    Answer,
    Cancel,
    EndFault,
    Fault,
    Input,
    Pin,
    Resume,
    Stop,
    Submit,
    Suspend,
)
from outsim.live.log import InputLog
from outsim.live.sandbox import Sandbox
from outsim.live.views import CallView, CampaignView, DeliveryView, Event, Post, Reply, Submitted

__all__ = [
    "Answer",
    "CallView",
    "CampaignView",
    "Cancel",
    "DeliveryView",
    "EndFault",
    "Event",
    "Fault",
    "Input",
    "InputLog",
    "Pin",
    "Post",
    "Reply",
    "Resume",
    "Sandbox",
    "SandboxClock",
    "Stop",
    "Submit",
    "Submitted",
    "Suspend",
]

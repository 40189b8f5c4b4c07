"""Scenarios: what is simulated, as people write it down."""

from outsim.scenario.campaigns import Campaign
from outsim.scenario.loading import load
from outsim.scenario.model import Scenario

__all__ = ["Campaign", "Scenario", "load"]

"""Hypothesis profiles: ``ci`` (the default) and ``deep``, chosen by OUTSIM_PROFILE."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    max_examples=150,
    phases=[phase for phase in Phase if phase is not Phase.explain],  # it takes minutes here
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("deep", parent=settings.get_profile("ci"), max_examples=5_000)
settings.load_profile(os.environ.get("OUTSIM_PROFILE", "ci"))

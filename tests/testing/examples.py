"""A scenario for tests of the plugin: a few calls that wait for ports."""

from __future__ import annotations

from typing import Any

TEXT = """
[clock]
date = 2026-03-10
begins = "09:00"
ends = "09:30"

[platform]
ports = 4
lost_updates = 0.0
wedged_calls = 0.0

[profiles.mixed]
human = 50
voicemail = 10
no_answer = 30
busy = 10

[[campaign]]
name = "list"
tenant = "acme"
start = "09:00"
contacts = 25
profile = "mixed"
max_retry = 1
retry_interval = "60 s"
"""


def _mapping() -> dict[str, Any]:
    import tomllib

    return tomllib.loads(TEXT)


CALLS = _mapping()

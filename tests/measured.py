"""What tests measure, told after they ran: lines under a title, for tests/deep-result.md."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

_PREFIX = "measured: "


def tell(request: pytest.FixtureRequest, title: str, line: str) -> None:
    """Have a line printed under a title once all tests are over."""
    request.node.user_properties.append((_PREFIX + title, line))


def told(reports: Iterable[Any]) -> dict[str, list[str]]:
    """Lines of tests by title, in order."""
    lines: dict[str, set[str]] = {}
    for report in reports:
        for name, line in report.user_properties:
            if name.startswith(_PREFIX):
                lines.setdefault(name.removeprefix(_PREFIX), set()).add(line)
    return {title: sorted(found) for title, found in lines.items()}

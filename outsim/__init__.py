"""outsim: simulator of a shared, multi-tenant outbound calling platform.

It answers five questions: when should I schedule my calls, when is my call
going out, what is the status of my campaign, why do I see failed calls, and
why do calls still go out after I stopped?

What is public is listed in `__init__.pyi`. A name is imported when it is first used: `import
outsim` stays quick.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from outsim._version import __version__ as __version__

_outsim: Any = sys.modules[__name__]


def _public() -> dict[str, str]:
    """Modules of the public names, as the stub imports them."""
    import ast
    from pathlib import Path

    stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    return {
        alias.name: node.module or ""
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def __getattr__(name: str) -> Any:
    value: Any
    if name == "_homes":
        value = _public()
    elif name == "__all__":
        value = sorted(name for name in _outsim._homes if not name.startswith("_"))
    elif name in _outsim._homes:
        home = _outsim._homes[name]
        # What is imported from the package itself is a package in it.
        is_package = home == __name__
        value = import_module(f"{home}.{name}" if is_package else home)
        value = value if is_package else getattr(value, name)
    else:
        raise AttributeError(f"module 'outsim' has no attribute {name!r}", name=name, obj=_outsim)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*_outsim.__all__, "__version__"]

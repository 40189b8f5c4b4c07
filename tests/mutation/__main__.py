"""``python tests/mutation KIND``: see `tests.mutation.run`."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path


def main() -> None:
    """Make a mutation run."""
    root = Path(__file__).resolve().parents[2]
    # Other people's packages install a package named tests: this checkout's is meant.
    spec = ModuleSpec("tests", None, is_package=True)
    spec.submodule_search_locations = [str(root / "tests")]
    sys.modules["tests"] = module_from_spec(spec)
    sys.path[0] = str(root)
    import_module("tests.mutation.run").main()


if __name__ == "__main__":
    main()

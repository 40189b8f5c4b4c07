"""What is kept in a directory, changed as by somebody who gives it new checksums as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from outsim.directories import FILES, checksums_of, with_checksum


def edit_sealed(document: Path, **values: Any) -> None:
    """Change values of a document with a checksum; None takes one out."""
    said = json.loads(document.read_text()) | values
    document.write_text(
        with_checksum({key: each for key, each in said.items() if each is not None})
    )


def seal_files(document: Path) -> None:
    """Give a document the checksums of the files beside it, as they are now."""
    names = json.loads(document.read_text())[FILES]
    edit_sealed(document, **{FILES: checksums_of(document.parent, names)})


def change_table(path: Path, **columns: Any) -> None:
    """Change columns of a replication's table, and give it the checksum of the new one."""
    pd.read_parquet(path).assign(**columns).to_parquet(path, index=False)
    seal_files(path.parent / "checksums.json")

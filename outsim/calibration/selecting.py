"""Rows of a log that are no outbound dials: inbound calls, legs to others, internal ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from outsim.calibration.convert import Flags, is_there

_DIRECTIONS = {
    "inbound": r"^in([-_ ]?(bound|coming|ward).*)?$|^i$|(^|[-_ ])terminating$|^(received|missed)"
    r"|^from[-_ ](trunk|pstn)|^(entrante|entrant|eingehend|inkommande)",
    "child leg": r"^out(bound|going)[-_ ]dial$",
    "transfer": r"transfer|xfer",
    "queue leg": r"queue",
    "conference": r"conference|confbridge|meetme",
    "internal": r"^(internal|intercom|extension|on[-_ ]?net)$",
}
"""Kinds of rows by what a column of directions says of them."""

_CONTEXTS = {
    "inbound": r"^from[-_](trunk|pstn|did|external|sip[-_]?external|sip[-_]?trunk|dahdi|zap"
    r"|provider|carrier|gateway|outside|public)|^ext[-_]did|^in(bound|coming)?([-_ ]|$)"
    r"|^public$|^did([-_]|$)|[-_](inbound|incoming)$",
    "transfer": r"[-_](xfer|transfer)$",
    "queue leg": r"^(ext|from)[-_]queues?",
    "conference": r"^(ext[-_]meetme|conferences?$|confbridge)",
    "internal": r"^(ext[-_](local|group|findmefollow)|internal$|intercom)",
}
"""Kinds of rows by their dialplan's context, as FreePBX and common dialplans name them."""

_HEADERS = {
    "direction": ("direction", "calldirection", "initiationmethod", "calltype", "type"),
    "context": ("dcontext", "context"),
    "parent": ("parentcallsid", "parentsid", "parentcallid", "parentcalluuid"),
    "call": ("linkedid", "calluuid"),
    "id": ("uniqueid", "callsid", "uuid", "callid"),
    "other": ("bleguuid",),
}
"""Columns that tell legs and directions, by names that a header has of itself."""


def told_by_header(header: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Columns of a header that say which rows are dials, by field; the user need not name them."""
    plain = {re.sub(r"[^a-z]", "", name.lower()): name for name in reversed(header)}
    found = {
        field: next((plain[name] for name in names if name in plain), None)
        for field, names in _HEADERS.items()
    }
    return {field: (name,) for field, name in found.items() if name}


def no_dials(
    direction: pa.Array | None, context: pa.Array | None, parent: pa.Array | None
) -> Iterator[tuple[Flags, str]]:
    """Rows that are no outbound dials, with what they are."""
    if parent is not None:
        yield is_there(parent), "child leg"
    for texts, kinds in ((direction, _DIRECTIONS), (context, _CONTEXTS)):
        if texts is None:
            continue
        encoded = pc.dictionary_encode(texts)
        said = encoded.dictionary.to_pylist()
        places = pc.fill_null(encoded.indices, len(said)).to_numpy(zero_copy_only=False)
        for kind, pattern in kinds.items():
            of_word = [bool(re.search(pattern, text.lower())) for text in said]
            if any(of_word):
                yield np.array([*of_word, False])[places], kind

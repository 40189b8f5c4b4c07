"""A sweep as one document for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outsim.estimates import LEVEL
from outsim.results.measures import MEASURES
from outsim.studies.comparable import unlike
from outsim.studies.crossover import Flip, Rung

if TYPE_CHECKING:
    from outsim.questions.sweep_answers import Sweep


def document(sweep: Sweep) -> dict[str, Any]:
    """Ranges, points, indices and flips of a sweep, as tables and lists of plain values."""
    base = sweep.base_difference
    return {
        "scenarios": [scenario.name for scenario in sweep.scenarios],
        "unlike": unlike(sweep.scenarios, MEASURES),
        "seed": sweep.seed,
        "replications": sweep.replications,
        "confidence": LEVEL,
        "figure": sweep.measure.name,
        "assumptions": [
            {
                "key": factor.name,
                "low": factor.text(0),
                "high": factor.text(1),
                "scale": "log" if factor.is_log else "linear",
                "values": factor.levels,
                "source": factor.source,
            }
            for factor in sweep.factors
        ],
        "left_out": dict(sweep.left_out),
        "design": _design(sweep),
        "difference": None if base is None else base.to_json(),
        "flips": [_flip(flip) for flip in sweep.flips],
    }


def _design(sweep: Sweep) -> dict[str, Any] | None:
    if sweep.design is None:
        return None
    estimates = {each.name: sweep.estimates(each.name) for each in MEASURES}
    return {
        "kind": sweep.design.kind,
        "points": [
            {
                "values": sweep.point(index),
                "figures": {name: found[index].to_json() for name, found in estimates.items()},
            }
            for index in range(sweep.design.points)
        ],
        "sensitivity": {
            name: {
                "matters_most": list(found.ranked),
                "replications": found.replications,
                "n_missing": found.n_missing,
                "nothing": found.nothing or None,
                "indices": {
                    index: {
                        key: each.to_json()
                        for key, each in zip(found.names, estimates, strict=True)
                    }
                    for index, estimates in found.indices.items()
                },
            }
            for name, found in sweep.sensitivities.items()
        },
    }


def _flip(flip: Flip) -> dict[str, Any]:
    return {
        "key": flip.name,
        "verdict": flip.verdict,
        "replications": flip.replications,
        "values": [_rung(rung) for rung in flip.rungs],
        "crossings": [
            {
                "at": flip.factor.text(crossing.position),
                "low": _rung(crossing.low),
                "high": _rung(crossing.high),
                "confirmed": crossing.is_confirmed,
                "fresh": [each.to_json() for each in crossing.fresh],
            }
            for crossing in flip.crossings
        ],
    }


def _rung(rung: Rung) -> dict[str, Any]:
    return {"value": rung.text, "difference": rung.difference.to_json()}

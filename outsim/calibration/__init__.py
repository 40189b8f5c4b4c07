"""Calibration: a callee profile fitted to call logs."""

from outsim.calibration.answer import CalleeFit, Parameter
from outsim.calibration.fitting import fit
from outsim.calibration.log import CallLog
from outsim.calibration.mapping import Mapping, mapping_of, read_mapping
from outsim.calibration.profile import draw_profile, uniforms_needed
from outsim.calibration.reading import read_call_log

__all__ = [
    "CallLog",
    "CalleeFit",
    "Mapping",
    "Parameter",
    "draw_profile",
    "fit",
    "mapping_of",
    "read_call_log",
    "read_mapping",
    "uniforms_needed",
]

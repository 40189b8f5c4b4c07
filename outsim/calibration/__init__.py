"""Calibration: a callee profile fitted to call logs."""

from outsim.calibration.answer import Calibration, Parameter
from outsim.calibration.drawing import draw_profile, uniforms_needed
from outsim.calibration.fitting import fit
from outsim.calibration.log import CallLog
from outsim.calibration.reading import read_call_log

__all__ = [
    "Calibration",
    "CallLog",
    "Parameter",
    "draw_profile",
    "fit",
    "read_call_log",
    "uniforms_needed",
]

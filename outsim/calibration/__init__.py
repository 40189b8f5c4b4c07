"""Calibration: a callee profile fitted to call logs."""

from outsim.calibration.answer import Calibration, Parameter
from outsim.calibration.drawing import draw_profile, uniforms_needed
from outsim.calibration.fitting import fit

__all__ = ["Calibration", "Parameter", "draw_profile", "fit", "uniforms_needed"]

"""A run as it moves: what is drawn over time, of one call, and of one instant, as plain data.

Everything is made here, from tables and answers, and is ready for JSON; whoever draws it computes
nothing. Instants are seconds since the run begins, whole numbers wherever they are whole.
"""

from outsim.plots.animation.course import animation
from outsim.plots.animation.instant import instant
from outsim.plots.animation.packed import packed
from outsim.plots.animation.story import story

__all__ = ["animation", "instant", "packed", "story"]

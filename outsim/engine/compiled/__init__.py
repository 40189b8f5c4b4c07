"""The compiled engine: the model of `outsim.engine.readable` on plain arrays, with numba."""

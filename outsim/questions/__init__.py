"""Questions: each asks, computes and says its answer."""

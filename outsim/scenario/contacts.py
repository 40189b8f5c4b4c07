"""Contact lists (placeholder until the reader lands)."""

"""Studies: many runs, held against each other."""

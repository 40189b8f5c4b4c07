"""What one run gives: tables, measures, invariants, and what is saved of it."""

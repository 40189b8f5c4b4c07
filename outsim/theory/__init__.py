"""What theory says of a scenario, beside what its runs give."""

"""The page of a sandbox: what moves, what would be otherwise, and what its customers see."""

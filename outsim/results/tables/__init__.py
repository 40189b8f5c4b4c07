"""Result tables, and everything that is derived from them."""

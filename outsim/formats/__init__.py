"""A result in formats that other tools open."""

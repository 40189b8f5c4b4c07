"""The platform on SimPy: the definition of the model, written to be read."""

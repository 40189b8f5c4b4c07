"""Tests of queue behaviour: a pytest plugin, golden traces, and claims with an error rate."""

"""Probes: they measure and return data; they never plot and never change the model."""

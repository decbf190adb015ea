"""Sweeps, and clusters to run them and experiments on."""

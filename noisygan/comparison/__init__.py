"""Comparison of systems: train alike, measure alike, one page."""

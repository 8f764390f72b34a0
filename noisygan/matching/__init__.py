"""Matching: what a synthesizer, or a trained run, would have to play to sound like a recording."""

N_STEPS = 150  # gradient steps of each fit to a run; twice as many without one

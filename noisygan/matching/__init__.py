"""Matching: what a synthesizer, or a trained run, would have to play to sound like a recording."""

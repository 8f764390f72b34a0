"""Metrics of audio: pure functions of arrays.

log_mel: spectrograms; features, descriptors, partials: what one sound is like; distances,
neighbours, copies, two_sample: how two sets of sounds differ; bootstrap: intervals.
"""

"""Metrics of audio: pure functions of arrays.

spectrograms, note_analysis, descriptors, features and pitch describe single examples; distances,
neighbours, copies and classifiers compare two sets; bootstrap gives intervals.
"""

"""Measures of generated sounds against recordings: numpy and SciPy only, no TensorFlow."""

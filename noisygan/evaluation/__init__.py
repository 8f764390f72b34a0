"""Measures of generated sounds against recordings.

TensorFlow is imported where networks are trained or asked alone: `networks`, `sources`,
`embeddings`, `cost`, and for F0 in `measures`.
"""

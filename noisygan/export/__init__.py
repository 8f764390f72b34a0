"""Trained generators for other programs: SavedModel, ONNX, LiteRT, and block-wise streams."""

"""Trained generators for other programs: SavedModel, ONNX, LiteRT, and streams of blocks."""

"""Trained generators for other programs: SavedModel, ONNX, LiteRT, streams, and web pages."""

"""Namespaces of other libraries by `synths`."""

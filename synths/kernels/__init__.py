"""Compiled kernels for CPUs: the formulas of the modules beside this package, written for speed.

Each kernel has a module `..._cpu`, which its module in `synths` imports where `synths.native` says
so; the others hold what kernels share. Kernels take and return NumPy arrays, check no more than
sizes, and are no public API.
"""

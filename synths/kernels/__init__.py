"""Compiled CPU kernels of oscillators, noise, time-varying filters and spectra.

Modules `..._cpu` hold the kernels, which modules of `synths` import if `synths.native` allows.
Kernels take and return NumPy arrays and are not public.
"""

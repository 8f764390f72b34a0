"""Pattern-producing networks over time coordinates."""

from cppn.coordinates import Attack, Linear, Periodic, Release, Vibrato
from cppn.networks import CPPN, Deconvolution

__all__ = ["CPPN", "Attack", "Deconvolution", "Linear", "Periodic", "Release", "Vibrato"]

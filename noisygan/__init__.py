"""A differentiable-DSP hybrid synthesis library: CPPNs, synthesizers and adversarial training."""

__version__ = "0.2.0"

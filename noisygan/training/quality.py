"""Settings of the quality measurements during training.

Configs may name all classes of this module, but not the monitors that use it.
"""


class Quality:
    """Settings of `QualityMonitor`: when examples are measured, and when training is done.

    Until step 20 * every_steps a measurement is taken every `every_steps` steps, and half as often
    each time that the steps have doubled again: ten measurements per doubling.

    Args:
      every_steps: Steps between the first measurements.
      n_sounds: Examples of each: the same latents and conditions each time.
      patience: Done after so many measurements without a gain.
      min_gain: In percent of the mean distance between two recordings.
      max_share: A measurement that would take a larger share of the time is skipped, except in a
        deterministic run.
    """

    def __init__(self, every_steps=100, n_sounds=64, patience=10, min_gain=0.25, max_share=0.03):
        self.every_steps = every_steps
        self.n_sounds = n_sounds
        self.patience = patience
        self.min_gain = min_gain
        self.max_share = max_share

    def is_due(self, step):
        """True if a measurement is due after a step."""
        doublings = max(0, (step // (10 * self.every_steps)).bit_length() - 1)
        return step > 0 and step % (self.every_steps << doublings) == 0

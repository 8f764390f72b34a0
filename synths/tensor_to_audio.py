"""Pass-through synthesizer: the output of a network is the audio."""

from synths.precision import as_float
from synths.processor import Processor
from synths.shapes import check_shape


class TensorToAudio(Processor):
    """Pass samples of a network through as audio."""

    def __init__(self, name="tensor_to_audio"):
        super().__init__(name=name)

    def get_controls(self, samples):
        """Return the samples, [batch, n_samples, 1], unchanged."""
        samples = as_float(samples)
        check_shape("samples", samples, "[batch, n_samples, 1]")
        return {"samples": samples}

    def get_signal(self, samples):
        """Audio, [batch, n_samples], of samples, [batch, n_samples, 1]."""
        return self.get_controls(samples)["samples"][:, :, 0]

"""A synthesizer that makes nothing: what a network draws is the sound."""

from synths.errors import check_last, check_rank
from synths.precision import as_float
from synths.processor import Processor


class TensorToAudio(Processor):
    """Samples from a network as audio, for what works sample by sample."""

    def __init__(self, name="tensor_to_audio"):
        super().__init__(name=name)

    def get_controls(self, samples):
        """The samples, [batch, n_samples, 1], as they are.

        Raises:
          ShapeError: if samples is not rank 3 with a last axis of 1.
        """
        return {"samples": _checked(samples)}

    def get_signal(self, samples):
        """Audio, [batch, n_samples], of samples, [batch, n_samples, 1]."""
        return _checked(samples)[:, :, 0]


def _checked(samples):
    samples = as_float(samples)
    check_rank("samples", samples, 3, "[batch, n_samples, 1]")
    check_last("samples", samples, 1, "[batch, n_samples, 1]")
    return samples

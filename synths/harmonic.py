"""Harmonic synthesizer: sinusoids at the multiples of one F0."""

from synths import oscillators
from synths.partials import normalize_distribution
from synths.precision import check_floats
from synths.processor import Processor
from synths.resample import check_method
from synths.units import exp_sigmoid


class Harmonic(Processor):
    """Additive synthesizer of the harmonics of one F0 (Engel et al. 2020).

    With an inharmonicity the partials are those of a stiff string (piano, harpsichord).

    Args:
      n_samples: Length of the audio in samples.
      sample_rate: Hz.
      scale_fn: Maps raw network outputs to positive numbers; None: identity.
      normalize_below_nyquist: Whether harmonics at or above Nyquist are removed before the
        distribution is normalized, so that the level does not fall as the pitch rises.
      amp_resample_method: Interpolation of amplitudes, a method of `resample`.
      use_angular_cumsum: No effect: phase is exact in any case.

    Example:
      >>> synth = Harmonic(n_samples=16000, sample_rate=16000)
      >>> f0_hz = tf.fill([1, 250, 1], 440.0)
      >>> audio = synth(tf.zeros([1, 250, 1]), tf.zeros([1, 250, 20]), f0_hz)
      >>> audio.shape
      TensorShape([1, 16000])
    """

    def __init__(
        self,
        n_samples=64000,
        sample_rate=16000,
        scale_fn=exp_sigmoid,
        normalize_below_nyquist=True,
        amp_resample_method="window",
        use_angular_cumsum=False,
        name="harmonic",
    ):
        super().__init__(name=name)
        check_method("amp_resample_method", amp_resample_method)
        self.n_samples = n_samples
        self.sample_rate = sample_rate
        self.scale_fn = scale_fn
        self.normalize_below_nyquist = normalize_below_nyquist
        self.amp_resample_method = amp_resample_method
        self.use_angular_cumsum = use_angular_cumsum

    def get_controls(self, amplitudes, harmonic_distribution, f0_hz, inharmonicity=None):
        """Map raw network outputs to controls.

        Args:
          amplitudes: [batch, n_frames, 1], raw.
          harmonic_distribution: [batch, n_frames, n_harmonics], raw.
          f0_hz: [batch, n_frames, 1], Hz.
          inharmonicity: B of a stiff string, 0 or more, [batch, 1, 1], not scaled (1e-5 to 1e-2
            for a piano); None: 0.

        Returns:
          amplitudes (linear), harmonic_distribution (sum 1), f0_hz (Hz), and inharmonicity if
          given; shapes as given.
        """
        amplitudes, harmonic_distribution, f0_hz, inharmonicity = check_floats(
            amplitudes=(amplitudes, "[batch, n_frames, 1]"),
            harmonic_distribution=(harmonic_distribution, "[batch, n_frames, n_harmonics]"),
            f0_hz=(f0_hz, "[batch, n_frames, 1]"),
            inharmonicity=(inharmonicity, "[batch, 1, 1]"),
        )
        if self.scale_fn is not None:
            amplitudes = self.scale_fn(amplitudes)
            harmonic_distribution = self.scale_fn(harmonic_distribution)
        bandwidth = 0.5 * self.sample_rate if self.normalize_below_nyquist else None
        controls = {
            "amplitudes": amplitudes,
            "harmonic_distribution": normalize_distribution(
                harmonic_distribution, f0_hz, bandwidth, inharmonicity
            ),
            "f0_hz": f0_hz,
        }
        return controls if inharmonicity is None else controls | {"inharmonicity": inharmonicity}

    def get_signal(self, amplitudes, harmonic_distribution, f0_hz, inharmonicity=None):
        """Audio, [batch, n_samples], of the output of `get_controls`."""
        return oscillators.harmonic_synthesis(
            frequencies=f0_hz,
            amplitudes=amplitudes,
            harmonic_distribution=harmonic_distribution,
            n_samples=self.n_samples,
            sample_rate=self.sample_rate,
            amp_resample_method=self.amp_resample_method,
            inharmonicity=inharmonicity,
        )

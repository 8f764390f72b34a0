"""The harmonic synthesizer: one pitch, many partials."""

from synths import oscillators
from synths.errors import ShapeError, check_last, check_positive, check_rank, whole
from synths.partials import normalize_distribution
from synths.precision import as_floats
from synths.processor import Processor
from synths.resample import check_method
from synths.shapes import check_alike
from synths.units import exp_sigmoid


class Harmonic(Processor):
    """A sum of harmonics of one F0 (the additive synthesizer of Engel et al. 2020).

    With an inharmonicity its partials are those of a stiff string (a piano's, a harpsichord's).

    Args:
      n_samples: Length of the sound in samples.
      sample_rate: Hz.
      scale_fn: From raw network outputs to positive numbers; None takes them as they are.
      normalize_below_nyquist: Whether harmonics at or above Nyquist are left out before the
        distribution is normalised, so that the level does not sink as the pitch rises.
      amp_resample_method: How amplitudes go from frame to frame: "nearest", "linear", "cubic" or
        "window" (see `resample`).
      use_angular_cumsum: Without effect: phase is exact in any case.

    Raises:
      ValueError: if amp_resample_method is none of the four, n_samples is negative or has a
        fraction, or sample_rate is not above 0.
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
        check_positive("sample_rate", sample_rate)
        self.n_samples = whole("n_samples", n_samples)
        self.sample_rate = sample_rate
        self.scale_fn = scale_fn
        self.normalize_below_nyquist = normalize_below_nyquist
        self.amp_resample_method = amp_resample_method
        self.use_angular_cumsum = use_angular_cumsum

    def get_controls(self, amplitudes, harmonic_distribution, f0_hz, inharmonicity=None):
        """Raw outputs to controls.

        Args:
          amplitudes: [batch, n_frames, 1], raw.
          harmonic_distribution: [batch, n_frames, n_harmonics], raw.
          f0_hz: [batch, n_frames, 1], Hz.
          inharmonicity: B of a stiff string, [batch, n_frames, 1] or [batch, 1, 1], taken as it
            is (a piano's lies between 1e-5 and 1e-2); 0 where absent.

        Returns:
          amplitudes (linear), harmonic_distribution (sums to 1), f0_hz (Hz), and inharmonicity
          where it is given, shapes as given.

        Raises:
          ShapeError: if a tensor's rank or last axis is not as above, or there are no frames.
        """
        amplitudes, harmonic_distribution, f0_hz, inharmonicity = as_floats(
            amplitudes, harmonic_distribution, f0_hz, inharmonicity
        )
        for name, tensor in (
            ("amplitudes", amplitudes),
            ("f0_hz", f0_hz),
            ("inharmonicity", inharmonicity),
        ):
            if tensor is not None:
                check_rank(name, tensor, 3, "[batch, n_frames, 1]")
                check_last(name, tensor, 1, "[batch, n_frames, 1]")
        check_rank(
            "harmonic_distribution", harmonic_distribution, 3, "[batch, n_frames, n_harmonics]"
        )
        check_alike(
            2,
            amplitudes=amplitudes,
            harmonic_distribution=harmonic_distribution,
            f0_hz=f0_hz,
            inharmonicity=inharmonicity,
        )
        if f0_hz.shape[1] == 0:
            raise ShapeError(
                "f0_hz: expected [batch, n_frames, 1] with 1 frame or more, got shape "
                f"{tuple(f0_hz.shape)}."
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
        """Audio, [batch, n_samples], from what `get_controls` returns."""
        return oscillators.harmonic_synthesis(
            frequencies=f0_hz,
            amplitudes=amplitudes,
            harmonic_distribution=harmonic_distribution,
            n_samples=self.n_samples,
            sample_rate=self.sample_rate,
            amp_resample_method=self.amp_resample_method,
            inharmonicity=inharmonicity,
        )

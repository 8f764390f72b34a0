"""Voices that a processor of ddsp 3.7.0 renders.

So that one can ask what our synthesis changes: all is the same up to the controls, and a controls
file that is written holds the same curves. Where ddsp's sound differs, so does the voice's:
`docs/ddsp-differences.md`. Its noise has no seed and is another one at each call.

Nothing here imports ddsp; the config that names its processors does (`noisygan.ddsp_package`).
"""

import keras

from noisygan.generators.voices import gains_at_rate
from synths.resample import resample


class DDSPVoice(keras.layers.Layer):
    """Voice rendered by a ddsp 3.7.0 processor.

    Args:
      voice: A `HarmonicVoice` or a `NoiseVoice`, which makes the controls.
      synth: What plays them: a `ddsp.synths.Harmonic` or a `ddsp.synths.FilteredNoise`. Its
        n_samples and sample_rate are set for each rendering; as the controls are in physical
        units already, its scale_fn, normalize_below_nyquist and initial_bias play no part.
    """

    def __init__(self, voice, synth):
        super().__init__(name=voice.name)
        self.voice = voice
        self.synth = synth

    @property
    def kind(self):
        """Kind of the controls, "harmonic" or "noise"."""
        return self.voice.kind

    @property
    def settings(self):
        """Keyword arguments of `render` besides the controls."""
        return self.voice.settings

    @property
    def bandwidth_hz(self):
        """The voice's: nothing is made above it."""
        return self.voice.bandwidth_hz

    @bandwidth_hz.setter
    def bandwidth_hz(self, value):
        self.voice.bandwidth_hz = value

    def set_lowest_pitch(self, pitch):
        """Decide the voice's number of harmonics."""
        self.voice.set_lowest_pitch(pitch)

    def get_controls(self, decoded, f0_hz, loudness_db):
        """The voice's controls."""
        return self.voice.get_controls(decoded, f0_hz, loudness_db)

    def render(self, controls, n_samples, sample_rate, seed, bandwidth_hz=None):
        """Sound, [batch, n_samples]; for ddsp batch must be known, and the seed is ignored.

        ddsp takes only a whole number of samples from frame to frame. Where it is not one, the
        curves are read off at every so many whole samples, and the end of the sound is cut.
        """
        if bandwidth_hz is not None:
            magnitudes = gains_at_rate(controls["magnitudes"], bandwidth_hz, sample_rate)
            controls = {"magnitudes": magnitudes}
        n_frames = next(iter(controls.values())).shape[1]
        hop = max(n_samples // n_frames, 1)
        if n_samples != hop * n_frames:
            controls = {k: resample(v, n_samples)[:, ::hop] for k, v in controls.items()}
            n_frames = -(-n_samples // hop)
        self.synth.n_samples = hop * n_frames
        self.synth.sample_rate = sample_rate
        return self.synth.get_signal(**controls)[:, :n_samples]

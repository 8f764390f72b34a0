"""Effects: reverbs, a time-varying filter and a modulated delay."""

import math

import keras
import soxr
import tensorflow as tf

from synths.filtered_noise import FilteredNoise
from synths.filters import fft_convolve, frequency_filter
from synths.impulse_responses import check_bands
from synths.noise import white_noise
from synths.precision import as_float, as_floats, check_floats
from synths.processor import Processor
from synths.resample import resample
from synths.saving import registered
from synths.shapes import broadcast, check_shape, length
from synths.units import exp_sigmoid

# Default of `ModDelay.phase_scale_fn`.
registered(tf.nn.sigmoid)


class Reverb(Processor):
    """Convolution reverb with an impulse response that is trained or an input.

    Args:
      trainable: Whether the response is a trainable variable.
      reverb_length: Length of the variable in samples.
      add_dry: Whether the dry audio is added. Then tap 0 of the response is removed, so that
        training can't move the dry level into the reverb.
      decay_seconds, sample_rate, gain: The variable is initialized with noise that decays by 60 dB
        over decay_seconds, with this root-mean-square gain.
    """

    def __init__(
        self,
        trainable=False,
        reverb_length=48000,
        add_dry=True,
        name="reverb",
        decay_seconds=0.5,
        sample_rate=16000,
        gain=1e-2,
    ):
        super().__init__(name=name, trainable=trainable)
        self.reverb_length = reverb_length
        self.add_dry = add_dry
        if trainable:
            times = tf.range(reverb_length, dtype=tf.float32) / sample_rate
            envelope = tf.exp(-6.9 * times / decay_seconds)
            envelope *= gain / tf.sqrt(tf.reduce_sum(envelope**2))
            noise = tf.random.stateless_normal([reverb_length], seed=[reverb_length, 1])
            self.ir = self.add_weight(
                shape=[reverb_length],
                initializer=keras.initializers.Constant((envelope * noise).numpy()),
                name="ir",
            )
        self.built = True

    def get_controls(self, audio, ir=None):
        """Return the dry audio and the impulse response, [1 or batch, reverb_length].

        Args:
          audio: [batch, n_samples].
          ir: [batch, n_taps], [batch, n_taps, 1] or [n_taps], unless trainable; batch may be 1.

        Raises:
          ValueError: if there is no response, or two.
        """
        check_own(self, "an impulse response", ir=ir)
        return self._with_response(audio, tf.convert_to_tensor(self.ir) if ir is None else ir)

    def _with_response(self, audio, ir):
        """Controls of a response; tap 0 is set to 0 if the dry audio is added."""
        ir = as_float(ir)
        check_shape("ir", ir, "[batch, n_taps]", "[batch, n_taps, 1]", "[n_taps]")
        ir = ir[None, :] if ir.shape.rank == 1 else ir
        ir = ir[:, :, 0] if ir.shape.rank == 3 else ir
        audio, ir = check_floats(audio=(audio, "[batch, n_samples]"), ir=(ir, "[batch, n_taps]"))
        if self.add_dry:
            ir = tf.concat([tf.zeros_like(ir[:, :1]), ir[:, 1:]], axis=1)
        return {"audio": audio, "ir": ir}

    def get_signal(self, audio, ir):
        """Wet (and dry) audio, [batch, n_samples]; arguments as of `get_controls`."""
        controls = self._with_response(audio, ir)
        wet = fft_convolve(controls["audio"], controls["ir"], delay_compensation=0)
        return controls["audio"] + wet if self.add_dry else wet


def check_own(processor, what, **given):
    """Raise ValueError unless inputs are given exactly where the processor is not trainable."""
    wrong = [name for name, value in given.items() if processor.trainable == (value is not None)]
    if wrong:
        raise ValueError(
            f"{', '.join(wrong)}: {type(processor).__name__} takes none with trainable=True and "
            f"needs {what} with trainable=False."
        )


class ExpDecayReverb(Reverb):
    """Reverb whose response is seeded noise with an exponential decay.

    Args:
      trainable: Whether gain and decay are trainable variables.
      reverb_length: Length of the response in samples.
      scale_fn: Maps the raw gain to a positive one; None: identity.
      add_dry: As of `Reverb`.
      seed: Seed of the noise, which is equal in each row and call.
    """

    def __init__(
        self,
        trainable=False,
        reverb_length=48000,
        scale_fn=exp_sigmoid,
        add_dry=True,
        name="exp_decay_reverb",
        seed=0,
    ):
        Processor.__init__(self, name=name, trainable=trainable)
        self.reverb_length = reverb_length
        self.scale_fn = scale_fn
        self.add_dry = add_dry
        self.seed = seed
        if trainable:
            for control, value in (("gain", 2.0), ("decay", 4.0)):
                initializer = keras.initializers.Constant(value)
                weight = self.add_weight(shape=[1], initializer=initializer, name=control)
                setattr(self, control, weight)
        self.built = True

    def get_controls(self, audio, gain=None, decay=None):
        """Return the dry audio and the impulse response.

        Args:
          audio: [batch, n_samples].
          gain: Raw gain, [batch, 1].
          decay: Raw decay, [batch, 1]: the envelope is exp(-(2 + exp(decay)) t), t from 0 to 1 over
            the response.

        Returns:
          audio, and ir: [1 or batch, reverb_length].

        Raises:
          ValueError: if gain and decay are given to a trainable reverb, or missing.
        """
        check_own(self, "both", gain=gain, decay=decay)
        if self.trainable:
            gain, decay = (tf.convert_to_tensor(v)[None, :] for v in (self.gain, self.decay))
        gain, decay = check_floats(gain=(gain, "[batch, 1]"), decay=(decay, "[batch, 1]"))
        gain = gain if self.scale_fn is None else self.scale_fn(gain)
        zero, one = tf.constant(0.0, gain.dtype), tf.constant(1.0, gain.dtype)
        time = tf.linspace(zero, one, self.reverb_length)[None, :]
        noise = tf.cast(white_noise([self.seed], self.reverb_length), gain.dtype)
        return self._with_response(audio, gain * tf.exp(-(2.0 + tf.exp(decay)) * time) * noise)


class FilteredNoiseReverb(Reverb):
    """Reverb whose response is filtered noise, so that bands decay independently.

    Args:
      trainable: Whether the magnitudes are a trainable variable.
      reverb_length: Length of the response in samples.
      window_size, scale_fn, initial_bias: As of `FilteredNoise`.
      n_frames, n_filter_banks: Size of the variable.
      add_dry: As of `Reverb`.
      seed: Seed of the noise, which is equal in each row and call.
    """

    def __init__(
        self,
        trainable=False,
        reverb_length=48000,
        window_size=257,
        n_frames=1000,
        n_filter_banks=16,
        scale_fn=exp_sigmoid,
        initial_bias=-3.0,
        add_dry=True,
        name="filtered_noise_reverb",
        seed=0,
    ):
        Processor.__init__(self, name=name, trainable=trainable)
        self.add_dry = add_dry
        self.seed = seed
        self.synth = FilteredNoise(reverb_length, window_size, scale_fn, initial_bias, seed=seed)
        if trainable:
            self.magnitudes = self.add_weight(
                shape=[n_frames, n_filter_banks],
                initializer=keras.initializers.RandomNormal(stddev=1e-2, seed=seed),
                name="magnitudes",
            )
        self.built = True

    def get_controls(self, audio, magnitudes=None):
        """Return the dry audio and the impulse response.

        Args:
          audio: [batch, n_samples].
          magnitudes: Raw, [batch, n_frames, n_filter_banks].

        Returns:
          audio, and ir: [1 or batch, reverb_length].

        Raises:
          ValueError: if magnitudes are given to a trainable reverb, or missing.
        """
        check_own(self, "magnitudes", magnitudes=magnitudes)
        if self.trainable:
            magnitudes = tf.convert_to_tensor(self.magnitudes)[None, :]
        controls = self.synth.get_controls(magnitudes)
        return self._with_response(audio, self.synth.get_signal(**controls, seed=self.seed))


class FIRFilter(Processor):
    """Time-varying FIR filter given by its magnitudes.

    Args:
      window_size: Length of the impulse responses, as of `synths.frequency_filter`.
      scale_fn: Maps raw network outputs to positive gains; None: identity.
    """

    def __init__(self, window_size=257, scale_fn=exp_sigmoid, name="fir_filter"):
        super().__init__(name=name)
        self.window_size = window_size
        self.scale_fn = scale_fn

    def get_controls(self, audio, magnitudes):
        """Return the audio and linear gains.

        Args:
          audio: [batch, n_samples].
          magnitudes: Raw, [batch, n_frames, n_bands], or [batch, n_bands] for a constant
            filter.

        Returns:
          audio and magnitudes, shapes as given.
        """
        audio, magnitudes = as_float(audio), as_float(magnitudes)
        check_shape("audio", audio, "[batch, n_samples]")
        check_bands(magnitudes)
        if self.scale_fn is not None:
            magnitudes = self.scale_fn(magnitudes)
        return {"audio": audio, "magnitudes": magnitudes}

    def get_signal(self, audio, magnitudes):
        """Filtered audio, [batch, n_samples]."""
        return frequency_filter(audio, magnitudes, self.window_size)


class ModDelay(Processor):
    """Modulated delay: chorus, flanger, vibrato.

    Args:
      center_ms: Delay at phase 0.
      depth_ms: Increase of the delay at phase 1.
      sample_rate: Hz.
      gain_scale_fn, phase_scale_fn: Map raw network outputs to the gain of the delayed audio and
        to a phase in 0 .. 1; None: identity.
      add_dry: Whether the dry audio is added.

    Raises:
      ValueError: if a delay is negative, or none is above 0.
    """

    def __init__(
        self,
        center_ms=15.0,
        depth_ms=10.0,
        sample_rate=16000,
        gain_scale_fn=exp_sigmoid,
        phase_scale_fn=tf.nn.sigmoid,
        add_dry=True,
        name="mod_delay",
    ):
        super().__init__(name=name)
        ends_ms = (center_ms, center_ms + depth_ms)
        if min(ends_ms) < 0.0 or max(ends_ms) == 0.0:
            raise ValueError(
                f"center_ms, depth_ms: got {center_ms} and {depth_ms}; expected delays of 0 ms or "
                "more at both ends, and one above 0."
            )
        self.center_ms = center_ms
        self.depth_ms = depth_ms
        self.sample_rate = sample_rate
        self.gain_scale_fn = gain_scale_fn
        self.phase_scale_fn = phase_scale_fn
        self.add_dry = add_dry

    def get_controls(self, audio, gain, phase):
        """Map raw network outputs to controls.

        Args:
          audio: [batch, n_samples].
          gain: Raw gain of the delayed audio, [batch, n_frames, 1].
          phase: Raw phase of the modulation, [batch, n_frames, 1].

        Returns:
          audio, gain (linear) and phase (0 .. 1), shapes as given.
        """
        audio, gain, phase = check_floats(
            audio=(audio, "[batch, n_samples]"),
            gain=(gain, "[batch, n_frames, 1]"),
            phase=(phase, "[batch, n_phase_frames, 1]"),
        )
        gain = gain if self.gain_scale_fn is None else self.gain_scale_fn(gain)
        phase = phase if self.phase_scale_fn is None else self.phase_scale_fn(phase)
        return {"audio": audio, "gain": gain, "phase": phase}

    def get_signal(self, audio, gain, phase):
        """Modulated audio, [batch, n_samples]; gain and phase are linear between frames."""
        audio, gain, phase = as_floats(audio, gain, phase)
        audio, gain, phase = broadcast(1, audio=audio, gain=gain, phase=phase)
        gain, phase = (resample(x, length(audio, 1)) for x in (gain, phase))
        center, depth = (ms * self.sample_rate / 1000.0 for ms in (self.center_ms, self.depth_ms))
        max_length = math.ceil(max(center, center + depth) - 1e-6)
        delay = (center + depth * phase) / max_length
        wet = gain[:, :, 0] * variable_length_delay(delay, audio, max_length)
        return audio + wet if self.add_dry else wet


def variable_length_delay(phase, audio, max_length=512):
    """Delay audio by a time-varying number of samples, with linear interpolation.

    Args:
      phase: Delay as a fraction of max_length, clipped to 0 to 1, [batch, n_samples, 1].
      audio: [batch, n_samples]; silence precedes it.
      max_length: Longest delay in samples, 1 or more.

    Returns:
      [batch, n_samples].
    """
    phase, audio = check_floats(
        phase=(phase, "[batch, n_samples, 1]"), audio=(audio, "[batch, n_samples]")
    )
    phase, audio = broadcast(2, ("batch", "n_samples"), phase=phase, audio=audio)
    delay = tf.clip_by_value(phase[:, :, 0], 0.0, 1.0) * max_length
    # Clipped at both ends, since NaN may become any integer.
    whole = tf.clip_by_value(tf.cast(tf.stop_gradient(delay), tf.int32), 0, max_length - 1)
    weight = delay - tf.cast(whole, delay.dtype)
    padded = tf.pad(audio, [[0, 0], [max_length, 0]])
    place = max_length + tf.range(tf.shape(audio)[1]) - whole
    newer = tf.gather(padded, place, batch_dims=1)
    older = tf.gather(padded, place - 1, batch_dims=1)
    return newer + weight * (older - newer)


def response_at_rate(ir, ir_rate, sample_rate):
    """Resample impulse responses to another sample rate and keep their gain.

    Args:
      ir: float32 [batch, n_taps], an eager tensor.
      ir_rate, sample_rate: Hz.

    Returns:
      float32 [batch, about n_taps * sample_rate / ir_rate].
    """
    rows = [soxr.resample(row, ir_rate, sample_rate) for row in tf.convert_to_tensor(ir).numpy()]
    return tf.stack(rows) * (ir_rate / sample_rate)

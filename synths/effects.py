"""Effects: sound in, sound out."""

import keras
import soxr
import tensorflow as tf

from synths.errors import check_rank
from synths.filters import fft_convolve
from synths.processor import Processor


class Reverb(Processor):
    """Convolution with one impulse response, trained with the network or given as an input.

    Args:
      trainable: Whether the response is the processor's own variable.
      reverb_length: Its length in samples.
      add_dry: Whether the dry sound is added. The response's tap 0 is left out then, so that
        training can't shift the dry level into the reverb.
      decay_seconds, sample_rate, gain: The variable starts as noise that decays by 60 dB over
        decay_seconds, with this root-mean-square gain as a whole.
    """

    def __init__(
        self,
        trainable=True,
        reverb_length=16000,
        add_dry=True,
        decay_seconds=0.5,
        sample_rate=16000,
        gain=1e-2,
        name="reverb",
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
        """The dry sound and its impulse response, [1 or batch, reverb_length], linear gains.

        Args:
          audio: [batch, n_samples].
          ir: [batch, n_taps] where the response is not the processor's own.

        Raises:
          ValueError: if there is no response, or two.
        """
        if self.trainable == (ir is not None):
            raise ValueError(
                "ir: a Reverb with trainable=True has its own impulse response and takes none; "
                "with trainable=False it needs one."
            )
        if ir is None:
            ir = tf.convert_to_tensor(self.ir)[None, :]
        check_rank("ir", ir, 2, "[batch, n_taps]")
        if self.add_dry:
            ir = tf.concat([tf.zeros_like(ir[:, :1]), ir[:, 1:]], axis=1)
        return {"audio": audio, "ir": ir}

    def get_signal(self, audio, ir):
        """Wet (and dry) sound, [batch, n_samples]."""
        wet = fft_convolve(audio, ir)
        return audio + wet if self.add_dry else wet


def response_at_rate(ir, ir_rate, sample_rate):
    """Impulse responses brought from one sample rate to another, with the same gain.

    Args:
      ir: float32 [batch, n_taps]; a tensor that has a value (not inside a `tf.function`).
      ir_rate, sample_rate: Hz.

    Returns:
      float32 [batch, about n_taps * sample_rate / ir_rate].
    """
    rows = [soxr.resample(row, ir_rate, sample_rate) for row in tf.convert_to_tensor(ir).numpy()]
    return tf.stack(rows) * (ir_rate / sample_rate)

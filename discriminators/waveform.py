"""WaveGAN's discriminator and phase shuffle."""

import keras
import tensorflow as tf

from discriminators.base import DiscriminatorOutput, WaveformDiscriminator
from discriminators.conditioning import projected
from discriminators.randomness import rows_bits

_N_LAST = 16


def phase_shuffle(h, n):
    """Shift each row in time by -n to n steps at random; the ends are reflected.

    The shift has no gradient; the shifted values have.

    Args:
      h: float32 [batch, n_steps, channels].
      n: Largest shift in steps; 0: none.

    Returns:
      float32 [batch, n_steps, channels].

    References:
      Donahue et al. 2019, section 3.3; one shift per row, not one per batch.
    """
    if not n:
        return h
    n_steps = h.shape[1]
    shift = tf.cast(rows_bits(h) % tf.constant(2 * n + 1, tf.uint32), tf.int32) - n
    position = tf.abs(tf.range(n_steps)[None, :] - shift[:, None])
    position = (n_steps - 1) - tf.abs((n_steps - 1) - position)
    return tf.gather(h, position, batch_dims=1)


class WaveGANDiscriminator(WaveformDiscriminator):
    """Strided convolutions down to 16 steps, then a dense layer (Donahue et al. 2019).

    Conditioning, absent in the published network, enters by projection on the last map's mean over
    time (Miyato and Koyama 2018).

    Args:
      n_samples: Length of the audio; layers are added until 16 steps or fewer remain.
      units: Filters of the first layer, doubled in each further layer.
      kernel_size: Of the convolutions.
      stride: Of the convolutions, 2 or more.
      shuffle: Largest phase shift behind each layer but the last, 0 to 16 steps.

    Raises:
      ValueError: for a stride below 2.
    """

    def __init__(
        self,
        n_samples=16384,
        units=64,
        kernel_size=25,
        stride=4,
        shuffle=2,
        name="wavegan_discriminator",
    ):
        super().__init__(n_samples, name)
        if stride < 2:
            raise ValueError(f"WaveGANDiscriminator.stride: got {stride}, expected 2 or more.")
        self.shuffle = shuffle
        self.convolutions = []
        n_steps = n_samples
        while n_steps > _N_LAST:
            # A length between powers of the stride ends in a layer with a smaller stride.
            by = min(stride, -(-n_steps // _N_LAST))
            self.convolutions.append(
                keras.layers.Conv1D(
                    units << len(self.convolutions),
                    kernel_size,
                    strides=by,
                    padding="same",
                    name=f"conv_{len(self.convolutions)}",
                )
            )
            n_steps = -(-n_steps // by)
        self.decision = keras.layers.Dense(1, name="decision")
        self.projection = keras.layers.Dense(
            units << (len(self.convolutions) - 1), use_bias=False, name="projection"
        )

    def score(self, features, conditioning, held_seconds=None):
        """Score the waveform, [batch, n_samples, 1]."""
        (h,) = features
        maps = []
        for i, convolution in enumerate(self.convolutions):
            h = tf.nn.leaky_relu(convolution(h), 0.2)
            maps.append(h)
            if i < len(self.convolutions) - 1:
                h = phase_shuffle(h, self.shuffle)
        flat = tf.reshape(h, [-1, h.shape[1] * h.shape[2]])
        logits = self.decision(flat)[:, 0]
        logits += projected(self.projection, conditioning, tf.reduce_mean(h, axis=1))
        return DiscriminatorOutput([logits], [maps])

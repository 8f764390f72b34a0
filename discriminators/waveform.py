"""Discriminators that listen to the waveform itself."""

import keras
import tensorflow as tf

from discriminators.conditioning import projected
from discriminators.output import DiscriminatorOutput
from discriminators.randomness import rows_bits
from discriminators.raw_waveform import RawWaveformDiscriminator, check_whole

# Steps that the last layer leaves.
N_LAST = 16


def phase_shuffle(h, n):
    """Shifts each sound's map in time by -n .. n steps, at random; its ends are reflected.

    The shift has no gradient; the shifted values have.

    Args:
      h: float32 [batch, n_steps, channels].
      n: Largest shift in steps; 0: none.

    Returns:
      float32 [batch, n_steps, channels].

    References:
      Donahue et al. 2019, section 3.3; one shift a sound, not one a batch.
    """
    if not n:
        return h
    n_steps = h.shape[1]
    shift = tf.cast(rows_bits(h) % tf.constant(2 * n + 1, tf.uint32), tf.int32) - n
    position = tf.abs(tf.range(n_steps)[None, :] - shift[:, None])
    position = (n_steps - 1) - tf.abs((n_steps - 1) - position)
    return tf.gather(h, position, batch_dims=1)


class WaveGANDiscriminator(RawWaveformDiscriminator):
    """Strided convolutions down to a few steps, and one decision (Donahue et al. 2019).

    Conditions, which the published network has none of, enter by projection on the last map's
    mean over time (Miyato and Koyama 2018).

    Args:
      n_samples: Length of the sounds; layers are added until 16 steps or fewer are left.
      units: Filters of the first layer; each further one has twice as many.
      kernel_size, stride: Of the convolutions.
      shuffle: Largest phase shift behind each layer but the last, in steps.

    Raises:
      ValueError: for 16 samples or fewer, no units, a stride below 2 or a shift beyond 16; when
        called, for sounds of another length.
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
        for argument, value, low, high in (
            ("n_samples", n_samples, N_LAST + 1, float("inf")),
            ("units", units, 1, float("inf")),
            ("stride", stride, 2, float("inf")),
            ("shuffle", shuffle, 0, N_LAST),
        ):
            check_whole(f"WaveGANDiscriminator.{argument}", value, low, high)
        self.shuffle = shuffle
        self.convolutions = []
        n_steps = n_samples
        while n_steps > N_LAST:
            # A length between powers of the stride ends in a layer with a smaller one.
            by = min(stride, -(-n_steps // N_LAST))
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

    def score(self, features, conditioning):
        """DiscriminatorOutput of the `front_end` features; conditioning: encoded, or None."""
        (h,) = features
        features = []
        for i, convolution in enumerate(self.convolutions):
            h = tf.nn.leaky_relu(convolution(h), 0.2)
            features.append(h)
            if i < len(self.convolutions) - 1:
                h = phase_shuffle(h, self.shuffle)
        flat = tf.reshape(h, [-1, h.shape[1] * h.shape[2]])
        logits = self.decision(flat)[:, 0]
        logits += projected(self.projection, conditioning, tf.reduce_mean(h, axis=1))
        return DiscriminatorOutput([logits], [features])

"""Adversarial pairs: what the discriminator and the generator each minimise.

Every pair has `d_loss(real_logits, fake_logits)` and `g_loss(real_logits, fake_logits)`; logits are
[batch] tensors and the result is a scalar, the mean over the batch.
"""

import tensorflow as tf


class BCE:
    """Binary cross-entropy (Goodfellow et al. 2014).

    Args:
      saturating: Whether the generator minimises log(1 - D(fake)), as in the minimax game, rather
        than -log D(fake).
    """

    def __init__(self, saturating=False):
        self.saturating = saturating

    def d_loss(self, real_logits, fake_logits):
        """-log D(real) - log(1 - D(fake))."""
        return tf.reduce_mean(tf.nn.softplus(-real_logits)) + tf.reduce_mean(
            tf.nn.softplus(fake_logits)
        )

    def g_loss(self, real_logits, fake_logits):
        """-log D(fake), or log(1 - D(fake)) where saturating."""
        if self.saturating:
            return -tf.reduce_mean(tf.nn.softplus(fake_logits))
        return tf.reduce_mean(tf.nn.softplus(-fake_logits))


class LeastSquares:
    """Least squares: logits regress to 1 (real) and 0 (fake) (Mao et al. 2017)."""

    def d_loss(self, real_logits, fake_logits):
        """Half the squared distances from 1 and 0."""
        return 0.5 * tf.reduce_mean((real_logits - 1.0) ** 2 + fake_logits**2)

    def g_loss(self, real_logits, fake_logits):
        """Half the squared distance of fakes from 1."""
        return 0.5 * tf.reduce_mean((fake_logits - 1.0) ** 2)


class Hinge:
    """Logits count until they pass the margin (Lim and Ye 2017)."""

    def d_loss(self, real_logits, fake_logits):
        """max(0, 1 - real) + max(0, 1 + fake)."""
        return tf.reduce_mean(tf.nn.relu(1.0 - real_logits) + tf.nn.relu(1.0 + fake_logits))

    def g_loss(self, real_logits, fake_logits):
        """-fake."""
        return -tf.reduce_mean(fake_logits)


class Wasserstein:
    """Difference of means (Arjovsky et al. 2017); wants a penalty that keeps D Lipschitz."""

    def d_loss(self, real_logits, fake_logits):
        """fake - real."""
        return tf.reduce_mean(fake_logits) - tf.reduce_mean(real_logits)

    def g_loss(self, real_logits, fake_logits):
        """-fake."""
        return -tf.reduce_mean(fake_logits)


class Relativistic:
    """Each fake is judged against a real one (RpGAN; Jolicoeur-Martineau 2019, Huang et al. 2024).

    Rows are paired as they stand; with conditions, a real and a fake of one row share them.
    """

    def d_loss(self, real_logits, fake_logits):
        """softplus(fake - real)."""
        return tf.reduce_mean(tf.nn.softplus(fake_logits - real_logits))

    def g_loss(self, real_logits, fake_logits):
        """softplus(real - fake)."""
        return tf.reduce_mean(tf.nn.softplus(real_logits - fake_logits))

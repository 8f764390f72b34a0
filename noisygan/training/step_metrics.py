"""Statistics of a training step that show a collapse, silence or a discriminator that has won."""

import tensorflow as tf

from noisygan.losses import global_batch

N_LEVELS = 32


def logit_metrics(pairs):
    """Compute mean logits and the share of pairs in which the real example scores higher.

    Args:
      pairs: (real_logits, fake_logits) of each scale, [batch] each.
    """
    real = tf.add_n([tf.reduce_mean(r) for r, _ in pairs]) / len(pairs)
    fake = tf.add_n([tf.reduce_mean(f) for _, f in pairs]) / len(pairs)
    right = tf.add_n([tf.reduce_mean(tf.cast(r > f, tf.float32)) for r, f in pairs]) / len(pairs)
    return {"real_logits": real, "fake_logits": fake, "d_right": right}


def combined(updates):
    """Combine the metrics of a step's updates, a list: their means, the minimum of `d_finite`."""
    if len(updates) == 1:
        return updates[0]
    metrics = {}
    for name in {name: None for update in reversed(updates) for name in update}:
        values = [update[name] for update in updates if name in update]
        metrics[name] = (tf.reduce_min if name == "d_finite" else tf.reduce_mean)(values)
    return metrics


def diversity_metrics(examples):
    """Compute the spread of real and fake features and the fakes' extreme peaks."""
    peaks = global_batch.gather(tf.reduce_max(tf.abs(examples.fake), axis=1))
    return {
        "fake_spread": spread(examples.fake_features),
        "real_spread": spread(examples.real_features),
        "fake_peak": tf.reduce_max(peaks),
        "fake_quietest_peak": tf.reduce_min(peaks),
    }


def spread(features):
    """Compute the mean distance between time averages of rows, a scalar.

    Args:
      features: Front-end features, list of [batch, n_frames, ...]. Of a waveform,
        [batch, n_samples, 1], the levels of segments are compared, since its mean is near 0.
    """
    total = 0.0
    for x in features:
        pooled = _levels(x) if x.shape[-1] == 1 else tf.reduce_mean(x, axis=1)
        pooled = global_batch.gather(tf.reshape(pooled, [tf.shape(pooled)[0], -1]))
        distances = tf.norm(pooled[:, None] - pooled[None] + 1e-9, axis=2)
        total += tf.reduce_mean(distances)
    return total / len(features)


def _levels(waveform):
    """Root mean squares of segments of waveforms [batch, n_samples, 1]: [batch, n_segments]."""
    n_segments = min(N_LEVELS, waveform.shape[1])
    n = waveform.shape[1] // n_segments
    segments = tf.reshape(waveform[:, : n * n_segments], [-1, n_segments, n])
    return tf.sqrt(tf.reduce_mean(segments**2, axis=2) + 1e-12)

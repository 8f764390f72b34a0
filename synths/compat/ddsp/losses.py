"""Losses of `ddsp.losses`."""

import math

import keras
import tensorflow as tf

import synths
from synths import crepe, mean_difference, tf_float32
from synths.compat.ddsp._arguments import to_float32
from synths.compat.ddsp.core import hz_to_midi, safe_divide
from synths.compat.ddsp.dags import DAGLayer
from synths.shapes import length


class Loss(keras.layers.Layer):
    """Base class of losses: layers that return a scalar."""

    def get_losses_dict(self, *args, **kwargs):
        """Loss by name; arguments as of a call."""
        return {self.name: self(*args, **kwargs)}


class LossGroup(DAGLayer):
    """Losses of the outputs of a model; see `DAGLayer`. A call returns losses by name."""

    def __init__(self, dag, **kwarg_losses):
        super().__init__(dag, **kwarg_losses)
        self.loss_names = self.module_names

    @property
    def losses(self):
        """Losses, those of keyword arguments first."""
        return [getattr(self, name) for name in self.loss_names]

    def call(self, outputs, **kwargs):
        """Losses by name."""
        found = self.run_dag(outputs, **kwargs)
        return {name: loss for key in self.loss_names for name, loss in found[key].items()}

    def get_losses_dict(self, outputs, **kwargs):
        """Losses by name."""
        return self(outputs, **kwargs)


class SpectralLoss(synths.SpectralLoss, Loss):
    """`synths.SpectralLoss` in float32."""

    def call(self, target_audio, audio, weights=None):
        """Loss, a scalar."""
        return super().call(to_float32(target_audio), to_float32(audio), weights)


class ParamLoss(Loss):
    """Weighted `mean_difference` of two tensors."""

    def __init__(self, weight=1.0, loss_type="L1", **kwargs):
        super().__init__(**kwargs)
        self.weight = weight
        self.loss_type = loss_type
        self.built = True

    def call(self, pred, target, weights=None):
        """Loss, a scalar."""
        return self.weight * mean_difference(pred, target, self.loss_type, weights)


class EmbeddingLoss(Loss):
    """Weighted `mean_difference` of the embeddings of two sounds.

    Args:
      weight: Factor.
      loss_type: As of `mean_difference`.
      pretrained_model: Maps audio [batch, n_samples] to an embedding.
    """

    def __init__(self, weight=1.0, loss_type="L1", pretrained_model=None, name="embedding_loss"):
        super().__init__(name=name)
        self.weight = weight
        self.loss_type = loss_type
        self.pretrained_model = pretrained_model
        self.built = True

    def call(self, target_audio, audio):
        """Loss, a scalar."""
        target, value = (self.pretrained_model(tf_float32(x)) for x in (target_audio, audio))
        return self.weight * mean_difference(target, value, self.loss_type)


class PretrainedCREPE(keras.layers.Layer):
    """Activations of a layer of CREPE in frames of 64 ms, [batch, n_frames, n_activations].

    Args:
      model_capacity: As `capacity` of `synths.CREPE`.
      activation_layer: "classifier", or "conv1" to "conv6", each also with "-BN" or "-maxpool".
    """

    def __init__(
        self,
        model_capacity="tiny",
        activation_layer="conv5-maxpool",
        name="pretrained_crepe",
        trainable=False,
    ):
        super().__init__(name=name, trainable=trainable, autocast=False)
        self.network = crepe.load_network(model_capacity)
        names = [layer.name for layer in self.network.body.layers if layer.name[:4] == "conv"]
        self.layer_names = [*names, "classifier"]
        if activation_layer not in self.layer_names:
            raise ValueError(
                f"activation_layer: got {activation_layer!r}, expected one of "
                f"{', '.join(self.layer_names)}."
            )
        self.activation_layer = activation_layer
        self.frame_length = crepe.FRAME_SIZE
        self.built = True

    def frame_audio(self, audio, hop_length=crepe.FRAME_SIZE, center=True):
        """Cut audio [batch, n_samples] into frames of mean 0 and deviation 1."""
        half = self.frame_length // 2
        audio = tf.pad(audio, [[0, 0], [half, half]]) if center else audio
        frames = tf.signal.frame(audio, self.frame_length, hop_length)
        mean, variance = tf.nn.moments(frames, [-1], keepdims=True)
        return (frames - mean) / (tf.sqrt(variance + 1e-14) + 1e-5)

    def call(self, audio):
        """Activations of audio [batch, n_samples] at 16 kHz."""
        frames = self.frame_audio(audio)
        x = tf.reshape(frames, [-1, self.frame_length])
        for layer in self.network.body.layers:
            x = layer(x)
            if layer.name == self.activation_layer:
                break
        else:
            x = tf.sigmoid(x @ self.network.kernel + self.network.bias)
        n_rows, n_frames = (length(frames, axis) for axis in (0, 1))
        return tf.reshape(x, [n_rows, n_frames, math.prod(x.shape[1:])])


class PretrainedCREPEEmbeddingLoss(EmbeddingLoss):
    """`EmbeddingLoss` of `PretrainedCREPE`, at a level that hardly depends on its layer.

    The factors of the layers are ddsp's, so that losses are equal.
    """

    _SCALES = {
        "conv1-BN": 1.3,
        "conv1-maxpool": 1.0,
        "conv2-BN": 1.4,
        "conv2-maxpool": 1.1,
        "conv3-BN": 1.9,
        "conv3-maxpool": 1.6,
        "conv4-BN": 1.5,
        "conv4-maxpool": 1.4,
        "conv5-BN": 1.9,
        "conv5-maxpool": 1.7,
        "conv6-BN": 30.0,
        "conv6-maxpool": 25.0,
        "classifier": 130.0,
    }

    def __init__(
        self,
        weight=1.0,
        loss_type="L1",
        model_capacity="tiny",
        activation_layer="classifier",
        name="pretrained_crepe_embedding_loss",
    ):
        weight = 20.0 * self._SCALES[activation_layer] * weight
        model = PretrainedCREPE(model_capacity, activation_layer)
        super().__init__(weight, loss_type, model, name)


def amp_loss(amp, amp_target, loss_type="L1", weights=None, log=False, amin=1e-5):
    """`mean_difference` of amplitudes, or with log of their logarithms, amin at least."""
    if log:
        amp, amp_target = (_log10(x, amin) for x in (amp, amp_target))
    return mean_difference(amp, amp_target, loss_type, weights)


def _log10(x, least):
    return tf.math.log(tf.maximum(tf_float32(x), least)) / math.log(10.0)


def freq_loss(f_hz, f_hz_target, loss_type="L1", weights=None):
    """`mean_difference` of frequencies in semitones."""
    return mean_difference(hz_to_midi(f_hz), hz_to_midi(f_hz_target), loss_type, weights)


class FilteredNoiseConsistencyLoss(Loss):
    """Weighted `amp_loss` of noise magnitudes."""

    def __init__(self, weight=1.0, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight
        self.built = True

    def call(self, noise_magnitudes, noise_magnitudes_target):
        """Loss, a scalar."""
        return self.weight * amp_loss(noise_magnitudes, noise_magnitudes_target)


class HarmonicConsistencyLoss(Loss):
    """Losses of controls of `Harmonic`, by name.

    Args:
      amp_weight, dist_weight, f0_weight: Weights of the three losses.
      amp_threshold: Distribution and F0 count where the target's amplitude is this or higher.
    """

    def __init__(
        self, amp_weight=1.0, dist_weight=1.0, f0_weight=1.0, amp_threshold=1e-4, **kwargs
    ):
        super().__init__(**kwargs)
        self.amp_weight = amp_weight
        self.dist_weight = dist_weight
        self.f0_weight = f0_weight
        self.amp_threshold = amp_threshold
        self.built = True

    def call(self, harm_amp, harm_amp_target, harm_dist, harm_dist_target, f0_hz, f0_hz_target):
        """Return harm_amp_loss, harm_dist_loss and f0_hz_loss, scalars."""
        sounding = tf.cast(harm_amp_target >= self.amp_threshold, tf.float32)
        of_amp = amp_loss(harm_amp, harm_amp_target)
        of_dist = amp_loss(harm_dist, harm_dist_target, weights=sounding)
        of_f0 = freq_loss(f0_hz, f0_hz_target, weights=sounding)
        return {
            "harm_amp_loss": self.amp_weight * of_amp,
            "harm_dist_loss": self.dist_weight * of_dist,
            "f0_hz_loss": self.f0_weight * of_f0,
        }


def wasserstein_distance(u_values, v_values, u_weights, v_weights, p=1.0):
    """Distance of two weighted sets of points: of the sums of weights up to each value.

    Args:
      u_values, v_values: [..., n].
      u_weights, v_weights: [..., n], not normalized; None: 1 / n.
      p: Order of the norm.

    Returns:
      [...].
    """
    signed = []
    for values, weights, sign in ((u_values, u_weights, 1.0), (v_values, v_weights, -1.0)):
        if weights is None:
            weights = tf.ones_like(values) / float(values.shape[-1])
        signed.append(sign * weights)
    values, weights = tf.concat([u_values, v_values], -1), tf.concat(signed, -1)
    order = tf.argsort(values, axis=-1)
    values, weights = (
        tf.gather(x, order, axis=-1, batch_dims=values.shape.rank - 1) for x in (values, weights)
    )
    above = tf.abs(tf.cumsum(weights, axis=-1)[..., :-1]) ** p
    return tf.reduce_sum(synths.diff(values) * above, axis=-1) ** (1.0 / p)


class WassersteinConsistencyLoss(Loss):
    """Weighted `wasserstein_distance` of two sets of sinusoids, in semitones or in Hz."""

    def __init__(self, weight=1.0, midi=True, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight
        self.midi = midi
        self.built = True

    def call(self, amps_a, freqs_a, amps_b, freqs_b):
        """Loss, a scalar, of linear amplitudes and Hz, [batch, n_frames, n_sinusoids]."""
        if self.midi:
            freqs_a, freqs_b = hz_to_midi(freqs_a), hz_to_midi(freqs_b)
        distance = wasserstein_distance(freqs_a, freqs_b, amps_a, amps_b)
        return self.weight * tf.reduce_mean(distance)


def _log_density(places, centres, shares, scale):
    """Logarithm of the density of a mixture of Gaussians.

    Args:
      places: [..., n_places].
      centres, shares: [..., n]; shares sum to 1 or 0.
      scale: Standard deviation.

    Returns:
      [..., n_places].
    """
    distance = (places[..., tf.newaxis] - centres[..., tf.newaxis, :]) / scale
    log_shares = tf.math.log(tf.maximum(shares, 1e-30))[..., tf.newaxis, :]
    density = tf.reduce_logsumexp(log_shares - 0.5 * distance**2, axis=-1)
    return density - math.log(scale * math.sqrt(2.0 * math.pi))


def _shares(amps):
    """Amplitudes that sum to 1; equal in silence."""
    amps = tf.where(amps == 0.0, 1e-7, amps)
    return safe_divide(amps, tf.reduce_sum(amps, axis=-1, keepdims=True))


class KDEConsistencyLoss(Loss):
    """Distance of two sets of sinusoids: likelihood of each given the other, and mean amplitude.

    Args:
      weight_a, weight_b: Weights of the negative log likelihoods of a given b and of b given a.
      weight_mean_amp: Weight of the difference in mean amplitude.
      scale_a, scale_b: Standard deviations of the Gaussians around each sinusoid, semitones.
    """

    def __init__(
        self,
        weight_a=1.0,
        weight_b=1.0,
        weight_mean_amp=1.0,
        scale_a=0.1,
        scale_b=0.1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.weight_a = weight_a
        self.weight_b = weight_b
        self.weight_mean_amp = weight_mean_amp
        self.scale_a = scale_a
        self.scale_b = scale_b
        self.built = True

    def call(self, amps_a, freqs_a, amps_b, freqs_b):
        """Loss, a scalar, of linear amplitudes and Hz, [batch, n_frames, n_sinusoids]."""
        of_a = self.nll(amps_a, freqs_a, amps_b, freqs_b, self.scale_b)
        of_b = self.nll(amps_b, freqs_b, amps_a, freqs_a, self.scale_a)
        means = [tf.reduce_mean(amps, axis=-1) for amps in (amps_a, amps_b)]
        return (
            self.weight_a * tf.reduce_mean(of_a)
            + self.weight_b * tf.reduce_mean(of_b)
            + self.weight_mean_amp * tf.reduce_mean(tf.abs(means[0] - means[1]))
        )

    def nll(self, amps, freqs, amps_target, freqs_target, scale_target):
        """Negative log likelihood of sinusoids given others, [batch, n_frames]."""
        centres = hz_to_midi(freqs_target)
        density = _log_density(hz_to_midi(freqs), centres, _shares(amps_target), scale_target)
        total = tf.reduce_sum(amps, axis=-1, keepdims=True)
        return -tf.reduce_mean(density * safe_divide(amps, total), axis=-1)


class TWMLoss(Loss):
    """Two-way mismatch: how badly sinusoids and the harmonics of F0 candidates explain each other.

    Args:
      sinusoids_weight, harmonics_weight: Weights of the negative log likelihoods of the sinusoids
        given the harmonics, and of the harmonics given the sinusoids.
      sinusoids_scale: Standard deviation around a sinusoid, semitones.
      harmonics_scale: Standard deviation around a harmonic, multiples of F0.
      n_harmonic_points: Number of harmonics of a candidate given the sinusoids.
      n_harmonic_gaussians: Number of harmonics that sinusoids are compared with.
      softmin_temperature: The lower, the more the best candidate counts alone.
      sample_rate: Hz. Harmonics above Nyquist do not count.

    References:
      Maher and Beauchamp, Fundamental frequency estimation of musical signals using a two-way
      mismatch procedure, 1994.
    """

    def __init__(
        self,
        sinusoids_weight=1.0,
        harmonics_weight=1.0,
        sinusoids_scale=0.5,
        harmonics_scale=0.2,
        n_harmonic_points=10,
        n_harmonic_gaussians=30,
        softmin_temperature=1.0,
        sample_rate=16000,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.sinusoids_weight = sinusoids_weight
        self.harmonics_weight = harmonics_weight
        self.sinusoids_scale = sinusoids_scale
        self.harmonics_scale = harmonics_scale
        self.n_harmonic_points = n_harmonic_points
        self.n_harmonic_gaussians = n_harmonic_gaussians
        self.softmin_temperature = softmin_temperature
        self.sample_rate = sample_rate
        self.built = True

    def call(self, f0_candidates, freqs, amps):
        """Loss, a scalar.

        Args:
          f0_candidates: Hz, [batch, n_frames, n_candidates].
          freqs, amps: Sinusoids in Hz and linear, [batch, n_frames, n_sinusoids].
        """
        loss = self._combined(f0_candidates, freqs, amps)
        return tf.reduce_mean(loss * tf.nn.softmax(-loss / self.softmin_temperature))

    def predict_f0(self, f0_candidates, freqs, amps):
        """Best candidate of each frame, array [batch, n_frames, 1]; arguments as of a call."""
        loss = self._combined(f0_candidates, freqs, amps)
        best = tf.argmin(tf.where(tf.math.is_nan(loss), math.inf, loss), axis=-1)
        f0_hz = tf.gather(tf_float32(f0_candidates), best, batch_dims=2)
        return f0_hz[..., tf.newaxis].numpy()

    def get_loss_tensors(self, f0_candidates, freqs, amps):
        """Losses of (sinusoids, harmonics), [batch, n_frames, n_candidates] each."""
        f0_hz, freqs, amps = (tf_float32(x) for x in (f0_candidates, freqs, amps))
        n = self.n_harmonic_gaussians
        orders = tf.range(1.0, n + 1.0)
        ratios = safe_divide(freqs[:, :, tf.newaxis], f0_hz[..., tf.newaxis])
        density = _log_density(ratios, orders, tf.ones([n]) / n, self.harmonics_scale)
        amplitudes = amps[:, :, tf.newaxis]
        total = tf.reduce_sum(amplitudes, axis=-1)
        of_sinusoids = safe_divide(tf.reduce_sum(-density * amplitudes, axis=-1), total)

        n = self.n_harmonic_points
        harmonics = hz_to_midi(f0_hz[..., tf.newaxis] * tf.range(1.0, n + 1.0))
        centres, shares = hz_to_midi(freqs)[:, :, tf.newaxis], _shares(amps)[:, :, tf.newaxis]
        density = _log_density(harmonics, centres, shares, self.sinusoids_scale)
        audible = tf.cast(harmonics < hz_to_midi(0.5 * self.sample_rate), tf.float32)
        audible = safe_divide(audible, tf.reduce_mean(audible, axis=-1, keepdims=True))
        weights = tf.linspace(1.0, 1.0 / n, n) * audible
        return of_sinusoids, tf.reduce_mean(-density * weights, axis=-1)

    def _combined(self, f0_candidates, freqs, amps):
        sinusoids, harmonics = self.get_loss_tensors(f0_candidates, freqs, amps)
        return self.sinusoids_weight * sinusoids + self.harmonics_weight * harmonics


class HmmTranscriber(tf.Module):
    """Hidden Markov model of notes, from tracks of pitch and amplitude.

    The states are MIDI pitches; pitch 0 is silence.

    Args:
      avg_length: Mean number of frames of a note.
      midi_std: Standard deviation of the track around a pitch, semitones.
      amps_on_center, amps_on_scale: Mean and standard deviation of the amplitude of notes.
      amps_off_center, amps_off_scale: Those of silence.
      n_timesteps: Number of frames of a track.
      n_pitches: Number of states.
      weight: Weight of the loss.
    """

    def __init__(
        self,
        avg_length=200,
        midi_std=0.5,
        amps_on_center=1.5,
        amps_on_scale=0.5,
        amps_off_center=0.0,
        amps_off_scale=0.1,
        n_timesteps=1000,
        n_pitches=128,
        weight=1.0,
        name="hmm_transcriber",
    ):
        from tensorflow_probability import distributions

        super().__init__(name=name)
        self.avg_length = avg_length
        self.midi_std = midi_std
        self.n_timesteps = n_timesteps
        self.n_pitches = n_pitches
        self.weight = weight
        # Rows are states: silence, whose pitch is anything, then pitches 1 to n_pitches - 1.
        silence = [0.5 * n_pitches, n_pitches, amps_off_center, amps_off_scale]
        notes = [[pitch, midi_std, amps_on_center, amps_on_scale] for pitch in range(1, n_pitches)]
        states = tf.constant([silence, *notes], tf.float32)
        change = 1.0 / avg_length
        stay = tf.eye(n_pitches) * (1.0 - change * n_pitches / (n_pitches - 1))
        self.model = distributions.HiddenMarkovModel(
            distributions.Categorical(probs=tf.fill([n_pitches], 1.0 / n_pitches)),
            distributions.Categorical(probs=stay + change / (n_pitches - 1)),
            distributions.MultivariateNormalDiag(states[:, 0::2], states[:, 1::2]),
            num_steps=n_timesteps,
        )

    def __call__(self, pitch, amps):
        """`nll`."""
        return self.nll(pitch, amps)

    @staticmethod
    def straight_through(x, x_quant):
        """x_quant with the gradient of x."""
        return x + tf.stop_gradient(x_quant - x)

    def nll(self, pitch, amps, per_example_loss=False):
        """Weighted negative log likelihood per frame, a scalar or [batch].

        Args:
          pitch: MIDI, [batch, n_timesteps, 1].
          amps: [batch, n_timesteps, 1].
          per_example_loss: Whether each row has its own.
        """
        loss = -self.model.log_prob(tf.concat([pitch, amps], axis=-1)) / pitch.shape[1]
        return self.weight * (loss if per_example_loss else tf.reduce_mean(loss))

    def predict_midi(self, pitch, amps, channel_dim=True, dtype=tf.float32):
        """Most probable notes, [batch, n_timesteps, 1], or [batch, n_timesteps]."""
        notes = self.model.posterior_mode(tf.concat([pitch, amps], axis=-1))
        notes = tf.cast(notes, dtype)
        return notes[..., tf.newaxis] if channel_dim else notes

"""The hybrid generator: control curves of CPPNs, rendered by synthesizers."""

import math

import keras
import numpy as np
import tensorflow as tf

from noisygan.audio_io.controls import frames_to_samples
from noisygan.generators.generator import Generator, GeneratorOutput
from noisygan.generators.pitch import at_pitch, bend_at, shifted
from noisygan.metrics.note_timing import END_DB, note_timing
from noisygan.metrics.tuning import inharmonicity_by_pitch, measure_tuning, values_by_pitch
from synths.effects import response_at_rate
from synths.units import soft_ceiling_db

# Notes are damped at a note-off if the recordings show hardly any release.
DAMPER_DB_PER_SECOND = 240.0
# Fewer recordings than this share are not enough.
_LEAST_SHARE_RELEASED = 0.2
_LOWEST_PITCH = 33  # where it is unknown
# Where the mean of an F0 curve is taken.
_TUNED_TIMES = np.linspace(0.2, 1.5, 26, dtype=np.float32)
# At most this many recordings are measured.
_MAX_MEASURED = 1024
# Least time to a note-off and of a release; longer than any note.
_LEAST_SECONDS, _FOREVER_SECONDS = 0.02, 3600.0


class Hybrid(Generator):
    """Generator of synthesizer controls: latent to curves to controls to audio.

    Args:
      f0_curve: Network of the F0 curve, 1 channel (`cppn.networks`); called without `progress`.
      loudness_curve: Network of the loudness curve, 1 channel.
      timbre_curves: Network of the timbre curves that the decoder reads.
      voices: A group of `noisygan.generators.voices`, whose sounds are summed.
      pitch: From the raw F0 curve to Hz (`noisygan.generators.pitch`).
      condition_encoder: `discriminators.conditioning.ConditionEncoder`, or None.
      condition_jitter: A `noisygan.generators.jitter.ConditionJitter`, or None:
        curves read the conditioning unchanged.
      jitter: A `noisygan.generators.jitter.Jitter`, or None: curves unchanged.
      decoder: A Keras layer over [batch, n_frames, n]: raw F0, loudness and timbre curves to the
        features that the voices' heads read; None hands them on as they are.
      reverb: A `synths.effects.Reverb`, or None.
      prior: A distribution of tensorflow-probability over z (scalar or with the event shape
        [latent_dim]), sampled with a stateless seed.
      latent_dim: Size of z.
      latent_units: Units of the two dense layers between z with encoded conditions and the curve
        networks; 0: no such layers.
      sample_rate: Hz, of the recordings.
      seconds: Length of the recordings.
      release_seconds: From note-off to the end of a note, of a generator that is not trained;
        training measures it.
      frame_rate: Frames of the controls a second.
      initial_loudness_db, max_loudness_db: Level of the untrained generator, and the ceiling.
      loudness_scale_db: How many decibels 1 on the raw loudness curve is.
      gate_db: Where the loudness falls below it, every decibel counts as six: notes end in
        silence, as recordings of 16 bits do, and not in a murmur.
      velocity_exponent: The level is proportional to (velocity / 127) to this power, and training
        adds to that. 2 is General MIDI's 40 log10.
    """

    def __init__(
        self,
        f0_curve,
        loudness_curve,
        timbre_curves,
        voices,
        pitch,
        condition_encoder=None,
        condition_jitter=None,
        jitter=None,
        decoder=None,
        reverb=None,
        prior=None,
        latent_dim=16,
        latent_units=128,
        sample_rate=16000,
        seconds=4.0,
        release_seconds=0.5,
        frame_rate=125.0,
        initial_loudness_db=-25.0,
        max_loudness_db=0.0,
        loudness_scale_db=20.0,
        gate_db=-90.0,
        velocity_exponent=0.0,
        name="hybrid",
    ):
        super().__init__(sample_rate, seconds, latent_dim, prior, condition_encoder, name)
        self.f0_curve = f0_curve
        self.loudness_curve = loudness_curve
        self.timbre_curves = timbre_curves
        self.voices = list(voices)
        for voice in self.voices:
            if voice.bandwidth_hz is None:
                voice.bandwidth_hz = 0.5 * sample_rate
        names = [voice.name for voice in self.voices]
        if len({*names, "reverb"}) <= len(names):
            raise ValueError(
                f"voices: named {', '.join(names)}; expected names that differ from each other "
                "and from reverb, such as HarmonicVoice.name = 'low'."
            )
        self.pitch = pitch
        self.condition_jitter = condition_jitter
        self.jitter = jitter
        self.decoder = decoder
        self.reverb = reverb
        size = self.distribution.event_shape
        if size.rank and size[0] != latent_dim:
            raise ValueError(
                f"prior: its samples have {size[0]} numbers, latent_dim is {latent_dim}; set both "
                "to one size."
            )
        self.latent_network = None
        if latent_units:
            self.latent_network = keras.Sequential(
                [
                    keras.layers.Dense(latent_units, activation="leaky_relu", name="latent_0"),
                    keras.layers.Dense(latent_units, activation="leaky_relu", name="latent_1"),
                ],
                name="latent",
            )
        measured = {"release_seconds": release_seconds, "rings_out": 0.0, "learns_release": 1.0}
        self._release_seconds, self._rings_out, self._learns_release = (
            self.add_weight(
                shape=[], initializer=keras.initializers.Constant(x), trainable=False, name=name
            )
            for name, x in measured.items()
        )
        self._tuning_cents, self._inharmonicity = (
            self.add_weight(shape=[128], initializer="zeros", trainable=False, name=name)
            for name in ("tuning_cents", "inharmonicity")
        )
        self._steady_seconds = self.add_weight(
            shape=[128],
            initializer=keras.initializers.Constant(_FOREVER_SECONDS),
            trainable=False,
            name="steady_seconds",
        )
        self.frame_rate = frame_rate
        self.initial_loudness_db = initial_loudness_db
        self.max_loudness_db = max_loudness_db
        self.loudness_scale_db = loudness_scale_db
        self.gate_db = gate_db
        self.velocity_exponent = velocity_exponent

    has_controls = True
    is_any_length = True

    @property
    def condition_names(self):
        """Names of the conditions that the generator uses."""
        names = self.condition_encoder.names if self.condition_encoder else ()
        return tuple(dict.fromkeys((*names, *self.pitch.condition_names)))

    @property
    def release_seconds(self):
        """Median time from note-off to the end of a recording, or of the damper."""
        return float(self._release_seconds.numpy())

    @property
    def rings_out(self):
        """True if hardly any recording has a note-off."""
        return float(self._rings_out.numpy()) > 0.5

    @property
    def is_stretched(self):
        """True if the recordings have the stretched partials of strings."""
        # Evaluated at trace time: graphs of other runs contain harmonics only.
        with tf.init_scope():
            return bool(np.any(self._inharmonicity.numpy() > 0.0))

    def set_pitches(self, pitches):
        """Set the number of harmonics of voices that leave it open."""
        for voice in self.voices:
            if voice.kind == "harmonic":
                voice.set_lowest_pitch(min(pitches, default=_LOWEST_PITCH))

    def adapt(self, data):
        """Measure releases of the recordings and, by pitch, times held, tuning and stretch."""
        rows = np.arange(0, len(data), -(-len(data) // _MAX_MEASURED))
        if "pitch" in self.pitch.condition_names:
            pitch = data.pitch[rows]
            found = [measure_tuning(data.audio(i), data.sample_rate, data.pitch[i]) for i in rows]
            table = np.zeros(128, np.float32)
            if any(getattr(voice, "is_stretchable", False) for voice in self.voices):
                table = inharmonicity_by_pitch(pitch, found)
            cents = [tuning.harmonic_cents for tuning in found]
            if table.any():
                own = np.interp(pitch, np.arange(128), table)
                cents = [tuning.cents_at(b) for tuning, b in zip(found, own, strict=True)]
            self._inharmonicity.assign(table)
            self._tuning_cents.assign(values_by_pitch(pitch, cents))
        held = data.held_seconds_of(rows)
        seconds = data.n_samples / data.sample_rate
        is_inside = held < seconds
        learns = np.mean(is_inside) >= _LEAST_SHARE_RELEASED
        self._learns_release.assign(float(learns))
        self._rings_out.assign(float(np.mean(np.isfinite(held)) < _LEAST_SHARE_RELEASED))
        steady = np.full(128, _FOREVER_SECONDS)
        if "pitch" in self.condition_names and not self.rings_out:
            steady = values_by_pitch(data.pitch[rows], np.minimum(held, seconds), np.max)
        self._steady_seconds.assign(np.maximum(steady, _LEAST_SECONDS))
        release = END_DB / -DAMPER_DB_PER_SECOND
        if learns:
            ends = [note_timing(data.audio(i), data.sample_rate).end for i in rows[is_inside]]
            release = max(float(np.median(ends - held[is_inside])), _LEAST_SECONDS)
        self._release_seconds.assign(release)

    def get_controls(self, z, conditioning, seconds=None, held_seconds=None):
        """Generate control curves in physical units.

        Args:
          z: float32 [batch, latent_dim].
          conditioning: dict with `condition_names`: pitch (MIDI) and velocity (0 .. 127),
            float32 [batch]; label, int32 [batch]. It may hold held_seconds, and a bend of the
            pitch, float32 [batch, n_points, 2]: (seconds, semitones), straight between.
          seconds: Length, a number or a float64 scalar; the note is held longer or shorter, its
            release stays as it is.
          held_seconds: Time of each note-off, float32 [batch], infinite for a note that rings out;
            None: that of the conditioning. Without it notes ring out if all recordings do, and
            others are released so that they end with the sound.

        Returns:
          dict: `loudness_db` [batch, n_frames, 1] and, for each voice, `<voice>/<control>`.
        """
        seconds = self.seconds if seconds is None else seconds
        # Up to the end, and never past it because of a rounded product.
        n_frames = seconds * self.frame_rate - 1e-6
        if isinstance(seconds, tf.Tensor):
            n_frames = tf.maximum(1, tf.cast(tf.math.ceil(n_frames), tf.int32))
        else:
            n_frames = max(1, math.ceil(n_frames))
        # Graphs multiply by a rounded reciprocal: in float64 the error is negligible.
        times = tf.cast(tf.cast(tf.range(n_frames), tf.float64) / self.frame_rate, tf.float32)
        note_off = conditioning.get("held_seconds") if held_seconds is None else held_seconds
        if note_off is None:
            default_off = tf.nn.relu(tf.cast(seconds, tf.float32) - self._release_seconds)
            default_off = tf.where(self._rings_out > 0.5, np.inf, default_off)
            note_off = tf.fill([tf.shape(z)[0]], default_off)
        return self.controls_at(times, note_off, z, conditioning)

    def controls_at(self, times, note_off, z, conditioning):
        """Generate control curves at given times.

        Args:
          times: Seconds since the notes began, float32 [n_frames], or [batch, n_frames].
          note_off: Seconds when they are released, float32 [batch]; infinite for never.
          z, conditioning: As in `get_controls`.

        Returns:
          As of `get_controls`.
        """
        target, whole_z = conditioning, z
        if self.condition_jitter is not None:
            z, conditioning = self.condition_jitter(z, conditioning)
        latent = self.conditioned_latent(z, conditioning)
        if self.latent_network is not None:
            latent = self.latent_network(latent)
        # Curves that never saw a note-off do not get one: a damper takes its place.
        learnt = tf.where(self._learns_release > 0.5, note_off, np.inf)
        raw_f0 = self.f0_curve(times, learnt, latent)
        rows = times if times.shape.rank == 2 else times[None]
        progress, fall = times, 0.0
        if "pitch" in self.condition_names:
            progress, fall = self._while_held(rows, note_off, latent, target["pitch"])
        raw_loudness = self.loudness_curve(times, learnt, latent, progress)
        timbre = self.timbre_curves(times, learnt, latent, progress)
        if "pitch" in self.pitch.condition_names:
            # No loss hears tuning, so the mean of the curve is not left to training.
            held = tf.fill([tf.shape(latent)[0]], np.inf)
            raw_f0 -= tf.reduce_mean(
                self.f0_curve(tf.constant(_TUNED_TIMES), held, latent), 1, keepdims=True
            )
        f0_hz = self.pitch(raw_f0, target)
        if "pitch" in self.pitch.condition_names:
            cents = at_pitch(self._tuning_cents, target["pitch"])
            f0_hz = shifted(f0_hz, 0.01 * cents[:, None, None])
        if "bend" in target:
            f0_hz = shifted(f0_hz, bend_at(times, target["bend"]))
        if self.jitter is not None:
            cents, level_db = self.jitter(times, whole_z)
            f0_hz = shifted(f0_hz, 0.01 * cents)
        loudness_db = soft_ceiling_db(
            self.initial_loudness_db + self.loudness_scale_db * raw_loudness, self.max_loudness_db
        )
        loudness_db -= self.loudness_scale_db * fall
        if self.jitter is not None:
            loudness_db += level_db
        since = tf.nn.relu(rows - note_off[:, None])
        damped = (1.0 - self._learns_release) * DAMPER_DB_PER_SECOND * since
        loudness_db -= damped[:, :, None]
        loudness_db -= 5.0 * tf.nn.relu(self.gate_db - loudness_db)
        # After the gate, which would cut the tails of softer notes.
        if self.velocity_exponent and "velocity" in self.condition_names:
            velocity = tf.maximum(target["velocity"], 1.0)[:, None, None]
            slope = 20.0 * self.velocity_exponent / math.log(10.0)
            loudness_db += slope * tf.math.log(velocity / 127.0)
        decoded = tf.concat([raw_f0, raw_loudness, timbre], axis=2)
        if self.decoder is not None:
            decoded = self.decoder(decoded)
        stretch = ()
        if self.is_stretched:
            stretch = (at_pitch(self._inharmonicity, target["pitch"])[:, None, None],)
        controls = {"loudness_db": loudness_db}
        for voice in self.voices:
            more = stretch if getattr(voice, "is_stretchable", False) else ()
            for name, value in voice.get_controls(decoded, f0_hz, loudness_db, *more).items():
                controls[f"{voice.name}/{name}"] = value
        if self.reverb is not None:
            ir = self.reverb.get_controls(tf.zeros([1, 1]))["ir"]
            controls["reverb/ir"] = tf.tile(ir, [tf.shape(z)[0], 1])
        return controls

    def _while_held(self, times, note_off, latent, pitch):
        """Stop level and timbre where the pitch's longest recording is released, except vibrato.

        The level keeps falling at the slope of the middle third of the held time.

        Args:
          times: Seconds, [1 or batch, n_times].
          note_off, latent, pitch: Of each note.

        Returns:
          Seconds of the curves, [batch, n_times], and the fall of the raw loudness,
          [batch, n_times, 1].
        """
        steady = at_pitch(self._steady_seconds, pitch)[:, None]
        beyond = tf.nn.relu(tf.minimum(times, note_off[:, None]) - steady)
        never = tf.fill([tf.shape(latent)[0]], np.inf)
        both = tf.repeat(steady, 2, axis=1)
        levels = self.loudness_curve(both, never, latent, both * [1.0 / 3.0, 2.0 / 3.0])
        slope = tf.nn.relu(levels[:, :1] - levels[:, 1:]) / (steady / 3.0)[:, None]
        return times - beyond, tf.stop_gradient(slope) * beyond[:, :, None]

    def get_signal(self, controls, n_samples, sample_rate, seed):
        """Render controls to audio, float32 [batch, n_samples].

        Args:
          controls: Of `get_controls`.
          n_samples: Samples that the controls' frames last.
          sample_rate: Hz.
          seed: Noise seeds, int32 [batch].
        """
        dry = self._voices(controls, n_samples, sample_rate, seed)
        return self._reverberated(sum(dry.values()), controls, sample_rate)

    def get_stems(self, controls, n_samples, sample_rate, seed):
        """Render controls to separate stems.

        Args:
          (all): As of `get_signal`.

        Returns:
          dict of float32 [batch, n_samples] by name of the voice, and `reverb` where there is one:
          what it adds. Their sum is `get_signal`'s sound.
        """
        stems = self._voices(controls, n_samples, sample_rate, seed)
        if self.reverb is not None:
            dry = sum(stems.values())
            stems["reverb"] = self._reverberated(dry, controls, sample_rate) - dry
        return stems

    def _voices(self, controls, n_samples, sample_rate, seed):
        sounds = {}
        for voice in self.voices:
            start = f"{voice.name}/"
            own = {k[len(start) :]: v for k, v in controls.items() if k.startswith(start)}
            sounds[voice.name] = voice.render(own, n_samples, sample_rate, seed, **voice.settings)
        return sounds

    def _reverberated(self, audio, controls, sample_rate):
        if self.reverb is None:
            return audio
        ir = controls["reverb/ir"]
        if sample_rate != self.sample_rate:
            ir = response_at_rate(ir, self.sample_rate, sample_rate)
        return self.reverb.get_signal(audio, ir)

    def call(self, z, conditioning, seconds=None, sample_rate=None, seed=0):
        """Notes.

        Args:
          z, conditioning, seconds: As in `get_controls`.
          sample_rate: Hz; that of the recordings where absent.
          seed: Noise seeds, int32 [batch], or one number: row i takes seed + i.

        Returns:
          GeneratorOutput.
        """
        seconds = self.seconds if seconds is None else seconds
        sample_rate = self.sample_rate if sample_rate is None else sample_rate
        controls = self.get_controls(z, conditioning, seconds)
        n_frames = controls["loudness_db"].shape[1]
        seed = tf.convert_to_tensor(seed, tf.int32)
        if seed.shape.rank == 0:
            seed = seed + tf.range(tf.shape(z)[0])
        covered = frames_to_samples(n_frames, self.frame_rate, sample_rate)
        audio = self.get_signal(controls, covered, sample_rate, seed)
        n_samples = round(seconds * sample_rate)
        if covered < n_samples:
            audio = tf.pad(audio, [[0, 0], [0, n_samples - covered]])
        return GeneratorOutput(audio[:, :n_samples], controls)

"""A trained run that the studio plays: its facts for the page, and its sounds."""

import dataclasses
import math

import numpy as np

from noisygan.audio_io.audio_files import limit_peak
from noisygan.audio_io.controls import frames_to_samples
from noisygan.errors import UsageError
from noisygan.export.web import web_model
from noisygan.rendering.batches import tag_conditions
from noisygan.rendering.kits import drum_seconds, faded, keys_of_labels
from noisygan.rendering.requests import DEFAULT_PITCH, note_seeds
from noisygan.studio import curves
from noisygan.studio.requests import parse

DEFAULT_SECONDS = 2.0
# A sound is rendered at the shortest of these lengths that it fits into, and cut. The functions of
# a length are traced on its first use: two seconds, then a few milliseconds a call instead of 30.
_LENGTHS = (0.5, 1.0, 2.0, 4.0, 8.0)


@dataclasses.dataclass(frozen=True)
class Sound:
    """A rendered sound.

    Attributes:
      audio: float32 [n_samples], in -1 .. 1.
      sample_rate: Hz.
      lowered_db: dB by which it was lowered to full scale.
      controls: Of `get_controls`, with edits; {} without curves.
    """

    audio: np.ndarray
    sample_rate: int
    lowered_db: float
    controls: dict


class Player:
    """Renders the page's sounds with a run. Its methods are called by one thread.

    Attributes:
      has_curves: Whether there are controls to see and edit.
      is_kit: Whether it is played on pads: it has no pitch condition.
      has_length: Whether a sound can have any length.
      seconds, pitch: Defaults of a sound: length, and MIDI pitch in the middle of the run's.
      kinds: dict name -> kind of its voices.
    """

    def __init__(self, run):
        self.run = run
        self.generator = run.generator
        self.name = run.name
        self.latent_dim = int(self.generator.latent_dim)
        self.sample_rate = int(self.generator.sample_rate)
        self.has_curves = self.generator.has_controls
        self.is_kit = "pitch" not in run.condition_names
        self._is_struck = self.has_curves and self.is_kit
        self.has_length = self.generator.is_any_length and not self._is_struck
        own = drum_seconds(self.generator) if self._is_struck else self.generator.seconds
        self.seconds = DEFAULT_SECONDS if self.has_length else float(own)
        self.pitch = float(run.pitches[len(run.pitches) // 2] if run.pitches else DEFAULT_PITCH)
        voices = self.generator.voices if self.has_curves else ()
        self.kinds = {voice.name: voice.kind for voice in voices}
        self._traced = {}
        self._slow = set()

    def facts(self):
        """Facts of the run for the page, for JSON."""
        has_labels = "label" in self.run.condition_names and len(self.run.label_names) > 1
        own = ("name", "latent_dim", "sample_rate", "has_length", "has_curves", "is_kit", "pitch")
        return {name: getattr(self, name) for name in own} | {
            "seconds": round(self.seconds, 4),
            "conditions": list(self.run.condition_names),
            "labels": list(self.run.label_names) if has_labels else [],
            "tags": self.run.tag_values,
            "keys": list(keys_of_labels(self.run).values()) if self.is_kit and has_labels else [],
            "pitches": list(self.run.pitches),
        }

    def latents(self, seeds):
        """z of seeds, float32 [n, latent_dim]: those of the first note of `noisygan render`."""
        drawn = [self.generator.prior(1, seed=note_seeds(seed, 0)[0]) for seed in seeds]
        return np.concatenate([np.asarray(z) for z in drawn])

    def render(self, request):
        """Render a `requests.SoundRequest` to a Sound."""
        if request.z is None:
            request = dataclasses.replace(request, z=self.latents([request.seed])[0])
        seed = np.array([request.seed], np.int32)
        if self.has_curves:
            audio, controls = self._from_curves(request, seed)
        else:
            lengths = {"seconds": request.seconds, "sample_rate": request.sample_rate}
            conditions = self._conditioning(request)
            made = self.generator(request.z[None], conditions, **lengths, seed=seed)
            audio, controls = made.audio.numpy(), {}
        n_samples = round(request.seconds * request.sample_rate)
        audio = audio[0, :n_samples]
        audio = np.pad(audio, (0, n_samples - len(audio)))
        if self._is_struck:
            audio = faded(audio, request.sample_rate)
        # A network may overflow at latents far from those of training.
        audio, lowered_db = limit_peak(np.nan_to_num(audio, posinf=0.0, neginf=0.0))
        return Sound(audio, request.sample_rate, lowered_db, controls)

    def web_model(self):
        """The run as `noisygan/web` plays it, dict for JSON; None where it can't."""
        try:
            return web_model(self.run, directions=False)
        except UsageError:
            return None

    def curves_of(self, sound):
        """Curves of a sound, of `curves.summarize`; None without any."""
        if not sound.controls:
            return None
        return curves.summarize(sound.controls, self.kinds, self.generator.frame_rate)

    def warm_up(self):
        """Trace the functions of the usual length."""
        if self.has_curves:
            self._trace(self._length(self.seconds))

    def trace_slow_lengths(self):
        """Trace the functions of lengths that were requested, one at each step of this iterator."""
        while self._slow:
            self._trace(self._slow.pop())
            yield

    def _length(self, seconds):
        """Length that a sound is rendered at before it is cut."""
        lengths = _LENGTHS if self.has_length else (self.seconds,)
        return next((each for each in lengths if each >= seconds - 1e-9), seconds)

    def _from_curves(self, request, seed):
        """(audio [1, n_samples or more], controls with edits, cut to the sound)."""
        import tensorflow as tf

        length = self._length(request.seconds)
        get_controls, get_signal = self._get_controls(length), self.generator.get_signal
        if length not in self._traced:
            self._slow.add(length)
        else:
            get_controls = self._traced[length][0]
            if request.sample_rate == self.sample_rate:
                get_signal = self._traced[length][1]
        held = max(request.seconds - self.generator.release_seconds, 0.0)
        held = np.inf if self.generator.rings_out else held
        inputs = request.z[None], self._conditioning(request), np.array([held], np.float32)
        inputs = tf.nest.map_structure(tf.constant, inputs)
        n_frames = max(1, math.ceil(request.seconds * self.generator.frame_rate - 1e-6))
        controls = {name: x.numpy() for name, x in get_controls(*inputs).items()}
        controls = curves.edit(controls, request.edits, self.kinds, n_frames)
        n_made = controls["loudness_db"].shape[1]
        covered = frames_to_samples(n_made, self.generator.frame_rate, request.sample_rate)
        tensors = {name: tf.constant(value) for name, value in controls.items()}
        audio = get_signal(tensors, covered, request.sample_rate, tf.constant(seed)).numpy()
        return audio, {
            name: value[:, :n_frames] if value.ndim == 3 else value
            for name, value in controls.items()
        }

    def _get_controls(self, length):
        def get_controls(z, conditioning, held_seconds):
            return self.generator.get_controls(z, conditioning, length, held_seconds)

        return get_controls

    def _trace(self, length):
        """Trace the functions of a length and call them once."""
        import tensorflow as tf

        if length in self._traced:
            return
        functions = self._get_controls(length), self.generator.get_signal
        self._traced[length] = tuple(map(tf.function, functions))
        self.render(parse({"z": [0.0] * self.latent_dim, "seconds": length}, self))

    def _conditioning(self, request):
        """Conditions of a request, dict of [1]."""
        return {
            "pitch": np.array([request.pitch], np.float32),
            "velocity": np.array([request.velocity], np.float32),
            "label": np.array([request.label], np.int32),
            **tag_conditions([request.tags], self.generator),
        }

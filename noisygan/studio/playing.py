"""A trained run that the studio plays: what it can be asked, and the sound of what is asked."""

import dataclasses
import math

import numpy as np

import noisygan
from noisygan.audio_io.audio_files import limit_peak
from noisygan.rendering import requests
from noisygan.studio import asking, curves

DEFAULT_SECONDS = 2.0
# A sound is made as long as the shortest of these that it fits into, and cut. For each of them
# functions are traced when it is asked for: this takes about two seconds, calling them then a few
# milliseconds and not some thirty.
_LENGTHS = (0.5, 1.0, 2.0, 4.0, 8.0)


@dataclasses.dataclass(frozen=True)
class Sound:
    """What was rendered.

    Attributes:
      audio: float32 [n_samples], in -1 .. 1.
      sample_rate: Hz.
      lowered_db: By how much it was brought down, so that nothing is cut.
      controls: As `get_controls` gives them, with what was drawn, or {} without curves.
    """

    audio: np.ndarray
    sample_rate: int
    lowered_db: float
    controls: dict


class PlayableRun:
    """A run, loaded once. Its methods are called by one thread."""

    def __init__(self, generator, instrument):
        self.generator = generator
        self.instrument = instrument
        self._traced = {}
        self._slow = set()

    @classmethod
    def load(cls, run_dir):
        """The run of a folder.

        Raises:
          UsageError, RunError: as `noisygan.load`.
        """
        run = noisygan.load(run_dir)
        return cls(run.generator, run)

    @property
    def name(self):
        """Name of the run's folder."""
        return self.instrument.name

    @property
    def latent_dim(self):
        """Size of z."""
        return int(self.generator.latent_dim)

    @property
    def sample_rate(self):
        """Hz, of the recordings."""
        return int(self.generator.sample_rate)

    @property
    def has_curves(self):
        """Whether there are controls to look at and to draw."""
        return hasattr(self.generator, "get_controls")

    @property
    def is_kit(self):
        """Whether it is played on pads: it is told no pitch."""
        return "pitch" not in self.instrument.condition_names

    @property
    def has_length(self):
        """Whether a sound can last as long as one likes."""
        goes_on = getattr(getattr(self.generator, "inference_mode", None), "goes_on", False)
        return goes_on or (self.has_curves and not self.is_kit)

    @property
    def seconds(self):
        """Length of a sound unless another is asked for."""
        return DEFAULT_SECONDS if self.has_length else float(self.generator.seconds)

    @property
    def pitch(self):
        """MIDI pitch in the middle of those trained on."""
        pitches = self.instrument.pitches
        return float(pitches[len(pitches) // 2]) if pitches else float(requests.DEFAULT_PITCH)

    @property
    def kinds(self):
        """dict name -> kind of its voices."""
        return {v.name: v.kind for v in self.generator.voices} if self.has_curves else {}

    def facts(self):
        """What the page has to know, as JSON."""
        conditions = self.instrument.condition_names
        told_label = "label" in conditions and len(self.instrument.label_names) > 1
        return {
            "name": self.name,
            "latent_dim": self.latent_dim,
            "sample_rate": self.sample_rate,
            "seconds": round(self.seconds, 4),
            "has_length": self.has_length,
            "has_curves": self.has_curves,
            "is_kit": self.is_kit,
            "conditions": list(conditions),
            "labels": list(self.instrument.label_names) if told_label else [],
            "pitch": self.pitch,
            "pitches": list(self.instrument.pitches),
            "voices": sorted(set(self.kinds.values())),
        }

    def latents(self, seeds):
        """z of seeds, float32 [n, latent_dim]: what `noisygan render --seed` gives its first note.

        Args:
          seeds: Whole numbers.
        """
        drawn = [self.generator.prior(1, seed=requests.note_seeds(s, 0)[0]) for s in seeds]
        return np.concatenate([np.asarray(z) for z in drawn])

    def sound(self, ask):
        """The sound of an `asking.Ask`.

        Returns:
          Sound.
        """
        if ask.z is None:
            ask = dataclasses.replace(ask, z=self.latents([ask.seed])[0])
        seed = np.array([ask.seed], np.int32)
        if self.has_curves:
            audio, controls = self._from_curves(ask, seed)
        else:
            controls = {}
            conditioning = dict(zip(("pitch", "velocity", "label"), _told(ask), strict=True))
            audio = self.generator(
                ask.z[None],
                conditioning,
                seconds=ask.seconds,
                sample_rate=ask.sample_rate,
                seed=seed,
            ).audio.numpy()
        n_samples = round(ask.seconds * ask.sample_rate)
        audio = audio[0, :n_samples]
        audio = np.pad(audio, (0, n_samples - len(audio)))
        # A network can be asked for latents that no training ever saw.
        audio = np.nan_to_num(audio, posinf=0.0, neginf=0.0)
        audio, lowered_db = limit_peak(audio)
        return Sound(audio, ask.sample_rate, lowered_db, controls)

    def curves_of(self, sound):
        """The curves of a sound as `curves.shown` gives them, or None without any."""
        if not sound.controls:
            return None
        return curves.shown(sound.controls, self.kinds, self.generator.frame_rate)

    def warm_up(self):
        """Makes sounds of the usual length quick."""
        if self.has_curves:
            self._trace(self._length(self.seconds))

    def tracing(self):
        """An iterator whose steps make the lengths that were asked for quick."""
        while self._slow:
            self._trace(self._slow.pop())
            yield

    def _length(self, seconds):
        """The length that a sound is made at before it is cut."""
        lengths = _LENGTHS if self.has_length else (self.seconds,)
        return next((each for each in lengths if each >= seconds - 1e-9), seconds)

    def _from_curves(self, ask, seed):
        """(audio [1, n_samples or more], controls with what was drawn, cut to the sound)."""
        import tensorflow as tf

        length = self._length(ask.seconds)
        draw, play = self._curves(length), self.generator.get_signal
        if length not in self._traced:
            self._slow.add(length)
        else:
            draw = self._traced[length][0]
            if ask.sample_rate == self.sample_rate:
                play = self._traced[length][1]
        held = max(ask.seconds - self.generator.release_seconds, 0.0)
        drawn = draw(*map(tf.constant, (ask.z[None], *_told(ask), np.array([held], np.float32))))
        n_frames = max(1, math.ceil(ask.seconds * self.generator.frame_rate - 1e-6))
        controls = {name: value.numpy() for name, value in drawn.items()}
        controls = curves.edited(controls, ask.edits, self.kinds, n_frames)
        n_made = controls["loudness_db"].shape[1]
        covered = round(n_made * ask.sample_rate / self.generator.frame_rate)
        tensors = {name: tf.constant(value) for name, value in controls.items()}
        audio = play(tensors, covered, ask.sample_rate, tf.constant(seed)).numpy()
        return audio, {
            name: value[:, :n_frames] if value.ndim == 3 else value
            for name, value in controls.items()
        }

    def _curves(self, length):
        def draw(z, pitch, velocity, label, held_seconds):
            conditioning = {"pitch": pitch, "velocity": velocity, "label": label}
            return self.generator.get_controls(z, conditioning, length, held_seconds)

        return draw

    def _trace(self, length):
        """Traces the functions that make sounds of a length, and calls them once."""
        import tensorflow as tf

        if length in self._traced:
            return
        self._traced[length] = (
            tf.function(self._curves(length)),
            tf.function(self.generator.get_signal),
        )
        body = {"z": [0.0] * self.latent_dim, "seconds": length}
        self.sound(asking.parse(body, self))


def _told(ask):
    """Pitch, velocity and label of an ask, each of a batch of one."""
    pitch, velocity = (np.array([value], np.float32) for value in (ask.pitch, ask.velocity))
    return pitch, velocity, np.array([ask.label], np.int32)

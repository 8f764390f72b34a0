"""Notes from a generator into files: which ones, under which names, and rendering them.

What a note sounds like depends on its own request alone (pitch, velocity, label, number) and on
the seed, not on what else is rendered beside it.
"""

import dataclasses
import math
import pathlib
import re
from typing import NamedTuple

import numpy as np

from noisygan.data.layouts import NO_LABEL
from noisygan.errors import UsageError

DEFAULT_PITCH = 60
DEFAULT_VELOCITY = 100

# Bounds what one batch takes, whatever rate and length are asked for.
MAX_SAMPLES_PER_BATCH = 8 * 4 * 48000
_MAX_BATCH = 16


@dataclasses.dataclass(frozen=True)
class Request:
    """One note to be rendered.

    Attributes:
      pitch: MIDI, 0 where the generator is not told any.
      velocity: 0 .. 127, 0 where the generator is not told any.
      label: Index into the run's label names.
      name: What its file is called before pitch and velocity: a label or the run's name.
      number: Which z it gets: equal numbers (and seeds) are the same z.
      index: Distinguishes files of one name, pitch and velocity.
      told: Names of what the generator is told.
      bend: Points (seconds, semitones) of a pitch bend, straight between them; equally many of all
        requests that are rendered together.
    """

    pitch: float
    velocity: float
    label: int
    name: str
    number: int
    index: int
    told: tuple = ("pitch", "velocity")
    bend: tuple = ()

    @property
    def kind(self):
        """What the files of one kind are called before their index.

        `<name>-<pitch>-<velocity>`, as NSynth has them; of a generator that is told no pitch
        `<name>-v<velocity>`, of one that is told neither the name alone.
        """
        if "pitch" in self.told:
            # As 060 or 067.5: a pitch between keys keeps its part.
            whole, part = f"{self.pitch:.3f}".split(".")
            pitch = f"{whole:0>3}.{part}".rstrip("0").removesuffix(".")
            return f"{self.name}-{pitch}-{round(self.velocity):03d}"
        return f"{self.name}-v{round(self.velocity)}" if "velocity" in self.told else self.name

    @property
    def stem(self):
        """File name without suffix, `<kind>-<index>`."""
        return f"{self.kind}-{self.index:03d}"


class Rendered(NamedTuple):
    """A note that was rendered.

    Attributes:
      request: Request.
      audio: float32 [n_samples].
      controls: As `noisygan.audio_io.controls.save_controls` takes them, or None if not wanted.
      stems: The parts of the sound by name, float32 [n_samples] each; empty if not wanted.
    """

    request: Request
    audio: np.ndarray
    controls: dict | None
    stems: dict


@dataclasses.dataclass(frozen=True)
class Instrument:
    """What the requests of a run depend on.

    Attributes:
      run_name: Name of the run folder.
      condition_names: Names of what its generator is told.
      label_names: Labels that it was trained with, in order; empty where the data had none.
      pitches: MIDI pitches that a note may be drawn from when none is asked for; may be empty.
    """

    run_name: str
    condition_names: tuple
    label_names: tuple = ()
    pitches: tuple = ()

    def file_name(self, label):
        """What files of a label are called: the label, or for None the run's name."""
        named = label is not None and self.label_names
        name = self.label_names[label] if named else self.run_name
        # A label may be any folder's name; a file name must stay inside its folder.
        return re.sub(r"[^\w.+ -]", "_", name).lstrip(".") or "note"


def instrument(run_dir, facts, generator):
    """What a trained run can be asked for.

    Args:
      run_dir: pathlib.Path of the run folder.
      facts: dict of the run's run.json.
      generator: The run's generator.

    Returns:
      Instrument.
    """
    return Instrument(
        run_name=run_dir.resolve().name,
        condition_names=tuple(generator.condition_names),
        label_names=label_names(facts),
        pitches=tuple(facts.get("pitches", ())),
    )


def label_names(facts):
    """Labels of a run by its run.json, in order: tuple, empty where it has none."""
    labels = tuple(facts.get("label_names", ()))
    # One nameless label stands for recordings without any.
    return () if labels == (NO_LABEL,) else labels


def load(run_dir, seconds=None, sample_rate=None):
    """A trained run, ready to be asked for notes.

    Args:
      run_dir: pathlib.Path of the run folder.
      seconds: Length that it will be asked for, or None: its own.
      sample_rate: Hz, likewise.

    Returns:
      (generator with its averaged weights, Instrument).

    Raises:
      UsageError, RunError: as `noisygan.training.checkpoints.load_generator`; UsageError for more seconds
        than its generator makes.
    """
    from noisygan.training import run_files
    from noisygan.training.checkpoints import load_generator

    generator = load_generator(run_dir)
    if seconds is not None:
        generator.check_seconds(seconds, sample_rate or generator.sample_rate)
    return generator, instrument(run_dir, run_files.read_metadata(run_dir), generator)


def check_pitches(pitches, sample_rate=None):
    """Refuses pitches that no synthesizer can play.

    Args:
      pitches: MIDI numbers.
      sample_rate: Hz, or None: the pitch must lie below half of it.

    Raises:
      UsageError: names the first impossible one.
    """
    for pitch in pitches:
        if not 0 <= pitch <= 127:
            raise UsageError(f"pitch {pitch:g}: expected MIDI numbers 0 to 127, such as 60")
        hz = 440.0 * 2.0 ** ((pitch - 69) / 12)
        if sample_rate and hz >= sample_rate / 2:
            highest = math.ceil(69 + 12 * math.log2(sample_rate / 2 / 440.0)) - 1
            raise UsageError(
                f"pitch {pitch:g} is {hz:.0f} Hz, which a sample rate of {sample_rate} Hz cannot "
                f"hold; expected at most pitch {highest}, or a higher --sample_rate"
            )


def bent(requests, bend, generator, sample_rate):
    """The same requests with a pitch bend.

    Args:
      requests: list of Request.
      bend: Points (seconds, semitones), the seconds rising.
      generator: By the generator contract.
      sample_rate: Hz.

    Returns:
      list of Request.

    Raises:
      UsageError: for a generator that has no F0, and for pitches beyond what can be played.
    """
    if not any(voice.kind == "harmonic" for voice in getattr(generator, "voices", ())):
        raise UsageError("--glide: this run's generator has no F0 curve to bend; leave it out")
    if "pitch" in generator.condition_names:
        for pitch in dict.fromkeys(request.pitch for request in requests):
            for semitones in {value for _, value in bend}:
                try:
                    check_pitches([pitch + semitones], sample_rate)
                except UsageError as error:
                    takes = f"--glide takes pitch {pitch:g} by {semitones:+g} semitones"
                    raise UsageError(f"{takes}: {error}") from error
    return [dataclasses.replace(request, bend=tuple(bend)) for request in requests]


def plain_requests(instrument, count, pitches=None, velocity=None, labels=None, seed=0):
    """Requests for `count` notes at each pitch (and of each label).

    Without pitches, notes are drawn from those that the instrument was trained on. The i-th note
    at each pitch has the same z: notes of one index belong together, as of one instrument.

    Args:
      instrument: Instrument.
      count: Notes at each pitch, 1 or more.
      pitches: MIDI numbers, or None.
      velocity: 0 .. 127, or None: 100.
      labels: Names of labels, or None: each in turn.
      seed: Decides which pitches are drawn.

    Returns:
      list of Request.

    Raises:
      UsageError: if the instrument does not know what is asked of it.
    """
    if count < 1:
        raise UsageError(f"count {count}: expected 1 or more")
    _check_conditions(instrument, pitches, velocity, labels)
    tells_pitch = "pitch" in instrument.condition_names
    velocity = DEFAULT_VELOCITY if velocity is None else velocity
    velocity = velocity if "velocity" in instrument.condition_names else 0
    indices = _label_indices(instrument, labels)
    notes = []
    for number in range(count):
        if not tells_pitch:
            chosen = [0]
        elif pitches is not None:
            chosen = pitches
        elif instrument.pitches:
            draw = np.random.default_rng([seed, number])
            chosen = [instrument.pitches[draw.integers(len(instrument.pitches))]]
        else:
            chosen = [DEFAULT_PITCH]
        which = indices if labels is not None else [indices[number % len(indices)]]
        notes += [(pitch, velocity, label, number) for pitch in chosen for label in which]
    return _requests(instrument, notes)


def like_requests(instrument, entries):
    """One request for each recording of a folder, at its pitch, velocity and label.

    Args:
      instrument: Instrument.
      entries: `noisygan.data.layouts.Entry` objects.

    Returns:
      list of Request, in the entries' order.

    Raises:
      UsageError: if a recording lacks what the instrument has to be told, or has a label that it
        was not trained with and there are several to choose from.
    """
    notes = []
    known = list(instrument.label_names)
    for number, entry in enumerate(entries):
        if entry.pitch is None and "pitch" in instrument.condition_names:
            raise UsageError(
                f"{entry.path}: its pitch is unknown; expected names like flute-060-100.wav "
                "or NSynth's examples.json"
            )
        label = 0
        if entry.label in known:
            label = known.index(entry.label)
        elif len(known) > 1 and "label" in instrument.condition_names:
            raise UsageError(
                f"{entry.path}: label {entry.label} is unknown to this run, "
                f"which knows {', '.join(known)}"
            )
        velocity = DEFAULT_VELOCITY if entry.velocity is None else entry.velocity
        notes.append((entry.pitch or 0, velocity, label, number))
    return _requests(instrument, notes)


def _check_conditions(instrument, pitches, velocity, labels):
    for name, given in (("pitch", pitches), ("velocity", velocity)):
        if given is not None and name not in instrument.condition_names:
            told = ", ".join(instrument.condition_names) or "nothing"
            raise UsageError(
                f"--{name} has no effect: this run's generator is told {told}; leave it out, "
                f"or train a run that is conditioned on {name}"
            )
    if velocity is not None and not 0 <= velocity <= 127:
        raise UsageError(f"velocity {velocity:g}: expected 0 to 127, such as 100")
    if labels is not None:
        check_labels(instrument.label_names, labels)
    several = len(instrument.label_names) > 1
    if labels is not None and several and "label" not in instrument.condition_names:
        told = ", ".join(instrument.condition_names) or "nothing"
        raise UsageError(
            f"--label has no effect: this run's generator is told {told}; leave it out, "
            "or train a run that is conditioned on label"
        )


def _label_indices(instrument, labels):
    known = list(instrument.label_names)
    if labels is None:
        if "label" in instrument.condition_names and known:
            return list(range(len(known)))
        # A generator of several instruments that is told none makes none of them in particular.
        return [0] if len(known) == 1 else [None]
    check_labels(known, labels)
    return [known.index(label) for label in labels]


def check_labels(known, labels):
    """Refuses labels that a run does not know.

    Args:
      known: Its labels; empty where its recordings had none.
      labels: Those that are asked for.

    Raises:
      UsageError: names the first unknown one.
    """
    if not known:
        raise UsageError("--label: this run's recordings had no labels; leave it out")
    for label in labels:
        if label not in known:
            raise UsageError(
                f"label {label} is unknown to this run, which knows {', '.join(known)}"
            )


def _requests(instrument, notes):
    """Numbers files of the same name; `notes` are (pitch, velocity, label, number)."""
    seen = {}
    requests = []
    for pitch, velocity, label, number in notes:
        name = instrument.file_name(label)
        request = Request(pitch, velocity, label or 0, name, number, 0, instrument.condition_names)
        seen[request.kind] = seen.get(request.kind, -1) + 1
        requests.append(dataclasses.replace(request, index=seen[request.kind]))
    return requests


def render(
    generator,
    requests,
    seconds=None,
    sample_rate=None,
    seed=0,
    controls=False,
    stems=False,
    codes=None,
    noise_seed=None,
):
    """Renders notes, a bounded number at a time.

    Args:
      generator: By the generator contract.
      requests: list of Request.
      seconds: Length of each, or None: the generator's own.
      sample_rate: Hz, or None: the generator's own.
      seed: Together with a request's number decides z and the noise.
      controls: Whether the controls are wanted.
      stems: Whether the parts of the sound are wanted.
      codes: float32 [n_requests, latent_dim] in place of the z that are drawn; None draws them.
      noise_seed: In place of what the seed says of the noise; None: as the seed says.

    Yields:
      Rendered, in the requests' order.

    Raises:
      UsageError: if controls or stems are wanted of a generator that has none.
    """
    import tensorflow as tf

    from noisygan.rendering.synthesis import controls_of

    sample_rate = sample_rate or generator.sample_rate
    n_samples = (seconds or generator.seconds) * sample_rate
    n_rows = int(max(1, min(_MAX_BATCH, MAX_SAMPLES_PER_BATCH // n_samples)))
    for start in range(0, len(requests), n_rows):
        batch = requests[start : start + n_rows]
        seeds = [note_seeds(seed, request.number) for request in batch]
        if noise_seed is not None:
            seeds = [(z_seed, noise_seed) for z_seed, _ in seeds]
        if codes is None:
            z = tf.concat([generator.prior(1, seed=z_seed) for z_seed, _ in seeds], axis=0)
        else:
            z = tf.constant(codes[start : start + n_rows], tf.float32)
        conditioning = conditioning_of(batch)
        noise_seeds = [noise_seed for _, noise_seed in seeds]
        output = generator(
            z, conditioning, seconds=seconds, sample_rate=sample_rate, seed=tf.constant(noise_seeds)
        )
        for option, wanted in (("controls", controls), ("stems", stems)):
            if wanted and not output.controls:
                raise UsageError(
                    f"--{option}: this run's generator has no {option}, it writes samples directly"
                )
        audio = output.audio.numpy()
        parts = _stems(generator, output, sample_rate, noise_seeds) if stems else {}
        for row, request in enumerate(batch):
            own = None
            if controls:
                own = controls_of(generator, output, row, sample_rate, noise_seeds[row])
            own_parts = {name: part[row] for name, part in parts.items()}
            yield Rendered(request, audio[row], own, own_parts)


def conditioning_of(requests):
    """What a generator is told for requests, as a batch."""
    import tensorflow as tf

    told = {
        "pitch": tf.constant([request.pitch for request in requests], tf.float32),
        "velocity": tf.constant([request.velocity for request in requests], tf.float32),
        "label": tf.constant([request.label for request in requests], tf.int32),
    }
    if requests[0].bend:
        told["bend"] = tf.constant([request.bend for request in requests], tf.float32)
    return told


def _stems(generator, output, sample_rate, noise_seeds):
    """Parts of a batch of sounds, as long as these are: dict of float32 [batch, n_samples]."""
    import tensorflow as tf

    n_samples = output.audio.shape[1]
    n_frames = output.controls["loudness_db"].shape[1]
    covered = round(n_frames * sample_rate / generator.frame_rate)
    parts = generator.get_stems(output.controls, covered, sample_rate, tf.constant(noise_seeds))
    behind = [(0, 0), (0, max(0, n_samples - covered))]
    return {name: np.pad(part.numpy()[:, :n_samples], behind) for name, part in parts.items()}


def note_seeds(seed, number):
    """Seeds of a note's z and of its noise: (int, int), each below 2**31."""
    words = np.random.SeedSequence([seed, number]).generate_state(2)
    return tuple(int(word & 0x7FFFFFFF) for word in words)


def output_paths(requests, out_dir, controls=False, stems=False):
    """The files that requests will be written to; refuses if any is there already.

    Args:
      requests: list of Request.
      out_dir: Folder; may be missing.
      controls: Whether controls files are written beside the sounds.
      stems: Whether a folder with the parts of each sound is.

    Returns:
      list of pathlib.Path of the WAV files; a controls file has the suffix .npz instead, the folder
      of a sound's parts none.

    Raises:
      UsageError: if a file exists, or the folder is a file.
    """
    out_dir = pathlib.Path(out_dir)
    if out_dir.exists() and not out_dir.is_dir():
        raise UsageError(f"--out_dir {out_dir} is a file; expected a folder")
    paths = [out_dir / f"{request.stem}.wav" for request in requests]
    suffixes = [".wav"] + [".npz"] * controls + [""] * stems
    wanted = [path.with_suffix(suffix) for suffix in suffixes for path in paths]
    taken = [path for path in wanted if path.exists()]
    if taken:
        more = f" (and {len(taken) - 1} more)" if len(taken) > 1 else ""
        raise UsageError(
            f"{taken[0]} exists already{more}; nothing was rendered; choose another --out_dir"
        )
    return paths

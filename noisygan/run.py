"""The Python API: load a trained run, render and edit notes, train and evaluate."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import pathlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from noisygan.audio_io import audio_files, decoding
from noisygan.audio_io.controls import check_controls, load_controls, split_controls
from noisygan.data.dataset import list_recordings
from noisygan.data.layouts import NO_LABEL
from noisygan.errors import UsageError
from noisygan.matching import N_STEPS
from noisygan.progress import TrainingProgress
from noisygan.rendering import interpolation, requests, saved_latents
from noisygan.rendering.batches import render_requests
from noisygan.rendering.notes import Note, Notes
from noisygan.tensorflow_import import import_tensorflow

if TYPE_CHECKING:
    import keras

    from noisygan.data.dataset import AudioDataset
    from noisygan.matching.matching import Match
    from noisygan.matching.target import Target
    from noisygan.progress import Silent
    from noisygan.rendering.instruments import SampledInstrument

Path = str | pathlib.Path


class Run:
    """A trained run: config, metadata, metrics and the generator with its averaged weights.

    `noisygan.load` makes one. The generator is loaded on first use; everything else is read from
    files without TensorFlow.

    Attributes:
      path: Folder of the run.
      config: Resolved gin config, text.
      metadata: dict, what run.json holds.

    Example:
      >>> run = noisygan.load("runs/flute")
      >>> run.step, run.sample_rate, run.condition_names
      (5000, 16000, ('pitch', 'velocity'))
    """

    def __init__(self, path: Path, checkpoint: Path | None = None):
        """Read the config and metadata of a run folder.

        Args:
          path: Run folder.
          checkpoint: Prefix of a checkpoint or snapshot; None: the newest good checkpoint.

        Raises:
          UsageError: if the folder holds no run or no checkpoint yet, or the prefix names none.
          RunError: if its files can't be read, or a newer version wrote them.
        """
        from noisygan import config
        from noisygan.training import checkpoints, run_files

        self.path = pathlib.Path(path)
        run_files.check_run(self.path)
        self.metadata = run_files.read_metadata(self.path)
        self.config = config.read(self.path / "config.gin")
        checkpoints.check_saved(self.path)
        if checkpoint is not None:
            checkpoints.check_prefix(checkpoint)
            self.checkpoint = str(checkpoint)

    def __repr__(self) -> str:
        return f"<Run {str(self.path)!r}>"

    @property
    def name(self) -> str:
        """Name of the run folder."""
        return self.path.resolve().name

    @functools.cached_property
    def checkpoint(self) -> str:
        """Prefix of the checkpoint that is loaded: the one given, else the newest good one."""
        from noisygan.training import checkpoints

        return checkpoints.newest_good(self.path)

    @property
    def step(self) -> int:
        """Training steps behind the weights."""
        from noisygan.training import checkpoints

        return checkpoints.step_of(self.checkpoint)

    @property
    def sample_rate(self) -> int:
        """Sample rate of the recordings, Hz."""
        return self.metadata["sample_rate"]

    @property
    def seconds(self) -> float:
        """Length of a note in training, seconds."""
        return self.metadata["n_samples"] / self.sample_rate

    @property
    def label_names(self) -> tuple[str, ...]:
        """Labels of the recordings, in order; empty if they have none."""
        names = tuple(self.metadata["label_names"])
        # One nameless label stands for recordings without any.
        return () if names == (NO_LABEL,) else names

    @property
    def pitches(self) -> tuple[int, ...]:
        """MIDI pitches of the recordings; empty if unknown."""
        return tuple(self.metadata["pitches"])

    @functools.cached_property
    def tag_values(self) -> dict[str, tuple]:
        """Tags that are conditions: categories of each, or its lowest and highest number."""
        return {name: tuple(values) for name, values in self.metadata["tags"].items()}

    @functools.cached_property
    def tag_rows(self) -> list[dict]:
        """Label name ("label") and tags of some recordings, from which tags of notes are drawn."""
        names = ("label", *self.tag_values)
        return [dict(zip(names, row, strict=True)) for row in self.metadata["tag_rows"]]

    @property
    def condition_names(self) -> tuple[str, ...]:
        """Conditions of the generator: some of "pitch", "velocity" and "label", and its tags."""
        return tuple(self.generator.condition_names)

    @functools.cached_property
    def generator(self) -> keras.layers.Layer:
        """The generator with the averaged (EMA) weights, a differentiable Keras layer."""
        import_tensorflow()
        from noisygan.training.train import load_generator

        n_labels, pitches = len(self.metadata["label_names"]), self.metadata["pitches"]
        return load_generator(self.path, self.checkpoint, n_labels, pitches, self.tag_values)

    def metrics(self) -> list[dict]:
        """Read the training metrics: one dict per logged step, with "step" and "seconds".

        Example:
          >>> run.metrics()[-1].get("d_loss")
          0.71
        """
        from noisygan.training import run_files

        return run_files.read_metrics(self.path)

    def render(
        self,
        pitch: float | Sequence[float] | None = None,
        velocity: float | None = None,
        label: str | Sequence[str] | None = None,
        count: int = 1,
        seconds: float | None = None,
        sample_rate: int | None = None,
        seed: int = 0,
        z: np.ndarray | Path | None = None,
        glide: Sequence[tuple[float, float]] | None = None,
        like: Path | None = None,
        held_seconds: float | None = None,
        tags: dict | None = None,
        variation: float = 1.0,
    ) -> Notes:
        """Render notes.

        A note depends only on its pitch, velocity, label, tags, index and the seed, not on the
        notes rendered with it. Notes of one index share a z, so they sound like one instrument.

        Args:
          pitch: MIDI numbers, such as 60 or 60.5; None: drawn from those of the recordings.
          velocity: 0 .. 127; None: 100.
          label: Label names; None: each in turn.
          count: Notes at each pitch, label and tags, each with its own z.
          seconds: Length; the note is held longer or shorter, its release stays. None: as trained.
          sample_rate: Hz; None: that of the recordings.
          seed: Decides z, noise, drawn pitches and drawn tags.
          z: Latents to render instead of drawn ones, float [latent_dim] or [n, latent_dim]; or a
            file of them, .npy, or -z.npz of `match`, which also gives pitch, velocity, label,
            tags, length, gain and noise seed where none is given.
          glide: Pitch bend: points (seconds, semitones), linear between them.
          like: Folder of recordings: one note for each, at its pitch, velocity, label, tags and
            note-off.
          held_seconds: Time of the note-off; infinite: the note rings out. None: the release ends
            with the sound, and notes ring out if the recordings do.
          tags: dict of a tag's name -> value or list of values, such as {"mic": "close"}; others
            are those of a recording of the same label, drawn for each note.
          variation: Factor on each drawn z, of runs with a normal prior: 0 gives equal notes. In
            training it was 1. With 3, notes of a guitar differed from z to z as neighbouring
            recordings do, and were less exact.

        Returns:
          Notes, rendered on first use.

        Raises:
          UsageError: if the run can't play such notes.

        Example:
          >>> notes = run.render(pitch=[60, 64, 67], velocity=90, seconds=2.0, sample_rate=48000)
          >>> notes.audio.shape
          (3, 96000)
        """
        notes = (pitch, velocity, label, count, seconds, sample_rate, seed, z, glide)
        return self._render(requests.NoteSpec(*notes, like, held_seconds, tags, variation))

    def controls(
        self,
        pitch: float | Sequence[float] | None = None,
        velocity: float | None = None,
        label: str | Sequence[str] | None = None,
        count: int = 1,
        seconds: float | None = None,
        sample_rate: int | None = None,
        seed: int = 0,
        z: np.ndarray | Path | None = None,
        glide: Sequence[tuple[float, float]] | None = None,
        like: Path | None = None,
        held_seconds: float | None = None,
        tags: dict | None = None,
        variation: float = 1.0,
    ) -> dict[str, np.ndarray]:
        """Compute the control curves of notes without rendering audio.

        Args:
          (all): As of `render`.

        Returns:
          dict of arrays [n, ...] in physical units, as `Notes.controls`.

        Raises:
          UsageError: as of `render`, and for a raw-waveform run, which has none.

        Example:
          >>> curves = run.controls(pitch=60)
          >>> curves["harmonic/f0_hz"] *= 2.0
          >>> noisygan.synthesize(curves).save("octave")
        """
        notes = (pitch, velocity, label, count, seconds, sample_rate, seed, z, glide)
        spec = requests.NoteSpec(*notes, like, held_seconds, tags, variation)
        return self._render(spec, audio=False).controls

    def _render(self, spec, audio=True):
        """Notes of a `requests.NoteSpec`; what run.json tells is checked without TensorFlow."""
        spec.check()
        saved = None if spec.z is None else saved_latents.as_saved(spec.z)
        self.check_playable(spec.pitch, spec.label, spec.sample_rate, spec.tags)
        entries = None
        if spec.like is not None:
            middle_c = self.metadata["data"].get("middle_c", "C4")
            entries = list_recordings(spec.like, middle_c=middle_c)[1]
        generator = self.generator
        rate = spec.sample_rate or generator.sample_rate
        if spec.variation != 1.0 and not generator.has_normal_prior:
            raise UsageError("variation: expected 1, because this run's latents are not normal")
        if spec.held_seconds is not None and not generator.has_controls:
            raise UsageError(requests.NO_NOTE_OFF)
        settings = {"sample_rate": rate, "seed": spec.seed, "variation": spec.variation}
        if entries is not None:
            chosen = requests.requests_like(self, self._with_unknowns(entries, spec.held_seconds))
        else:
            if saved is not None:
                saved.check_size(generator.latent_dim)
                spec = saved.complete(spec, self)
            chosen = requests.make_requests(self, spec)
        if saved is not None:
            settings["z"] = saved.z[[request.number for request in chosen]]
            settings |= {"noise_seed": saved.noise_seed, "gain": saved.gain}
        if spec.seconds is not None:
            generator.check_seconds(spec.seconds, rate)
        if spec.glide:
            chosen = requests.bend_requests(chosen, spec.glide, generator, rate)
        if "pitch" in self.condition_names:
            pitches = [request.pitch for request in chosen]
            requests.check_pitches(pitches, rate)
            if spec.pitch is not None:
                settings["remarks"] = requests.far_pitches(pitches, self.pitches)
        return render_requests(generator, chosen, seconds=spec.seconds, audio=audio, **settings)

    def _with_unknowns(self, entries, held_seconds):
        """Entries with the given or measured note-off, unknown values as for the run's training."""
        from noisygan.data import softer_hits
        from noisygan.data.dataset import measure_held_seconds
        from noisygan.evaluation.generate import recordings_of

        recordings = recordings_of(self)
        if recordings.softer_hits:
            full = softer_hits.FULL
            entries = [
                dataclasses.replace(entry, velocity=full) if entry.velocity is None else entry
                for entry in entries
            ]
        found, problems = [], []
        for entry in entries:
            try:
                if entry.pitch is None and recordings.detect_pitch:
                    entry = recordings.with_pitch(entry)
                held = held_seconds
                if held is None and self.generator.has_controls:
                    held = measure_held_seconds(entry, recordings.trim_db)
                found.append(dataclasses.replace(entry, held_seconds=held))
            except decoding.BadAudioError as error:
                problems.append(f"like: {entry.path} {error}")
        if not found:
            raise UsageError(problems[0])
        return found

    def check_playable(
        self,
        pitch: float | Sequence[float] | None = None,
        label: str | Sequence[str] | None = None,
        sample_rate: int | None = None,
        tags: dict | None = None,
    ) -> None:
        """Refuse pitches, labels and tags that the run can't play, without loading TensorFlow.

        Raises:
          UsageError: names the first one.

        Example:
          >>> run.check_playable(pitch=[60, 64], label="flute")
        """
        pitches = [] if pitch is None else np.atleast_1d(pitch).tolist()
        requests.check_pitches(pitches, sample_rate or self.sample_rate)
        if label is not None:
            requests.check_labels(self.label_names, [label] if isinstance(label, str) else label)
        requests.check_tags(self.tag_values, tags)

    def interpolate(
        self,
        first: int = 0,
        last: int = 1,
        steps: int = 8,
        path: str = "spherical",
        pitch: float | None = None,
        velocity: float | None = None,
        label: str | None = None,
        seconds: float | None = None,
        sample_rate: int | None = None,
        seed: int = 0,
        morph: bool = False,
        tags: dict | None = None,
    ) -> Notes:
        """Interpolate between the latents of two notes.

        Args:
          first, last: Indices of the notes, counted as `render` counts them.
          steps: Number of latents, both ends included.
          path: "spherical" (along the arc) or "linear".
          pitch, velocity, label, seconds, sample_rate, seed: As of `render`.
          morph: Render one sound whose latent moves along the path while it lasts, instead of a
            note per latent.
          tags: dict of a tag's name -> value; others are those of a recording.

        Returns:
          Notes.

        Raises:
          UsageError: as of `render`, for another path, and for a morph of a run without curves.

        Example:
          >>> len(run.interpolate(first=0, last=5, steps=4))
          4
        """
        if path not in interpolation.PATHS:
            raise UsageError(f"path {path!r}: expected one of {', '.join(interpolation.PATHS)}")
        audio_files.check_sample_rate(sample_rate)
        audio_files.check_seconds(seconds)
        self.check_playable(pitch, label, sample_rate)
        tags = requests.tag_values(self.tag_values, tags)
        generator = self.generator
        rate = sample_rate or generator.sample_rate
        if seconds is not None:
            generator.check_seconds(seconds, rate)
        spec = requests.NoteSpec(pitch, velocity, label, seed=seed, tags=tags)
        [request] = requests.make_requests(self, spec)[:1]
        if "pitch" in self.condition_names:
            requests.check_pitches([request.pitch], rate)
        z = interpolation.ends(generator, [first, last], seed)
        z = interpolation.PATHS[path](*z, steps)
        make = interpolation.morph if morph else interpolation.steps
        return make(generator, z, request, seconds, rate, seed)

    def play(
        self,
        midi: Path,
        drums: Run | None = None,
        channels: dict[int, Run | tuple[Run, int]] | None = None,
        programs: dict[int, Run | tuple[Run, int]] | None = None,
        sample_rate: int | None = None,
        seed: int = 0,
        progress: Callable[[int, int], object] | None = None,
        tags: dict | None = None,
    ) -> Notes:
        """Play a MIDI file.

        Args:
          midi: Standard MIDI File, format 0 or 1.
          drums: Run that plays channel 10.
          channels: Runs of other channels, 1 to 16: a Run, or (Run, index of the z of its notes).
          programs: Runs of General MIDI programs, 1 to 128, likewise.
          sample_rate: Hz; None: the highest of the runs.
          seed: Decides z and noise.
          progress: Called with the number of notes rendered and of all.
          tags: dict of a tag's name -> value, for the runs that have it; others are those of a
            recording, drawn for each z.

        Returns:
          Notes of one sound; `remarks` tells what was left out.

        Raises:
          UsageError: if the file is no MIDI file, or the run can't play any of its notes.

        Example:
          >>> run.play("song.mid", drums=noisygan.load("runs/kit")).save("out")
        """
        from noisygan.rendering.song import play_midi

        return play_midi(midi, self, drums, channels, programs, sample_rate, seed, progress, tags)

    def match(
        self,
        target: Path | Target,
        pitch: float | None = None,
        label: str | None = None,
        free: bool = False,
        n_steps: int = N_STEPS,
        seed: int = 0,
        progress: Callable[[int], object] | None = None,
        tags: dict | None = None,
    ) -> Match:
        """Find the latent, and optionally the controls, that resynthesize a recording.

        Args:
          target: Audio file of one note, or one read by `noisygan.matching.target.read_target`.
          pitch: MIDI number of the note; None: measured by pYIN.
          label: Label name; None: the nearest.
          free: Also fit the controls, starting from those of the latent.
          n_steps: Gradient steps of each fit.
          seed: Noise seed.
          progress: Called with the number of steps done.
          tags: dict of a tag's name -> value; others are fitted if they are numbers, else the
            nearest ones of eight recordings.

        Returns:
          Match: audio, controls, latent and distances; `save(out_dir)` writes them.

        Raises:
          UsageError: if the file can't be used, or the run can't be conditioned so.

        Example:
          >>> match = run.match("target.wav")
          >>> match.save("matched")
        """
        from noisygan.matching.target import read_target

        self.check_playable(pitch, label, tags=tags)
        target = read_target(target) if isinstance(target, (str, pathlib.Path)) else target
        import_tensorflow()
        from noisygan.matching.matching import match_run

        return match_run(self, target, pitch, label, free, n_steps, seed, progress, tags)

    def instrument(
        self,
        out_dir: Path,
        format: str = "sfz",
        pitch: Sequence[int] | None = None,
        velocity: Sequence[int] | None = None,
        round_robins: int = 2,
        label: str | None = None,
        seed: int = 0,
        seconds: float | None = None,
        sample_rate: int | None = None,
        subtype: str = "PCM_16",
        progress: Callable[[int, int], object] | None = None,
        tags: dict | None = None,
    ) -> SampledInstrument:
        """Make an instrument for samplers: a keyboard instrument, or a drum kit.

        Args:
          out_dir: New or empty folder.
          format: "sfz" or "folder" (WAV files with key and loop alone).
          pitch: Sampled MIDI numbers; None: every third one of the recordings' range.
          velocity: Sampled velocities, 1 .. 127; None: 42, 84 and 127.
          round_robins: Samples of each pitch and velocity that take turns.
          label: Label name, for a run with several and pitches.
          seed: Decides z and noise.
          seconds, sample_rate: Length and rate of the samples in Hz; None: the recordings'.
          subtype: Sample format of the WAV files.
          progress: Called with the number of samples rendered and of all.
          tags: dict of a tag's name -> value; others are those of a recording, drawn for each z.

        Returns:
          SampledInstrument.

        Raises:
          UsageError: if the run can't play it, or the folder is not empty.

        Example:
          >>> run.instrument("flute_sfz", pitch=[60, 66, 72], velocity=[50, 127])
        """
        import_tensorflow()
        from noisygan.rendering.instruments import make_instrument

        return make_instrument(
            self,
            out_dir,
            format,
            pitch,
            velocity,
            round_robins,
            label,
            seed,
            seconds,
            sample_rate,
            subtype,
            progress,
            tags,
        )

    def export(
        self,
        out: Path,
        format: str = "saved_model",
        seconds: float | None = None,
        sample_rate: int | None = None,
        block: int | None = None,
    ) -> dict:
        """Write the generator for other programs, or as a web page that plays it.

        Args:
          out: New or empty folder; of format "web" a new HTML file.
          format: "saved_model", "onnx", "litert" or "web".
          seconds: Fixed length, where the format needs one; None: as trained.
          sample_rate: Hz, likewise.
          block: Write a stream that makes so many samples at a time; None: whole notes.

        Returns:
          dict, what model.json in the folder says of inputs and outputs; of a page, facts of the
          instrument and remarks, such as one on its size.

        Raises:
          UsageError: if the format can't hold it, or the folder is not empty, or the file exists.

        Example:
          >>> run.export("flute_onnx", format="onnx", seconds=2.0)
          >>> run.export("flute.html", format="web")
        """
        import_tensorflow()
        from noisygan.export.export import export

        return export(self, out, format, seconds, sample_rate, block)

    def report(self, path: Path | None = None, data: Path | None = None) -> pathlib.Path:
        """Write a self-contained HTML page of the run: sounds, curves, losses.

        Args:
          path: File to write; None: index.html in the run folder.
          data: Recordings to set generated notes beside; None: none.

        Returns:
          Path of the page.

        Raises:
          UsageError: if the folder contains no usable recordings.

        Example:
          >>> run.report("flute.html", data="my_notes")
        """
        import_tensorflow()
        from noisygan.reports import run_report

        return run_report.write(self, path, data)


def train(
    config: Path | Sequence[Path] | None,
    data: Path | AudioDataset,
    run_dir: Path,
    minutes: float | None = None,
    steps: int | None = None,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    callbacks: Sequence[Callable] = (),
    resume: bool = False,
    early_stop: bool = False,
    deterministic: bool = False,
    strategy: str = "auto",
    snapshot_minutes: float | None = None,
    progress: Silent | None = None,
    command: Sequence[str] = (),
) -> Run | None:
    """Train a generator on recordings.

    Args:
      config: Path or bundled name of a .gin file, or several; None with `resume`: the run's own.
      data: Folder of recordings, or an AudioDataset.
      run_dir: Folder of the run, new or, with `resume`, begun.
      minutes, steps: Budget of the whole run, the earlier one counts; None: no limit.
      overrides: gin bindings, such as "Trainer.batch_size = 8".
      seed: Of initial weights, latents, noise and the order of the data; None: 0.
      callbacks: Functions called as callback(step, metrics, trainer) after every step, or
        `noisygan.training.callbacks.Callback`s.
      resume: Whether to continue a run; it ends as if it had not stopped.
      early_stop: Whether to stop once the distance from the data no longer falls.
      deterministic: Whether results are bit-equal in every run on one machine. To be set before
        TensorFlow computes anything.
      strategy: Distribution: "auto", "mirrored" or "multi_worker"; "auto": the machines of
        TF_CONFIG, all GPUs of this machine, or one device.
      snapshot_minutes: Interval of snapshots of the averaged weights; None: none.
      progress: Has update(...) and message(text), such as `noisygan.progress.Silent()`; None: a
        bar on stderr.
      command: Command line, for the metadata.

    Returns:
      Run; None on a machine of several that is not the chief, which writes the run.

    Raises:
      UsageError: if config, data and folder don't fit each other; nothing is written then.
      RunError: if the training breaks down.
      KeyboardInterrupt: when stopped by a signal, after saving.

    Example:
      >>> run = noisygan.train("runs/notes.gin", "my_notes", "runs/flute", minutes=10)
      >>> run.render(pitch=60).save("notes")
    """
    from noisygan.training import train as training

    training.check_folder(run_dir, resume)
    import_tensorflow()
    budget = {"minutes": minutes, "steps": steps, "snapshot_minutes": snapshot_minutes}
    flags = {"resume": resume, "early_stop": early_stop, "deterministic": deterministic}
    given = {"overrides": overrides, "seed": seed, "callbacks": callbacks, "strategy": strategy}
    given["command"] = command
    with contextlib.nullcontext(progress) if progress else TrainingProgress() as shown:
        training.train(config, data, run_dir, **budget, **flags, **given, progress=shown)
    return Run(run_dir) if training.is_chief() else None


def load(run_dir: Path, checkpoint: Path | None = None) -> Run:
    """Load a trained run.

    Args:
      run_dir: Run folder, as `noisygan.train` makes it.
      checkpoint: Prefix of a checkpoint or snapshot; None: the newest good checkpoint.

    Returns:
      Run.

    Raises:
      UsageError: if the folder holds no run or no checkpoint yet, or the prefix names none.
      RunError: if its files can't be read, or a newer version wrote them.

    Example:
      >>> run = noisygan.load("runs/flute")
      >>> notes = run.render(pitch=[60, 64, 67])
      >>> notes.save("notes")
    """
    return Run(run_dir, checkpoint)


def synthesize(
    controls: dict | Path,
    sample_rate: int | None = None,
    seconds: float | None = None,
    seed: int | None = None,
) -> Notes:
    """Render control curves to audio. No trained run is needed.

    Args:
      controls: `Notes.controls`, edited if you like, of any number of notes; or a controls file.
      sample_rate: Hz; None: that of the controls.
      seconds: Length; the curves are not stretched. None: that of the controls.
      seed: Noise seed; None: that of the controls.

    Returns:
      Notes, rendered on first use.

    Raises:
      UsageError: if the controls are incomplete, don't fit each other or are out of range.

    Example:
      >>> curves = noisygan.load("runs/flute").render(pitch=60).controls
      >>> noisygan.synthesize(curves, sample_rate=44100).save("out")
    """
    audio_files.check_sample_rate(sample_rate)
    audio_files.check_seconds(seconds)
    if isinstance(controls, (str, pathlib.Path)):
        name, rows = pathlib.Path(controls).stem, [load_controls(controls)]
    else:
        name, rows = "note", split_controls(controls)
        for row in rows:
            check_controls(row)
    import_tensorflow()
    from noisygan.rendering.synthesis import at_rate

    rows = [at_rate(row, sample_rate, seconds) for row in rows]
    if seed is not None:
        rows = [row | {"noise_seed": np.array(seed, np.int32)} for row in rows]
    names = [name] if len(rows) == 1 else [f"{name}-{i:03d}" for i in range(len(rows))]
    return Notes(names, int(rows[0]["sample_rate"]), lambda stems: [Note(None, r) for r in rows])

"""Audio of controls, block by block: memory grows with the curves, not with the samples.

The blocks, joined, are what the voices render at once (`noisygan.generators.voices`): phase goes on
from block to block, noise is a function of the sample's number, and filters and reverb reach over
the seams.
"""

import fractions
import math

import numpy as np
import tensorflow as tf

from noisygan.audio_io.controls import ENTRIES, FORMAT, VERSION, frames_to_samples, voices_of
from noisygan.generators.drum_voices import DRUM_VOICES
from noisygan.generators.voices import VOICES, gains_at_rate
from synths.blocks import frame_phases
from synths.effects import Reverb, response_at_rate
from synths.filters import filter_grid, filter_hops, response_margin
from synths.modal import modal_synthesis
from synths.noise import white_noise
from synths.streaming import ConvolutionStream

BLOCK_SAMPLES = 2**17
_MODAL_SAMPLES = 2**14

KINDS = VOICES | DRUM_VOICES


def controls_row(generator, curves, index, n_samples, sample_rate, noise_seed):
    """Controls of one row of a batch, ready to save.

    Args:
      generator: The hybrid generator.
      curves: Batch of `get_controls`.
      index: Row.
      n_samples, sample_rate: Length of the sound, and its rate in Hz.
      noise_seed: The row's noise seed.

    Returns:
      dict of arrays, as of `noisygan.audio_io.controls`.
    """
    controls = {
        "format": np.array(FORMAT),
        "version": np.array(VERSION),
        "sample_rate": np.array(sample_rate),
        "n_samples": np.array(n_samples),
        "frame_rate": np.array(generator.frame_rate, float),
        "noise_seed": np.array(noise_seed, np.int32),
        "voices": np.array([voice.name for voice in generator.voices]),
        "kinds": np.array([voice.kind for voice in generator.voices]),
    }
    for name, value in curves.items():
        row = np.asarray(value[index], np.float32)
        one_curve = row.ndim == 2 and row.shape[1] == 1 and not name.endswith("distribution")
        controls[name] = row[:, 0] if one_curve else row
    for voice in generator.voices:
        for name, value in voice.settings.items():
            controls[f"{voice.name}/{name}"] = np.array(value, float)
    if "reverb/ir" in controls:
        controls["reverb/sample_rate"] = np.array(generator.sample_rate)
        controls["reverb/add_dry"] = np.array(generator.reverb.add_dry)
    return controls


def at_rate(controls, sample_rate=None, seconds=None):
    """The same controls, to be rendered at another rate or length.

    A shorter sound ends early, a longer one is followed by silence (and the reverb's tail): the
    curves are not stretched.
    """
    own_rate = int(controls["sample_rate"])
    rate = own_rate if sample_rate is None else int(sample_rate)
    n_samples = int(controls["n_samples"])
    n_samples = round(n_samples * rate / own_rate) if seconds is None else round(seconds * rate)
    return controls | {"sample_rate": np.array(rate), "n_samples": np.array(n_samples)}


def render_controls(controls, sample_rate=None, seconds=None):
    """Render controls to audio, float32 [n_samples]; arguments as of `at_rate`."""
    blocks = render_in_blocks(at_rate(controls, sample_rate, seconds))
    return np.concatenate([sound for sound, _ in blocks])


def render_in_blocks(controls):
    """Render controls block by block, in memory that does not grow with the length.

    Yields:
      (audio, stems): float32 [n], and a dict of float32 [n] by the voice's name, with `reverb` for
      what a reverb adds; the audio is their sum.
    """
    sample_rate, n_samples = int(controls["sample_rate"]), int(controls["n_samples"])
    voices = {name: Voice(controls, name, kind) for name, kind in voices_of(controls)}
    room = Room(controls, sample_rate) if "reverb/ir" in controls else None
    for begin in range(0, n_samples, BLOCK_SAMPLES):
        n_block = min(BLOCK_SAMPLES, n_samples - begin)
        parts = {name: voice.take(n_block) for name, voice in voices.items()}
        sound = sum(parts.values())
        if room is not None:
            dry, sound = sound, room(sound)
            parts["reverb"] = sound - dry
        yield sound, parts


def controls_to_signal(controls, n_samples, sample_rate):
    """Render controls to audio, float32 [1, n_samples], at a rate in Hz.

    Curves and responses may be float32 tensors: the gradient reaches them, and at the controls' own
    rate this can be part of a `tf.function`.
    """
    audio = 0.0
    for name, kind in voices_of(controls):
        curves, struck, settings = _parts(controls, name, kind)
        covered = n_samples
        if curves:
            n_frames = next(iter(curves.values())).shape[1]
            frame_rate = float(controls["frame_rate"])
            covered = frames_to_samples(n_frames, frame_rate, sample_rate)
        seed = tf.constant([int(controls.get("noise_seed", 0))], tf.int32)
        sound = KINDS[kind].render(curves | struck, covered, sample_rate, seed, **settings)
        sound = sound[:, :n_samples]
        audio = audio + tf.pad(sound, [[0, 0], [0, n_samples - sound.shape[1]]])
    if "reverb/ir" in controls:
        ir, add_dry = _response(controls, sample_rate)
        audio = Reverb(add_dry=add_dry).get_signal(audio, ir)
    return audio


def _parts(controls, voice, kind):
    """(curves [1, n_frames, n], values of struck voices [1, n], settings) of a voice, by name."""
    curves, struck, settings = {}, {}, {}
    for name, (axes, *_) in ENTRIES[kind].items():
        if f"{voice}/{name}" not in controls:
            continue  # a harmonic voice without an inharmonicity
        value = controls[f"{voice}/{name}"]
        if not axes:
            settings[name] = float(value)
            continue
        value = tf.convert_to_tensor(value, tf.float32)[None]
        if axes.startswith("t"):
            curves[name] = value[:, :, None] if axes == "t" else value
        else:
            struck[name] = value
    return curves, struck, settings


def _response(controls, sample_rate):
    """(impulse response [1, n_taps] at a rate, whether the dry sound is added)."""
    ir = tf.convert_to_tensor(controls["reverb/ir"], tf.float32)[None]
    ir_rate = int(controls["reverb/sample_rate"])
    if ir_rate != sample_rate:
        ir = response_at_rate(ir, ir_rate, sample_rate)
    return ir, bool(controls.get("reverb/add_dry", True))


class Voice:
    """Audio of one voice of controls, taken in blocks of any length; silent after its end."""

    def __init__(self, controls, name, kind):
        curves, struck, settings = _parts(controls, name, kind)
        sample_rate, frame_rate = int(controls["sample_rate"]), float(controls["frame_rate"])
        seed = tf.constant([int(controls.get("noise_seed", 0))], tf.int32)
        self._left = math.inf
        if not curves:
            blocks = _STRUCK[kind](struck, sample_rate, seed, settings)
        else:
            n_frames = next(iter(curves.values())).shape[1]
            self._left = covered = frames_to_samples(n_frames, frame_rate, sample_rate)
            if covered <= BLOCK_SAMPLES:
                render = KINDS[kind].render
                blocks = iter([render(curves, covered, sample_rate, seed, **settings)[0]])
            else:
                curves = {name: value[0].numpy() for name, value in curves.items()}
                line = _Line(curves, n_frames, frame_rate, sample_rate)
                blocks = _LONG[kind](line, sample_rate, seed, **settings)
        self._blocks = blocks
        self._ready = np.zeros(0, np.float32)

    def take(self, n_samples):
        """The next samples, float32 [n_samples]."""
        n = int(min(n_samples, self._left))
        pieces, missing = [self._ready], n - len(self._ready)
        while missing > 0:
            block = next(self._blocks, None)
            pieces.append(np.zeros(missing, np.float32) if block is None else np.asarray(block))
            missing -= len(pieces[-1])
        joined = np.concatenate(pieces)
        self._ready = joined[n:].copy()
        self._left -= n
        return np.pad(joined[:n], (0, n_samples - n))


class Room:
    """The reverb of controls, block by block, at a sample rate in Hz."""

    def __init__(self, controls, sample_rate):
        ir, add_dry = _response(controls, sample_rate)
        if add_dry:  # the response's tap 0 is left out then
            ir = tf.concat([tf.zeros_like(ir[:, :1]), ir[:, 1:]], axis=1)
        self._stream = ConvolutionStream(ir, add_dry)
        self._state = self._stream.initial_state(1)

    def __call__(self, audio):
        """The sound in the room, float32 [n_samples], of the next samples."""
        audio, self._state = self._stream(tf.constant(audio[None]), self._state)
        return audio[0].numpy()


class _Line:
    """Frames on a line of samples, in whole blocks of both.

    Where a whole number of frames meets a whole number of samples only beyond the last frame, that
    one is held. `step`: samples per frame, a Fraction; `unit`: frames that take a whole number of
    samples; `size`: frames of a block.
    """

    def __init__(self, curves, n_frames, frame_rate, sample_rate):
        self.step = fractions.Fraction(sample_rate / frame_rate).limit_denominator(1000)
        self.unit = self.step.denominator
        held = -n_frames % self.unit
        self.curves = {
            name: np.concatenate([value, np.repeat(value[-1:], held, axis=0)])[None]
            for name, value in curves.items()
        }
        self.n_frames = n_frames + held
        self.n_samples = int(self.n_frames * self.step)
        self.size = max(1, BLOCK_SAMPLES // int(self.unit * self.step)) * self.unit


def _harmonic(line, sample_rate, seed):
    f0_hz = tf.constant(line.curves["f0_hz"][:, :, 0])
    phases = frame_phases(f0_hz, tf.zeros([1], tf.float64), line.n_samples, sample_rate)
    for begin in range(0, line.n_frames, line.size):
        end = min(begin + line.size, line.n_frames)
        # A frame sounds on its way to the next one.
        ahead = min(end + line.unit, line.n_frames)
        curves = {name: tf.constant(x[:, begin:ahead]) for name, x in line.curves.items()}
        if "inharmonicity" in curves:  # the first value holds for the note
            curves["inharmonicity"] = tf.constant(line.curves["inharmonicity"][:, :1])
        sound = KINDS["harmonic"].render(
            curves, int((ahead - begin) * line.step), sample_rate, seed, phases[:, begin]
        )
        yield sound[0, : int((end - begin) * line.step)]


def _noise(line, sample_rate, seed, bandwidth_hz):
    magnitudes = line.curves["magnitudes"]
    n_bands = gains_at_rate(tf.constant(magnitudes[:, :1]), bandwidth_hz, sample_rate).shape[2]
    hop, n_hops = filter_grid(line.n_samples, line.n_frames, n_bands)
    margin = response_margin(n_bands)
    n_block = max(1, BLOCK_SAMPLES // hop)
    tail, silent = np.zeros(2 * margin, np.float32), margin
    for begin in range(0, n_hops, n_block):
        end = min(begin + n_block, n_hops)
        # The filters of these hops and of the one behind them, towards which they fade.
        points = np.arange(begin, min(end + 1, n_hops), dtype=np.int64) * hop
        place = points * (line.n_frames / line.n_samples)
        before = place.astype(int)
        after = np.minimum(before + 1, line.n_frames - 1)
        frames = tf.constant(magnitudes[:, before[0] : after[-1] + 1])
        gains = gains_at_rate(frames, bandwidth_hz, sample_rate).numpy()
        weight = (place - before).astype(np.float32)[:, None]
        here = gains[:, before - before[0]]
        gains = here + weight * (gains[:, after - before[0]] - here)
        n = min(end * hop, line.n_samples) - begin * hop
        noise = white_noise(seed, n, begin * hop)
        n_wet = (end - begin) * hop
        wet = filter_hops(
            noise, tf.constant(gains), hop, end - begin, 0, -margin, n_wet + 2 * margin
        )[0].numpy()
        wet[: 2 * margin] += tail
        tail = wet[n_wet:]
        # Before the first sample there is nothing.
        yield wet[silent:n_wet]
        silent = 0
    yield tail[:margin]


def _modal(struck, sample_rate, seed, settings):
    modes = [struck[name] for name in ("frequencies", "amplitudes", "decay_seconds")]
    begin = 0
    while True:
        yield modal_synthesis(*modes, _MODAL_SAMPLES, sample_rate, first_sample=begin)[0]
        begin += _MODAL_SAMPLES


def _transient(struck, sample_rate, seed, settings):
    n_samples = round(settings["burst_seconds"] * sample_rate) + 1
    yield KINDS["transient"].render(struck, n_samples, sample_rate, seed, **settings)[0]


_LONG = {"harmonic": _harmonic, "noise": _noise}
_STRUCK = {"modal": _modal, "transient": _transient}

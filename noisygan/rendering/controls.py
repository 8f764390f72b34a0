"""Controls files: the curves of one sound in physical units, and sound from them.

A controls file is a NumPy archive (`.npz`) without pickled objects: `numpy.load(path)` reads it.

    format, version         "noisygan-controls", 1
    sample_rate             Hz, the rate that the sound was rendered at
    n_samples               its length
    frame_rate              frames of the curves a second; frame i stands at i / frame_rate
    noise_seed              integer
    voices                  names of the voices, in order
    kinds                   their kinds: "harmonic", "noise", "modal" or "transient"
    loudness_db             [n_frames], dB
    <voice>/f0_hz                    [n_frames], Hz
    <voice>/amplitudes               [n_frames], linear, of the sum of the harmonics
    <voice>/harmonic_distribution    [n_frames, n_harmonics], shares of the harmonics
    <voice>/magnitudes               [n_frames, n_bands], gains of white noise
    <voice>/bandwidth_hz             frequency of the last band; bands are evenly spaced from 0 Hz
    <voice>/burst_seconds            after which a transient is silent

What is struck has no curves: a modal voice has <voice>/frequencies (Hz), amplitudes (linear) and
decay_seconds (until -60 dB), each [n_modes]; a transient one magnitudes [n_bands] and
decay_seconds [1].

    reverb/ir               [n_taps], impulse response, where there is a reverb
    reverb/sample_rate      Hz, of the impulse response
    reverb/add_dry          whether the dry sound is added; it is where this entry is missing
"""

import pathlib

import numpy as np

from noisygan.archives import read_arrays
from noisygan.errors import UsageError
from noisygan.files import atomic_write
from noisygan.rendering.controls_check import (
    CURVES,
    FORMAT,
    MAX_BYTES,
    SETTINGS,
    STRUCK,
    VERSION,
    check_controls,
)


def controls_of(generator, output, index, sample_rate, noise_seed):
    """The controls of one sound of a generator's output, ready to save.

    Args:
      generator: The hybrid generator that made it.
      output: Its `GeneratorOutput`.
      index: Row of the batch.
      sample_rate: Hz, as given to the generator.
      noise_seed: The row's noise seed.

    Returns:
      dict of NumPy arrays.
    """
    n_samples = output.audio.shape[1]
    return controls_row(generator, output.controls, index, n_samples, sample_rate, noise_seed)


def controls_row(generator, curves, index, n_samples, sample_rate, noise_seed):
    """The controls of one sound that need not have been made yet.

    Args:
      generator: A hybrid generator.
      curves: Of its `get_controls`.
      n_samples: Length of the sound at the sample rate.
      index, sample_rate, noise_seed: As of `controls_of`.

    Returns:
      dict of NumPy arrays.
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


def save_controls(path, controls):
    """Writes a controls file, whole or not at all. An existing file is never overwritten.

    Raises:
      UsageError: if the file exists.
      RunError: if it cannot be written.
    """
    with atomic_write(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **controls)


def load_controls(path):
    """Reads and checks a controls file.

    Raises:
      UsageError: if it is not one, or its curves don't fit each other.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise UsageError(f"{path} is not there; name a controls file (.npz).")
    try:
        controls = read_arrays(path, MAX_BYTES)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} is not a controls file (.npz, as 'noisygan render --controls' writes): {error}"
        ) from error
    check_controls(controls, path)
    return controls


def louder(controls, gain):
    """Controls of the same sound at another level.

    Args:
      controls: As a controls file has them.
      gain: Linear, above 0.

    Returns:
      dict.
    """
    if gain == 1.0:
        return controls
    changed = dict(controls)
    for name, value in controls.items():
        if name.split("/")[-1] in ("amplitudes", "magnitudes"):
            changed[name] = np.float32(gain) * value
    if "loudness_db" in controls:
        changed["loudness_db"] = controls["loudness_db"] + np.float32(20.0 * np.log10(gain))
    return changed


def curve_names(controls):
    """Names of the entries of controls that have an axis of frames, but for loudness_db."""
    return [f"{name}/{curve}" for name, kind in _voices(controls) for curve, _ in CURVES[kind]]


def render_controls(controls, sample_rate=None, seconds=None):
    """Sound of controls.

    Args:
      (all): As of `render_in_blocks`.

    Returns:
      float32 [n_samples].
    """
    return np.concatenate([sound for sound, _ in render_in_blocks(controls, sample_rate, seconds)])


def render_in_blocks(controls, sample_rate=None, seconds=None):
    """Sound of controls block by block, in memory that does not grow with its length.

    Args:
      controls: Of `load_controls` or `controls_of`.
      sample_rate: Hz; the controls' own where absent.
      seconds: Length; the controls' own where absent. A shorter sound ends early, a longer one is
        followed by silence (and the reverb's tail): the curves are not stretched.

    Yields:
      (sound, parts): float32 [n], and a dict of such by the voice's name, with `reverb` for what a
      reverb adds; the sound is their sum.
    """
    from noisygan.rendering.blocks import BLOCK_SAMPLES, Room, Voice

    own_rate = int(controls["sample_rate"])
    sample_rate = own_rate if sample_rate is None else int(sample_rate)
    if seconds is None:
        n_samples = round(int(controls["n_samples"]) * sample_rate / own_rate)
    else:
        n_samples = round(seconds * sample_rate)
    voices = {}
    for name, kind in _voices(controls):
        curves = {
            curve: _frames(controls[f"{name}/{curve}"]).astype(np.float32)
            for curve, _ in CURVES[kind]
        }
        struck = {part: np.asarray(controls[f"{name}/{part}"], np.float32) for part in STRUCK[kind]}
        settings = {part: float(controls[f"{name}/{part}"]) for part in SETTINGS[kind]}
        rates = float(controls["frame_rate"]), sample_rate
        seed = int(controls.get("noise_seed", 0))
        voices[name] = Voice(kind, curves, struck, settings, *rates, seed)
    room = None
    if "reverb/ir" in controls:
        add_dry = bool(controls.get("reverb/add_dry", True))
        ir_rate = int(controls["reverb/sample_rate"])
        room = Room(np.asarray(controls["reverb/ir"], np.float32), ir_rate, sample_rate, add_dry)
    for begin in range(0, n_samples, BLOCK_SAMPLES):
        n_block = min(BLOCK_SAMPLES, n_samples - begin)
        parts = {name: voice.take(n_block) for name, voice in voices.items()}
        sound = sum(parts.values())
        if room is not None:
            dry, sound = sound, room(sound)
            parts["reverb"] = sound - dry
        yield sound, parts


def _frames(curve):
    """[n_frames] or [n_frames, n] as [n_frames, n]."""
    return curve[:, None] if curve.ndim == 1 else curve


def _voices(controls):
    """(name, kind) of each voice."""
    names, kinds = np.atleast_1d(controls["voices"]), np.atleast_1d(controls["kinds"])
    return [(str(name), str(kind)) for name, kind in zip(names, kinds, strict=True)]


def signal_of(controls, n_samples, sample_rate):
    """Sound of controls, with a gradient to those of them that are tensors.

    Args:
      controls: Of `load_controls` or `controls_of`; float32 tensors may stand for curves and
        responses, with which this can be part of a `tf.function` at the controls' own rate.
      n_samples: Length of the sound.
      sample_rate: Hz.

    Returns:
      float32 [1, n_samples].
    """
    import tensorflow as tf

    from noisygan.generators.drum_voices import DRUM_VOICES
    from noisygan.generators.voices import VOICES
    from synths.effects import Reverb, response_at_rate

    def row(name):
        return tf.convert_to_tensor(controls[name], tf.float32)[None]

    audio = 0.0
    voices, kinds = np.atleast_1d(controls["voices"]), np.atleast_1d(controls["kinds"])
    for voice, kind in zip(voices, kinds, strict=True):
        curves = {}
        for curve, rank in CURVES[str(kind)]:
            value = row(f"{voice}/{curve}")
            curves[curve] = value[:, :, None] if rank == 1 else value
        covered = n_samples
        if curves:
            n_frames = next(iter(curves.values())).shape[1]
            covered = round(n_frames * sample_rate / float(controls["frame_rate"]))
        curves |= {name: row(f"{voice}/{name}") for name in STRUCK[str(kind)]}
        settings = {name: float(controls[f"{voice}/{name}"]) for name in SETTINGS[str(kind)]}
        kind = (VOICES | DRUM_VOICES)[str(kind)]
        seed = tf.constant([int(controls.get("noise_seed", 0))], tf.int32)
        sound = kind.render(curves, covered, sample_rate, seed, **settings)[:, :n_samples]
        audio = audio + tf.pad(sound, [[0, 0], [0, n_samples - sound.shape[1]]])
    if "reverb/ir" in controls:
        ir = row("reverb/ir")
        ir_rate = int(controls["reverb/sample_rate"])
        if ir_rate != sample_rate:
            ir = response_at_rate(ir, ir_rate, sample_rate)
        reverb = Reverb(add_dry=bool(controls.get("reverb/add_dry", True)))
        audio = reverb.get_signal(audio, ir)
    return audio

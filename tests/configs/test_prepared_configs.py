"""Every run reads what `noisygan prepare` writes with the preset of its document."""

import functools

import numpy as np
import pytest
import soundfile

from noisygan import config
from noisygan.data.dataset import Recordings
from noisygan.data.prepare import preparing, runners
from noisygan.data.prepare.options import make_options

# (kind, preset) of each run; the options that a run of another rate or length changes.
NOTES, DRUMS = ("nsynth", "nsynth", {}), ("drums", None, {})
RUNS = {
    "runs/demo.gin": NOTES,
    "runs/notes.gin": ("nsynth", "nsynth", {"sample_rates": (44100.0,)}),
    "runs/notes_16k.gin": NOTES,
    "runs/noisygan_paper.gin": NOTES,
    "runs/wavegan_notes.gin": NOTES,
    "runs/wavegan_notes_small.gin": NOTES,
    "runs/drums.gin": DRUMS,
    "runs/drums_small.gin": DRUMS,
    "runs/wavegan.gin": DRUMS,
    "runs/wavegan_small.gin": DRUMS,
    "runs/modern_waveform.gin": DRUMS,
    "runs/modern_waveform_small.gin": DRUMS,
    "runs/growing_gan_small.gin": DRUMS,
    "runs/drum_dcgan.gin": ("drums", "falini", {}),
    "runs/drum_dcgan_clean.gin": ("drums", "falini", {}),
    "runs/drum_dcgan_small.gin": ("drums", "falini", {}),
    "runs/drum_wgan.gin": ("drums", "drysdale", {}),
    "runs/drum_wgan_small.gin": ("drums", "drysdale", {}),
    "runs/growing_gan.gin": ("songs", "netzer", {}),
    "runs/sample_gan.gin": ("songs", "wisnewski", {}),
    "runs/sample_gan_small.gin": ("songs", "wisnewski", {"sample_rates": (16000.0,)}),
    "runs/speech_yes.gin": ("speech", None, {}),
}
SECONDS = {"nsynth": 4.0, "drums": 0.6, "speech": 0.9, "songs": 0.25}


def test_no_run_is_left_out():
    assert {name for name in config.bundled_configs() if name.startswith("runs/")} == set(RUNS)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A function that prepares made recordings, once for each preset and rate."""
    before = {}

    def get(name, rate, labels):
        kind, preset, changes = RUNS[name]
        key = (kind, preset, str(changes))
        if key not in before:
            data = tmp_path_factory.mktemp("data")
            # Netzer's segments are 12 s long, and 5 s are skipped.
            seconds = 17.0 if preset == "netzer" else SECONDS[kind]
            make(data, labels, rate, seconds)
            out = tmp_path_factory.mktemp("prepared") / "out"
            options = make_options(kind, preset, **changes)
            run = functools.partial(runners.run_pool, n_processes=1)
            preparing.prepare(data, out, options, run)
            before[key] = out
        return before[key]

    return get


def make(folder, labels, rate, seconds):
    rng = np.random.default_rng(0)
    for label in labels:
        (folder / label).mkdir()
        for pitch in (60, 64):
            sound = rng.uniform(-0.5, 0.5, round(seconds * rate))
            soundfile.write(folder / label / f"{label}-{pitch:03}-100.wav", sound, rate)


@pytest.mark.parametrize("name", ["runs/drum_dcgan.gin", "runs/drum_wgan.gin"])
def test_silence_is_treated_alike_by_a_preset_and_a_run(name, tmp_path):
    kind, preset, _ = RUNS[name]
    times = np.arange(3000) / 44100
    hit = 0.5 * np.sin(2 * np.pi * 200 * times) * np.exp(-100 * times)
    before, after = 1e-5 * np.ones(4000), 1e-5 * np.ones(3000)
    for label in ("kick", "snare", "cymbal"):
        (tmp_path / "data" / label).mkdir(parents=True)
        path = tmp_path / "data" / label / "a.wav"
        soundfile.write(path, np.concatenate([before, hit, after]), 44100, subtype="FLOAT")
    out = tmp_path / "out"
    run = functools.partial(runners.run_pool, n_processes=1)
    preparing.prepare(tmp_path / "data", out, make_options(kind, preset), run)
    config.parse([name])
    recordings = config.configured(Recordings)()
    read, prepared = (recordings.read(folder).audio(0) for folder in (tmp_path / "data", out))
    # A preset fades the end of the sound, a run that of its n_samples.
    inner = slice(None) if recordings.fade_out_seconds is None else slice(2500)
    np.testing.assert_allclose(prepared[inner], read[inner], atol=1e-4)
    level = np.abs(read)
    assert level[:300].max() > 0.1
    if recordings.trim_end:
        last = np.flatnonzero(level)[-1]
        assert 2000 < last < 3000 and level[last] > 10 ** (-50 / 20) * level.max()


@pytest.mark.parametrize("name", RUNS)
def test_a_run_reads_what_its_preset_prepares(name, prepared):
    config.parse([name])
    recordings = config.configured(Recordings)()
    labels = ("kick", "snare", "cymbal") if RUNS[name][0] == "drums" else ("yes",)
    notes = recordings.read(prepared(name, recordings.sample_rate, labels))
    assert (notes.sample_rate, notes.n_samples) == (recordings.sample_rate, recordings.n_samples)
    assert len(notes) >= 2 and notes.has_pitch and notes.has_label and notes.has_velocity
    assert notes.label_names == sorted(recordings.instruments or labels)
    least = 0.001 if recordings.softer_hits else 0.1
    for batch in notes.batches(4, seed=0).take(1):
        audio = batch["audio"].numpy()
        assert np.all(np.isfinite(audio)) and np.all(np.abs(audio).max(axis=1) > least)
        # What was prepared is not cut or scaled once more.
        if recordings.peak and not recordings.softer_hits:
            np.testing.assert_allclose(np.abs(audio).max(axis=1), recordings.peak)

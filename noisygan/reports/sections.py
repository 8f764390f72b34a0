"""The sections of the result page. Each returns HTML, or nothing where there is nothing to show."""

from __future__ import annotations

import numpy as np

from noisygan.metrics import note_analysis, spectrograms
from noisygan.reports.control_plots import ControlCurves
from noisygan.reports.page import Contents, escape
from noisygan.reports.plots import (
    Axis,
    Curve,
    heat_map,
    image_plot,
    line_plot,
    time_axis,
    value_axis,
    waveform,
)
from noisygan.reports.sounds import note_name

MINUS = "\N{MINUS SIGN}"
FREQUENCY_TICKS_HZ = (250, 500, 1000, 2000, 4000, 8000, 16000)
SHOWN_DB = 80.0
"""Range of the spectrograms below the loudest point."""


class Sections(Contents):
    """Builds sections and remembers what has been embedded, so that every player has its own id."""

    def __init__(self):
        super().__init__()
        self.embedded = {}

    def audio(self, sound, name):
        """(id, audio element) of a sound; the element is empty where the page already has it."""
        if sound in self.embedded:
            return self.embedded[sound], ""
        audio_id = f"sound-{len(self.embedded) + 1}"
        self.embedded[sound] = audio_id
        element = (
            f'<audio id="{audio_id}" controls preload="metadata" data-name="{escape(name)}" '
            f'src="{sound.address()}"></audio>'
        )
        return audio_id, element

    # ---------------------------------------------------------------------------------- notes

    def pairs(self, pairs):
        """Recordings and generated notes side by side."""
        return "".join(self._pair(recording, generated) for recording, generated in pairs)

    def _pair(self, recording, generated):
        shown = [(s, k) for s, k in ((recording, "real"), (generated, "fake")) if s is not None]
        peak = max(log_mel(s).max() for s, _ in shown)
        cells, ids = [], []
        for sound, kind in shown:
            what = "recording" if kind == "real" else "generated"
            audio_id, audio = self.audio(sound, f"{what}, {sound.title}")
            ids.append(audio_id)
            cells.append(
                f'<figure class="note {kind}"><figcaption>'
                f"{play_button(audio_id, what + ' ' + sound.title)}<b>{what.capitalize()}</b>"
                f'<span class="clock" data-clock="{audio_id}">{sound.seconds:.1f} s</span>'
                f"</figcaption>{spectrogram(sound, peak, audio_id)}"
                f"{waveform(sound.audio, audio_id)}{audio}</figure>"
            )
        both = ""
        if len(ids) == 2:
            both = (
                f'<button class="plain" type="button" data-sequence="{" ".join(ids)}">'
                "Play both</button>"
            )
        sound = generated
        head = f"<h3>{escape(sound.title)}</h3>"
        if sound.pitch is not None:
            hz = note_analysis.midi_to_hz(sound.pitch)
            head = (
                f"<h3>{note_name(sound.pitch)} <small>MIDI {sound.pitch}, "
                f'<span class="wide">{hz:.1f} Hz, </span>velocity {sound.velocity}</small></h3>'
            )
        return (
            f'<article class="pair"><header>{head}{both}</header>'
            f'<div class="sides">{"".join(cells)}</div>{measured(recording, generated)}</article>'
        )

    # ------------------------------------------------------------------------------- learning

    def learning(self, rows, metrics):
        """The same code at successive checkpoints, a row of small players for each code."""
        out = []
        for number, steps in enumerate(rows.values(), start=1):
            loudest = max(log_mel(sound).max() for _, sound in steps)
            tiles, ids = [], []
            for step, sound in steps:
                audio_id, audio = self.audio(sound, f"sound {number} at step {step}")
                ids.append(audio_id)
                seconds = seconds_at(metrics, step)
                when = f"<span>{clock(seconds)}</span>" if seconds is not None else ""
                values = log_mel(sound, every=4)
                peak = max(values.max(), loudest - 40.0)
                image = heat_map(values.T, peak - SHOWN_DB, peak)
                tiles.append(
                    f'<li><figure><div class="area tile" data-audio="{audio_id}">'
                    f'<img src="{image}" alt="" draggable="false"><i class="playhead"></i></div>'
                    f"<figcaption>{play_button(audio_id, f'sound {number} at step {step}')}"
                    f"<b>step {step:,}</b>{when}</figcaption>{audio}</figure></li>"
                )
            title = f"Sound {number}"
            out.append(
                f'<div class="row"><header><h3>{title}</h3><button class="plain" type="button" '
                f'data-sequence="{" ".join(ids)}" data-each="2.4">Play the row</button></header>'
                f'<ol class="strip" tabindex="0" aria-label="{title}, by step">{"".join(tiles)}'
                "</ol></div>"
            )
        return "".join(out)

    # ------------------------------------------------------------------------------- controls

    def controls(self, controls, sound, recording):
        """Plots of the curves that one generated note was made from."""
        curves = ControlCurves(controls, sound)
        title = sound.title if sound is not None else "a generated note"
        head, audio_id, element = "", None, ""
        if sound is not None:
            audio_id, element = self.audio(sound, f"generated, {title}")
            head = (
                f'<header class="bar fake">{play_button(audio_id, "generated " + title)}'
                f"<h3>{escape(title)}</h3></header>{element}"
            )
        asked = sound is not None and sound.pitch is not None
        centre = "the asked pitch" if asked else "its median"
        plots = [
            (f"F0 <small>cents from {centre}</small>", curves.pitch(recording, audio_id)),
            ("Loudness", curves.loudness(recording, audio_id)),
            (
                "Level of each harmonic <small>70 dB from bright to black</small>",
                curves.harmonics(audio_id),
            ),
            ("Noise, by frequency <small>60 dB</small>", curves.noise(audio_id)),
        ]
        cells = "".join(
            f'<figure class="graph"><figcaption>{name}</figcaption>{plot}</figure>'
            for name, plot in plots
            if plot
        )
        return f'{head}<div class="graphs">{cells}</div>' if cells else ""

    # ------------------------------------------------------------------------------- training

    def training(self, metrics):
        """Losses, logits, and how different the sounds of a batch are from each other."""
        groups = [
            ("Losses", [("d_loss", "discriminator", "real"), ("g_loss", "generator", "fake")]),
            (
                "Logits",
                [("real_logits", "recordings", "real"), ("fake_logits", "generated", "fake")],
            ),
            (
                "How different the sounds of a batch are",
                [("real_spread", "recordings", "real"), ("fake_spread", "generated", "fake")],
            ),
        ]
        cells = []
        for title, wanted in groups:
            wanted = [w for w in wanted if w[0] in metrics]
            plot = metric_plot(metrics, wanted, title) if wanted else ""
            if plot:
                cells.append(
                    f'<figure class="graph"><figcaption>{title}</figcaption>{plot}</figure>'
                )
        return f'<div class="graphs">{"".join(cells)}</div>' if cells else ""


def clock(seconds):
    """Seconds as `0:05` or `1:02:03`."""
    minutes, rest = divmod(int(round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def play_button(audio_id, name):
    """A button that the script turns into a player of the audio element."""
    return (
        f'<button class="play" type="button" data-play="{audio_id}" '
        f'aria-label="Play {escape(name)}" aria-pressed="false"><svg viewBox="0 0 24 24" '
        'aria-hidden="true"><path class="start" d="M7 4.5v15l13-7.5z"/>'
        '<path class="stop" d="M6 5h4.5v14H6zM13.5 5H18v14h-4.5z"/></svg></button>'
    )


def log_mel(sound, every=1):
    """Log-mel spectrogram in dB of a `Sound`, every `every`-th frame averaged."""
    values = spectrograms.log_mel_db(sound.audio, sound.sample_rate, n_mels=96)
    every = min(every, len(values))
    n_frames = len(values) // every
    return values[: n_frames * every].reshape(n_frames, every, -1).mean(1)


def spectrogram(sound, peak, audio_id):
    """A log-mel spectrogram with its axes."""
    _, centres = spectrograms.mel_filters(sound.sample_rate, 96)
    position = np.interp(np.log(FREQUENCY_TICKS_HZ), np.log(centres), np.arange(96) + 0.5)
    ticks = tuple(
        (float(p), f"{f / 1000:g}k" if f >= 1000 else f"{f}")
        for f, p in zip(FREQUENCY_TICKS_HZ, position, strict=True)
        if f <= centres[-1] * 1.02
    )
    return image_plot(
        heat_map(log_mel(sound).T, peak - SHOWN_DB, peak),
        time_axis(sound.seconds),
        Axis(0, 96, ticks),
        f"Log-mel spectrogram of {sound.title}",
        audio_id,
    )


def measured(recording, generated):
    """A small table of what both notes do; nothing where the notes are not 4 s NSynth notes."""
    notes = [n for n in (recording, generated) if n is not None]
    if any(n.pitch is None or not 3.5 < n.seconds < 4.5 or not np.any(n.audio) for n in notes):
        return ""
    rows = []
    for kind, note in (("Recording", recording), ("Generated", generated)):
        if note is None:
            continue
        d = note_analysis.describe_note(note.audio, note.sample_rate, note.pitch)
        cells = (
            f"{d['pitch/held [cents]']:+.0f} cents",
            f"{d['envelope/held level [dB]']:.1f} dB",
            f"{1000 * d['envelope/attack 10-90 % [s]']:.0f} ms",
            f"{d['vibrato/rate [Hz]']:.1f} Hz, \u00b1{d['vibrato/depth [cents]']:.0f} cents",
            f"{d['noise/to note 2-4k [dB]']:.0f} dB",
        )
        cells = (
            c.replace("-", MINUS).replace(" ", "\u00a0").replace(",\u00a0", ", ") for c in cells
        )
        values = "".join(f"<td>{c}</td>" for c in cells)
        rows.append(f'<tr class="{kind.lower()}"><th scope="row">{kind}</th>{values}</tr>')
    heads = ("Off pitch", "Held level", "Attack", "Vibrato", "Breath")
    head = "".join(f'<th scope="col">{h}</th>' for h in heads)
    return (
        '<div class="scroll" role="region" aria-label="Measured" tabindex="0">'
        '<table class="measured"><thead><tr><td></td>'
        f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def seconds_at(metrics, step):
    """Training time at a step, or None where the metrics don't tell."""
    if "step" not in metrics or "seconds" not in metrics:
        return None
    if step == 0:
        return 0.0
    return float(np.interp(step, metrics["step"], metrics["seconds"]))


def metric_plot(metrics, wanted, description):
    """Curves of some metrics over the steps: faint as logged, strong when smoothed."""
    steps = metrics["step"]
    curves, values = [], []
    for name, label, kind in wanted:
        raw = metrics[name]
        smooth = running_mean(raw, max(1, len(raw) // 40))
        curves.append(Curve(steps, raw, f"{kind} faint"))
        curves.append(Curve(steps, smooth, kind, label))
        values.append(raw[np.isfinite(raw)])
    values = np.concatenate(values)
    if not len(values):
        return ""
    low, high = np.percentile(values, (0.5, 99.5))
    last = float(steps[-1])
    ticks = [
        (v, f"{v:,.0f}")
        for v, _ in value_axis(0, last, n_ticks=4).ticks
        if v <= last and v == int(v)
    ]
    ticks = [(v, f"step {t}" if v == 0 else t) for v, t in ticks]
    return line_plot(
        curves,
        Axis(0.0, max(last, 1.0), tuple(ticks)),
        value_axis(float(low), float(high)),
        f"{description} over training steps",
    )


def running_mean(values, width):
    """Centred mean over `width` values, over fewer at the ends; NaN where all are NaN."""
    finite = np.isfinite(values)
    box = np.ones(2 * (width // 2) + 1)
    total = np.convolve(np.where(finite, values, 0.0), box, "same")
    count = np.convolve(finite.astype(float), box, "same")
    return np.where(count > 0, total / np.maximum(count, 1.0), np.nan)

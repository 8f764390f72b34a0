"""The kinds of recordings that `prepare` knows, and the settings of each document."""

import dataclasses

from noisygan.data.prepare.options import Options
from noisygan.errors import UsageError

# What each kind of recording wants where nothing else is said.
KINDS = {
    # Four seconds at 16 kHz, as they are.
    "nsynth": Options(remove_dc=False),
    "notes": Options(max_seconds=60.0),
    # Every hit begins at once and as loud as the others; none ends in a click.
    "drums": Options(
        sample_rates=(44100.0,),
        n_samples=16384,
        max_seconds=30.0,
        trim_db=-50.0,
        peak=1.0,
        fade_out_seconds=0.005,
    ),
    "speech": Options(n_samples=16000, max_seconds=30.0),
    "songs": Options(
        sample_rates=(22050.0,),
        n_samples=262144,
        segments=True,
        silence_db=-60.0,
        max_seconds=7200.0,
    ),
}

# (kind, the options that differ from the kind's). docs/data.md says what documents leave open.
PRESETS = {
    "nsynth": ("nsynth", {}),
    "falini": (
        "drums",
        {"other_rates": "drop", "n_samples": 7500, "peak": None, "fade_out_seconds": 0.0},
    ),
    "drysdale": (
        "drums",
        {
            "sample_rates": tuple(44100.0 / 4**level for level in range(4)),
            "trim_db": None,
            "fade_in_seconds": 0.001,
        },
    ),
    "netzer": (
        "songs",
        {
            "sample_rates": tuple(22050.0 / 2**level for level in range(9)),
            "skip_seconds": 5.0,
            "silence_db": None,
            "remove_dc": False,
        },
    ),
    "wisnewski": (
        "songs",
        {"sample_rates": (44100.0,), "n_samples": 500, "silence_db": None, "remove_dc": False},
    ),
}


def options(kind, preset=None, changes=None):
    """The options of a kind, changed by a preset and then one by one.

    Args:
      kind: One of `KINDS`.
      preset: One of `PRESETS` of this kind, or None.
      changes: dict of option names and values, or None.

    Returns:
      Options.

    Raises:
      UsageError: for an unknown kind or preset, a preset of another kind, or impossible options.
    """
    if kind not in KINDS:
        raise UsageError(f"no kind {kind}; expected one of {', '.join(KINDS)}")
    changed = {}
    if preset is not None:
        if preset not in PRESETS:
            raise UsageError(f"no preset {preset}; expected one of {', '.join(PRESETS)}")
        of_kind, changed = PRESETS[preset]
        if of_kind != kind:
            raise UsageError(
                f"preset {preset} is for {of_kind}, got {kind}; expected `noisygan prepare "
                f"{of_kind} --preset {preset}`"
            )
    changes = dict(changes or {})
    # One level excludes the other: the one that is asked for replaces the kind's.
    if changes.get("loudness_db") is not None:
        changes.setdefault("peak", None)
    if changes.get("valid") or changes.get("test"):
        changes.setdefault("split_by", "file")
    return dataclasses.replace(KINDS[kind], **{**changed, **changes})

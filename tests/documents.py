"""What the tests of README and docs share: finding fenced blocks, and making commands small."""

import re
import shlex
from pathlib import Path

from noisygan.demo import drums_folder, notes_folder

ROOT = Path(__file__).parents[1]

# Of the bundled notes; the README's notes are called flute.
LABEL = "flute_acoustic_000"

# What sets up a clone; `make demo` and `make test` run in CI.
EXEMPT = re.compile(r"^(make|git|cd|python3? -m (venv|pip)|pip|source|tensorboard|\. )\b")


def fenced(document):
    """Fenced blocks of a document that are tagged with a language: [(language, text)], in order."""
    text = document.read_text(encoding="utf-8")
    return re.findall(r"^```([a-z]+)\n(.*?)^```", text, re.M | re.S)


def blocks(language, document):
    """Texts of a document's fenced blocks that are tagged with a language."""
    return [text for tag, text in fenced(document) if tag == language]


def commands_of(block):
    """The commands of a block as lists of arguments, in order; what sets up a clone is left out."""
    found = []
    for line in block.replace("\\\n", " ").splitlines():
        line = line.removeprefix("$ ").strip()
        if line and not line.startswith("#") and not EXEMPT.match(line):
            found.append(shlex.split(line, comments=True))
    return found


def small(arguments, replaced=("--data", "--like"), steps=4):
    """The same command with a budget of a few steps, on bundled sounds where none are there."""
    result = list(arguments)
    for i, argument in enumerate(result[:-1]):
        if argument == "--minutes":
            result[i : i + 2] = ["--steps", str(steps)]
        elif argument == "--steps":
            result[i + 1] = str(steps)
        elif argument in replaced and not Path(result[i + 1]).exists():
            bundled = drums_folder if "drums" in result[i + 1] else notes_folder
            result[i + 1] = str(bundled())
        elif argument in ("match", "--controls") and not Path(result[i + 1]).exists():
            # A file that `render` named by the label of the recordings.
            result[i + 1] = result[i + 1].replace("/flute-", f"/{LABEL}-")
    if result[0] in ("evaluate", "compare"):
        result += ["--n", "8", "--max_pitch_samples", "0"]
    if result[0] == "train":
        result.append("--no_report")
    if result[0] in ("demo", "match") and "--steps" not in result:
        result += ["--steps", str(steps)]
    return result

"""`noisygan bench synths`, and its figures put into README.md and docs/.

    python benchmarks/synths_vs_ddsp.py                  measures, as `noisygan bench synths` does
    python benchmarks/synths_vs_ddsp.py --publish        puts the newest figures into the documents

`make bench` and `make benchdocs` are the same two. What is published are the plots in docs/images/
and what stands between `<!-- bench: ... -->` and `<!-- bench end -->` in README.md and
docs/results.md.
"""

import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from noisygan.benchmarks import synth_report, synths_vs_ddsp  # noqa: E402
from noisygan.cli.main import main as noisygan  # noqa: E402

COMMAND = "noisygan bench synths"


def replaced(text, name, content):
    """A document's text with new content between its marks.

    Raises:
      ValueError: if the marks are not there exactly once.
    """
    pattern = rf"(<!-- bench: {name} -->\n).*?(<!-- bench end -->)"
    text, n_found = re.subn(pattern, lambda m: f"{m[1]}{content}\n{m[2]}", text, flags=re.DOTALL)
    if n_found != 1:
        raise ValueError(
            f"<!-- bench: {name} --> ... <!-- bench end -->: {n_found} times, not once"
        )
    return text


def publish(result, root):
    """Writes plots and figures of a result into the documents under a folder."""
    contents = {
        "README.md": ("summary", synth_report.summary(result)),
        "docs/results.md": (
            "tables",
            f"`{COMMAND}`. {synth_report.tables(result)}",
        ),
    }
    for document, (name, content) in contents.items():
        path = root / document
        text = path.read_text(encoding="utf-8")
        path.write_text(replaced(text, name, content), encoding="utf-8")
    images = root / "docs/images"
    synth_report.draw(result, images / synth_report.PLOT)
    synth_report.draw_growth(result, images / synth_report.GROWTH_PLOT)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--publish", action="store_true", help="measure nothing")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "runs/bench", help="folder of the figures"
    )
    arguments = parser.parse_args()
    if arguments.publish:
        path = arguments.out / synths_vs_ddsp.RESULT
        publish(json.loads(path.read_text(encoding="utf-8")), ROOT)
        return 0
    return noisygan(["bench", "synths", "--out", str(arguments.out)])


if __name__ == "__main__":
    sys.exit(main())

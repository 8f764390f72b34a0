"""The systems of a comparison, and its state in comparison.json."""

from __future__ import annotations

import collections
import dataclasses
import json
import pathlib

from noisygan import config, run
from noisygan.errors import UsageError
from noisygan.files import read_json
from noisygan.reports import page

FORMAT = 2
MAX_BYTES = 16 << 20


@dataclasses.dataclass(frozen=True)
class System:
    """One compared system.

    Attributes:
      name: In tables and as part of folder names.
      description: A line.
      gin_file: Config to train, or None: its runs are finished.
      run_dirs: dict seed -> run folder.
    """

    name: str
    description: str
    gin_file: str | None
    run_dirs: dict


def systems_of(gin_files, run_dirs, seeds, out_dir):
    """Systems to train (one per config, with `seeds` runs in out_dir) and those of finished runs.

    Raises:
      UsageError: for a missing config or run, or two systems of one name.
    """
    found = []
    paths = [config.find_config(name) for name in gin_files]
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        names = [f"{path.parent.name}-{path.stem}" for path in paths]
    for name, path in zip(names, paths, strict=True):
        runs = {seed: pathlib.Path(out_dir) / "runs" / f"{name}-{seed}" for seed in range(seeds)}
        found.append(System(name, config.describe(path), str(path), runs))
    found += _finished(run_dirs)
    often = collections.Counter(system.name for system in found)
    twice = sorted(name for name, k in often.items() if k > 1)
    if twice:
        raise UsageError(
            f"several systems are called {', '.join(twice)}; expected configs or run folders of "
            "different names"
        )
    return found


def _finished(run_dirs):
    by_config = {}
    for path in run_dirs:
        one = run.load(path)
        by_config.setdefault(one.config, []).append(one)
    systems = []
    for runs in by_config.values():
        seeds = [one.metadata["seed"] for one in runs]
        if len(set(seeds)) < len(seeds):
            raise UsageError(
                f"several runs of one config have seed {max(seeds, key=seeds.count)} "
                f"({', '.join(str(one.path) for one in runs)}); expected different seeds"
            )
        by_seed = {seed: one.path for seed, one in zip(seeds, runs, strict=True)}
        description = config.describe(runs[0].path / "config.gin")
        systems.append(System(runs[0].name, description, None, by_seed))
    return systems


class Progress:
    """comparison.json: the settings of a comparison, and which of its work is done.

    Raises:
      UsageError: if the folder contains a comparison with other settings, or other files.
    """

    def __init__(self, out_dir, settings):
        self.path = pathlib.Path(out_dir) / "comparison.json"
        self.data = {"format": FORMAT, "settings": settings, "done": {}}
        if self.path.is_file():
            self.data = self._read()
            for name, value in settings.items():
                before = self.data["settings"].get(name, value)
                if before != value:
                    raise UsageError(
                        f"{out_dir} contains a comparison with {name} {before}, not {value}; "
                        "resume it as it was begun, or name another folder"
                    )
        # The folder parts/ alone: recordings were divided before an error.
        elif self.path.parent.is_dir() and any(
            path.name != "parts" for path in self.path.parent.iterdir()
        ):
            raise UsageError(
                f"{out_dir} is not empty and contains no comparison; expected an empty or new "
                "folder"
            )

    def _read(self):
        try:
            data = read_json(self.path, MAX_BYTES)
            if data["format"] != FORMAT:
                raise ValueError(f"format {data['format']}, of another version of noisygan")
            for what, value in data["done"].items():
                if not isinstance(value["failed"], str | None):
                    raise ValueError(f"entry {what[:100]!r}")
            data["settings"].get("")
            return data
        except (ValueError, OSError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"{self.path} can't be read ({type(error).__name__}: {error}); expected a "
                "comparison's folder, or a new one"
            ) from error

    def get(self, what):
        """State of a piece of work, dict with "failed" (reason or None); None if not done."""
        return self.data["done"].get(what)

    def succeeded(self, what):
        """True if a piece of work is done without failure."""
        return self.get(what) is not None and not self.get(what)["failed"]

    def set(self, what, failed=None):
        """Store that a piece of work is done, or why it failed."""
        self.data["done"][what] = {"failed": failed}
        self.write()

    def remove(self, what):
        """Forget that a piece of work is done."""
        del self.data["done"][what]

    def write(self):
        """Write comparison.json."""
        page.write(self.path, json.dumps(self.data, indent=1) + "\n")

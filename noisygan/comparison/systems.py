"""The systems of a comparison, and what it was asked for, as comparison.json keeps it."""

from __future__ import annotations

import dataclasses
import json
import pathlib

from noisygan import config
from noisygan.errors import UsageError
from noisygan.files import atomic_write, read_json

FORMAT = 1
# It keeps a few hundred bytes for each run, and the measures' own test.
MAX_BYTES = 16 << 20
_PARTS = ("asked", "done")


@dataclasses.dataclass(frozen=True)
class System:
    """One of those that are compared.

    Attributes:
      name: In tables and as part of folders' names.
      description: A line.
      gin_file: Config that it is trained by, or None: its runs were finished before.
      run_dirs: Folder of each seed's run, by the seed.
    """

    name: str
    description: str
    gin_file: str | None
    run_dirs: dict


def systems_of(gin_files, run_dirs, seeds, out_dir):
    """Systems that are trained here, and those whose finished runs were given.

    Args:
      gin_files: Names or paths of configs; each is a system.
      run_dirs: Folders of finished runs; those of one config are seeds of one system.
      seeds: How many seeds of each config are trained.
      out_dir: Folder of the comparison.

    Returns:
      list of System.

    Raises:
      UsageError: for a config that is not there, or two systems that can't be told apart.
    """
    found = []
    paths = [config.find_config(name) for name in gin_files]
    for name, path in zip(_names(paths), paths, strict=True):
        runs = {seed: pathlib.Path(out_dir) / "runs" / f"{name}-{seed}" for seed in range(seeds)}
        found.append(System(name, config.describe(path), str(path), runs))
    found += _finished(run_dirs)
    names = [system.name for system in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(
            f"several systems are called {', '.join(twice)}; expected configs or run folders of "
            "different names"
        )
    return found


def _names(paths):
    """File names without ending; with the folder in front where that does not tell them apart."""
    stems = [path.stem for path in paths]
    if len(set(stems)) == len(stems):
        return stems
    return [f"{path.parent.name}-{path.stem}" for path in paths]


def _finished(run_dirs):
    from noisygan.training.runs import RunFolder

    by_config = {}
    for path in run_dirs:
        run = RunFolder.open(path)
        if not run.has_checkpoint:
            raise UsageError(run.without_checkpoint)
        by_config.setdefault(config.read(run.config), []).append(run)
    systems = []
    for runs in by_config.values():
        seeds = [run.facts["seed"] for run in runs]
        if len(set(seeds)) < len(seeds):
            raise UsageError(
                f"several --run_dir of one config have seed {max(seeds, key=seeds.count)} "
                f"({', '.join(str(run.path) for run in runs)}); expected different seeds"
            )
        by_seed = {seed: run.path for seed, run in zip(seeds, runs, strict=True)}
        first = runs[0]
        systems.append(
            System(first.path.resolve().name, config.describe(first.config), None, by_seed)
        )
    return systems


def _checked(kept):
    """What comparison.json holds; ValueError where it is not of the form that `Progress` gives."""
    if not isinstance(kept, dict) or not all(isinstance(kept.get(k), dict) for k in _PARTS):
        raise ValueError(f"no object with {' and '.join(_PARTS)}")
    for what, value in kept["done"].items():
        if not isinstance(value, dict) or not isinstance(value.get("failed"), str | None):
            raise ValueError(f"what it keeps of {what[:100]} is none of a comparison's")
    return kept


class Progress:
    """comparison.json: what was asked for, and what is done of it.

    Args:
      out_dir: Folder of the comparison.
      asked: dict of what must be the same when a comparison is gone on with.

    Raises:
      UsageError: if the folder holds a comparison that was asked for otherwise, or other files.
    """

    def __init__(self, out_dir, asked):
        self.path = pathlib.Path(out_dir) / "comparison.json"
        self.data = {"format": FORMAT, "asked": asked, "done": {}}
        if self.path.is_file():
            try:
                kept = _checked(read_json(self.path, MAX_BYTES))
            except (ValueError, OSError) as error:
                raise UsageError(
                    f"{self.path} can't be read ({error}); expected a comparison's folder, or a "
                    "new one"
                ) from error
            before = kept["asked"]
            for name, value in asked.items():
                if before.get(name, value) != value:
                    raise UsageError(
                        f"{out_dir} holds a comparison with {name} {before.get(name)}, not "
                        f"{value}; go on with it as it was begun, or name another folder"
                    )
            self.data = kept
        elif self.path.parent.is_dir() and any(
            # Recordings were divided, and then what was asked for could not be done.
            there.name != "parts"
            for there in self.path.parent.iterdir()
        ):
            raise UsageError(
                f"--out_dir {out_dir} is not empty and holds no comparison; name one that is empty "
                "or new"
            )

    def get(self, what):
        """What was kept of a finished piece of work, or None."""
        return self.data["done"].get(what)

    def begin(self):
        """Marks the folder as a comparison's, before anything in it is finished."""
        if not self.path.is_file():
            self._write()

    def set(self, what, value):
        """Keeps that a piece of work is finished."""
        self.data["done"][what] = value
        self._write()

    def drop(self, what):
        """Forgets a piece of work, if it was kept: it is to be done again."""
        if self.data["done"].pop(what, None) is not None:
            self._write()

    def _write(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(self.path, overwrite=True) as part:
            part.write_text(json.dumps(self.data, indent=1) + "\n", encoding="utf-8")

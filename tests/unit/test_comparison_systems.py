"""Systems, and resuming a comparison."""

import json

import pytest

from noisygan.comparison import training
from noisygan.comparison.systems import Progress, systems_of
from noisygan.errors import UsageError
from tests import toys


def test_configs_are_systems_with_as_many_runs_as_seeds(tmp_path):
    found = systems_of(["runs/notes.gin", "drums_small"], [], 2, tmp_path)
    assert [system.name for system in found] == ["notes", "drums_small"]
    assert found[0].run_dirs == {seed: tmp_path / "runs" / f"notes-{seed}" for seed in (0, 1)}
    assert found[0].description.startswith("Pitched notes")


def test_a_comparison_is_gone_on_with_only_as_it_was_begun(tmp_path):
    settings = {"budget": "minutes 3", "examples of each run": 500}
    out = tmp_path / "out"
    first = Progress(out, settings)
    assert first.get("trained hybrid-0") is None and not out.exists()
    first.write()
    # Stopped within the first training: a run is there, and nothing is finished.
    (out / "runs" / "hybrid-0").mkdir(parents=True)
    first = Progress(out, settings)
    assert first.get("trained hybrid-0") is None
    first.set("trained hybrid-0")
    assert Progress(out, settings).get("trained hybrid-0") == {"failed": None}
    with pytest.raises(UsageError, match="with budget minutes 3, not minutes 5"):
        Progress(out, {**settings, "budget": "minutes 5"})


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[" * 100_000,
        "[]",
        '{"format": 1, "asked": {}, "done": {}}',
        '{"format": 2, "settings": [], "done": {}}',
        '{"format": 2, "settings": {}, "done": [["a", 1]]}',
        '{"format": 2, "settings": {}, "done": {"trained a-0": 1}}',
        '{"format": 2, "settings": {}, "done": {"trained a-0": {"failed": 1}}}',
    ],
)
def test_a_damaged_comparison_is_refused(content, tmp_path):
    (tmp_path / "comparison.json").write_text(content)
    with pytest.raises(UsageError, match="can't be read"):
        Progress(tmp_path, {})


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "parts" / "train").mkdir(parents=True)
    assert Progress(tmp_path, {}).get("trained hybrid-0") is None
    (tmp_path / "song.mid").write_bytes(b"x")
    with pytest.raises(UsageError, match="is not empty and contains no comparison"):
        Progress(tmp_path, {})


def test_steps_for_examples_count_each_growth_level():
    from noisygan import config
    from noisygan.training.trainer import Trainer

    assert training.steps_for("comparisons/drums/wavegan.gin", [], 161) == 11
    name = "comparisons/drums/growing_gan.gin"
    config.parse([name])
    plan = config.configured(Trainer)().plan
    steps = training.steps_for(name, [], 5000)
    shown = sum(plan.stage(step).batch_size for step in range(steps))
    assert 5000 <= shown < 5000 + plan.stage(steps).batch_size
    assert plan.stage(steps).level == 4


def test_a_binding_that_one_config_does_not_use_is_refused_before_training(tmp_path):
    both = systems_of(["drums_small", "wavegan_small"], [], 1, tmp_path)
    with pytest.raises(UsageError, match=r"^wavegan_small: .*Hybrid"):
        training.read_configs(both, ["Hybrid.latent_units = 8"])


def test_finished_runs_of_one_config_are_seeds_of_one_system(tmp_path):
    for name, seed in (("a", 0), ("b", 1), ("c", 1)):
        folder = tmp_path / name
        (folder / "checkpoints").mkdir(parents=True)
        (folder / "config.gin").write_text("# tiny\nx = 1\n" if name < "c" else "# other\nx = 2\n")
        (folder / "run.json").write_text(json.dumps(toys.metadata(seed=seed)))
        (folder / "checkpoints" / "ckpt-3.index").write_bytes(b"")
    found = systems_of([], [tmp_path / name for name in "abc"], 2, tmp_path)
    assert [(s.name, s.description, sorted(s.run_dirs)) for s in found] == [
        ("a", "tiny", [0, 1]),
        ("c", "other", [1]),
    ]
    assert found[0].gin_file is None
    with pytest.raises(UsageError, match="of one config have seed 0"):
        systems_of([], [tmp_path / "a", tmp_path / "a"], 2, tmp_path)

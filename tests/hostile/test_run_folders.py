"""Run folders from strangers: rendering, playing and resuming them."""

import json
import os

import pytest
import tensorflow as tf

from noisygan.errors import NoisyganError, RunError, UsageError
from noisygan.evaluation import cost
from noisygan.files import atomic_write
from noisygan.training import checkpoints
from noisygan.training.run_files import check_links
from noisygan.training.runs import RunFolder, load_generator


def test_a_good_one_is_rendered(sent, tmp_path):
    run = sent(tmp_path / "run")
    generator = load_generator(run.path)
    assert generator.label_names == ["flute"] and RunFolder.open(run.path).step == 3


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("import cppn.coordinates", "import os", "a config may not import os"),
        (
            "@noisygan.generators.pitch.ConditionedPitch()",
            "@os.system()",
            "nothing is called os.system",
        ),
        ("n_bands = 9", "n_bands = 12", "does not fit the config"),
        ("frame_rate = 50.0", "frame_rate = 0.0", "builds no generator: ZeroDivisionError"),
    ],
)
def test_a_config_that_does_more_or_does_not_fit(sent, tmp_path, refused, old, new, expected):
    run = sent(tmp_path / "run", [(old, new)])
    _, said = refused("render", "--run_dir", run.path, "--out_dir", tmp_path / "out")
    assert expected in said
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"label_names": "abc"}, "label_names is 'abc'; expected a list"),
        ({"label_names": [["a"]]}, "label_names"),
        ({"label_names": []}, "label_names is []"),
        ({"label_names": ["x"] * 20_000}, "label_names"),
        ({"label_names": ["a\n\x1b[2J"]}, "label_names"),
        ({"seed": 1e300}, "seed is 1e+300"),
        ({"seed": 2**31}, "seed is 2147483648; expected a whole number 0 to 2147483647"),
        ({"format": "2"}, "format is '2'"),
        ({"format": 99}, "has format 99"),
        ({"pitches": [60, 1000]}, "pitches"),
        ({"sample_rate": 0}, "sample_rate is 0"),
        ({"data": [1]}, "data is [1]"),
        ({"deterministic": True}, "environment.threads is missing"),
        (
            {
                "deterministic": True,
                "environment": {"threads": {"intra_op": 1, "inter_op": 1, "kernels": 257}},
            },
            "environment.threads is {'intra_op'",
        ),
        ({"averaged_only": 1}, "averaged_only is 1"),
        ({"replicas": 0}, "replicas is 0"),
    ],
)
def test_facts_that_no_training_wrote(sent, tmp_path, refused, facts, expected):
    run = sent(tmp_path / "run", **facts)
    code, said = refused("render", "--run_dir", run.path, "--out_dir", tmp_path / "out")
    assert code == 1 and expected in said


def test_a_run_that_tells_nothing_of_its_recordings_can_not_be_trained(sent, tmp_path):
    run = sent(tmp_path / "run", data={"summary": "flutes"})
    with pytest.raises(RunError, match="doesn't tell the recordings' fingerprint"):
        _ = run.data


def test_metrics_that_tell_no_seconds(sent, tmp_path):
    run = sent(tmp_path / "run")
    run.metrics_file.write_text('{"step": 1, "seconds": 2.5}\n{"step": 2}\n')
    assert run.seconds == 2.5
    assert next(cost.cost(run.path, 3, run.read_metrics())).value == 2.5
    run.metrics_file.write_text('{"step": 2}\n')
    assert run.seconds is None
    assert "tells it" in next(cost.cost(run.path, 3, run.read_metrics())).not_run


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "null", '{"label_names": 1e999}'])
def test_facts_that_are_none(sent, tmp_path, text):
    run = sent(tmp_path / "run")
    run.facts_file.write_text(text)
    with pytest.raises(RunError) as caught:
        load_generator(run.path)
    assert "\n" not in str(caught.value)


def test_large_facts_are_not_read(sent, tmp_path):
    run = sent(tmp_path / "run")
    with run.facts_file.open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(RunError, match="more than 4 MB"):
        load_generator(run.path)


def test_labels_do_not_lead_files_out_of_their_folder(sent, tmp_path, capsys):
    from noisygan.cli.main import main

    run = sent(tmp_path / "run", label_names=["../../up/..", ".hidden/x"])
    out = tmp_path / "a" / "b" / "out"
    asked = ["--run_dir", str(run.path), "--out_dir", str(out), "--count", "2", "--controls"]
    assert main(["render", *asked]) == 0, capsys.readouterr().err
    made = [p for p in tmp_path.rglob("*") if p.is_file() and run.path not in p.parents]
    assert len(made) == 4 and {p.parent for p in made} == {out}


@pytest.mark.parametrize(
    "name",
    [
        *("log.txt", "metrics.jsonl", "samples", "checkpoints/ckpt-9.index"),
        *("best", "best/config.gin", "best/checkpoints", "best/checkpoints/ckpt-9.index"),
    ],
)
def test_links_that_lead_out_are_refused(sent, tmp_path, name):
    run = sent(tmp_path / "run")
    check_links(run.path)
    (tmp_path / "mine").write_text("mine")
    link = run.path / name
    link.parent.mkdir(exist_ok=True, parents=True)
    link.symlink_to(tmp_path / "mine")
    with pytest.raises(UsageError, match="is a link that leads out"):
        RunFolder.open(run.path)
    link.unlink()
    # Within the folder, and of the folder itself, links are no harm.
    link.symlink_to(run.config)
    (tmp_path / "elsewhere").symlink_to(run.path)
    RunFolder.open(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    "name", [".metrics.7.part.jsonl", "checkpoints/ckpt-9_temp", "odd/deep/er", "best/x"]
)
def test_links_of_any_name_and_depth_are_refused(sent, tmp_path, name):
    run = sent(tmp_path / "run")
    (tmp_path / "mine").mkdir()
    (run.path / name).parent.mkdir(exist_ok=True, parents=True)
    (run.path / name).symlink_to(tmp_path / "mine")
    with pytest.raises(UsageError, match="is a link that leads out"):
        RunFolder.open(run.path)


def test_a_link_to_a_folder_within_hides_none_that_leads_out(sent, tmp_path):
    run = sent(tmp_path / "run")
    (tmp_path / "mine").mkdir()
    run.checkpoints.rename(run.path / "x")
    run.checkpoints.symlink_to("x")
    RunFolder.open(run.path)
    (run.path / "x" / "ckpt-10_temp").symlink_to(tmp_path / "mine")
    with pytest.raises(UsageError, match="ckpt-10_temp is a link that leads out"):
        RunFolder.open(run.path)


def test_pipes_are_not_waited_for(sent, tmp_path):
    run = sent(tmp_path / "run")
    sums = run.checkpoints / "ckpt-3.json"
    record = json.loads(sums.read_text())
    record["files"]["ckpt-3.index"]["bytes"] = 0
    sums.write_text(json.dumps(record))
    index = run.checkpoints / "ckpt-3.index"
    index.unlink()
    os.mkfifo(index)
    with pytest.raises(UsageError, match="ckpt-3.index is neither a file nor a folder"):
        RunFolder.open(run.path)
    assert checkpoints.fault_of(run.checkpoints / "ckpt-3") == "ckpt-3.index is no plain file"
    sums.unlink()
    assert checkpoints.fault_of(run.checkpoints / "ckpt-3") == "ckpt-3.index is no plain file"


def test_what_is_half_written_goes_into_a_file_of_its_own(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / f".metrics.{os.getpid()}.part.jsonl").symlink_to(tmp_path / "mine")
    with atomic_write(tmp_path / "metrics.jsonl") as part:
        part.write_text("new")
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "metrics.jsonl").read_text() == "new"


def test_what_was_begun_of_a_checkpoint_is_removed_by_its_own_name_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("mine")
    (tmp_path / "ckpt-3_temp").symlink_to(tmp_path / "mine")
    checkpoints.remove(tmp_path / "ckpt-3")
    assert (tmp_path / "mine" / "letter").exists()
    assert not (tmp_path / "ckpt-3_temp").is_symlink()


def test_a_list_of_checkpoints_leads_nowhere(sent, tmp_path):
    """TensorFlow's manager deletes what the file `checkpoint` lists; ours never reads it."""
    run = sent(tmp_path / "run")
    (tmp_path / "mine-1").write_text("mine")
    lines = ['model_checkpoint_path: "../../mine-1"', 'all_model_checkpoint_paths: "/etc/x-1"']
    (run.checkpoints / "checkpoint").write_text("\n".join(lines))
    assert run.latest_checkpoint() == str(run.checkpoints / "ckpt-3")
    state = checkpoints.Checkpoints(run.checkpoints, {"step": tf.Variable(1)})
    for step in range(10, 16):
        state.save(step)
    assert (tmp_path / "mine-1").read_text() == "mine"


def test_checkpoints_of_other_shapes_and_damaged_ones(sent, tmp_path):
    run = sent(tmp_path / "run")
    other = tf.train.Checkpoint(ema=[tf.Variable(tf.zeros([3, 7]))], step=tf.Variable(1))
    checkpoints.write(other, run.checkpoints / "ckpt-3")
    with pytest.raises(NoisyganError) as caught:
        load_generator(run.path)
    assert "\n" not in str(caught.value)
    run = sent(tmp_path / "damaged")
    for path in run.checkpoints.glob("ckpt-3.*"):
        content = path.read_bytes()
        for damage in (content[: len(content) // 2], b"", content[:-9] + b"123456789"):
            path.write_bytes(damage)
            with pytest.raises(RunError) as caught:
                load_generator(run.path)
            assert "\n" not in str(caught.value)
        path.write_bytes(content)
    load_generator(run.path)


def test_metrics_that_are_none_are_left_out(sent, tmp_path):
    run = sent(tmp_path / "run")
    good = json.dumps({"step": 1, "seconds": 0.5})
    odd = '{"step": 3, "g_loss": "x"}'
    for bad in (
        "[1]",
        '{"step": "x"}',
        '{"step": 2, "seconds": []}',
        "[" * 50_000,
        "\xff",
        "{}",
        odd,
    ):
        run.metrics_file.write_text(f"{good}\n{bad}\n", encoding="latin-1")
        assert [r["step"] for r in run.read_metrics()] == [1] and run.seconds == 0.5
    run.metrics_file.unlink()
    with run.metrics_file.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(RunError, match="more than 256 MB"):
        run.read_metrics()
    with pytest.raises(RunError, match="a line has more than"):
        run.keep_metrics_before(1)


def test_snapshots_of_odd_names_are_left_out(sent, tmp_path):
    run = sent(tmp_path / "run")
    run.snapshots.mkdir()
    for name in ("seconds-000010-step-5", "seconds-x-step-5", "seconds-1-step-", "seconds-9"):
        (run.snapshots / f"{name}.index").touch()
    assert run.snapshot_prefixes() == {10: str(run.snapshots / "seconds-000010-step-5")}


def test_pipes_in_the_place_of_files_do_not_hang(sent, tmp_path):
    run = sent(tmp_path / "run")
    run.facts_file.unlink()
    os.mkfifo(run.facts_file)
    with pytest.raises(UsageError, match="holds no run"):
        RunFolder.open(run.path)

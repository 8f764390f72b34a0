"""Run folders from strangers: rendering them does nothing but render."""

import json
import os

import pytest

import noisygan
from noisygan.cli.main import main
from noisygan.errors import NoisyganError, RunError, UsageError


@pytest.fixture
def render_refused(refused, tmp_path):
    """Renders a run, which must be refused with nothing written; gives the one line."""

    def run(path):
        _, said = refused("render", "--run_dir", path, "--out_dir", tmp_path / "out")
        assert not list(tmp_path.glob("out/*"))
        return said

    return run


def test_a_good_one_is_loaded(sent, tmp_path):
    run = noisygan.load(sent(tmp_path / "run"))
    assert run.label_names == ("flute",) and run.step == 3


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("import cppn.coordinates", "import os", "may not import os"),
        ("@noisygan.generators.hybrid.Hybrid()", "@os.system()", "nothing is called os.system"),
        ("n_bands = 9", "n_bands = 12", "does not fit the config"),
        ("frame_rate = 50.0", "frame_rate = 0.0", "builds no generator"),
    ],
)
def test_a_config_that_does_more_or_does_not_fit(
    sent, tmp_path, render_refused, old, new, expected
):
    assert expected in render_refused(sent(tmp_path / "run", [(old, new)]))


@pytest.mark.parametrize(
    "facts",
    [
        {"label_names": "abc"},
        {"label_names": [["a"]]},
        {"label_names": []},
        {"label_names": ["x"] * 20_000},
        {"label_names": ["a\n\x1b[2J"]},
        {"seed": 1e300},
        {"format": "2"},
        {"format": 99},
        {"pitches": [60, 1000]},
        {"sample_rate": 0},
        {"n_samples": "many"},
        {"command": 5},
        {"versions": 3},
        {"started": None},
        {"data": {"folder": "toys"}},
    ],
)
def test_facts_that_no_training_wrote(sent, tmp_path, render_refused, facts):
    assert next(iter(facts)) in render_refused(sent(tmp_path / "run", **facts))


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "null", '{"label_names": 1e999}'])
def test_facts_that_are_none(sent, tmp_path, render_refused, text):
    path = sent(tmp_path / "run")
    (path / "run.json").write_text(text)
    assert "run.json" in render_refused(path)


@pytest.mark.parametrize("name", ["run.json", "config.gin"])
def test_large_files_are_not_read(sent, tmp_path, render_refused, name):
    path = sent(tmp_path / "run")
    with (path / name).open("r+b") as file:
        file.truncate(1 << 40)
    assert "has more than" in render_refused(path)


def test_labels_do_not_lead_files_out_of_their_folder(sent, tmp_path, capsys):
    path = sent(tmp_path / "run", label_names=["../../up/..", ".hidden/x"])
    out = tmp_path / "a" / "b" / "out"
    options = ["--run_dir", str(path), "--out_dir", str(out), "--count", "2", "--controls"]
    assert main(["render", *options]) == 0, capsys.readouterr().err
    made = [p for p in tmp_path.rglob("*") if p.is_file() and path not in p.parents]
    assert len(made) == 4 and {p.parent for p in made} == {out}


@pytest.mark.parametrize(
    "name",
    [
        "log.txt",
        "samples",
        "checkpoints/ckpt-9.index",
        "best/config.gin",
        ".metrics.7",
        "odd/deep/er",
    ],
)
def test_links_that_lead_out_are_refused(sent, tmp_path, name):
    path = sent(tmp_path / "run")
    (tmp_path / "mine").write_text("mine")
    link = path / name
    link.parent.mkdir(exist_ok=True, parents=True)
    link.symlink_to(tmp_path / "mine")
    with pytest.raises(UsageError, match="link that leads out"):
        noisygan.load(path)
    link.unlink()
    # Within the folder, and of the folder itself, links are no harm.
    link.symlink_to(path / "config.gin")
    (tmp_path / "elsewhere").symlink_to(path)
    noisygan.load(tmp_path / "elsewhere")


@pytest.mark.parametrize("name", ["checkpoints/ckpt-3.index", "run.json", "log.txt"])
def test_pipes_are_not_waited_for(sent, tmp_path, name):
    path = sent(tmp_path / "run")
    (path / name).unlink(missing_ok=True)
    os.mkfifo(path / name)
    with pytest.raises(UsageError):
        noisygan.load(path)


def test_a_list_of_checkpoints_leads_nowhere(sent, tmp_path):
    """TensorFlow's manager deletes what the file `checkpoint` lists; ours never reads it."""
    path = sent(tmp_path / "run")
    (tmp_path / "mine-1").write_text("mine")
    lines = ['model_checkpoint_path: "../../mine-1"', 'all_model_checkpoint_paths: "/etc/x-1"']
    (path / "checkpoints" / "checkpoint").write_text("\n".join(lines))
    assert noisygan.load(path).step == 3
    assert (tmp_path / "mine-1").read_text() == "mine"


def test_damaged_checkpoints(sent, tmp_path):
    path = sent(tmp_path / "run")
    for file in path.glob("checkpoints/ckpt-3.*"):
        content = file.read_bytes()
        for damage in (content[: len(content) // 2], b"", content[:-9] + b"123456789"):
            file.write_bytes(damage)
            with pytest.raises(RunError) as caught:
                _ = noisygan.load(path).generator
            assert "\n" not in str(caught.value)
        file.write_bytes(content)
    assert noisygan.load(path).generator is not None


def test_metrics_that_are_none_are_left_out(sent, tmp_path):
    path = sent(tmp_path / "run")
    file = path / "metrics.jsonl"
    good = json.dumps({"step": 1, "seconds": 0.5})
    odd = ["[1]", '{"step": "x"}', '{"step": 2, "seconds": []}', "[" * 50_000, "\xff", "{}"]
    file.write_text("\n".join([good, *odd, '{"step": 3, "g_loss": "x"}', ""]), "latin-1")
    assert [record["step"] for record in noisygan.load(path).metrics()] == [1]
    with file.open("wb") as out:
        out.truncate(1 << 40)
    with pytest.raises(NoisyganError):
        noisygan.load(path).metrics()

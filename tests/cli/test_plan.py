"""`noisygan plan`: a table or figures, from figures that were measured; wrong use is told."""

import json

from noisygan import measured_steps

NOTES = ("plan", "--gin_file", "runs/notes.gin")


def test_a_table_with_a_column_for_each_number_of_notes(noisygan):
    result = noisygan(*NOTES, "--gpus", "8", "--batch", "128", "--notes", "300000", "5000000")
    assert result.code == 0
    assert "300,000" in result.out and "5,000,000" in result.out
    assert "hours of training" in result.out
    assert max(map(len, result.out.splitlines())) <= 110


def test_figures(noisygan):
    (one,) = json.loads(noisygan(*NOTES, "--notes", "1000", "--json").out)
    measured = measured_steps.STEPS["runs/notes.gin"]
    assert one["batch_size"] == measured["batch_size"]
    (fast,) = json.loads(noisygan(*NOTES, "--notes", "1000", "--speed", "10", "--json").out)
    assert abs(fast["training_seconds"] * 10 / one["training_seconds"] - 1) < 1e-9


def test_figures_of_ones_own(noisygan, tmp_path):
    path = tmp_path / "train.json"
    own = measured_steps.STEPS["runs/notes.gin"] | {"config": {"gin_file": ["runs/drums.gin"]}}
    path.write_text(json.dumps(own))
    assert noisygan("plan", "--gin_file", "runs/drums.gin", "--bench", path).code == 0


def test_wrong_use(refused, tmp_path):
    assert "bench train --gin_file runs/drums.gin" in refused(
        "plan", "--gin_file", "runs/drums.gin"
    )
    assert "no config runs/nots.gin" in refused("plan", "--gin_file", "runs/nots.gin")
    path = tmp_path / "train.json"
    assert "no such file" in refused(*NOTES, "--bench", path)
    for text in ("{", "[]", "{}"):
        path.write_text(text)
        assert "holds no figures of a training step" in refused(*NOTES, "--bench", path)
    path.write_text(json.dumps(measured_steps.STEPS["runs/notes.gin"]))
    message = refused("plan", "--gin_file", "runs/drums.gin", "--bench", path)
    assert "was measured with runs/notes.gin" in message
    assert "--batch 15" in refused(*NOTES, "--gpus", "3", "--batch", "16")

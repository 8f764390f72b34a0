"""`noisygan plan`: a table or figures, from figures that were measured; wrong use is told."""

import json

import pytest

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


@pytest.mark.parametrize("name", ["notes", "notes.gin", "gin/runs/notes.gin"])
def test_a_config_goes_by_all_its_names(noisygan, tmp_path, name):
    whole = noisygan(*NOTES)
    assert noisygan("plan", "--gin_file", name) == whole
    path = tmp_path / "train.json"
    # What it was measured with may lead nowhere here, or be no name at all.
    files = ["/of/another/machine.gin", "~nobody/x", "x" * 300, "notes"]
    path.write_text(json.dumps(measured(**{"config.gin_file": files})))
    assert noisygan("plan", "--gin_file", name, "--bench", path) == whole


def measured(**changed):
    """The figures of runs/notes.gin with some changed, named as step.seconds; None: left out."""
    found = json.loads(json.dumps(measured_steps.STEPS["runs/notes.gin"]))
    for name, value in changed.items():
        *way, last = name.split(".")
        inner = found
        for key in way:
            inner = inner[key]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    return found


BATCH = {"what": "batch", "values": [8, 16], "seconds": [0.1, 0.2], "peak_bytes": [9, 10]}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("memory", None, "memory.peak_bytes is missing, expected a whole number from 1"),
        ("memory.peak_bytes", 0, "memory.peak_bytes is 0, expected a whole number from 1"),
        ("n_critic", None, "n_critic is missing, expected a whole number from 1"),
        ("n_critic", 10**400, "n_critic is 1000"),
        ("machine", None, "machine.processor is missing, expected a text"),
        ("machine.cores", 1.5, "machine.cores is 1.5, expected a whole number"),
        (
            "machine.accelerators",
            5,
            "machine.accelerators is 5, expected a list of up to 100 texts",
        ),
        (
            "machine.accelerators",
            [5],
            "machine.accelerators is [5], expected a list of up to 100 texts",
        ),
        ("config", 5, "config.gin_file is missing, expected a list of up to 100 texts"),
        ("config.gin_file", 5, "config.gin_file is 5, expected a list of up to 100 texts"),
        ("config.gin_file", "runs/notes.gin", "expected a list of up to 100 texts"),
        ("config.gin_file", ["runs/notes.gin"] * 101, "expected a list of up to 100 texts"),
        ("machine.processor", "x" * 1001, "expected a text of up to 1000 characters"),
        ("batch_size", 0, "batch_size is 0, expected a whole number from 1"),
        ("batch_size", "x", "batch_size is 'x', expected a whole number from 1"),
        ("batch_size", True, "batch_size is True, expected a whole number from 1"),
        ("sample_rate", -16000, "sample_rate is -16000, expected a whole number from 1"),
        ("sound_seconds", float("nan"), "sound_seconds is nan, expected a number from"),
        ("parameters.d", "x", "parameters.d is 'x', expected a whole number from 1"),
        ("step.seconds", "x", "step.seconds is 'x', expected a number from 1e-12"),
        ("step.seconds", -1, "step.seconds is -1, expected a number from 1e-12"),
        ("step.seconds", 1e300, "step.seconds is 1e+300, expected a number from 1e-12"),
        ("step.seconds", float("inf"), "step.seconds is inf, expected a number from 1e-12"),
        ("parts", None, "parts is missing, expected an object"),
        ("parts.synth", {"seconds": "x"}, "parts.synth is {'seconds': 'x'}, expected its seconds"),
        ("growth", 5, "growth is 5, expected up to 100 rows"),
        ("growth", [5], "growth is [5], expected up to 100 rows"),
        ("growth", [BATCH | {"values": []}], "expected up to 100 rows"),
        ("growth", [BATCH | {"values": [8]}], "expected up to 100 rows"),
        ("growth", [BATCH | {"values": [8, 0]}], "expected up to 100 rows"),
        ("growth", [BATCH | {"seconds": [0.1, "x"]}], "expected up to 100 rows"),
        ("growth", [{"what": "batch"}], "expected up to 100 rows"),
    ],
)
def test_a_file_of_other_figures_is_refused(refused, tmp_path, name, value, said):
    path = tmp_path / "train.json"
    path.write_text(json.dumps(measured(**{name: value})))
    message = refused(*NOTES, "--bench", path)
    assert message.startswith(f"--bench {path} holds no figures of a training step: ")
    assert said in message
    assert "`noisygan bench train --out DIR` writes such a file" in message
    assert len(message) < 400 + len(str(path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[" * 100_000, "it is nested too deeply"),
        (b" " * (1 << 20) + b"{}", "it has more than 1 MB"),
        (b'{"step": \xff}', "utf-8"),
    ],
)
def test_a_file_that_is_too_much_or_no_json_is_refused(refused, tmp_path, content, said):
    path = tmp_path / "train.json"
    path.write_bytes(content)
    assert said in refused(*NOTES, "--bench", path)


@pytest.mark.parametrize("bench", ["", "x" * 300, "."])
def test_no_file_is_refused(refused, bench):
    assert "no such file" in refused(*NOTES, "--bench", bench)


def test_names_of_a_file_move_no_cursor(noisygan, refused, tmp_path):
    path = tmp_path / "train.json"
    names = {"machine.processor": "A\x1b[2J", "machine.accelerators": ["B\x1b\n\ud800"]}
    path.write_text(json.dumps(measured(**names)))
    first = noisygan(*NOTES, "--bench", path).out.splitlines()[0]
    assert first == "measured on: A\\x1b[2J, B\\x1b\\n\\ud800"
    path.write_text(json.dumps(measured(**{"config.gin_file": ["C\x1b[2J"]})))
    assert "was measured with C\\x1b[2J;" in refused(*NOTES, "--bench", path)


@pytest.mark.parametrize("least", [True, False])
def test_figures_at_their_limits_are_planned_with(noisygan, tmp_path, least):
    number, whole = (1e-12, 1) if least else (1e15, 10**15)
    names = ("batch_size", "n_critic", "sample_rate", "parameters.g", "parameters.d")
    extreme = dict.fromkeys((*names, "memory.peak_bytes"), whole)
    extreme |= {"sound_seconds": number, "step.seconds": number, "growth": []}
    extreme["parts.synth"] = {"seconds": number}
    path = tmp_path / "train.json"
    path.write_text(json.dumps(measured(**extreme)))
    for count, ratio in (("1", "1e-9"), ("1000000", "1e9")):
        options = [f"--{name}={ratio}" for name in ("epochs", "speed", "link_gbit")]
        options += [f"--network_gbit={ratio}", f"--latency_us={ratio}", f"--gpus={count}"]
        options += [f"--batch={count}", "--notes", "1", "1000000000000"]
        assert noisygan(*NOTES, "--bench", path, *options).code == 0


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--batch", "9" * 401, "a whole number from 1 to 1000000000"),
        ("--notes", "9" * 401, "a whole number from 1 to 1000000000000"),
        ("--gpus", "9" * 401, "a whole number from 1 to 1000000"),
        ("--per_machine", "9" * 401, "a whole number from 1 to 1000000"),
        ("--epochs", "1e300", "a number from 1e-09 to 1e+09"),
        ("--speed", "1e-300", "a number from 1e-09 to 1e+09"),
        ("--link_gbit", "inf", "a number from 1e-09 to 1e+09"),
        ("--network_gbit", "nan", "a number from 1e-09 to 1e+09"),
        ("--latency_us", "x", "a number from 1e-09 to 1e+09"),
    ],
)
def test_options_have_limits(refused, option, value, expected):
    assert f"expected {expected}; see" in refused(*NOTES, option, value)

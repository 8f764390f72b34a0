"""`noisygan prepare`: output, exit codes, options as they are typed."""

import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from noisygan.cli.main import main
from noisygan.data.listing import Listing
from noisygan.data.prepare import preparing, records, summary
from noisygan.data.prepare.options import Options
from noisygan.demo import drums_folder


@pytest.fixture
def mess(tmp_path, write_sound):
    """A folder with two good drums and what lies beside them."""
    data = tmp_path / "my samples"
    write_sound(data / "kick" / "a.wav", rate=44100)
    write_sound(data / "snare" / "b.wav", np.full([400, 2], 0.5), rate=48000)
    write_sound(data / "snare" / "c.wav", rate=22050, n=900)
    (data / "kick" / "empty.wav").write_bytes(b"")
    (data / "kick" / "._a.wav").write_bytes(b"x")
    (data / "notes.txt").write_text("x")
    return data


def test_from_a_mess_to_records(noisygan, mess, tmp_path):
    out = tmp_path / "out"
    command = ("prepare", "drums", "--data", mess, "--out", out, "--processes", 1)
    result = noisygan(*command)
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines()[:2] == [
        f"2 examples of 2 files, 1 s (train 2) in {out}",
        "skipped 4 files: 1 empty, 1 hidden, 1 not audio, 1 silent; see " + f"{out}/files.jsonl",
    ]
    again = noisygan(*command)
    assert again.code == 0
    assert again.out.startswith(f"nothing to do: {out} is complete\n2 examples of 2 files")
    assert "with peak 1.0, not none" in noisygan(*command, "--peak", "none").err
    assert noisygan(*command, "--peak", "none", "--overwrite").code == 0


def test_a_split_that_stays_empty_is_told(noisygan, tmp_path, write_sound):
    write_sound(tmp_path / "data" / "kick" / "a.wav", rate=44100)
    command = ("prepare", "drums", "--data", tmp_path / "data", "--processes", 1)
    told = noisygan(*command, "--out", tmp_path / "out", "--test", 0.01).out
    assert told.startswith("1 example of 1 file, ")
    assert "no example fell to --test 0.01: ask for more" in told
    assert "fell to" not in noisygan(*command, "--out", tmp_path / "without").out


def test_strict_is_a_failure_after_everything_is_done(noisygan, mess, tmp_path):
    out = tmp_path / "out"
    command = ("prepare", "drums", "--data", mess, "--out", out, "--processes", 1, "--strict")
    result = noisygan(*command)
    assert result.code == 1
    assert result.err == (
        f"noisygan: --strict: skipped 1 empty, 1 silent; {out}/files.jsonl says why\n"
    )
    assert (out / "manifest.json").is_file()
    (mess / "kick" / "empty.wav").unlink()
    (mess / "snare" / "b.wav").unlink()
    assert noisygan(*command, "--overwrite").code == 0


def test_every_option_reaches_its_step(noisygan, monkeypatch):
    given = (
        "songs --data d --out o --sample_rate 32000,8000 --other_rates drop --max_seconds none "
        "--skip_seconds 2 --trim_db -40 --n_samples 4000 --silence_db -50 --loudness_db -20 "
        "--fade_in_seconds 0.1 --fade_out_seconds 0.2 --f0 pyin --frame_rate 100 --split_by mood "
        "--valid 0.2 --test 0.1 --licence CC0 --features --keep_dc --only label=a,b "
        "--only mood=dark"
    )
    asked = []
    counts = {"records": 0, "used": 0, "seconds": 0, "skipped": 0, "put_right": 0}
    manifest = {"counts": {**counts, "skipped_by_kind": {}}, "splits": {}, "options": {}}
    monkeypatch.setattr(preparing, "prepare", lambda *a: (asked.append(a[2]), (manifest, True))[1])
    monkeypatch.setattr(summary, "listing", lambda *a: Listing())
    assert noisygan("prepare", *given.split()).code == 0
    assert asked == [
        Options(
            sample_rates=(32000.0, 8000.0),
            other_rates="drop",
            remove_dc=False,
            max_seconds=None,
            skip_seconds=2.0,
            trim_db=-40.0,
            n_samples=4000,
            segments=True,
            silence_db=-50.0,
            loudness_db=-20.0,
            fade_in_seconds=0.1,
            fade_out_seconds=0.2,
            frame_rate=100.0,
            features=True,
            f0="pyin",
            split_by="mood",
            valid=0.2,
            test=0.1,
            only=(("label", ("a,b",)), ("mood", ("dark",))),
            licence="CC0",
        )
    ]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("drum --data d --out o", "no kind drum"),
        ("drums --out o", "required: --data"),
        ("drums --data nowhere --out o", "no such folder: nowhere"),
        ("drums --data d --out o --preset netzer", "preset netzer is for songs"),
        ("drums --data d --out o --trim_db x", "'x', expected a number"),
        ("drums --data d --out o --sample_rate 44100,x", "'x', expected a number"),
        ("drums --data d --out o --only label", "expected a name and values"),
        ("drums --data d --out o --n_samples 0", "expected a whole number from 1"),
        ("drums --data d --out o --runner_option a=b", "--runner_option without --runner"),
        ("drums --data d --out o --runner X --processes 2", "--processes has no effect"),
        ("drums --data d --out o --table t.csv", "no such file"),
        ("drums --data d --out d/inside", "lies in d"),
    ],
)
def test_wrong_use_is_refused(refused, tmp_path, monkeypatch, args, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.wav").write_text("x")
    assert message in refused("prepare", *args.split()).replace("No such file", "no such file")


def test_ctrl_c_says_how_to_go_on(mess, tmp_path, write_sound):
    for i in range(40):
        write_sound(mess / "tom" / f"{i}.wav", rate=44100, hz=100 + i)
    out = tmp_path / "out"
    program = (
        "import os, signal, sys\n"
        "from noisygan import progress\n"
        "from noisygan.cli.main import main\n"
        "def stop(*_):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "progress.CountedProgress.__call__ = stop\n"
        "if __name__ == '__main__':\n"
        "    sys.exit(main(sys.argv[1:]))\n"
    )
    script = tmp_path / "stopped.py"
    script.write_text(program)
    args = ["prepare", "drums", "--data", str(mess), "--out", str(out), "--processes", "1"]
    done = subprocess.run(
        [sys.executable, str(script), *args],
        capture_output=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert done.returncode == 130
    assert done.stderr == "noisygan: stopped; the same command resumes where it stopped\n"
    assert not (out / "manifest.json").exists()
    done = subprocess.run([sys.executable, "-m", "noisygan", *args], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("42 examples of 42 files")


def test_a_hostile_folder_goes_through(noisygan, mess, tmp_path, write_sound):
    """Whatever lies in a folder, the good files arrive and every other has its reason."""
    rng = np.random.default_rng(1)
    good = (mess / "kick" / "a.wav").read_bytes()
    for i in range(60):
        content = bytearray(good)
        if i % 3:
            for place in rng.integers(0, 60, 4):
                content[place] = rng.integers(256)
        (mess / "kick" / f"broken{i}.wav").write_bytes(content[: rng.integers(1, len(content))])
    os.symlink("..", mess / "loop")
    (mess / "tom.wav").mkdir()
    with open(os.path.join(os.fsencode(mess), b"snare", b"\xff \n.wav"), "wb") as file:
        file.write(good)
    out = tmp_path / "out"
    command = ("prepare", "drums", "--data", mess, "--out", out, "--processes", 2)
    result = noisygan(*command)
    assert (result.code, result.err) == (0, "")
    with open(out / "files.jsonl") as file:
        lines = {line["file"]: line for line in map(json.loads, file)}
    n_files = sum(len(files) for _, _, files in os.walk(mess))
    # And a folder named as a file, and this one and the output once more, behind the link.
    assert len(lines) == n_files + 3
    assert lines["loop/my samples"]["kind"] == "folder again"
    assert lines["loop/out"]["kind"] == "prepared"
    assert all(line["action"] == "used" or line["reason"] for line in lines.values())
    assert lines["snare/\\xff \n.wav"]["action"] == "used"
    found = list(records.read_records(out))
    assert {"kick/a.wav", "snare/c.wav", "snare/\\xff \n.wav"} <= {each.key for each in found}
    assert all(np.isfinite(each.audio[44100]).all() for each in found)


DOCUMENT = Path(__file__).parents[2] / "docs" / "data.md"


@pytest.mark.slow
def test_the_documents_commands(mess, tmp_path, monkeypatch, capsys, eagerly):
    """The page's commands work on a folder as messy as the page's, in its order."""
    mess.rename(tmp_path / "my_samples")
    shutil.copytree(drums_folder(), tmp_path / "my_samples", dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```bash\n(.*?)^```", DOCUMENT.read_text(), re.M | re.S)
    commands = [line for block in blocks for line in block.splitlines()]
    assert len(commands) >= 4
    for command in commands:
        program, *args = shlex.split(command.replace("--minutes 10", "--steps 1 --no_report"))
        assert program == "noisygan"
        if "--runner" in args and importlib.util.find_spec("apache_beam") is None:
            continue
        assert main(args) == 0, (command, capsys.readouterr().err)
    assert (tmp_path / "runs" / "kit" / "metrics.jsonl").is_file()

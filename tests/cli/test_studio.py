"""`noisygan studio`: its output, invalid arguments, and how it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

pytest.importorskip("starlette", reason="needs the extra studio")
pytest.importorskip("uvicorn", reason="needs the extra studio")


def test_it_serves_a_run_and_ends_when_interrupted(trained):
    command = [sys.executable, "-m", "noisygan", "studio", "--run_dir", str(trained)]
    # A shell's background job ignores interrupts, and what it starts inherits that.
    studio = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={name: os.environ[name] for name in os.environ if name != "TF_CPP_MIN_LOG_LEVEL"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        line = studio.stdout.readline()
        address = re.fullmatch(r"tiny: open (http://127\.0\.0\.1:\d+/) \(Ctrl-C ends it\)\n", line)
        assert address, line + studio.stderr.read()
        runs = json.load(urllib.request.urlopen(address[1] + "api/runs"))
        assert [run["name"] for run in runs] == ["tiny"] and runs[0]["latent_dim"] == 4
        body = json.dumps({"z": [0.0] * 4, "pitch": 60}).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(address[1] + "api/render", body, headers)
        assert "wav" in json.load(urllib.request.urlopen(request))
    finally:
        os.kill(studio.pid, signal.SIGINT)
        out, err = studio.communicate(timeout=120)
    assert (studio.returncode, out, err) == (0, "", "")


def test_invalid_arguments(refused, tmp_path, monkeypatch, trained):
    assert "holds no run" in refused("studio", "--run_dir", tmp_path)
    assert "required: --run_dir" in refused("studio")
    assert "expected a whole number" in refused("studio", "--run_dir", trained, "--port", 70000)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused("studio", "--run_dir", trained, "--port", port)
    assert f"can't listen on 127.0.0.1 port {port}: Address already in use" in line
    line = refused("studio", "--run_dir", trained, "--host", "no.such.host.invalid")
    assert "can't listen on no.such.host.invalid" in line
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'noisygan[studio]'" in refused("studio", "--run_dir", trained)

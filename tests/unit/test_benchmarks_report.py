"""Tables and plots of a benchmark's result, from figures made up here."""

import pytest

from noisygan.benchmarks import synth_report

RESULT = {
    "date": "2026-01-31",
    "machine": {
        "processor": "Some CPU",
        "cores": 2,
        "python": "3.12.1",
        "tensorflow": "2.21.0",
        "numpy": "2.0.0",
        "numba": None,
        "ddsp": "3.7.0",
        "accelerators": [],
    },
    "size": {"batch": 4, "seconds": 4.0, "n_partials": 100},
    "n_turns": 9,
    "times": [
        {
            "case": "harmonic",
            "backward": False,
            "seconds": {"synths": 0.002, "plain": 0.02, "ddsp": 0.4, "ddsp, XLA": 0.3},
        },
        {"case": "mfcc", "backward": True, "seconds": {"synths": 0.01, "tf.signal": 0.025}},
    ],
    "memory": [
        {
            "case": "harmonic",
            "bytes": {"synths": 2.0 * 2**20, "plain": 50.0 * 2**20, "ddsp": 1000.0 * 2**20},
        }
    ],
    "errors": [{"case": "harmonic", "db": {"synths": 111.6, "plain": 109.2, "ddsp": 1.04}}],
    "drift": {
        "seconds": [1.0, 600.0],
        "db": {
            "synths": [120.0, 119.0],
            "plain": [130.0, 128.0],
            "ddsp": [1.02, None],
            "ddsp, angular cumsum": [18.7, None],
        },
    },
    "growth": [
        {
            "what": "batch",
            "values": [1, 2],
            "seconds": {"synths": [0.001, 0.002], "ddsp": [0.2, 0.4]},
            "power": {"synths": 1.0, "ddsp": 1.0},
        }
    ],
    "cores": [{"n_cores": 1, "backward": True, "seconds": {"synths": 0.004, "ddsp": 0.8}}],
}


def test_where_there_is_an_accelerator_each_table_names_its_device():
    facts = RESULT["machine"] | {"accelerators": ["Some GPU"]}
    heads = [
        line.split(" |")[0]
        for line in synth_report.tables(RESULT | {"machine": facts}).splitlines()
        if line.startswith("| ") and ", on Some " in line
    ]
    assert len(heads) == 6
    for head in heads:
        of_child = head.startswith(("| peak", "| Harmonic, time in ms"))
        assert head.endswith("Some CPU" if of_child else "Some GPU")
    assert ", on " not in synth_report.tables(RESULT)


def cells(text, beginning):
    """The cells of the table row that begins so."""
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {beginning}")]
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


def test_ratios_are_to_the_fastest_reference():
    text = synth_report.tables(RESULT)
    assert cells(text, "Harmonic, forward |") == ["400", "300", "2.00", "150", "20.0", "15.0"]
    assert cells(text, "MFCC") == ["25.0", "-", "10.0", "2.50", "-", "-"]
    assert cells(text, "Harmonic, forward + backward |") == [
        "1000", "-", "2.00", "500", "50.0", "20.0"
    ]  # fmt: skip


def test_errors_and_drift():
    text = synth_report.tables(RESULT)
    assert cells(text, "Harmonic |") == ["1.0", "112", "109"]
    assert cells(text, "600 s") == ["-", "-", "119", "128"]


def test_the_tables_say_when_and_on_what():
    text = synth_report.tables(RESULT)
    assert "2026-01-31: Some CPU, 2 cores, Python 3.12.1, tensorflow 2.21.0, ddsp 3.7.0." in text
    assert "Batch 4 x 4 s x 16 kHz, 1000 frames, 100 harmonics" in text
    assert "9 turns" in text


def test_without_ddsp_its_cells_are_empty():
    times = [{"case": "harmonic", "backward": False, "seconds": {"synths": 0.002, "plain": 0.02}}]
    text = synth_report.tables({**RESULT, "times": times})
    assert cells(text, "Harmonic, forward |") == ["-", "-", "2.00", "-", "20.0", "-"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "-"),
        (float("inf"), "-"),
        (0.012345, "0.0123"),
        (1.2345, "1.23"),
        (12.345, "12.3"),
        (123.45, "123"),
        (1234.5, "1230"),
        (99.96, "100"),
    ],
)
def test_three_digits(value, text):
    assert synth_report.three_digits(value) in (text, f"{text}.0")


def test_everything_is_written(tmp_path):
    paths = synth_report.write(RESULT, tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert all(path.stat().st_size > 1000 for path in paths)
    assert [path.suffix for path in paths] == [".md", ".png", ".png"]

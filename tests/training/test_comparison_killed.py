"""A training that a comparison started is saved when the comparison is killed."""

import pytest

from noisygan.training import checkpoints
from tests.killed_comparison import comparison, log_when


@pytest.mark.slow
def test_the_training_of_a_killed_comparison_is_saved(tmp_path):
    run_dir = tmp_path / "runs" / "a-0"
    log = run_dir.with_name("a-0.log")
    with comparison(run_dir) as process:
        assert "saved" not in log_when(log, "step ")
        process.kill()
        assert "continue with" in log_when(log, "saved")
    assert checkpoints.newest(run_dir)

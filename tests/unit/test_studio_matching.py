"""What the studio makes of a match is what was found."""

import io

import numpy as np
import pytest
import soundfile

from noisygan.studio import asking, matching
from noisygan.studio.playing import PlayableRun
from tests import toys


def test_a_match_sounds_on_the_page_as_it_was_found(monkeypatch):
    from noisygan.matching.distance import log_spectral_distance

    monkeypatch.setattr(matching, "N_STEPS", 4)
    generator = toys.hybrid()
    generator.label_names = ["toy"]
    run = PlayableRun(generator, toys.run("toy", ("pitch", "velocity"), (), (60,)))
    given = asking.parse({"seed": 3, "pitch": 57, "seconds": 0.5}, run)
    target = 0.5 * run.sound(given).audio
    file = io.BytesIO()
    soundfile.write(file, target, 16000, subtype="FLOAT", format="WAV")
    shares = []
    found = matching.matched(run, file.getvalue(), shares.append)
    assert found["distance_db"] <= found["start_db"] and shares[-1] == 1.0
    body = {name: found[name] for name in ("z", "seed", "edits", "pitch", "velocity", "seconds")}
    again = run.sound(asking.parse(body, run)).audio
    n = min(len(again), len(target))
    distance = log_spectral_distance(target[:n], again[:n], 16000)
    assert distance == pytest.approx(found["distance_db"], abs=1.5)
    assert found["pitch"] == pytest.approx(57, abs=0.5) and np.isfinite(distance)

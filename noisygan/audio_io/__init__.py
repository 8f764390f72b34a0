"""Files that go in and out: audio, controls, curves as CSV, MIDI. A leaf package."""

"""Audio files, controls files, MIDI and sampler formats: read and written, independent of runs."""

"""Audio, control and sampler files: reading and writing them, without TensorFlow."""

"""What discriminators share that judge the waveform as it is."""

import keras


class RawWaveformDiscriminator(keras.layers.Layer):
    """A network from samples straight to a decision, by the discriminator contract.

    Subclasses define `score(features, conditioning)` for the map of `front_end`.

    Args:
      n_samples: Length of the sounds.
    """

    def __init__(self, n_samples, name):
        super().__init__(name=name)
        self.n_samples = n_samples

    def check_length(self, n_samples):
        """Raises ValueError unless sounds of so many samples can be judged."""
        if n_samples != self.n_samples:
            kind = type(self).__name__
            raise ValueError(
                f"{kind}: got sounds of {n_samples} samples, expected {self.n_samples}; set "
                f"{kind}.n_samples = {n_samples}."
            )

    def adapt(self, audio):
        """Nothing: the waveform is judged as it is."""

    def front_end(self, audio):
        """The waveform, [batch, n_samples, 1], as a list of one.

        Raises:
          ValueError: for sounds of another length.
        """
        self.check_length(audio.shape[1])
        return [audio[:, :, None]]

    def score(self, features, conditioning):
        """DiscriminatorOutput of the `front_end` features; conditioning: encoded, or None."""
        raise NotImplementedError

    def build(self, *shapes):
        """Nothing: the parts make their variables when they are first called."""
        self.built = True

    def call(self, audio, conditioning=None):
        """Judges audio, [batch, n_samples]."""
        return self.score(self.front_end(audio), conditioning)


def check_whole(name, value, low, high):
    """Raises ValueError unless a value is a whole number within its bounds."""
    if not isinstance(value, int) or not low <= value <= high:
        bounds = f"{low}" + (f" to {high}" if high < float("inf") else "")
        raise ValueError(f"{name}: got {value}, expected a whole number from {bounds}.")

"""A last look at sizes before compiled code runs, which does not look itself."""


def check_sizes(first, *others):
    """Raises ValueError unless arrays agree in their first axis, and frames in their second.

    Args:
      first: Array [batch, n_frames, ...].
      *others: Arrays [batch, n_frames, ...]; the last one [batch, ...], without frames.
    """
    *frames, phase = others
    shapes = [x.shape[:2] for x in frames] + [(len(phase), first.shape[1])]
    if any(shape != first.shape[:2] for shape in shapes):
        came = ", ".join(str(x.shape) for x in (first, *others))
        raise ValueError(f"expected arrays of one batch and as many frames, got shapes {came}.")

"""Which recording goes into train, valid or test: decided by contents and names, not by chance."""

import hashlib

from noisygan.data.prepare.sources import text_of

SPLITS = ("train", "valid", "test")


def group_of(source, split_by):
    """What a source must share its split with.

    Args:
      source: Source.
      split_by: As of `Options`.

    Returns:
      str, or None where that is not known or each file is by itself.
    """
    if split_by in ("given", "file"):
        return None
    value = source.value("label" if split_by == "instrument" else split_by)
    return None if value is None else text_of(value)


def share_out(groups, valid, test):
    """Shares whole groups out among the splits, in the order of their hashes.

    Args:
      groups: Iterable of str.
      valid, test: Fractions of the groups; at least one each where there are enough.

    Returns:
      dict of group -> split.
    """
    ordered = sorted(set(groups), key=lambda group: (_fraction(group), group))
    counts = {}
    for split, fraction in (("valid", valid), ("test", test)):
        counts[split] = max(1, round(fraction * len(ordered))) if fraction else 0
    # The others keep at least one for training.
    while sum(counts.values()) > max(0, len(ordered) - 1):
        counts[max(counts, key=counts.get)] -= 1
    names = ["valid"] * counts["valid"] + ["test"] * counts["test"]
    names += ["train"] * (len(ordered) - len(names))
    return dict(zip(ordered, names, strict=True))


def choose(source, sha256, options, shared):
    """The split of one source.

    Args:
      source: Source.
      sha256: Hex str of its contents: a copy of a file lands where the file does.
      options: Options.
      shared: Of `share_out`.

    Returns:
      'train', 'valid' or 'test'.
    """
    if options.split_by == "given":
        return source.split or "train"
    group = group_of(source, options.split_by)
    if group is not None:
        return shared[group]
    place = _fraction(sha256)
    if place < options.valid:
        return "valid"
    return "test" if place < options.valid + options.test else "train"


def _fraction(text):
    """A number from 0 to 1, the same for the same text on any machine."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:7], "big") / 256**7

"""How much a config may ask for: numbers, weights and objects, limited before anything is made.

A text of a few lines can ask for a layer of 10**9 units, or for lists of lists of lists. These
limits lie far beyond what sounds need, and keep a file from a stranger from filling the memory.
"""

import contextlib
import functools
import math

from noisygan import config_text
from noisygan.config_text import Macro
from noisygan.errors import UsageError

MAX_WHOLE = 1_000_000
MAX_SECONDS = 3600.0
MAX_FRAMES = 600_000
MAX_SAMPLES = 600 * 192_000
MAX_PARTS = 10_000
MAX_WEIGHTS = 1 << 28

# Whole numbers that are large without anything being as large, and those of things that are made
# one by one: by the end of a parameter's name.
_MOST = {
    "layers": 1000,
    "modes": 10_000,
    "n_samples": 600 * 192_000,
    "seed": 2**63 - 1,
    "sounds": 2**63 - 1,
    "steps": 2**63 - 1,
    "bytes": 2**63 - 1,
}


def check_values(bindings):
    """Refuses numbers that nothing should be as large as, and Keras' way to name objects by text.

    Args:
      bindings: `noisygan.config_text.Binding`s.

    Raises:
      UsageError: names the first.
    """
    for binding in bindings:
        name = binding.parameter or binding.selector
        most = next((n for end, n in _MOST.items() if name.endswith(end)), MAX_WHOLE)
        for value in config_text.literals(binding.value):
            if isinstance(value, bool):
                continue
            if isinstance(value, int) and abs(value) > most:
                raise UsageError(
                    f"{binding.where}: {name} is {_written(value)}; expected at most {most:,}"
                )
            is_time = name.endswith("seconds") and isinstance(value, (int, float))
            if is_time and math.isfinite(value) and abs(value) > MAX_SECONDS:
                raise UsageError(
                    f"{binding.where}: {name} is {value}; expected at most {MAX_SECONDS:g}"
                )
            if value in ("class_name", "registered_name"):
                raise UsageError(
                    f'{binding.where}: {name} holds "{value}", by which Keras looks objects up; '
                    "name them as @module.Name()"
                )


def _written(number):
    """A whole number as text; Python refuses to write those of thousands of digits."""
    n_bits = number.bit_length()
    return str(number) if n_bits <= 128 else f"a whole number of {n_bits} bits"


def check_parts(graph, nodes):
    """Refuses configs whose objects would be built, or values repeated, more than MAX_PARTS times.

    Args:
      graph: `noisygan.config`'s graph of who refers to whom.
      nodes: Those that have bindings.

    Raises:
      UsageError: for too many, or for what needs itself.
    """
    known, open_ = {}, set()

    def size(node):
        if node in known:
            return known[node]
        if node in open_:
            raise UsageError(f"the config's {node[1] or node[0]} needs itself; expected an end")
        open_.add(node)
        total = 1
        for binding in graph.of(node):
            total += sum(1 for _ in config_text.literals(binding.value))
            for reference in config_text.references(binding.value):
                if isinstance(reference, Macro):
                    total += size((reference.name, ""))
                else:
                    total += size((reference.scope or node[0], reference.selector))
        open_.discard(node)
        known[node] = total
        if total > MAX_PARTS:
            raise UsageError(
                f"the config asks for more than {MAX_PARTS} parts by {node[1] or node[0]} alone; "
                "expected fewer: look for lists within lists"
            )
        return total

    for node in sorted(nodes):
        try:
            size(node)
        except RecursionError:
            raise UsageError("the config's parts are nested too deeply; expected fewer") from None


def check_extent(generator):
    """Refuses a generator whose own sounds are longer than any sound that is rendered.

    Args:
      generator: By the generator contract, constructed and not yet called.

    Raises:
      UsageError: names how long they are.
    """
    seconds = generator.seconds
    for rate, most in (("frame_rate", MAX_FRAMES), ("sample_rate", MAX_SAMPLES)):
        n = seconds * getattr(generator, rate, 0.0)
        if not 0.0 <= n <= most:
            raise UsageError(
                f"{type(generator).__name__}: {seconds:g} seconds at a {rate} of "
                f"{getattr(generator, rate):g} Hz; expected at most {most:,} of them"
            )


@contextlib.contextmanager
def weights_within(n_most=MAX_WEIGHTS):
    """Refuses, within the block, the layer that would make one weight too many, before it does.

    Args:
      n_most: How many numbers all weights made in the block may have together.

    Yields:
      None.

    Raises:
      UsageError: from within the constructor or call that asked for them.
    """
    import keras

    plain = keras.layers.Layer.add_weight
    made = 0

    @functools.wraps(plain)
    def add_weight(self, shape=None, *args, **kwargs):
        nonlocal made
        sizes = (shape,) if isinstance(shape, int) else tuple(shape or ())
        made += math.prod(int(n) for n in sizes if n is not None)
        if made > n_most:
            raise UsageError(
                f"{self.name} asks for weights of {'x'.join(map(str, sizes))}, more than "
                f"{n_most:,} in all; expected a smaller network"
            )
        return plain(self, shape, *args, **kwargs)

    keras.layers.Layer.add_weight = add_weight
    try:
        yield
    finally:
        keras.layers.Layer.add_weight = plain

"""ddsp 3.7.0 by `synths`: the same modules, names, arguments and defaults, on Keras 3.

`import synths.compat.ddsp as ddsp` instead of `import ddsp`. Functions and processors accept what
ddsp accepts and return float32 where ddsp does; what they compute is corrected as
docs/ddsp-differences.md says.
"""

import functools
import sys

from synths.compat.ddsp import (
    _keras2,
    core,
    dags,
    effects,
    losses,
    processors,
    spectral_ops,
    synths,
)

__version__ = "3.7.0"

_MODULES = (core, dags, effects, losses, processors, spectral_ops, synths)
# Calls of these read their parameters from gin; anything else is read as in `@Harmonic()`.
_CONFIGURABLE = (
    (core, ("angular_cumsum", "harmonic_oscillator_bank", "oscillator_bank")),
    (processors, ("ProcessorGroup",)),
)
_FUNCTIONS = (
    (core, ("exp_sigmoid", "sym_exp_sigmoid", "frequencies_softmax", "frequencies_sigmoid")),
    (core, ("frequencies_critical_bands",)),
    (spectral_ops, ("compute_mag", "compute_logmag", "compute_mel", "compute_logmel")),
    (spectral_ops, ("compute_mfcc", "compute_loudness", "compute_f0")),
)


def import_as_ddsp():
    """Let `import ddsp`, in any module or gin text, import this package.

    Also adapts Keras 3 to code for Keras 2 such as ddsp.training.
    """
    _keras2.adapt()
    sys.modules["ddsp"] = sys.modules[__name__]
    for module in _MODULES:
        sys.modules["ddsp." + module.__name__.rpartition(".")[2]] = module


@functools.cache
def register_with_gin():
    """Register with gin what ddsp registers, under the same names; may be called again.

    Where ddsp itself is imported too, gin says that these names are ambiguous.
    """
    import gin

    configurable = [(module, name) for module, names in _CONFIGURABLE for name in names]
    for module, name in configurable:
        thing = getattr(module, name)
        setattr(module, name, gin.external_configurable(thing, name, module.__name__))
    layer = dags.DAGLayer
    run_dag = gin.configurable("run_dag", f"{dags.__name__}.DAGLayer", allowlist=["verbose"])
    layer.run_dag = run_dag(layer.run_dag)
    for module in _MODULES:
        for name, thing in list(vars(module).items()):
            is_own_class = isinstance(thing, type) and thing.__module__ == module.__name__
            if is_own_class and (module, name) not in configurable:
                gin.register(name, module=module.__name__)(thing)
    for module, names in _FUNCTIONS:
        for name in names:
            gin.register(name, module=module.__name__)(getattr(module, name))

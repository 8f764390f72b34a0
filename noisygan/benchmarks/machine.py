"""What figures were measured on."""

import importlib.metadata
import os
import platform
from pathlib import Path


def facts():
    """The machine and the versions that matter, without names of hosts or folders.

    Returns:
      A dict: processor, cores (that this process may use), python, one entry a package, and
      accelerators (names of devices, empty without any).
    """
    return {
        "processor": processor(),
        "cores": n_cores(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("tensorflow", "numpy", "numba", "ddsp")},
        "accelerators": accelerators(),
    }


def accelerators():
    """Names of the devices that TensorFlow sees beside the processor, empty without any."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    return [each.get("device_name", "GPU") for each in details]


def processor():
    """The processor's name as the system gives it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def n_cores():
    """How many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def version(package):
    """A package's installed version, None without it."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def described(facts):
    """The facts in one line."""
    versions = [f"{name} {facts[name]}" for name in ("tensorflow", "numba", "ddsp") if facts[name]]
    devices = [f"{facts['processor']}, {facts['cores']} cores", *facts["accelerators"]]
    return ", ".join([*devices, f"Python {facts['python']}", *versions])

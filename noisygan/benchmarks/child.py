"""Measurements in a process of their own: memory, and a number of cores that is not all of them.

    python -m noisygan.benchmarks.child '{"case": "harmonic", ...}'

is how `measure` calls this module; the answer is the last line it prints.
"""

import json
import os
import subprocess
import sys

from noisygan.errors import RunError, UsageError


def measure(job, n_cores=None):
    """Measures in a fresh process, on the CPU: accelerators are hidden from it.

    Args:
      job: A dict: case, contestants, size (batch, seconds, n_partials), backward, and n_turns, or
        None to measure memory.
      n_cores: How many cores the process may use; None: all.

    Returns:
      {contestant: seconds, or bytes where n_turns is None}.

    Raises:
      RunError: if the process failed, as it does when memory runs out.
    """
    return answer(__name__, {**job, "n_cores": n_cores}, job["case"], n_cores)


def answer(module, job, what, n_cores=None, accelerators=False):
    """What a module prints last, as JSON, when it is run with a job in a fresh process.

    Args:
      module: Name of a module that takes a job as JSON.
      job: What `json` can write.
      what: Of what the job is, for messages.
      n_cores: How many cores libraries are told of; None: all.
      accelerators: Whether it sees those there are.

    Raises:
      UsageError: if the process was refused what the job asks for; its own words.
      RunError: if it failed, as it does when memory runs out.
    """
    environment = dict(
        os.environ,
        PYTHONPATH=os.pathsep.join(path for path in sys.path if path),
        TF_CPP_MIN_LOG_LEVEL="3",
    )
    if not accelerators:
        environment["CUDA_VISIBLE_DEVICES"] = "-1"
    if n_cores:
        names = ("TF_NUM_INTRAOP_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS")
        environment.update({name: str(n_cores) for name in names})
    command = [sys.executable, "-m", module, json.dumps(job)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing"]
        refusal = f"{UsageError.__module__}.{UsageError.__qualname__}: "
        if said[-1].startswith(refusal):
            raise UsageError(said[-1].removeprefix(refusal))
        raise RunError(
            f"measuring {what} in a process of its own failed with code "
            f"{done.returncode}; it said last: {said[-1]}"
        )
    return json.loads(done.stdout.splitlines()[-1])


def main(job):
    """Does one job; see `measure`."""
    if job["n_cores"] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: job["n_cores"]])

    # After the cores are chosen: libraries count them when they are imported.
    from noisygan.benchmarks import measures, synth_cases

    case = synth_cases.CASES[job["case"]]
    size = case.at(synth_cases.Size(**job["size"]))
    if job["n_turns"] is None:
        (name,) = job["contestants"]
        tiny = synth_cases.Size(batch=1, seconds=0.1, n_partials=2)
        synth_cases.compiled(case, name, tiny, job["backward"])()
        call = synth_cases.compiled(case, name, size, job["backward"])
        return {name: measures.peak_extra_bytes(call)}
    calls = {
        name: synth_cases.compiled(case, name, size, job["backward"]) for name in job["contestants"]
    }
    return measures.interleaved_seconds(calls, job["n_turns"])


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))

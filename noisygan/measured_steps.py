"""Training steps that were measured, for `noisygan plan` where nobody has measured any.

As `noisygan bench train` writes them, in seconds of CPU time of one core: TF_NUM_INTRAOP_THREADS,
TF_NUM_INTEROP_THREADS, NUMBA_NUM_THREADS and OMP_NUM_THREADS at 1, on the 145 flute notes of a set
in NSynth's layout, 2026-11-21. Other programs used the machine's caches meanwhile.
"""

_CORE = {"processor": "AMD EPYC (family 26, AVX-512)", "cores": 1, "accelerators": []}

STEPS = {
    "runs/notes.gin": {
        "machine": _CORE,
        "config": {"gin_file": ["runs/notes.gin"], "gin_param": []},
        "batch_size": 16,
        "n_critic": 1,
        "sample_rate": 16000,
        "sound_seconds": 4.0,
        "parameters": {"g": 258_469, "d": 832_322},
        "step": {"seconds": 0.279},
        "memory": {"peak_bytes": 1_474_531_328},
        "parts": {"generator": {"seconds": 0.0371}, "synth": {"seconds": 0.0271}},
        "growth": [
            {
                "what": "batch",
                "values": [8, 16, 32],
                "seconds": [0.144, 0.279, 0.513],
                "peak_bytes": [1_426_923_520, 1_474_531_328, 1_778_126_848],
            }
        ],
    }
}

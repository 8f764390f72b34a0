"""Say what a training takes on machines that are not at hand.

Arithmetic from a step measured on one device (`noisygan bench train`): time, memory, the exchange
of gradients, data to read and store. Without --bench the figures are those of runs/notes.gin on one
CPU core, which come with the program. The formulas: docs/scaling.md.
"""

import json

from noisygan.cli import arguments
from noisygan.errors import UsageError, printable

SUMMARY = "plan a training on many devices, from a measured step"
EXAMPLE = """\
noisygan plan --gin_file runs/notes.gin --gpus 8 --batch 128
noisygan plan --gin_file runs/notes.gin --gpus 64 --batch 1024 --notes 5000000 --network_gbit 200
noisygan plan --gin_file runs/notes.gin --gpus 4 --bench runs/bench/train.json --json"""

GIB = 2.0**30

_COUNT = arguments.whole_number(1, 10**6)
_NUMBER = arguments.number(1e-9, 1e9)


def add_arguments(parser):
    """Adds the arguments of this command."""
    parser.add_argument("--gin_file", required=True, metavar="NAME", help="the measured config")
    parser.add_argument(
        "--gpus",
        type=_COUNT,
        default=1,
        metavar="N",
        help="devices (default: 1)",
    )
    parser.add_argument(
        "--bench", metavar="FILE", help="figures of `noisygan bench train` on one such device"
    )
    parser.add_argument(
        "--batch",
        type=arguments.whole_number(1, 10**9),
        metavar="B",
        help="sounds a batch, of all devices together (default: as measured)",
    )
    parser.add_argument(
        "--notes",
        type=arguments.whole_number(1, 10**12),
        nargs="+",
        default=[300_000, 3_000_000],
        metavar="N",
        help="how many recordings (default: 300000 and 3000000)",
    )
    parser.add_argument(
        "--epochs",
        type=_NUMBER,
        default=20.0,
        metavar="E",
        help="how often each recording is heard (default: 20)",
    )
    parser.add_argument(
        "--speed",
        type=_NUMBER,
        default=1.0,
        metavar="X",
        help="how many times as fast a device is as the measured one (default: 1)",
    )
    parser.add_argument(
        "--per_machine",
        type=_COUNT,
        default=8,
        metavar="N",
        help="devices of a machine (default: 8)",
    )
    parser.add_argument(
        "--link_gbit",
        type=_NUMBER,
        default=2400.0,
        metavar="G",
        help="Gbit/s each way between devices of a machine (default: 2400, NVLink)",
    )
    parser.add_argument(
        "--network_gbit",
        type=_NUMBER,
        default=100.0,
        metavar="G",
        help="Gbit/s each way between machines (default: 100)",
    )
    parser.add_argument(
        "--latency_us",
        type=_NUMBER,
        default=10.0,
        metavar="U",
        help="microseconds from a device to its neighbour (default: 10)",
    )
    parser.add_argument("--json", action="store_true", help="print figures instead of a table")


def run(args):
    """Prints a table with a column for each number of notes."""
    from noisygan import planning

    measured = _measured(args.gin_file, args.bench)
    links = planning.Links(
        args.per_machine,
        args.link_gbit * 1e9 / 8,
        args.network_gbit * 1e9 / 8,
        1e-6 * args.latency_us,
    )
    plans = [
        planning.plan(measured, args.gpus, n, args.epochs, args.batch, links, args.speed)
        for n in args.notes
    ]
    print(json.dumps(plans, indent=1) if args.json else _table(plans, measured))
    return 0


def _measured(gin_file, bench):
    """The figures for a config."""
    from noisygan import config, measured_steps

    path = config.find_config(gin_file).resolve()
    if bench is None:
        for name, measured in measured_steps.STEPS.items():
            if _leads_to(name, path):
                return measured
        known = ", ".join(measured_steps.STEPS)
        raise UsageError(
            f"no figures of {gin_file} come with the program (only of {known}); expected "
            f"--bench with what `noisygan bench train --gin_file {gin_file}` writes"
        )
    measured = measured_steps.read(bench)
    names = measured["config"]["gin_file"]
    if not any(_leads_to(name, path) for name in names):
        shown = ", ".join(names)[:200]
        raise UsageError(
            f"--bench {bench} was measured with {shown}; expected figures of {gin_file}"
        )
    return measured


def _leads_to(name, path):
    """Whether a config's name leads to a path; one of another machine may lead nowhere."""
    from noisygan import config

    try:
        return config.find_config(name).resolve() == path
    except UsageError:
        return False


def _table(plans, measured):
    first = plans[0]
    facts = measured["machine"]
    cores = "1 core" if facts["cores"] == 1 else f"{facts['cores']} cores"
    device = ", ".join(facts["accelerators"]) or cores
    lines = [
        f"measured on: {printable(facts['processor'])}, {printable(device)}",
        f"devices: {first['n_devices']} in {first['n_machines']} machine"
        + ("s" if first["n_machines"] > 1 else ""),
        "",
    ]
    rows = [("recordings", lambda p: f"{p['n_notes']:,}")]
    rows += [
        ("batch, a device", lambda p: f"{p['batch_size']}, {p['batch_a_device']}"),
        ("step: computing, ms", lambda p: f"{1e3 * p['compute_seconds']:.3g}"),
        ("step: exchange of gradients, ms", lambda p: f"{1e3 * p['exchange_seconds']:.3g}"),
        ("sounds a second", lambda p: f"{p['sounds_a_second']:.4g}"),
        ("efficiency", lambda p: f"{100.0 * p['efficiency']:.0f} %"),
        ("steps", lambda p: f"{p['steps']:,}"),
        ("hours of training", lambda p: f"{p['training_seconds'] / 3600.0:.3g}"),
        ("memory a device, GiB", lambda p: f"{p['memory_bytes_a_device'] / GIB:.3g}"),
        ("weights, average, moments, GiB", lambda p: f"{p['state_bytes'] / GIB:.2g}"),
        ("recordings on disk, GiB", lambda p: f"{p['data_bytes'] / GIB:.4g}"),
        ("reading, MB a second", lambda p: f"{p['read_bytes_a_second'] / 1e6:.3g}"),
    ]
    if "rendering_seconds" in first:
        rows += [
            ("hours to render as many", lambda p: f"{p['rendering_seconds'] / 3600.0:.3g}"),
            ("voices at once, a device", lambda p: f"{p['voices_a_device']:.3g}"),
        ]
    width = max(len(name) for name, _ in rows)
    for name, show in rows:
        lines.append(f"{name:{width}s}" + "".join(f"  {show(p):>14s}" for p in plans))
    return "\n".join(lines)

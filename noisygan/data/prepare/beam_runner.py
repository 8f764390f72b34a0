"""Units on Apache Beam: Create(units) | Map(process), on this machine or on a cluster."""

import contextlib
import io

from noisygan.data.prepare import units
from noisygan.errors import RunError, UsageError


def run(folder, indices, done, runner, runner_options=()):
    """Does units on a Beam runner, which must see the folders of data and output.

    Args:
      folder: str, path of the prepared folder, which holds a plan.
      indices: Of the units.
      runner: Name of a runner of Beam, such as 'DirectRunner' or 'FlinkRunner'.
      runner_options: list of 'name=value' or 'name', passed on as they are.
      done: Called with (index, number of inputs) of every unit when the pipeline has ended.

    Raises:
      UsageError: if Beam is not installed, or does not know the runner or an option.
      RunError: if the pipeline fails.
    """
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise UsageError(
            "--runner wants Apache Beam, which is not installed: pip install 'noisygan[beam]', or "
            "leave --runner out and use this machine's cores"
        ) from error
    flags = PipelineOptions([f"--{option}" for option in runner_options])
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            flags.get_all_options()
    except SystemExit as error:
        lines = said.getvalue().splitlines() or ["no reason given"]
        detail = lines[-1].partition("error: ")[2] or lines[-1]
        raise UsageError(f"Beam refuses --runner_option: {detail}") from error
    try:
        pipeline = beam.Pipeline(runner=runner, options=flags)
    except (ValueError, ImportError, AttributeError) as error:
        detail = " ".join(str(error).split())[:300]
        raise UsageError(f"Beam refuses --runner {runner}: {detail}") from error
    _ = (
        pipeline
        | "Units" >> beam.Create(indices)
        | "Spread" >> beam.Reshuffle()
        | "Process" >> beam.Map(_process, folder)
    )
    try:
        state = pipeline.run().wait_until_finish()
    except Exception as error:
        detail = " ".join(str(error).split())[-300:]
        raise RunError(f"the Beam pipeline failed: {detail}") from error
    if state not in (None, "DONE"):
        raise RunError(f"the Beam pipeline ended as {state}; the same command goes on where it was")
    plan = units.load_plan(folder)
    for index in indices:
        done((index, plan.units[index][1]))


def _process(index, folder):
    return units.process(folder, index)[0]

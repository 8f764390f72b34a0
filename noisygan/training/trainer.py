"""Settings of a training: networks, losses, optimizers; the top-level object of a run config."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.training import loop, run_files
from noisygan.training.accumulation import accumulated, check_accumulation
from noisygan.training.batch_statistics import BatchStatistics
from noisygan.training.build import build_generator, seed_initializers
from noisygan.training.describe import layer_table
from noisygan.training.distribution import OneDevice
from noisygan.training.growth import Plan, check_discriminator
from noisygan.training.optimizers import Adam, Phase
from noisygan.training.precision import set_precision
from noisygan.training.step import EMA, GANLosses, critic_step, train_step
from noisygan.training.step_metrics import combined

if TYPE_CHECKING:
    from discriminators import ConditionEncoder, Discriminator
    from noisygan.data.dataset import AudioDataset
    from noisygan.generators.generator import Generator
    from noisygan.training.augmentation import Augmentation
    from noisygan.training.growth import Growth
    from noisygan.training.quality import Quality

_OWN_PACKAGES = ("noisygan", "discriminators", "cppn", "synths")


class Trainer:
    """Train a generator against a discriminator.

    A step is `n_critic` updates of the discriminator, each on its own batch, and one of the
    generator.

    Args:
      generator: A `noisygan.generators.generator.Generator`.
      discriminator: A `discriminators.Discriminator`.
      adversarial: A loss pair of `noisygan.losses.adversarial`.
      regularizers: List, of `noisygan.losses.regularizers`; each holds its weight and interval.
      generator_losses: List, of `noisygan.losses.generator`, besides the adversarial loss.
      condition_encoder: `ConditionEncoder` of the discriminator or None; the generator has its own.
      g_optimizer, d_optimizer: Settings of `noisygan.training.optimizers`; None: `Adam()`.
      batch_size: Real, and fake, examples in a batch.
      n_critic: Discriminator updates per generator update.
      ema_decay: Of the generator's averaged weights, per step; see `noisygan.training.step.EMA`.
      growth: `Growth` of two growing networks, or None.
      pretraining: List of functions of (trainer, data, seed, log), called once for a new run.
      augmentation: Of `noisygan.training.augmentation`, or None.
      quality: `Quality`: when examples are measured; None: its defaults.
      precision: Of the discriminator's layers: float32, bfloat16 or float16.
      generator_precision: Of the layers of a convolutional generator of raw waveforms, likewise.
      accumulate: Parts of a batch that does not fit into memory.
      jit_compile: Whether XLA compiles a step, without our CPU kernels; on one device.

    Attributes:
      step: Steps taken.
      seconds: Training time of the run, earlier sessions included.
      g_ema: `EMA` of the generator, once built.
      should_stop: Set it from a callback to stop after the present step.

    Example:
      >>> trainer = Trainer(generator, discriminator, Relativistic(), [R1(10.0)], batch_size=8)
      >>> trainer.fit(data, "runs/mine", minutes=5)
    """

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        adversarial: object,
        regularizers: Iterable = (),
        generator_losses: Iterable = (),
        condition_encoder: ConditionEncoder | None = None,
        g_optimizer: Adam | None = None,
        d_optimizer: Adam | None = None,
        batch_size: int = 16,
        n_critic: int = 1,
        ema_decay: float = 0.995,
        growth: Growth | None = None,
        pretraining: Iterable[Callable] = (),
        augmentation: Augmentation | None = None,
        quality: Quality | None = None,
        precision: str = "float32",
        generator_precision: str = "float32",
        accumulate: int = 1,
        jit_compile: bool = False,
    ):
        self.generator = generator
        self.discriminator = discriminator
        self.condition_encoder = condition_encoder
        self.g_optimizer = g_optimizer or Adam()
        self.d_optimizer = d_optimizer or Adam()
        self.batch_size = batch_size
        self.n_critic = n_critic
        self.ema_decay = ema_decay
        self.gan = GANLosses(
            generator,
            discriminator,
            adversarial,
            regularizers,
            generator_losses,
            condition_encoder,
            augmentation,
        )
        self.plan = Plan(generator, discriminator, growth, batch_size)
        if growth is not None:
            growth.validate((self.g_optimizer, self.d_optimizer), augmentation)
        self.pretraining = list(pretraining)
        self.quality = quality
        if generator_precision != "float32" and (generator.has_controls or generator.predicts):
            raise UsageError(
                f"Trainer.generator_precision: got {generator_precision!r} for "
                f"{type(generator).__name__}, expected float32, or a convolutional generator such "
                "as GrowingGAN"
            )
        set_precision(discriminator, precision, self.plan.grows)
        set_precision(generator, generator_precision, self.plan.grows, "generator_precision")
        self.precision, self.generator_precision = precision, generator_precision
        check_accumulation(self, accumulate)
        self.accumulate = accumulate
        self.jit_compile = jit_compile
        self.seed = 0
        self.seconds = 0.0
        self.g_ema = None
        self.should_stop = False
        self.replicas = OneDevice()

    def build(self, data: AudioDataset, seed: int = 0) -> None:
        """Create all variables; `fit` does it as well.

        Args:
          data: Recordings.
          seed: Of the run: initial weights, latents, noise, order of the data.

        Raises:
          UsageError: if the data lack a condition, or differ in sample rate or length.

        Example:
          >>> trainer.build(data, seed=1)
          >>> trainer.train_step(trainer.batches(data, step=0), step=0)["d_loss"]
        """
        with self.replicas.scope():
            self._build(data, seed)

    def _build(self, data, seed):
        self.seed = seed
        tf.keras.utils.set_random_seed(seed)
        self.check(data)
        chosen = range(0, len(data), -(-len(data) // 256))
        self.generator.adapt(data)
        self.discriminator.adapt(tf.stack([data.audio(i) for i in chosen]))
        seed_initializers([self.generator, self.discriminator], seed)
        batch = next(iter(data.batches(self.batch_size, seed)))
        self.plan.set_level(None)
        facts = len(data.label_names), data.midi_pitches, data.tag_values
        build_generator(self.generator, *facts)
        if self.condition_encoder is not None:
            self.condition_encoder.set_data(*facts)
        self.discriminator(batch["audio"], self.gan.condition_encoder(batch))
        self.d_phase = self._phase("d", self.discriminator, self.d_optimizer)
        self.g_phase = self._phase("g", self.generator, self.g_optimizer)
        self.g_ema = EMA(self.generator, self.ema_decay)
        self.plan.set_level(0)
        self.replicas.sync_batch_norm([self.generator, self.discriminator])
        self._compile_steps()

    def _phase(self, name, network, settings):
        variables = network.trainable_variables
        optimizer = settings.build(variables, loss_scale=self.is_float16)
        return Phase(name, variables, optimizer)

    def _compile_steps(self):
        """Wrap the steps of `noisygan.training.step` for growth, replicas and accumulation."""
        gan, d, g, ema = self.gan, self.d_phase, self.g_phase, self.g_ema

        def critic(*arguments):
            return critic_step(gan, d, *arguments)

        def train(*arguments):
            return train_step(gan, d, g, ema, *arguments)

        def compiled(step):
            def wrapped(batch, seed, active, level):  # Each level is another program.
                statistics = BatchStatistics([self.generator, self.discriminator])
                metrics = step(self.plan.downsample(batch), seed, active)
                statistics.restore_unless(metrics["d_finite"] * metrics.get("g_finite", 1.0))
                return metrics

            return self.replicas.compiled(wrapped, self.jit_compile)

        if self.accumulate > 1:
            self._critic_step, self._train_step = accumulated(gan, d, g, ema, self.accumulate)
        else:
            self._critic_step, self._train_step = compiled(critic), compiled(train)

    def check(self, data: AudioDataset) -> None:
        """Raise UsageError unless the data fit the networks: sample rate, length, conditions."""
        generator = self.generator
        if self.batch_size < generator.min_batch_size:
            raise UsageError(
                f"Trainer.batch_size: got {self.batch_size}, expected {generator.min_batch_size} "
                f"or more: {type(generator).__name__} normalises each batch by its own statistics"
            )
        predicts = any(loss.compares == "prediction" for loss in self.gan.generator_losses)
        if predicts and not generator.predicts:
            raise UsageError(
                f"Trainer.generator_losses: {type(generator).__name__} does not predict the next "
                "block, which NextBlockLoss compares; expected SampleGAN, or other losses"
            )
        if data.sample_rate != generator.sample_rate:
            advice = "Recordings.sample_rate"
            if data.n_samples != round(generator.seconds * data.sample_rate):
                advice += f" (and n_samples to {generator.seconds:g} s at it)"
            names = ", ".join(f"{name}.sample_rate" for name in _names_with_sample_rate(self))
            raise UsageError(
                f"The recordings are read at {data.sample_rate} Hz and the generator makes "
                f"{generator.sample_rate} Hz; set {advice}, or all of {names}; %sample_rate of "
                "the bundled configs sets each."
            )
        n_samples = round(generator.seconds * generator.sample_rate)
        if data.n_samples != n_samples:
            raise UsageError(
                f"The recordings are read with {data.n_samples} samples and the generator makes "
                f"{n_samples}; set Recordings.n_samples to {n_samples}."
            )
        self.replicas.check_settings(self)
        sizes, group = self.plan.batch_sizes, self.discriminator.group_size
        check_discriminator(
            self.discriminator, self.plan.lengths, [self.batch_size, *sizes], self.condition_encoder
        )
        self.replicas.check([self.batch_size], group)
        self.replicas.check(sizes, group, "Growth.batch_sizes")
        absent = [tag for tag in self.tags if tag not in data.tags]
        if absent:
            raise UsageError(
                f"ConditionEncoder.tags: {data.folder} was read without {', '.join(absent)}; "
                f"expected AudioDataset.from_folder(..., tags={self.tags})"
            )
        # A set may have a single velocity.
        for name in sorted(self.condition_names.difference(("velocity", *self.tags))):
            if not getattr(data, f"has_{name}"):
                what, other = name, f"a config without {name}"
                advice = "name files like C4.wav or name-060-100.wav (pitch 60, velocity 100)"
                if name == "label":
                    what, other = "class", "runs/notes.gin for pitched notes"
                    advice = "put the files of each class into a folder of its own (kick/...)"
                raise UsageError(
                    f"The config needs a {what} for every file, and not every file in "
                    f"{data.folder} has one: {advice}, or use {other}."
                )

    @property
    def condition_names(self) -> set[str]:
        """Names of the conditions of the generator and of the discriminator."""
        encoder = self.condition_encoder
        return {*self.generator.condition_names, *(encoder.names if encoder is not None else ())}

    @property
    def tags(self) -> list[str]:
        """Names of the conditions that are tags, sorted."""
        return sorted(self.condition_names.difference(("pitch", "velocity", "label")))

    def batches(self, data: AudioDataset, step: int) -> Iterator:
        """Iterate over the batches from a step on, `n_critic` of them per step."""
        while step is not None:
            stage = self.plan.stage(step)
            start = (step - stage.first_step) * self.n_critic
            n = None if stage.end is None else (stage.end - step) * self.n_critic
            yield from self.replicas.batches(data, stage.batch_size, self.seed, start, n)
            step = stage.end

    @property
    def checkpointed(self) -> dict:
        """Variables of the trainer's state, for `tf.train.Checkpoint`."""
        lists = {
            "generator": self.generator.weights,
            "discriminator": self.discriminator.weights,
            "g_optimizer": self.g_phase.optimizer.variables,
            "d_optimizer": self.d_phase.optimizer.variables,
        }
        state = {name: [v.value for v in variables] for name, variables in lists.items()}
        return state | {"ema": self.g_ema.averages, "step": self.g_ema.step}

    def train_step(self, batches: Iterator, step: int) -> dict:
        """Take one step.

        Args:
          batches: Iterator over batches; `n_critic` are taken.
          step: Number of the step, from 0; decides which lazy regularizers apply.

        Returns:
          dict of scalar tensors.
        """
        # All before the first update, and before other machines begin: an unreadable file leaves
        # the state as it is.
        batches = [next(batches) for _ in range(self.n_critic)]
        with self.replicas.step_scope(self):
            level = self.plan.begin(step, (self.d_phase, self.g_phase))
            updates = []
            for i, batch in enumerate(batches):
                update = step * self.n_critic + i
                program = self._critic_step if i < self.n_critic - 1 else self._train_step
                seed = tf.constant([self.seed, 8 * update], tf.int32)
                updates.append(program(batch, seed, self.active_regularizers(update, level), level))
        return combined(updates)

    def active_regularizers(self, update: int, level: int = 0) -> tuple[int, ...]:
        """Indices of the regularizers that apply in an update of the discriminator at a level."""
        return tuple(
            i
            for i, r in enumerate(self.gan.regularizers)
            if update % r.interval == 0 and level >= r.first_level
        )

    def fit(
        self,
        data: AudioDataset,
        run_dir: str | pathlib.Path,
        steps: int | None = None,
        minutes: float | None = None,
        seed: int = 0,
        resume: bool = False,
        **options,
    ) -> int:
        """Build, then train into a run folder.

        Args:
          data: Recordings.
          run_dir: New or empty folder, or with `resume` that of the run. It gets no config, so only
            this object can use its checkpoints (`noisygan.train` writes one).
          steps, minutes: Budgets of the whole run; None: no bound.
          seed: Of a new run; a resumed one keeps its own.
          resume: Whether to continue from the newest good checkpoint.
          **options: callbacks, early_stop, snapshot_minutes, progress, log_every and
            checkpoint_every, as of `noisygan.train` and `noisygan.training.loop.fit`.

        Returns:
          Steps taken by the run.

        Raises:
          UsageError: for a new run with networks that were trained, or a folder that is in use.

        Example:
          >>> trainer.fit(data, "runs/mine", steps=500, callbacks=[my_callback])
          500
        """
        if self.g_ema is not None and self.step > 0 and not resume:
            raise UsageError(
                f"this Trainer has taken {self.step} steps already; make a new one for a new run, "
                "or continue with resume=True"
            )
        run_dir = pathlib.Path(run_dir)
        if resume:
            run_files.check_resumable(run_dir)
            seed = run_files.read_metadata(run_dir)["seed"]
        elif self.replicas.is_chief:
            run_files.check_new(run_dir)
        self.build(data, self.replicas.broadcast_from_chief(seed))
        if not resume and self.replicas.is_chief:
            run_files.create(run_dir, "", data, seed, n_replicas=self.replicas.n_replicas)
        return loop.fit(self, data, run_dir, steps, minutes, resume, **options)

    def describe(self, data: AudioDataset) -> str:
        """Take one step to check that everything fits; returns tables of the networks' layers.

        Example:
          >>> print(trainer.describe(data))
        """
        self.build(data)
        self.plan.set_level(None)
        batch = next(iter(data.batches(self.batch_size, self.seed)))
        z = self.generator.prior(self.batch_size, 0)
        encoded = self.gan.condition_encoder(batch)
        tables = [
            layer_table("Generator", self.generator, lambda: self.generator(z, batch)),
            layer_table(
                "Discriminator",
                self.discriminator,
                lambda: self.discriminator(batch["audio"], encoded),
            ),
        ]
        metrics = self.train_step(self.batches(data, 0), 0)
        values = ", ".join(f"{name} {float(value):.4g}" for name, value in metrics.items())
        return "\n\n".join([*tables, f"One step of each network: {values}"])

    @property
    def is_float16(self) -> bool:
        """True if a network needs its losses scaled."""
        return "float16" in (self.precision, self.generator_precision)

    @property
    def step(self) -> int:
        """Steps taken."""
        return int(self.g_ema.step.numpy())

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """Return a context in which the generator has its averaged (EMA) weights.

        Example:
          >>> with trainer.averaged():
          ...     audio = trainer.generator(z, conditioning).audio
        """
        variables = [v.value for v in self.generator.weights]
        kept = [v.numpy() for v in variables]
        try:
            for variable, value in zip(variables, self.g_ema.averages, strict=True):
                variable.assign(value)
            yield
        finally:
            for variable, value in zip(variables, kept, strict=True):
                variable.assign(value)


def _names_with_sample_rate(trainer):
    """Sorted names of the classes of a trainer's parts that have a sample_rate."""
    names, seen, parts = set(), set(), [trainer]
    while parts:
        part = parts.pop()
        if isinstance(part, (list, tuple)):
            parts += part
        elif type(part).__module__.partition(".")[0] in _OWN_PACKAGES and id(part) not in seen:
            seen.add(id(part))
            parts += vars(part).values()
            names |= {type(part).__name__} if "sample_rate" in vars(part) else set()
    return sorted(names)

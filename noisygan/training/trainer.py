"""What is trained, against what, by which losses: the top-level object of every run config."""

import contextlib
import time

import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.files import folder_lock
from noisygan.progress import Silent
from noisygan.training import loop
from noisygan.training.accumulation import accumulated, check_accumulation
from noisygan.training.batch_statistics import BatchStatistics
from noisygan.training.build import build_generator, seed_initializers
from noisygan.training.checkpoints import told_where_unwritable
from noisygan.training.describe import layer_table
from noisygan.training.growth import Plan, check_discriminator
from noisygan.training.optimizers import Adam, Phase
from noisygan.training.precision import set_precision
from noisygan.training.replicas import OneDevice
from noisygan.training.runs import RunFolder
from noisygan.training.step import EMA, GANLosses, critic_step, train_step
from noisygan.training.step_metrics import combined


class Trainer:
    """Two networks, their losses and their optimizers.

    A step is `n_critic` updates of the discriminator, each with a batch of its own, and one of the
    generator. Build it with the recordings' facts (`build`) before anything else.

    Args:
      generator: By the generator contract.
      discriminator: By the discriminator contract.
      adversarial: A pair of `noisygan.losses.adversarial`.
      regularizers: Of `noisygan.losses.regularizers`; each holds its weight and interval.
      matching: Of `noisygan.losses.matching`: losses of the generator beside the adversarial one.
      condition_encoder: `ConditionEncoder` of the discriminator or None; the generator has its own.
      g_optimizer, d_optimizer: Settings of `noisygan.training.optimizers`.
      batch_size: Recordings, and generated sounds, a batch.
      n_critic: Discriminator updates for each generator update.
      ema_decay: Of the generator's averaged weights, a step; early steps use less, so that the
        average forgets the untrained network. Weights that are not trained are copied.
      growth: A `Growth`, for two networks that grow, or None.
      augmentation: Of `noisygan.training.augmentation`: what is done to recordings and generated
        sounds alike before the discriminator, or None.
      pretraining: What is done once with a new run's networks before the first step: called with
        (trainer, notes, seed, log).
      quality: A `Quality`: when sounds are measured on the way; None: as by default.
      precision: What the discriminator's layers compute in, of `noisygan.training.precision`.
      accumulate: Into how many parts a batch is divided that does not fit into memory at once
        (`noisygan.training.accumulation`).
      jit_compile: Whether XLA compiles a step into one program, without our kernels for processors;
        on one device. `benchmarks/training_step.py` measures whether it pays.
    """

    def __init__(
        self,
        generator,
        discriminator,
        adversarial,
        regularizers=(),
        matching=(),
        condition_encoder=None,
        g_optimizer=None,
        d_optimizer=None,
        batch_size=16,
        n_critic=1,
        ema_decay=0.995,
        growth=None,
        pretraining=(),
        augmentation=None,
        quality=None,
        precision="float32",
        accumulate=1,
        jit_compile=False,
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
            matching,
            condition_encoder,
            augmentation,
        )
        self.plan = Plan(generator, discriminator, growth, batch_size)
        if growth is not None:
            growth.validate((self.g_optimizer, self.d_optimizer), augmentation)
        self.pretraining = list(pretraining)
        self.quality = quality
        set_precision(discriminator, precision, self.plan.grows)
        self.precision = precision
        check_accumulation(self, accumulate)
        self.accumulate = accumulate
        self.jit_compile = jit_compile
        self.seed = 0
        self.g_ema = None
        self.replicas = OneDevice()

    def build(self, notes, seed=0):
        """Makes every variable.

        Args:
          notes: An `AudioDataset`.
          seed: Of the run: initial weights, codes, noise, order of the recordings.

        Raises:
          UsageError: if the recordings lack what the config is conditioned on, or differ from it
            in rate or length.
        """
        with self.replicas.scope():
            self._build(notes, seed)

    def _build(self, notes, seed):
        self.seed = seed
        tf.keras.utils.set_random_seed(seed)
        self.check(notes)
        chosen = range(0, len(notes), -(-len(notes) // 256))
        self.discriminator.adapt(tf.stack([notes.audio(i) for i in chosen]))
        seed_initializers([self.generator, self.discriminator], seed)
        batch = next(iter(notes.batches(self.batch_size, seed)))
        self.plan.set_level(None)
        build_generator(self.generator, len(notes.label_names))
        if self.condition_encoder is not None:
            self.condition_encoder.n_labels = len(notes.label_names)
        self.discriminator(batch["audio"], self.gan.condition_encoder(batch))
        self.d_phase = self._phase("d", self.discriminator, self.d_optimizer)
        self.g_phase = self._phase("g", self.generator, self.g_optimizer)
        self.g_ema = EMA(self.generator, self.ema_decay)
        self.plan.set_level(0)
        self.replicas.sync_batch_norm([self.generator, self.discriminator])
        self._compile_steps()

    def _phase(self, name, network, settings):
        variables = network.trainable_variables
        optimizer = settings.build(variables, loss_scale=self.precision == "float16")
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

    def check(self, notes):
        """Raises UsageError unless the recordings fit the config: rate, length, conditions."""
        generator = self.generator
        if self.batch_size < generator.min_batch_size:
            raise UsageError(
                f"Trainer.batch_size: got {self.batch_size}, expected {generator.min_batch_size} "
                f"or more: {type(generator).__name__} normalises each batch by its own statistics"
            )
        predicts = any(match.compares == "prediction" for match in self.gan.matching)
        if predicts and not generator.predicts:
            raise UsageError(
                f"Trainer.matching: {type(generator).__name__} does not predict the next sample, "
                "which Prediction compares; expected SampleGAN, or other losses"
            )
        if notes.sample_rate != generator.sample_rate:
            raise UsageError(
                f"The recordings are read at {notes.sample_rate} Hz and the generator makes "
                f"{generator.sample_rate} Hz; give both the config's sample_rate."
            )
        wanted = round(generator.seconds * generator.sample_rate)
        if notes.n_samples != wanted:
            raise UsageError(
                f"The recordings are read with {notes.n_samples} samples and the generator makes "
                f"{wanted}; set Recordings.n_samples to {wanted}."
            )
        self.replicas.check_settings(self)
        sizes = self.plan.batch_sizes
        check_discriminator(
            self.discriminator, self.plan.lengths, [self.batch_size, *sizes], self.condition_encoder
        )
        self.replicas.check([self.batch_size], self.discriminator)
        self.replicas.check(sizes, self.discriminator, "Growth.batch_sizes")
        names = set(generator.condition_names)
        names |= set(self.condition_encoder.names) if self.condition_encoder is not None else set()
        if "label" in names and not notes.has_label:
            raise UsageError(
                f"The config is conditioned on the label, which is not known of every file in "
                f"{notes.folder}: put the files of each class into a folder of its own "
                "(kick/..., snare/...), or use a config without label."
            )
        for name in ("pitch", "velocity"):
            if name in names and not getattr(notes, f"has_{name}"):
                raise UsageError(
                    f"The config is conditioned on {name}, which is not known of every file in "
                    f"{notes.folder}: name files like name-060-100.wav (pitch 60, velocity 100), "
                    f"or use a config without {name} such as ablations/without_pitch.gin."
                )

    def batches(self, notes, step):
        """Iterator over the batches from a step on, `n_critic` of them a step."""
        while step is not None:
            stage = self.plan.stage(step)
            start = (step - stage.first_step) * self.n_critic
            n = None if stage.end is None else (stage.end - step) * self.n_critic
            yield from self.replicas.batches(notes, stage.batch_size, self.seed, start, n)
            step = stage.end

    @property
    def checkpointed(self):
        """Everything that a run's state consists of, for `tf.train.Checkpoint`."""
        lists = {
            "generator": self.generator.weights,
            "discriminator": self.discriminator.weights,
            "g_optimizer": self.g_phase.optimizer.variables,
            "d_optimizer": self.d_phase.optimizer.variables,
        }
        state = {name: [v.value for v in variables] for name, variables in lists.items()}
        return state | {"ema": self.g_ema.averages, "step": self.g_ema.step}

    def train_step(self, batches, step):
        """One step: `n_critic` updates of the discriminator and one of the generator.

        Args:
          batches: Iterator over batches; `n_critic` are taken.
          step: The step's number, from 0; decides which lazy regularizers apply.

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
                updates.append(program(batch, seed, self.active_regularizers(update), level))
        return combined(updates)

    def active_regularizers(self, update):
        """Indices of the regularizers that apply in an update of the discriminator."""
        return tuple(i for i, r in enumerate(self.gan.regularizers) if update % r.interval == 0)

    def fit(
        self, notes, run_dir, steps=None, minutes=None, seed=0, resume=False, progress=None, **kept
    ):
        """Builds, then trains into a run folder; see `noisygan.training.loop.fit`.

        Args:
          notes: An `AudioDataset`.
          run_dir: A `RunFolder`, or the path of one that is there.
          steps, minutes: Budgets of the whole run; None: no bound.
          seed: Of a new run; a resumed one keeps its own.
          resume: Whether to go on from the newest checkpoint.
          progress: Has update(...) and message(text); None: silent.
          **kept: Further arguments of the loop.

        Returns:
          The number of steps that the run has taken.

        Raises:
          UsageError: for a new run with networks that have learnt.
        """
        if self.g_ema is not None and self.step > 0 and not resume:
            raise UsageError(
                f"this Trainer has learnt for {self.step} steps already; make a new one for a "
                "new run, or go on with resume=True"
            )
        run = run_dir if isinstance(run_dir, RunFolder) else RunFolder.open(run_dir)
        if resume:
            run.check_whole("resume=True")
        self.build(notes, self.replicas.broadcast_from_chief(run.facts["seed"] if resume else seed))
        progress = progress or Silent()
        writes = self.replicas.is_chief
        with (
            told_where_unwritable(run.checkpoints),
            folder_lock(run.path, "choose another folder") if writes else contextlib.nullcontext(),
        ):
            # A run that was killed before its first checkpoint begins again.
            resume = resume and self.replicas.is_chief
            resume = run.latest_checkpoint(run.teller(progress)) if resume else None
            if self.replicas.broadcast_from_chief(resume is None):
                began = time.monotonic()
                for prepare in self.pretraining:
                    prepare(self, notes, self.seed, progress.message)
                kept["seconds_before"] = time.monotonic() - began
                self.g_ema.reset()
            arguments = (self, notes, run, steps, minutes, resume, progress)
            return self.replicas.fit(self, notes, run, lambda: loop.fit(*arguments, **kept))

    def describe(self, notes):
        """Checks that everything fits together: one batch, one step of each phase.

        Args:
          notes: An `AudioDataset`.

        Returns:
          Each network's layers, output shapes and numbers of parameters, as text.
        """
        self.build(notes)
        self.plan.set_level(None)
        batch = next(iter(notes.batches(self.batch_size, self.seed)))
        z = self.generator.prior(self.batch_size, 0)
        parts = [
            layer_table("Generator", self.generator, lambda: self.generator(z, batch)),
            layer_table(
                "Discriminator",
                self.discriminator,
                lambda: self.discriminator(batch["audio"], self.gan.condition_encoder(batch)),
            ),
        ]
        metrics = self.train_step(self.batches(notes, 0), 0)
        values = ", ".join(f"{name} {float(value):.4g}" for name, value in metrics.items())
        return "\n\n".join([*parts, f"One step of each phase: {values}"])

    @property
    def step(self):
        """Steps taken, int."""
        return int(self.g_ema.step)

    @contextlib.contextmanager
    def averaged(self):
        """A context in which the generator has its averaged weights."""
        variables = [v.value for v in self.generator.weights]
        kept = [v.numpy() for v in variables]
        try:
            for variable, value in zip(variables, self.g_ema.averages, strict=True):
                variable.assign(value)
            yield
        finally:
            for variable, value in zip(variables, kept, strict=True):
                variable.assign(value)

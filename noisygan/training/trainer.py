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
from noisygan.training.growth import check_judge, downsample_to_level, n_levels
from noisygan.training.optimizers import Adam, forget
from noisygan.training.precision import check_precision, set_precision, with_loss_scale
from noisygan.training.replicas import OneDevice
from noisygan.training.runs import RunFolder
from noisygan.training.step import GANLosses, Phase, over_rounds, update
from synths.sharing import shared_spectra


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
      balance: Of `noisygan.training.balance`: what is done where the discriminator wins, or None.
      quality: A `Quality`: when sounds are measured on the way; None: as by default.
      precision: What the discriminator's layers compute in, of `noisygan.training.precision`.
      accumulate: Into how many parts a batch is divided that does not fit into memory at once
        (`noisygan.training.accumulation`).
      jit_compile: Whether XLA compiles a step into one program, without our kernels for processors;
        on one device. `noisygan bench train` says whether it pays.
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
        balance=None,
        quality=None,
        precision="float32",
        accumulate=1,
        jit_compile=False,
    ):
        whole = (("batch_size", batch_size), ("n_critic", n_critic), ("accumulate", accumulate))
        for name, value in whole:
            if not isinstance(value, int) or value < 1:
                raise UsageError(f"Trainer.{name}: got {value}, expected a whole number from 1.")
        if not 0.0 <= ema_decay < 1.0:
            raise UsageError(f"Trainer.ema_decay: got {ema_decay}, expected 0 up to 1.")
        self.generator = generator
        self.discriminator = discriminator
        self.condition_encoder = condition_encoder
        self.g_optimizer = g_optimizer or Adam()
        self.d_optimizer = d_optimizer or Adam()
        self.batch_size = batch_size
        self.n_critic = n_critic
        self.ema_decay = ema_decay
        self.adversaries = GANLosses(
            generator,
            discriminator,
            condition_encoder,
            adversarial,
            regularizers,
            matching,
            augmentation=augmentation,
            balance=balance,
            **({} if growth is None else {"seen": self._seen}),
        )
        self.plan = None
        if growth is not None:
            self.plan = growth.plan(n_levels(generator, discriminator), batch_size)
            growth.validate((self.g_optimizer, self.d_optimizer), augmentation)
        self.pretraining = list(pretraining)
        self.quality = quality
        check_precision(precision, growth)
        set_precision(discriminator, precision)
        self.precision = precision
        check_accumulation(self, accumulate, growth)
        self.accumulate = accumulate
        if jit_compile not in (False, True) or (jit_compile and accumulate > 1):
            raise UsageError(
                f"Trainer.jit_compile: got {jit_compile} with Trainer.accumulate = {accumulate}, "
                "expected False, or True with 1"
            )
        self.jit_compile = jit_compile
        self.seed = 0
        self.ema = None
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
        sample = tf.stack([notes.audio(i) for i in chosen])
        self.discriminator.adapt(sample)
        seed_initializers([self.generator, self.discriminator], seed)
        batch = next(iter(notes.batches(self.batch_size, seed)))
        self.grow(None)
        build_generator(self.generator, len(notes.label_names))
        features = None
        if self.condition_encoder is not None:
            self.condition_encoder.n_labels = len(notes.label_names)
            features = self.condition_encoder(batch)
        self.discriminator(batch["audio"], features)
        g_variables = self.generator.trainable_variables
        d_variables = self.discriminator.trainable_variables
        self.d_phase = self._phase("d", d_variables, self.d_optimizer)
        self.g_phase = self._phase("g", g_variables, self.g_optimizer)
        self.adversaries.balance.build()
        self.ema = [tf.Variable(v.value, trainable=False) for v in self.generator.weights]
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.grow(0)
        self.replicas.sync_batch_norm([self.generator, self.discriminator])
        self._run_critic = self.replicas.compiled(self._critic_round, self.jit_compile)
        self._run_step = self.replicas.compiled(self._last_round, self.jit_compile)
        if self.accumulate > 1:
            self._run_critic, self._run_step = accumulated(self, self.accumulate)

    def _phase(self, name, variables, settings):
        optimizer = with_loss_scale(settings.build(variables), variables, self.precision)
        return Phase(name, variables, optimizer)

    def check(self, notes):
        """Raises UsageError unless the recordings fit the config: rate, length, conditions."""
        generator = self.generator
        least = getattr(generator, "min_batch_size", 1)
        if self.batch_size < least:
            raise UsageError(
                f"Trainer.batch_size: got {self.batch_size}, expected {least} or more: "
                f"{type(generator).__name__} normalises each batch by its own statistics."
            )
        if self.adversaries.predicts and not hasattr(generator, "predict"):
            raise UsageError(
                f"Trainer.matching: Prediction asks what comes next in a recording, which "
                f"{type(generator).__name__} doesn't say; expected SampleGAN, or other losses"
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
        lengths = [wanted]
        if self.plan is not None:
            lengths = [generator.length_of(level) for level in range(generator.n_levels)]
        self.replicas.check_settings(self)
        sizes = self.plan.batch_sizes if self.plan else ()
        check_judge(self.discriminator, lengths, [self.batch_size, *sizes], self.condition_encoder)
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

    def grow(self, step):
        """Brings networks that grow to where they stand in a step; None: to the highest level."""
        if self.plan is None:
            return
        stage = None if step is None else self.plan.stage(step)
        # A discriminator's level follows from the length of what it judges.
        self.generator.level = self.generator.n_levels - 1 if stage is None else stage.level
        for network in (self.generator, self.discriminator):
            network.alpha.assign(1.0 if stage is None else stage.alpha)

    def batches(self, notes, step):
        """Iterator over the batches from a step on, `n_critic` of them a step."""
        of = self.replicas.batches
        if self.plan is None:
            yield from of(notes, self.batch_size, self.seed, step * self.n_critic)
        while True:
            stage = self.plan.stage(step)
            start = (step - stage.first_step) * self.n_critic
            n = None if stage.end is None else (stage.end - step) * self.n_critic
            yield from of(notes, stage.batch_size, self.seed, start, n)
            step = stage.end

    def _begin(self, step):
        """Brings networks and optimizers to a step's stage."""
        if self.plan is None:
            return 0
        self.grow(step)
        stage = self.plan.stage(step)
        for phase in (self.d_phase, self.g_phase):
            if step == stage.first_step:
                forget(phase.optimizer)
            if stage.learning_rate is not None:
                phase.optimizer.learning_rate.assign(stage.learning_rate)
        return stage.level

    def _seen(self, audio):
        """Recordings as the present level sees them."""
        generator = self.generator
        level = generator.level
        lower = generator.length_of(level - 1) if level else None
        return downsample_to_level(audio, generator.length_of(level), lower, generator.alpha)

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
        return state | self.adversaries.balance.state | {"ema": self.ema, "step": self.step}

    def train_step(self, batches, step):
        """One step.

        Args:
          batches: Iterator over batches; `n_critic` are taken.
          step: The step's number, from 0; decides which lazy regularizers apply.

        Returns:
          dict of scalar tensors.
        """
        # All of a step's, before the first changes anything, and before other machines begin: a
        # file that breaks spoils no step.
        batches = iter([next(batches) for _ in range(self.n_critic)])
        with self.replicas.step_scope(self):
            return self._take_step(batches, step)

    def _take_step(self, batches, step):
        # A plain number: each level is another program.
        level = self._begin(step)
        last = (step + 1) * self.n_critic - 1
        rounds = [
            self._run_critic(next(batches), self._seed(round_), self._active(round_), level)
            for round_ in range(step * self.n_critic, last)
        ]
        metrics = self._run_step(next(batches), self._seed(last), self._active(last), level)
        metrics |= over_rounds([*rounds, metrics]) if rounds else {}
        return metrics | self.adversaries.balance.observe(metrics)

    def _seed(self, round_):
        """A stateless seed for a round of the run."""
        return tf.constant([self.seed, 8 * round_], tf.int32)

    def _active(self, round_):
        regularizers = self.adversaries.regularizers
        return tuple(i for i, r in enumerate(regularizers) if round_ % r.interval == 0)

    def _critic_round(self, batch, seed, active, level):
        """An update of the discriminator alone."""
        moving = BatchStatistics([self.generator, self.discriminator])
        sounds = self.adversaries.sounds(batch, seed)
        metrics = self.adversaries.d_update(self.d_phase, sounds, seed + 2, active)
        moving.restore_unless(metrics["d_finite"])
        return metrics

    def _last_round(self, batch, seed, active, level):
        """An update of the discriminator, then one of the generator by the same sounds."""
        moving = BatchStatistics([self.generator, self.discriminator])
        d_metrics = {}

        def learn(sounds):
            d_metrics.update(self.adversaries.d_update(self.d_phase, sounds, seed + 2, active))

        loss, gradients, g_metrics = self.g_gradients(
            lambda: self.adversaries.sounds(batch, seed), learn
        )
        g_metrics |= update(self.g_phase, loss, gradients)
        moving.restore_unless(d_metrics["d_finite"] * g_metrics["g_finite"])
        self._average(g_metrics["g_finite"])
        return d_metrics | g_metrics

    def g_gradients(self, sounds_of, before_loss=lambda sounds: None):
        """The generator's (loss, gradients of the scaled loss, dict of scalars).

        Args:
          sounds_of: Makes the `RealFakeBatch`.
          before_loss: Called with them before they are judged; nothing in it is differentiated.
        """
        values = [v.value for v in self.g_phase.variables]
        with shared_spectra(), tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            sounds = sounds_of()
            with tape.stop_recording():
                before_loss(sounds)
            loss, metrics = self.adversaries.g_loss(sounds)
            scaled = self.g_phase.optimizer.scale_loss(loss)
        return loss, tape.gradient(scaled, values), metrics

    def _average(self, updated):
        """Moves the averaged weights on if `updated`, 1 or 0; counts the step."""
        step = tf.cast(self.step, tf.float32)
        decay = tf.minimum(self.ema_decay, (1.0 + step) / (10.0 + step))
        for average, variable in zip(self.ema, self.generator.weights, strict=True):
            if variable.trainable:
                average.assign_sub(updated * (1.0 - decay) * (average - variable.value))
            else:
                average.assign(variable.value)
        self.step.assign_add(1)

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
        if self.ema is not None and self.n_steps > 0 and not resume:
            raise UsageError(
                f"this Trainer has learnt for {self.n_steps} steps already; make a new one for a "
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
                for average, variable in zip(self.ema, self.generator.weights, strict=True):
                    average.assign(variable.value)
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
        self.grow(None)
        batch = next(iter(notes.batches(self.batch_size, self.seed)))
        features = self.condition_encoder(batch) if self.condition_encoder is not None else None
        z = self.generator.prior(self.batch_size, 0)
        parts = [
            layer_table("Generator", self.generator, lambda: self.generator(z, batch)),
            layer_table(
                "Discriminator",
                self.discriminator,
                lambda: self.discriminator(batch["audio"], features),
            ),
        ]
        metrics = self.train_step(self.batches(notes, 0), 0)
        values = ", ".join(f"{name} {float(value):.4g}" for name, value in metrics.items())
        return "\n\n".join([*parts, f"One step of each phase: {values}"])

    @property
    def n_steps(self):
        """How many steps have been taken."""
        return int(self.step.numpy())

    @contextlib.contextmanager
    def averaged(self):
        """A context in which the generator has its averaged weights."""
        variables = [v.value for v in self.generator.weights]
        kept = [v.numpy() for v in variables]
        try:
            for variable, value in zip(variables, self.ema, strict=True):
                variable.assign(value)
            yield
        finally:
            for variable, value in zip(variables, kept, strict=True):
                variable.assign(value)

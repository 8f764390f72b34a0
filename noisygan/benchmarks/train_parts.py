"""Where the time of a training step goes: its parts as compiled functions of their own."""

import tensorflow as tf

from noisygan.training.step import update_discriminator

SEED = (0, 0)


def parts(trainer, batch):
    """A built trainer's step, taken apart.

    Each part is computed forward and, where the step does so, backward, on tensors that are there
    already; what a step shares between parts is counted with the first of them.

    Args:
      trainer: A built `Trainer`. Its discriminator is updated by calls of the parts.
      batch: One of its batches.

    Returns:
      {name: function without arguments}; each returns when all is computed:
      generator: its network, forward and backward (of a hybrid, up to the controls);
      synth: from controls to sound, forward and backward; absent without controls;
      front end: what the discriminator judges, of recordings and of generated sounds, and back to
        the latter;
      discriminator: its loss without regularizers, backward, and its update;
      judging: the generator's adversarial loss, back to the maps;
      matching: the generator's other losses, back to the sound; absent without any.
    """
    gan = trainer.gan
    generator, represent = trainer.generator, gan.discriminator.front_end
    seed = tf.constant(SEED, tf.int32)
    sounds = tf.function(lambda: gan.generate(batch, seed)._replace(encoded=None))()
    features = trainer.condition_encoder(batch) if trainer.condition_encoder is not None else None
    sounds = sounds._replace(encoded=features)
    z = generator.prior(sounds.real.shape[0], seed)
    weights = [v.value for v in generator.trainable_variables]
    found = {}
    if hasattr(generator, "get_controls"):
        controls = tf.function(lambda: generator.get_controls(z, batch))()
        n_frames = next(iter(controls.values())).shape[1]
        n_samples = round(n_frames * generator.sample_rate / generator.frame_rate)
        seeds = tf.range(z.shape[0])
        found["generator"] = _backward(lambda *_: generator.get_controls(z, batch), weights)
        found["synth"] = _backward(
            lambda *given: generator.get_signal(
                dict(zip(controls, given, strict=True)), n_samples, generator.sample_rate, seeds
            ),
            list(controls.values()),
        )
    else:
        found["generator"] = _backward(
            lambda *_: generator(z, batch, seed=seed[:1], training=True).audio, weights
        )
    to_maps = _backward(represent, [sounds.fake])
    of_real = tf.function(lambda: represent(sounds.real))

    def front_end():
        _done(of_real())
        to_maps()

    found["front end"] = front_end
    update = tf.function(lambda: update_discriminator(gan, trainer.d_phase, sounds, seed, ()))
    found["discriminator"] = lambda: _done(update())

    def adversarial(*fake_features):
        real = judge_of(sounds.real_features)
        fake = judge_of(list(fake_features))
        pairs = zip(real.logits, fake.logits, strict=True)
        return tf.add_n([gan.adversarial.g_loss(r, f) for r, f in pairs])

    def judge_of(maps):
        return gan.score(maps, features)

    found["judging"] = _backward(adversarial, sounds.fake_features)
    on_audio = [m for m in gan.matching if m.compares == "audio"]
    if on_audio:
        found["matching"] = _backward(
            lambda fake: tf.add_n([m.weight * m(sounds.real, fake) for m in on_audio]),
            [sounds.fake],
        )
    return found


def _backward(function, tensors):
    """Computes a function of tensors, and the gradient of its outputs' sum."""

    @tf.function
    def compute():
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(tensors)
            outputs = tf.nest.flatten(function(*tensors))
        upstream = [tf.ones_like(each) for each in outputs]
        gradients = tape.gradient(outputs, tensors, upstream)
        return outputs, [g for g in gradients if g is not None]

    return lambda: _done(compute())


def _done(tensors):
    """Waits until tensors are there."""
    for each in tf.nest.flatten(tensors):
        each.numpy()

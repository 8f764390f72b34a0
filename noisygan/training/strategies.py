"""From the word on the command line to what a training is divided among."""

import os

import tensorflow as tf

from noisygan.errors import RunError, UsageError
from noisygan.training.cluster import EXAMPLE
from noisygan.training.machines import Machines
from noisygan.training.replicas import OneDevice, Replicas


def connect(name, cluster=None):
    """What a training is divided among. To be called before TensorFlow makes anything.

    Args:
      name: Of `noisygan.training.cluster.STRATEGIES`; "auto" takes the cluster's machines, several
        GPUs, or one device, whichever is there first.
      cluster: `Cluster` or None.

    Returns:
      OneDevice or Replicas.

    Raises:
      UsageError: if what is asked for is not there.
    """
    several = cluster is not None and cluster.n_machines > 1
    if name == "multi_worker" or (name == "auto" and several):
        if not several:
            raise UsageError(
                "--strategy multi_worker: the environment variable TF_CONFIG names no second "
                f"worker; expected in each worker's own shell something like TF_CONFIG='{EXAMPLE}'"
            )
        return Machines(_multi_worker(cluster), cluster)
    if several:
        raise UsageError(
            f"--strategy {name}: TF_CONFIG names {cluster.n_machines} machines; expected "
            "--strategy multi_worker, or no TF_CONFIG"
        )
    if name == "tpu":
        return Replicas(_tpu())
    gpus = tf.config.list_logical_devices("GPU") if name == "mirrored" or _n_gpus() > 1 else []
    if name == "mirrored" and len(gpus) < 2:
        cpus = tf.config.list_logical_devices("CPU")
        if gpus or len(cpus) < 2:
            raise UsageError(
                f"--strategy mirrored: found {len(gpus) or 'no'} GPU, expected two or more; leave "
                "--strategy out to train on one device"
            )
        gpus = cpus
    return Replicas(tf.distribute.MirroredStrategy([d.name for d in gpus])) if gpus else OneDevice()


def _n_gpus():
    return len(tf.config.list_physical_devices("GPU"))


def _multi_worker(cluster):
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (tf.errors.OpError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise RunError(
            f"{cluster.name} of {cluster.n_machines}: the workers of TF_CONFIG did not come "
            f"together ({reason}); check that each address is that of a machine which runs this "
            "command, with its port free"
        ) from error


def _tpu():
    name = os.environ.get("TPU_NAME", "local")
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=name)
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    except (tf.errors.OpError, RuntimeError, ValueError, OSError) as error:
        raise UsageError(
            f"--strategy tpu: no TPU is reached as {name!r}; run on a TPU machine with a "
            "TensorFlow that is built for it (TPU_NAME names another), or leave --strategy out"
        ) from error

"""Conversion of arguments as ddsp converts them."""

import functools
import inspect

import keras
import numpy as np
import tensorflow as tf


def is_tensor(x):
    """True for a tensor, variable or symbolic tensor, rather than a number, list or array."""
    return tf.is_tensor(x) or hasattr(x, "dtype") and not isinstance(x, (np.ndarray, np.generic))


def to_float32(x):
    """Cast a float array or tensor, also within a dict, to a float32 tensor; else return x."""
    if isinstance(x, dict):
        return {key: to_float32(value) for key, value in x.items()}
    if isinstance(x, keras.KerasTensor):
        return x
    if is_tensor(x) or isinstance(x, (np.ndarray, np.generic)):
        return tf.cast(x, tf.float32) if tf.as_dtype(x.dtype).is_floating else x
    return x


def in_float32(function):
    """Decorate a function to cast its arguments by `to_float32`."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        return function(*map(to_float32, args), **to_float32(kwargs))

    # For gin, which does not follow `__wrapped__`.
    call.__signature__ = inspect.signature(function)
    return call


def as_given(function):
    """Decorate arithmetic to return a float for numbers and an array for arrays."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        given = (*args, *kwargs.values())
        if any(map(is_tensor, given)):
            return function(*args, **kwargs)
        single = any(getattr(x, "dtype", None) == np.float32 for x in given)
        dtype = np.float32 if single else np.float64
        with tf.init_scope():
            args = [np.asarray(x, dtype) for x in args]
            kwargs = {name: np.asarray(x, dtype) for name, x in kwargs.items()}
            result = function(*args, **kwargs).numpy()
        return result if any(hasattr(x, "dtype") or np.ndim(x) for x in given) else result.item()

    call.__signature__ = inspect.signature(function)
    return call


def with_axes(x, rank):
    """Prepend axes of 1 to the float32 tensor of x up to a rank, as broadcasting does."""
    x = tf.cast(tf.convert_to_tensor(x), tf.float32)
    while x.shape.rank < rank:
        x = x[tf.newaxis]
    return x


def with_channel(x):
    """Add an axis to [batch, n]; other ranks are returned unchanged."""
    x = tf.convert_to_tensor(x)
    return x[:, :, tf.newaxis] if x.shape.rank == 2 else x

"""Keras serialization of layers by their constructor arguments."""

import inspect

import keras

PACKAGE = "synths"


def registered(thing):
    """Decorator that registers a class or function with Keras under its name."""
    return keras.saving.register_keras_serializable(PACKAGE)(thing)


class SavedByArguments:
    """Mixin of layers, first of their bases: `get_config` returns the constructor arguments.

    Arguments may be anything that Keras can serialize. The scaling functions of `synths` are
    registered with Keras; others need `keras.saving.register_keras_serializable`.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # Only the first of a name: gin creates subclasses with equal names and modules.
        is_ours = cls.__module__.split(".")[0] == PACKAGE
        if is_ours and not keras.saving.get_registered_object(f"{PACKAGE}>{cls.__name__}"):
            registered(cls)

    def __new__(cls, *args, **kwargs):
        layer = super().__new__(cls, *args, **kwargs)
        try:
            bound = inspect.signature(cls.__init__).bind(layer, *args, **kwargs)
        except TypeError:
            # Wrong arguments, which __init__ reports; or none, when a layer is copied.
            return layer
        bound.apply_defaults()
        arguments = dict(list(bound.arguments.items())[1:])
        for name, parameter in bound.signature.parameters.items():
            if parameter.kind == parameter.VAR_KEYWORD:
                arguments |= arguments.pop(name)
        # Bypasses Keras, which would track layers among the arguments.
        object.__setattr__(layer, "_arguments", arguments)
        return layer

    def get_config(self):
        """Serialized constructor arguments."""
        given = self._arguments | {"name": self.name}
        return {name: keras.saving.serialize_keras_object(value) for name, value in given.items()}

    @classmethod
    def from_config(cls, config):
        """Create a layer from the output of `get_config`."""
        return cls(
            **{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()}
        )

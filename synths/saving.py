"""Layers that Keras saves, and makes anew, by the arguments that they were made with."""

import inspect

import keras

PACKAGE = "synths"


def registered(thing):
    """A class or function that Keras finds by name when it loads a model; usable as a decorator."""
    return keras.saving.register_keras_serializable(PACKAGE)(thing)


class SavedByArguments:
    """For layers, first of their bases: `get_config` returns the arguments of the constructor.

    Arguments may be whatever Keras can save: numbers, texts, arrays, layers, lists of them. The
    functions that scale in `synths` are registered with Keras; others want
    `keras.saving.register_keras_serializable`.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # The first of a name: gin makes subclasses of the same name and module.
        is_ours = cls.__module__.split(".")[0] == PACKAGE
        if is_ours and not keras.saving.get_registered_object(f"{PACKAGE}>{cls.__name__}"):
            registered(cls)

    def __new__(cls, *args, **kwargs):
        layer = super().__new__(cls, *args, **kwargs)
        try:
            bound = inspect.signature(cls.__init__).bind(layer, *args, **kwargs)
        except TypeError:
            # Wrong arguments, which __init__ will name; or none, as when a layer is copied.
            return layer
        bound.apply_defaults()
        arguments = dict(list(bound.arguments.items())[1:])
        for name, parameter in bound.signature.parameters.items():
            if parameter.kind == parameter.VAR_KEYWORD:
                arguments |= arguments.pop(name)
        # Past Keras, which would take layers among them for parts of this one.
        object.__setattr__(layer, "_arguments", arguments)
        return layer

    def get_config(self):
        """The constructor's arguments, as Keras saves them."""
        given = self._arguments | {"name": self.name}
        return {name: keras.saving.serialize_keras_object(value) for name, value in given.items()}

    @classmethod
    def from_config(cls, config):
        """A layer of what `get_config` returned."""
        return cls(
            **{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()}
        )

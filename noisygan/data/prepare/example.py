"""`tf.train.Example` messages and the frames of TFRecord files, without importing TensorFlow.

A worker process of `noisygan prepare` starts in tenths of a second this way, with a tenth of the
memory. What is written here TensorFlow reads, and the other way round.

References:
  tensorflow/core/example/{example,feature}.proto; TensorFlow's guide "TFRecord and tf.Example".
"""

import itertools
import struct

import google_crc32c
import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")

# Bytes of a record before its payload (length and its checksum), and around it.
HEADER_BYTES = _HEADER.size
FRAME_BYTES = _HEADER.size + _FOOTER.size


# A record of ours holds one sound: ten minutes of 32 bits at 48 kHz have less, in two rates.
MAX_BYTES = 256 << 20
# Of a list of numbers, which take eight times as much in memory as in a file.
_MAX_LIST_BYTES = 16 << 20
_MAX_FEATURES = 10_000


class FrameError(ValueError):
    """A file of TFRecords that is cut off or damaged; the message says how."""


def _example_class():
    """The message class of tf.train.Example, in a pool of its own beside TensorFlow's."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="noisygan_example.proto", package="tensorflow", syntax="proto3"
    )

    def message(name):
        return file.message_type.add(name=name)

    def field(owner, name, number, kind, repeated=False, of=None, packed=None):
        made = owner.field.add(name=name, number=number, type=kind)
        made.label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
        if of is not None:
            made.type_name = f".tensorflow.{of}"
        if packed is not None:
            made.options.packed = packed
        return made

    field(message("BytesList"), "value", 1, kinds.TYPE_BYTES, repeated=True)
    field(message("FloatList"), "value", 1, kinds.TYPE_FLOAT, repeated=True, packed=True)
    field(message("Int64List"), "value", 1, kinds.TYPE_INT64, repeated=True, packed=True)
    feature = message("Feature")
    feature.oneof_decl.add(name="kind")
    for number, kind in enumerate(("bytes", "float", "int64"), 1):
        of = f"{kind.title()}List"
        field(feature, f"{kind}_list", number, kinds.TYPE_MESSAGE, of=of).oneof_index = 0
    features = message("Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    field(entry, "key", 1, kinds.TYPE_STRING)
    field(entry, "value", 2, kinds.TYPE_MESSAGE, of="Feature")
    field(features, "feature", 1, kinds.TYPE_MESSAGE, True, "Features.FeatureEntry")
    field(message("Example"), "features", 1, kinds.TYPE_MESSAGE, of="Features")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))


_Example = _example_class()


def encode(features):
    """Serializes features; equal features give equal bytes.

    Args:
      features: dict of name -> bytes, or a list of int, or an array of floats.

    Returns:
      bytes of a tf.train.Example.
    """
    example = _Example()
    for name, value in features.items():
        feature = example.features.feature[name]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        elif isinstance(value, list):
            feature.int64_list.value.extend(value)
        else:
            feature.float_list.value.extend(np.asarray(value, np.float32).tolist())
    return example.SerializeToString(deterministic=True)


def decode(payload):
    """Reads features.

    Args:
      payload: bytes of a tf.train.Example.

    Returns:
      dict of name -> bytes, or a list of int, or float32 [n].

    Raises:
      FrameError: if the bytes are no such message.
    """
    try:
        _check_sizes(payload)
        example = _Example.FromString(payload)
    except FrameError:
        raise
    except Exception as error:  # DecodeError, or others for text that is not UTF-8
        raise FrameError("is no tf.train.Example") from error
    features = {}
    for name, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        if kind == "bytes_list":
            features[name] = b"".join(feature.bytes_list.value)
        elif kind == "int64_list":
            features[name] = list(feature.int64_list.value)
        else:
            features[name] = np.array(feature.float_list.value, np.float32)
    return features


def _check_sizes(payload):
    """Refuses a message that takes many times its size in memory, before it is parsed.

    Raises:
      FrameError: if it is one.
      IndexError, ValueError: if it is no message.
    """
    payload = memoryview(payload)
    n_features = 0
    for _, features in _fields(payload):
        for _, entry in _fields(features):
            n_features += 1
            if n_features > _MAX_FEATURES:
                raise FrameError(f"has more than {_MAX_FEATURES} features")
            for number, feature in _fields(entry):
                is_long = number == 2 and len(feature) > _MAX_LIST_BYTES
                if is_long and not _is_one_blob(feature):
                    raise FrameError(
                        f"has a list of {len(feature) >> 20} MB, at most "
                        f"{_MAX_LIST_BYTES >> 20} expected"
                    )


def _is_one_blob(feature):
    """Whether a long feature holds one value of bytes."""
    lists = list(itertools.islice(_fields(feature), 2))
    if len(lists) != 1 or lists[0][0] != 1:
        return False
    return len(list(itertools.islice(_fields(lists[0][1]), 2))) == 1


def _fields(data):
    """(number, bytes) of each field of a message that holds nothing but fields with a length."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 != 2:
            raise ValueError("a field of another kind")
        length, at = _varint(data, at)
        if at + length > len(data):
            raise ValueError("cut off")
        yield tag >> 3, data[at : at + length]
        at += length


def _varint(data, at):
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number of more than 64 bits")


def write_frame(file, payload):
    """Appends one record to an open file.

    Args:
      file: A file opened for writing bytes.
      payload: bytes.
    """
    length = len(payload).to_bytes(8, "little")
    file.write(length + _FOOTER.pack(_masked_crc(length)))
    file.write(payload)
    file.write(_FOOTER.pack(_masked_crc(payload)))


def read_frame(file):
    """The next record of an open file.

    Args:
      file: A file opened for reading bytes.

    Returns:
      bytes of the payload, or None at the end of the file.

    Raises:
      FrameError: if the file ends within the record, or a checksum is wrong.
    """
    header = file.read(_HEADER.size)
    if not header:
        return None
    if len(header) < _HEADER.size:
        raise FrameError(f"ends after {len(header)} of the {_HEADER.size} bytes that begin it")
    length, crc = _HEADER.unpack(header)
    if _masked_crc(header[:8]) != crc:
        raise FrameError("has a wrong checksum of its length")
    if length > MAX_BYTES:
        raise FrameError(f"has {length} bytes, at most {MAX_BYTES} expected")
    payload = file.read(length)
    footer = file.read(_FOOTER.size)
    if len(footer) < _FOOTER.size:
        raise FrameError(f"ends after {len(payload)} of its {length} bytes")
    if _masked_crc(payload) != _FOOTER.unpack(footer)[0]:
        raise FrameError("has a wrong checksum of its bytes")
    return payload


def _masked_crc(data):
    """CRC-32C, turned so that checksums of data that hold checksums stay good ones."""
    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF

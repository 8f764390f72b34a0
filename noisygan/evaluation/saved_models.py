"""What a SavedModel may do: compute. Its graph is read before TensorFlow loads and runs it.

A SavedModel is a program: loading one runs the initializers that it names, and TensorFlow has
operations that write files. Here every function that loading or calling can reach is looked
through first.

References:
  TensorFlow's SECURITY.md, "TensorFlow models are programs".
"""

import re

from noisygan.errors import UsageError

MAX_BYTES = 512 << 20

# Operations that keep something between calls, but only within the process.
_STATEFUL = frozenset(
    (
        *("Assert", "AssignAddVariableOp", "AssignSubVariableOp", "AssignVariableOp"),
        *("DestroyResourceOp", "DisableCopyOnRead", "HashTableV2", "If", "LookupTableFindV2"),
        *("LookupTableImportV2", "LookupTableSizeV2", "MutableHashTableV2", "PartitionedCall"),
        *("Placeholder", "ReadVariableOp", "StatefulPartitionedCall", "VarHandleOp"),
        *("VarIsInitializedOp", "VariableShape", "While", "Case", "TensorListReserve"),
        *("RandomStandardNormal", "RandomUniform", "RandomUniformInt", "TruncatedNormal"),
        *("StatefulStandardNormalV2", "StatefulUniform", "RngReadAndSkip", "XlaLaunch"),
    )
)

# What reads, writes, sends or calls Python, whether or not it counts as stateful.
_OUTSIDE = re.compile(
    "File|Dataset|Iterator|Reader|Restore|Save|Checkpoint|Py.?Func|Remote|Rpc|Send|Recv|Summary|"
    "Print|Debug|Dump|Barrier|Queue|Stage|Session|Bigtable|Gcs|Vocab|Custom"
)


def check_saved_model(folder):
    """Refuses a SavedModel that may do more than compute. Nothing of it is loaded.

    Args:
      folder: pathlib.Path of a SavedModel, with its saved_model.pb.

    Raises:
      UsageError: names the operation and the function that it is in.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    path = folder / "saved_model.pb"
    if path.stat().st_size > MAX_BYTES:
        raise UsageError(f"{path} has more than {MAX_BYTES >> 20} MB; expected a smaller network")
    model = saved_model_pb2.SavedModel()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError:
        raise UsageError(f"{path} is no SavedModel, or damaged") from None
    for graph in model.meta_graphs:
        if not graph.object_graph_def.nodes:
            raise UsageError(
                f"{folder} was written by TensorFlow 1, whose models run code when they are "
                "loaded; expected one of TensorFlow 2: convert it, for example to ONNX"
            )
        _check_functions(graph, folder)


def _check_functions(graph, folder):
    """Looks through all functions that the graph's objects lead to."""
    library = {function.signature.name: function for function in graph.graph_def.library.function}
    waiting = [*graph.object_graph_def.concrete_functions]
    for node in graph.object_graph_def.nodes:
        waiting += node.function.concrete_functions
        waiting.append(node.bare_concrete_function.concrete_function_name)
    seen = set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in library:
            continue
        seen.add(name)
        for node in library[name].node_def:
            _check_operation(node.op, name, library, folder)
            waiting.append(node.op)
            for value in node.attr.values():
                waiting += [value.func.name, *(each.name for each in value.list.func)]


def _check_operation(operation, function, library, folder):
    from tensorflow.python.framework import op_def_registry

    if operation in library:
        return
    known = op_def_registry.get(operation)
    is_allowed = known is not None and (not known.is_stateful or operation in _STATEFUL)
    if not is_allowed or _OUTSIDE.search(operation):
        raise UsageError(
            f"{folder} holds the operation {operation} (in {function}), which may do more than "
            "compute; expected a network alone: convert it, for example to ONNX"
        )

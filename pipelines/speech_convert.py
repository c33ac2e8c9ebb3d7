"""Kokoro's one ONNX file in two, and with less to compute: a reader of phonemes, and the voice that says them.

The reader tells for each frame (a fortieth of a second) what is sounded, how high and how loud. Between the two, the
frames that will be silent can be left out, which are half a second of every piece. It is a twentieth of the work.

What else changes is arithmetic: factors of a channel are multiplied before they meet its samples, and a bias that a
normalisation takes away again is not added. No weight changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

READER, VOICE = "reader.onnx", "voice.onnx"
FRAMES = {"sounds": (1, 512, "frames"), "pitch": (1, "half frames"), "loudness": (1, "half frames")}
NAMES = {  # what these are called in the file
    "/encoder/MatMul_1_output_0": "sounds",
    "/encoder/Reshape_output_0": "pitch",
    "/encoder/Reshape_1_output_0": "loudness",
}


@dataclass(frozen=True)
class ReaderAndVoice:
    """Joins the members, in this order, into one file, and takes that apart."""

    members: tuple[str, ...]

    def __call__(self, source: Path, target: Path) -> None:
        import onnx
        from onnx.utils import Extractor

        model = onnx.load_model_from_string(b"".join((source / member).read_bytes() for member in self.members))
        _rename(model.graph, NAMES)
        for name, shape in FRAMES.items():
            model.graph.value_info.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
        parts = Extractor(model)
        for name, inputs, outputs in (
            (READER, ["tokens", "style", "speed"], [*FRAMES]),
            (VOICE, [*FRAMES, "style"], ["audio"]),
        ):
            part = parts.extract_model(inputs, outputs)
            simplify(part)
            onnx.checker.check_model(part)
            onnx.save(part, target / name)


def simplify(model: ModelProto) -> None:
    """Leave out what changes nothing but takes time."""
    graph = model.graph
    for change in (_without_lost_biases, _gains_first, _squares):
        change(graph)
    _leave_out_unused(graph)


def _rename(graph: GraphProto, names: dict[str, str]) -> None:
    for node in graph.node:
        for values in (node.input, node.output):
            for place, name in enumerate(values):
                values[place] = names.get(name, name)


class _Links:
    """Which node makes each value, and which use it."""

    def __init__(self, graph: GraphProto) -> None:
        self.maker: dict[str, NodeProto] = {output: node for node in graph.node for output in node.output}
        self.users: dict[str, list[NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self.users.setdefault(name, []).append(node)

    def made_by(self, name: str, *operators: str) -> NodeProto | None:
        """The node that makes this value, if it is one of these."""
        node = self.maker.get(name)
        return node if node is not None and node.op_type in operators else None


def _without_lost_biases(graph: GraphProto) -> None:
    """A convolution's bias is the same along a channel: where the channel's mean is taken away, so is the bias."""
    links = _Links(graph)
    for added in [node for node in graph.node if node.op_type == "Add"]:
        if links.made_by(added.input[0], "ConvInteger") is None:
            continue
        (cast,) = links.users[added.output[0]]
        (scaled,) = links.users[cast.output[0]]
        uses = links.users[scaled.output[0]]
        if sorted(node.op_type for node in uses) == ["ReduceMean", "Sub"]:
            cast.input[0] = added.input[0]


def _gains_first(graph: GraphProto) -> None:
    """(x / deviation) * gain as x * (gain / deviation): x has as many values as there are samples, the others few."""
    from onnx import helper

    links = _Links(graph)
    for place, node in reversed(list(enumerate(graph.node))):
        if node.op_type != "Mul":
            continue
        for divided, gain in (tuple(node.input), tuple(reversed(node.input))):
            division = links.made_by(divided, "Div")
            if division is None or links.made_by(division.input[1], "Sqrt") is None:
                continue
            factor = f"{node.output[0]}_factor"
            ratio = helper.make_node("Div", [gain, division.input[1]], [factor], name=factor)
            node.input[0], node.input[1] = division.input[0], factor
            graph.node.insert(place, ratio)
            break


def _squares(graph: GraphProto) -> None:
    """x ** 2 as x * x."""
    from onnx import numpy_helper

    twos = {value.name for value in graph.initializer if numpy_helper.to_array(value).tolist() in (2, [2])}
    for node in graph.node:
        if node.op_type == "Pow" and node.input[1] in twos:
            node.op_type = "Mul"
            node.input[1] = node.input[0]


def _leave_out_unused(graph: GraphProto) -> None:
    """Nodes and weights that nothing depends on any more."""
    needed = {value.name for value in graph.output}
    kept: list[NodeProto] = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    weights = [value for value in graph.initializer if value.name in needed]
    for values, those in ((graph.node, kept[::-1]), (graph.initializer, weights)):
        del values[:]
        values.extend(those)
    del graph.value_info[:]

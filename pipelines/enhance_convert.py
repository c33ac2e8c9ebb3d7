"""DeepFilterNet's three ONNX files, changed so that sound can go through them in blocks.

As they come they are made for a whole recording at a time: each recurrent layer begins at zero and each convolution
puts zeros before the first frame. Here the layers get their state as an input and give the next one as an output, and
the zeros are left away: whoever calls brings the frames before the block (see enhance_network.py). No weight changes.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto

ARCHIVE = "DeepFilterNet3_onnx.tar.gz"
NAMES = ("enc", "erb_dec", "df_dec")
WIDTH = 256  # of every recurrent layer


@dataclass(frozen=True)
class InBlocks:
    """Takes the three networks out of the archive and changes them."""

    archive: str = ARCHIVE

    def __call__(self, source: Path, target: Path) -> None:
        import onnx

        with tarfile.open(source / self.archive) as archive:
            for name in NAMES:
                member = archive.extractfile(f"tmp/export/{name}.onnx")
                if member is None:
                    raise ValueError(f"{self.archive} lacks {name}.onnx")
                model = onnx.load_model_from_string(member.read())
                _carry_states(model.graph)
                _leave_out_padding(model.graph)
                onnx.checker.check_model(model)
                onnx.save(model, target / f"{name}.onnx")


def _carry_states(graph: GraphProto) -> None:
    """Each recurrent layer's first state becomes the input state_N, its last the output next_N."""
    from onnx import TensorProto, helper

    for number, node in enumerate(node for node in graph.node if node.op_type == "GRU"):
        node.input[5], node.output[1] = f"state_{number}", f"next_{number}"
        for values, name in ((graph.input, f"state_{number}"), (graph.output, f"next_{number}")):
            values.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, WIDTH]))


def _leave_out_padding(graph: GraphProto) -> None:
    """What was padded (inputs, with frames before the first) goes on as it is, and has more frames than the others."""
    padded = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Pad"}
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = padded.get(name, name)
    for value in graph.input:
        if value.name in padded.values():
            value.type.tensor_type.shape.dim[2].dim_param = f"{value.name}_frames"
    del graph.value_info[:]

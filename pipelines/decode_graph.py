"""A language model of the Llama family as one ONNX graph with 8-bit weights, for decoding at the speed of memory.

A token of a small model costs what reading its weights costs, if nothing else gets in the way. So the weights are
stored in 8 bits, in blocks of 64 with a scale (and, but for the output layer, an offset) each, queries, keys and
values are one product, so are gate and up, and all of a step is one call into ONNX Runtime: no Python between layers.
Weights of 4 bits with a minimum per block of 32 (GGUF's Q4_1) come out almost as they were: the sixteen levels of two
blocks lie on or near the 256 of one. Blocks of 32 would have them a little nearer, but a scale and a sum are read with
each block. ONNX Runtime's own 4-bit kernel is not used: with offsets it is wrong on CPUs without AVX-512 for a single
row (its issue 29853).

Inputs and outputs, for B rows of S tokens each, caches of L tokens and P wanted positions:

    ids        (B, S) int64   tokens, each row going on where its cache ends
    ends       (B,) int32     tokens of each row with these, less one
    longest    () int32       the most tokens of any row with these
    positions  (P,) int64     of which tokens the logits are wanted; -1 is the last
    key_N, value_N            (B, kv_heads, L, head_dim) float32; written in place: bound as new_key_N and new_value_N
    logits     (B, P, vocabulary) float32
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import ModelProto

    Floats = NDArray[np.float32]
    Bytes = NDArray[np.uint8]

BLOCK = 64  # weights that share a scale, and in a product as many activations
IR = 10  # of the file; what ONNX Runtime reads, not the newest that onnx writes
OPSET = 21
NAME = "decoder.onnx"
PREFIXES = 360 * 2**20  # bytes of what was read of earlier prompts, for all chats: one that fills SmolLM2's context


@dataclass(frozen=True)
class Shape:
    """What the graph needs to know of a model: sizes, not weights."""

    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    context: int
    rope_base: float
    epsilon: float
    accuracy: int = 4  # 4: products in 8 bits, activations too, each block of a row with a scale; 1: in float32
    block: int = BLOCK

    @classmethod
    def of(cls, config: Any, accuracy: int = 4, block: int = BLOCK) -> Shape:
        """From a LlamaConfig. Raises ValueError for what the graph has no place for."""
        rope = config.rope_parameters
        if config.model_type != "llama" or rope["rope_type"] != "default" or config.attention_bias or config.mlp_bias:
            raise ValueError(f"a {config.model_type} with {rope} and its biases is more than this graph can do")
        if config.head_dim % 16:  # ONNX Runtime's own limit
            raise ValueError(f"heads of {config.head_dim} numbers are no multiple of 16")
        if config.hidden_act != "silu" or config.hidden_size % block or config.intermediate_size % block:
            raise ValueError(f"{config.hidden_act}, or sizes that are no multiple of {block}, are not in this graph")
        return cls(
            layers=config.num_hidden_layers,
            heads=config.num_attention_heads,
            kv_heads=config.num_key_value_heads,
            head_dim=config.head_dim,
            context=config.max_position_embeddings,
            rope_base=rope["rope_theta"],
            epsilon=config.rms_norm_eps,
            accuracy=accuracy,
            block=block,
        )


@dataclass(frozen=True)
class Blocks:
    """A matrix of (n, k) in 8 bits: codes (n, k / block, block), scales and zero points (n, k / block).

    A weight is (code - zero) * scale.
    """

    codes: Bytes
    scales: Floats
    zeros: Bytes

    def floats(self) -> Floats:
        """The weights that these stand for, shape (n, k)."""
        import numpy as np

        centred = self.codes.astype(np.float32) - self.zeros[..., None]
        whole: Floats = (centred * self.scales[..., None]).reshape(len(self.codes), -1)
        return whole


def quantised(weight: Floats, symmetric: bool = False, block: int = BLOCK) -> Blocks:
    """Round to 8 bits. Offsets suit 4-bit weights with a minimum, symmetric blocks those of GGUF's Q8_0."""
    import numpy as np

    blocks = weight.astype(np.float32).reshape(len(weight), -1, block)
    if symmetric:
        scales = np.abs(blocks).max(axis=2) / 127
        zeros = np.full(scales.shape, 128.0, np.float32)
    else:
        low, high = np.minimum(blocks.min(axis=2), 0), np.maximum(blocks.max(axis=2), 0)
        scales = (high - low) / 255
        zeros = np.rint(-low / np.where(scales == 0, 1, scales))
    scales = np.where(scales == 0, 1, scales).astype(np.float32)
    codes = np.clip(np.rint(blocks / scales[..., None]) + zeros[..., None], 0, 255)
    return Blocks(codes.astype(np.uint8), scales, zeros.astype(np.uint8))


def read_bytes(weights: int) -> int:
    """Bytes that are read to use so many weights once: a code each, and a scale and a zero for each block."""
    return weights + weights // BLOCK * (4 + 1)


def write(shape: Shape, weight: Callable[[str], Floats], target: Path) -> None:
    """Write the graph. `weight` gives a tensor by its name in transformers' LlamaForCausalLM."""
    import onnx

    onnx.save(_Builder(shape, weight).build(), target)


class _Builder:
    """Puts nodes one after another; each method returns the name of what it computes."""

    def __init__(self, shape: Shape, weight: Callable[[str], Floats]) -> None:
        self._shape = shape
        self._weight = weight
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def build(self) -> ModelProto:
        from onnx import TensorProto, helper

        shape = self._shape
        self._rotation()
        head = quantised(self._weight("lm_head.weight"), True, shape.block)
        stream = self._embedded(quantised(self._weight("model.embed_tokens.weight"), True, shape.block))
        change = None  # what the last part adds to the stream: added where the next one normalises
        for layer in range(shape.layers):
            stream, change = self._layer(f"model.layers.{layer}.", layer, stream, change)
        _, normed = self._normed("model.norm.weight", stream, change)
        wanted = self._node("Gather", [normed, "positions"], axis=1)
        self._product_of(wanted, head, "logits")
        kv: list[str | int | None] = ["rows", shape.kv_heads, "cache", shape.head_dim]
        caches = [f"{what}_{layer}" for layer in range(shape.layers) for what in ("key", "value")]
        inputs = [
            helper.make_tensor_value_info("ids", TensorProto.INT64, ["rows", "tokens"]),
            helper.make_tensor_value_info("ends", TensorProto.INT32, ["rows"]),
            helper.make_tensor_value_info("longest", TensorProto.INT32, []),
            helper.make_tensor_value_info("positions", TensorProto.INT64, ["wanted"]),
            *(helper.make_tensor_value_info(name, TensorProto.FLOAT, kv) for name in caches),
        ]
        outputs = [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", "wanted", len(head.codes)]),
            *(helper.make_tensor_value_info(f"new_{name}", TensorProto.FLOAT, kv) for name in caches),
        ]
        graph = helper.make_graph(self._nodes, "decoder", inputs, outputs, self._constants)
        versions = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=versions, ir_version=IR)

    def _embedded(self, table: Blocks) -> str:
        """The rows of the table that the tokens name, shape (B, S, width)."""
        import numpy as np
        from onnx import TensorProto

        codes, scales = self._constant("table", table.codes), self._constant("scales", table.scales[..., None])
        stream = self._node("Cast", [self._node("Gather", [codes, "ids"])], to=TensorProto.FLOAT)
        stream = self._node("Sub", [stream, self._constant("zero", np.float32(128))])
        stream = self._node("Mul", [stream, self._node("Gather", [scales, "ids"])])
        return self._node("Reshape", [stream, self._constant("joined", np.array([0, 0, -1]))])

    def _layer(self, prefix: str, layer: int, stream: str, change: str | None) -> tuple[str, str]:
        """Attention, then the feed-forward part. Returns the stream and what is still to be added to it."""
        import numpy as np

        attention, feed = f"{prefix}self_attn.", f"{prefix}mlp."
        stream, normed = self._normed(f"{prefix}input_layernorm.weight", stream, change)
        qkv = np.concatenate([self._weight(f"{attention}{name}_proj.weight") for name in "qkv"])
        mixed = self._attention(layer, self._product(normed, qkv))
        change = self._product(mixed, self._weight(f"{attention}o_proj.weight"))
        stream, normed = self._normed(f"{prefix}post_attention_layernorm.weight", stream, change)
        both = np.concatenate([self._weight(f"{feed}{name}_proj.weight") for name in ("gate", "up")])
        gate, up = self._two(self._node("Split", [self._product(normed, both)], outputs=2, axis=-1, num_outputs=2))
        gate = self._node("QuickGelu", [gate], domain="com.microsoft", alpha=1.0)  # with 1 it is SiLU
        product = self._node("Mul", [gate, up])
        return stream, self._product(product, self._weight(f"{feed}down_proj.weight"))

    def _attention(self, layer: int, qkv: str) -> str:
        shape, caches = self._shape, [f"key_{layer}", f"value_{layer}"]
        inputs = [qkv, "", "", *caches, "ends", "longest", "cosines", "sines"]
        name = f"mixed_{layer}"
        self._append(
            "GroupQueryAttention",
            inputs,
            [name, *(f"new_{cache}" for cache in caches)],
            domain="com.microsoft",
            num_heads=shape.heads,
            kv_num_heads=shape.kv_heads,
            do_rotary=1,
        )
        return name

    def _rotation(self) -> None:
        """Cosines and sines of every position, shape (context, head_dim / 2)."""
        import numpy as np

        half = np.arange(0, self._shape.head_dim, 2, dtype=np.float32) / self._shape.head_dim
        angles = np.outer(np.arange(self._shape.context, dtype=np.float32), 1 / self._shape.rope_base**half)
        self._constant("cosines", np.cos(angles).astype(np.float32))
        self._constant("sines", np.sin(angles).astype(np.float32))

    def _normed(self, weight: str, stream: str, change: str | None) -> tuple[str, str]:
        """The stream with what was still to be added, and the same normalised."""
        scale = self._constant(weight, self._weight(weight))
        if change is None:
            name = self._node("SimplifiedLayerNormalization", [stream, scale], axis=-1, epsilon=self._shape.epsilon)
            return stream, name
        names = f"normed_{weight}", "", "", f"sum_{weight}"
        self._append(
            "SkipSimplifiedLayerNormalization",
            [stream, change, scale],
            list(names),
            domain="com.microsoft",
            epsilon=self._shape.epsilon,
        )
        return names[3], names[0]

    def _product(self, left: str, weight: Floats) -> str:
        name = f"product_{len(self._nodes)}"
        self._product_of(left, quantised(weight, block=self._shape.block), name)
        return name

    def _product_of(self, left: str, right: Blocks, name: str) -> None:
        n, blocks, block = right.codes.shape
        inputs = [
            left,
            self._constant(f"{name}_codes", right.codes),
            self._constant(f"{name}_scales", right.scales.reshape(-1)),
            self._constant(f"{name}_zeros", right.zeros.reshape(-1)),
        ]
        sizes = {"N": n, "K": blocks * block, "bits": 8, "block_size": block}
        self._append(
            "MatMulNBits", inputs, [name], domain="com.microsoft", accuracy_level=self._shape.accuracy, **sizes
        )

    def _constant(self, name: str, values: Any) -> str:
        from onnx import numpy_helper

        self._constants.append(numpy_helper.from_array(values, name))
        return name

    def _node(self, kind: str, inputs: list[str], outputs: int = 1, **options: Any) -> str:
        name = f"{kind.lower()}_{len(self._nodes)}"
        self._append(kind, inputs, [name] if outputs == 1 else [f"{name}_{n}" for n in range(outputs)], **options)
        return name

    def _two(self, name: str) -> tuple[str, str]:
        return f"{name}_0", f"{name}_1"

    def _append(self, kind: str, inputs: list[str], outputs: list[str], **options: Any) -> None:
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, outputs, **options))

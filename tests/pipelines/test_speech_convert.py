"""Kokoro's file in two halves: what is left out changes nothing that is heard, and joined they are the whole."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper, parser

from pipelines import speech_convert
from pipelines.speech_convert import FRAMES, NAMES, READER, VOICE, ReaderAndVoice

BLOCK = """
<ir_version: 9, opset_import: ["" : 20]>
block (float[1,2,t] x) => (float[1,2,t] y)
<float weight_scale = {0.02}, uint8 weight_zero = {120}, float[2] bias = {3.0, -5.0}, int64[3] shape = {1, 2, 1},
 int64[1] last = {2}, float epsilon = {0.00001}, float[1,2,1] gain = {1.5, 0.5}, float[1,2,1] shift = {0.2, -0.1},
 float two = {2.0}>
{
    small, scale, zero = DynamicQuantizeLinear(x)
    whole = ConvInteger<kernel_shape = [3], pads = [1, 1]>(small, weight, zero, weight_zero)
    both = Mul(scale, weight_scale)
    steps = Div(bias, both)
    floor = Floor(steps)
    counts = Cast<to = 6>(floor)
    column = Reshape(counts, shape)
    biased = Add(whole, column)
    real = Cast<to = 1>(biased)
    heard = Mul(real, both)
    mean = ReduceMean(heard, last)
    off = Sub(heard, mean)
    off2 = Mul(off, off)
    variance = ReduceMean(off2, last)
    more = Add(variance, epsilon)
    deviation = Sqrt(more)
    even = Div(off, deviation)
    gained = Mul(gain, even)
    shifted = Add(gained, shift)
    y = Pow(shifted, two)
}
"""
WHOLE = """
<ir_version: 9, opset_import: ["" : 20]>
whole (int64[1,n] tokens, float[1,4] style, float[1] speed) => (float[1,m] audio)
<int64[1] one = {1}, int64[3] size = {1, 512, 1}>
{
    said = Cast<to = 1>(tokens)
    slow = Div(said, speed)
    wide = Unsqueeze(slow, one)
    "/encoder/MatMul_1_output_0" = Expand(wide, size)
    "/encoder/Reshape_output_0" = Mul(slow, slow)
    "/encoder/Reshape_1_output_0" = Sub(slow, speed)
    high = Mul("/encoder/Reshape_output_0", "/encoder/Reshape_1_output_0")
    narrow = ReduceMean<keepdims = 0>("/encoder/MatMul_1_output_0", one)
    loud = Add(high, narrow)
    who = ReduceSum(style)
    audio = Mul(loud, who)
}
"""


def computed(model: onnx.ModelProto | Path, **inputs: Any) -> list[np.ndarray[Any, Any]]:
    source = model if isinstance(model, Path) else model.SerializeToString()
    session: Any = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
    outputs: list[np.ndarray[Any, Any]] = session.run(None, inputs)
    return outputs


@pytest.fixture
def block() -> onnx.ModelProto:
    model = parser.parse_model(BLOCK)
    weight = np.random.default_rng(0).integers(0, 255, (2, 2, 3)).astype(np.uint8)
    model.graph.initializer.append(numpy_helper.from_array(weight, "weight"))
    return model


def test_a_simpler_network_says_the_same(block: onnx.ModelProto) -> None:
    x = np.random.default_rng(1).normal(size=(1, 2, 50)).astype(np.float32)
    (before,) = computed(block, x=x)
    speech_convert.simplify(block)
    (after,) = computed(block, x=x)
    assert np.allclose(before, after, atol=1e-4) and before.std() > 0.1


def test_what_is_left_out_is_gone_with_all_that_was_for_it(block: onnx.ModelProto) -> None:
    speech_convert.simplify(block)
    kinds = Counter(node.op_type for node in block.graph.node)
    assert kinds["Floor"] == kinds["Reshape"] == kinds["Pow"] == 0
    assert kinds["Add"] == 2  # the epsilon and the shift
    assert "bias" not in {value.name for value in block.graph.initializer}


def test_a_bias_that_can_be_heard_stays(block: onnx.ModelProto) -> None:
    for node in block.graph.node:
        if node.output[0] == "shifted":
            node.input[1] = "heard"
    speech_convert.simplify(block)
    assert "bias" in {value.name for value in block.graph.initializer}


def test_the_halves_joined_are_the_whole(tmp_path: Path) -> None:
    text = WHOLE
    for name in NAMES:
        text = text.replace(f'"{name}"', NAMES[name])
    model = parser.parse_model(text)
    speech_convert._rename(model.graph, {here: there for there, here in NAMES.items()})
    data = model.SerializeToString()
    (tmp_path / "one").write_bytes(data[:100])
    (tmp_path / "two").write_bytes(data[100:])
    ReaderAndVoice(("one", "two"))(tmp_path, tmp_path)

    who = {"style": np.array([[1, 2, 3, 4]], np.float32)}
    given = {"tokens": np.array([[1, 2, 3]]), "speed": np.array([2], np.float32)} | who
    frames = computed(tmp_path / READER, **given)
    (joined,) = computed(tmp_path / VOICE, **dict(zip(FRAMES, frames, strict=True)), **who)
    (whole,) = computed(model, **given)
    assert np.allclose(joined, whole) and whole.any()

"""The lower half of Whisper tiny.en's encoder as ONNX: one pass, the statistics of every layer asked for.

Hears from: a CTranslate2 folder. Tells: ``prosody/models/encoder.onnx``, which `prosody.encoder` runs.

Whisper's weights are MIT. Format of ``model.bin`` 6: CTranslate2's ``ModelSpec._serialize``.
"""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from prosody.encoder import MAX_FRAMES
from prosody.errors import ModelMismatch

_VERSION = 6
_KINDS = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
HEADS = 6
Weights = dict[str, NDArray[np.float32]]


def read_weights(folder: Path) -> Weights:
    """Encoder weights of a CTranslate2 Whisper model, by name without ``encoder/``."""
    with (folder / "model.bin").open("rb") as file:
        if (version := _number(file, "I")) != _VERSION:
            raise ModelMismatch(f"{folder}/model.bin has format {version}, only {_VERSION} is read")
        _text(file)
        _number(file, "I")
        found: Weights = {}
        for _ in range(_number(file, "I")):
            name = _text(file)
            shape = tuple(_number(file, "I") for _ in range(_number(file, "B")))
            kind, size = _number(file, "B"), _number(file, "I")
            raw = file.read(size)
            if name.startswith("encoder/"):
                values = np.frombuffer(raw, _KINDS[kind]).reshape(shape)
                found[name.removeprefix("encoder/")] = values.astype(np.float32)
    return found


def _number(file: BinaryIO, code: str) -> int:
    (value,) = struct.unpack(f"<{code}", file.read(struct.calcsize(code)))
    return int(value)


def _text(file: BinaryIO) -> str:
    return file.read(_number(file, "H"))[:-1].decode()


class _Graph:
    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def weight(self, name: str) -> str:
        return self.constant(name, self.weights[name])

    def linear(self, x: str, name: str, output: str) -> str:
        matrix = self.constant(f"{name}/matrix", self.weights[f"{name}/weight"].T)
        product = self.node("MatMul", [x, matrix], f"{output}_product")
        return self.node("Add", [product, self.weight(f"{name}/bias")], output)

    def norm(self, x: str, name: str, output: str) -> str:
        for part in ("gamma", "beta"):
            if not any(c.name == f"{name}/{part}" for c in self.constants):
                self.weight(f"{name}/{part}")
        return self.node("LayerNormalization", [x, f"{name}/gamma", f"{name}/beta"], output, axis=-1, epsilon=1e-5)

    def gelu(self, x: str, output: str) -> str:
        scaled = self.node("Mul", [x, "root_half"], f"{output}_scaled")
        raised = self.node("Add", [self.node("Erf", [scaled], f"{output}_erf"), "one"], f"{output}_raised")
        return self.node("Mul", [self.node("Mul", [x, raised], f"{output}_product"), "half"], output)

    def attention(self, x: str, name: str, output: str) -> str:
        fused = self.linear(x, f"{name}/linear_0", f"{output}_qkv")
        self.nodes.append(self._split(fused, output))
        heads = []
        for part, order in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
            shaped = self.node("Reshape", [f"{output}_{part}", "by_head"], f"{output}_{part}_shaped")
            heads.append(self.node("Transpose", [shaped], f"{output}_{part}_heads", perm=order))
        scores = self.node("MatMul", heads[:2], f"{output}_scores")
        shares = self.node(
            "Softmax", [self.node("Mul", [scores, "scale"], f"{output}_scaled")], f"{output}_shares", axis=-1
        )
        mixed = self.node(
            "Transpose", [self.node("MatMul", [shares, heads[2]], f"{output}_mix")], f"{output}_back", perm=[0, 2, 1, 3]
        )
        joined = self.node("Reshape", [mixed, "joined"], f"{output}_joined")
        return self.linear(joined, f"{name}/linear_1", output)

    def _split(self, fused: str, output: str) -> Any:
        from onnx import helper

        return helper.make_node("Split", [fused, "thirds"], [f"{output}_{p}" for p in "qkv"], axis=-1)


def export_encoder(folder: Path, path: Path, layers: tuple[int, ...]) -> None:
    """Writes the graph ``mel [1, 80, 2 n] -> states [1, n, 384 * len(layers)]``, weights in 7 bits per column.

    Each layer's states pass Whisper's closing normalisation, as CTranslate2's last layer does.
    """
    import onnx
    from onnx import TensorProto, helper

    weights = read_weights(folder)
    width = weights["conv1/bias"].size
    g = _Graph(weights)
    for name, value in (("root_half", np.sqrt(0.5)), ("one", 1.0), ("half", 0.5), ("scale", (width // HEADS) ** -0.5)):
        g.constant(name, np.asarray(value, np.float32))
    g.constant("by_head", np.asarray([0, 0, HEADS, width // HEADS], np.int64))
    g.constant("joined", np.asarray([0, 0, width], np.int64))
    g.constant("thirds", np.asarray([width] * 3, np.int64))
    x = "mel"
    for k, stride in ((1, 1), (2, 2)):
        conv = g.node(
            "Conv",
            [x, g.weight(f"conv{k}/weight"), g.weight(f"conv{k}/bias")],
            f"conv{k}",
            pads=[1, 1],
            strides=[stride],
        )
        x = g.gelu(conv, f"heard{k}")
    x = g.node("Transpose", [x], "frames", perm=[0, 2, 1])
    places = g.constant("places", weights["position_encodings/encodings"][:MAX_FRAMES])
    shape = g.node("Shape", [x], "shape", start=1, end=2)
    start = g.constant("start", np.asarray([0], np.int64))
    here = g.node("Slice", [places, start, shape, start], "here")
    x = g.node("Add", [x, here], "placed")
    outputs = []
    for layer in range(max(layers)):
        name = f"layer_{layer}"
        attended = g.attention(
            g.norm(x, f"{name}/self_attention/layer_norm", f"{name}_n1"), f"{name}/self_attention", f"{name}_a"
        )
        x = g.node("Add", [x, attended], f"{name}_r1")
        inner = g.linear(g.norm(x, f"{name}/ffn/layer_norm", f"{name}_n2"), f"{name}/ffn/linear_0", f"{name}_f0")
        x = g.node("Add", [x, g.linear(g.gelu(inner, f"{name}_g"), f"{name}/ffn/linear_1", f"{name}_f1")], f"{name}_r2")
        if layer + 1 in layers:
            outputs.append(g.norm(x, "layer_norm", f"states_{layer + 1}"))
    g.node("Concat", outputs, "states", axis=-1)
    tensor = TensorProto.FLOAT
    graph = helper.make_graph(
        g.nodes,
        "whisper-tiny.en-lower-encoder",
        [helper.make_tensor_value_info("mel", tensor, [1, 80, "m"])],
        [helper.make_tensor_value_info("states", tensor, [1, "n", width * len(layers)])],
        g.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="warmline")
    model.ir_version = 9
    onnx.checker.check_model(model)
    _write_int8(model, path)


def _write_int8(model: Any, path: Path) -> None:
    """Matrices as 7-bit integers per column: with 8 bits, CPUs without VNNI overflow and hear something else."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        plain.write_bytes(model.SerializeToString())
        quantize_dynamic(
            plain, path, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True,
            op_types_to_quantize=["MatMul"],
        )  # fmt: skip

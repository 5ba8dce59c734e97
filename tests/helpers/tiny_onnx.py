"""A network of faces in ONNX with the inputs and outputs of glintr100.onnx, written byte by byte.

The numbers of the fields are those of onnx.proto. The network averages tiles of 16 x 16 pixels and
multiplies what it gets by a matrix, so what it computes can be worked out by hand.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FLOAT = 1
TILE = 16


def put_arcface(path: Path, width: int = 512, seed: int = 0) -> np.ndarray:
    """Write the network, and give its matrix (3 * 7 * 7, width) float32."""
    matrix = np.random.default_rng(seed).normal(size=(147, width)).astype(np.float32)
    sides = _ints("kernel_shape", [TILE, TILE]) + _ints("strides", [TILE, TILE])
    nodes = [
        _node("AveragePool", ["input.1"], "tiles", sides),
        _node("Flatten", ["tiles"], "flat"),
        _node("MatMul", ["flat", "matrix"], "1333"),
    ]
    tensor = b"".join(_number(1, size) for size in matrix.shape)
    tensor += _number(2, FLOAT) + _text(8, "matrix") + _bytes(9, matrix.tobytes())
    graph = b"".join(_bytes(1, node) for node in nodes)
    graph += _text(2, "face") + _bytes(5, tensor)
    graph += _bytes(11, _value("input.1", ["None", 3, 112, 112]))
    graph += _bytes(12, _value("1333", [1, width]))
    opset = _bytes(8, _text(1, "") + _number(2, 11))
    path.write_bytes(_number(1, 6) + _bytes(7, graph) + opset)
    return matrix


def _node(operator: str, inputs: list[str], output: str, attributes: bytes = b"") -> bytes:
    named = b"".join(_text(1, name) for name in inputs)
    return named + _text(2, output) + _text(4, operator) + attributes


def _ints(name: str, values: list[int]) -> bytes:
    attribute = _text(1, name) + b"".join(_number(8, value) for value in values) + _number(20, 7)
    return _bytes(5, attribute)


def _value(name: str, sides: list[int | str]) -> bytes:
    dims = b""
    for side in sides:
        dims += _bytes(1, _text(2, side) if isinstance(side, str) else _number(1, side))
    tensor = _number(1, FLOAT) + _bytes(2, dims)
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])

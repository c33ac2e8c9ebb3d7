"""Which files are weights that can only be read, and which can run code when they are loaded."""

from __future__ import annotations

from pathlib import PurePosixPath

SAFE = (".safetensors", ".gguf", ".onnx", ".sf2")
CAN_RUN_CODE = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".h5", ".keras", ".py")


def is_safe(name: str) -> bool:
    """A weight file that is nothing but numbers and names."""
    return PurePosixPath(name).suffix.lower() in SAFE


def can_run_code(name: str) -> bool:
    """A pickle, something that may hold one, or a program."""
    return PurePosixPath(name).suffix.lower() in CAN_RUN_CODE

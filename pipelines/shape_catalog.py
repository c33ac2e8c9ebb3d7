"""The 3D models there are, as data. Shap-E's parameters are those of its parts' published configurations."""

from __future__ import annotations

from pathlib import Path

from pipelines.device import Device
from pipelines.image_catalog import PATTERNS
from pipelines.shape_request import BUILT_IN, ShapeRequest
from pipelines.spec import ModelSpec, Pipeline
from pipelines.weights import MINILM, Bundled, Hub, Together

PARAMETERS = 28_000_000  # of the built-in model with MiniLM and the codec
LIBRARY = 1_500 * 17_000  # shapes of 16 KiB
RUN = 120 * 2**20
CLIP_L_TEXT, CLIP_L_PICTURE, PRIOR, RENDERER = 123_650_304, 303_179_776, 317_000_000, 226_302_409
GRID = 700 * 2**20  # what the network says of a grid's points, and the weights it is told


def shape_models(device: Device) -> list[ModelSpec[ShapeRequest]]:
    """The built-in 3D model, then those of the hub."""
    return [
        ModelSpec(
            id=BUILT_IN,
            title="Polymuse shapes",
            modality="shape",
            family="flow",
            request=ShapeRequest,
            weights=Together((("model", Bundled("shapes")), ("sentences", MINILM))),
            resident=4 * PARAMETERS + LIBRARY,
            working=RUN,
            licence="Apache-2.0",
            card="Built in, for any machine. Eighty kinds of simple things in many colours; trained by us.",
            load=load,
            limits={"steps": 60},
            sized_by=f"{PARAMETERS / 1e6:.0f} million parameters of 4 bytes, and the shapes that it goes by",
        ),
        _shap_e(
            device,
            id="shap-e",
            title="Shap-E",
            repo="openai/shap-e",
            parts=(CLIP_L_TEXT, PRIOR, RENDERER),
            card="For GPUs from 4 GiB. Anything that words can say, roughly and in colour.",
        ),
        _shap_e(
            device,
            id="shap-e-img2img",
            title="Shap-E from a picture",
            repo="openai/shap-e-img2img",
            parts=(CLIP_L_PICTURE, PRIOR, RENDERER),
            card="For GPUs from 4 GiB. The thing in a picture, best a single one on a plain ground.",
        ),
    ]


def _shap_e(
    device: Device, *, id: str, title: str, repo: str, parts: tuple[int, ...], card: str
) -> ModelSpec[ShapeRequest]:
    parameters = sum(parts)
    return ModelSpec(
        id=id,
        title=title,
        modality="shape",
        family="diffusion",
        request=ShapeRequest,
        weights=Hub(repo, patterns=PATTERNS, size=4 * parameters),
        resident=parameters * device.parameter_bytes,
        working=GRID,
        licence="MIT",
        card=card,
        load=load_hub,
        limits={"steps": 64, "picture": int(CLIP_L_PICTURE in parts)},
        sized_by=(
            f"{parameters / 1e9:.2f} billion parameters of {device.parameter_bytes} bytes; {GRID // 2**20} MiB for "
            "the network's answers on the grid"
        ),
    )


def load(device: Device, path: Path) -> Pipeline[ShapeRequest]:
    """The built-in model; it is small enough for a CPU everywhere."""
    from pipelines import shape

    return shape.load(path)


def load_hub(device: Device, path: Path) -> Pipeline[ShapeRequest]:
    from pipelines import shape_hub

    return shape_hub.load(device, path)

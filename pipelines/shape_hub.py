"""Things in the round from Shap-E (Jun and Nichol 2023), through diffusers' own pipelines: from words or a picture.

Its latents are the weights of a small network that says for every point in space how far the surface is and which
colour it has. Asked on a grid, that network gives what meshes are made of; asked on a coarse one, a preview.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines import pictures_in, schedulers
from pipelines.errors import BadRequest, BadWeights
from pipelines.events import Emit, Frames, Progress, Solid
from pipelines.shape_preview import views
from pipelines.shape_request import ShapeRequest
from pipelines.spec import Pipeline

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from pipelines.device import Device

TEXT, PICTURE = "ShapEPipeline", "ShapEImg2ImgPipeline"
STEPS = 64
GUIDANCE = {TEXT: 15.0, PICTURE: 3.0}  # as its makers have it
FINE, COARSE = 96, 32  # points along a side of the grid: for the result, for a preview
BATCH = 16_384  # points asked at a time
PREVIEWS = 8  # of a run
NEAR = 2.0  # voxels: closer to the surface, distances are the network's own


class ShapEShapes:
    """A loaded pipeline of diffusers. A run has a view of it with a scheduler of its own."""

    def __init__(self, pipe: Any, previews: bool = True) -> None:
        self._pipe = pipe
        self._takes = "image" if type(pipe).__name__ == PICTURE else "prompt"
        self._previews = previews

    def run(self, request: ShapeRequest, emit: Emit) -> Solid:
        """Make it. Emits Frames of some steps, Progress of the others. Raises BadRequest for what it cannot do."""
        import torch

        asked = self._asked(request)
        steps = request.steps or STEPS
        guidance = GUIDANCE[type(self._pipe).__name__] if request.guidance is None else request.guidance
        view = copy.copy(self._pipe)
        view.scheduler = type(view.scheduler).from_config(view.scheduler.config)
        done = 0

        def seen(clean: Tensor | None, noisy: Tensor) -> None:
            nonlocal done
            done += 1
            total = len(view.scheduler.timesteps)  # its solver looks at most of them twice
            if self._previews and done < total and done % max(1, total // PREVIEWS) == 0:
                solid = solid_of(view.shap_e_renderer, noisy if clean is None else clean, COARSE)
                emit(Frames(views(solid.distance.astype(np.float32), solid.colour), done, total))
            else:
                emit(Progress(done, total, "Shaping"))

        schedulers.watch(view.scheduler, seen)
        emit(Progress(label="Looking at the picture" if self._takes == "image" else "Reading the prompt"))
        made = view(
            **asked,
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=torch.Generator("cpu").manual_seed(request.seed),
            output_type="latent",
        ).images
        solid = solid_of(view.shap_e_renderer, made, FINE)
        return Solid(solid.distance, solid.colour, (), {"steps": steps, "guidance": guidance})

    def _asked(self, request: ShapeRequest) -> dict[str, Any]:
        if self._takes == "image":
            if request.image is None:
                raise BadRequest("This model makes things from a picture. Send one as “image”.")
            return {"image": pictures_in.read(request.image)}
        if request.image is not None:
            raise BadRequest("This model makes things from words alone. Take the picture away, or choose another.")
        if not request.prompt.strip():
            raise BadRequest("Say in “prompt” what to make, such as “a shark”.")
        return {"prompt": request.prompt.strip()}


def solid_of(renderer: Any, latents: Tensor, side: int) -> Solid:
    """What the network in these latents says on a grid; the network itself is left as it was.

    It computes in float32: it looks at places in waves of up to 2^14 to a unit, of which 16 bits know nothing.
    """
    import torch
    from diffusers.pipelines.shap_e.renderer import volume_query_points

    with torch.no_grad():
        network = copy.deepcopy(renderer.mlp).float()
        told = renderer.params_proj(latents[:1].to(renderer.dtype))
        for name, value in network.state_dict().items():
            if f"nerstf.{name}" in told:
                value.copy_(told[f"nerstf.{name}"].squeeze(0))
        grid: Tensor = volume_query_points(renderer.volume, side)  # type: ignore[no-untyped-call]
        places = grid[None].to(network.device, network.dtype)
        inside, colour = [], []
        for some in torch.split(places, BATCH, 1):
            said = network(position=some, direction=None, ts=None, nerf_level="fine", rendering_mode="stf")
            inside.append(said.signed_distance.float())
            colour.append(said.channels.float())
    depth = torch.cat(inside, 1).reshape(side, side, side).cpu().numpy()
    paint = torch.cat(colour, 1).reshape(side, side, side, 3).clamp(0, 1).cpu().numpy()
    return Solid(distances(upright(-depth)).astype(np.float16), np.rint(upright(paint) * 255).astype(np.uint8))


def upright(grid: NDArray[Any]) -> NDArray[Any]:
    """Shap-E's axes go right, back and up; ours right, up and to the front."""
    return np.ascontiguousarray(np.swapaxes(grid, 1, 2)[:, :, ::-1])


def distances(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values whose sign says what is inside, as distances in voxels: near the surface by how fast they change."""
    from scipy import ndimage

    far = ndimage.distance_transform_edt(values >= 0) - ndimage.distance_transform_edt(values < 0)
    if not (values < 0).any() or not (values >= 0).any():
        return np.where(values < 0, -3, 3).astype(np.float32)
    slope = np.sqrt(sum(np.square(np.gradient(values, axis=axis)) for axis in range(3)))
    near = np.clip(values / np.maximum(slope, 1e-6), -NEAR, NEAR)
    result: NDArray[np.float32] = np.where(abs(far) <= NEAR, near, far - 0.5 * np.sign(far)).astype(np.float32)
    return result


def load(device: Device, path: Path) -> Pipeline[ShapeRequest]:
    """A model from a folder as save_pretrained leaves it; safetensors only. Raises BadWeights for an unknown kind."""
    import diffusers

    index = path / "model_index.json"
    name = str(json.loads(index.read_text("utf-8")).get("_class_name")) if index.exists() else "No pipeline"
    if name not in GUIDANCE:
        raise BadWeights(f"{name} is no 3D model that is known here; there are: {', '.join(GUIDANCE)}.")
    pipe = getattr(diffusers, name).from_pretrained(
        path, dtype=device.dtype(), use_safetensors=True, local_files_only=True, trust_remote_code=False
    )
    pipe.set_progress_bar_config(disable=True)
    return ShapEShapes(pipe.to(device.kind))

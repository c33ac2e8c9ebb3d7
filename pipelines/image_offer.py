"""What an image request can name beyond the catalog: any diffusers repository on the hub, and LoRAs.

Both are settled at the start of a run, on its own thread: what a repository holds is asked there, so that a model that
cannot be run here is refused before it is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from pipelines import image_lora, image_placement
from pipelines.device import Device, ram
from pipelines.events import Emit
from pipelines.image_catalog import PATTERNS, LoadImage, image_model
from pipelines.image_families import INDEX, MEGAPIXEL, MadeFor, family_named, no_pipeline
from pipelines.image_lora import REPO, Lora
from pipelines.image_request import ImageRequest
from pipelines.spec import ModelSpec
from pipelines.weights import Hub, Store, Together

TYPED = re.compile(rf"({REPO})(?:@(\w[\w./-]{{0,199}}))?", re.ASCII)
ANY = MadeFor(25, 5.0, 1024, 2 * MEGAPIXEL)  # until it is known what it is


@dataclass(frozen=True)
class Offer:
    """What this server lets image requests name. `typed`: whether anything on the hub; else only what is listed."""

    device: Device
    budget: int | None = None  # of device memory
    loras: tuple[Lora, ...] = ()
    typed: bool = False
    ram: int = field(default_factory=ram)

    def of(self, spec: ModelSpec[Any]) -> ModelSpec[Any]:
        """A spec of the catalog as it is held within the budget, and with these LoRAs to be had."""
        return replace(self._placed(spec), settle=self) if spec.modality == "image" else spec

    def named(self, model_id: str) -> ModelSpec[ImageRequest] | None:
        """The model in the repository of this name, “organisation/name” or “organisation/name@revision”."""
        match = TYPED.fullmatch(model_id)
        if not self.typed or match is None:
            return None
        spec = self._sized(model_id, Hub(match[1], match[2] or "main", PATTERNS), (), ANY)
        return replace(spec, sized_by="counted when it is asked for", limits={}, settle=self)

    def __call__(
        self, spec: ModelSpec[ImageRequest], request: ImageRequest, store: Store, emit: Emit
    ) -> ModelSpec[ImageRequest]:
        """See Settle."""
        if not _load(spec).parts:
            spec = self._counted(spec, store, emit)
        return self._with_lora(spec, request, store, emit) if request.lora and request.lora_scale else spec

    def _counted(self, spec: ModelSpec[ImageRequest], store: Store, emit: Emit) -> ModelSpec[ImageRequest]:
        """A typed model, sized by what its repository holds."""
        hub = cast("Hub", dict(cast("Together", spec.weights).parts)["model"])
        contents = store.contents(hub, emit)
        if INDEX not in contents.files:
            raise no_pipeline(hub.repo)
        made_for = family_named(contents.pipeline, hub.repo).made_for if contents.pipeline else ANY
        return self._placed(self._sized(spec.id, hub, tuple(contents.parameters.values()), made_for))

    def _with_lora(
        self, spec: ModelSpec[ImageRequest], request: ImageRequest, store: Store, emit: Emit
    ) -> ModelSpec[ImageRequest]:
        offered = {lora.id: lora for lora in self.loras}
        weights = image_lora.find(request.lora, offered, self.typed, store, emit)
        return replace(
            spec,
            id=f"{spec.id}+{request.lora}@{request.lora_scale:g}",
            title=f"{spec.title} with {offered[request.lora].title if request.lora in offered else request.lora}",
            weights=Together((("lora", weights), *cast("Together", spec.weights).parts)),  # the small one first
            load=replace(_load(spec), lora=request.lora_scale),
        )

    def _placed(self, spec: ModelSpec[Any]) -> ModelSpec[Any]:
        """The same model held part by part, where that is the only way."""
        load = _load(spec)
        parts = [count * self.device.parameter_bytes for count in load.parts]
        beside = spec.resident - sum(parts)  # the upscaler
        budget = None if self.budget is None else self.budget - beside
        resident, working, offload = image_placement.held(self.device, parts, spec.working, budget, self.ram)
        if not offload:
            return spec
        return replace(
            spec,
            resident=resident + beside,
            working=working,
            load=replace(load, offload=True),
            sized_by=f"{spec.sized_by}; held part by part, so counted with the largest alone, and one run at a time",
        )

    def _sized(self, model_id: str, hub: Hub, parts: Sequence[int], made_for: MadeFor) -> ModelSpec[ImageRequest]:
        return image_model(
            self.device,
            id=model_id,
            title=model_id,
            weights=hub,
            licence=f"as https://huggingface.co/{hub.repo} says",
            card="From the hub, by its name.",
            parts=parts,
            made_for=made_for,
        )


def _load(spec: ModelSpec[Any]) -> LoadImage:
    assert isinstance(spec.load, LoadImage)
    return spec.load

"""A model is a spec, an options schema and one method.

ModelSpec declares what a model is; Request declares what can be asked of it, with limits and descriptions, so that
validation, the page's sliders and the API read one source; Pipeline is the one method that answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.errors import BadRequest, CatalogError, UnknownModel
from pipelines.events import Artifact, Emit

if TYPE_CHECKING:
    from pipelines.device import Device
    from pipelines.weights import Store, Weights

Modality = Literal["chat", "code", "image", "speech", "music", "video", "shape", "enhance", "lab"]
Family = Literal["autoregressive", "diffusion", "gan", "vae", "flow"]

LARGE = re.compile(r"(?<![\w.,])\d{5,9}(?![\w.,]?\d)")
NATURE = re.compile(r"^(Input|String|List|Tuple|Data) should ")  # how pydantic begins; what a person sends is a field


class Request(BaseModel):
    """What is asked for. Subclassed per modality; unknown or out-of-range fields are refused, never repaired."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field("", description="Which model answers")
    seed: int = Field(0, ge=0, lt=2**53, description="The same seed and settings give the same result")


R = TypeVar("R", bound=Request)
R_contra = TypeVar("R_contra", bound=Request, contravariant=True)


class Pipeline(Protocol[R_contra]):
    """A loaded model. It may be used by several threads, one at a time, and keeps no state of a run."""

    def run(self, request: R_contra, emit: Emit) -> Artifact:
        """Answer the request; report through emit, which may raise Cancelled at any call."""
        ...


@dataclass(frozen=True)
class ModelSpec(Generic[R]):
    """Facts about one model, as data. Nothing is imported or loaded until `load` is called."""

    id: str
    title: str
    modality: Modality
    family: Family
    request: type[R]
    weights: Weights
    resident: int  # bytes held on the device while loaded
    working: int  # further bytes while one run is under way, at this spec's largest request
    licence: str
    card: str  # one or two sentences for the model picker: what it is good for, where it comes from
    load: Callable[[Device, Path], Pipeline[R]]  # heavy imports happen in here
    sized_by: str = ""  # how `resident` and `working` were come by
    limits: Mapping[str, int] = field(default_factory=dict)  # e.g. {"context": 2048}
    settle: Settle[R] | None = None  # what a request really needs, where that is more than this spec can say
    also: Mapping[type[Request], Callable[[Any], Pipeline[Any]]] = field(default_factory=dict)
    """Other kinds of request that this model answers too, each with what makes such a pipeline of the loaded one: so
    that chat, code and tasks share one model in memory."""

    def takes(self, request: Request) -> bool:
        """Whether this model answers such requests."""
        return isinstance(request, (self.request, *self.also))

    def answering(self, request: Request, loaded: Pipeline[Any]) -> Pipeline[Any]:
        """The pipeline for this kind of request: the loaded one, or one made of it."""
        return self.also[type(request)](loaded) if type(request) in self.also else loaded


class Settle(Protocol[R]):
    """Finds the model that a request really needs, at the start of its run: before anything is fetched or leased.

    That may be the spec itself, one with an add-on that the request names, or one whose sizes only the hub knows.
    """

    def __call__(self, spec: ModelSpec[R], request: R, store: Store, emit: Emit) -> ModelSpec[R]:
        """The spec to fetch, lease and load; may ask where its weights come from. Raises PolymuseError."""
        ...


def validate(request: type[R], values: Mapping[str, Any]) -> R:
    """Build a Request, or raise BadRequest with one plain sentence per wrong field."""
    try:
        return request(**values)
    except ValidationError as error:
        raise BadRequest(" ".join(_sentence(request, dict(problem)) for problem in error.errors())) from None


def _sentence(request: type[Request], problem: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"There is no setting “{name}”; there are: {', '.join(request.model_fields)}."
    if problem["type"] == "missing":
        return f"“{name}” is missing."
    message = LARGE.sub(lambda found: f"{int(found[0]):,}", str(problem["msg"]))
    message = message.removeprefix("Value error, ").rstrip(".")
    if not name:  # of several fields at once, which the message names
        return f"{message[0].upper()}{message[1:]}."
    return f"“{name}”: {NATURE.sub('must ', message)}."


class Registry:
    """The models there are, by id. One way in; ids are unique; order is the order of the pickers.

    `typed` makes a spec of an id that is not listed, or None where that id can be none.
    """

    def __init__(
        self, specs: Sequence[ModelSpec[Any]], typed: Callable[[str], ModelSpec[Any] | None] = lambda model_id: None
    ) -> None:
        self._typed = typed
        self._specs: dict[str, ModelSpec[Any]] = {}
        for spec in specs:
            if spec.id in self._specs:
                raise CatalogError(
                    f"Two catalog entries share the id “{spec.id}”: {self._specs[spec.id].title} and {spec.title}. "
                    "Give one of them another id."
                )
            self._specs[spec.id] = spec

    def __iter__(self) -> Iterator[ModelSpec[Any]]:
        return iter(self._specs.values())

    def __contains__(self, model_id: str) -> bool:
        return model_id in self._specs

    def __getitem__(self, model_id: str) -> ModelSpec[Any]:
        spec = self._specs.get(model_id) or self._typed(model_id)
        if spec is None:
            raise UnknownModel(f"There is no model “{model_id}”. Choose one of: {', '.join(self._specs)}.")
        return spec

    def of(self, modality: Modality) -> list[ModelSpec[Any]]:
        """The models of one modality, in catalog order."""
        return [spec for spec in self if spec.modality == modality]

    def extended(self, specs: Sequence[ModelSpec[Any]]) -> Registry:
        """A registry in which these specs replace entries of the same id and are added otherwise."""
        new = Registry(specs)  # refuses duplicates among themselves
        merged = {spec.id: spec for spec in self} | {spec.id: spec for spec in new}
        return Registry(list(merged.values()), self._typed)

"""Chat about pictures, with vision language models of transformers: the same pipeline, with eyes.

A model's own processor turns the conversation into tokens, among which some stand for parts of pictures, and the
pictures into numbers that take their places. Everything up to the last picture is read in one step, since there are
models in which a picture's tokens look at each other both ways, and whose positions come from all pictures together;
what comes after is read in parts, and written one token after another, as in decode.py.

Not covered: video, and what was read of a picture is not kept for the next turn.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import pictures_in
from pipelines.chat import ChatPipeline, ChatRequest, Continuation, Facts, check_template, facts_of, template_errors
from pipelines.decode import PREFILL, OneByOne, Wanted, drawn
from pipelines.device import Device
from pipelines.errors import BadRequest
from pipelines.events import Emit, Progress
from pipelines.sampling import Sampled, Sampler

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

SIDE = 1_024  # pixels: what is larger is made smaller. Text in a photograph can be read; tokens stay below 1,200
TILES = 2  # to a side, of Idefics3, which enlarges whatever it is shown, to 16 tiles if it may: a minute on two cores


class Scene(list[int]):
    """The tokens of a prompt with pictures. `shown` is what the model takes for those before `until`."""

    def __init__(self, ids: list[int], shown: dict[str, Tensor], until: int) -> None:
        super().__init__(ids)
        self.shown = shown
        self.until = until


class SeeingPipeline(ChatPipeline):
    """A loaded vision language model and its processor."""

    def __init__(self, writer: Onlooker, processor: Any, facts: Facts) -> None:
        super().__init__(writer, processor.tokenizer, facts)
        self._processor = processor
        self._mark = processor.image_token  # stands for a picture, and in tokens for each part of one
        self._mark_id = int(writer.model.config.image_token_id)

    def _without(self, request: ChatRequest, left_out: int) -> list[int]:
        if isinstance(request, Continuation):
            return super()._without(request, left_out)
        pictures = self._pictures(request)
        said = [{"role": "system", "content": [self._words(request.system)]}] if request.system else []
        for number, message in enumerate(request.history):
            came = [next(pictures) for _ in range(message.pictures)]
            if number >= left_out:
                said.append({"role": message.role, "content": [*came, self._words(message.content)]})
        said.append({"role": "user", "content": [*pictures, self._words(request.message)]})
        with template_errors():
            read = self._processor.apply_chat_template(
                said,
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
            )
        ids = read.pop("input_ids")
        read.pop("attention_mask")  # of one conversation: all ones
        marks = (ids[0] == self._mark_id).nonzero()
        if not len(marks):
            return list(ids[0].tolist())
        until = int(marks[-1]) + 1
        shown = {name: one[:, :until] if one.shape == ids.shape else one for name, one in read.items()}
        return Scene(ids[0].tolist(), shown, until)

    def _pictures(self, request: ChatRequest) -> Generator[dict[str, Any]]:
        """The request's pictures as parts of messages."""
        for number, data in enumerate(request.images, 1):
            picture: Image = pictures_in.read(data, f"picture {number}")
            picture.thumbnail((SIDE, SIDE))
            yield {"type": "image", "image": picture}

    def _words(self, text: str) -> dict[str, Any]:
        """A text as a part of a message. Raises BadRequest where its processor would take words for a picture."""
        if self._mark in text:
            raise BadRequest(f"“{self._mark}” stands for a picture in this model. Write it in another way.")
        return {"type": "text", "text": text}


class Onlooker(OneByOne):
    """A Writer whose model sees.

    Some models note on themselves how far a conversation's positions lie behind its tokens, `rope_deltas`, after its
    pictures were read. That is one request's own: it is kept with the request's cache, and put back before each step.
    """

    def write(self, wanted: Wanted, sampler: Sampler, emit: Emit) -> Generator[Sampled]:
        """See Writer."""
        from transformers import DynamicCache

        cache = DynamicCache(config=self.model.config)
        scene = wanted.prompt if isinstance(wanted.prompt, Scene) else Scene([], {}, 0)
        prompt = [*wanted.prompt, *wanted.begin]
        if scene.until:
            emit(Progress(label="Looking"))
            logits = self._read(prompt[: scene.until], cache, scene.shown)
        for start in range(scene.until, len(prompt), PREFILL):
            if start:
                emit(Progress(start, len(prompt), "Reading", "tokens"))
            logits = self._read(prompt[start : start + PREFILL], cache)
        yield from drawn(wanted, sampler, logits, lambda token: self._read([token], cache))

    def _read(self, ids: list[int], cache: Any, shown: dict[str, Tensor] | None = None) -> Tensor:
        """The logits after these tokens, shape (vocabulary,), and pictures if they are shown; into the cache."""
        import torch

        inner, device = self.model.base_model, self.model.device
        if hasattr(inner, "rope_deltas"):
            inner.rope_deltas = getattr(cache, "rope_deltas", None)
        with torch.inference_mode():
            output = self.model(
                input_ids=torch.tensor([ids], device=device),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
                **{name: one.to(device) for name, one in (shown or {}).items()},
            )
            logits: Tensor = output.logits[0, -1]
        cache.rope_deltas = getattr(inner, "rope_deltas", None)
        return logits


def load(device: Device, path: Path, context: int) -> SeeingPipeline:
    """A vision language model from a folder in the layout of save_pretrained; safetensors only, no remote code."""
    from transformers import AutoModelForImageTextToText
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # the server's log is no terminal
    processor = _processor(path)
    check_template(processor, path)
    model = AutoModelForImageTextToText.from_pretrained(
        path,
        dtype=device.dtype(),
        device_map=None if device.kind == "cpu" else device.kind,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
    )
    return SeeingPipeline(Onlooker(model), processor, facts_of(path, context))


def _processor(path: Path) -> Any:
    """The model's own processor, but for videos, which transformers only reads with torchvision."""
    import transformers
    from transformers import AutoConfig
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES  # type: ignore[attr-defined]

    config = AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    if not hasattr(config, "image_token_id") or config.model_type not in PROCESSOR_MAPPING_NAMES:
        raise BadRequest(
            f"The model in {path.name} takes no pictures in a way that is known here: it is of the kind "
            f"“{config.model_type}”. Choose another, or leave “patches” out of its entry in the catalog."
        )
    kind = getattr(transformers, PROCESSOR_MAPPING_NAMES[config.model_type])
    if "video_processor" in kind.get_attributes():
        kind = _for_stills(kind)
    processor = kind.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    if (tile := getattr(processor.image_processor, "max_image_size", None)) is not None:
        processor.image_processor.size = {"longest_edge": TILES * tile["longest_edge"]}
    return processor


def _for_stills(kind: Any) -> Any:
    """A processor's class without its part for videos: what there is to load is read off its signature."""

    class Stills(kind):  # type: ignore[misc]
        def __init__(self, image_processor: Any, tokenizer: Any, chat_template: str | None = None) -> None:
            super().__init__(image_processor, tokenizer, chat_template=chat_template)

    return Stills

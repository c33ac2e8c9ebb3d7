"""Guests may have less spoken at a time, and are told how much before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import catalog_file
from pipelines.device import detect
from pipelines.errors import BadRequest, CatalogError
from pipelines.job import Job
from pipelines.speech_catalog import GUEST_CHARACTERS, MORE_VOICES, WithVoices, for_guests, load_hub, speech_models
from pipelines.speech_families import FAMILIES
from pipelines.speech_request import MOST_REFERENCE_S, SpeechRequest
from pipelines.speech_voices import BUNDLED, VOICES
from pipelines.weights import Hub, Local, Store, Together
from tests.pipelines.fakes import engine, say, spec

KNOWN, OTHER = SpeechRequest(text="a"), SpeechRequest(text="a", voice_b="am_puck")
SPEECH = spec("speech", say("ok"), modality="speech", request=SpeechRequest)

TABLE = """
[[speech]]
id = "my-voice"
title = "My voice"
repo = "org/voice"
revision = "v2"
licence = "MIT"
parameters = 36_000_000
"""


def test_a_catalog_file_adds_a_model_of_the_hub_or_of_this_machine(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    nearby = TABLE.replace("my-voice", "near").replace('repo = "org/voice"', 'path = "/a/voice"\nfamily = "vae"')
    file.write_text(TABLE + nearby)
    hub, near = catalog_file.read(file, detect("cpu")).models
    assert (hub.id, hub.modality, hub.request, hub.load) == ("my-voice", "speech", SpeechRequest, load_hub)
    assert isinstance(hub.weights, Hub) and (hub.weights.repo, hub.weights.revision) == ("org/voice", "v2")
    assert hub.resident == hub.weights.size == 4 * 36_000_000
    assert near.weights == Local("/a/voice") and near.resident == hub.resident
    assert (hub.family, near.family) == ("autoregressive", "vae")


def test_what_is_wrong_with_a_table_is_said(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text(TABLE.replace("parameters = 36_000_000", 'voice = "af_heart"'))
    with pytest.raises(CatalogError, match=r"“my-voice” lacks “parameters”; .* has an unknown key “voice”"):
        catalog_file.read(file, detect("cpu"))


def said_to_guests(text: str) -> Job:
    return engine(for_guests(SPEECH)).submit("speech", SpeechRequest(text=text), "guest")


def test_guests_are_told_their_limit() -> None:
    said_to_guests("x" * GUEST_CHARACTERS).result()
    with pytest.raises(BadRequest, match=r"This text has 20,001 characters; guests .* 20,000"):
        said_to_guests("x" * (GUEST_CHARACTERS + 1)).result()


def test_models_of_other_kinds_are_the_same_for_guests() -> None:
    chat = spec("chat", say())
    assert for_guests(chat) is chat


def test_models_of_the_hub_are_loaded_by_their_family_and_need_nothing_else() -> None:
    built_in, *others = speech_models(detect("cpu"))
    assert {model.load for model in others} == {load_hub} and built_in.load is not load_hub
    for model in others:
        parts = model.weights.parts if isinstance(model.weights, Together) else (("", model.weights),)
        assert all(isinstance(part, Hub) for _, part in parts)


def test_a_recording_is_asked_for_or_refused_before_anything_is_fetched() -> None:
    models = {model.id: model for model in speech_models(detect("cpu"))}
    plain, recorded = SpeechRequest(text="a"), SpeechRequest.model_construct(text="a", reference=b"RIFF", consent=True)

    def settled(name: str, request: SpeechRequest) -> None:
        settle = models[name].settle
        assert settle is not None
        settle(models[name], request, Store(Path("/nowhere")), print)

    for name, model in models.items():
        if "reference" not in model.limits:
            with pytest.raises(BadRequest, match=f"{model.title} has its own voices"):
                settled(name, recorded)
    with pytest.raises(BadRequest, match=r"Pocket TTS speaks in the voice of a recording. Add 5 to 30 s"):
        settled("pocket-tts", plain)
    settled("pocket-tts", recorded)
    settled("vibevoice-1.5b", plain)
    settled("vibevoice-1.5b", recorded)


def test_what_the_catalog_says_of_a_family_is_what_the_family_says() -> None:
    """Known before the model is there, so written down twice."""
    families = {family.title.partition(" and ")[0].partition(" ")[0]: family for family in FAMILIES.values()}
    families["MMS"] = families["VITS"]
    for model in speech_models(detect("cpu"))[1:]:
        family = families[model.title.partition(" ")[0]]
        assert ("reference" in model.limits) == (family.reference != "no")
        assert model.limits["speakers"] == len(family.speakers)
        assert isinstance(model.weights, Together) == bool(family.codec)


def test_a_catalog_file_names_the_codec_beside_a_model(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text(TABLE + 'codec = "org/codec"\nreference = "must"\nspeakers = 2\n')
    (model,) = catalog_file.read(file, detect("cpu")).models
    assert isinstance(model.weights, Together) and dict(model.weights.parts)["codec"] == Hub("org/codec")
    assert model.limits["speakers"] == 2 and model.limits["reference"] == MOST_REFERENCE_S
    file.write_text(TABLE + 'codec = "/a/codec"\n')
    (model,) = catalog_file.read(file, detect("cpu")).models
    assert isinstance(model.weights, Together) and dict(model.weights.parts)["codec"] == Local("/a/codec")


def test_every_speech_model_says_how_long_a_text_may_be() -> None:
    for model in speech_models(detect("cpu")):
        assert model.limits["characters"] > GUEST_CHARACTERS == for_guests(model).limits["characters"]


def test_other_voices_are_fetched_when_one_is_named(tmp_path: Path) -> None:
    (model, *_) = speech_models(detect("cpu"))
    store = Store(tmp_path)
    settle = WithVoices()
    assert settle(model, KNOWN, store, print) is model
    more = settle(model, OTHER, store, print)
    assert isinstance(more.weights, Together) and dict(more.weights.parts)["more"] == MORE_VOICES
    assert more.id != model.id and more.resident > model.resident


def test_guests_set_off_no_fetch_of_voices() -> None:
    (model, *_) = speech_models(detect("cpu"))
    settle = for_guests(model).settle
    assert settle is not None
    with pytest.raises(BadRequest, match=r"not on this server. There are: af_heart, "):
        settle(model, OTHER, Store(Path("/nowhere")), print)
    assert settle(model, KNOWN, Store(Path("/nowhere")), print) is model


def test_there_are_voices_to_fetch_in_most_languages_and_their_names_say_what_they_are() -> None:
    assert len(VOICES) == 41 and len(MORE_VOICES.members) == len(VOICES) - len(BUNDLED)
    assert (VOICES["am_puck"].label, VOICES["hf_beta"].label) == ("Puck · English (US), male", "Beta · Hindi, female")

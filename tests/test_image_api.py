"""Programs draw with what the page draws with: pictures go in and come out as files, with previews between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gradio_client import Client, handle_file
from PIL import Image

from pipelines.image_request import ImageRequest
from tests.conftest import WAIT_S, Server


def test_only_the_prompt_must_be_given(server: Server, connect: Any) -> None:
    endpoints = connect().view_api(return_format="dict", print_info=False)
    parameters = {p["parameter_name"]: p for p in endpoints["named_endpoints"]["/image"]["parameters"]}
    assert set(parameters) == set(ImageRequest.model_fields)
    assert [name for name, p in parameters.items() if not p["parameter_has_default"]] == ["prompt"]


def test_the_api_draws_with_a_picture_to_start_from(server: Server, connect: Any, tmp_path: Path) -> None:
    path = tmp_path / "given.png"
    Image.new("RGB", (40, 30), "red").save(path)
    client: Client = connect()
    job = client.submit(prompt="a fox", seed=8, count=2, image=handle_file(str(path)), api_name="/image")
    *updates, (last, file) = job.result(timeout=WAIT_S) and job.outputs()
    assert any(update["type"] == "preview" and update["noisy"] for update, _ in updates)
    assert last["type"] == "result" and last["seeds"] == [8, 9] and str(file).endswith(".zip")
    assert last["recipe"]["options"]["image"].startswith("sha256:")

"""Programs make clips with what the page makes them with: all frames at each step, and an MP4."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
from gradio_client import Client, handle_file
from PIL import Image

from pipelines import video_file
from pipelines.video_request import VideoRequest
from tests.conftest import WAIT_S, Server
from tests.fakes.animator import REMARK, STEPS


def test_the_api_makes_a_clip_from_a_picture(server: Server, connect: Any, tmp_path: Path) -> None:
    path = tmp_path / "given.png"
    Image.new("RGB", (40, 30), "red").save(path)
    client: Client = connect()
    endpoints = client.view_api(return_format="dict", print_info=False)
    parameters = {p["parameter_name"]: p for p in endpoints["named_endpoints"]["/video"]["parameters"]}
    assert set(parameters) == set(VideoRequest.model_fields)
    assert all(p["parameter_has_default"] for p in parameters.values())
    job = client.submit(motion="explodes", seed=8, frames=5, image=handle_file(str(path)), api_name="/video")
    *updates, (last, file) = job.result(timeout=WAIT_S) and job.outputs()
    previews = [update for update, _ in updates if update["type"] == "preview"]
    assert len(previews) == STEPS and all(len(update["images"]) == 5 for update in previews)
    size = {"width": 32, "height": 32, "frames": 5, "fps": 8.0, "seconds": 0.625}
    assert {name: last[name] for name in size} == size and last["remarks"] == [REMARK]
    assert last["recipe"]["options"]["image"].startswith("sha256:")
    with av.open(str(file), "r") as container:
        assert len([*container.decode(video=0)]) == 5
    assert video_file.read(Path(file).read_bytes()).seed == 8

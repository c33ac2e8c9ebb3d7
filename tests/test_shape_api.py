"""Programs see the thing from all sides while it is made, and get it as a GLB file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import trimesh
from gradio_client import Client
from gradio_client.exceptions import AppError

from pipelines.events import Emit, Solid
from pipelines.shape_request import ShapeRequest
from tests.conftest import WAIT_S, Server
from tests.fakes.shaper import GRID, REMARK, SIDES, STEPS


def test_the_endpoint_takes_the_fields_of_a_request_by_name(server: Server, connect: Any) -> None:
    endpoints = connect().view_api(return_format="dict", print_info=False)
    parameters = {p["parameter_name"]: p for p in endpoints["named_endpoints"]["/shape"]["parameters"]}
    assert set(parameters) == set(ShapeRequest.model_fields)
    assert all(p["parameter_has_default"] for p in parameters.values())


def test_previews_come_first_and_then_a_mesh_as_fine_as_asked_for(server: Server, connect: Any) -> None:
    client: Client = connect()
    job = client.submit(prompt="a ball", seed=3, detail=1, api_name="/shape")
    job.result(timeout=WAIT_S)
    *updates, (last, path) = job.outputs()
    previews = [update for update, _ in updates if update["type"] == "preview"]
    assert [one["step"] for one in previews] == [*range(1, STEPS + 1)]
    assert all(len(one["images"]) == SIDES and one["images"][0].startswith("data:image/webp") for one in previews)
    assert last["side"] == GRID and last["remarks"] == [REMARK]
    assert last["recipe"]["options"] | {"detail": 1, "steps": STEPS} == last["recipe"]["options"]
    coarse = trimesh.load(path, force="mesh")
    assert coarse.is_watertight
    _, finer = client.predict(prompt="a ball", seed=3, detail=3, api_name="/shape")
    assert len(trimesh.load(finer, force="mesh").faces) > 2 * len(coarse.faces)


def test_a_grid_without_a_surface_is_an_error_that_says_so(server: Server, connect: Any) -> None:
    def shapes(request: ShapeRequest, emit: Emit) -> Solid:
        return Solid(np.full((GRID,) * 3, 3, np.float16), np.zeros((GRID, GRID, GRID, 3), np.uint8))

    server.shapes = shapes
    with pytest.raises(AppError, match="Nothing came of this"):
        connect().predict(prompt="a ball", api_name="/shape")

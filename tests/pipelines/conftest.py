"""Tiny image models, made when they are first asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.image import ImagePipeline
from tests.pipelines import tiny_image
from tests.pipelines.drawings import load


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Tiny models are done before threads have found each other: on a busy machine, several take ten times as long."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Made when first asked for."""

    class Folders(dict[str, Path]):
        def __missing__(self, family: str) -> Path:
            return self.setdefault(family, tiny_image.save(tmp_path_factory.mktemp(family), family))

    return Folders()


@pytest.fixture(scope="session")
def pipelines(folders: dict[str, Path]) -> dict[str, ImagePipeline]:
    class Pipelines(dict[str, ImagePipeline]):
        def __missing__(self, family: str) -> ImagePipeline:
            return self.setdefault(family, load(folders[family]))

    return Pipelines()


@pytest.fixture(params=tiny_image.FAMILIES)
def family(request: pytest.FixtureRequest, pipelines: dict[str, ImagePipeline]) -> ImagePipeline:
    return pipelines[request.param]


@pytest.fixture
def sd(pipelines: dict[str, ImagePipeline]) -> ImagePipeline:
    return pipelines["sd"]

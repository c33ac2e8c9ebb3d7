"""Bytes from a URL into a file: whatever the network does, the right file or none."""

from __future__ import annotations

import hashlib
import pickle
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.download import Meter, Refused, fetch_file, part_of
from pipelines.errors import BadWeights, DownloadFailed
from pipelines.events import Cancelled, Progress, Update
from tests.fakes.web import Asked, Web

CONTENT = random.Random(0).randbytes(300_000)
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture
def web() -> Iterator[Web]:
    with Web({"/model": CONTENT}) as server:
        yield server


def fetch(
    web: Web, target: Path, emit: Callable[[Update], None] = lambda update: None, content: bytes = CONTENT
) -> None:
    """Fetch /model as if `content` had been declared."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    fetch_file(f"{web.url}/model", target, len(content), digest, Meter(emit, "Fetching", len(content)), lambda: None)


def test_a_file_arrives_whole_and_leaves_nothing_else(web: Web, tmp_path: Path) -> None:
    fetch(web, tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [tmp_path / "model"]


def test_interruptions_are_resumed_for_as_long_as_something_comes(web: Web, tmp_path: Path) -> None:
    web.cuts["/model"] = [100_000, 50_000]
    fetch(web, tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == CONTENT
    assert web.served("/model") == ["", "bytes=100000-", "bytes=150000-"]


def test_a_cut_off_download_fails_with_a_remedy_and_is_resumed_next_time(web: Web, tmp_path: Path) -> None:
    web.cuts["/model"] = [100_000, 0]
    with pytest.raises(DownloadFailed, match=r"stopped after 97.7 KiB of 293.0 KiB.*try again"):
        fetch(web, tmp_path / "model")
    assert not (tmp_path / "model").exists()
    fetch(web, tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == CONTENT
    assert web.served("/model")[-1] == "bytes=100000-"


def test_a_server_that_cannot_resume_starts_over(web: Web, tmp_path: Path) -> None:
    web.ranges, web.cuts["/model"] = False, [100_000]
    fetch(web, tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == CONTENT


def test_a_part_of_another_file_is_noticed_and_fetched_anew(web: Web, tmp_path: Path) -> None:
    """The file behind the address changed between two attempts: the pieces do not belong together."""
    part_of(tmp_path / "model").write_bytes(bytes(100_000))
    fetch(web, tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == CONTENT
    assert web.served("/model") == ["bytes=100000-", ""]


def test_a_wrong_file_is_refused_and_deleted(web: Web, tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="not the file that was declared"):
        fetch(web, tmp_path / "model", content=CONTENT[::-1])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("declared", "complaint"), [(CONTENT[:-1], "is longer"), (CONTENT + b"more", "has no more than 300000 bytes")]
)
def test_a_file_of_another_length_is_refused_and_deleted(
    web: Web, tmp_path: Path, declared: bytes, complaint: str
) -> None:
    with pytest.raises(BadWeights, match=complaint):
        fetch(web, tmp_path / "model", content=declared)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [401, 403, 404, 503])
def test_a_refusal_says_the_status_and_what_to_check(web: Web, tmp_path: Path, status: int) -> None:
    def refuse(asked: Asked) -> int:
        return status

    web.refuse = refuse
    with pytest.raises(Refused, match=f"HTTP {status}.*Check the network, the address and your access") as refused:
        fetch(web, tmp_path / "model")
    assert refused.value.status == status


def test_no_server_is_a_refusal_without_status(tmp_path: Path) -> None:
    with Web() as gone:
        pass
    with pytest.raises(Refused) as refused:
        fetch(gone, tmp_path / "model")
    assert refused.value.status == 0
    told = pickle.loads(pickle.dumps(refused.value))
    assert (str(told), told.status) == (str(refused.value), 0)


def test_a_file_of_no_bytes_is_one_too(web: Web, tmp_path: Path) -> None:
    fetch(web, tmp_path / "model", content=b"")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("model", b"")]


def test_cancelling_stops_at_once_and_keeps_what_has_come(web: Web, tmp_path: Path) -> None:
    def cancel(update: Update) -> None:
        assert isinstance(update, Progress)
        if update.done:
            raise Cancelled

    clock = iter(range(1_000_000))
    meter = Meter(cancel, "Fetching", len(CONTENT), clock=lambda: next(clock))
    with pytest.raises(Cancelled):
        fetch_file(f"{web.url}/model", tmp_path / "model", len(CONTENT), DIGEST, meter, lambda: None)
    assert 0 < part_of(tmp_path / "model").stat().st_size < len(CONTENT)
    assert not (tmp_path / "model").exists()
    fetch(web, tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == CONTENT


def test_a_digest_can_be_the_one_that_git_gives(web: Web, tmp_path: Path) -> None:
    """printf 'hello\\n' | git hash-object --stdin"""
    web.files["/model"] = b"hello\n"
    meter = Meter(lambda update: None, "Fetching", 6)
    digest = "git:ce013625030ba8dba906f756967f9e9ca394464a"
    fetch_file(f"{web.url}/model", tmp_path / "model", 6, digest, meter, lambda: None)
    assert (tmp_path / "model").read_bytes() == b"hello\n"


def test_progress_is_told_first_last_and_ten_times_a_second() -> None:
    told: list[Update] = []
    now = 0.0
    meter = Meter(told.append, "Fetching", 1000, clock=lambda: now)
    for _ in range(1000):
        now += 0.001
        meter.add(1)
    counts = [update.done for update in told if isinstance(update, Progress)]
    assert counts[0] == 0
    assert counts[-1] == 1000
    assert 10 <= len(counts) <= 12
    assert counts == sorted(counts)

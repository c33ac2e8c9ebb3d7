"""The program: light to import, clear about what it cannot do, tighter in demo mode, and gone when told to go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import gradio as gr
import httpx
import pytest

import app
from pipelines.engine import Limits
from pipelines.errors import BadWeights, PolymuseError, UnknownModel
from pipelines.events import Progress, Update
from pipelines.speech_catalog import GUEST_CHARACTERS
from pipelines.speech_request import MOST_CHARACTERS
from pipelines.weights import Fetched, Store, Weights, is_built_in
from tests.conftest import WAIT_S, Server, free_port
from tests.pipelines.fakes import engine, say, spec
from ui.settings import parse

ROOT = Path(app.__file__).parent


def python(*argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *argv],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=4 * WAIT_S,
    )


def test_importing_the_app_imports_no_model_library() -> None:
    program = "import sys, app; print(sorted({'torch', 'diffusers', 'transformers'} & set(sys.modules)))"
    assert python("-c", program).stdout.strip() == "[]"


def test_help_names_every_option_and_the_environment() -> None:
    shown = python("app.py", "--help")
    assert shown.returncode == 0
    assert all(f"--{option}" in shown.stdout for option in vars(parse([], {})))
    assert "POLYMUSE_MEMORY" in shown.stdout


def test_what_is_fetched_beforehand_is_said_once_where_nobody_watches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log of a container's start has a line for each thing that happened, not one for each percent."""

    class Slow(Store):
        def fetch(self, weights: Weights, emit: Callable[[Update], None]) -> Fetched:
            for done in range(100):
                emit(Progress(done, 100, "Fetching it", "bytes"))
            raise BadWeights("It is gone.")

    monkeypatch.setattr(app, "is_built_in", lambda need: False)
    app.prefetch(engine(spec("echo", say())), Slow())
    assert capsys.readouterr().out.splitlines() == ["More voices: Fetching it 0% of 100 B", "More voices: It is gone."]


def test_an_unknown_tab_is_refused_with_the_tabs_there_are() -> None:
    with pytest.raises(PolymuseError, match=r"There is no tab “juggling”\. Choose from: chat"):
        app.build(engine(spec("echo", say())), ["juggling"])


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["--only", "juggling"], "There is no tab “juggling”"),
        (["--catalog", "nowhere.toml"], "nowhere.toml"),
        (["--auth", "nobody.txt"], "nobody.txt"),
    ],
)
def test_what_keeps_it_from_starting_is_one_sentence(
    argv: list[str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as exit:
        app.main([*argv, "--device", "cpu", "--port", str(free_port())])
    assert str(exit.value).startswith("Polymuse cannot start: ") and why in str(exit.value)


@pytest.mark.parametrize(
    ("argv", "answered", "refused"),
    [
        ([], ["localhost", "127.0.0.1"], ["studio.example.org"]),
        (
            ["--domain", "studio.example.org,Other.example"],
            ["studio.example.org", "other.example", "localhost"],
            ["x.y"],
        ),
        (["--host", "0.0.0.0", "--domain", "studio.example.org"], ["studio.example.org"], ["192.168.0.4"]),
    ],
)
def test_it_answers_to_its_own_names_only(argv: list[str], answered: list[str], refused: list[str]) -> None:
    names = app.host_names(parse(argv, {}))
    assert names is not None and set(answered) <= set(names) and not set(refused) & set(names)


@pytest.mark.parametrize("argv", [["--share"], ["--host", "0.0.0.0"]])
def test_where_its_name_is_not_known_any_will_do(argv: list[str]) -> None:
    assert app.host_names(parse(argv, {})) is None


@pytest.fixture
def engines() -> Iterator[list[app.LocalEngine]]:
    made: list[app.LocalEngine] = []
    yield made
    for each in made:
        each.close()


def made(engines: list[app.LocalEngine], argv: Sequence[str]) -> app.LocalEngine:
    engines.append(app.make_engine(parse(["--device", "cpu", *argv], {})))
    return engines[-1]


def test_guests_of_a_demo_get_less_and_set_off_no_downloads(engines: list[app.LocalEngine]) -> None:
    usual, demo = made(engines, []), made(engines, ["--demo"])
    assert usual.limits == Limits()
    assert (demo.limits.per_user, demo.limits.waiting_per_user) == (1, 2)
    assert demo.limits.waiting == usual.limits.waiting
    there = {spec.id for spec in demo.registry}
    assert there < {spec.id for spec in usual.registry}
    assert "smollm2-135m" in there
    for each in demo.registry:
        assert is_built_in(each.weights) or demo.look(each.id).present
    assert usual.registry["kokoro-82m"].limits["characters"] == MOST_CHARACTERS
    assert demo.registry["kokoro-82m"].limits["characters"] == GUEST_CHARACTERS
    assert usual.registry["people/model"].title == "people/model", "where guests are trusted, any repository will do"
    for strangers in (["--demo"], ["--share"], ["--host", "0.0.0.0"], ["--domain", "studio.example.org"]):
        with pytest.raises(UnknownModel):
            made(engines, strangers).registry["people/model"]


def test_the_memory_asked_for_is_the_budget_and_else_a_share_of_the_devices(engines: list[app.LocalEngine]) -> None:
    assert made(engines, ["--memory", "3GiB"]).status().budget == 3 * 2**30
    usual = made(engines, [])
    assert usual.status().budget == int(usual.device.total * app.SHARE_OF_MEMORY["cpu"])


def test_the_page_brings_nothing_from_elsewhere_and_its_own_security_headers(server: Server) -> None:
    page = httpx.get(server.url)
    assert page.status_code == 200 and "Polymuse" in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "fonts.googleapis" not in page.text and "api.gradio.app" not in page.text
    assert httpx.get(f"{server.url}gradio_api/file={ROOT / 'app.py'}").status_code in (403, 404)
    assert httpx.get(server.url, headers={"host": "rebound.example"}).status_code == 421


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_a_job_running(stop: signal.Signals) -> None:
    """The job is one that never lets go by itself: the exit must not wait for it to be done."""
    server = subprocess.Popen(
        [sys.executable, "-u", "-c", ENDLESS_SERVER, str(free_port())],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert server.stdout is not None
        said = list(iter_until(server.stdout, "Polymuse is at"))
        assert httpx.get(said[-1].split()[3] + "health").json()["running"] == 1
        server.send_signal(stop)
        rest, _ = server.communicate(timeout=WAIT_S)
    finally:
        server.kill()
        server.wait()
    assert server.returncode == 0, "".join(said) + rest
    assert "Traceback" not in rest and "the job ended: EngineClosed" in rest


def iter_until(lines: Iterable[str], start: str) -> Iterator[str]:
    """Lines up to the one that begins so."""
    for line in lines:
        yield line
        if line.startswith(start):
            return


ENDLESS_SERVER = """
import sys, threading, app
from pipelines.chat import ChatRequest
from tests.conftest import MODEL, Endless
from tests.pipelines.fakes import engine, spec

eng = engine(spec(MODEL, Endless(), request=ChatRequest))
job = eng.submit(MODEL, ChatRequest(message="hi"), "me")

def watch():
    try:
        job.result()
    except Exception as ending:
        print("the job ended:", type(ending).__name__, flush=True)

threading.Thread(target=watch).start()
app.make_engine = lambda settings: eng
app.main(["--port", sys.argv[1], "--device", "cpu"])
"""


def test_the_queue_does_not_take_a_core_from_the_models(server: Server) -> None:
    """The pause is a private setting of gradio's: this fails when a later version drops or renames it."""
    assert "sleep_when_free" in vars(gr.Blocks()._queue)
    assert server.page._queue.sleep_when_free == app.QUEUE_POLL_S


def test_the_queue_is_as_gradio_would_set_it(server: Server) -> None:
    """We set it in place, which saves making another: this fails when gradio's own way comes to do more than that."""
    with gr.Blocks(analytics_enabled=False) as theirs:
        gr.Textbox()
    theirs.queue(max_size=64, api_open=False, default_concurrency_limit=None)
    used = {"sleep_when_free", "server_app", "events_recorded", "event_count_at_last_cache"}  # ours, or of its use
    plain = (bool, int, float, str, type(None))
    settings = {k: v for k, v in vars(theirs._queue).items() if isinstance(v, plain) and k not in used}
    assert settings == {name: vars(server.page._queue)[name] for name in settings}
    assert server.page.api_open is theirs.api_open is False

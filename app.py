"""Polymuse: every kind of generative AI in one page. `python app.py` starts it, `python app.py --help` lists options.

build(engine) makes the page; main() goes from settings to an engine to a running server. Nothing here imports a model
library: the page is up before torch is.
"""

from __future__ import annotations

import gc
import hmac
import importlib.util
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported: no request leaves the machine
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

gc.disable()  # what is imported is no garbage: looking for some takes a tenth of the time until the page is up
import gradio as gr
from starlette.middleware import Middleware

from pipelines import catalog, catalog_file, tasks
from pipelines.catalog_file import Added
from pipelines.device import detect
from pipelines.engine import Engine, Limits, LocalEngine
from pipelines.errors import PolymuseError, WeightsError, format_bytes
from pipelines.events import Progress, Update
from pipelines.image_offer import Offer
from pipelines.memory import Memory
from pipelines.spec import Registry
from pipelines.speech_catalog import MORE_VOICES, for_guests
from pipelines.weights import Store, is_built_in
from ui import TABS, explain, header, health, theme
from ui.guard import Guard
from ui.settings import Settings, accounts, parse

gc.freeze()  # nor will it ever be: no later search looks at it
gc.enable()

HERE = Path(__file__).parent
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
SHARE_OF_MEMORY = {"cpu": 0.6, "mps": 0.6, "cuda": 0.9}  # the rest is the system's, the page's and other programs'
QUEUE_POLL_S = 0.005  # gradio looks for work every 1 ms, which takes 8 % of a core from decoding, all the time
log = logging.getLogger("polymuse")


def build(engine: Engine, only: Sequence[str] = ()) -> gr.Blocks:
    """The page: a header, a tab for each modality (or `only` these), a footer."""
    known = [tab.TITLE.lower() for tab in TABS]
    if unknown := set(only) - set(known):
        raise PolymuseError(f"There is no tab “{', '.join(sorted(unknown))}”. Choose from: {', '.join(known)}.")
    page = gr.Blocks(title="Polymuse", analytics_enabled=False, fill_width=True, delete_cache=(600, 1800))
    with page:
        header.build(engine)
        with gr.Tabs(elem_id=header.CONTENT_ID):
            for tab in TABS:
                if not only or tab.TITLE.lower() in only:
                    with gr.Tab(tab.TITLE, id=tab.TITLE.lower()):
                        tab.build(engine)
        explain.footer()
    _set_queue(page)
    return page


def _set_queue(page: gr.Blocks) -> None:
    """As page.queue(max_size=64, api_open=False, default_concurrency_limit=None) does, but on the queue that the page
    has already: page.queue() makes another and a whole FastAPI application with it, for the third time of four."""
    page.api_open = False
    page._queue.max_size = 64
    page._queue.default_concurrency_limit = None
    page._queue.sleep_when_free = QUEUE_POLL_S


def make_engine(settings: Settings) -> LocalEngine:
    """The engine on the device asked for, with the catalog's models and whatever --catalog adds."""
    device = detect(settings.device)
    store = Store()
    added = Added() if settings.catalog is None else catalog_file.read(settings.catalog, device)
    models, loras = list(Registry(catalog.models(device)).extended(added.models)), added.loras
    if settings.demo:
        models = [spec for spec in models if store.look(spec.weights).present or is_built_in(spec.weights)]
        loras = tuple(lora for lora in loras if store.look(lora.weights).present)
        models = [tasks.for_guests(for_guests(spec)) for spec in models]
    budget = settings.memory or int(device.total * SHARE_OF_MEMORY[device.kind])
    known = settings.local or settings.auth is not None  # a stranger must not fill the disk from the hub
    offer = Offer(device, budget, loras, typed=known and not settings.demo)
    registry = Registry([offer.of(spec) for spec in models], offer.named)
    limits = Limits(per_user=1, waiting_per_user=2) if settings.demo else Limits()
    return LocalEngine(registry, device, store, Memory(budget, device.free, device.release_cache), limits)


def prefetch(engine: LocalEngine, store: Store) -> None:
    """Fetch every built-in model's weights, with progress on the terminal."""
    for spec in engine.registry:
        if is_built_in(spec.weights):
            store.fetch(spec.weights, _on_terminal(spec.title))
            _say(f"{spec.title}: ready")
    try:
        store.fetch(MORE_VOICES, _on_terminal("More voices"))
        _say("More voices: ready")
    except WeightsError as error:  # there are ten without them
        _say(f"More voices: {error}")


def launch(page: gr.Blocks, engine: Engine, settings: Settings) -> str:
    """Serve the page without blocking; returns its address on this machine."""
    guard = Middleware(Guard, hosts=host_names(settings))
    _, url, _ = page.launch(
        server_name=settings.host,
        server_port=settings.port,
        share=settings.share,
        auth=_login(accounts(settings.auth)) if settings.auth else None,
        prevent_thread_lock=True,
        quiet=True,
        theme=theme.Polymuse(),
        favicon_path=str(theme.ICON),
        footer_links=[],
        show_error=False,
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        max_file_size="32mb",
        state_session_capacity=500,
        blocked_paths=[str(HERE)],
        app_kwargs={"middleware": [guard], "routes": [health.route(engine)]},
    )
    return str(url)


def host_names(settings: Settings) -> tuple[str, ...] | None:
    """The names that this server answers to; None, any, where it cannot know how it is reached."""
    return (*LOOPBACK, *settings.domain) if settings.local or settings.domain else None


def main(argv: Sequence[str] | None = None) -> None:
    """Start, serve until told to stop, and end every job with a word."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = parse(argv)
    if settings.outputs is not None:
        os.environ["GRADIO_TEMP_DIR"] = str(settings.outputs.resolve())
    _look_for_matplotlib_once()
    try:
        engine = make_engine(settings)
        if settings.prefetch:
            prefetch(engine, Store())
        page = build(engine, settings.only)
        url = launch(page, engine, settings)
    except (PolymuseError, ValueError, OSError) as error:
        sys.exit(f"Polymuse cannot start: {error}")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    status = engine.status()
    print(
        f"Polymuse is at {url} on {status.device.name}, with {format_bytes(status.budget)} for models. Ctrl-C stops."
    )
    if page.share_url:
        print(f"Public link: {page.share_url}")
    if not settings.local and not settings.auth and not settings.demo:
        print(
            "Anyone who reaches this address can use it. --auth FILE asks for a login; --demo sets limits for guests."
        )
    stop.wait()
    engine.close()
    page.close(verbose=False)


def _look_for_matplotlib_once() -> None:
    """gradio tries to import it twice for each update of a page: where it is missing, a sixth of all that it does."""
    if importlib.util.find_spec("matplotlib") is None:
        sys.modules["matplotlib"] = None  # type: ignore[assignment]


def _login(passwords: dict[str, str]) -> Callable[[str, str], bool]:
    """Whether a name and password are an account, in the same time whether or not they nearly are."""

    def check(name: str, password: str) -> bool:
        return hmac.compare_digest(passwords.get(name, "").encode(), password.encode()) and name in passwords

    return check


def _say(line: str, end: str = "\n") -> None:
    """A line over the last one, on a terminal; what goes to a file is not written over."""
    over = sys.stdout.isatty()
    print(f"\r{line:<78}" if over else line, end=end if over else "\n", flush=True)


def _on_terminal(title: str) -> Callable[[Update], None]:
    said = ""

    def emit(update: Update) -> None:
        nonlocal said
        if isinstance(update, Progress) and (sys.stdout.isatty() or update.label != said):
            said = update.label
            share = f" {update.done / update.total:.0%} of {format_bytes(update.total)}" if update.total else ""
            _say(f"{title}: {update.label}{share}", end="")

    return emit


if __name__ == "__main__":
    main()

"""How long a person waits for the page after `python app.py`, and what the idle server holds in memory.

Most of the wait is not ours: importing gradio and starting its server takes seconds. So two programs are started in
turn, several times each: a bare one, that imports gradio and launches gr.Blocks with one text box, and ours, as a
person starts it. Each is timed from the start of its process to the first successful GET, of / for both, and of
/health for ours; it is asked every hundredth of a second. The difference of the medians is what Polymuse adds: tabs,
theme, device detection, catalog. One start of each goes before and is not counted, so that files come from the disk
cache; right after a boot both take longer. The seconds that each process computed for until its page came are given
too: on a busy machine they say what the difference would be on an idle one.

Memory is read when the page has been served and no job was ever sent: RSS counts pages shared with other programs,
USS only what would come free if the server ended. That torch is not loaded by then is checked twice: no torch library
is mapped into the serving process, and a fresh `import app` leaves no torch in sys.modules.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import psutil

from benchmarks.report import Goal, Sample, Watch, add_calm, finish, table
from benchmarks.server import ROOT, Server, end_children_when_told_to_stop, serving

BARE = """
import sys, threading
import gradio
with gradio.Blocks(analytics_enabled=False) as page:
    gradio.Textbox()
page.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), prevent_thread_lock=True, quiet=True)
threading.Event().wait()
"""
PROGRAMS = {"bare": ("-c", BARE), "polymuse": ("app.py", "--port")}
IMPORTED = "import app, sys; print('torch' in sys.modules)"
PAGE_S = 6.0
ABOVE_BARE_S = 1.0


@dataclass(frozen=True)
class Start:
    """One start of one program. `health` is None for the bare one, which has no such address."""

    page: float  # seconds
    health: float | None
    processor: float  # seconds that it computed for until then
    rss: int  # bytes
    uss: int
    torch_mapped: bool


def measure(name: str) -> Start:
    """Start the program, wait for its page, look at its memory, end it."""
    with serving(PROGRAMS[name]) as server:
        health = server.seconds_until("/health") if name == "polymuse" else None
        page = server.seconds_until("/")
        process = psutil.Process(server.process.pid)
        used, memory = process.cpu_times(), process.memory_full_info()
        return Start(page, health, used.user + used.system, memory.rss, memory.uss, torch_mapped(server))


def torch_mapped(server: Server) -> bool:
    """Whether the process has a library of torch in its address space."""
    return any("libtorch" in mapped.path for mapped in psutil.Process(server.process.pid).memory_maps())


def torch_imported() -> bool:
    """Whether `import app`, in a process of its own, loads torch."""
    child = subprocess.run([sys.executable, "-c", IMPORTED], cwd=ROOT, capture_output=True, text=True, check=True)
    return child.stdout.strip() != "False"


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="counted starts of each program (%(default)s)")
    add_calm(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    end_children_when_told_to_stop()
    watch = Watch(options.calm)
    starts: dict[str, list[Start]] = {name: [] for name in PROGRAMS}
    for run in range(options.runs + 1):
        for name in PROGRAMS:
            start = watch.measure(partial(measure, name)) if run else measure(name)
            print(f"{'warm-up' if run == 0 else f'run {run}'}: {name} served its page after {start.page:.2f} s")
            if run:
                starts[name].append(start)
    report(starts["bare"], starts["polymuse"], watch)


def report(bare: Sequence[Start], ours: Sequence[Start], watch: Watch) -> None:
    """Medians of both, their difference, and what the goals say."""
    torch = any(start.torch_mapped for start in ours) or torch_imported()
    numbers = {
        "bare_page_s": Sample.of(start.page for start in bare),
        "page_s": Sample.of(start.page for start in ours),
        "health_s": Sample.of(start.health for start in ours if start.health is not None),
        "bare_processor_s": Sample.of(start.processor for start in bare),
        "processor_s": Sample.of(start.processor for start in ours),
        "bare_rss_mib": Sample.of(start.rss / 2**20 for start in bare),
        "rss_mib": Sample.of(start.rss / 2**20 for start in ours),
        "bare_uss_mib": Sample.of(start.uss / 2**20 for start in bare),
        "uss_mib": Sample.of(start.uss / 2**20 for start in ours),
    }
    above = numbers["page_s"].median - numbers["bare_page_s"].median
    rows = [
        ("start to page", numbers["bare_page_s"].text("s"), numbers["page_s"].text("s")),
        ("start to /health", "", numbers["health_s"].text("s")),
        ("computing until then", numbers["bare_processor_s"].text("s"), numbers["processor_s"].text("s")),
        ("resident (RSS)", numbers["bare_rss_mib"].text("MiB", digits=0), numbers["rss_mib"].text("MiB", digits=0)),
        ("its own (USS)", numbers["bare_uss_mib"].text("MiB", digits=0), numbers["uss_mib"].text("MiB", digits=0)),
        ("torch loaded", "", "yes" if torch else "no"),
    ]
    print(f"\n{len(ours)} starts of each, in turn: median (lowest to highest)\n")
    print(table(("", "bare gradio", "polymuse"), rows))
    goals = [
        Goal("page, seconds", numbers["page_s"].median, PAGE_S),
        Goal("of which above bare gradio", above, ABOVE_BARE_S),
        Goal("torch loaded by then (0: no)", float(torch), 0),
    ]
    finish("startup", {"runs": len(ours), **numbers, "above_bare_s": round(above, 3), "torch": torch}, goals, watch)


if __name__ == "__main__":
    main()

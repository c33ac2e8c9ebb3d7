"""What Polymuse is started with: the command line, or environment variables of the same names (POLYMUSE_PORT=8000)."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ON, OFF = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")
UNITS = {"": 1, "b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "kb": 10**3, "mb": 10**6, "gb": 10**9}


@dataclass(frozen=True)
class Settings:
    """One start of the server. None means: find a good value."""

    host: str
    port: int | None
    domain: tuple[str, ...]  # names of a reverse proxy before this server
    share: bool
    demo: bool
    auth: Path | None
    device: Literal["auto", "cpu", "cuda", "mps"]
    memory: int | None  # bytes
    outputs: Path | None
    catalog: Path | None
    prefetch: bool
    only: tuple[str, ...]

    @property
    def local(self) -> bool:
        """Whether only this machine can reach the page."""
        return self.host in ("127.0.0.1", "localhost", "::1") and not self.share and not self.domain


def parse(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the command line, then the environment, then defaults. Exits with a usage message when wrong."""
    parser = argparse.ArgumentParser(
        prog="app.py",
        description="Polymuse: a studio for generative AI, one tab for each kind.",
        epilog="Each option can be given as an environment variable instead: --memory 20GiB is POLYMUSE_MEMORY=20GiB.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets other machines in (%(default)s)")
    add("--port", type=int, help="port to listen on; the first free one from 7860 if not given")
    add(
        "--domain",
        type=domains,
        metavar="NAME,...",
        default=(),
        help="a reverse proxy passes requests to these names on",
    )
    add("--share", action="store_true", help="make a public link through gradio's tunnel")
    add("--demo", action="store_true", help="for strangers: tighter limits, and no downloads set off by visitors")
    add(
        "--auth", type=Path, metavar="FILE", help="ask for a login; the file has a line NAME:PASSWORD for each account"
    )
    add("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="what computes (%(default)s)")
    add("--memory", type=size, metavar="SIZE", help="what models may hold on the device, such as 20GiB")
    add("--outputs", type=Path, metavar="DIR", help="folder for uploads and results (a temporary one if not given)")
    add("--catalog", type=Path, metavar="FILE", help="TOML file with models to add or replace")
    add("--prefetch", action="store_true", help="fetch all built-in weights before the page opens")
    add("--only", type=tabs, metavar="TAB,...", default=(), help="show these tabs only")
    parser.set_defaults(**_from_environment(parser, environ))
    return Settings(**vars(parser.parse_args(argv)))


def size(text: str) -> int:
    """Bytes from text such as 20GiB, 512 MiB or 8e9. Raises argparse's error for anything else."""
    match = re.fullmatch(r"\s*((?:\d+(?:\.\d+)?|\.\d+)(?:e\d+)?)\s*([a-z]*)\s*", text.lower())
    if match is None or match[2] not in UNITS:
        raise argparse.ArgumentTypeError(f"“{text}” is not a size; write it like 20GiB or 512MiB")
    count = float(match[1]) * UNITS[match[2]]
    if not 1 <= count < 2**63:
        raise argparse.ArgumentTypeError(f"“{text}” is not a size that memory can have")
    return int(count)


def domains(text: str) -> tuple[str, ...]:
    """Host names from a list with commas. Raises argparse's error for an address or a name with a port."""
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    for name in names:
        if re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", name) is None:
            raise argparse.ArgumentTypeError(f"“{name}” is not a host name; write it like studio.example.org")
    return names


def tabs(text: str) -> tuple[str, ...]:
    """Tab names in lower case from a list with commas."""
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())


def accounts(file: Path) -> dict[str, str]:
    """The accounts in an --auth file, name to password. Raises ValueError that names the wrong line."""
    found = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        name, colon, password = line.partition(":")
        if not line.strip() or line.startswith("#"):
            continue
        if not (colon and name and password):
            raise ValueError(f"{file}, line {number}: write NAME:PASSWORD")
        found[name] = password
    if not found:
        raise ValueError(f"{file} has no accounts; write a line NAME:PASSWORD for each")
    return found


def _from_environment(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> dict[str, object]:
    """Defaults from POLYMUSE_* variables; argparse converts and checks strings as if they had been typed."""
    found: dict[str, object] = {}
    for action in parser._actions:
        text = environ.get(f"POLYMUSE_{action.dest.upper()}")
        if text is None:
            continue
        if action.nargs == 0:
            if text.lower() not in ON + OFF:  # a demo with a typing error must not be open to all
                parser.error(f"POLYMUSE_{action.dest.upper()}: “{text}” is none of {', '.join((ON + OFF)[:-1])}")
            found[action.dest] = text.lower() in ON
        elif action.choices is not None and text not in action.choices:
            parser.error(f"POLYMUSE_{action.dest.upper()}: “{text}” is none of {', '.join(action.choices)}")
        else:
            found[action.dest] = text
    return found

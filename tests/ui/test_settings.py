"""Starting: every option from the command line or the environment, refused by name when it makes no sense."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from ui.settings import Settings, accounts, parse, size, tabs

PLAIN: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": None,
    "domain": (),
    "share": False,
    "demo": False,
    "auth": None,
    "device": "auto",
    "memory": None,
    "outputs": None,
    "catalog": None,
    "prefetch": False,
    "only": (),
}
EVERY = [
    ("--host", "0.0.0.0", {"host": "0.0.0.0"}),
    ("--port", "8000", {"port": 8000}),
    ("--domain", "Studio.example.org, b.example", {"domain": ("studio.example.org", "b.example")}),
    ("--share", None, {"share": True}),
    ("--demo", None, {"demo": True}),
    ("--auth", "people.txt", {"auth": Path("people.txt")}),
    ("--device", "cpu", {"device": "cpu"}),
    ("--memory", "20GiB", {"memory": 20 * 2**30}),
    ("--outputs", "out", {"outputs": Path("out")}),
    ("--catalog", "mine.toml", {"catalog": Path("mine.toml")}),
    ("--prefetch", None, {"prefetch": True}),
    ("--only", "Chat, image", {"only": ("chat", "image")}),
]


def test_nothing_given_is_a_private_page_on_whatever_device_there_is() -> None:
    settings = parse([], {})
    assert settings == Settings(**PLAIN)
    assert settings.local


@pytest.mark.parametrize(("option", "value", "means"), EVERY)
def test_every_option_sets_its_setting(option: str, value: str | None, means: dict[str, Any]) -> None:
    assert parse([option] if value is None else [option, value], {}) == Settings(**(PLAIN | means))


@pytest.mark.parametrize(("option", "value", "means"), EVERY)
def test_every_option_can_be_an_environment_variable(option: str, value: str | None, means: dict[str, Any]) -> None:
    variable = "POLYMUSE_" + option.removeprefix("--").upper()
    assert parse([], {variable: value or "1"}) == Settings(**(PLAIN | means))


def test_every_setting_has_its_option() -> None:
    assert {option.removeprefix("--") for option, _, _ in EVERY} == set(PLAIN)


def test_the_command_line_wins_over_the_environment() -> None:
    assert parse(["--port", "1"], {"POLYMUSE_PORT": "2"}).port == 1


@pytest.mark.parametrize("text", ["0", "no", "false", "off", ""])
def test_a_switch_can_be_off_in_the_environment(text: str) -> None:
    assert not parse([], {"POLYMUSE_SHARE": text}).share


@pytest.mark.parametrize(
    ("argv", "environ", "named"),
    [
        (["--port", "http"], {}, "--port"),
        ([], {"POLYMUSE_PORT": "http"}, "--port"),
        (["--memory", "lots"], {}, "“lots” is not a size; write it like 20GiB or 512MiB"),
        ([], {"POLYMUSE_MEMORY": "lots"}, "“lots” is not a size"),
        (["--memory", "1.2.3GiB"], {}, "1.2.3GiB"),
        (["--device", "tpu"], {}, "tpu"),
        ([], {"POLYMUSE_DEMO": "yess"}, "POLYMUSE_DEMO: “yess” is none of 1, true, yes, on, 0, false, no, off"),
        ([], {"POLYMUSE_DEVICE": "tpu"}, "POLYMUSE_DEVICE: “tpu” is none of auto, cpu, cuda, mps"),
        (["--colour"], {}, "--colour"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    argv: list[str], environ: dict[str, str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit:
        parse(argv, environ)
    assert exit.value.code == 2
    assert named in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "local"),
    [
        ([], True),
        (["--host", "localhost"], True),
        (["--host", "::1"], True),
        (["--host", "0.0.0.0"], False),
        (["--host", "192.168.1.2"], False),
        (["--share"], False),
    ],
)
def test_a_page_that_others_can_reach_is_not_local(argv: list[str], local: bool) -> None:
    assert parse(argv, {}).local == local


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("1", 1),
        ("512MiB", 512 * 2**20),
        (" 1.5 GiB ", 3 * 2**29),
        ("20gb", 20 * 10**9),
        ("8e9", 8 * 10**9),
        ("4 kB", 4000),
        ("7B", 7),
    ],
)
def test_sizes_are_read_as_people_write_them(text: str, bytes_: int) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize("text", ["", "GiB", "-1GiB", "1 TiB", "one", "0x10", "0", "0.5", "1e999", "1e30GiB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a size"):
        size(text)


def test_tabs_are_a_list_with_commas() -> None:
    assert tabs(" Chat ,IMAGE,,") == ("chat", "image")


def test_accounts_are_names_and_passwords_that_may_hold_colons(tmp_path: Path) -> None:
    file = tmp_path / "people"
    file.write_text("# the team\nada:pa:ss word\n\nzoë:ünï\n", encoding="utf-8")
    assert accounts(file) == {"ada": "pa:ss word", "zoë": "ünï"}


@pytest.mark.parametrize("line", ["ada", "ada:", ":secret", ":"])
def test_a_broken_account_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "people"
    file.write_text(f"bob:x\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2: write NAME:PASSWORD"):
        accounts(file)


def test_a_file_without_accounts_lets_nobody_start_an_open_page(tmp_path: Path) -> None:
    file = tmp_path / "people"
    file.write_text("# nobody yet\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no accounts"):
        accounts(file)


@pytest.mark.parametrize("name", ["https://studio.example.org", "studio.example.org:443", "a b", "*.example.org"])
def test_a_domain_that_is_no_host_name_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--domain", name], {})
    assert "is not a host name" in capsys.readouterr().err

"""Each hole that gradio leaves open is closed by the Guard, and what the page and gradio_client do still works."""

from __future__ import annotations

import json
from collections.abc import Iterator

import gradio_client
import httpx
import pytest

from tests.ui.conftest import BODY_LIMIT, UPLOAD_LIMIT, Server, serve

HEADERS = ("content-security-policy", "x-content-type-options", "referrer-policy", "permissions-policy")


def join(client: httpx.Client, word: str) -> httpx.Response:
    body = {"data": [word], "fn_index": 0, "session_hash": f"s-{word[:8]}"}
    return client.post("/gradio_api/queue/join", json=body)


def chunks(total: int) -> Iterator[bytes]:
    for _ in range(total // 10_000):
        yield b"x" * 10_000


def path_as_sent(client: httpx.Client, path: str) -> httpx.Response:
    """GET a path without the client tidying it up first."""
    request = client.build_request("GET", "/")
    request.url = request.url.copy_with(raw_path=path.encode())
    return client.send(request)


# --- What must work ----------------------------------------------------------------------------------------------


def test_a_queued_job_streams_each_step(client: httpx.Client) -> None:
    assert join(client, "ab").status_code == 200
    seen = []
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": "s-ab"}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["x-accel-buffering"] == "no"
        for line in stream.iter_lines():
            if line.startswith("data:"):
                seen.append(json.loads(line.removeprefix("data:"))["msg"])
            if seen and seen[-1] == "close_stream":
                break
    assert seen.count("process_generating") == 3
    assert "process_completed" in seen


def test_gradio_client_calls_uploads_and_downloads(server: Server, tmp_path: object) -> None:
    caller = gradio_client.Client(server.url, verbose=False, analytics_enabled=False)
    try:
        assert caller.predict("x", api_name="/count") == "x2"
        source = tmp_path / "note.txt"  # type: ignore[operator]
        source.write_text("hello")
        assert caller.predict(gradio_client.handle_file(str(source)), api_name="/read") == "hello"
    finally:
        caller.close()


def test_an_uploaded_file_is_served_back_in_a_sandbox(client: httpx.Client) -> None:
    (path,) = client.post("/gradio_api/upload", files={"files": ("a.txt", b"hello")}).json()
    answer = client.get(f"/gradio_api/file={path}")
    assert answer.text == "hello"
    assert answer.headers["content-security-policy"].startswith("sandbox")


def test_events_without_a_queue_still_run_directly(client: httpx.Client) -> None:
    """The page sends them to /run; api_open=False keeps the queued ones out of it."""
    assert client.post("/gradio_api/run/echo", json={"data": ["hi"]}).json()["data"] == ["hi"]


def test_a_page_of_this_server_may_call_it(server: Server, client: httpx.Client) -> None:
    own = server.url.rstrip("/")
    assert client.get("/config", headers={"origin": own}).status_code == 200
    behind_a_proxy = {"origin": "https://polymuse.example", "sec-fetch-site": "same-origin"}
    assert client.get("/config", headers=behind_a_proxy).status_code == 200


# --- What must not -----------------------------------------------------------------------------------------------


def test_a_body_over_the_limit_is_refused_by_its_declared_length(client: httpx.Client) -> None:
    answer = join(client, "x" * (BODY_LIMIT + 1))
    assert answer.status_code == 413
    assert "MiB" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["queue/join", "call/count", "cancel", "reset"])
def test_a_body_over_the_limit_is_refused_while_it_streams(client: httpx.Client, path: str) -> None:
    sent = []

    def counted() -> Iterator[bytes]:
        for chunk in chunks(20 * BODY_LIMIT):
            sent.append(chunk)
            yield chunk

    answer = client.post(f"/gradio_api/{path}", content=counted(), headers={"content-type": "application/json"})
    assert "content-length" not in answer.request.headers
    assert answer.status_code == 413
    assert "MiB" in answer.json()["detail"]


def test_uploads_have_a_limit_of_their_own(client: httpx.Client) -> None:
    larger_than_a_body = {"files": ("a.bin", b"x" * (2 * BODY_LIMIT))}
    assert client.post("/gradio_api/upload", files=larger_than_a_body).status_code == 200
    too_large = {"files": ("a.bin", b"x" * (UPLOAD_LIMIT + 1))}
    assert client.post("/gradio_api/upload", files=too_large).status_code == 413
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.bin"\r\n\r\n'
    streamed = client.post(
        "/gradio_api/upload",
        content=iter([head, *chunks(2 * UPLOAD_LIMIT), b"\r\n--b--\r\n"]),
        headers={"content-type": "multipart/form-data; boundary=b"},
    )
    assert streamed.status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "٣", ""])
def test_a_length_that_is_no_number_is_refused(client: httpx.Client, length: str) -> None:
    """By the server's own parser or by the Guard: never taken for small."""
    headers = {"content-length": length.encode()}
    try:
        answer = client.post("/gradio_api/queue/join", content=b"", headers=headers)
    except httpx.TransportError:
        return
    assert answer.status_code in (400, 413)


@pytest.mark.parametrize(
    "target",
    [
        "file=http://example.com/",
        "file=https://example.com/",
        "file=HTTPS://example.com/",
        "file=%68ttp://example.com/",
        "file=http%3A%2F%2Fexample.com",
        "file=http%253A%252F%252Fexample.com",
        "file=%20http://example.com",
        "file=//example.com/share",
        "file=ftp://example.com",
        "file=\\\\example.com\\share",
        "file=data:text/html,hello",
        "file/http://example.com/",
        "proxy=https://example.com/",
        "proxy=http%3A//example.com/",
    ],
)
def test_the_server_fetches_nothing_for_strangers(client: httpx.Client, target: str) -> None:
    answer = path_as_sent(client, f"/gradio_api/{target}")
    assert answer.status_code in (403, 404)
    assert answer.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/deep_link?session_hash=x",
        "/gradio_api/token",
        "/gradio_api/dev/reload",
        "/gradio_api/vibe-code/",
        "/gradio_api/runs",
        "/gradio_api/custom_component/x/client/y/z",
        "/gradio_api/anything-a-later-gradio-adds",
        "/monitoring",
        "/monitoring/summary",
        "/svelte/x",
    ],
)
def test_routes_that_the_page_does_not_need_are_closed(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_component_functions_are_closed(client: httpx.Client) -> None:
    assert client.post("/gradio_api/component_server", json={}).status_code == 404


def test_the_queue_cannot_be_skipped(client: httpx.Client) -> None:
    for path in ("run/count", "run/count/", "api/count"):
        assert client.post(f"/gradio_api/{path}", json={"data": ["x"]}).status_code == 404


def test_the_guard_holds_where_gradios_own_settings_were_forgotten() -> None:
    careless = serve(careless=True)
    try:
        with careless.client() as client:
            skipping = client.post("/gradio_api/run/count", json={"data": ["x"]})
            assert skipping.status_code == 403
            assert "queue" in skipping.json()["detail"]
            assert client.get("/monitoring/summary").status_code == 404
    finally:
        careless.blocks.close(verbose=False)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example", "host": "polymuse.example"},
        {"origin": "https://evil.example", "host": "polymuse.example", "x-forwarded-host": "evil.example"},
    ],
)
def test_pages_of_other_sites_can_neither_act_nor_read(client: httpx.Client, headers: dict[str, str]) -> None:
    body = {"data": ["x"], "fn_index": 0, "session_hash": "evil"}
    assert client.post("/gradio_api/queue/join", json=body, headers=headers).status_code == 403
    read = client.get("/config", headers=headers)
    assert read.status_code == 403
    assert "components" not in read.text


def test_only_the_named_hosts_are_answered() -> None:
    """A name of the attacker's that is bound to 127.0.0.1 makes the attacker's page the same origin."""
    local = serve(hosts=("localhost", "127.0.0.1", "[::1]"))
    try:
        with local.client() as client:
            rebound = {"host": "evil.example:7860", "origin": "http://evil.example:7860"}
            assert client.get("/config", headers=rebound).status_code == 421
            assert client.get("/config", headers={"host": "[::1]:7860"}).status_code == 200
            assert client.get("/config").status_code == 200
    finally:
        local.blocks.close(verbose=False)


def test_every_response_carries_the_security_headers(client: httpx.Client) -> None:
    paths = ["/", "/config", "/theme.css", "/static/img/logo.svg", "/health", "/nowhere", "/gradio_api/deep_link"]
    for path in paths:
        headers = client.get(path).headers
        assert all(name in headers for name in HEADERS), path
        assert headers["x-frame-options"] == "SAMEORIGIN"
    policy = client.get("/").headers["content-security-policy"]
    assert "frame-ancestors 'self'" in policy
    assert "http:" not in policy
    assert "https:" not in policy
    assert "microphone=(self)" in client.get("/").headers["permissions-policy"]


def test_the_page_may_be_embedded_where_told() -> None:
    space = serve(frame_ancestors=("'self'", "https://huggingface.co"), origins=("https://partner.example",))
    try:
        with space.client() as client:
            headers = client.get("/").headers
            assert "frame-ancestors 'self' https://huggingface.co" in headers["content-security-policy"]
            assert "x-frame-options" not in headers
            assert client.get("/config", headers={"origin": "https://partner.example"}).status_code == 200
    finally:
        space.blocks.close(verbose=False)

"""/health answers at once, for anyone, from the engine's status alone."""

from __future__ import annotations

import httpx

from pipelines.memory import Held
from tests.ui.conftest import FakeEngine, Server, status
from ui.health import health


def test_health_says_what_the_design_fixes(client: httpx.Client) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["status"] == "ok"
    assert body["device"] == "cpu"
    assert body["models"] == [{"id": "smol", "title": "Smol <b>model</b>", "bytes": 540_000_000, "in_use": True}]
    assert (body["running"], body["queue"]) == (1, 3)
    assert body["memory"] == {"used": 540_000_000, "budget": 6 * 2**30}


def test_health_follows_the_engine(server: Server, client: httpx.Client) -> None:
    before = server.engine.state
    try:
        server.engine.state = status(used=0, running=0, queued=0)
        assert client.get("/health").json()["queue"] == 0
    finally:
        server.engine.state = before


def test_monitors_may_ask_with_head_and_nobody_may_post(client: httpx.Client) -> None:
    assert client.head("/health").status_code == 200
    assert client.post("/health").status_code == 405


def test_a_model_that_nobody_uses_is_not_in_use() -> None:
    engine = FakeEngine(status())
    device = engine.state.device
    engine.state = type(engine.state)(device, 10, 5, (Held("a", "A", 5, 0),), 0, 0)
    assert health(engine)["models"][0]["in_use"] is False  # type: ignore[arg-type]

"""Visitors who come back: a reload, a second window or a closed tab loses nothing of what was made.

gradio gives every page load a session, and a session a state of its own. So what a tab keeps of a visitor is found by
a key that only the visitor's browser has, and goes when the last session that had it has ended: gradio ends one an
hour after its page was left.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from threading import Lock
from typing import Any, Generic, TypeVar

import gradio as gr
from gradio.blocks import Block
from gradio.context import Context

from ui.files import Keeper
from ui.wire import QUIET

FOLLOW_S = 0.5
MOST = 500  # visitors; the first to come goes first
K = TypeVar("K", bound=Keeper)


class Visits(Generic[K]):
    """The keepers of one tab's visitors."""

    def __init__(self) -> None:
        self._kept: dict[str, K] = {}
        self._sessions: dict[str, int] = {}
        self._lock = Lock()

    def enter(self, key: Any, keeper: K) -> tuple[str, K]:
        """The key and the keeper of who enters with this key: the one there is, or for whom nobody knows this one.

        This one too where something is in it already: somebody was faster than the page could be.
        """
        with self._lock:
            if isinstance(key, str) and key in self._kept and not keeper.used:
                self._sessions[key] += 1
                return key, self._kept[key]
            if keeper.key not in self._kept:
                keeper.key = secrets.token_urlsafe(32)
                self._kept[keeper.key] = keeper
                self._sessions[keeper.key] = 1
            if len(self._kept) > MOST:
                self._drop(next(iter(self._kept)))
            return keeper.key, keeper

    def leave(self, keeper: K) -> None:
        """A session has ended. As a state's delete_callback."""
        with self._lock:
            if keeper.key not in self._kept:  # of a session that never entered, or dropped already
                keeper.forget()
                return
            self._sessions[keeper.key] -= 1
            if not self._sessions[keeper.key]:
                self._drop(keeper.key)

    def _drop(self, key: str) -> None:
        del self._sessions[key]
        self._kept.pop(key).forget()

    def wire(
        self,
        name: str,
        state: gr.State,
        shown: Callable[[K], tuple[Any, ...]],
        outputs: Sequence[Block],
        asked: Callable[[K], tuple[Any, ...]] = lambda keeper: (),
        inputs: Sequence[Block] = (),
    ) -> None:
        """Let the visitors of a tab come back to their `state`; `shown` gives `outputs` as things stand.

        `asked` gives `inputs`, what they had asked for, once: they may be writing there again. What is at work is
        followed to its end: in a second window, or until it is given up since its page was left.
        """

        def on_return(key: Any, keeper: K) -> tuple[Any, ...]:
            key, keeper = self.enter(key, keeper)
            return key, keeper, *shown(keeper), *asked(keeper)

        async def following(keeper: K) -> AsyncIterator[tuple[Any, ...]]:
            while keeper.at_work:
                await asyncio.sleep(FOLLOW_S)
                yield shown(keeper)
            yield tuple(gr.skip() for _ in outputs)  # whoever yields nothing empties them

        browser = _key_in_browser(name)
        page = Context.root_block
        assert page is not None
        loaded = page.load(on_return, [browser, state], [browser, state, *outputs, *inputs], **QUIET)
        loaded.then(following, state, outputs, **{**QUIET, "queue": True, "concurrency_limit": None})


def _key_in_browser(name: str) -> gr.BrowserState:
    """The key that a browser has for what `name` keeps of its visitor.

    It stands outside of the tab that is being built: the page makes a tab's components when it is first opened, and
    would send no key when it is loaded.
    """
    inside, Context.block = Context.block, Context.root_block
    try:
        return gr.BrowserState("", storage_key=f"polymuse-{name}", secret="polymuse")
    finally:
        Context.block = inside

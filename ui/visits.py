"""Visitors who come back: a reload, a second window or a closed tab loses nothing of what was made.

gradio gives every page load a session, and a session a state of its own. So what a tab keeps of a visitor is found by
a key that only the visitor's browser has, and goes a while after the last session that had it has ended.

gradio ends a session an hour after its states were last set, once the page's connection has been lost: also of a page
that is open, as after a laptop's sleep. So an open page has them set again every minute, and enters anew if it slept.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Generic, TypeVar

import gradio as gr
from gradio.blocks import Block, Blocks
from gradio.context import Context

from ui.files import Keeper
from ui.wire import QUIET

FOLLOW_S = 0.5
ALIVE_S = 60  # between two times that an open page says that it is
KEPT_S = 3_600  # for whoever comes back to what no session has any more
MOST = 500  # visitors; the first to come goes first
K = TypeVar("K", bound=Keeper)


class Visits(Generic[K]):
    """The keepers of one tab's visitors."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._kept: dict[str, K] = {}
        self._sessions: dict[str, int] = {}
        self._left: dict[str, float] = {}  # when the last session ended of those that have none
        self._now = now
        self._lock = Lock()

    def enter(self, key: Any, keeper: K) -> tuple[str, K]:
        """The key and the keeper of who enters with this key: the one there is, or for whom nobody knows this one.

        This one too where something is in it already: somebody was faster than the page could be.
        """
        with self._lock:
            self._drop_the_left()
            known = self._kept.get(key) if isinstance(key, str) else None
            if known is not None and known is not keeper and not keeper.used:
                self._sessions[known.key] += 1
                self._left.pop(known.key, None)
                return known.key, known
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
            self._drop_the_left()
            if keeper.key not in self._kept:  # of a session that never entered, or dropped already
                keeper.forget()
                return
            self._sessions[keeper.key] -= 1
            if not self._sessions[keeper.key]:
                self._left[keeper.key] = self._now()

    def _drop_the_left(self) -> None:
        for key in [key for key, at in self._left.items() if self._now() - at > KEPT_S]:
            self._drop(key)

    def _drop(self, key: str) -> None:
        del self._sessions[key]
        self._left.pop(key, None)
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

        def on_alive(key: Any, keeper: K) -> tuple[Any, K]:
            """Set the state again. One without a key is new: gradio has forgotten the page's own."""
            return (gr.skip(), keeper) if keeper.key else self.enter(key, keeper)

        async def following(keeper: K) -> AsyncIterator[tuple[Any, ...]]:
            at_work = keeper.at_work
            while at_work:
                await asyncio.sleep(FOLLOW_S)
                at_work = keeper.at_work  # before it is shown, so that an end is shown too
                yield shown(keeper)
            yield tuple(gr.skip() for _ in outputs)  # whoever yields nothing empties them

        with beside_the_tabs() as page:
            browser = gr.BrowserState("", storage_key=f"polymuse-{name}", secret="polymuse")
            alive = gr.Timer(ALIVE_S)
        alive.tick(on_alive, [browser, state], [browser, state], **QUIET)
        loaded = page.load(on_return, [browser, state], [browser, state, *outputs, *inputs], **QUIET)
        loaded.then(following, state, outputs, **{**QUIET, "queue": True, "concurrency_limit": None})


@contextmanager
def beside_the_tabs() -> Iterator[Blocks]:
    """Where to make what must be there when the page is loaded: it makes a tab's components when that is first opened.

    Gives the page.
    """
    inside, page = Context.block, Context.root_block
    assert page is not None
    Context.block = page
    try:
        yield page
    finally:
        Context.block = inside

"""Chats that go on at the same time share each step: continuous batching, joining and leaving between two tokens.

There is no thread of its own. Each request keeps its thread and its turn (turns.py); whoever has the device when its
next token is wanted computes one step for all, puts each one's token into its hands, and the time is charged to all in
equal parts. So a batch of eight takes its turns among other jobs as eight chats would, at little more than the price
of one. Requests keep their own sampler: settings, seed and X-ray are theirs, and as a row of a step comes out the same
whatever the others are (decode_engine.py), a seed gives the same text alone and in company.

transformers' own continuous batching (ContinuousBatchingManager of 5.23) cannot do this, on a CPU or a GPU. It takes a
temperature and a top-p from each request, and a cancellation, but one torch.multinomial draws for the whole batch from
torch's only generator, so a request can have no seed. Of the probabilities it returns the drawn token's alone, after
temperature and top-p: X-ray would have nothing to show. And it computes on a thread of its own, which knows no turns.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines import turns
from pipelines.decode import Wanted
from pipelines.decode_engine import Decoder
from pipelines.decode_prefixes import Prefixes, common
from pipelines.errors import Busy
from pipelines.events import Emit, Progress
from pipelines.sampling import Sampled, Sampler

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PREFILL = 128  # prompt tokens read in one step: those who write wait for so long
AHEAD = 4  # tokens that a request may be ahead of its own thread


@dataclass(frozen=True, eq=False)
class Resting:
    """A row that nobody has, with the tokens that it holds; taken up again it needs no copy of them."""

    row: int
    ids: Sequence[int]


class Seat:
    """One request in the batch. `ids` are the tokens that its row holds."""

    def __init__(self, row: int, wanted: Wanted, sampler: Sampler) -> None:
        self.row = row
        self.ids: list[int] = []
        self.next = -1  # the token to be read in the next step
        self.known: tuple[NDArray[np.float16], ...] = ()  # keys and values of its first tokens
        self.given = deque(wanted.begin)  # those that it begins with and have not been read yet
        self.tokens: deque[Sampled] = deque()  # drawn, and not yet fetched by its thread
        self.failure: Exception | None = None
        self.turn = turns.current()
        self._wanted = wanted
        self._sampler = sampler
        self._drawn = 0
        self._ended = False

    @property
    def length(self) -> int:
        """How many tokens its row holds."""
        return len(self.ids)

    @property
    def served(self) -> bool:
        """Whether its thread has something to do without computing."""
        return bool(self.tokens or self.failure)

    @property
    def ready(self) -> bool:
        """Whether a step should go on with it."""
        return self.next >= 0 and not self._ended and len(self.tokens) < AHEAD

    def go_on(self, logits: NDArray[np.float32]) -> None:
        """Choose what comes after logits of shape (vocabulary,). An error is kept for this request's own thread."""
        if self.given:
            self.next = self.given.popleft()
            return
        try:
            token = self._sampler.sample(logits)
        except Exception as error:
            self.failure, self._ended = error, True
            return
        self.next = token.id
        self.tokens.append(token)
        self._drawn += 1
        self._ended = token.id in self._wanted.ends or self._drawn == self._wanted.most


class Batch:
    """A Writer over one decoder."""

    def __init__(self, decoder: Decoder, prefixes: Prefixes) -> None:
        self._decoder = decoder
        self._prefixes = prefixes
        self._lock = threading.Lock()
        self._resting: Resting | None = None
        self._free = list(range(decoder.rows))
        self._seats: list[Seat] = []

    def __len__(self) -> int:
        return len(self._seats)

    @property
    def token_bytes(self) -> int:
        """Bytes that the keys and values of one token take."""
        return self._decoder.token_bytes

    @property
    def weight_bytes(self) -> int:
        """Bytes of weights that are read for a token."""
        return self._decoder.weight_bytes

    def forget(self) -> None:
        """Keep nothing of earlier prompts."""
        with self._lock:
            self._prefixes.clear()
            self._rest(None)

    def write(self, wanted: Wanted, sampler: Sampler, emit: Emit) -> Generator[Sampled]:
        """See Writer. Raises Busy when more requests are under way than there are rows."""
        seat = self._join(wanted, sampler)
        try:
            self._read(seat, wanted.prompt, emit)
            for _ in range(wanted.most):
                token = self._next(seat, emit)
                yield token
                if token.id in wanted.ends:
                    return
        finally:
            self._leave(seat)

    def _next(self, seat: Seat, emit: Emit) -> Sampled:
        """This request's next token. Its thread has the device, unless the token is there already."""
        while not seat.tokens:
            if seat.failure is not None:
                raise seat.failure
            self._step(seat)
            if not seat.served:
                emit(Progress(label="Reading how the answer begins"))
        return seat.tokens.popleft()

    def _step(self, seat: Seat) -> None:
        """One step for all that write, computed by the thread of one of them."""
        with self._lock:
            ready = [each for each in self._seats if each.ready]
            rows, ids = [each.row for each in ready], [each.next for each in ready]
            logits = self._decoder.step(rows, ids, [each.length for each in ready])
            for each, row in zip(ready, logits, strict=True):
                each.ids.append(each.next)
                each.go_on(row)
        company = [each.turn for each in ready if each.turn is not None]
        if seat.turn is not None:
            seat.turn.share(company)

    def _read(self, seat: Seat, prompt: Sequence[int], emit: Emit) -> None:
        """Read what is new of the prompt, in parts, then begin to write."""
        start = seat.length
        while seat.length < len(prompt):
            if seat.length > start:
                emit(Progress(seat.length, len(prompt), "Reading", "tokens"))
            with self._lock:
                ids = prompt[seat.length : seat.length + PREFILL]
                logits = self._decoder.read(seat.row, seat.length, ids)
                seat.ids += ids
        with self._lock:
            self._keep(seat)
            self._rest(self._resting)
            if seat.turn is not None:
                seat.turn.served = lambda: seat.served
            seat.go_on(logits)

    def _leave(self, seat: Seat) -> None:
        """Keep what its row holds; the row rests, in place of the one that does."""
        if seat.turn is not None:
            seat.turn.served = turns.never
        with self._lock:
            self._keep(seat)
            self._seats.remove(seat)
            self._rest(Resting(seat.row, seat.ids))

    # With the lock held ----------------------------------------------------------------------------------------------

    def _join(self, wanted: Wanted, sampler: Sampler) -> Seat:
        """A seat with what is known of its prompt in its row, unless the row holds that still."""
        if turn := turns.current():
            turn.take()  # it may have gone on without the device at the end of an earlier answer
        with self._lock:
            if len(self._seats) == self._decoder.rows:
                raise Busy(f"{self._decoder.rows} answers are being written already. Try again soon.")
            row, there = self._row(wanted.prompt)
            seat = Seat(row, wanted, sampler)
            seat.known, at = self._prefixes.find(wanted.prompt), 0
            for part in seat.known:
                held = min(max(0, there - at), part.shape[2])
                self._decoder.put(row, at + held, part[:, :, held:])
                at += part.shape[2]
            seat.ids += wanted.prompt[: max(at, there)]
            self._seats.append(seat)
        return seat

    def _row(self, prompt: Sequence[int]) -> tuple[int, int]:
        """A row for a prompt, and how many of its tokens that holds already."""
        if self._resting is not None and ((there := common(prompt, self._resting.ids)) or not self._free):
            row, self._resting = self._resting.row, None
            return row, min(there, len(prompt) - 1)  # one token at least is read: the answer begins after it
        return self._free.pop(0), 0

    def _keep(self, seat: Seat) -> None:
        """Remember what a seat's row holds."""
        start = sum(part.shape[2] for part in seat.known)
        if seat.length > start and self._prefixes.fits(seat.length * self.token_bytes):
            seat.known = (*seat.known, self._decoder.take(seat.row, start, seat.length))
            self._prefixes.keep(seat.ids, seat.known)

    def _rest(self, resting: Resting | None) -> None:
        """Let this row rest in place of the one that does, if it fits beside what is kept of earlier prompts."""
        if self._resting is not None and self._resting is not resting:
            self._give(self._resting.row)
        self._resting = resting
        if resting is not None and not self._prefixes.fits(self._prefixes.held + len(resting.ids) * self.token_bytes):
            self._give(resting.row)
            self._resting = None

    def _give(self, row: int) -> None:
        self._decoder.free(row)
        self._free.append(row)

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


@dataclass(frozen=True)
class Resting:
    """A row that nobody has, with what was read into it; taken up again it needs no copy of that.

    Only what was read as a prompt counts (see decode_prefixes.py), but `size`, in bytes, is of all that it holds.
    """

    row: int
    ids: Sequence[int]
    size: int


class Seat:
    """One request in the batch. `length` is how many tokens its row holds."""

    def __init__(self, wanted: Wanted, sampler: Sampler) -> None:
        self.length = 0
        self.next = -1  # the token to be read in the next step
        self.known: tuple[NDArray[np.float32], ...] = ()  # keys and values of its prompt's beginning
        self.given = deque(wanted.begin)  # those that it begins with and have not been read yet
        self.tokens: deque[Sampled] = deque()  # drawn, and not yet fetched by its thread
        self.failure: Exception | None = None
        self.turn = turns.current()
        self._wanted = wanted
        self._sampler = sampler
        self._drawn = 0
        self._ended = False

    @property
    def served(self) -> bool:
        """Whether its thread has something to do without computing."""
        return bool(self.tokens or self.failure)

    @property
    def ready(self) -> bool:
        """Whether a step should go on with it."""
        return not self._ended and len(self.tokens) < AHEAD

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
    """A Writer over one decoder. Rows of those that write come first, then those whose prompt is being read."""

    def __init__(self, decoder: Decoder, prefixes: Prefixes) -> None:
        self._decoder = decoder
        self._prefixes = prefixes
        self._lock = threading.Lock()
        self._resting: Resting | None = None  # beyond the seats
        self._seats: list[Seat] = []  # by row
        self._writing = 0  # how many of them write

    def __len__(self) -> int:
        return len(self._seats)

    @property
    def token_bytes(self) -> int:
        """Bytes that the keys and values of one token take."""
        return self._decoder.token_bytes

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
            self._leave(seat, wanted.prompt)

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
            seats = self._seats[: self._writing]
            ready = [each for each in seats if each.ready]
            logits = self._decoder.step([each.next for each in seats], [each.length for each in seats])
            for each, row in zip(seats, logits, strict=True):
                if each in ready:
                    each.length += 1
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
            size = min(PREFILL, len(prompt) - seat.length)
            if len(prompt) - seat.length - size == 1:
                size -= 1  # no token is read alone, or it would come out a little different
            with self._lock:
                ids = prompt[seat.length : seat.length + size]
                logits = self._decoder.read(self._seats.index(seat), seat.length, ids)
                seat.length += size
        with self._lock:
            if self._prefixes.fits(len(prompt) * self._decoder.token_bytes):
                new = self._decoder.take(self._seats.index(seat), start, len(prompt))
                self._prefixes.keep(prompt, (*seat.known, new))
                self._rest(self._resting)
            self._begin(seat)
            seat.go_on(logits)

    # Rows: with the lock held ----------------------------------------------------------------------------------------

    def _join(self, wanted: Wanted, sampler: Sampler) -> Seat:
        seat = Seat(wanted, sampler)
        if seat.turn is not None:
            seat.turn.take()  # it may have gone on without the device at the end of an earlier answer
        with self._lock:
            if len(self._seats) == self._decoder.rows:
                raise Busy(f"{self._decoder.rows} answers are being written already. Try again soon.")
            self._remember(seat, wanted.prompt)
            self._seats.append(seat)
        return seat

    def _remember(self, seat: Seat, prompt: Sequence[int]) -> None:
        """Fill the next row with what is known of a new seat's prompt, unless the row holds it still."""
        row, there = len(self._seats), 0
        if self._resting is not None and self._resting.row == row:
            there, self._resting = common(prompt, self._resting.ids), None
        seat.known = self._prefixes.find(prompt)
        for part in seat.known:
            held = min(max(0, there - seat.length), part.shape[2])
            self._decoder.put(row, seat.length + held, part[:, :, held:])
            seat.length += part.shape[2]

    def _begin(self, seat: Seat) -> None:
        """Put the row of one whose prompt is read behind those that write."""
        row, first = self._seats.index(seat), self._writing
        if row != first:
            other = self._seats[first]
            kept = self._decoder.take(first, 0, other.length)
            self._decoder.copy(row, first, seat.length)
            self._decoder.put(row, 0, kept)
            self._seats[first], self._seats[row] = seat, other
        self._writing += 1
        if seat.turn is not None:
            seat.turn.served = lambda: seat.served

    def _leave(self, seat: Seat, prompt: Sequence[int]) -> None:
        """Close the gap that a row leaves, and free the last one; if that is its own, it may rest."""
        if seat.turn is not None:
            seat.turn.served = turns.never
        with self._lock:
            gap, last = self._seats.index(seat), len(self._seats) - 1
            rests = gap == last
            if gap < self._writing:
                self._writing -= 1
                self._move(self._writing, gap)
                gap = self._writing
            self._move(last, gap)
            self._seats.pop()
            if rests:
                self._rest(Resting(last, prompt[: seat.length], seat.length * self.token_bytes))
            else:
                self._decoder.free(last)

    def _rest(self, resting: Resting | None) -> None:
        """Let this row rest in place of the one that does, if it fits beside what is kept of earlier prompts."""
        if self._resting is not None and self._resting != resting:
            self._decoder.free(self._resting.row)
        self._resting = resting
        if resting is not None and not self._prefixes.fits(self._prefixes.held + resting.size):
            self._decoder.free(resting.row)
            self._resting = None

    def _move(self, row: int, to: int) -> None:
        if row != to:
            self._decoder.copy(row, to, self._seats[row].length)
            self._seats[to] = self._seats[row]

"""Who computes next: fair turns on one device, passed on at step boundaries.

Each job has a Turn. Only the job that holds the device computes; at every step boundary it gives way, and the
device passes to the waiting job of the user with the least device time so far (then to the oldest job). So a chat
keeps typing while somebody's video denoises, and five jobs of one user get no more than one job of another.

"So far" needs care: by plain totals a newcomer would lock out whoever has worked for an hour. As in start-time fair
queueing and Linux's CFS, a user who comes back after idling starts at the level of those at work. A small credit for
the first step of an only job lets a short question be answered at once: left over for later steps, the credits of
many who come together would add up to seconds for whoever has none. Device seconds really used are kept apart, for
quotas and estimates.

Where one job computes a step for several (decode_batch.py), the time is shared among them, and those that wait go on
without the device to deliver what was computed for them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from pipelines.events import Cancelled

CREDIT_S = 0.5  # how far below its user's level an only job's first step counts; a chat's first token takes less
ACCOUNTS = 10_000  # idle users remembered at most: a public server meets a new name with every visitor


@dataclass
class _Account:
    """One user: device seconds used, and the virtual time that decides who is next."""

    used: float = 0.0
    virtual: float = 0.0
    jobs: int = 0


class Turn:
    """One job's place. take() before computing, give_way() at each step; all from the job's own thread."""

    def __init__(self, turns: Turns, user: str, number: int, cancelled: Callable[[], bool]) -> None:
        self.user = user
        self.number = number  # order of arrival
        self.used = 0.0  # device seconds of this job
        self.served: Callable[[], bool] = never  # whether another job has computed this one's step: no need to wait
        self._turns = turns
        self._cancelled = cancelled
        self._company: Sequence[Turn] = ()  # whom the step under way is for, if not for this job alone
        self._wants = False
        self._fresh = True  # it has not computed anything yet
        self._left = False
        self._chosen = threading.Condition(turns._lock)

    def take(self) -> None:
        """Wait for the device. Raises Cancelled when the job is cancelled, or was revoked, while it waits."""
        with self._turns._lock:
            self._wants = True
            self._turns._choose()
            self._await()

    def give_way(self) -> None:
        """Charge the step just done and let the next in turn compute; returns when this job may go on."""
        with self._turns._lock:
            self._turns._charge(self)
            self._wants = True
            self._turns._choose()
            self._await()

    def share(self, company: Sequence[Turn]) -> None:
        """The step under way was for these jobs too: it is charged to all in equal parts, and they may go on."""
        with self._turns._lock:
            self._company = company
            for turn in company:
                turn._chosen.notify()

    def rest(self) -> None:
        """Charge the step just done and pass the device on without asking for it again."""
        with self._turns._lock:
            self._turns._charge(self)
            self._turns._choose()

    def _await(self) -> None:
        try:
            while self._turns._holder is not self:
                if self._left or self._cancelled():
                    raise Cancelled
                if self.served():
                    return
                self._chosen.wait()
        finally:
            self._wants = False


def never() -> bool:
    """What `served` says of a job for which nobody else computes."""
    return False


_current: ContextVar[Turn | None] = ContextVar("turn", default=None)


def current() -> Turn | None:
    """The turn of the job that runs in this thread; None where a pipeline is called plainly."""
    return _current.get()


class Turns:
    """The turns on one device. `clock` gives seconds; tests simulate it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._accounts: dict[str, _Account] = {}
        self._turns: list[Turn] = []
        self._holder: Turn | None = None
        self._since = 0.0  # when the holder's step began
        self._floor = 0.0  # the virtual time of those at work; never goes back

    @contextmanager
    def turn(self, user: str, cancelled: Callable[[], bool] = lambda: False, number: int = 0) -> Iterator[Turn]:
        """A job's place among the turns until the block ends, however it ends. The lowest `number` is the oldest."""
        turn = self._join(user, number, cancelled)
        token = _current.set(turn)
        try:
            yield turn
        finally:
            _current.reset(token)
            self.revoke(turn)

    def used(self, user: str) -> float:
        """Device seconds that this user's finished steps have taken so far."""
        with self._lock:
            return self._accounts[user].used if user in self._accounts else 0.0

    def level(self, user: str) -> float:
        """The virtual time at which this user's next step would begin: the lower, the sooner its turn.

        Of a user who has no job it is that of a first step, which may have a credit.
        """
        with self._lock:
            account = self._accounts.get(user, _Account())
            return account.virtual if account.jobs else max(account.virtual, self._floor - CREDIT_S)

    def waiting(self) -> int:
        """How many jobs wait for the device now."""
        with self._lock:
            return sum(turn._wants and turn is not self._holder for turn in self._turns)

    def wake(self) -> None:
        """Let waiting jobs look at their cancel flags."""
        with self._lock:
            for turn in self._turns:
                turn._chosen.notify()

    def revoke(self, turn: Turn) -> None:
        """Take a job out, and the device from it. Its thread may still be computing; nobody waits for it any more."""
        with self._lock:
            if turn._left:
                return
            self._charge(turn)
            turn._left = True
            self._turns.remove(turn)
            self._accounts[turn.user].jobs -= 1
            turn._chosen.notify()
            self._choose()

    def _join(self, user: str, number: int, cancelled: Callable[[], bool]) -> Turn:
        with self._lock:
            if user not in self._accounts and len(self._accounts) >= ACCOUNTS:
                self._accounts = {name: account for name, account in self._accounts.items() if account.jobs}
            account = self._accounts.setdefault(user, _Account())
            if account.jobs == 0:
                account.virtual = max(account.virtual, self._floor)
            account.jobs += 1
            turn = Turn(self, user, number, cancelled)
            self._turns.append(turn)
            return turn

    def _charge(self, turn: Turn) -> None:
        """Account for the step that the holder has just ended, and take the device from it."""
        if self._holder is not turn:
            return
        company = [other for other in turn._company if not other._left] or [turn]
        step = (self._clock() - self._since) / len(company)
        for each in company:
            account = self._accounts[each.user]
            each.used += step
            account.used += step
            account.virtual += step
        turn._company = ()
        turn._fresh = False
        self._floor = max(self._floor, min(self._accounts[other.user].virtual for other in self._turns))
        self._holder = None

    def _choose(self) -> None:
        """Give a free device to the next in turn, if anybody wants it."""
        waiting = [turn for turn in self._turns if turn._wants]
        if self._holder is None and waiting:
            self._holder = min(waiting, key=self._place)
            self._since = self._clock()
            self._holder._chosen.notify()

    def _place(self, turn: Turn) -> tuple[float, int]:
        account = self._accounts[turn.user]
        return account.virtual - CREDIT_S * (turn._fresh and account.jobs == 1), turn.number

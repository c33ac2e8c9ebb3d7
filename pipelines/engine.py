"""Request in, events out: the engine takes jobs, lets them in by turns, and finds each a thread.

Three things are true of every job: its stream ends exactly once (Result, Cancelled or an error), it ends within one
step of being cancelled, and whatever it held is given back however it ends. How one job runs is in run.py.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pipelines.device import Device
from pipelines.errors import BadRequest, Busy, EngineClosed
from pipelines.events import Cancelled, Queued
from pipelines.job import Job
from pipelines.memory import Held, Memory
from pipelines.run import Run, Workplace
from pipelines.spec import Registry, Request
from pipelines.turns import Turns
from pipelines.weights import Availability, Store


@dataclass(frozen=True)
class Limits:
    """How much one engine takes on."""

    threads: int = 8  # jobs under way at once; each keeps an OpenMP team and its own working memory
    per_user: int = 2  # of these, one user's
    waiting: int = 64  # jobs queued in all
    waiting_per_user: int = 8
    silence_s: float = 300.0  # longest time on the device between two emits


@dataclass(frozen=True)
class Status:
    """What the page's header and /health show."""

    device: Device
    budget: int
    used: int
    models: tuple[Held, ...]
    running: int
    queued: int


class Engine(Protocol):
    """What the page needs of an engine. LocalEngine is one; one on other machines would be another."""

    registry: Registry

    def submit(self, model_id: str, request: Request, user: str) -> Job:
        """Take a job. Raises BadRequest, Busy or EngineClosed at once; everything later ends the job's stream."""
        ...

    def status(self) -> Status:
        """How things stand now; touches no model."""
        ...

    def look(self, model_id: str) -> Availability:
        """Whether the model's weights are here, and what fetching them would take; touches no network."""
        ...

    def fits(self, model_id: str) -> bool:
        """Whether the model fits the device's budget at all."""
        ...


class LocalEngine:
    """The engine on this machine's one device. `clock` is for the deadline and the turns; tests simulate it."""

    def __init__(
        self,
        registry: Registry,
        device: Device,
        store: Store,
        memory: Memory,
        limits: Limits = Limits(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.registry = registry
        self.device = device
        self.limits = limits
        self._store = store
        self._memory = memory
        self._turns = Turns(clock)
        self._workplace = Workplace(device, store, memory, self._turns, clock)
        self._lock = threading.RLock()
        self._pending: list[Job] = []
        self._active: dict[Job, Run] = {}
        self._typical: dict[str, float] = {}  # device seconds that a job of this model usually takes
        self._numbers = itertools.count()
        self._work: queue.SimpleQueue[Run | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = threading.Event()
        self._watchdog = threading.Thread(target=self._watch, name="polymuse-watchdog", daemon=True)
        self._watchdog.start()

    # The Engine protocol -------------------------------------------------------------------------------------------

    def submit(self, model_id: str, request: Request, user: str) -> Job:
        """See Engine.submit."""
        spec = self.registry[model_id]
        if not spec.takes(request):
            raise BadRequest(f"{spec.title} answers {spec.request.__name__}s, not {type(request).__name__}s.")
        job = Job(model_id, request, user, next(self._numbers))
        job.place = lambda: self._place(job)
        job.on_stop = lambda: self._stopped(job)
        with self._lock:
            self._refuse_if_too_much(user)
            self._pending.append(job)
            self._admit()
            if job in self._pending:
                job.post(self._place(job))
        return job

    def status(self) -> Status:
        """See Engine.status."""
        with self._lock:
            running, queued = len(self._active), len(self._pending)
        memory = self._memory
        return Status(self.device, memory.budget, memory.used(), memory.held(), running, queued)

    def look(self, model_id: str) -> Availability:
        """See Engine.look."""
        return self._store.look(self.registry[model_id].weights)

    def fits(self, model_id: str) -> bool:
        """See Engine.fits."""
        return self._memory.fits(self.registry[model_id])

    def close(self, timeout: float = 10.0) -> None:
        """Take no more jobs and end those there are; waits up to `timeout` seconds for their threads to let go."""
        with self._lock:
            self._closed.set()
            jobs = [*self._pending, *self._active]
        for job in jobs:
            job.stop(EngineClosed("The server is stopping. Send the request again when it is back."))
        until = time.monotonic() + timeout
        for job in jobs:
            job.wait_let_go(max(0.0, until - time.monotonic()))
        with self._lock:
            for _ in self._threads:
                self._work.put(None)

    def used(self, user: str) -> float:
        """Device seconds that this user has taken so far."""
        return self._turns.used(user)

    # Admission -----------------------------------------------------------------------------------------------------

    def _refuse_if_too_much(self, user: str) -> None:
        if self._closed.is_set():
            raise EngineClosed("The server is stopping. Send the request again when it is back.")
        mine = sum(job.user == user for job in self._pending)
        if mine >= self.limits.waiting_per_user:
            raise Busy(f"You have {mine} jobs waiting already. Wait for one to finish, or stop one.")
        if len(self._pending) >= self.limits.waiting:
            raise Busy(f"{len(self._pending)} jobs are waiting already, as many as this server takes. Try again soon.")

    def _queue(self) -> list[Job]:
        """The waiting jobs in the order in which they will start: users in rotation, least device time first."""
        turns = Counter(job.user for job in self._active)
        order: dict[Job, tuple[int, float, int]] = {}
        for job in self._pending:
            order[job] = (turns[job.user], self._turns.level(job.user), job.number)
            turns[job.user] += 1
        return sorted(self._pending, key=order.__getitem__)

    def _admit(self) -> None:
        with self._lock:
            for job in self._queue():
                mine = sum(other.user == job.user for other in self._active)
                if len(self._active) < self.limits.threads and mine < self.limits.per_user:
                    self._pending.remove(job)
                    self._start(job)

    def _start(self, job: Job) -> None:
        run = self._active[job] = Run(job, self.registry[job.model_id], self._workplace)
        self._work.put(run)
        if self._idle:
            self._idle -= 1
        else:
            name = f"polymuse-{len(self._threads) + 1}"
            self._threads.append(threading.Thread(target=self._serve, name=name, daemon=True))
            self._threads[-1].start()

    def _place(self, job: Job) -> Queued:
        """The job's place among those that wait, and the device time of all before it as far as it can be told."""
        with self._lock:
            order = self._queue()
            position = order.index(job) + 1 if job in order else 1
            ahead = [(other, run.used()) for other, run in self._active.items()]
            ahead += [(other, 0.0) for other in order[: position - 1]]
            typical = [self._typical.get(other.model_id) for other, _ in ahead]
        if None in typical:
            return Queued(position)
        return Queued(position, sum(max(0.0, t - used) for t, (_, used) in zip(typical, ahead, strict=True) if t))

    def _stopped(self, job: Job) -> None:
        """Somebody asked this job to end: at once if it has not begun, else at its next step or wait."""
        with self._lock:
            waiting = job in self._pending
            if waiting:
                self._pending.remove(job)
        if waiting:
            job.end(Cancelled())
            job.let_go()
        self._turns.wake()
        self._memory.wake()

    # Running -------------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        """A worker thread's life: run after run."""
        while (run := self._work.get()) is not None:
            run.run()
            with self._lock:
                self._idle += 1  # first, or a thread would be started for the job that is let in now
                self._finished(run)
            run.job.let_go()
            del run  # or this frame would keep the run, and what it holds, until the next one

    def _finished(self, run: Run) -> None:
        with self._lock:
            if self._active.pop(run.job, None) is not None and run.job.state == "done":
                before = self._typical.get(run.job.model_id, run.used())
                self._typical[run.job.model_id] = 0.7 * before + 0.3 * run.used()
            self._admit()

    def _watch(self) -> None:
        while not self._closed.wait(1.0):
            self.check_deadlines()

    def check_deadlines(self) -> None:
        """End the jobs that have computed for too long without a sign, and let others use the device.

        A thread cannot be killed: it keeps its memory leased until it comes back, and ends at its next emit.
        """
        with self._lock:
            late = [run for run in self._active.values() if run.silent_for() > self.limits.silence_s]
        for run in late:
            run.abandon()
            self._finished(run)

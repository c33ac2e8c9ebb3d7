"""The one line that says what a run is doing, as HTML: pure functions from values to str.

Each line is a live region. Screen readers hear the state when it changes ("Writing", "Done"); the figures that change
many times a second are hidden from them, or the region would never be silent. The element is the same in every state,
empty when idle: a region that comes and goes is not announced. Everything that is not ours is escaped.
"""

from __future__ import annotations

from html import escape
from typing import Literal

from pipelines.errors import format_bytes
from pipelines.events import Preview, Progress, Queued, Sound, Update

State = Literal["idle", "queued", "fetching", "loading", "running", "stopped", "failed", "done"]


def idle() -> str:
    """Nothing to say yet; the region is there so that what follows is announced."""
    return _line("idle", "")


def queued(event: Queued) -> str:
    """Who is ahead, and how long that should take, once that is known."""
    ahead = event.position - 1
    place = "Next in line" if ahead < 1 else f"Waiting, {ahead} ahead of you"
    wait = "" if event.ahead_s is None else f"about {duration(event.ahead_s)}"
    return _line("queued", place, wait)


def fetching(event: Progress) -> str:
    """Weights on their way, in bytes; `event.label` says whose."""
    figures = format_bytes(event.done) + (f" of {format_bytes(event.total)}" if event.total else "")
    return _line("fetching", event.label or "Fetching the weights", figures, _bar(event))


def loading(label: str = "Loading the model") -> str:
    """Under way, with nothing to measure: weights into memory, the first step."""
    return _line("loading", label)


def writing(tokens: int, seconds: float) -> str:
    """Text is being made: how much so far, and how fast since its first token."""
    return _line("running", "Writing", _speed(tokens, seconds))


def working(event: Progress, left_s: float | None = None) -> str:
    """Something with a known number of steps, and how many seconds are left, where that is known."""
    figures = f"{event.done} of {event.total} {event.unit}" if event.total else f"{event.done} {event.unit}"
    if left_s:
        figures += f", about {duration(left_s)} left"
    return _line("running", event.label or "Working", figures, _bar(event))


def speaking(event: Progress, seconds: float) -> str:
    """Sound is being made: how many seconds there are so far, of how many pieces of the text."""
    return _line("running", event.label or "Speaking", f"{duration(seconds)} of sound", _bar(event))


def composing(bar: int, bars: int, notes: int) -> str:
    """Music is being written: how many notes so far, up to which bar."""
    return _line("running", "Composing", f"{notes} notes, bar {bar + 1} of {bars}", _bar(Progress(bar, bars)))


def stopped(kept: str = "") -> str:
    """The visitor pressed Stop; `kept` says what there is of the result."""
    return _line("stopped", "Stopped", kept)


def over(line: str) -> str:
    """The last line of a run that has ended. One that was given up, with its page, never came to say how it went."""
    ends = any(f'data-state="{state}"' in line for state in ("stopped", "failed", "done"))
    return line if ends else stopped()


def failed(message: str) -> str:
    """What happened and what to do about it, announced at once."""
    return _line("failed", message)


def done(summary: str) -> str:
    """The result is there; `summary` is its size and time, as from `written`."""
    return _line("done", "Done", summary)


def written(tokens: int, seconds: float) -> str:
    """The summary of a finished or stopped text."""
    return f"{_speed(tokens, seconds)}, {duration(seconds)}"


def of(update: Update) -> str | None:
    """The line for an update that says all by itself; None for tokens, which only a count of them makes readable."""
    match update:
        case Queued():
            return queued(update)
        case Progress(unit="bytes"):
            return fetching(update)
        case Progress(done=0, total=0):
            return loading(update.label or "Loading the model")
        case Progress():
            return working(update)
        case Preview(step=step, total=total):
            return working(Progress(step, total))
        case Sound(samples=samples, rate=rate):
            return _line("running", "Playing", f"{len(samples) / rate:.1f} s more")
        case _:
            return None


def duration(seconds: float) -> str:
    """Seconds as a person says them: duration(0.42) == '0.4 s', duration(95) == '1 min 35 s'."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 10:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _speed(tokens: int, seconds: float) -> str:
    count = f"{tokens} token{'' if tokens == 1 else 's'}"
    return f"{count}, {tokens / seconds:.1f} per second" if tokens and seconds > 0 else count


def _line(state: State, text: str, figures: str = "", bar: str = "") -> str:
    role = 'role="alert"' if state == "failed" else 'role="status" aria-live="polite"'
    final = state in ("done", "stopped", "queued")  # rare enough to be read out with their figures
    hidden = "" if final else ' aria-hidden="true"'
    parts = [
        f'<span class="pm-state-text">{escape(text)}</span>' if text else "",
        f'<span class="pm-state-figures"{hidden}>{escape(figures)}</span>' if figures else "",
        bar,
    ]
    return f'<div class="pm-state" data-state="{state}" {role}>{"".join(parts)}</div>'


def _bar(event: Progress) -> str:
    """A progress bar, or one that says that nobody knows how long."""
    if not event.total:
        return '<span class="pm-bar" role="progressbar" aria-label="Progress"></span>'
    percent = min(100.0, 100 * event.done / event.total)
    return (
        '<span class="pm-bar" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{percent:.0f}"><span style="width:{percent:.1f}%"></span></span>'
    )

"""What X-ray saw of the last answer: its tokens, and the branches that grew from “what if”.

It stays with the server. The page is shown probabilities and words, and says by numbers alone what was pressed.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.chat import ChatRequest, Message
from pipelines.errors import BadRequest
from pipelines.events import Token
from ui import files

MOST_BRANCHES = 24
MOST_TOKENS = 6_000  # of all branches together, about two kilobytes each
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
QUOTED = 48  # characters of a branch that its name shows

HINTS = {
    "empty": "Ask for something: every word will show how likely it was, and what else could have come.",
    "unseen": "This answer was written unwatched. Regenerate writes a watched one: with the same seed, the same.",
}


@dataclass
class Branch:
    """One way the answer went: the request that wrote it, and all of its tokens from the first on.

    Up to `at` they are those of its `parent`, a branch by its number; -1 is nobody's.
    """

    request: ChatRequest
    parent: int = -1
    at: int = 0
    tokens: list[Token] = field(default_factory=list)
    text: str = ""
    surprise: float = 0.0  # in bits, at all tokens together
    id: str = field(default_factory=lambda: secrets.token_urlsafe(6))
    _packed: list[str] = field(default_factory=list)
    _done: int = 0

    def add(self, token: Token) -> None:
        """The next token, which was watched."""
        self.tokens.append(token)
        self.text += token.text
        self.surprise -= math.log2(max(token.p, 1e-12))

    @property
    def bits(self) -> float:
        """Mean surprise at its tokens, in bits; two to the power of that is its perplexity."""
        return self.surprise / max(1, len(self.tokens))

    def packed(self) -> list[str]:
        """The tokens as the page reads them: those of each update in one text, so that the next only adds one."""
        if new := self.tokens[self._done :]:
            self._packed.append(json.dumps([_packed(token) for token in new], ensure_ascii=False))
            self._done = len(self.tokens)
        return [*self._packed]

    def with_instead(self, at: int, alternative: int) -> list[Token]:
        """The tokens up to `at`, and an alternative in the place of that one."""
        token = self.tokens[at]
        assert token.xray is not None  # or it would be on no branch
        other = token.xray.alternatives[alternative]
        xray = replace(token.xray, rank=alternative + 1, drawn=other.drawn, end=other.end)
        return [*self.tokens[:at], Token(other.text, other.id, other.p, xray)]


@dataclass
class Tree(files.Keeper):
    """One visitor's X-ray: whether it is on, the branches of the last answer that it saw, and which are in view.

    The one `taken` is the conversation's answer; another may be shown `beside` it, to compare.
    """

    on: bool = False
    branches: list[Branch] = field(default_factory=list)
    taken: int = 0
    beside: int = -1

    @property
    def used(self) -> bool:
        return bool(self.branches) or super().used

    def begin(self, request: ChatRequest) -> Branch | None:
        """Another answer begins: what was seen of the one before goes. None if this one is not to be watched."""
        self.branches = [Branch(request)] if request.xray else []
        self.taken, self.beside = 0, -1
        return self.branches[0] if request.xray else None

    def what_if(self, branch: int, at: int, alternative: int) -> Branch | None:
        """The branch where that token is instead, which is taken; None if it is there already, from now on taken.

        Raises BadRequest where there is no such token, and when the tree is full.
        """
        try:
            tokens = self.branches[_natural(branch)].with_instead(_natural(at), _natural(alternative))
        except IndexError:
            raise BadRequest("That answer is no longer here.") from None
        ids = [token.id for token in tokens]
        for number, other in enumerate(self.branches):
            if [token.id for token in other.tokens[: at + 1]] == ids:
                self.taken, self.beside = number, -1
                return None
        grown = sum(len(one.tokens) - one.at for one in self.branches)
        if len(self.branches) == MOST_BRANCHES or grown >= MOST_TOKENS:
            raise BadRequest(f"{len(self.branches)} branches are as many as are kept. Regenerate begins a new tree.")
        request = self.branches[branch].request.model_copy(update={"begin_with": tuple(ids)})
        while self.branches[branch].parent >= 0 and at <= self.branches[branch].at:
            branch = self.branches[branch].parent  # it is where this one has its tokens from
        grows = Branch(request, branch, at)
        for token in tokens:
            grows.add(token)
        self.branches.append(grows)
        self.taken, self.beside = len(self.branches) - 1, -1
        return grows

    def take(self, branch: int) -> Branch:
        """Make this the branch that is the answer. Raises BadRequest where there is none."""
        if not 0 <= branch < len(self.branches):
            raise BadRequest("That branch is no longer here.")
        self.taken, self.beside = branch, -1
        return self.branches[branch]

    def compare(self, branch: int) -> None:
        """Show this branch beside the taken one; no longer, if it is there."""
        if not 0 <= branch < len(self.branches) or branch == self.taken:
            raise BadRequest("That branch is no longer here.")
        self.beside = -1 if self.beside == branch else branch

    def fits(self, messages: Sequence[Message]) -> bool:
        """Whether this conversation ends with the branch that is taken, or with its question."""
        if not self.branches:
            return False
        request, text = self.branches[self.taken].request, self.branches[self.taken].text
        asked = [*request.said]
        return list(messages) in (asked, [*asked, Message(role="assistant", content=text, pictures=0)])

    def view(self, messages: Sequence[Message], writing: bool) -> dict[str, Any]:
        """What the page is shown. While something is written, only the ends of lists of texts change."""
        if not self.on:
            return {"state": "off"}
        if not self.fits(messages):
            state = "unseen" if messages else "empty"
            return {"state": state, "hint": HINTS[state]}
        numbers = [self.taken] if self.beside < 0 else [self.taken, self.beside]
        return {
            "state": "writing" if writing else "written",
            "ways": [self._way(number) for number in range(len(self.branches))] if len(self.branches) > 1 else [],
            "taken": self.taken,
            "beside": self.beside,
            "apart": self._apart(*numbers) if len(numbers) == 2 else -1,
            "panes": [self._pane(number) for number in numbers],
        }

    def _pane(self, number: int) -> dict[str, Any]:
        branch = self.branches[number]
        packed = branch.packed()
        figures = {"count": len(branch.tokens), "bits": round(branch.bits, 3), "perplexity": round(2**branch.bits, 2)}
        return {
            "id": branch.id,
            "branch": number,
            "letter": LETTERS[number],
            "packed": packed,
            "at": branch.at,
            **figures,
        }

    def _way(self, number: int) -> dict[str, Any]:
        """A branch in words."""
        branch = self.branches[number]
        depth, parent = 0, branch.parent
        while parent >= 0:
            depth, parent = depth + 1, self.branches[parent].parent
        if branch.parent < 0:
            instead, than, rest = "", "", branch.text
        else:
            instead = _named(branch.tokens[branch.at])
            than = _named(self.branches[branch.parent].tokens[branch.at])
            rest = "".join(token.text for token in branch.tokens[branch.at + 1 :][:QUOTED])
        quoted = rest[:QUOTED] + ("…" if len(rest) > QUOTED else "")
        return {"letter": LETTERS[number], "depth": depth, "instead": instead, "than": than, "text": quoted} | {
            "at": branch.at + 1,
            "bits": round(branch.bits, 2),
        }

    def _apart(self, one: int, other: int) -> int:
        """Where two branches first differ."""
        ids = [[token.id for token in self.branches[number].tokens] for number in (one, other)]
        same = 0
        while same < min(map(len, ids)) and ids[0][same] == ids[1][same]:
            same += 1
        return same


def _natural(number: int) -> int:
    """The number, if it counts from the beginning of a list; Python would count from its end, too."""
    if number < 0:
        raise IndexError
    return number


def _named(token: Token) -> str:
    """A token's text; its end has none, and half a character neither."""
    if token.xray is not None and token.xray.end:
        return "■ end"
    return token.text or "…"


def _packed(token: Token) -> list[Any]:
    """One token for the page: no ids, and figures as precise as can be seen."""
    xray = token.xray
    assert xray is not None
    own = next((place for place, one in enumerate(xray.alternatives) if one.id == token.id), -1)
    alternatives = [[one.text, _short(one.p), _short(one.drawn), int(one.end)] for one in xray.alternatives]
    figures = [_short(token.p), _short(xray.drawn), round(xray.entropy, 3), xray.rank]
    return [token.text, *figures, int(xray.end), own, alternatives]


def _short(p: float) -> float:
    return float(f"{p:.3g}")

"""Branches share what they have in common, compare where they part, and believe nothing that a page says."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

import pytest

from pipelines.chat import ChatRequest, Message
from pipelines.errors import BadRequest
from pipelines.events import Alternative, Token, Xray
from ui.chat_talk import Conversation
from ui.chat_tree import MOST_BRANCHES, MOST_TOKENS, Branch, Tree

QUESTION = Message(role="user", content="hi")
WORDS = ("One", " day", " a", " <b>robot</b>", "\n", "")  # the last one ends it


def seen(word: str, number: int, p: float = 0.5) -> Token:
    """A watched token; its number times ten and the tens after it are the ids of its alternatives."""
    others = tuple(Alternative(f"{word}{one}", number * 10 + one, 0.1, 0.0) for one in (1, 2))
    own = Alternative(word, number * 10, p, 1.0, end=not word)
    return Token(word, own.id, p, Xray(1.5, 1, 1.0, (own, *others), end=not word))


def answered(*words: str, on: bool = True) -> tuple[Tree, list[Message]]:
    """A tree whose first branch has these words, and the conversation that it fits."""
    tree = Tree(on=on)
    branch = tree.begin(ChatRequest.model_validate({"message": "hi", "xray": True}))
    assert branch is not None
    for number, word in enumerate(words):
        branch.add(seen(word, number))
    return tree, [QUESTION, Message(role="assistant", content=branch.text)]


def grown() -> tuple[Tree, list[Message]]:
    """Three branches: the answer, one that parts from it at token 2, and one that parts from that at token 4."""
    tree, _ = answered(*WORDS)
    for at, other in ((2, 1), (4, 2)):
        branch = tree.what_if(tree.taken, at, other)
        assert branch is not None
        for number in range(at + 1, 6):
            branch.add(seen(f" {number}", 10 * at + number))
    return tree, [QUESTION, Message(role="assistant", content=tree.branches[2].text)]


def ids(branch: Branch) -> list[int]:
    return [token.id for token in branch.tokens]


def view(tree: Tree, messages: list[Message], writing: bool = False) -> dict[str, Any]:
    """What the page is shown, as it is sent."""
    sent: dict[str, Any] = json.loads(json.dumps(tree.view(messages, writing)))
    return sent


def test_a_branch_is_asked_to_begin_with_what_was_chosen_and_with_nothing_else_changed() -> None:
    tree, _ = answered(*WORDS)
    branch = tree.what_if(0, 2, 1)
    assert branch is not None and tree.branches[tree.taken] is branch
    assert ids(branch) == [0, 10, 21] and branch.text == "One day a1"
    root = tree.branches[0].request
    assert branch.request == root.model_copy(update={"begin_with": (0, 10, 21)})


def test_what_was_chosen_is_shown_with_its_own_figures() -> None:
    tree, _ = answered(*WORDS)
    branch = tree.what_if(0, 1, 2)
    assert branch is not None
    last = branch.tokens[-1]
    assert last.xray is not None and (last.p, last.xray.rank, last.xray.drawn, last.xray.end) == (0.1, 3, 0.0, False)
    assert last.xray.entropy == 1.5 and last.xray.alternatives == seen(" day", 1).xray.alternatives  # type: ignore[union-attr]


def test_what_was_there_before_is_returned_to_and_not_written_again() -> None:
    tree, _ = answered(*WORDS)
    first = tree.what_if(0, 2, 1)
    assert first is not None
    first.add(seen("!", 50))
    assert tree.what_if(1, 2, 0) is None and tree.taken == 0
    assert tree.what_if(0, 2, 1) is None and tree.taken == 1
    assert tree.what_if(1, 1, 0) is None and tree.taken == 0  # the first that went there
    assert len(tree.branches) == 2


def test_a_branch_hangs_where_its_tokens_come_from() -> None:
    tree, _ = grown()
    assert [(branch.parent, branch.at) for branch in tree.branches] == [(-1, 0), (0, 2), (1, 4)]
    tree.what_if(2, 4, 1)  # instead of what the third began with
    tree.what_if(2, 1, 1)  # in what all have in common
    assert [(branch.parent, branch.at) for branch in tree.branches[3:]] == [(1, 4), (0, 1)]
    depths = [way["depth"] for way in view(tree, [QUESTION])["ways"]]
    assert depths == [0, 1, 2, 2, 1]


def test_branches_grow_apart_and_leave_each_other_alone() -> None:
    tree, _ = grown()
    assert ids(tree.branches[0]) == [0, 10, 20, 30, 40, 50]
    assert ids(tree.branches[1])[:3] == [0, 10, 21] and ids(tree.branches[2])[:4] == ids(tree.branches[1])[:4]


def test_a_branch_can_be_returned_to_and_is_then_the_answer_that_fits() -> None:
    tree, messages = grown()
    assert tree.fits(messages)
    branch = tree.take(0)
    assert not tree.fits(messages) and branch.text == "".join(WORDS)
    assert tree.fits([QUESTION, Message(role="assistant", content=branch.text)])


def test_comparing_tells_where_two_branches_part() -> None:
    tree, messages = grown()
    assert view(tree, messages)["apart"] == -1
    tree.compare(0)
    told = view(tree, messages)
    assert (told["taken"], told["beside"], told["apart"]) == (2, 0, 2)
    assert [pane["branch"] for pane in told["panes"]] == [2, 0]
    tree.compare(1)
    assert view(tree, messages)["apart"] == 4
    tree.compare(1)
    assert view(tree, messages)["beside"] == -1 and len(view(tree, messages)["panes"]) == 1


@pytest.mark.parametrize(
    "numbers", [(0, 6, 0), (0, 0, 3), (3, 0, 0), (-1, 0, 0), (0, -1, 0), (0, 0, -1), (10**12, 0, 0)]
)
def test_what_is_not_there_cannot_be_chosen(numbers: tuple[int, int, int]) -> None:
    tree, messages = grown()
    before = view(tree, messages)
    with pytest.raises(BadRequest, match="no longer here"):
        tree.what_if(*numbers)
    for wrong in (-1, 3):
        with pytest.raises(BadRequest, match="no longer here"):
            tree.take(wrong)
        with pytest.raises(BadRequest, match="no longer here"):
            tree.compare(wrong)
    with pytest.raises(BadRequest, match="no longer here"):
        tree.compare(tree.taken)
    assert view(tree, messages) == before


def test_a_tree_does_not_grow_without_end() -> None:
    tree, _ = answered(*(str(number) for number in range(40)))
    for at in range(1, MOST_BRANCHES):
        tree.what_if(0, at, 1)
    with pytest.raises(BadRequest, match="as many as are kept"):
        tree.what_if(0, 30, 1)
    tree, _ = answered(*["x"] * MOST_TOKENS)
    with pytest.raises(BadRequest, match="as many as are kept"):
        tree.what_if(0, 30, 1)


def test_another_answer_begins_a_new_tree() -> None:
    tree, _ = grown()
    tree.compare(0)
    assert tree.begin(ChatRequest.model_validate({"message": "and"})) is None
    assert (tree.branches, tree.taken, tree.beside) == ([], 0, -1)


def test_perplexity_and_surprise_are_those_of_the_models_own_probabilities() -> None:
    tree, _ = answered()
    branch = tree.branches[0]
    for number, p in enumerate((0.5, 0.25, 0.125)):
        branch.add(seen("x", number, p))
    assert branch.bits == pytest.approx(2)
    (pane,) = view(tree, [QUESTION, Message(role="assistant", content="xxx")])["panes"]
    assert (pane["bits"], pane["perplexity"], pane["count"]) == (2, 4, 3)
    nats = [math.log(p) for p in (0.5, 0.25, 0.125)]
    assert pane["perplexity"] == pytest.approx(math.exp(-sum(nats) / 3))


def test_while_it_is_written_only_the_end_of_a_list_changes() -> None:
    """Or gradio would send all of it again with every token."""
    tree, _ = answered()
    sent = []
    for number, word in enumerate(WORDS):
        tree.branches[0].add(seen(word, number))
        sent.append(view(tree, [QUESTION], writing=True)["panes"][0]["packed"])
    assert [len(packed) for packed in sent] == [1, 2, 3, 4, 5, 6]
    assert all(later[:-1] == earlier for earlier, later in pairwise(sent))
    tokens = [token for packed in sent[-1] for token in json.loads(packed)]
    assert [token[0] for token in tokens] == list(WORDS)


def test_the_page_is_told_no_ids_and_only_text_in_texts() -> None:
    tree, messages = answered(*WORDS)
    (pane,) = view(tree, messages)["panes"]
    assert all(type(packed) is str for packed in pane["packed"])
    token = json.loads(pane["packed"][0])[3]
    assert token == [" <b>robot</b>", 0.5, 1.0, 1.5, 1, 0, 0, [[" <b>robot</b>", 0.5, 1.0, 0], *token[7][1:]]]
    assert "30" not in pane["packed"][0]


def test_a_branch_is_named_by_what_is_different_in_it() -> None:
    tree, messages = grown()
    ways = view(tree, messages)["ways"]
    assert [way["letter"] for way in ways] == ["A", "B", "C"]
    assert (ways[1]["instead"], ways[1]["than"], ways[1]["at"]) == (" a1", " a", 3)
    tree, messages = answered(*WORDS)
    tree.what_if(0, 5, 1)
    assert view(tree, [QUESTION])["ways"][1]["than"] == "■ end"


@pytest.mark.parametrize(
    ("messages", "writing", "state"),
    [
        ([], False, "empty"),
        ([QUESTION, Message(role="assistant", content="another answer")], False, "unseen"),
        ([Message(role="user", content="another question")], True, "unseen"),
        ([QUESTION, Message(role="assistant", content="One")], False, "written"),
        ([QUESTION], True, "writing"),
    ],
)
def test_only_the_answer_that_was_seen_is_shown(messages: list[Message], writing: bool, state: str) -> None:
    tree, _ = answered("One")
    told = view(tree, messages, writing)
    assert told["state"] == state and ("panes" in told) == (state in ("written", "writing"))
    tree.on = False
    assert view(tree, messages, writing) == {"state": "off"}


def test_a_visitor_who_has_a_tree_is_known_again() -> None:
    assert not Tree().used and not Tree(on=True).used
    assert answered("One")[0].used


def test_what_comes_after_stop_is_not_on_the_branch_either() -> None:
    """Or the answer would count as one that was written unwatched."""
    tree, talk = Tree(on=True), Conversation()
    request = ChatRequest.model_validate({"message": "hi", "xray": True})
    talk.say(request, tree.begin(request))
    draft = talk.draft
    assert draft is not None
    draft.add(seen("One", 0))
    talk.settle()
    draft.add(seen(" day", 1))  # was on its way
    assert tree.fits(talk.messages) and talk.messages[-1].content == "One"

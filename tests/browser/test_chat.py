"""A visitor's conversation, from the first key to the last: in a real browser, with the real model."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Chat

pytestmark = pytest.mark.browser

STORY = "Write a long story about a robot who learns to garden."


def test_the_answer_grows_before_the_visitors_eyes(chat: Chat) -> None:
    chat.page.evaluate(
        """() => {
            window.seen = [];
            new MutationObserver(() => {
                const text = document.querySelector('#pm-chat [data-testid=bot]')?.innerText ?? '';
                if (text && text !== window.seen.at(-1)) window.seen.push(text);
            }).observe(document.querySelector('#pm-chat'), { subtree: true, childList: true, characterData: true });
        }"""
    )
    chat.set(longest=160)
    chat.ask(STORY)
    expect(chat.questions).to_have_text([STORY])
    expect(chat.prompt).to_have_value("")
    chat.expect_done()
    seen: list[str] = chat.page.evaluate("window.seen")
    assert len(set(seen)) >= 5
    assert all(len(earlier) < len(later) for earlier, later in pairwise(seen))
    assert seen[-1] == chat.answers.inner_text()
    expect(chat.state).to_contain_text("160 tokens")
    expect(chat.state).to_contain_text("cut at the longest answer allowed")


def test_regenerate_answers_again_and_the_same_seed_says_the_same(chat: Chat) -> None:
    chat.set(longest=8, temperature=2, seed=1)
    chat.ask("Tell me something.")
    chat.expect_done()
    first = chat.answers.inner_text()
    chat.regenerate()
    expect(chat.answers).to_have_text([first])
    chat.set(seed=2)
    chat.regenerate()
    expect(chat.answers).to_have_count(1)
    assert chat.answers.inner_text() != first
    chat.page.get_by_role("button", name="Settings").click()
    expect(chat.page.get_by_label("New each time")).not_to_be_checked()  # since a seed was typed
    chat.page.get_by_label("New each time").check()
    chat.regenerate()
    expect(chat.page.get_by_label("Seed")).not_to_have_value("2")


def test_an_edited_message_is_answered_anew_and_what_came_after_is_gone(chat: Chat) -> None:
    chat.set(longest=4)
    for number, question in enumerate(("Name a colour.", "Name an animal."), 1):
        chat.ask(question)
        expect(chat.answers).to_have_count(number)
        chat.expect_done()
    chat.page.get_by_role("button", name="Edit").first.click()
    chat.page.locator("#pm-chat textarea").fill("Name a fruit.")
    chat.page.locator("#pm-chat").get_by_role("button", name="Submit").click()
    expect(chat.questions).to_have_text(["Name a fruit."])
    chat.expect_done()
    expect(chat.answers).to_have_count(1)
    chat.ask("And another?")
    expect(chat.questions).to_have_text(["Name a fruit.", "And another?"])
    chat.expect_done()
    expect(chat.answers).to_have_count(2)


def test_an_example_is_asked_with_one_click_and_a_new_conversation_is_empty_and_stays_so(chat: Chat) -> None:
    chat.set(longest=4)
    chat.page.get_by_role("button", name="Explain what a rainbow is").click()
    expect(chat.questions).to_have_text(["Explain what a rainbow is to a six-year-old."])
    chat.expect_done()
    chat.page.get_by_role("button", name="New conversation").click()
    expect(chat.questions).to_have_count(0)
    expect(chat.page.get_by_text("Ask for something")).to_be_visible()
    chat.page.reload()
    expect(chat.page.get_by_text("Ask for something")).to_be_visible()
    expect(chat.questions).to_have_count(0)


def test_a_new_conversation_can_begin_in_the_middle_of_an_answer(chat: Chat) -> None:
    chat.set(longest=2000)
    chat.ask(STORY)
    chat.expect_text(longer_than=10)
    chat.page.get_by_role("button", name="New conversation").click()
    expect(chat.questions).to_have_count(0)
    expect(chat.send).to_be_visible()
    chat.expect_idle_server()
    expect(chat.answers).to_have_count(0)


def test_reload_brings_the_conversation_back_and_it_goes_on(chat: Chat) -> None:
    chat.ask("What is the capital of France?")
    chat.expect_done()
    answer = chat.answers.inner_text()
    chat.page.reload()
    expect(chat.questions).to_have_text(["What is the capital of France?"])
    expect(chat.answers).to_have_text([answer])
    chat.set(longest=4)
    chat.ask("Thank you.")
    expect(chat.answers).to_have_count(2)
    chat.expect_done()


def test_reload_in_the_middle_of_an_answer_keeps_the_question_and_stops_the_model(chat: Chat) -> None:
    chat.set(longest=2000)
    chat.ask(STORY)
    chat.expect_text(longer_than=10)
    chat.page.reload()
    expect(chat.questions).to_have_text([STORY])
    expect(chat.state).to_contain_text("Regenerate answers again")
    chat.expect_idle_server()
    chat.set(longest=4)
    chat.page.get_by_role("button", name="Regenerate").click()
    chat.expect_done()
    expect(chat.answers).to_have_count(1)


def test_what_cannot_be_sent_is_named_and_the_prompt_is_kept(chat: Chat) -> None:
    chat.ask("   ")
    expect(chat.page.get_by_text("Write a message first.")).to_be_visible()
    chat.set(seed=-1)
    chat.ask("Do not lose this.")
    expect(chat.page.get_by_text("“seed”: must be greater than or equal to 0")).to_be_visible()
    expect(chat.prompt).to_have_value("Do not lose this.")
    expect(chat.questions).to_have_count(0)
    expect(chat.send).to_be_visible()
    chat.set(seed=0, longest=4)
    chat.send.click()
    chat.expect_done()
    expect(chat.questions).to_have_text(["Do not lose this."])


def test_markdown_and_code_are_rendered_and_markup_is_not(chat: Chat, screenshots: Path) -> None:
    chat.set(longest=90)
    chat.ask(
        "Write a Python function that adds **two** numbers.\n\n```python\ndef add(a, b):\n    ...\n```\n<b id=x>no</b>"
    )
    expect(chat.questions.locator("strong")).to_have_text("two")
    expect(chat.questions.locator("pre code")).to_contain_text("def add(a, b):\n    ...")
    chat.expect_done()
    expect(chat.answers.locator("pre code").first).to_contain_text("def ")
    chat.page.screenshot(path=screenshots / "code.png")

"""What several types say in one message."""

from typing import Any

from policy.catalogue.text_entry import Texts
from policy.rendering.joint_digest import together
from schemas.event import Event
from tests.policy.templates import event, rendering

COUNTED = Texts(body="{{ count }} likes, the last by {{ data.x }}")
LIKES = rendering("push", title="{{ data.x }} likes it", body="{{ data.x }}", digest=COUNTED)
POSTS = rendering("push", title="{{ data.x }} posted", body="a {{ data.x }}", data=("x",))


def several(*values: str) -> list[Event]:
    return [event(x=value) for value in values]


def test_one_type_says_what_it_would_say_alone() -> None:
    likes = several("ann", "bob")
    assert together([(LIKES, likes)], "en") == LIKES.digest(likes, "en")


def test_the_first_gives_title_and_data_and_each_other_begins_with_its_title() -> None:
    told = together([(POSTS, several("cat", "dog")), (LIKES, several("ann", "bob"))], "en")
    assert told.title == "dog posted"
    assert told.data == {"x": "dog"}
    assert told.body == "a cat\na dog\nbob likes it\n2 likes, the last by bob"


def test_parts_without_a_title_have_none() -> None:
    bare = rendering("sms", body="{{ data.x }}")
    told = together([(bare, several("a", "b")), (bare, several("c"))], "en")
    assert (told.title, told.body) == ("", "a\nb\nc")


def test_parts_that_the_channel_does_not_hold_are_counted_by_their_events() -> None:
    long = [several("w" * 300, "w" * 300) for _ in range(9)]
    told = together([(POSTS, events) for events in long], "en")
    *lines, last = told.body.split("\n")
    assert (len(lines), last) == (2 + 2 * 3, "+12")  # two lines, and three of each other part
    longer = f"{told.body}\n" + "\n".join(lines[-3:])
    assert POSTS.room.holds(told.title, told.body, told.data)
    assert not POSTS.room.holds(told.title, longer, told.data)


def test_fifty_parts_are_told_at_most() -> None:
    mail = rendering("email", title="Hi", body="{{ data.x }}")
    told = together([(mail, several("a"))] * 60, "en")
    assert told.body == "\n\n".join(["a", *["Hi\na"] * 49]) + "\n+10"


def test_a_mail_about_tickets_tells_of_assignments_and_comments() -> None:
    """Tickets as the events of Novu's recipe for a daily mail about several workflows have them.

    https://docs.novu.co/recipes/workflows/multi-workflow-digest: assignments and comments make one
    mail at eight, in which each ticket is named with what happened to it.
    """
    author = {"id": "user_1", "name": "Pawan", "userName": "jainpawan21"}

    def ticket(kind: str, **more: Any) -> Event:
        title = "I18n is not working in SMS and Chat steps"
        return event(
            type=f"ticket:{kind}",
            workspaceId="novu",
            ticket={"id": "ticket_1", "title": title, "descreption": title, "status": "open"},
            **more,
        )

    title = "{{ data.ticket.id }} {{ data.ticket.title }}"
    assign = rendering(
        "email",
        title=title,
        body="{{ data.assign.author.userName }} assigned this issue to you",
        html="<p>{{ data.ticket.id }}</p>",
    )
    comment = rendering(
        "email",
        title=title,
        body="{{ data.comment.author.userName }} mentioned you in a comment",
    )
    assigned = [ticket("assign", assign={"author": author})]
    commented = [ticket("comment", comment={"id": "1", "text": "See?", "author": author})]
    told = together([(comment, commented), (assign, assigned)], "en")
    named = "ticket_1 I18n is not working in SMS and Chat steps"
    assert told.title == named
    assert told.body == (
        f"jainpawan21 mentioned you in a comment\n\n{named}\njainpawan21 assigned this issue to you"
    )
    assert told.html == ""

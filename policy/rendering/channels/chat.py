"""What a message in a chat may carry: as much as each of the platforms shows."""

from collections.abc import Mapping
from typing import Any

from policy.rendering.sandbox.plain_text import MARK, cut

MOST = 2000
"""Characters of title and body together. A section of Slack's holds 3,000; an embed of Discord's
4,096, where each character may need a second one to stand for itself."""


class ChatRoom:
    """Room for a title and a body."""

    def holds(self, title: str, body: str, data: Mapping[str, Any]) -> bool:
        """Whether the body fits beside the title."""
        return len(title) + len(body) <= MOST

    def fitted(self, title: str, body: str, data: Mapping[str, Any], tail: str = "") -> str:
        """The body and its tail, cut where it is too long, "…" for the rest."""
        if self.holds(title, body + tail, data):
            return body + tail
        end = MARK + tail
        return cut(body, MOST - len(title) - len(end)) + end

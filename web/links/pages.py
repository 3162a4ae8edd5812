"""The pages of the unsubscribe link: plain, small, and of use without scripts or pictures."""

from html import escape

from policy.user.preference_matrix import Remainder
from web.http.languages import spoken
from web.links.words import WORDS

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1.125rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto;
  padding: 0 1rem; }}
button {{ font: inherit; padding: 0.6rem 1.2rem; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""
_FORM = '<form method="post"><input type="hidden" name="do" value="{do}">{button}</form>'


class Pages:
    """The pages in the first language of a browser, or in English."""

    def __init__(self, language: str) -> None:
        self.language, self._words = spoken(WORDS, language)

    def ask(self, category: str, channel: str, left: Remainder) -> str:
        """Asks whether to unsubscribe: to open the link alone changes nothing."""
        return self._of_leaving("ask_title", category, channel, left, "unsubscribe", "leave")

    def done(self, category: str, channel: str, left: Remainder) -> str:
        """Says that it is done, and how to undo it."""
        return self._of_leaving("done_title", category, channel, left, "subscribe", "come_back")

    def back(self, category: str, channel: str) -> str:
        """Says that it is undone."""
        return self._page("back_title", _paragraph(self._said("back", category, channel)))

    def unknown(self) -> str:
        """Says that the link leads nowhere."""
        return self._page("unknown_title", _paragraph(self._words["unknown"]))

    def over(self) -> str:
        """Says that the link was good once."""
        return self._page("over_title", _paragraph(self._words["over"]))

    def later(self) -> str:
        """Says that it could not be done now."""
        return self._page("later_title", _paragraph(self._words["later"]))

    def _of_leaving(
        self, title: str, category: str, channel: str, left: Remainder, do: str, button: str
    ) -> str:
        if left is Remainder.ALL:
            return self._page("needed_title", _paragraph(self._said(left, category, channel)))
        body = _paragraph(self._said("gone", category, channel))
        if left is Remainder.SOME:
            body += _paragraph(self._words[left])
        form = _FORM.format(do=do, button=f"<button>{self._words[button]}</button>")
        return self._page(title, body + form)

    def _said(self, words: str, category: str, channel: str) -> str:
        named = self._words.get(channel, channel)
        what = self._words["what"].format(escape(named), escape(category))
        return self._words[words].format(what)

    def _page(self, title: str, body: str) -> str:
        named = escape(self._words[title])
        return _PAGE.format(language=self.language, title=named, body=body)


def _paragraph(text: str) -> str:
    return f"<p>{text}</p>"

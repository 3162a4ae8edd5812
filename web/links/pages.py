"""The pages of the unsubscribe link: plain, small, and of use without scripts or pictures."""

from html import escape

_PAGE = """<!doctype html>
<html lang="en">
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


def ask_page(category: str, channel: str) -> str:
    """Asks whether to unsubscribe: to open the link alone changes nothing."""
    body = f"<p>You will get no more {_named(category, channel)}.</p>"
    return _page("Unsubscribe?", body + _form("unsubscribe", "Unsubscribe"))


def done_page(category: str, channel: str) -> str:
    """Says that it is done, and how to undo it."""
    body = f"<p>You will get no more {_named(category, channel)}.</p>"
    return _page("You are unsubscribed", body + _form("subscribe", "Subscribe again"))


def back_page(category: str, channel: str) -> str:
    """Says that it is undone."""
    return _page("You are subscribed", f"<p>You will get {_named(category, channel)} again.</p>")


def unknown_page() -> str:
    """Says that the link leads nowhere."""
    return _page("This link is not valid", "<p>Maybe it was cut. Try it from the message.</p>")


def later_page() -> str:
    """Says that it could not be done now."""
    return _page("Please try again", "<p>It could not be stored just now; nothing was changed.</p>")


def _named(category: str, channel: str) -> str:
    means = {"email": "e-mail", "sms": "text messages", "push": "push messages"}
    return f"{escape(means.get(channel, channel))} about <strong>{escape(category)}</strong>"


def _form(do: str, label: str) -> str:
    return _FORM.format(do=do, button=f"<button>{label}</button>")


def _page(title: str, body: str) -> str:
    return _PAGE.format(title=escape(title), body=body)

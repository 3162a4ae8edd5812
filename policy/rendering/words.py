"""Whether a template says something in a language, or only shows what an event holds."""

import re

from jinja2 import TemplateSyntaxError
from jinja2.nodes import Const, Filter, TemplateData

from policy.rendering.sandbox.template import parse_template

_TAG = re.compile(r"<style\b.*?</style>|<[^>]*>|&\w+;", re.DOTALL)


def has_words(source: str) -> bool:
    """Whether a translator would have to see it, for its letters; not where it can't be read."""
    try:
        tree = parse_template(source)
    except TemplateSyntaxError:
        return False  # what is wrong with it is told elsewhere
    said = [_TAG.sub(" ", node.data) for node in tree.find_all(TemplateData)]
    for plural in tree.find_all(Filter):
        if plural.name == "plural":
            forms = (form.value for form in plural.kwargs)
            said += [str(form.value) for form in forms if isinstance(form, Const)]
    return any(letter.isalpha() for letter in "".join(said))

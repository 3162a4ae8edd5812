"""What a module says of its fields: the text right after each one."""

import ast
import inspect
import textwrap
from typing import Any


def field_docs(kind: type[Any]) -> dict[str, str]:
    """By field or member of a class, the literal text that follows it, in one paragraph."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for statement, after in zip(tree.body, tree.body[1:], strict=False):
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                    found[name] = " ".join(str(after.value.value).split())
    return found


def paragraphs(kind: Any) -> str:
    """What a class, an enum or a function says of itself, without its line breaks."""
    text = inspect.cleandoc(kind.__doc__ or "")
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))

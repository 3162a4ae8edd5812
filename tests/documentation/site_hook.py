"""What mkdocs needs to build a site from pages that are written to be read in the repository.

Documents of the top folder become pages of the site, and so does each source file that a page links
to. The links themselves stay as a forge needs them: relative paths within the repository.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

DOCS = "docs"
TOP = {
    "README.md": "overview.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
"""Pages of the site that stand outside of `docs`, by their paths in the repository."""
SOURCES = "source"
"""The folder of the site that shows source files."""
_LINK = re.compile(r"(?<!\!)\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^(?P<fence>```|~~~).*?^(?P=fence)\s*$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_LANGUAGES = {".py": "python", ".toml": "toml", ".json": "json", ".sql": "sql", ".js": "javascript"}


def links_of(markdown: str) -> Iterator[re.Match[str]]:
    """Each link to another place of the repository, its target as group 1; code has none."""
    code = [match.span() for match in _CODE.finditer(markdown)]
    for match in _LINK.finditer(markdown):
        outside = not any(begin <= match.start() < end for begin, end in code)
        if outside and not urlsplit(match[1]).scheme:
            yield match


def target_of(page: str, link: str) -> tuple[str, str]:
    """Where in the repository a page's link leads: the path, and the anchor or an empty text."""
    path, _, anchor = link.partition("#")
    folder = posixpath.dirname(page)
    return posixpath.normpath(posixpath.join(folder, path)) if path else page, anchor


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents of the top folder, and what any page links to."""
    root = Path(config.config_file_path).parent
    for name, uri in TOP.items():
        files.append(File.generated(config, uri, content=(root / name).read_text("utf-8")))
    for page in list(files.documentation_pages()):
        for match in links_of(page.content_string):
            path, _ = target_of(_in_repository(page.src_uri), match[1])
            uri = _on_site(path)
            if uri.startswith(f"{SOURCES}/") and uri not in files.src_uris:
                source = root / path
                if source.exists():
                    files.append(File.generated(config, uri, content=_shown(path, source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead each link to where its target is on the site; one that leads nowhere stays as it is."""
    here = page.file.src_uri
    for match in reversed(list(links_of(markdown))):
        path, anchor = target_of(_in_repository(here), match[1])
        uri = _on_site(path)
        if uri not in files.src_uris or (anchor and match[1].startswith("#")):
            continue
        link = posixpath.relpath(uri, posixpath.dirname(here) or ".") + (
            f"#{anchor}" if anchor else ""
        )
        markdown = markdown[: match.start(1)] + link + markdown[match.end(1) :]
    return markdown


def _in_repository(uri: str) -> str:
    """Where a page of the site stands in the repository."""
    for name, known in TOP.items():
        if uri == known:
            return name
    return f"{DOCS}/{uri}"


def _on_site(path: str) -> str:
    """Where a file of the repository stands on the site."""
    if path in TOP:
        return TOP[path]
    if path.startswith(f"{DOCS}/"):
        return path.removeprefix(f"{DOCS}/")
    return f"{SOURCES}/{path}.md"


def _shown(path: str, source: Path) -> str:
    """A page that shows a file, or lists a folder."""
    title = f"---\ntitle: {path}\nsearch:\n  exclude: true\n---\n\n# {path}\n\n"
    if source.is_dir():
        return title + "".join(f"- `{each.name}`\n" for each in sorted(source.iterdir()))
    text = source.read_text("utf-8")
    # A longer fence than any in the text.
    return f"{title}~~~~~~ {_LANGUAGES.get(source.suffix, 'text')}\n{text}\n~~~~~~\n"

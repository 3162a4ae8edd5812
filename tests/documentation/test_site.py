"""The documents lead where they say, as a site and as files on a forge."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documentation.site_hook import TOP, links_of, target_of

ROOT = Path(__file__).parents[2]
PAGES = sorted([*TOP, *(str(page.relative_to(ROOT)) for page in ROOT.glob("docs/**/*.md"))])
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors_of(markdown: str) -> list[str]:
    """Of each heading, as forges make them: small letters, hyphens for blanks, no other signs."""
    headings = _HEADING.findall(_FENCED.sub("", markdown))
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return [re.sub(r"[^\w\- ]", "", text).replace(" ", "-") for text in plain]


def broken(page: str, markdown: str) -> list[str]:
    """Links of a page that lead to no file, or to no heading of it."""
    found = []
    for link in links_of(markdown):
        path, anchor = target_of(page, link[1])
        if not (ROOT / path).exists() or path.startswith(".."):
            found.append(f"{link[1]}: there is no {path}")
        elif anchor and anchor not in anchors_of((ROOT / path).read_text("utf-8")):
            found.append(f"{link[1]}: {path} has no such heading")
    return found


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere_on_a_forge(page: str) -> None:
    assert not broken(page, (ROOT / page).read_text("utf-8"))


@pytest.mark.parametrize(
    ("link", "complaint"),
    [
        ("api.md#limits", None),
        ("../pipeline/settings.py", None),
        ("nowhere.md", "there is no docs/nowhere.md"),
        ("api.md#nowhere", "docs/api.md has no such heading"),
        ("#nowhere", "docs/inside.md has no such heading"),
        ("../../elsewhere.md", "there is no ../elsewhere.md"),
    ],
)
def test_a_link_that_leads_nowhere_is_found(link: str, complaint: str | None) -> None:
    text = f"`[code](nowhere.md)`\n\n[text]({link}) and [more](https://www.example.com)\n"
    assert broken("docs/inside.md", text) == ([f"{link}: {complaint}"] if complaint else [])


def build(source: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """As `make docs` does it."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", site],
        cwd=source,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_site_is_built_without_a_complaint(tmp_path: Path) -> None:
    site = tmp_path / "site"
    built = build(ROOT, site)
    assert built.returncode == 0, built.stderr
    overview = (site / "overview.html").read_text("utf-8")
    assert 'href="inside.html#three-brokers"' in (site / "architecture.html").read_text("utf-8")
    assert 'href="source/schemas/examples/events.json.html"' in overview
    shown = (site / "source/policy/decision/decide.py.html").read_text("utf-8")
    assert "def decide(" in re.sub("<[^>]*>", "", shown)
    # It can be read where nothing else is reached.
    assert not re.findall(r'<(?:link|script|img)[^>]+(?:href|src)="https?:', overview)
    # What Python-Markdown reads otherwise than forges do: a list right after a paragraph.
    for page in site.glob("*.html"):
        assert not re.search(r"<p>[^<]*\n[-*] ", page.read_text("utf-8")), page.name


def test_a_broken_link_or_anchor_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "tests/documentation").mkdir(parents=True)
    for name in (*TOP, "mkdocs.yml", "tests/documentation/site_hook.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    measured = tmp_path / "docs/measured.md"
    measured.write_text("# Measured\n\n[one](nowhere.md), [two](api.md#nowhere)\n", "utf-8")
    built = build(tmp_path, tmp_path / "site")
    assert built.returncode != 0
    assert "contains a link 'nowhere.md', but the target is not found" in built.stderr
    assert "'api.md#nowhere', but the doc 'api.md' does not contain an anchor" in built.stderr

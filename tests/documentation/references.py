"""The pages and documents that are generated from the code."""

from collections.abc import Callable
from pathlib import Path

from analytics.dictionary import dbt_sources
from tests.documentation import (
    catalogue_page,
    dictionary_page,
    exit_codes_page,
    http_api_page,
    metrics_page,
    reasons_page,
    settings_page,
    topics_page,
)

FOLDER = Path(__file__).parents[2] / "docs/reference"
REFERENCES: dict[str, Callable[[], str]] = {
    "asyncapi.json": topics_page.as_json,
    "catalogue.md": catalogue_page.page,
    "dbt-sources.yml": dbt_sources,
    "dictionary.md": dictionary_page.page,
    "exit-codes.md": exit_codes_page.page,
    "http-api.md": http_api_page.page,
    "metrics.md": metrics_page.page,
    "reasons.md": reasons_page.page,
    "settings.md": settings_page.page,
    "topics.md": topics_page.page,
}
"""By their file's name, what makes each of them."""

"""What is mutated, and which tests are asked about it.

Tests mirror the code by folder: `policy` is judged by `tests/policy` alone, so that a package's
own tests hold what it promises. Of these a mutant is put before those that execute the changed
statement, as found by running them once with coverage (`recording.py`): first those of files
named after the module (`policy/x.py`, `tests/policy/test_x*.py`), then the others, the
quickest first, up to a cap (`choice.py`). A statement that runs at import is judged by all tests
that enter its module, and by those in files that import from it. SQL has no coverage: a change of
a view is judged by the tests that name it.
"""

from pathlib import Path

from msgspec import Struct


class Package(Struct, frozen=True, kw_only=True):
    """Sources, the tests that mirror them, and the services that these tests share."""

    name: str
    sources: tuple[str, ...]
    """Files, or folders with all their `*.py`."""
    without: tuple[str, ...] = ()
    tests: tuple[str, ...]
    deselected: tuple[str, ...] = ()
    """Tests that compare texts, stop what all share, or need a browser."""
    services: tuple[str, ...] = ()

    def tests_in(self, root: Path) -> list[str]:
        """Of the tests, what there is below a root."""
        return [name for name in self.tests if (root / name).exists()]

    def files(self, root: Path) -> list[str]:
        """All sources below a root, in order."""
        found: set[str] = set()
        for name in self.sources:
            place = root / name
            below = place.rglob("*.py") if place.is_dir() else [place]
            found |= {path.relative_to(root).as_posix() for path in below}
        return sorted(path for path in found if not path.startswith(self.without))


WITHOUT_HOUSE = (
    "desk",
    "document",
    "encoding",
    "figures",
    "happened",
    "keys",
    "moments",
    "operations",
    "pace",
    "problem",
    "reading",
    "records",
    "route",
    "schema",
)
GATEWAY_WITHOUT_HOUSE = ("hub", "presence", "routes", "socket", "stream", "token")
OF_PAGES = (
    "app",
    "console",
    "link_pages",
    "links",
    "preferences_form",
)
VIEWS = "analytics/migrations/0009_views.sql"
"""The newest definitions; what an older file makes is replaced by these."""
PACKAGES = {
    package.name: package
    for package in (
        Package(name="policy", sources=("policy",), tests=("tests/policy",)),
        Package(name="sinks", sources=("sinks",), tests=("tests/sinks",)),
        Package(
            name="web/reports",
            sources=("web/reports",),
            tests=(
                "tests/web/test_reports.py",
                "tests/web/opting_out",
                "tests/web/reports",
            ),
        ),
        Package(
            name="sql",
            sources=(
                "analytics/migrations/0007_first.sql",
                VIEWS,
                "analytics/migrations/0010_questions.sql",
                "analytics/migrations/0023_questions.sql",
                "analytics/migrations/0031_breakdowns.sql",
                *(
                    f"analytics/panels/{name}.sql"
                    for name in (
                        "funnel",
                        "latency",
                        "providers",
                        "tenants",
                        "texts",
                        "told",
                        "types",
                        "volume",
                        "why_not",
                        *(
                            f"questions/{name}"
                            for name in (
                                "costs",
                                "deliverability",
                                "deliverability_by_carrier",
                                "digests",
                                "holdout_lift",
                                "opt_outs",
                                "opt_outs_by_means",
                                "outcomes_by_attribute",
                                "retention",
                                "sends_per_user",
                                "slo_budget",
                                "tenant_costs",
                                "time_to_open",
                                "week_over_week",
                            )
                        ),
                    )
                ),
            ),
            tests=(
                "tests/analytics/test_views.py",
                "tests/analytics/test_view_terms.py",
                "tests/analytics/test_questions.py",
                "tests/analytics/test_attributes.py",
                "tests/analytics/test_counted.py",
                "tests/analytics/test_leaving.py",
                "tests/analytics/test_panels.py",
                "tests/analytics/test_panel_terms.py",
                "tests/analytics/test_question_panels.py",
                "tests/analytics/test_twice.py",
            ),
            # It compares the dashboard's text, so it would fail at any change.
            deselected=("test_grafanas_file_is_made_from_the_same_panels",),
            services=("clickhouse",),
        ),
        Package(
            name="web",
            sources=("web",),
            without=("web/reports", "web/pages", "web/preferences/words.py"),
            # Those that need no house, so that a mutant costs a second and not a minute.
            tests=(
                *(f"tests/web/api/test_{name}.py" for name in WITHOUT_HOUSE),
                *(f"tests/web/gateway/test_{name}.py" for name in GATEWAY_WITHOUT_HOUSE),
                "tests/web/preferences",
                "tests/web/opting_out",
                "tests/web/http/test_cors.py",
                "tests/web/workers/test_handled.py",
                "tests/web/workers/test_partition_router.py",
                *(f"tests/web/test_{name}.py" for name in OF_PAGES),
            ),
        ),
        # Their tests use topics of fixed names, so each mutant starts a Kafka of its own.
        Package(name="tables", sources=("tables",), tests=("tests/tables",)),
        Package(name="pipeline", sources=("pipeline",), tests=("tests/pipeline",)),
        Package(
            name="agents",
            sources=("agents",),
            # What a command reads of state is looked at by the tests of that command.
            tests=(
                "tests/agents",
                "tests/cli/commands/test_explain.py",
                "tests/cli/commands/test_replay.py",
            ),
            services=("kafka", "clickhouse"),
        ),
    )
}

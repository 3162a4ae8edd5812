"""What outlives a test is a process or a value: nothing may depend on how long others take."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
MAY_BE_SHARED = {
    "None": "something was prepared",
    "Kafka": "a process",
    "Server": "a process",
    "ClickHouse": "a process",
    "House": "processes",
    "LocalStack": "processes",
    "Apicurio": "a process",
    "KafkaCluster": "processes",
    "SecuredKafka": "a process",
    "SmallDisk": "a file system",
    "Path": "a folder with files that stay as they are",
    "OpenId": "a process",
    "Authority": "a key, and files that stay as they are",
    "TokenServer": "a server in a thread of its own",
    "Running": "processes, and the keys of their API",
    "webdriver.Chrome": "a process, and a driver that has a process of its own",
    "Serving": "a server in the loop of the tests, which only they call",
    "Bench": "a server in the loop of the tests, which only they call",
    "str": "the name of something prepared",
    "World": "a value",
    "list[Happening]": "values",
    "tuple[bytes, bytes]": "values",
    "list[str]": "values",
    "Written": "values",
    "dict[str, Company]": "values, once the producers are gone",
}
"""What fixtures of a wider scope than a test's may give, and what that is."""


def shared_in(text: str) -> Iterator[tuple[str, str]]:
    """The fixtures that outlive a test, each with what it gives."""
    if "scope=" not in text:
        return
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if any(
            "fixture" in said and "scope=" in said
            for said in map(ast.unparse, function.decorator_list)
        ):
            given = ast.unparse(function.returns) if function.returns else "?"
            if given.startswith(("AsyncIterator[", "Iterator[")):
                given = given.partition("[")[2].removesuffix("]")
            yield function.name, given


def test_what_outlives_a_test_is_a_process_or_a_value() -> None:
    """Of a type that is listed; connections to it are opened by each test that needs them."""
    found = {
        f"{path.relative_to(TESTS)}: {name}": given
        for path in TESTS.rglob("*.py")
        for name, given in shared_in(path.read_text())
    }
    assert len(found) > 5
    wrong = {name: given for name, given in found.items() if given not in MAY_BE_SHARED}
    assert not wrong, "see the house rules in CONTRIBUTING"


def test_a_shared_connection_is_found() -> None:
    text = "@pytest.fixture(scope='session')\nasync def line() -> AsyncIterator[Line]: ...\n"
    assert list(shared_in(text)) == [("line", "Line")]

"""A worker says things once."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import msgspec

from agents.log_ids import ids_of
from pipeline.monitoring.logs import JsonFormatter, Repeats
from schemas.delivery import Delivery

ROOT = Path(__file__).parents[3]
DELIVERY = ROOT / "schemas" / "examples" / "delivery.json"


def record(message: str, name: str = "aiokafka") -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "", 0, message, (), None)


def test_the_same_message_passes_once_in_half_a_minute() -> None:
    now = 0.0
    repeats = Repeats(monotonic=lambda: now)
    assert [repeats.filter(record("away")) for _ in range(3)] == [True, False, False]
    assert repeats.filter(record("back"))
    assert repeats.filter(record("away", "other"))
    now = 31.0
    assert repeats.filter(record("away"))


def test_a_line_of_json_says_what_it_is_about() -> None:
    logged = record("delivery \n%s can't be worked on")
    logged.args = ("d1",)
    logged.created = 1_796_000_000.25
    logged.ids = {"event": "e1", "notification": "n1", "tenant": "shop"}
    line = JsonFormatter().format(logged)
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-11-30T00:53:20.250Z",
        "level": "ERROR",
        "logger": "aiokafka",
        "message": "delivery \nd1 can't be worked on",
        "event": "e1",
        "notification": "n1",
        "tenant": "shop",
    }


def test_an_error_stands_in_its_line() -> None:
    try:
        raise ValueError("bad")
    except ValueError as error:
        logged = record("broken")
        logged.exc_info = (type(error), error, error.__traceback__)
    assert json.loads(JsonFormatter().format(logged))["error"].endswith("ValueError: bad")


def test_a_process_says_all_in_the_form_and_from_the_level_on_that_is_set() -> None:
    script = (
        "import logging; from pipeline.monitoring.logs import say, set_up_logs\n"
        "set_up_logs('json', 'INFO'); logging.getLogger('a').info('quiet')\n"
        "logging.getLogger('a').debug('quieter'); say('decider ready, 8 partitions')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True,
                          check=True)  # fmt: skip
    assert [json.loads(line)["message"] for line in done.stderr.splitlines()] == ["quiet"]
    (ready,) = (json.loads(line) for line in done.stdout.splitlines())
    assert (ready["message"], ready["level"]) == ("decider ready, 8 partitions", "INFO")


def test_a_delivery_is_named_by_its_ids_and_by_no_users() -> None:
    delivery = msgspec.json.decode(DELIVERY.read_bytes(), type=Delivery)
    ids = ids_of(delivery)
    assert set(ids) == {"event", "notification", "delivery", "tenant"}
    assert delivery.user not in ids.values()
    assert delivery.address not in ids.values()

"""The demo's files: a folder a run, and a log that is counted while it grows."""

from pathlib import Path

from demo.produce.producer_log import ProducerLog
from demo.run_folder import run_folder
from demo.show.gauges import Tail


def test_a_finished_run_gives_way_and_a_running_one_does_not(tmp_path: Path) -> None:
    with run_folder(tmp_path) as finished:
        (finished / "data").touch()
    assert finished.exists()
    with run_folder(tmp_path) as running:
        assert not finished.exists()
        with run_folder(tmp_path) as other:
            assert running.exists()
            assert other != running


def test_a_growing_log_is_counted_once_and_never_in_part(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    tail = Tail(path, "type")
    tail.read_on()
    log = ProducerLog(path)
    log.append([{"type": "a"}, {"bad": "x"}])
    tail.read_on()
    with path.open("a") as torn:
        torn.write('{"type"')
    tail.read_on()
    assert tail.counts == {"a": 1}
    with path.open("a") as rest:
        rest.write(':"b"}\n')
    tail.read_on()
    assert tail.counts == {"a": 1, "b": 1}
    log.close()

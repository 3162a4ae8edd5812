"""What a process loads: as little as its role and its providers need."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import gc, sys
import agents.roles, agents.sink.agent, pipeline.process.worker
from cli.main import main
from sinks.registry import kind_of

def unloaded(*names):
    assert not [name for name in names if name in sys.modules]

unloaded("botocore", "cryptography", "firebase_admin", "phonenumbers", "sinks.email.ses")
import agents.decider.agent
unloaded("clickhouse_connect", "sinks.sms.twilio")
kind_of("sendgrid")
unloaded("botocore", "OpenSSL", "firebase_admin", "phonenumbers")

sys.argv = ["tocsin", "--help"]
try:
    main()
except SystemExit:
    pass
assert gc.get_threshold()[0] >= 50_000, gc.get_threshold()
"""


def test_a_worker_loads_neither_other_providers_nor_what_its_role_does_not_ask() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-P", "-c", PROGRAM], env=environment, check=True)

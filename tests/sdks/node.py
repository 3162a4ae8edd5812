"""Running the providers' own SDKs for Node, which `make sdks` installs."""

import asyncio
import json
import os
import shutil
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from embedded.simulators.credentials import AWS_REGION, make_credentials
from embedded.simulators.server import Serving
from sinks.push.vapid import encoded
from tests.patience import ended

HERE = Path(__file__).parent
MODULES = os.environ.get("NODE_SDKS", "")
"""The folder that they were installed into, by its whole path."""


class Outcome(NamedTuple):
    """What an SDK made of a call: what it resolved with, or what it rejected with."""

    answer: Any = None
    error: Any = None


def _why_not() -> str:
    """Why the SDKs are not run; empty if they are."""
    if not MODULES:
        return "The SDKs for Node are run by make sdks."
    if shutil.which("node") is None:
        return "There is no Node to run its SDKs with."
    return "" if Path(MODULES, "node_modules").exists() else f"No SDKs were installed in {MODULES}."


RUNS = pytest.mark.skipif(bool(_why_not()), reason=_why_not() or "They are run.")


async def outcomes(client: str, running: Serving, *calls: Mapping[str, Any]) -> list[Outcome]:
    """Have an SDK make calls to the simulators, one after the other."""
    argv = ("node", str(HERE / "run.mjs"), MODULES, client)
    child = await asyncio.create_subprocess_exec(*argv, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    asked = json.dumps({"accounts": accounts(running), "calls": calls}).encode()
    told, complaint = await ended(child.communicate(asked))
    assert child.returncode == 0, complaint.decode()
    return [Outcome(**each) for each in json.loads(told.splitlines()[-1])]


def accounts(running: Serving) -> dict[str, Any]:
    """What the clients need to know, by the names that they use."""
    known, reach = running.credentials, running.environment
    return {
        **msgspec.to_builtins(known),
        "url": running.base_url,
        "apnsUrl": reach["TOCSIN_APNS_URL"],
        "stranger": make_credentials(running.base_url).service_account.private_key,
        "vapid": {
            "publicKey": known.browser.subscribed_with,
            "privateKey": vapid_private(known.browser.vapid_key),
        },
        "vonage": {
            "applicationId": known.vonage_application_id,
            "privateKey": known.vonage_private_key,
        },
        "aws": {
            "region": AWS_REGION,
            "credentials": {
                "accessKeyId": known.aws_access_key_id,
                "secretAccessKey": known.aws_secret_access_key,
            },
        },
    }


def vapid_private(pem: str) -> str:
    """The number that is the key, as web-push has it."""
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return encoded(key.private_numbers().private_value.to_bytes(32, "big"))

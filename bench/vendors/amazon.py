"""Amazon's SDK."""

from typing import Any

import boto3
from botocore.config import Config

from bench.vendors.client import THREADS
from pipeline.settings import Settings


def amazon(service: str, url: str, settings: Settings) -> Any:
    """A client of a service at a URL."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=settings.aws_region,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key.get_secret_value(),
        config=Config(max_pool_connections=THREADS),
    )

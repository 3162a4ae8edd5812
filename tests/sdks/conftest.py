"""The simulators that the SDKs for Python are run against as well."""

from tests.embedded.conftest import bench, served

__all__ = ["bench", "served"]

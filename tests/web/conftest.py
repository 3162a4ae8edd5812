"""A house with the web process, and whoever calls it."""

from tests.web.house import api as api
from tests.web.house import running_house as running_house

"""What the tests of insight share: an engine of their own for each file."""

import pytest

from tierbook.engine import Engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """An open engine that spills to a folder of the test run."""
    found = Engine(tmp_path_factory.mktemp("spill"))
    yield found
    found.close()

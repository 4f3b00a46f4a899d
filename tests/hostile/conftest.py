"""One engine for all hostile files: opening it takes longer than reading one of them."""

import pytest

from tierbook.engine import open_engine
from tierbook.params import EngineParams


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    with open_engine(EngineParams(), tmp_path_factory.mktemp("spill")) as engine:
        engine.execute("SET threads = 1")
        yield engine

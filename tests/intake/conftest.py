"""`tierbook new` on small files, in process: the params tree it writes and what it says."""

import pytest

from tierbook import params
from tierbook.intake import new


@pytest.fixture
def draft(tmp_path, capsys):
    """Write files (name → text or bytes), run `new` on them; returns (params tree, what was said, params file)."""

    def run(files, *answers, language=None):
        paths = []
        for name, content in files.items():
            path = tmp_path / name
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            paths.append(path)
        written = new.run(new.Order(paths, tmp_path / "draft.yaml", True, language, answers))
        return params.read_yaml(written), capsys.readouterr().out, written

    return run

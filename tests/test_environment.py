"""One set of dependencies: environment.yml and requirements.txt are held to pyproject.toml."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
CONDA_NAMES = {"duckdb": "python-duckdb", "matplotlib": "matplotlib-base"}
FROM_PIP = {"mplfonts"}  # not on conda-forge


def declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project["dependencies"], project["optional-dependencies"]["dev"]


def split(requirement):
    name = re.match(r"[A-Za-z0-9_.-]+", requirement).group()
    return name, requirement.removeprefix(name)


def test_the_conda_environment_lists_the_same_packages_and_bounds():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    from_pip = next(entry["pip"] for entry in listed if isinstance(entry, dict))
    found = dict(split(entry) for entry in listed if isinstance(entry, str))
    needed = dict(split(requirement) for requirement in declared()[0])
    wanted = {CONDA_NAMES.get(name, name): bounds for name, bounds in needed.items() if name not in FROM_PIP}
    assert found == {"python": ">=3.11", "pip": "", **wanted}
    assert from_pip == [*(f"{name}{needed[name]}" for name in sorted(FROM_PIP)), "--editable ."]


def test_the_lock_names_every_dependency_with_hashes_and_no_host():
    lock = (ROOT / "requirements.txt").read_text()
    locked = set(re.findall(r"^([a-z0-9.-]+)==", lock, re.M))
    for requirement in [*declared()[0], *declared()[1]]:
        assert split(requirement)[0].lower().replace("_", "-") in locked
    assert lock.count("--hash=sha256:") > len(locked)
    assert "://" not in lock and "file:" not in lock and "--index" not in lock.replace("--no-emit-index-url", "")


def test_every_dependency_says_why():
    text = (ROOT / "pyproject.toml").read_text()
    extras = tomllib.loads(text)["project"]["optional-dependencies"].values()
    lines = [line for line in text.splitlines() if re.match(r'\s+"[a-z].*[<>=]', line)]
    assert len(lines) == len(declared()[0]) + sum(map(len, extras))
    assert all("#" in line for line in lines)

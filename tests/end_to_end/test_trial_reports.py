"""Reports on a finished trial alone, and case studies without their files: the runner, from params to pages."""

import json

import jsonschema
import pandas as pd
import pytest
import yaml

from tierbook.params import ROOT, read_yaml


def written(name, tmp_path, **trial):
    tree = read_yaml(ROOT / "params" / f"{name}.yaml")
    tree["report"]["languages"] = ["en"]
    tree["source"]["trial"] |= trial
    path = tmp_path / "trial.yaml"
    path.write_text(yaml.safe_dump(tree, allow_unicode=True))
    return path


@pytest.mark.long
@pytest.mark.real_data
def test_hillstrom_needs_no_orders(shared_data, tmp_path, run_report):
    shared_data("hillstrom/hillstrom.csv")
    report = run_report(written("hillstrom", tmp_path), tmp_path / "out")
    assert sorted(p.name for p in (report / "en").iterdir()) == ["index.html"]
    effects = pd.read_csv(report / "tables" / "campaign_effects.csv")
    # reference/campaigns.md: p 0.9037; both mails work and pay; mens cannot be targeted, womens can
    assert effects["srm_p"].round(4).unique().tolist() == [0.9037]
    total = effects[(effects["tier"] == "all") & (effects["outcome"] == "profit")]
    assert total["verdict"].tolist() == ["works_and_pays"] * 2
    found = pd.read_csv(report / "tables" / "targeting_found.csv").query("outcome == 'response'")
    assert found.set_index("arm")["verdict"].to_dict() == {
        "Mens E-Mail": "cannot_target",
        "Womens E-Mail": "can_target",
    }
    assert not (report / "tables" / "customers.csv").exists() and not (report / "customers.xlsx").exists()
    manifest = json.loads((report / "run.json").read_text())
    assert manifest["gates"] == [] and manifest["simulated"] == []
    jsonschema.validate(manifest, json.loads((ROOT / "docs" / "run.schema.json").read_text(encoding="utf-8")))
    assert manifest["headline"]["en"] == "Womens mail: Works and pays; Mens mail: Works and pays."


@pytest.mark.long
def test_a_case_without_its_file_runs_on_its_simulator_and_says_so(tmp_path, run_report):
    report = run_report(written("cases/ecommerce", tmp_path, path=str(tmp_path / "nowhere.csv")), tmp_path / "out")
    page = (report / "en" / "index.html").read_text()
    assert "simulated" in page and "Illustrative" in page
    assert json.loads((report / "run.json").read_text())["simulated"] == ["trial"]
    rows = pd.read_csv(report / "tables" / "row_accounting.csv")
    assert rows[["table", "reason", "rows"]].to_numpy().tolist() == [["trial", "kept", 64_000]]

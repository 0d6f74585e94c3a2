"""Environments and releases as tables."""

from pathlib import Path

from pipelinekit import widgets
from pipelinekit.kit.environments import environments

HOSTILE = "<img src=x onerror=alert(1)>"


def test_environments_are_a_row_each_and_foreign_text_stays_text(tmp_path: Path) -> None:
    file = tmp_path / "environments.yaml"
    file.write_text(
        "dev: {}\n"
        "live:\n"
        f"  parameters: {{word: '{HOSTILE}'}}\n"
        "  approvers: [ann, bob]\n"
        "  approvals: 2\n"
        "  account: {profile: live, region: eu-central-1}\n"
        f"  freezes: [{{from: 2000-01-01, to: 2199-01-01, reason: '{HOSTILE}'}}]\n",
        encoding="utf-8",
    )
    known = environments(file)
    html = widgets.environments_html(known)
    assert "<img" not in html
    assert html.count("<tr") == 3
    for words in (
        "2 of ann, bob",
        "live eu-central-1",
        "FROZEN until 2199-01-02 00:00",
        "&lt;img",
    ):
        assert words in html
    heading, names, dev, live = widgets.environments_text(known).splitlines()
    assert heading == f"Environments of {file}"
    assert names.startswith("Environment  After")
    assert dev == "dev"
    assert HOSTILE in live

"""How a run was made is kept over its sessions."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from burstchip.files.provenance import FILE, note_session, read_provenance
from hw_models.diagnostics import BurstchipError


def test_a_resumed_run_keeps_its_command_and_adds_a_session(tmp_path: Path) -> None:
    note_session(tmp_path, "burstchip train a.yaml --out run", resumed=False)
    note_session(tmp_path, "burstchip train b.yaml --out run", resumed=True)
    found = read_provenance(tmp_path / FILE)
    assert found.command == "burstchip train a.yaml --out run" and len(found.sessions) == 2
    session = found.sessions[1]
    assert session.python == platform.python_version() and session.begun.endswith(" UTC")
    assert session.numpy[0].isdigit() and session.processor and session.cores >= 1
    note_session(tmp_path, "burstchip train b.yaml --out run", resumed=False)
    again = read_provenance(tmp_path / FILE)
    assert again.command == "burstchip train b.yaml --out run" and len(again.sessions) == 1


@pytest.mark.parametrize("content", ["", "{", '{"command": "c", "sessions": []}', '{"command": 1}'])
def test_a_damaged_record_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(BurstchipError) as caught:
        note_session(tmp_path, "c", resumed=True)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.id == "BC634" and str(diagnostic).endswith(
        "hint: remove the file: only the record of command, versions and machine is lost"
    )

"""Files with one mistake each give exactly the pinned message, at the right line and column.

`broken/NAME.txt` holds what is said about `broken/NAME.yaml`. After a change of wording write them anew with

    BURSTCHIP_REWRITE_GOLDEN=1 python -m pytest tests/burstchip/frontend/test_broken.py

and read the difference before it is committed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import burstchip.frontend.codes as codes
from burstchip.frontend import load
from hw_models.diagnostics import Diagnostic

BROKEN = Path(__file__).parent / "broken"
FILES = sorted(path.name for path in BROKEN.glob("*.yaml"))
REWRITE = bool(os.environ.get("BURSTCHIP_REWRITE_GOLDEN"))

#: Ids that no file here can show; the tests named show them.
SHOWN_ELSEWHERE = {
    "BC001",  # test_loading.py: a file that is not there
    "BC008",  # test_loading.py: a file of five million bytes
    "BC025",  # test_loading.py: --set
    "BC099",  # test_loading.py: more mistakes than are shown
}


def messages(name: str) -> tuple[Diagnostic, ...]:
    return load(name).diagnostics


@pytest.fixture(autouse=True)
def _among_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    # Messages name a file as it was given.
    monkeypatch.chdir(BROKEN)


def test_there_are_enough_files() -> None:
    assert len(FILES) >= 60


@pytest.mark.parametrize("name", FILES)
def test_message_is_the_pinned_one(name: str) -> None:
    text = "\n".join(map(str, messages(name))) + "\n"
    golden = BROKEN / name.replace(".yaml", ".txt")
    if REWRITE:
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FILES)
def test_one_mistake_is_one_message(name: str) -> None:
    found = messages(name)
    assert len(found) == 1, "\n".join(map(str, found))
    assert (load(name).network is None) == (found[0].severity == "error")


@pytest.mark.parametrize("name", FILES)
def test_marked_text_is_what_the_message_is_about(name: str) -> None:
    """Where a message quotes what was given, the caret stands under just that."""
    (message,) = messages(name)
    if message.place is None or message.place.text is None or message.given is None:
        return
    marked = message.place.text[message.place.column - 1 :][: message.place.length]
    quoted = re.fullmatch(r"(?:a [a-z ]+, )?'([^']*)'", message.given)
    if quoted and quoted.group(1) != marked:
        # An address is quoted whole though only its wrong half is marked; long texts are cut.
        address = quoted.group(1).endswith("." + marked)
        cut = quoted.group(1).endswith("...") and marked.startswith(quoted.group(1)[:-3])
        tag = message.id == "BC016"
        assert address or cut or tag, f"{message.given} but marked is {marked!r}"


def test_every_id_is_shown() -> None:
    shown = {message.id for name in FILES for message in messages(name)}
    own = {code for code in codes.IDS if code not in SHOWN_ELSEWHERE}
    assert own - shown == set()
    assert not shown & SHOWN_ELSEWHERE, "shown here after all"

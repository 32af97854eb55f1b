"""Chip files of a user's own: what they may say, and how each mistake is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from burstchip.chip_file import chip_of, read_chip_file
from hw_models.chips.chip import CHIPS
from hw_models.chips.reading import chip, chip_text
from hw_models.diagnostics import BurstchipError

FACT = "{value: 64, unit: a chip, source: me, status: verified}"


def small(*lines: str, like: str = "like: loihi2") -> str:
    return "\n".join(["title: Mine", like, *lines]) + "\n"


def problems(tmp_path: Path, text: str | bytes) -> list[str]:
    path = tmp_path / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BurstchipError) as raised:
        read_chip_file(path)
    return [str(it).replace(f"{path}", "mine.yaml") for it in raised.value.diagnostics]


@pytest.mark.parametrize("name", CHIPS)
def test_the_file_of_a_chip_read_as_a_users_is_that_chip(name: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(chip_text(name), encoding="utf-8")
    mine = chip_of(str(path))
    assert (mine.facts, mine.costs, mine.sources) == (chip(name).facts, chip(name).costs, chip(name).sources)
    assert mine.own and mine.name == "mine"


def test_what_a_file_does_not_say_is_that_of_the_chip_it_is_like(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(small("facts:", f"  neurocores: {FACT}"))
    mine = read_chip_file(path)
    assert (mine.title, mine["neurocores"].value, mine["neurocores"].source) == ("Mine", 64, "me")
    assert {it for it in mine.facts if mine[it] != chip("loihi2")[it]} == {"neurocores"}
    assert mine.costs == chip("loihi2").costs


def test_every_mistake_is_reported_at_its_place(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        small(
            "facts:",
            "  neurocores: {value: 12.5, unit: a chip, source: me, status: verified}",
            f"  compartements: {FACT}",
            "  delay_bits: {value: 6, unit: a synapse, source: me, status: sure}",
            "costs:",
            "  hop_time: {value: 3, low: 4, unit: ns, source: me, status: verified}",
            "  link_time: {value: 3, unit: us, source: me, status: verified}",
            "  barrier_time: {value: 3, unit: ns, source: me, status: assumed}",
        ),
    )
    assert [it.split("\n")[0] for it in found] == [
        "mine.yaml:4:23: error[BC820]: 'value' of fact 'neurocores' cannot be used",
        "mine.yaml:5:3: error[BC820]: no chip has a fact 'compartements'",
        "mine.yaml:6:63: error[BC820]: 'status' of fact 'delay_bits' cannot be used",
        "mine.yaml:8:21: error[BC820]: the value of cost 'hop_time' lies outside its range",
        "mine.yaml:9:31: error[BC820]: the unit of cost 'link_time' is another one",
        "mine.yaml:10:58: error[BC820]: cost 'barrier_time' is assumed without a name",
    ]
    assert found[0].endswith("required: a whole number from 0 to 2^40, or several    given: '12.5'")
    assert found[1].endswith("given: compartements    hint: did you mean: compartments")
    assert found[2].endswith("required: verified, second hand, assumed    given: 'sure'")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["facts: {word_bits: {value: 32, unit: a, source: me, status: verified}}"], "required: 64"),
        (["facts: {weight_bits: {value: [1, 4], unit: a, source: me, status: verified}}"], "8 among them"),
        (["facts: {weight_bits: {value: [8, 4], unit: a, source: me, status: verified}}"], "rising numbers"),
        (["facts: {index_bits: {value: [0, 4], unit: a, source: me, status: verified}}"], "at least 13 bits"),
        (["facts: {tag_bits: {value: 99, unit: a, source: me, status: verified}}"], "required: 1 to 15"),
        (["facts: {neurocores: {value: 0, unit: a, source: me, status: verified}}"], "required: 1 to"),
        (["facts: {neurocores: 5}"], "required: a mapping"),
        (["facts: 5"], "required: facts by name"),
        (["costs: {hop_time: {value: -1, unit: ns, source: me, status: verified}}"], "a number"),
        (["costs: {hop_time: {value: .inf, unit: ns, source: me, status: verified}}"], "a number"),
        (["costs: {hop_time: {value: 1e300, unit: ns, source: me, status: verified}}"], "a number"),
        (["costs: {hop_time: {value: 1, unit: ns, source: 2021, status: verified}}"], "where the number is"),
        (["fact: {}"], "did you mean: facts"),
        (["sources: {me: [1]}"], "texts by name"),
    ],
)
def test_values_that_no_chip_has(lines: list[str], expected: str, tmp_path: Path) -> None:
    (found,) = problems(tmp_path, small(*lines))
    assert "error[BC820]" in found and expected in found


def test_a_wrong_statement_beside_the_one_in_use(tmp_path: Path) -> None:
    text = (
        "facts: {neurocores: {value: 64, unit: a chip, source: me, status: verified, others: [{value: x}]}}"
    )
    found = problems(tmp_path, small(text))
    assert any("'value' of statement 1 on fact 'neurocores' cannot be used" in it for it in found)
    assert any("statement 1 on fact 'neurocores' needs 'source'" in it for it in found)


def test_a_file_that_is_like_no_chip_names_what_it_lacks(tmp_path: Path) -> None:
    found = problems(tmp_path, small(f"facts: {{neurocores: {FACT}}}", like=""))
    assert len(found) == 2 and all("`like: loihi2` takes what is not given" in it for it in found)
    (found_,) = problems(tmp_path, small(like="like: loihi3"))
    assert "no chip to be like" in found_ and "did you mean: loihi2" in found_


def test_hostile_files_are_refused(tmp_path: Path) -> None:
    bomb = "title: &a [x, x, x, x, x, x, x, x]\n" + "".join(
        f"k{n}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
    )
    assert any("error[BC010]" in it for it in problems(tmp_path, bomb))
    assert "error[BC008]: mine.yaml is too large" in problems(tmp_path, "#" * (1 << 19))[0]
    assert "required: at most 256 KiB" in problems(tmp_path, "#" * (1 << 19))[0]
    assert "error[BC016]" in problems(tmp_path, "title: !!python/object:os.system x\n")[0]
    assert "error[BC002]" in problems(tmp_path, b"title: \xff\n")[0]
    assert "error[BC003]" in problems(tmp_path, "# nothing\n")[0]
    assert "required: a chip file" in problems(tmp_path, "# nothing\n")[0]
    assert "error[BC009]" in problems(tmp_path, "title: " + "[" * 50 + "]" * 50 + "\n")[0]
    assert "required: a mapping" in problems(tmp_path, "- 5\n")[0]
    assert "one chip a file" in problems(tmp_path, "title: a\n---\ntitle: b\n")[0]


def test_a_folder_is_not_a_chip_file(tmp_path: Path) -> None:
    with pytest.raises(BurstchipError) as raised:
        chip_of(str(tmp_path))
    assert raised.value.diagnostics[0].id == "BC001"


def test_a_chip_that_is_neither_known_nor_a_file() -> None:
    with pytest.raises(BurstchipError) as raised:
        chip_of("loihi3")
    assert str(raised.value) == (
        "error[BC821]: chip 'loihi3' is unknown\n"
        "  required: loihi1, loihi2, or a chip file    given: loihi3    hint: did you mean: loihi2"
    )

from __future__ import annotations

import base64
import json
import os
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib.figure import Figure

from burstchip.report import write_report
from burstchip.report.page import render
from burstchip.report.run_folder import read_run_folder
from hw_models.diagnostics import BurstchipError

ALL_PICTURES = {
    "burst_probability_in_sample",
    "burst_probability_over_training",
    "confusion",
    "learning_curve",
    "misclassified",
    "network_drawing",
    "raster_after",
    "raster_before",
    "receptive_fields",
    "weight_histograms",
}

Edit = Callable[..., None]


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture(scope="module")
def reported(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete run folder with its report."""
    folder = Path(shutil.copytree(original, tmp_path_factory.mktemp("reported") / "run"))
    assert write_report(folder) == folder / "report.html"
    return folder


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made but not rendered, which takes seconds."""

    def render_nothing(self: Figure, target: BinaryIO, **options: object) -> None:
        target.write(b"<svg></svg>")

    monkeypatch.setattr(Figure, "savefig", render_nothing)


def pictures(folder: Path) -> set[str]:
    return {path.stem for path in (folder / "figures").glob("*.svg")}


def test_a_complete_run_has_every_part(reported: Path) -> None:
    page = Page(reported / "report.html")
    assert pictures(reported) == ALL_PICTURES
    figures = {attributes["id"] for tag, attributes in page.elements if tag == "figure"}
    assert figures == ALL_PICTURES
    assert "Left out of this report" not in page.text
    for fact in (
        "2.50 %",
        "9 of 360 test samples",
        "95 % interval 1.32 % to 4.68 %",
        "0.42 %",
        "digits, seed 0, split 0",
        "carry",
        "emulation only",
        "0123456789abcdef" * 4,
        "'bias' of population 'hidden' is represented 2.40 % off",
        "name: synthetic",
        "digits, 20 epochs · seed 0, split 0 · weight form carry (emulation only) · backend sim",
        "split = 0",
        "burstchip train net.yaml --set split=0 --out run",
        "1.26.4; then 2.0.0",
        "A Processor, 2 cores",
        "47,760 synaptic operations a sample",
        "readout.burst_error → hidden.dendrite",
    ):
        assert fact in page.text, fact


def test_the_page_needs_nothing_but_itself(reported: Path) -> None:
    page = Page(reported / "report.html")
    assert not re.findall(r"https?://|url\(|@import|srcset", page.source)
    assert not {tag for tag, _ in page.elements} & {"script", "link", "iframe", "object", "embed"}
    sources = [attributes["src"] for _, attributes in page.elements if "src" in attributes]
    assert len(sources) == len(ALL_PICTURES)
    assert all(source and source.startswith("data:image/svg+xml;base64,") for source in sources)
    for source in sources:
        picture = base64.b64decode(str(source).partition(",")[2]).decode()
        # Names of XML's own, which nothing fetches.
        loaded = re.findall(
            r"(?:href|src)=\"(?!#|data:image/png;base64,)|url\((?!#)|@import|<script", picture
        )
        assert not loaded
    links = [attributes["href"] or "" for _, attributes in page.elements if "href" in attributes]
    ids = {attributes.get("id") for _, attributes in page.elements}
    assert links
    assert all(link.startswith("#") and link[1:] in ids for link in links)
    policy = next(attributes for _, attributes in page.elements if "http-equiv" in attributes)
    assert str(policy["content"]).startswith("default-src 'none'")


def test_the_pictures_on_the_page_are_the_files_and_each_is_described(reported: Path) -> None:
    page = Page(reported / "report.html")
    images = [attributes for tag, attributes in page.elements if tag == "img"]
    embedded = {base64.b64decode(str(image["src"]).partition(",")[2]) for image in images}
    files = {path.read_bytes() for path in (reported / "figures").glob("*.svg")}
    assert embedded == files
    for content in files:
        assert ElementTree.fromstring(content).tag == "{http://www.w3.org/2000/svg}svg"
        assert b"prefers-color-scheme: dark" in content
    for image in images:
        assert re.search(r"\d", str(image["alt"]).partition(". ")[2]), "what is seen, in numbers"


def test_every_picture_opens_larger_and_closes_again(reported: Path) -> None:
    page = Page(reported / "report.html")
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    for name in ALL_PICTURES:
        assert f"#{name}-large" in links and f"#{name}" in links
    assert page.source.count('<p class="soft">digits, 20 epochs') == 1, "one subtitle"


@pytest.mark.parametrize(("form", "marked"), [("carry", True), ("chip", False)])
def test_the_weight_form_stands_beside_the_result(
    run_folder: Path, edit: Edit, form: str, marked: bool
) -> None:
    edit("summary.json", weight_form=form)
    source = render(read_run_folder(run_folder), (), ()).replace("\N{NO-BREAK SPACE}", " ")
    assert ("emulation only" in source) == marked
    title = f"synthetic: 2.50 % test error, weight form {form}" + (" (emulation only)" if marked else "")
    assert f"<title>{title}</title>" in source
    assert f"<small>Weight form</small><b>{form}</b>" in source


def test_numbers_that_do_not_fit_together_are_pointed_out(run_folder: Path, edit: Edit) -> None:
    edit("summary.json", test_error=0.01)
    source = render(read_run_folder(run_folder), (), ()).replace("\N{NO-BREAK SPACE}", " ")
    assert "The confusion matrix counts 9 wrong answers of 360" in source
    assert "The history ends with a test error of 2.50 % in epoch 20" in source


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("absent", "without", "named"),
    [
        (("quantisation.json",), set(), ["the quantisation table"]),
        (
            ("recording_before.nc", "recording_after.nc"),
            {"raster_before", "raster_after", "burst_probability_in_sample"},
            ["spikes and bursts before learning", "spikes and bursts after learning"],
        ),
        (("recording_before.nc",), {"raster_before"}, ["spikes and bursts before learning"]),
        (
            ("weights_before.safetensors",),
            {"weight_histograms", "receptive_fields"},
            ["the weights before learning"],
        ),
        (
            ("network.yaml", "network_as_run.yaml", "provenance.json"),
            set(),
            ["the network's own text", "the network as it ran", "command, versions, date and machine"],
        ),
        (
            ("net.burst", "answers.safetensors"),
            {"network_drawing", "misclassified", "receptive_fields"},
            ["the drawing of the network", "samples with a wrong answer"],
        ),
    ],
)
def test_what_is_missing_is_left_out_and_named(
    run_folder: Path, absent: tuple[str, ...], without: set[str], named: list[str]
) -> None:
    (run_folder / "figures").mkdir()
    for name in (*ALL_PICTURES, "receptive_fields_2", "of_the_user"):
        (run_folder / "figures" / f"{name}.svg").touch()
    for name in absent:
        (run_folder / name).unlink()
    page = Page(write_report(run_folder))
    # Pictures of an earlier report are gone as well.
    assert pictures(run_folder) == ALL_PICTURES - without | {"of_the_user"}
    assert "Left out of this report" in page.text
    for part in (*absent, *named):
        assert part in page.text


@pytest.mark.usefixtures("quick")
def test_a_run_that_noted_no_bursts_says_so(run_folder: Path) -> None:
    history = json.loads((run_folder / "history.json").read_text())
    for entry in history:
        del entry["burst_probability"], entry["event_rate"]
    (run_folder / "history.json").write_text(json.dumps(history))
    page = Page(write_report(run_folder))
    assert "burst_probability_over_training" not in pictures(run_folder)
    assert "burst probability over the training: none was noted" in page.text


def test_names_are_text_and_never_markup(run_folder: Path, edit: Edit) -> None:
    name = "<script>alert(1)</script> & $\\frac{$ \"quoted\" 'name'"
    edit("summary.json", name=name, diagnostics=["<img src=x onerror=y>"], frozen=["<b>"])
    edit("summary.json", overrides={"<script>": "<script>"}, classes=["<script>", *"123456789"])
    edit("provenance.json", command="<script>")
    (run_folder / "network.yaml").write_text("name: '</pre><script>'\n")
    (run_folder / "network_as_run.yaml").write_text("name: '</pre><script>'\n")
    page = Page(write_report(run_folder))
    tags = {tag for tag, _ in page.elements}
    assert "script" not in tags
    assert "b" in tags  # the result's own
    assert not any("onerror" in attributes for _, attributes in page.elements)
    assert name in page.text
    for picture in (run_folder / "figures").glob("*.svg"):
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.parse(picture).iter()}
        assert not tags & {"script", "foreignObject", "a", "img"}


@pytest.mark.usefixtures("quick")
@pytest.mark.skipif(os.name == "nt", reason="needs a file where the folder should be to be refused")
def test_a_folder_that_cannot_be_written(run_folder: Path) -> None:
    (run_folder / "figures").write_text("in the way")
    with pytest.raises(BurstchipError) as caught:
        write_report(run_folder)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.id == "BC546"
    assert diagnostic.message == f"the report cannot be written into '{run_folder}'"
    assert not (run_folder / "report.html").exists()


def test_the_same_run_gives_the_same_bytes_whatever_the_users_matplotlib_settings(
    reported: Path, run_folder: Path
) -> None:
    with matplotlib.rc_context({"font.size": 30, "text.usetex": True, "axes.facecolor": "black"}):
        again = write_report(run_folder).read_bytes()
        assert matplotlib.rcParams["font.size"] == 30
    assert again == (reported / "report.html").read_bytes()


@pytest.mark.usefixtures("quick")
def test_errors_stand_on_the_page_where_they_were_asked_for(run_folder: Path) -> None:
    """`burstchip errors -o RUN/errors.json` writes them; a share that there is not is a dash."""
    assert "errors" not in {attributes.get("id") for _, attributes in Page(write_report(run_folder)).elements}
    share = {"population": "hidden", "variable": "v", "unit": "mV", "rms": 11.071}
    share |= {"step": None, "parameter": 4.3911, "state": 0.02642}
    (run_folder / "errors.json").write_text(json.dumps({"steps": 128, "errors": [share]}))
    page = Page(write_report(run_folder))
    assert "errors" in {attributes.get("id") for _, attributes in page.elements}
    assert "How far the first 128 steps are from what the network describes" in page.text
    assert "hidden.vmV11.1\N{EN DASH}4.390.0264" in "".join(page.text.split())


def test_errors_that_are_none(run_folder: Path) -> None:
    (run_folder / "errors.json").write_text('{"steps": 0, "errors": [{"rms": -1}]}')
    with pytest.raises(BurstchipError, match=r"BC542.*errors\.json"):
        write_report(run_folder)

"""The page: one file, nothing from outside, every text escaped, the picture there without a script."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from plangate.reports.html_report import html_report, square_link
from tests.reports.fake_run import (
    CAPABILITIES,
    PLANS,
    STATES,
    FakeRun,
    allowing,
    nasty_run,
    right,
    run_of,
    with_header,
)

LEAKY = allowing(
    lambda axes, due: axes["plan"] == "free" and axes["capability"] == "report.export" and due.rule == "D6"
)
VOID = {"meta", "input", "br", "wbr", "link", "img"}


class Page(HTMLParser):
    """Elements with their attributes and text, and whether tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[int, str] = {}
        self.open: list[tuple[str, int]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, len(self.elements) - 1))

    def handle_endtag(self, tag):
        assert self.open[-1][0] == tag, (tag, self.open[-3:])
        self.open.pop()

    def handle_data(self, data):
        for _, number in self.open:
            self.texts[number] = self.texts.get(number, "") + data

    def all(self, tag: str, **attributes: str) -> list[tuple[dict[str, str | None], str]]:
        return [
            (held, self.texts.get(number, ""))
            for number, (name, held) in enumerate(self.elements)
            if name == tag and all(held.get(key.rstrip("_")) == value for key, value in attributes.items())
        ]

    @property
    def data(self) -> dict:
        ((_, text),) = self.all("script", type="application/json")
        return json.loads(text)


def page_of(run) -> Page:
    page = Page(html_report(run))
    assert page.open == []
    return page


def squares(page: Page) -> dict[str, str]:
    """Link -> class of each square that opens."""
    return {
        str(held["href"]): str(held["class"])
        for held, _ in page.all("a")
        if str(held.get("class", "")).startswith("q ")
    }


def test_the_first_screen_says_the_leak_in_one_sentence_and_in_the_picture() -> None:
    page = page_of(run_of(LEAKY))
    ((_, heading),) = page.all("h1")
    assert " ".join(heading.split()) == "Failed free can use report.export at all 3 surfaces"
    drawn = squares(page)
    assert len(drawn) == len(PLANS) * len(STATES) * len(CAPABILITIES)
    assert [link for link, style in drawn.items() if style == "q leak"] == ["#free/report.export/Subscribed"]
    ((leak, sign),) = page.all("a", class_="q leak")
    assert sign == "!"
    assert leak["aria-label"] == leak["title"] == "free, report.export, Subscribed: leak, 3 of 3 cells"


def test_without_scripts_picture_and_causes_are_there() -> None:
    text = html_report(run_of(LEAKY))
    without = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    page = Page(without)
    assert len(squares(page)) == 108
    articles = page.all("article")
    assert len(articles) == 1
    assert "plangate run stage --cell c-" in articles[0][1]
    assert "envs/plans/support-copilot/3.2.0.yaml:31:14" in articles[0][1]


def test_a_pass_says_so_and_has_no_causes() -> None:
    page = page_of(run_of(right))
    ((_, heading),) = page.all("h1")
    assert " ".join(heading.split()) == "Passed No difference found in 396 cells"
    assert page.all("article") == []


def test_nothing_comes_from_outside() -> None:
    page = page_of(run_of(LEAKY))
    for tag, held in page.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        assert "src" not in held
        assert str(held.get("href", "#")).startswith("#")
        assert "style" not in held
        assert not [name for name in held if name.startswith("on")]
    text = html_report(run_of(LEAKY))
    assert not re.search(r"url\(|@import|https?://(?!127\.0\.0\.1:8123)", text)


def test_the_policy_names_the_very_style_and_script_of_the_page() -> None:
    page = page_of(run_of(LEAKY))
    ((meta, _),) = [one for one in page.all("meta") if one[0].get("http-equiv") == "Content-Security-Policy"]
    policy = str(meta["content"])
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        text = next(text for held, text in page.all(tag) if "type" not in held)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_hostile_texts_add_no_element_and_come_back_as_text() -> None:
    calm, hostile = page_of(run_of(LEAKY)), page_of(nasty_run())
    assert {tag for tag, _ in hostile.elements} <= {tag for tag, _ in calm.elements} | {"p"}
    assert len(hostile.all("script")) == 2
    assert not [held for _, held in hostile.elements if "onerror" in held]
    assert "<script>alert(1)</script>" in hostile.data["capabilities"]
    assert "</script><script>alert(2)</script>" in hostile.data["values"][hostile.data["axes"].index("phrasing")]


def test_the_data_block_holds_no_character_that_could_end_it() -> None:
    text = html_report(nasty_run())
    block = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert block
    assert not set("<>&\u2028\u2029") & set(block[1])


def test_every_cell_of_a_small_run_is_carried_in_its_square() -> None:
    run = run_of(LEAKY)
    data = page_of(run).data
    assert sum(map(len, data["cells"].values())) == 396
    place = [
        data[name].index(value)
        for name, value in (("states", "Subscribed"), ("plans", "free"), ("capabilities", "report.export"))
    ]
    rows = data["cells"][".".join(map(str, place))]
    assert len(rows) == 3
    row = rows[0]
    assert data["verdicts"][row[0]] == "leak"
    assert data["expected"][row[1]] == ["deny not_in_plan", "deny", "D6", "envs/plans/support-copilot/3.2.0.yaml:31:14"]
    assert data["observed"][row[2]] == [["allow entitled", "allow", 3, ""]]
    result = next(one for one in run.held if one.cell == row[4])
    assert data["commands"][row[3]].replace("{}", row[4]) == result.reproduce
    assert [data["values"][n][row[7 + n]] for n in range(len(data["axes"]))] == [
        result.axes["surface"],
        result.axes["usage"],
    ]


def test_of_a_large_run_only_what_did_not_pass_is_carried() -> None:
    page = Page(html_report(run_of(LEAKY), cells_max=100))
    assert sum(map(len, page.data["cells"].values())) == 3
    assert len(squares(page)) == 108
    assert any("squares list the cells that did not pass" in text for _, text in page.all("p"))


def test_with_many_capabilities_those_with_findings_come_first() -> None:
    names = [*(f"extra.{number}" for number in range(40)), *CAPABILITIES]
    page = page_of(run_of(LEAKY, capabilities=names))
    rows = [text for held, text in page.all("th") if held.get("scope") == "row"]
    assert rows[0] == "report.export"
    assert rows[1] == "extra.0"


def test_a_stopped_run_says_why() -> None:
    page = page_of(with_header(FakeRun(run_of(right).held[:9], missing=5), stopped="target down"))
    assert "The run was stopped: target down" in [text for _, text in page.all("p")]


def test_a_run_without_cells_is_a_page_too() -> None:
    ((_, heading),) = page_of(FakeRun([])).all("h1")
    assert " ".join(heading.split()) == "Undecided Nothing was selected to run"


def test_names_with_slashes_and_spaces_have_links_of_their_own() -> None:
    assert square_link(("In Trial", "a/b", "x#y%")) == "#a%2Fb/x%23y%25/In%20Trial"


@pytest.mark.slow
def test_ten_thousand_cells_stay_a_page_below_two_megabytes() -> None:
    names = [f"area{number % 8}.action_{number}" for number in range(40)]
    plans = ["free", "starter", "team", "pro", "business", "enterprise"]
    run = run_of(LEAKY, plans=plans, capabilities=names, phrasings=["a", "b", "c", "d"])
    assert len(run.held) > 10_000
    assert len(html_report(run).encode()) < 2_000_000

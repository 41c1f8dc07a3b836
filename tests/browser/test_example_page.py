"""The example project's start page, as `make serve` shows it, in Chromium."""

import os
from io import BytesIO
from pathlib import Path

import httpx
import pytest

ROW = "/api/users/7/"
AT_FIRST = {
    "first_name": "Edsger",
    "last_name": "Berg",
    "job_title": "Analyst",
    "desk": "H130",
    "leave_days": 9,
    "biography": "Edsger has worked on brass valves for 16 years and keeps a notebook about them.",
}
ENTER, SPACE, TAB = "\ue007", " ", "\ue004"


def row(address):
    return httpx.get(address + ROW).json()


def write_row(address, **values):
    """As a third person would."""
    tag = httpx.get(address + ROW).headers["ETag"]
    answer = httpx.patch(address + ROW, json=values, headers={"If-Match": tag})
    assert answer.status_code == 200


class Page:
    """What people see of the start page, and do there."""

    def __init__(self, visitor):
        self.visitor = visitor
        self.driver = visitor.driver

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def text(self, selector):
        return " ".join(self.find(selector).text.split())

    def shows(self, selector, text):
        """Whether a part of the page shows a text, at once or soon."""
        self.visitor.until(lambda _: text in self.text(selector))
        return True

    def says(self, person, text):
        return self.shows(f"#{person} .said", text)

    def enter(self, person, **values):
        for name, value in values.items():
            field = self.find(f"#{person}-{name}")
            field.clear()
            field.send_keys(value)

    def value(self, person, name):
        return self.find(f"#{person}-{name}").get_attribute("value")

    def save(self, person):
        self.find(f"#{person} .primary").click()

    def press(self, person, name):
        self.find(f"#{person} [name={name}]").click()

    def connect(self, latency=0, offline=False):
        """By a network with this latency in milliseconds, or by none."""
        rates = {"downloadThroughput": -1, "uploadThroughput": -1}
        conditions = {"offline": offline, "latency": latency, **rates}
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)

    def answer_all(self, answer):
        """Answer each request by a JavaScript expression; ``sent()`` is what the server says."""
        self.driver.execute_script(
            "const platform = (window.platform ??= window.fetch);"
            "window.fetch = async (init, ...more) => {"
            f" const sent = () => platform(init, ...more); return {answer}; }};"
        )

    def asks(self, person, label):
        return self.shows(f"#{person} .question h3", label)

    def is_asking(self, person):
        return self.find(f"#{person} .question").is_displayed()

    def focused(self):
        return self.driver.switch_to.active_element

    def type_keys(self, *keys):
        for key in keys:
            self.focused().send_keys(key)

    def tab_to(self, selector):
        """Press Tab until this has the focus, which has to be seen."""
        target = self.find(selector)
        for _ in range(40):
            if self.focused() == target:
                assert target.value_of_css_property("outline-style") == "solid"
                return
            self.type_keys(TAB)
        pytest.fail(f"Tab does not reach {selector}.")

    def requests(self):
        """Who asked what, and the status of the answer; the first request first."""
        rows = self.driver.find_elements("css selector", "#requests tbody tr")
        cells = [one.find_elements("css selector", "td") for one in reversed(rows)]
        return [(one[0].text, one[1].text.split()[0], int(one[3].text)) for one in cells]

    def is_too_wide(self):
        width = "document.documentElement.scrollWidth"
        return self.driver.execute_script(f"return {width} > innerWidth")


def opened(visitor):
    write_row(visitor.address, **AT_FIRST)
    visitor.open("/")
    page = Page(visitor)
    for person in ("ada", "grace"):
        assert page.says(person, "200 Opened version")
    return page


@pytest.fixture
def page(newcomer):
    return opened(newcomer)


def meet(page):
    """Ada saves a job title and a desk, and Grace another job title."""
    page.enter("ada", job_title="Lead analyst", desk="H131")
    page.save("ada")
    assert page.says("ada", "200 Saved as version")
    page.enter("grace", job_title="Principal analyst", leave_days="12")
    page.save("grace")
    assert page.says("grace", "412 Not saved: the row was changed after you opened it.")
    assert page.asks("grace", "Job title")


class TestTwoEditors:
    def test_the_first_save_is_200_the_second_412_and_both_changes_are_kept(self, page, example):
        meet(page)
        assert row(example)["job_title"] == "Lead analyst"
        page.press("grace", "mine")
        assert page.says("grace", "412 Not saved yet")
        page.save("grace")
        assert page.says("grace", "200 Saved as version")
        saved = row(example)
        assert (saved["job_title"], saved["desk"]) == ("Principal analyst", "H131")
        assert saved["leave_days"] == 12
        opening, later = page.requests()[:2], page.requests()[2:]
        assert sorted(opening) == [("Ada", "GET", 200), ("Grace", "GET", 200)]
        assert later == [
            ("Ada", "PATCH", 200),
            ("Grace", "PATCH", 412),
            ("Grace", "GET", 200),
            ("Grace", "PATCH", 200),
        ]

    def test_a_question_shows_what_was_there_theirs_and_mine(self, page):
        meet(page)
        assert page.text("#grace .question dl") == (
            "It was Analyst Theirs, saved meanwhile Lead analyst Yours Principal analyst"
        )

    def test_theirs_is_taken(self, page, example):
        meet(page)
        page.press("grace", "theirs")
        page.save("grace")
        assert page.says("grace", "200 Saved")
        assert row(example)["job_title"] == "Lead analyst"

    def test_something_is_made_of_both(self, page, example):
        meet(page)
        page.enter("grace", merge="Lead and principal analyst")
        page.find("#grace .merge button").click()
        page.save("grace")
        assert page.says("grace", "200 Saved")
        assert row(example)["job_title"] == "Lead and principal analyst"

    def test_one_question_is_asked_at_a_time(self, page, example):
        page.enter("ada", job_title="Lead analyst", leave_days="10")
        page.save("ada")
        assert page.says("ada", "200 Saved")
        page.enter("grace", job_title="Principal analyst", leave_days="11")
        page.save("grace")
        assert page.asks("grace", "Job title")
        assert "Decision 1 of 2" in page.text("#grace .progress")
        page.press("grace", "theirs")
        assert page.asks("grace", "Leave days")
        assert "Decision 2 of 2" in page.text("#grace .progress")
        page.press("grace", "mine")
        page.save("grace")
        assert page.says("grace", "200 Saved")
        assert (row(example)["job_title"], row(example)["leave_days"]) == ("Lead analyst", 11)

    def test_changes_of_different_fields_need_no_decision(self, page, example):
        page.enter("ada", desk="H131")
        page.save("ada")
        assert page.says("ada", "200 Saved")
        page.enter("grace", job_title="Principal analyst")
        page.save("grace")
        assert page.says("grace", "412 Not saved yet")
        assert page.text("#grace-desk-note") == "Theirs: you had not changed it."
        page.save("grace")
        assert page.says("grace", "200 Saved")
        assert (row(example)["job_title"], row(example)["desk"]) == ("Principal analyst", "H131")

    def test_a_third_writer_during_the_decision_is_met_too(self, page, example):
        meet(page)
        page.press("grace", "mine")
        write_row(example, job_title="Manager", desk="H140")
        page.save("grace")
        assert page.asks("grace", "Job title")
        assert "Manager" in page.text("#grace [data-value=theirs]")
        page.press("grace", "mine")
        page.save("grace")
        assert page.says("grace", "200 Saved")
        saved = row(example)
        assert (saved["job_title"], saved["desk"]) == ("Principal analyst", "H140")

    def test_long_texts_are_shown_where_they_differ(self, page):
        page.find("#ada-biography").send_keys(" Runs a course.")
        page.save("ada")
        assert page.says("ada", "200 Saved")
        page.find("#grace-biography").send_keys(" Speaks Portuguese.")
        page.save("grace")
        assert page.asks("grace", "Biography")
        theirs = page.text("#grace [data-value=theirs]")
        assert theirs == "…16 years and keeps a notebook about them. Runs a course."

    def test_line_ends_of_the_admin_are_no_change(self, newcomer):
        page = opened(newcomer)
        write_row(newcomer.address, biography="One\r\nTwo")
        page.press("ada", "reload")
        assert page.says("ada", "200 Version")
        page.enter("ada", desk="H131")
        page.save("ada")
        assert page.says("ada", "200 Saved")
        assert row(newcomer.address)["biography"] == "One\r\nTwo"


class TestOneEditor:
    def test_a_reload_is_304_and_shows_what_it_cost(self, page):
        page.press("ada", "reload")
        assert page.says("ada", "304 Nothing has changed.")
        cells = page.driver.find_elements("css selector", "#ada [data-measure=bytes] td")
        full, not_modified = (int(cell.text.replace(",", "")) for cell in cells)
        assert not_modified == 0 < full
        assert page.text("#ada [data-measure=queries]") == "Queries 2 1"
        assert page.requests()[-1] == ("Ada", "GET", 304)

    def test_a_reload_after_a_save_is_304(self, page):
        page.enter("ada", desk="H131")
        page.save("ada")
        assert page.says("ada", "200 Saved")
        page.press("ada", "reload")
        assert page.says("ada", "304 Nothing has changed.")

    def test_a_reload_keeps_what_was_typed(self, page):
        page.enter("ada", desk="H131")
        page.press("ada", "reload")
        assert page.says("ada", "304")
        assert page.value("ada", "desk") == "H131"

    def test_a_reload_that_brings_another_value_of_a_changed_field_asks(self, page, example):
        page.enter("ada", desk="H131")
        write_row(example, desk="H140", job_title="Manager")
        page.press("ada", "reload")
        assert page.asks("ada", "Desk")
        page.press("ada", "mine")
        assert (page.value("ada", "desk"), page.value("ada", "job_title")) == ("H131", "Manager")
        page.save("ada")
        assert page.says("ada", "200 Saved")
        assert row(example)["desk"] == "H131"

    def test_an_invalid_value_is_said_at_its_field(self, page, example):
        page.enter("ada", leave_days="many")
        page.save("ada")
        assert page.says("ada", "400 Not saved: please correct what is marked.")
        field = page.find("#ada-leave_days")
        assert page.focused() == field
        assert field.get_attribute("aria-invalid") == "true"
        assert page.text(f"#{field.get_attribute('aria-describedby')}") == (
            "A valid integer is required."
        )
        page.enter("ada", leave_days="10")
        page.save("ada")
        assert page.says("ada", "200 Saved")
        assert field.get_attribute("aria-invalid") is None
        assert row(example)["leave_days"] == 10

    def test_without_an_answer_the_form_keeps_what_was_typed(self, page):
        page.enter("ada", desk="H131")
        page.connect(offline=True)
        page.save("ada")
        assert page.says("ada", "The server did not answer. What you typed is still here.")
        page.connect()
        assert page.value("ada", "desk") == "H131"
        page.save("ada")
        assert page.says("ada", "200 Saved")

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (
                "new Response(new ReadableStream({ pull: (it) => it.error(new TypeError()) }))",
                "The server did not answer. What you typed is still here.",
            ),
            (
                "new Response('', { status: 502, statusText: 'Bad Gateway' })",
                "502 Bad Gateway",
            ),
        ],
    )
    def test_after_a_broken_answer_the_form_keeps_what_was_typed(self, page, answer, said):
        page.enter("ada", desk="H131")
        page.answer_all(answer)
        page.save("ada")
        assert page.says("ada", said)
        assert page.value("ada", "desk") == "H131"

    def test_where_the_server_stops_after_a_412_the_next_save_meets_the_conflict(
        self, page, example
    ):
        write_row(example, desk="H140")
        page.enter("ada", desk="H131")
        page.answer_all("init.method === 'GET' ? Promise.reject(new TypeError()) : sent()")
        page.save("ada")
        assert page.says("ada", "The server did not answer.")
        page.answer_all("sent()")
        page.save("ada")
        assert page.asks("ada", "Desk")
        assert row(example)["desk"] == "H140"

    def test_a_save_without_an_answer_yet_says_so_in_place_of_the_last_one(self, page):
        page.save("ada")
        assert page.says("ada", "200 Saved")
        page.answer_all("new Promise(() => {})")
        page.save("ada")
        assert page.text("#ada .said") == "… Waiting for the server."

    def test_what_was_typed_during_a_save_is_kept_and_said_to_be_unsaved(self, page, example):
        page.connect(latency=1000)
        page.enter("ada", desk="H131")
        page.save("ada")
        page.enter("ada", desk="H132")
        page.save("ada")
        assert page.says("ada", "What you typed since is not saved yet.")
        page.connect()
        assert (page.value("ada", "desk"), row(example)["desk"]) == ("H132", "H131")
        page.save("ada")
        assert page.shows("#ada .said", "200 Saved")
        assert row(example)["desk"] == "H132"

    def test_what_was_typed_before_the_script_ran_is_kept(self, newcomer):
        type_early = """document.addEventListener("readystatechange", () => {
            document.getElementById("ada-desk").value = "H131";
        }, { once: true });"""
        with newcomer.script_of_new_pages(type_early):
            page = opened(newcomer)
        assert page.value("ada", "desk") == "H131"
        assert page.value("ada", "job_title") == "Analyst"


def test_the_writers_say_that_a_row_is_gone(page):
    page.answer_all("new Response('{}', { status: 404 })")
    page.find("#writers button").click()
    assert page.shows("#writers .said", "There is no row to read: 404.")


def test_of_eight_writers_one_is_answered_200_and_seven_412(page, example):
    page.find("#writers button").click()
    assert page.shows("#writers .said", "1 saved, 7 refused")
    assert page.shows("#writers .said", "Leave days went from 9 to 10.")
    assert sorted(page.text("#writers ol").split()) == ["200"] + ["412"] * 7
    assert row(example)["leave_days"] == 10


class TestRequests:
    def test_a_request_shows_what_it_named_and_what_was_answered(self, page, example):
        page.press("ada", "reload")
        assert page.says("ada", "304")
        cells = page.driver.find_elements("css selector", "#requests tbody tr:first-child td")
        who, request, precondition, status, tag, size, _, queries = (one.text for one in cells)
        state = httpx.get(example + ROW).headers["ETag"].partition("~")[0]
        assert (who, request, status) == ("Ada", f"GET {ROW}", "304")
        assert (precondition, tag) == (f"If-None-Match: {state}", state)
        assert (size, queries) == ("0", "1")

    def test_the_cache_of_the_browser_answers_nothing(self, page):
        page.visitor.open("/")
        assert page.says("ada", "200")
        # A 304 from one query, which the browser had turned into a 200, would say 1.
        assert page.text("#requests tbody [data-label=Queries]") == "2"

    def test_tags_are_whole_on_demand(self, page, example):
        page.find("#requests [name=whole]").click()
        whole = httpx.get(example + ROW).headers["ETag"]
        assert page.text("#requests tbody [data-label=ETag]") == whole

    def test_the_table_is_cleared(self, page):
        page.find("#requests [name=clear]").click()
        assert page.requests() == []
        assert "No requests yet." in page.text("#requests")

    def test_a_new_row_is_announced_in_short(self, page):
        assert page.shows("#requests [role=status]", "2 new requests")
        page.press("ada", "reload")
        assert page.shows("#requests [role=status]", "Request 3: Ada, GET, 304")


class TestEverybody:
    def test_a_conflict_is_met_and_decided_by_keyboard(self, page, example):
        write_row(example, job_title="Manager")
        page.tab_to("#ada-job_title")
        page.type_keys("Lead analyst", ENTER)
        assert page.asks("ada", "Job title")
        assert page.focused() == page.find("#ada .question h3")
        page.tab_to("#ada [name=mine]")
        page.type_keys(SPACE)
        assert page.says("ada", "412 Not saved yet")
        assert page.focused() == page.find("#ada .primary")
        page.type_keys(ENTER)
        assert page.says("ada", "200 Saved")
        assert row(example)["job_title"] == "Lead analyst"

    def test_everything_else_is_reached_by_keyboard(self, page):
        for selector in (
            "#ada [name=reload]",
            "#grace .primary",
            "#writers button",
            "#requests [name=whole]",
            "#requests [name=clear]",
            "footer a",
        ):
            page.tab_to(selector)

    @pytest.mark.parametrize("width", [320, 390, 700, 900])
    def test_a_narrow_page_is_not_scrolled_sideways(self, newcomer, width):
        newcomer.show_as(width)
        page = opened(newcomer)
        assert not page.is_too_wide()
        meet(page)
        page.find("#requests [name=whole]").click()
        assert not page.is_too_wide()

    def test_on_a_narrow_page_the_editors_are_one_below_the_other(self, newcomer):
        newcomer.show_as(390)
        page = opened(newcomer)
        ada, grace = page.find("#ada").rect, page.find("#grace").rect
        assert ada["y"] + ada["height"] <= grace["y"]

    def test_the_page_is_dark_where_that_is_preferred(self, newcomer):
        newcomer.show_as(prefers_color_scheme="dark")
        page = opened(newcomer)
        background = page.find("body").value_of_css_property("background-color")
        assert background == "rgba(21, 23, 26, 1)"

    def test_nothing_moves_where_that_is_preferred(self, newcomer):
        newcomer.show_as(prefers_reduced_motion="reduce")
        page = opened(newcomer)
        new_row = page.find("#requests tbody tr")
        assert new_row.value_of_css_property("animation-name") == "none"

    def test_without_javascript_the_page_says_that_it_needs_it(self, newcomer):
        disable = "Emulation.setScriptExecutionDisabled"
        newcomer.driver.execute_cdp_cmd(disable, {"value": True})
        newcomer.open("/")
        shown = newcomer.text("header")
        newcomer.driver.execute_cdp_cmd(disable, {"value": False})
        assert "The two editors are JavaScript. Please allow it for this page." in shown


def test_the_picture_of_the_documentation_is_made(newcomer):
    """``PICTURE=docs/two-editors.png`` writes it there."""
    from PIL import Image

    newcomer.show_as(1280, prefers_color_scheme="light")
    page = opened(newcomer)
    meet(page)
    below = page.find("#writers").rect["y"]
    with Image.open(BytesIO(newcomer.picture(height=below))) as image:
        small = BytesIO()
        image.quantize(128).save(small, "PNG", optimize=True)
    assert image.width == 1280
    assert len(small.getvalue()) < 200_000
    if file := os.environ.get("PICTURE"):
        Path(file).write_bytes(small.getvalue())

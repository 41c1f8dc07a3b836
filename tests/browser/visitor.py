"""What a person does in a browser: on any page, and in DRF's browsable API."""

import base64
import json
from contextlib import contextmanager

from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait


class Visitor:
    """
    A person at a browser.

    Args:
        driver: the browser.
        address: where the site is.
    """

    def __init__(self, driver, address):
        self.driver = driver
        self.address = address

    def until(self, condition):
        return WebDriverWait(self.driver, 20).until(condition)

    def open(self, path):
        self.driver.get(self.address + path)

    @contextmanager
    def script_of_new_pages(self, source):
        """Run a script in each page that is opened meanwhile, before those of the page."""
        command = "Page.addScriptToEvaluateOnNewDocument"
        script = self.driver.execute_cdp_cmd(command, {"source": source})
        yield
        self.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)

    def show_as(self, width=None, **features):
        """
        Show pages in another width, and with other preferences; without arguments, as usual.

        Args:
            width: of the page, in CSS pixels.
            features: of media queries, as ``prefers_color_scheme="dark"``.
        """
        if width is None:
            self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        else:
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        media = [{"name": name.replace("_", "-"), "value": features[name]} for name in features]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})

    def picture(self, height=None):
        """The page as a PNG: all of it, or its first ``height`` CSS pixels."""
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height or size["height"]}
        options = {"captureBeyondViewport": True, "clip": clip | {"scale": 1}}
        answer = self.driver.execute_cdp_cmd("Page.captureScreenshot", options)
        return base64.b64decode(answer["data"])

    def log_in(self, name, password):
        self.open("/accounts/login/?next=/people/")
        self.driver.find_element(By.NAME, "username").send_keys(name)
        self.driver.find_element(By.NAME, "password").send_keys(password)
        self.leave_by(self.driver.find_element(By.NAME, "submit"))

    def leave_by(self, button):
        """Press a button, and wait for the page that comes of it."""
        self.until(lambda _: button.is_displayed() and button.is_enabled())
        button.click()
        self.until(lambda _: is_gone(button))
        self.until(lambda driver: driver.execute_script("return document.readyState") == "complete")

    def press(self, form, name):
        """One of the buttons of a form, by its text."""
        buttons = self.driver.find_elements(By.CSS_SELECTOR, f"#{form} button")
        self.leave_by(next(button for button in buttons if written_on(button) == name))

    def show(self, form):
        """Choose the tab of a form."""
        self.driver.find_element(By.CSS_SELECTOR, f'a[href="#{form}"]').click()
        pane = self.driver.find_element(By.ID, form)
        self.until(lambda _: pane.is_displayed())
        return pane

    def field(self, form, name):
        return self.driver.find_element(By.CSS_SELECTOR, f"#{form} [name='{name}']")

    def fill(self, form, **values):
        self.show(form)
        for name, value in values.items():
            field = self.field(form, name)
            field.clear()
            field.send_keys(value)

    def fill_raw(self, form, content, media_type="application/json"):
        self.show(form)
        Select(self.field(form, "_content_type")).select_by_visible_text(media_type)
        field = self.field(form, "_content")
        field.clear()
        field.send_keys(json.dumps(content))

    def delete(self):
        self.driver.find_element(By.CSS_SELECTOR, "[data-target='#deleteModal']").click()
        self.press("deleteModal", "Delete")

    def status(self):
        """The status that the page shows."""
        return int(self.text(".response-info").split()[1])

    def text(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def has(self, selector):
        return bool(self.driver.find_elements(By.CSS_SELECTOR, selector))


def is_gone(element):
    """Whether another page has come; in between, Chromium has a word of its own for that."""
    try:
        element.is_enabled()
    except StaleElementReferenceException:
        return True
    except WebDriverException as error:
        if "does not belong to the document" not in str(error):
            raise
        return True
    return False


def written_on(button):
    """Also on one that is not shown yet."""
    return button.get_attribute("textContent").strip()

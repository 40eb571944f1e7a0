"""Drives WebAdmin in a browser as an operator does, and has axe look at every view. `run` beside it starts this."""

import base64
import json
import os
import re
import signal
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

GUESTS = Path(os.environ["GUESTS"])
AXE = Path(os.environ["AXE"]).read_text()
PICTURES = Path(sys.argv[1]) if len(sys.argv) > 1 else None
WIDTHS = {"1280": (1280, 900), "360": (360, 780)}
passed = []


def step(text):
    passed.append(text)
    print(f"ok {len(passed)}: {text}", flush=True)


class Site:
    """A running host with a few components."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tessera-browser-")) / "mysite"
        components = self.folder / "components"
        components.mkdir(parents=True)
        (self.folder / "WebFolder").mkdir()
        (self.folder / "WebFolder" / "index.html").write_text("<!doctype html><title>x</title>hello")
        (self.folder / "tessera.toml").write_text("HTTPPort = 0\nlogRecording = 2\n")
        for guest, name in (("version1", "shop"), ("echo", "echo"), ("trap", "trap"), ("session", "session")):
            (components / name).mkdir()
            shutil.copy(GUESTS / f"{guest}.wasm", components / name / f"{name}.wasm")
            (components / name / "settings.toml").write_text("logRecording = 5\n")
        (components / "broken.wasm").write_text("this is no component")
        self.log = open(self.folder.parent / "log", "w")
        command = [os.environ["TESSERA"], "serve", str(self.folder), "--free-ports"]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)
        self.admin = self.wait_for_admin()
        self.key = (self.folder / ".tessera" / "access-key").read_text().strip()
        self.web = self.ask("/api/v1/servers")[0]["urls"][0].rstrip("/")

    def wait_for_admin(self):
        found = self.folder / ".tessera" / "admin.json"
        for _ in range(600):
            if self.process.poll() is not None:
                raise SystemExit((self.folder.parent / "log").read_text())
            if found.exists():
                text = found.read_text()
                address = re.search(r"127\.0\.0\.1:\d+", text)
                if address:
                    return f"http://{address.group()}"
            time.sleep(0.1)
        raise SystemExit("the host did not start")

    def ask(self, path):
        request = urllib.request.Request(self.admin + path, headers={"Authorization": f"Bearer {self.key}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def visit(self, path, times=1):
        for _ in range(times):
            try:
                urllib.request.urlopen(self.web + path, timeout=30).read()
            except urllib.error.HTTPError:
                pass

    def text(self, path):
        with urllib.request.urlopen(self.web + path, timeout=30) as answer:
            return answer.read().decode()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        shutil.rmtree(self.folder.parent)


class Browser:
    """Headless Chromium with what an operator does in it."""

    def __init__(self, site):
        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
            options.add_argument(argument)
        options.binary_location = shutil.which("chromium")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.site = site
        self.size("1280")

    def size(self, width, scheme="light"):
        wide, high = WIDTHS[width]
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": wide, "height": high, "deviceScaleFactor": 1, "mobile": width == "360"})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def open(self, path):
        self.driver.get(self.site.admin + path)

    def go(self, view):
        self.driver.execute_script("location.hash = arguments[0]", view)

    def wait(self, what, found, seconds=30):
        try:
            return WebDriverWait(self.driver, seconds, poll_frequency=0.1).until(lambda _: found())
        except Exception as error:
            print(self.driver.execute_script("return document.body.innerText"), file=sys.stderr)
            raise SystemExit(f"not ok: {what}: {type(error).__name__}")

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.wait(selector, lambda: next(iter(self.all(selector)), None))

    def text(self, selector):
        return self.driver.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def row(self, name, part=""):
        return f'tr[data-server="{name}"] {part}'

    def is_wide(self):
        """Whether something stands out to the right."""
        return self.driver.execute_script("return document.documentElement.scrollWidth > document.documentElement.clientWidth")

    def faults(self):
        """What axe finds that is serious."""
        self.driver.execute_script(AXE)
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then((all) => done(all.violations), (error) => done([{id: String(error), impact: 'critical', nodes: []}]))")
        return [
            f"{it['impact']} {it['id']}: {[node['html'][:160] for node in it['nodes'][:3]]}"
            for it in found if it["impact"] in ("serious", "critical")
        ]

    def look(self, name):
        """Has axe look in both widths and themes, and takes pictures."""
        for close in self.all(".toast button"):
            close.click()
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                self.size(width, scheme)
                self.driver.execute_script("scrollTo(0, 0)")
                time.sleep(0.3)
                faults = self.faults()
                assert not faults, (name, width, scheme, faults)
                assert not self.is_wide(), (name, width, "scrolls sideways")
                if PICTURES:
                    PICTURES.mkdir(parents=True, exist_ok=True)
                    shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": False})
                    (PICTURES / f"{name}-{width}-{scheme}.png").write_bytes(base64.b64decode(shot["data"]))
        self.size("1280")
        step(f"{name}: no serious finding of axe, nothing wider than 360 px")

    def drop(self, path, name):
        """Drops a file as the desktop would."""
        content = base64.b64encode(Path(path).read_bytes()).decode()
        self.driver.execute_script(
            """const bytes = Uint8Array.from(atob(arguments[0]), (it) => it.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], arguments[1], {type: 'application/wasm'}));
            for (const type of ['dragenter', 'dragover', 'drop'])
              document.body.dispatchEvent(new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer: data}));""",
            content, name)


def log_in(browser, site):
    browser.open("/")
    assert browser.driver.current_url.endswith("/webadmin/login")
    browser.look("login")
    browser.one("#key").send_keys("wrong" + Keys.ENTER)
    browser.wait("the wrong key is told", lambda: "not the access key" in browser.text("#wrong"))
    step("a wrong key is told")
    browser.one("#key").send_keys(site.key + Keys.ENTER)
    browser.wait("the list", lambda: browser.text(browser.row("shop", ".badge")) == "Running")
    assert "proof" not in browser.driver.current_url, browser.driver.current_url
    cookies = browser.driver.get_cookies()
    assert all(it["httpOnly"] and it["sameSite"] == "Strict" for it in cookies), cookies
    step("logged in; the proof has gone from the URL")


def see_figures(browser, site):
    before = browser.text(browser.row("mysite", ".rate .value"))
    def moved():
        site.visit("/", 20)
        site.visit("/shop/", 5)
        text = browser.text(browser.row("mysite", ".rate .value"))
        return text not in ("", "–", "0", before) and browser.text(browser.row("shop", ".rate .value")) not in ("", "–", "0")
    browser.wait("requests per second", moved)
    line = browser.row("mysite", "svg .line")
    browser.wait("a line", lambda: browser.one(line).get_attribute("d").count("L") > 1)
    assert "requests per second: now" in browser.one(browser.row("mysite", "svg")).get_attribute("aria-label")
    step("figures move, as numbers, lines and text")


def start_and_stop(browser, site):
    browser.one(browser.row("shop", "[data-action=stop]")).send_keys(Keys.ENTER)
    browser.wait("it asks", lambda: browser.one("#confirm").is_displayed())
    faults = browser.faults()
    assert not faults, faults
    browser.one("#confirm-yes").click()
    browser.wait("stopped", lambda: browser.text(browser.row("shop", ".badge")) == "Stopped")
    assert site.ask("/api/v1/servers/shop")["isRunning"] is False
    browser.wait("announced", lambda: "shop is stopped" in browser.text("#announce"))
    browser.one(browser.row("shop", "[data-action=start]")).click()
    browser.wait("running", lambda: browser.text(browser.row("shop", ".badge")) == "Running")
    assert site.text("/shop/") == "v1"
    step("a component is stopped, by keyboard and after a question, and started")
    browser.one(browser.row("broken", "[data-action=reload]")).click()
    browser.wait("the error", lambda: "not a WebAssembly component" in browser.text(".toast.bad"))
    step("an error is shown as the API says it")
    for close in browser.all(".toast button"):
        close.click()


def deploy(browser, site):
    browser.drop(GUESTS / "version2.wasm", "shop.wasm")
    browser.wait("deployed", lambda: "serves as generation" in browser.text("#deploy-status"), 120)
    assert site.text("/shop/") == "v2"
    step("a module that is dropped onto the page serves")
    browser.drop(GUESTS / "session.wasm", "shop.wasm")
    browser.wait("it asks", lambda: browser.one("#confirm").is_displayed(), 120)
    assert "tessera:web/session" in browser.text("#confirm-text")
    browser.one("#confirm button[value=no]").click()
    browser.wait("not accepted", lambda: "were not accepted" in browser.text("#deploy-status"))
    assert site.text("/shop/") == "v2"
    step("new imports are asked for, and without a yes nothing changes")
    browser.drop(site.folder / "tessera.toml", "fresh.wasm")
    browser.wait("refused", lambda: "not a WebAssembly component" in browser.text("#deploy-result"))
    step("what is no component is refused, and why is said")
    browser.one("#deploy-name").send_keys("greeter")
    browser.one("#deploy-file").send_keys(str(GUESTS / "version1.wasm"))
    browser.wait("a new one", lambda: browser.text(browser.row("greeter", ".badge")) == "Running", 120)
    assert site.text("/greeter/") == "v1"
    step("a file that is chosen becomes a component of its own name")


def change_settings(browser, site):
    browser.go("#/server/shop/settings")
    browser.one("#set-pool\\.max")
    browser.look("settings")
    field = browser.one("#set-pool\\.max")
    field.clear()
    field.send_keys("-5" + Keys.TAB)
    browser.wait("refused by the page", lambda: "must be" in browser.text("#set-pool\\.max-wrong"))
    field.clear()
    field.send_keys("13")
    browser.one("#save").click()
    browser.wait("set", lambda: "in use now: pool.max" in browser.text(".bar .status"))
    settings = {it["key"]: it for it in site.ask("/api/v1/servers/shop/settings")}
    assert settings["pool.max"]["value"] == 13 and settings["pool.max"]["source"] == "session"
    step("a setting is checked in the page, and set")
    field = browser.one("#set-mount\\.path")
    field.clear()
    field.send_keys("no slash")
    browser.one("#save").click()
    browser.wait("refused by the host", lambda: browser.text("#set-mount\\.path-wrong") != "")
    assert browser.driver.switch_to.active_element.get_attribute("id") == "set-mount.path"
    step("what the host refuses is shown beside its field, which has the focus")


def see_details(browser, site):
    site.visit("/trap/panic", 3)
    site.visit("/session/4DACTION/count/a", 2)
    browser.go("#/server/trap/errors")
    browser.one(".failures summary").click()
    browser.wait("a backtrace", lambda: "trap!" in browser.text(".failures pre") or "backtrace" in browser.text(".failures pre"))
    browser.look("errors")
    browser.go("#/server/session/sessions")
    browser.wait("sessions", lambda: len(browser.all("tbody tr")) >= 2)
    browser.look("sessions")
    before = len(browser.all("tbody tr"))
    browser.one("tbody button").click()
    browser.one("#confirm-yes").click()
    browser.wait("one fewer", lambda: 0 < len(browser.all("tbody tr")) < before or "no sessions" in browser.text("#view"))
    step("failures have their backtrace, and a session is ended")
    browser.go("#/server/shop/versions")
    browser.wait("versions", lambda: "serving" in browser.text("tbody"))
    browser.look("versions")
    browser.go("#/server/mysite/log")
    browser.wait("the log", lambda: "GET /" in browser.text(".log"))
    site.visit("/?seen-in-the-log")
    browser.wait("the log grows", lambda: "seen-in-the-log" in browser.text(".log"))
    browser.look("log")
    browser.go("#/server/shop")
    browser.wait("facts", lambda: "On Web Connection" in browser.text(".facts"))
    browser.look("server")
    step("versions, log and properties are shown")


def look_away(browser):
    browser.go("#/")
    look = "Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true}); document.dispatchEvent(new Event('visibilitychange'))"
    browser.driver.execute_script(look, True)
    browser.wait("paused", lambda: "Paused" in browser.text("#live-text"))
    time.sleep(4)
    browser.driver.execute_script(look, False)
    browser.wait("live again", lambda: browser.text("#live-text") == "Live")
    line = browser.row("mysite", "svg .line")
    browser.wait("a gap in the chart", lambda: browser.one(line).get_attribute("d").count("M") > 1)
    step("a page that nobody looks at stops following, and goes on later")


def log_out(browser):
    browser.one("#logout").click()
    browser.wait("the login", lambda: browser.driver.current_url.endswith("/webadmin/login"))
    browser.open("/webadmin/")
    assert browser.driver.current_url.endswith("/webadmin/login")
    step("logged out")


def main():
    site = Site()
    browser = Browser(site)
    try:
        log_in(browser, site)
        see_figures(browser, site)
        start_and_stop(browser, site)
        deploy(browser, site)
        # Long enough for a picture that shows something.
        for index in range(90 if PICTURES else 3):
            site.visit("/", 12 + index * 7 % 19)
            site.visit("/shop/", 8 + index * 5 % 11)
            site.visit("/echo/", 2 + index % 5)
            time.sleep(0.6)
        browser.look("overview")
        see_details(browser, site)
        change_settings(browser, site)
        look_away(browser)
        log_out(browser)
        # The policy and the scripts: nothing was blocked, nothing failed. Refusals of the API are told there, too.
        said = [it["message"] for it in browser.driver.get_log("browser") if it["level"] == "SEVERE"]
        bad = [it for it in said if "status of 4" not in it]
        assert not bad, bad
        step("the console has no error")
    finally:
        browser.driver.quit()
        site.end()
    print(f"{len(passed)} steps passed")


main()

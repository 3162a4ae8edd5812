"""README's two lines of HTML in a page of a site of one's own, and a real browser that shows it."""

import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from selenium import webdriver

from tests.readme.walk import EFFECT_SECONDS

PAGE = "<!doctype html><html lang=en><title>Shop</title>{lines}</html>"
COUNT = """
const root = document.querySelector("tocsin-bell").shadowRoot;
return root && root.querySelector("#count") && root.querySelector("#count").textContent;
"""


def shows_a_bell(browser: webdriver.Chrome, lines: str, folder: Path) -> None:
    """Look at the page until its bell says that one item is unread."""
    folder.mkdir()
    (folder / "index.html").write_text(PAGE.format(lines=lines))
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            browser.get(f"http://127.0.0.1:{server.server_port}/")
            _until_one_is_unread(browser)
        finally:
            server.shutdown()
            serving.join()


def _until_one_is_unread(browser: webdriver.Chrome) -> None:
    end = time.monotonic() + EFFECT_SECONDS
    while (count := browser.execute_script(COUNT)) != "1":
        assert time.monotonic() < end, f"the bell says {count}"
        time.sleep(0.1)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Requests are of no interest."""

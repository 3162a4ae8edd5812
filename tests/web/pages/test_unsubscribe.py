"""The unsubscribe page, as a person sees it."""

import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.wait import WebDriverWait

from policy.tracking.ticket import Purpose, issue_ticket
from schemas.vocabulary import Channel
from tests.patience import PATIENCE
from tests.sinks.rig import delivery
from tests.sinks.test_sendgrid import SENDGRID
from tests.web.house import Api


def test_one_button_and_it_is_done_and_can_be_undone(
    api: Api, browser: webdriver.Chrome, shots: Path
) -> None:
    key = api.house.settings.signing_key.get_secret_value().encode()
    user = f"reader-{time.time_ns()}"
    mail = delivery(SENDGRID, user=user, category="comments", channel=Channel.EMAIL)
    browser.get(f"{api.url}/unsubscribe/{issue_ticket(mail, Purpose.UNSUBSCRIBE, key)}")
    browser.save_screenshot(str(shots / "unsubscribe.png"))
    assert "Unsubscribe" in browser.title
    browser.find_element(By.CSS_SELECTOR, "button").click()
    # A click may return before the page that follows it.
    waiting = WebDriverWait(browser, PATIENCE)
    waiting.until(expected_conditions.title_is("You are unsubscribed"))
    browser.save_screenshot(str(shots / "unsubscribed.png"))
    browser.find_element(By.CSS_SELECTOR, "button").click()
    waiting.until(expected_conditions.title_is("You are subscribed"))

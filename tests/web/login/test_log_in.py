"""People log in to the pages at a provider that others wrote, and are let in and out by it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import msgspec
import pytest
from aiohttp import web

from agents.check.findings import State
from embedded.process import LOOPBACK
from pipeline.clock import SystemClock
from tests.web.caller import memory, settings
from tests.web.desk import desk_of
from tests.web.login.openid import CLIENT, approve
from tests.web.login.pages import LOOK, Pages, pages, provider
from web.app import serving
from web.http.rate_limits import Limits
from web.login.check import check_login
from web.login.guard import PROOF, Guard
from web.login.routes import Login, no_login, page_of

__all__ = ["pages", "provider"]


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """Keeps cookies, also those of addresses, and follows no redirect unless told."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def call(
    browser: aiohttp.ClientSession, url: str, method: str = "GET", **headers: str
) -> tuple[int, Any, Any]:
    """Status, headers and body."""
    asked = browser.request(method, url, headers=headers, allow_redirects=False)
    async with asked as answer:
        body = await answer.read()
        said = msgspec.json.decode(body) if "json" in answer.content_type else body.decode()
        return answer.status, answer.headers, said


async def log_in(pages: Pages, browser: aiohttp.ClientSession, who: str) -> tuple[int, Any, Any]:
    """What somebody is answered who comes back from the provider."""
    _, headers, _ = await call(browser, f"{pages.url}/login?page=/operator%3Fby%3Duser")
    back = await approve(browser, headers["Location"], who)
    return await call(browser, back)


async def test_who_logs_in_may_what_their_groups_may_and_is_on_record(
    pages: Pages, browser: aiohttp.ClientSession
) -> None:
    assert (await call(browser, pages.url + LOOK))[0] == 401
    status, headers, _ = await log_in(pages, browser, "ada")
    assert (status, headers["Location"]) == (303, "/operator?by=user")
    session, attempt = headers.getall("Set-Cookie")
    assert session.startswith("tocsin-session=")
    assert all(each in session for each in ("HttpOnly", "SameSite=Strict", "Max-Age=28800"))
    assert attempt.startswith('tocsin-login=""')

    _, _, found = await call(browser, f"{pages.url}/login/session")
    shown = found["session"]
    assert (shown["name"], shown["tenant"]) == ("ada@example.com", "acme")
    assert shown["scopes"] == ["operate", "read"]
    assert (await call(browser, pages.url + LOOK))[0] == 200
    assert [(each.who, each.deed, each.tenant) for each in pages.on_record] == [
        ("login:ada@example.com", "logged in", "acme"),
        ("login:ada@example.com", "looked up", "acme"),
    ]


async def test_what_changes_something_needs_a_proof_that_other_sites_pages_can_not_read(
    pages: Pages, browser: aiohttp.ClientSession
) -> None:
    await log_in(pages, browser, "ada")
    _, _, found = await call(browser, f"{pages.url}/login/session")
    proof = {PROOF: found["session"]["proof"]}
    replay = f"{pages.url}/v1/dead-letters/1/replay"
    for headers, expected in (
        ({}, 403),
        ({PROOF: "forged"}, 403),
        ({**proof, "Sec-Fetch-Site": "cross-site"}, 401),
        ({**proof, "Sec-Fetch-Site": "same-site"}, 401),
        ({**proof, "Authorization": "Bearer other"}, 401),  # a key is what was meant
    ):
        status, _, said = await call(browser, replay, "POST", **headers)
        assert status == expected, (headers, said)
    assert len(pages.on_record) == 1
    # Allowed, but for what the role of these people is: there is no such scope among theirs.
    status, _, said = await call(browser, f"{pages.url}/v1/users/ada", "DELETE", **proof)
    assert (status, said["detail"]) == (403, "It needs the scope erase.")


async def test_a_log_out_ends_the_session_here_and_at_the_provider(
    pages: Pages, browser: aiohttp.ClientSession
) -> None:
    await log_in(pages, browser, "ada")
    end = f"{pages.url}/login/end"
    assert (await call(browser, end, "POST"))[0] == 403
    assert (await call(browser, pages.url + LOOK))[0] == 200
    _, _, found = await call(browser, f"{pages.url}/login/session")
    status, headers, said = await call(browser, end, "POST", **{PROOF: found["session"]["proof"]})
    assert status == 200
    assert "Max-Age=0" in headers["Set-Cookie"]
    assert (await call(browser, pages.url + LOOK))[0] == 401
    assert pages.on_record[-1].deed == "logged out"
    assert said["url"].startswith(f"{pages.provider.issuer}/session/end?")
    assert parse_qs(urlsplit(said["url"]).query)["post_logout_redirect_uri"] == [
        f"{pages.url}/dashboard"
    ]
    async with browser.get(said["url"]) as shown:  # the provider knows client and address
        assert shown.status == 200, await shown.text()
        assert "sign-out" in (await shown.text()).lower()


async def test_the_provider_may_change_its_keys_at_any_time(
    pages: Pages, browser: aiohttp.ClientSession
) -> None:
    assert (await log_in(pages, browser, "ada"))[0] == 303
    await pages.provider.stop()
    await pages.provider.start()
    browser.cookie_jar.clear()
    assert (await log_in(pages, browser, "bob"))[0] == 303
    # Who is logged in stays so, whatever becomes of the provider.
    await pages.provider.stop()
    assert (await call(browser, pages.url + LOOK))[0] == 200


async def test_who_may_nothing_is_told_so_and_gets_no_session(
    pages: Pages, browser: aiohttp.ClientSession
) -> None:
    status, headers, said = await log_in(pages, browser, "eve")  # whose group is called `*`
    assert (status, headers.getall("Set-Cookie", [])) == (403, [])
    assert "eve@example.com may do nothing here" in said
    assert pages.on_record == []


async def test_an_answer_that_this_browser_did_not_begin_is_refused(
    pages: Pages, browser: aiohttp.ClientSession
) -> None:
    _, headers, _ = await call(browser, f"{pages.url}/login")
    back = await approve(browser, headers["Location"], "ada")
    async with aiohttp.ClientSession() as other:
        assert (await call(other, back))[0] == 403
    _, headers, _ = await call(browser, f"{pages.url}/login")  # begun anew: of before is over
    assert (await call(browser, back))[0] == 403
    back = await approve_again(browser, headers["Location"])
    assert (await call(browser, back))[0] == 303
    assert (await call(browser, back))[0] == 403  # a second time
    assert [each.deed for each in pages.on_record] == ["logged in"]


async def approve_again(browser: aiohttp.ClientSession, url: str) -> str:
    """Whom the provider knows already is sent back at once."""
    while "/login/return" not in url:
        async with browser.get(url, allow_redirects=False) as sent:
            url = sent.headers["Location"]
    return url


async def test_who_changes_their_mind_at_the_provider_is_told_so(
    pages: Pages, browser: aiohttp.ClientSession
) -> None:
    _, headers, _ = await call(browser, f"{pages.url}/login")
    state = parse_qs(urlsplit(headers["Location"]).query)["state"][0]
    answer = f"error=access_denied&error_description=%3Cb%3Eno&state={state}"
    url = f"{pages.url}/login/return?{answer}&iss={pages.provider.issuer}"
    status, _, said = await call(browser, url)
    assert status == 403
    assert "the provider says: &lt;b&gt;no" in said
    # RFC 9207: this provider always says who it is, and so another can't answer for it.
    for iss in ("", "&iss=https://other.example"):
        _, _, said = await call(browser, f"{pages.url}/login/return?{answer}{iss}")
        assert "provider it is of" in said or "of another provider" in said


async def test_without_the_provider_nobody_logs_in_and_it_is_said(
    pages: Pages, browser: aiohttp.ClientSession
) -> None:
    await pages.provider.stop()
    status, _, said = await call(browser, f"{pages.url}/login")
    assert status == 503
    assert "The provider can&#x27;t be asked" in said


async def test_a_log_in_that_can_not_be_put_on_record_is_none(
    pages: Pages, browser: aiohttp.ClientSession
) -> None:
    pages.topics.is_away = True
    status, headers, _ = await log_in(pages, browser, "ada")
    assert (status, headers.getall("Set-Cookie", [])) == (503, [])


@pytest.mark.parametrize(
    ("wanted", "page"),
    [
        ("/operator", "/operator"),
        ("/dashboard?range=7d&type=a%20b", "/dashboard?range=7d&type=a%20b"),
        *(
            (each, "/dashboard")
            for each in (
                *("https://evil.example/operator", "//evil.example/operator", "/\\evil.example"),
                *("/v1/users/ada", "", "operator", "/operator?\r\nX: y", "/operator?ü"),
                *("/operator?\\", f"/operator?{'x' * 1000}", "javascript:alert(1)"),
            )
        ),
    ],
)
def test_a_log_in_leads_to_our_pages_alone(wanted: str, page: str) -> None:
    assert page_of(wanted) == page


async def test_a_page_is_told_where_there_is_no_provider() -> None:
    app = web.Application()
    app.add_routes(no_login())
    async with serving(app, LOOPBACK, 0) as url, aiohttp.ClientSession() as session:
        _, _, said = await call(session, f"{url}/login/session")
    assert said == {"login": None, "session": None}


async def test_cookies_are_for_tls_and_this_host_alone_where_the_pages_are(
    pages: Pages, browser: aiohttp.ClientSession
) -> None:
    given = settings(
        pages_url="https://tocsin.example.com/",
        oidc_issuer=pages.provider.issuer,
        oidc_client_id=CLIENT,
    )
    clock = SystemClock()
    guard = Guard(given, clock)
    login = Login(given, guard, desk_of(memory(), given, 0).trail, Limits(), clock)
    app = web.Application()
    app.add_routes(login.routes())
    async with serving(app, LOOPBACK, 0) as url:
        _, headers, _ = await call(browser, f"{url}/login")
    await login.close()
    cookie = headers["Set-Cookie"]
    assert cookie.startswith("__Secure-tocsin-login=")
    assert all(each in cookie for each in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/login"))
    query = parse_qs(urlsplit(headers["Location"]).query)
    assert query["redirect_uri"] == ["https://tocsin.example.com/login/return"]
    assert query["code_challenge_method"] == ["S256"]
    assert (guard.cookie, guard.is_secure) == ("__Host-tocsin-session", True)


async def test_the_check_before_anybody_logs_in(pages: Pages) -> None:
    issuer = pages.provider.issuer
    given = settings(pages_url=pages.url, oidc_issuer=issuer, oidc_rights={"*": ("read",)})
    (fine,) = [each async for each in check_login(given)]
    assert (fine.state, fine.found.split(";")[0]) == (State.OK, f"{issuer} answers")
    for change, said in (
        ({"oidc_issuer": f"{issuer}/"}, "calls itself"),
        ({"oidc_issuer": f"{issuer}/other"}, "answers 404"),
        ({"oidc_rights": {"*": ("all",)}}, "TOCSIN_OIDC_RIGHTS"),
        ({"oidc_ca_file": Path("nowhere.pem")}, "TOCSIN_OIDC_CA_FILE"),
    ):
        (wrong,) = [each async for each in check_login(given.model_copy(update=change))]
        assert wrong.state is State.FAILED
        assert said in wrong.found
    assert [each async for each in check_login(settings())] == []

"""What providers tell an account of itself: questions that send nothing and change nothing."""

import base64
import hmac
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from embedded.simulators.aws import AwsAccount
from embedded.simulators.credentials import Credentials
from embedded.simulators.reply import json_reply

Handler = Callable[[web.Request], Awaitable[web.Response]]


REFUSED = {"message": "Unauthorized", "ErrorCode": 10, "Message": "No Account or Server API tokens"}
"""By those who tell more than the status, in the words of Postmark."""


def account_routes(known: Credentials, aws: AwsAccount) -> list[web.RouteDef]:
    """For each provider that has such a question, who is known and what is told."""
    sid = known.twilio_account_sid
    return [
        web.get("/v3/scopes", _by_header({"Authorization": f"Bearer {known.sendgrid_api_key}"},
                                         {"scopes": ["mail.send"]})),
        web.get(f"/v4/domains/{known.mailgun_domain}",
                _by_header(_basic("api", known.mailgun_api_key),
                           {"domain": {"name": known.mailgun_domain, "state": "active"}})),
        web.get("/server", _by_header({"X-Postmark-Server-Token": known.postmark_server_token},
                                      {"ID": 1, "Name": "tocsin", "DeliveryType": "Live"})),
        web.get("/domains", _by_header({"Authorization": f"Bearer {known.resend_api_key}"},
                                       {"object": "list", "data": []})),
        web.get("/v2/email/account", _signed(aws, "ses")),
        web.get(f"/2010-04-01/Accounts/{sid}.json",
                _by_header(_basic(sid, known.twilio_auth_token),
                           {"sid": sid, "status": "active", "friendly_name": "tocsin"})),
        web.get(f"/v1/Account/{known.plivo_auth_id}/",
                _by_header(_basic(known.plivo_auth_id, known.plivo_auth_token),
                           {"auth_id": known.plivo_auth_id, "account_type": "standard"})),
        web.get("/account/get-balance", _by_query(
            {"api_key": known.vonage_api_key, "api_secret": known.vonage_api_secret},
            {"value": 15.0, "autoReload": False})),
        web.route("*", "/bot{token}/getMe", _telegram(known.telegram_bot_token)),
        web.post("/api/auth.test", _slack(known.slackapp_bot_token)),
    ]  # fmt: skip


def sns_attributes(
    aws: AwsAccount, send: Handler
) -> Handler:  # under the URL at which messages are published
    """SNS's question, and whatever else is asked there."""

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        if b"Action=GetSMSAttributes" not in body or aws.problem_of(request, body, "sns"):
            return await send(request)  # which refuses what isn't signed
        xmlns = "http://sns.amazonaws.com/doc/2010-03-31/"
        text = (
            f'<GetSMSAttributesResponse xmlns="{xmlns}"><GetSMSAttributesResult><attributes/>'
            "</GetSMSAttributesResult></GetSMSAttributesResponse>"
        )
        return web.Response(text=text, content_type="text/xml")

    return answer


def _basic(user: str, password: str) -> dict[str, str]:
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def _is_same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _by_header(wanted: Mapping[str, str], told: object) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        is_known = all(
            _is_same(request.headers.get(name, ""), value) for name, value in wanted.items()
        )
        return json_reply(told) if is_known else json_reply(REFUSED, 401)

    return answer


def _by_query(wanted: Mapping[str, str], told: object) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        is_known = all(_is_same(request.query.get(name, ""), text) for name, text in wanted.items())
        return json_reply(told) if is_known else json_reply({"error-code": "401"}, 401)

    return answer


def _signed(aws: AwsAccount, service: str) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        if problem := aws.problem_of(request, await request.read(), service):
            headers = {"x-amzn-ErrorType": problem}
            return web.json_response({"message": problem}, status=403, headers=headers)
        return json_reply({"SendingEnabled": True, "ProductionAccessEnabled": True})

    return answer


def _telegram(token: str) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        if not _is_same(request.match_info["token"], token):
            told = {"ok": False, "error_code": 401, "description": "Unauthorized"}
            return json_reply(told, 401)
        bot = {"id": 1, "is_bot": True, "first_name": "Tocsin", "username": "tocsin_bot"}
        return json_reply({"ok": True, "result": bot})

    return answer


def _slack(token: str) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        if not _is_same(given, f"Bearer {token}"):
            return json_reply({"ok": False, "error": "invalid_auth"})
        return json_reply({"ok": True, "team": "Tocsin", "user": "tocsin"})

    return answer

"""The simulators as one web application."""

from urllib.parse import parse_qsl

from aiohttp import web

from embedded.simulators import vonage_messages, webhook
from embedded.simulators.accept_log import AcceptLog
from embedded.simulators.accounts import account_routes, sns_attributes
from embedded.simulators.aws import AwsAccount
from embedded.simulators.chat import discord, slack, slack_app, teams, telegram
from embedded.simulators.chat.discord import DiscordSimulator
from embedded.simulators.chat.slack import SlackSimulator
from embedded.simulators.chat.slack_app import SlackAppSimulator
from embedded.simulators.chat.teams import TeamsSimulator
from embedded.simulators.chat.telegram import TelegramSimulator
from embedded.simulators.chat.twilio_whatsapp import TwilioWhatsAppSimulator
from embedded.simulators.credentials import AWS_REGION, Credentials
from embedded.simulators.email import mailgun, postmark, resend, sendgrid, ses
from embedded.simulators.email.mailgun import MailgunSimulator
from embedded.simulators.email.postmark import PostmarkSimulator
from embedded.simulators.email.resend import ResendSimulator
from embedded.simulators.email.sendgrid import MAX_MAIL, SendGridSimulator
from embedded.simulators.email.ses import SesSimulator
from embedded.simulators.email.smtp import SmtpSimulator
from embedded.simulators.faults import Faults, Handler
from embedded.simulators.push import apns, fcm, oauth, webpush
from embedded.simulators.push.apns import ApnsSimulator
from embedded.simulators.push.fcm import FcmSimulator
from embedded.simulators.push.oauth import TokenIssuer
from embedded.simulators.push.webpush import WebPushSimulator
from embedded.simulators.sms import plivo, sns, twilio, vonage
from embedded.simulators.sms.plivo import PlivoSimulator
from embedded.simulators.sms.sns import SnsSimulator
from embedded.simulators.sms.twilio import TwilioSimulator
from embedded.simulators.sms.vonage import VonageSimulator
from embedded.simulators.vonage_messages import VonageMessagesSimulator
from embedded.simulators.webhook import WebhookSimulator

MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"


class Simulators:
    """Every provider under its own paths; `faults` and `tokens` may be changed while they run."""

    def __init__(self, credentials: Credentials, log: AcceptLog) -> None:
        self.faults = Faults()
        self._log = log
        self.tokens = TokenIssuer(credentials.service_account)
        project = credentials.service_account.project_id
        token = credentials.chat_token
        self._slack = SlackSimulator(token, log, self.faults)
        self._teams = TeamsSimulator(token, log, self.faults)
        self.discord = DiscordSimulator(token, log, self.faults)
        self.telegram = TelegramSimulator(credentials.telegram_bot_token, log, self.faults)
        self._slack_app = SlackAppSimulator(credentials.slackapp_bot_token, log, self.faults)
        self._webhook = WebhookSimulator(credentials.webhook_key, log, self.faults)
        self._apns = ApnsSimulator(credentials.apns, log, self.faults)
        self._webpush = WebPushSimulator(credentials.browser, log, self.faults)
        self._fcm = FcmSimulator(project, self.tokens, log, self.faults)
        self._credentials = credentials
        self._aws = aws = AwsAccount(
            credentials.aws_access_key_id, credentials.aws_secret_access_key, AWS_REGION
        )
        self._mailgun = MailgunSimulator(
            credentials.mailgun_domain, credentials.mailgun_api_key, log, self.faults
        )
        self._plivo = PlivoSimulator(
            credentials.plivo_auth_id, credentials.plivo_auth_token, log, self.faults
        )
        self._sns = SnsSimulator(aws, log, self.faults)
        self._vonage = VonageSimulator(
            credentials.vonage_api_key, credentials.vonage_api_secret, log, self.faults
        )
        self.vonage_messages = VonageMessagesSimulator(credentials, log, self.faults)
        self._postmark = PostmarkSimulator(credentials.postmark_server_token, log, self.faults)
        self._ses = SesSimulator(aws, log, self.faults)
        self._resend = ResendSimulator(credentials.resend_api_key, log, self.faults)
        self.smtp = SmtpSimulator(
            credentials.smtp_user, credentials.smtp_password, log, self.faults
        )
        self._sendgrid = SendGridSimulator(credentials.sendgrid_api_key, log, self.faults)
        sid, secret = credentials.twilio_account_sid, credentials.twilio_auth_token
        self._twilio = TwilioSimulator(sid, secret, log, self.faults)
        self.twilio_whatsapp = TwilioWhatsAppSimulator(sid, secret, log, self.faults)

    def apns(self) -> Handler:
        """Apple's, which is served by itself, as it speaks HTTP/2."""
        return self.faults.guard("apns", self._apns.send, apns.refuse)

    def _by_twilio(self) -> Handler:
        """Texts and WhatsApp at one URL, told apart by the address; each has its own faults."""
        by_text = self.faults.guard("twilio", self._twilio.send, twilio.refuse)
        by_whatsapp = self.faults.guard("twiliowhatsapp", self.twilio_whatsapp.send, twilio.refuse)

        async def send(request: web.Request) -> web.Response:
            form = dict(parse_qsl((await request.read()).decode()))
            is_chat = form.get("To", "").startswith("whatsapp:")
            return await (by_whatsapp if is_chat else by_text)(request)

        return send

    def _by_vonage(self) -> Handler:
        """The same for Vonage's Messages API, whose messages name their channel."""
        messages, refuse = self.vonage_messages, vonage_messages.refuse
        by_text = self.faults.guard("vonagemessages", messages.by_text, refuse)
        by_whatsapp = self.faults.guard("vonagewhatsapp", messages.by_whatsapp, refuse)

        async def send(request: web.Request) -> web.Response:
            channel = vonage_messages.channel_of(await request.read())
            return await (by_whatsapp if channel == "whatsapp" else by_text)(request)

        return send

    async def _mail(self, request: web.Request) -> web.Response:
        """A mail as it was received; it may run nothing and load nothing."""
        html = self._log.mail(request.match_info["delivery_id"])
        if html is None:
            return web.Response(status=404, text="It is not among the newest mails.\n")
        policy = {
            "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'"
        }
        return web.Response(text=html, content_type="text/html", headers=policy)

    def app(self) -> web.Application:
        """The routes; requests that hang are let go when the application stops."""
        # Above SendGrid's limit, so that its own 413 answers and not aiohttp's.
        app = web.Application(client_max_size=MAX_MAIL + (1 << 20))
        guard = self.faults.guard
        app.add_routes(
            [
                web.post("/token", guard("oauth", self.tokens.grant, oauth.denied)),
                web.post(
                    "/v1/projects/{project}/messages:send",
                    guard("fcm", self._fcm.send, fcm.refuse),
                ),
                web.post("/emails/batch", guard("resend", self._resend.send, resend.refuse)),
                web.post("/email/batch", guard("postmark", self._postmark.send, postmark.refuse)),
                web.post("/v2/email/outbound-emails", guard("ses", self._ses.send, ses.refuse)),
                web.post(
                    "/v2/email/outbound-bulk-emails",
                    guard("ses", self._ses.send_bulk, ses.refuse),
                ),
                web.post("/v3/mail/send", guard("sendgrid", self._sendgrid.send, sendgrid.refuse)),
                # After SendGrid's, which it would match as well.
                web.post(
                    "/v3/{domain}/messages", guard("mailgun", self._mailgun.send, mailgun.refuse)
                ),
                web.post(
                    "/2010-04-01/Accounts/{sid}/Messages.json",
                    self._by_twilio(),
                ),
                web.post(
                    "/v1/Account/{id}/Message/", guard("plivo", self._plivo.send, plivo.refuse)
                ),
                web.post(
                    r"/push/{number:\d+}", guard("webpush", self._webpush.send, webpush.refuse)
                ),
                web.post("/", guard("sns", sns_attributes(self._aws, self._sns.send), sns.refuse)),
                *account_routes(self._credentials, self._aws),
                web.post("/sms/json", guard("vonage", self._vonage.send, vonage.refuse)),
                web.post("/v1/messages", self._by_vonage()),
                web.post(
                    "/services/{team}/{hook}/{token}",
                    guard("slack", self._slack.send, slack.refuse),
                ),
                web.post(
                    "/workflows/{id}/triggers/manual/paths/invoke",
                    guard("teams", self._teams.send, teams.refuse),
                ),
                web.post(
                    "/api/webhooks/{id}/{token}",
                    guard("discord", self.discord.send, discord.refuse),
                ),
                web.post(
                    "/bot{token}/sendMessage",
                    guard("telegram", self.telegram.send, telegram.refuse),
                ),
                web.post(
                    "/api/chat.postMessage",
                    guard("slackapp", self._slack_app.send, slack_app.refuse),
                ),
                web.post(
                    "/receiver/{number}", guard("standard", self._webhook.receive, webhook.refuse)
                ),
                web.get("/_mails/{delivery_id}", self._mail),
                web.put("/_faults/{provider}", self.faults.put),
                web.delete("/_faults/{provider}", self.faults.delete),
            ]
        )

        async def let_go(_: web.Application) -> None:
            self.faults.clear_all()

        app.on_shutdown.append(let_go)
        return app

"""Amazon SES, version 2: `POST /v2/email/outbound-emails`, and the same for many."""

import secrets

import msgspec
from aiohttp import web

from embedded.simulators.accept_log import Accepted, AcceptLog, digest_of, now
from embedded.simulators.aws import AwsAccount
from embedded.simulators.email.ses_bulk import MOST_ENTRIES, BulkMail
from embedded.simulators.email.ses_mail import Mail, problem_of
from embedded.simulators.faults import Faults
from embedded.simulators.reply import json_reply
from schemas.vocabulary import Channel

# HTTP status: (SES's error, message), as Amazon documents them.
ERRORS = {
    400: ("MessageRejected", "Email rejected."),
    401: ("UnrecognizedClientException", "The security token included in the request is invalid."),
    403: ("AccessDeniedException", "User is not authorized to perform: ses:SendEmail"),
    404: ("NotFoundException", "Configuration set does not exist."),
    413: ("BadRequestException", "Request is too large."),
    429: ("TooManyRequestsException", "Maximum sending rate exceeded."),
    500: ("InternalServiceErrorException", "Internal failure."),
    503: ("ServiceUnavailableException", "Service is temporarily unavailable."),
}

STATUSES = {"BadRequestException": "INVALID_PARAMETER", "MessageRejected": "MESSAGE_REJECTED"}
"""How an entry of a bulk mail says what would be the error of a single mail."""


class SesSimulator:
    """Accepts mail for one account."""

    name = "ses"

    def __init__(self, account: AwsAccount, log: AcceptLog, faults: Faults) -> None:
        self._account = account
        self._log = log
        self._faults = faults
        self._decoder = msgspec.json.Decoder(Mail)
        self._bulk_decoder = msgspec.json.Decoder(BulkMail)

    async def send(self, request: web.Request) -> web.Response:
        """Check the signature, then the mail; accept what passes."""
        body = await request.read()
        if problem := self._account.problem_of(request, body, self.name):
            return _error(403, problem, "The request is not signed as it should be.")
        try:
            mail = self._decoder.decode(body)
        except msgspec.MsgspecError as error:
            return _error(400, "BadRequestException", str(error))
        if refused := problem_of(mail):
            return _error(400, *refused)
        if self._is_dead(mail):
            return _error(400, "MessageRejected", "Address is on the suppression list.")
        return json_reply({"MessageId": self._accept(mail)})

    async def send_bulk(self, request: web.Request) -> web.Response:
        """Check the signature, then each entry's mail by itself; accept those that pass."""
        body = await request.read()
        if problem := self._account.problem_of(request, body, self.name):
            return _error(403, problem, "The request is not signed as it should be.")
        try:
            mails = self._bulk_decoder.decode(body).mails()
        except msgspec.MsgspecError as error:
            return _error(400, "BadRequestException", str(error))
        if not 1 <= len(mails) <= MOST_ENTRIES:
            text = f"A call takes 1 to {MOST_ENTRIES} entries, not {len(mails)}."
            return _error(400, "BadRequestException", text)
        return json_reply({"BulkEmailEntryResults": [self._result(mail) for mail in mails]})

    def _result(self, mail: Mail) -> dict[str, str]:
        if refused := problem_of(mail):
            return {"Status": STATUSES[refused[0]], "Error": refused[1]}
        if self._is_dead(mail):
            text = "Address is on the suppression list."
            return {"Status": STATUSES["MessageRejected"], "Error": text}
        return {"Status": "SUCCESS", "MessageId": self._accept(mail)}

    def _is_dead(self, mail: Mail) -> bool:
        recipients = mail.destination.recipients()
        return any(self._faults.is_dead(self.name, recipient) for recipient in recipients)

    def _accept(self, mail: Mail) -> str:
        """Take it for all of its recipients; its id."""
        reference = f"{secrets.token_hex(8)}-{secrets.token_hex(4)}-000000"
        self._log.append(
            self._accepted(mail, recipient, reference)
            for recipient in mail.destination.recipients()
        )
        return reference

    def _accepted(self, mail: Mail, address: str, reference: str) -> Accepted:
        tags = {tag.name: tag.value for tag in mail.email_tags}
        simple = mail.content.simple
        text = simple.body.text or simple.body.html
        accepted = Accepted(
            at=now(),
            provider=self.name,
            channel=Channel.EMAIL,
            notification_id=tags.get("notification_id", ""),
            delivery_id=tags.get("delivery_id", ""),
            address=address,
            title=simple.subject.data,
            digest=digest_of(text.data if text else ""),
            reference=reference,
        )
        html = simple.body.html
        return self._log.with_mail(accepted, html.data if html else "")


def refuse(status: int) -> web.Response:
    """SES's error with this HTTP status."""
    return _error(status, *ERRORS.get(status, ERRORS[500]))


def _error(status: int, kind: str, message: str) -> web.Response:
    response = json_reply({"message": message}, status)
    response.headers["x-amzn-ErrorType"] = kind
    return response

"""WhatsApp by Twilio: the same resource as texts, with addresses of another kind and templates."""

import re
from typing import Any

import msgspec

from embedded.simulators.accept_log import AcceptLog
from embedded.simulators.faults import Faults
from embedded.simulators.sms.twilio import (
    TwilioSimulator,
    body_problem,
    callback_problem,
    sender_problem,
)
from schemas.vocabulary import Channel

ADDRESS = re.compile(r"whatsapp:\+[1-9]\d{6,14}")
CONTENT = re.compile(r"HX[0-9a-f]{32}")
BOLD = re.compile(r"\*([^*\n]+)\*\n(.*)", re.DOTALL)
SPACES = re.compile(r"[\n\t]| {5}")
OUTSIDE = "Failed to send freeform message because you are outside the allowed window."


class TwilioWhatsAppSimulator(TwilioSimulator):
    """`closed` are addresses that have not written within 24 hours, and get templates alone."""

    name = "twiliowhatsapp"
    channel = Channel.CHAT

    def __init__(self, sid: str, token: str, log: AcceptLog, faults: Faults) -> None:
        super().__init__(sid, token, log, faults)
        self.closed: set[str] = set()

    def problem_of(self, form: dict[str, str]) -> tuple[int, str] | None:
        """The first thing that Twilio, or WhatsApp, refuses in the form."""
        to, sender, content = form.get("To", ""), form.get("From", ""), form.get("ContentSid")
        if not ADDRESS.fullmatch(to):
            return 21211, f"The 'To' number {to} is not a valid phone number."
        if problem := sender_problem(form):
            return problem
        if sender and not ADDRESS.fullmatch(sender):
            return 21910, "Invalid 'From' and 'To' pair. They should be of the same channel."
        if sender == to:
            return 63031, "Channels message cannot have same 'From' and 'To'"
        if content is None:
            problem = body_problem(form.get("Body", ""))
            outside = (63016, OUTSIDE) if to in self.closed else None
            return problem or outside or callback_problem(form)
        if not CONTENT.fullmatch(content):
            return 21656, "The ContentSid parameter is invalid."
        return variables_problem(form.get("ContentVariables")) or callback_problem(form)

    def shown(self, form: dict[str, str]) -> tuple[str, str]:
        """The bold line above the text; of a template its name and what fills it."""
        if "ContentSid" in form:
            return form["ContentSid"], form.get("ContentVariables", "")
        found = BOLD.fullmatch(form["Body"])
        return (found[1], found[2]) if found else ("", form["Body"])


def variables_problem(text: str | None) -> tuple[int, str] | None:
    """What is wrong with the variables of a template: JSON of texts that are one line each."""
    if text is None:
        return None
    try:
        values = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return 21656, "The ContentVariables parameter is invalid."
    for said in values.values():
        if not isinstance(said, str) or not said or SPACES.search(said):
            return 63013, "Channel policy violation"
    if sum(map(len, values.values())) > 1024:
        return 63021, "Channel invalid content error"
    return None

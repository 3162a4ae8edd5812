"""What stands in the fields of the page: what holds, or what the person wrote and has to mend."""

from collections.abc import Collection

from policy.user.preference_matrix import Choice
from policy.user.user_view import Known
from schemas.vocabulary import Channel
from web.http.forms import Form


class Entered:
    """The fields of a page that is shown anew, where `form` is None, or again.

    A zone that is `wrong` is none that could be shown: it was not picked from the list.
    """

    def __init__(self, form: Form | None, known: Known, zone: str, wrong: Collection[str]) -> None:
        hours = known.preferences.quiet_hours
        self._form = form
        self._on = set[object]() if form is None else {*form.getall("on", ())}
        self._seen = set[object]() if form is None else {*form.getall("shown", ())}
        self.start = self._field("start", hours[0].start if hours else "")
        self.end = self._field("end", hours[0].end if hours else "")
        self.zone = zone if "zone" in wrong else self._field("zone", zone) or zone
        self.block = self._field("block", "")
        kept = known.blocked if form is None else form.getall("blocked", ())
        self.blocked = {actor: actor in kept for actor in known.blocked}
        """Those who are blocked, and whether they are to stay so."""

    def channels(self, row: Choice) -> dict[Channel, bool]:
        """Which of its channels are on."""
        cells = {channel: f"{row.category}.{channel}" for channel in row.channels}
        return {
            channel: cell in self._on if cell in self._seen else row.channels[channel]
            for channel, cell in cells.items()
        }

    def frequency(self, row: Choice) -> str:
        """How often it comes."""
        return self._field(f"frequency.{row.category}", row.frequency)

    def _field(self, name: str, otherwise: str) -> str:
        return otherwise if self._form is None else str(self._form.get(name, otherwise))

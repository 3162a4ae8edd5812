"""What the person reads, made from an event by a type's templates for one channel."""

from collections.abc import Callable

from jinja2 import UndefinedError
from msgspec import Struct

from pipeline.errors import BadRecord
from policy.template import Variables
from schemas.delivery import Content
from schemas.event import Event
from schemas.vocabulary import Reason

Text = Callable[[Variables], str]


class Rendering(Struct, frozen=True, kw_only=True):
    """The compiled templates of one type and channel; `subject` names them in errors."""

    subject: str
    body: Text
    title: Text | None = None
    html: Text | None = None
    data: tuple[str, ...] = ()

    def content(self, event: Event) -> Content:
        """Render; raises BadRecord, naming the variable, where the event's data lacks one."""
        values = {"data": event.data, "actor": event.actor}
        plain = Variables(values)
        try:
            return Content(
                body=self.body(plain),
                title=_one_line(self.title(plain)) if self.title else "",
                html=self.html(Variables(values, html=True)) if self.html else "",
                data={name: event.data[name] for name in self.data} if self.data else {},
            )
        except UndefinedError as error:
            raise self._failed(str(error)) from None
        except KeyError as error:
            raise self._failed(f"the variable {error} is missing") from None
        # A template that compiles can only fail on the values of this very record.
        except Exception as error:
            raise self._failed(f"{type(error).__name__}: {error}") from error

    def _failed(self, why: str) -> BadRecord:
        return BadRecord(Reason.RENDER_FAILED, f"{self.subject}: {why}")


def _one_line(title: str) -> str:
    # A line break from the event's data would start a second header in an e-mail.
    return title if title.isprintable() else " ".join(title.split())

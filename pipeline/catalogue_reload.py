"""Taking up a changed catalogue while a worker runs."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.catalogue_folder import read_catalogue, read_files, signature_of
from pipeline.monitoring import metrics
from policy.catalogue.catalogue import Catalogue, parse, version_of
from schemas.errors import BadCatalogue

LOOK_SECONDS = 1.0
SETTLE_SECONDS = 0.5
"""What was changed is read once it has stayed the same for so long: nobody writes it any more."""
EMPTY_SECONDS = 60.0
"""For so long a file with nothing in it is none: a shell makes it before the command has begun that
is to fill it."""
UNSETTLED_LOOKS = 10
"""Looks at files that don't settle, before what is unknown is refused all the same."""

log = logging.getLogger(__name__)


class CatalogueFolder:
    """The catalogue in a folder's TOML files; once `watch` began, no older than two seconds.

    A new one that can't be used is logged, once, and the one before stays in use. While a file has
    nothing in it, nothing is taken up either, and that is logged where it stays so.
    To begin with there must be one: raises BadCatalogue with everything that is wrong.
    """

    def __init__(
        self,
        folder: Path,
        look: float = LOOK_SECONDS,
        settle: float = SETTLE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._look_every = look
        self._settle = settle
        self._monotonic = monotonic
        # Taken before the files are read: what is written meanwhile shows at the next look.
        self._seen = self._tried = signature_of(folder)
        self._changed_at = 0.0
        self._refused = ""
        self._looking = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None
        self.current = read_catalogue(folder)
        metrics.CATALOGUE.info({"version": self.current.version})

    async def watch(self) -> None:
        """Begin to look for changes, unless that was begun before."""
        if self._watching is not None:
            return
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Look no more."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching

    async def refresh(self) -> None:
        """Have `current` be what is in the files by now, if they can be used."""
        for _ in range(UNSETTLED_LOOKS):
            if await self._look():
                return
            await asyncio.sleep(self._settle)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._look_every)
            await self._look()

    async def _look(self) -> bool:
        """Read the files if they changed; False while they are being changed."""
        async with self._looking:
            found = await asyncio.to_thread(signature_of, self._folder)
            if found != self._seen:
                self._seen, self._changed_at = found, self._monotonic()
            if found == self._tried:
                return True
            if self._monotonic() < self._changed_at + self._settle:
                return False
            empty = [name for name, _, size, _ in found if not size]
            if empty and self._monotonic() < self._changed_at + EMPTY_SECONDS:
                return True  # who writes it may take long, and nobody is kept waiting for that
            self._tried = found
            if empty:
                self._leave(empty)
            else:
                await self._read()
            return True

    async def _read(self) -> None:
        content = ""
        try:
            files = await asyncio.to_thread(read_files, self._folder)
            content = version_of(files)
            if content == self.current.version:
                self._refused = ""  # taken back
            elif content != self._refused:
                # In a thread, as many templates take a while to compile.
                self._use(await asyncio.to_thread(parse, files))
        # Whatever is wrong with the new one, there is one to go on with.
        except Exception as error:
            self._refuse(content or repr(error), error)

    def _leave(self, empty: list[str]) -> None:
        """Tell which files keep all that was changed from being taken up."""
        metrics.CATALOGUES_REFUSED.inc()
        log.warning(
            f"Nothing is in {', '.join(empty)} of {self._folder} yet, so version "
            f"{self.current.version} of the catalogue stays in use, whatever else is changed."
        )

    def _use(self, new: Catalogue) -> None:
        old, self.current, self._refused = self.current, new, ""
        metrics.CATALOGUE.info({"version": new.version})
        log.warning(f"The catalogue is now version {new.version}; it was {old.version}.")

    def _refuse(self, content: str, error: Exception) -> None:
        if content == self._refused:
            return
        self._refused = content
        metrics.CATALOGUES_REFUSED.inc()
        # The text is the message itself: of one message, the log lets the first arguments pass.
        log.error(
            f"The catalogue in {self._folder} was changed and can't be used, so version "
            f"{self.current.version} stays in use. `tocsin catalogue check` shows whether it "
            f"is correct.\n{error if isinstance(error, BadCatalogue) else repr(error)}"
        )

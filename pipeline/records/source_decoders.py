"""What reads the records of sources, by the formats that they are in."""

from pipeline.registry.client import registry_of
from pipeline.registry.decoder import KINDS, RegistryDecoder
from pipeline.settings import Settings
from policy.source.decoding import JSON_DECODER, NOT_CONNECTED, Decoder
from policy.source.entry import ReadAsEntry
from policy.source.source import Source


class SourceDecoders:
    """Of all sources of a process, by one connection to the registry that formats need.

    Schemas stay known while catalogues change. Without a registry in the settings, whatever needs
    one says so each time, by RegistryUnavailable.
    """

    def __init__(self, settings: Settings) -> None:
        """Raises Misconfigured."""
        self._registry = registry_of(settings)
        self._made: dict[tuple[str, ReadAsEntry | None, bool], Decoder] = {}

    def of(self, source: Source) -> Decoder:
        """What reads its values."""
        return self._of(source.wire, source.entry.read_as) or JSON_DECODER

    def key_of(self, source: Source) -> Decoder | None:
        """What reads its keys, where these are not what they seem to be."""
        return self._of(source.entry.key_format or "", None, is_key=True)

    async def close(self) -> None:
        """Close every connection; what needs one later opens it again."""
        if self._registry is not None:
            await self._registry.close()

    def _of(
        self, wire: str, read_as: ReadAsEntry | None, *, is_key: bool = False
    ) -> Decoder | None:
        """None where the format needs no registry."""
        if wire not in KINDS:
            return None
        if self._registry is None:
            return NOT_CONNECTED
        about = wire, read_as, is_key
        if about not in self._made:
            decoder = RegistryDecoder(self._registry, wire, read_as=read_as, is_key=is_key)
            self._made[about] = decoder
        return self._made[about]

"""What reads the values of sources, by the format that they are in."""

from collections.abc import Mapping

from pipeline.settings import Settings
from policy.source.decoding import JSON, JSON_DECODER, Decoder


def decoders_of(settings: Settings) -> Mapping[str, Decoder]:
    """A decoder for each format in which a company's topic may be; all that read one share it.

    A format that needs more than the record, such as a schema registry, takes it from the settings.
    """
    return {JSON: JSON_DECODER}

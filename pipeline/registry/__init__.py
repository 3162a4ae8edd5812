"""Records that name their schema: a schema registry's client, and what decodes such records.

    framing ◀ decoder ▶ client
                 │
                 ├▶ avro       (avro_schema: how we read it; avro_limits: what a record may cost)
                 ├▶ protobuf   (descriptors: from text to types; protobuf_limits)
                 └▶ json_schema

Both records and schemas come from strangers. Whatever they hold, decoding ends: with a plain value,
with Undecodable, or, where the registry can't be asked, with RegistryUnavailable.
"""

"""Protobuf's types from a registered schema: the text of .proto files, or their descriptors.

protoc itself compiles them, in a process of its own that may take so much time and memory: nothing
else reads all that protoc does, and it was not made for what strangers write.
"""

import asyncio
import base64
import contextlib
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from pipeline.registry.client import MOST_SAID, Schema
from policy.source.decoding import RegistryUnavailable, Undecodable

PROCESSOR_TIME = 10
"""Seconds that protoc may take; 0.1 is what it does take for hundreds of lines."""
MEMORY = 1 << 30
"""Bytes of address space that it may have."""
OUTPUT = 32 << 20
"""Bytes that it may write."""
COMPILE_TIMEOUT_SECONDS = 60.0
"""Seconds by the clock, after which this machine is taken to be too busy for it."""
NOT_INSTALLED = 3
"""How it ends where protoc isn't there."""
MAIN = "tocsin_registered.proto"
MOST_NAME = 200
"""Characters of one part of an import's path."""
_SERIALIZED = re.compile(r"[A-Za-z0-9+/\s]+=*\s*")
"""Base64 of a descriptor, as some clients register it; .proto text has a semicolon or a brace."""
_WARNING = re.compile(r"WARNING:|W[0-9]{4} |.*: warning: ")
_PROTOC = f"""
import resource, sys
for what, most in [
    (resource.RLIMIT_AS, {MEMORY}),
    (resource.RLIMIT_CPU, {PROCESSOR_TIME}),
    (resource.RLIMIT_FSIZE, {OUTPUT}),
    (resource.RLIMIT_CORE, 0),
]:
    # At the second limit of processor time it would be killed, as by somebody else.
    resource.setrlimit(what, (most, most + 5))
from importlib.resources import files
try:
    from grpc_tools import protoc
    known = [files("grpc_tools") / "_proto", (files("google.type") / "_").parent]
except ImportError:
    sys.exit({NOT_INSTALLED})
known = [f"-I{{known[0]}}", f"-Igoogle/type={{known[1]}}"]
sys.exit(protoc.main(["protoc", *sys.argv[1:], *known]))
"""
_DECIMAL = """
syntax = "proto3";
package confluent.type;
message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }
"""
_BUILT_IN = {
    "confluent/meta.proto": """
syntax = "proto3";
package confluent;
import "google/protobuf/descriptor.proto";
message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }
extend google.protobuf.FileOptions { Meta file_meta = 1088; }
extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }
extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }
""",
    "confluent/type/decimal.proto": _DECIMAL,
    "confluent/types/decimal.proto": _DECIMAL,
}
"""What Confluent's schemas import though nobody registers it."""


class Types:
    """All types of one schema, in a pool of their own: others may have the same names."""

    def __init__(self, files: FileDescriptorSet) -> None:
        pool = DescriptorPool()
        for file in files.file:
            pool.Add(file)
        self._main = pool.FindFileByName(MAIN)
        self._main_order = next(file for file in files.file if file.name == MAIN)
        self._pool = pool

    def message(self, path: tuple[int, ...]) -> Descriptor:
        """The message at these indexes of definitions, from outside in; raises Undecodable."""
        # A descriptor lists nested types in the order of the text, its dicts promise none.
        found: FileDescriptorProto = self._main_order
        names = [self._main.package] if self._main.package else []
        for depth, index in enumerate(path):
            nested = found.message_type if depth == 0 else found.nested_type
            if not 0 <= index < len(nested):
                raise Undecodable(f"its schema has no message {list(path)}")
            found = nested[index]
            names.append(found.name)
        return self._pool.FindMessageTypeByName(".".join(names))

    def find(self, name: str) -> Descriptor | None:
        """The message of this full name, if the schema has it."""
        with contextlib.suppress(KeyError):
            return self._pool.FindMessageTypeByName(name)
        return None


async def types_of(schema: Schema) -> Types:
    """What a schema defines, compiled; raises Undecodable, and RegistryUnavailable where this
    machine could not do it now.
    """
    sources = {**dict(schema.references), MAIN: schema.text}
    with TemporaryDirectory(prefix="tocsin-schema-") as folder:
        await asyncio.to_thread(_lay_out, Path(folder), sources)
        await _compile(Path(folder))
        return await asyncio.to_thread(_built, Path(folder))


def _built(folder: Path) -> Types:
    try:
        return Types(FileDescriptorSet.FromString((folder / "compiled").read_bytes()))
    except (TypeError, KeyError, ValueError, DecodeError) as error:
        raise Undecodable(f"its types can't be built ({str(error)[:MOST_SAID]})") from None


def _lay_out(folder: Path, sources: Mapping[str, str]) -> None:
    """Put down what protoc reads: text by the names that imports have, and descriptors."""
    texts, ready = folder / "texts", FileDescriptorSet()
    texts.mkdir()
    for name, text in {**_BUILT_IN, **sources}.items():
        try:
            if _SERIALIZED.fullmatch(text):
                ready.file.append(_descriptor(name, text))
            else:
                file = texts / _checked(name)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
        except (OSError, ValueError, DecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise Undecodable(f"{name[:MOST_SAID]!r} can't be read ({why})") from None
    (folder / "ready").write_bytes(ready.SerializeToString())


def _descriptor(name: str, text: str) -> FileDescriptorProto:
    found = FileDescriptorProto.FromString(base64.b64decode(text))
    # Whatever it was called where it was made, others import it by this name.
    found.name = name
    return found


def _checked(name: str) -> PurePosixPath:
    """A path within the folder. Names come from the registry, and could lead anywhere."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name or not path.name:
        raise ValueError("it leads out of the schema")
    if max(map(len, path.parts)) > MOST_NAME:
        raise ValueError("it is too long")
    return path


async def _compile(folder: Path) -> None:
    said = folder / "said"
    argv = [
        sys.executable,
        "-P",  # nothing of ours from wherever we were started
        "-c",
        _PROTOC,
        f"-I{folder / 'texts'}",
        f"--descriptor_set_in={folder / 'ready'}",
        "--include_imports",
        f"--descriptor_set_out={folder / 'compiled'}",
        MAIN,
    ]
    with said.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        ended = await asyncio.wait_for(process.wait(), COMPILE_TIMEOUT_SECONDS)
    except TimeoutError:
        raise RegistryUnavailable(
            f"protoc did not end within {COMPILE_TIMEOUT_SECONDS:g} s; this machine is too "
            "busy for it"
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if ended == NOT_INSTALLED:
        raise RegistryUnavailable("grpcio-tools is not installed, which compiles .proto text")
    if ended in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT):
        raise RegistryUnavailable("protoc was ended by somebody else")
    if ended != 0:
        raise Undecodable(f"protoc doesn't take its schema ({_words(said, folder) or ended})")


def _words(said: Path, folder: Path) -> str:
    """Its errors, without what it only warns of."""
    with said.open(errors="replace") as log:
        lines = log.read(1 << 16).replace(f"{folder / 'texts'}/", "").splitlines()
    return " ".join(line for line in lines if not _WARNING.match(line))[:MOST_SAID]

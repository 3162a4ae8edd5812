"""A folder of secrets as Kubernetes mounts it."""

from pathlib import Path


class Mounted:
    """Files are links through `..data` to a folder of the time; all are replaced by one rename
    (kubernetes.io/docs/concepts/configuration/secret, Mounted Secrets are updated automatically).
    """

    def __init__(self, folder: Path, **contents: str | bytes) -> None:
        self._folder, self._versions = folder, 0
        folder.mkdir(exist_ok=True)
        self.swap(**contents)
        for name in contents:
            (folder / name).symlink_to(Path("..data") / name)

    def __getitem__(self, name: str) -> Path:
        return self._folder / name

    def swap(self, **contents: str | bytes) -> None:
        """All at once."""
        self._versions += 1
        version = self._folder / f"..version_{self._versions}"
        version.mkdir()
        for name, content in contents.items():
            text = content.encode() if isinstance(content, str) else content
            (version / name).write_bytes(text)
        link = self._folder / "..data_tmp"
        link.symlink_to(version.name)
        link.rename(self._folder / "..data")


class Seconds:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

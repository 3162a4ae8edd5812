"""What a process takes."""

from pathlib import Path


def memory_of(process: int) -> int:
    """Bytes that are resident; 0 where there is no /proc to tell."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)

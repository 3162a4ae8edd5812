"""The C library's allocator, set for processes that need large buffers again and again."""

import ctypes

KEPT_BYTES = 32 << 20
"""Of freed memory that the process keeps at the end of its heap; the most that glibc takes for a
buffer that may lie in the heap at all. A request to Kafka holds up to 16 MiB."""
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's mallopt."""


def keep_freed_memory() -> None:
    """Have buffers of megabytes reuse memory, instead of new pages from the kernel each time.

    A slice's outputs are copied several times on their way to Kafka. Left to itself, glibc returns
    each copy to the kernel, which then fills new pages with zeros for the next: that took half of
    the processor time of all writes. A process becomes larger by at most `KEPT_BYTES` for it. Other
    C libraries are left alone.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(MMAP_THRESHOLD, KEPT_BYTES)
        mallopt(TRIM_THRESHOLD, KEPT_BYTES)

"""What the stores of a process take in memory together, however many there are."""

from functools import lru_cache

from rocksdict import BlockBasedOptions, Cache, Options, WriteBufferManager

_MIB = 1 << 20


class StateMemory:
    """One limit for blocks that were read and for what is not yet in a file, which takes half.

    RocksDB writes files sooner where the limit is reached, and lets no writer wait for that: so it
    is exceeded while stores write faster than files are written, and then until the next write.
    """

    def __init__(self, megabytes: int) -> None:
        self._blocks = Cache(megabytes * _MIB)
        self._buffers = WriteBufferManager.new_write_buffer_manager_with_cache(
            megabytes * _MIB // 2, False, self._blocks
        )

    def share(self, options: Options, blocks: BlockBasedOptions) -> None:
        """Have a store that is opened with these options keep within the limit."""
        blocks.set_block_cache(self._blocks)
        options.set_write_buffer_manager(self._buffers)


@lru_cache
def state_memory(megabytes: int = 128) -> StateMemory:
    """The memory that all stores of this process share."""
    return StateMemory(megabytes)

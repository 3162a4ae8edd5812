"""The garbage collector, set for processes that make many objects which die young."""

import gc


def collect_rarely() -> None:
    """To be called before much is loaded: that makes objects that stay, which looking for cycles
    every 700 of them passes over again and again, for a sixth of the time that loading takes.
    """
    gc.set_threshold(50_000, 20, 100)


def tune_collector() -> None:
    """To be called once all is loaded.

    Slices and messages make many objects that are in no cycles: looking for cycles every 700
    objects took a fifth of a worker's time, and with thousands of sockets open each full look
    stops the process for a tenth of a second and more. What is loaded by now lives as long as the
    process.
    """
    gc.collect()
    gc.freeze()
    collect_rarely()

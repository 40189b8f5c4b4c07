"""The first picture of a page: drawn by a process of its own while the sandbox starts."""

from __future__ import annotations

import gc
import subprocess
import sys
from concurrent.futures import Future
from threading import Thread


class FirstPicture:
    """A run of a scenario that is begun before the sandbox, and drawn meanwhile.

    It ends by itself, at the latest when it finds nobody to give its picture to.

    Parameters
    ----------
    scenario : str
        Its file.
    seed : int, optional
        Default: the scenario's.
    """

    def __init__(self, scenario: str, seed: int | None) -> None:
        given = [scenario] if seed is None else [scenario, str(seed)]
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import main; main()", *given],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.data: Future[bytes] = Future()
        """What `outsim.plots.animation.packed` gives; ProcessLookupError if it came to nothing."""
        # Whoever waits may give up, and that ends neither the process nor the picture.
        self.data.set_running_or_notify_cancel()
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        data, _ = self._process.communicate()
        if self._process.returncode == 0:
            self.data.set_result(data)
        else:
            self.data.set_exception(ProcessLookupError())


def _draw(scenario: str, seed: str | None = None) -> bytes | None:
    from outsim.scenario import load

    loaded = load(scenario)
    if not loaded.campaign:
        return None
    from outsim.plots.animation import packed
    from outsim.results.checkpoint import simulate

    return packed(simulate(loaded, seed=None if seed is None else int(seed)))


def main() -> None:
    """Draw what the arguments name, and write it to standard output."""
    gc.disable()  # what is loaded stays, and all this is over in two seconds
    made = _draw(*sys.argv[1:])
    if made is None:
        sys.exit(1)
    sys.stdout.buffer.write(made)

"""Makes sure that a signal is noticed at once.

The system may hand a signal to any thread. Python remembers it, but runs its handler only in the main
thread, and one that waits for a lock is not woken by a signal that another thread took: a worker that was
told to stop then waited for ever (measured: 1 stop in 8). So a second thread listens, and wakes the first.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from threading import Thread, main_thread

_kept: list[socket.socket] = []  # a closed end would end the listening
_WAKE = signal.SIGUSR1


def listen(on_stop: Callable[[], None] = lambda: None) -> None:
    """From the main thread: see that TERM, INT and HUP reach it, and call ``on_stop`` after the first of TERM and INT.

    ``on_stop`` runs in the listening thread.
    """
    ours, pythons = socket.socketpair()
    pythons.settimeout(0)
    _kept[:] = [ours, pythons]
    signal.signal(_WAKE, lambda *_: None)
    signal.set_wakeup_fd(pythons.fileno(), warn_on_full_buffer=False)
    Thread(target=_listen, args=(ours, on_stop), name="signals", daemon=True).start()


def _listen(ours: socket.socket, on_stop: Callable[[], None]) -> None:
    is_told = False
    while numbers := set(ours.recv(64)):
        if numbers - {_WAKE}:
            signal.pthread_kill(main_thread().ident or 0, _WAKE)
        if not is_told and numbers & {signal.SIGTERM, signal.SIGINT}:
            is_told = True
            on_stop()

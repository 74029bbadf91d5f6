"""The process that reads and judges a long file: one request on standard input, parts on standard output, then it ends.

The request is a pickled ``Reading`` and the number of the open file. The answers are pickled parts, and last nothing at all, or
the arguments of a ``Refused`` when the file as a whole cannot be read.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys

from webapp.adapters import judging
from webapp.domain.errors import Refused


def main() -> None:
    """Answer the request on standard input."""
    reading, file = pickle.load(sys.stdin.buffer)  # noqa: S301 - the process that started this one wrote it
    gc.disable()  # rows refer to nothing that refers to them; looking for that takes a fifth of the time
    out = sys.stdout.buffer
    last = None
    try:
        with os.fdopen(file, "rb") as stream:
            for part in judging.here(reading, stream):
                pickle.dump(judging.packed(part), out, pickle.HIGHEST_PROTOCOL)
                out.flush()
    except Refused as fault:
        last = {"code": fault.code, "message": fault.message, "field": fault.field}
    except BrokenPipeError:  # whoever asked is gone
        sys.stderr.close()
        return
    pickle.dump(last, out)


if __name__ == "__main__":
    main()

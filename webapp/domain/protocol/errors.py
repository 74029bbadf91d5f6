"""What the protocol says when it refuses."""


class ProtocolError(ValueError):
    """A rule of draw/1 is broken; the text is one full sentence that names the place and the value seen."""

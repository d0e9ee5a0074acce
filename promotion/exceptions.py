"""Every error of ours: a sentence a person can act on, and whether trying again may help."""


class ThroughlineError(Exception):
    """Base of all our errors; `sentence` says what failed, what did not change, what to do."""

    retryable = False

    def __init__(self, sentence: str, *, retryable: bool | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        if retryable is not None:
            self.retryable = retryable


class NotAllowedError(ThroughlineError):
    """The person may not do this; nothing was changed."""


class ConflictError(ThroughlineError):
    """Somebody or something was faster, or the state does not admit it; nothing was changed."""


class InputError(ThroughlineError):
    """What was given cannot be used; nothing was changed."""

    def __init__(self, sentence: str, *, line: int | None = None, key: str = "") -> None:
        super().__init__(sentence)
        self.line = line
        self.key = key


class UnreachableError(ThroughlineError):
    """A system we call did not answer or broke; trying again may help."""

    retryable = True

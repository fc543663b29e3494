"""The one error that reaches a user as a single line."""


class UserError(Exception):
    """A mistake that the user can mend: what was expected, what was received, what to do.

    Scripts print it without a traceback and end with exit code 2 (`core.script.run`).

    Args:
        expected: What should have been there, without a full stop.
        received: What was there instead.
        remedy: One imperative sentence.
    """

    def __init__(self, expected: str, received: str, remedy: str):
        self.expected, self.received, self.remedy = expected, received, remedy
        line = f"Expected {expected}; received {received}. {remedy}"
        super().__init__(" ".join(line.split()))

    def __reduce__(self):
        return type(self), (self.expected, self.received, self.remedy)

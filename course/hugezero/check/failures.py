"""How a check ends that was not passed: each of these is raised by a check, or by the function under test."""

from __future__ import annotations

from typing import Any

from .student_line import UNWRITTEN


class Finding(Exception):
    """Something was found out about the code under test."""


class Failed(Finding):
    """What was seen is not what was promised.

    *schedule*: who did what, where it takes several CPUs to see it; *alone* if one was enough.
    *picture* is what a notebook can draw of that: see Report.
    """

    def __init__(
        self,
        why: str,
        hint: str = "",
        schedule: tuple[str, ...] = (),
        picture: Any = None,
        alone: bool = False,
    ) -> None:
        super().__init__(why)
        self.why, self.hint, self.schedule, self.picture = why, hint, schedule, picture
        self.voice = "almost" if schedule and not alone else "not yet"


class Inconclusive(Failed):
    """The check came to no end within its budget: no points, and a person should look."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why, hint)
        self.voice = "inconclusive"


class NotStarted(Finding):
    """The function under test is still the stub."""


class CodeRaised(Finding):
    """The code under test ended with an exception of its own."""

    def __init__(self, function: str, kind: str, text: str) -> None:
        super().__init__(f"{function} raised {kind}: {text}" if text else f"{function} raised {kind}")
        self.function, self.kind, self.text = function, kind, text

    @property
    def unwritten(self) -> bool:
        """Is the function itself still a stub, and not a helper of it?"""
        return self.kind == "NotImplementedError" and not self.text.endswith(UNWRITTEN)

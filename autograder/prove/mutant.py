"""Known mistakes: mutants.py of each lab has MUTANTS and EQUIVALENTS, both lists of Mutant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """The reference of *exercise* with one change: *replace* becomes *by*, or *source* instead of it all.

    *caught_by* names the check that must fail (none for an equivalent rewrite); *story* is what
    a student is told whose answer fails exactly the checks that this one fails.
    """

    name: str
    exercise: str
    replace: str = ""
    by: str = ""
    caught_by: str = ""
    story: str = ""
    source: str = ""

    def code(self, reference: str) -> str:
        """The whole function, changed; *reference* is the source of the reference function."""
        if self.source:
            return self.source
        found = reference.count(self.replace)
        if not self.replace or found != 1:
            raise ValueError(
                f"mutant {self.name}: its text is {found} times in {self.exercise}, not once: {self.replace!r}"
            )
        return reference.replace(self.replace, self.by)

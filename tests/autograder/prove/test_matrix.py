"""The kill matrix tells how many mutants a check kills, and how many no other check does."""

from __future__ import annotations

from hugezero.check.checks import Result

from autograder.prove.known_answers import Verdict
from autograder.prove.mutant import Mutant
from autograder.prove.verify import Proof, matrix

VOICES = {"early": ("not yet", "not run"), "both": ("not yet", "almost"), "late": ("done", "inconclusive")}


def test_what_two_checks_kill_is_killed_alone_by_none() -> None:
    verdicts = [
        Verdict(Mutant(name, "f"), [Result(check, "", 1, voice=voice) for check, voice in zip("gh", each, strict=True)])
        for name, each in VOICES.items()
    ]  # fmt: skip
    assert matrix(Proof("lab9_toy", verdicts=verdicts)) == [
        "f:",
        "  a g: kills 2, 1 of them alone",
        "  b h: kills 2, 1 of them alone",
        "          a b  caught by",
        "    early X -  ",
        "    both  X X  ",
        "    late  . X  ",
    ]
    only_both = [verdict for verdict in verdicts if verdict.mutant.name == "both"]
    assert "  a g: kills 1, none of them alone" in matrix(Proof("lab9_toy", verdicts=only_both))

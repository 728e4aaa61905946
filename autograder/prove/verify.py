"""Grades the graders: the round trip, full points for the reference, none for a blank, no mutant left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..course.layout import Course, source_of
from ..course.release import release
from ..grading.grade import grade
from . import counterexamples, submissions
from .known_answers import Verdict, blank_answers, known_mistakes, reference_answers, try_all
from .mutant import Mutant

Tell = Callable[[str], None]


@dataclass
class Proof:
    """What was found for one lab; it holds if there is nothing wrong."""

    stem: str
    wrong: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    mutants: int = 0
    equivalents: int = 0


def verify(course: Course, stem: str, tell: Tell = lambda _: None, update: bool = False) -> Proof:
    """Laws 1 and 2 for one lab, its checks run in this process.

    *update*: keep the counterexamples that are found, instead of comparing them with those that are kept.
    """
    proof = Proof(stem)
    tell(f"{stem}: round trip")
    if not release(course, stem).same:
        proof.wrong.append(
            "what is released is not what is in course/: `python -m autograder release --update` writes it"
        )
    mutants, equivalents = known_mistakes(course, stem)
    proof.mutants, proof.equivalents = len(mutants), len(equivalents)
    tell(f"{stem}: reference, blank and {len(equivalents)} equivalents")
    for verdict in try_all(course, stem, [*reference_answers(course, stem), *equivalents]):
        if verdict.points != verdict.most:
            what = [f"{r.name}: {r.why}" for r in verdict.results if r.voice != "done"]
            proof.wrong.append(
                f"{verdict.mutant.name} of {verdict.mutant.exercise} loses points: {'; '.join(what)}"
            )
    for verdict in try_all(course, stem, blank_answers(course, stem)):
        if verdict.points:
            proof.wrong.append(f"a blank {verdict.mutant.exercise} gets {verdict.points:g} points")
    tell(f"{stem}: {len(mutants)} mutants")
    proof.verdicts = try_all(course, stem, mutants)
    for verdict in proof.verdicts:
        _caught(verdict, proof)
    if update:
        counterexamples.update(course, stem, proof.verdicts)
    elif changed := counterexamples.difference(course, stem, proof.verdicts):
        proof.wrong.append(changed)
    meant = {mutant.caught_by for mutant in mutants}
    for checks in course.checks(stem).values():
        for check in checks:
            if check.name not in meant:
                proof.wrong.append(
                    f"no mutant is meant for {check.name}, so nothing shows that it can fail: add one"
                )
    return proof


def _caught(verdict: Verdict, proof: Proof) -> None:
    mutant = verdict.mutant
    if verdict.points == verdict.most:
        proof.wrong.append(f"mutant survived: {mutant.name}, of {mutant.exercise}")
    elif not verdict.failed(mutant.caught_by):
        proof.wrong.append(
            f"mutant {mutant.name}, of {mutant.exercise}, lost points, but not on {mutant.caught_by}"
        )


def _one_of_each(course: Course, stem: str, known: list[Mutant]) -> list[Mutant]:
    """One of *known* for each exercise: the one that is caught last, so that most checks are run on it."""
    checks = course.checks(stem)
    order = {check.name: n for each in checks.values() for n, check in enumerate(each)}
    found: dict[str, Mutant] = {}
    for mutant in sorted(known, key=lambda mutant: order.get(mutant.caught_by, 0)):
        found[mutant.exercise] = mutant
    return list(found.values())


def verify_judged(course: Course, stem: str, tell: Tell = lambda _: None, some: bool = False) -> Proof:
    """The same verdicts through sandbox, judge and nbgrader: each known answer is a submission.

    With *some*, only one mutant and one equivalent rewrite of each exercise.
    """
    proof = Proof(stem)
    mutants, equivalents = known_mistakes(course, stem)
    if some:
        mutants, equivalents = (_one_of_each(course, stem, each) for each in (mutants, equivalents))
    known = {f"mutant-{n:02}": mutant for n, mutant in enumerate(mutants)}
    known |= {f"equivalent-{n:02}": mutant for n, mutant in enumerate(equivalents)}
    here = {id(v.mutant): v.points for v in _in_process(course, stem, list(known.values()))}
    blank, perfect = submissions.released(course, stem), submissions.reference_answers(course, stem)
    text = course.solution(stem).read_text("utf-8")
    for student, mutant in known.items():
        answer = {mutant.exercise: mutant.code(source_of(text, mutant.exercise))}
        submissions.submit(course, student, stem, submissions.answered(blank, answer))
    submissions.submit(course, "blank", stem, blank)
    submissions.submit(course, "perfect", stem, submissions.answered(blank, perfect))
    for found in grade(course, stem, force=True):
        student = found.student
        tell(f"{stem}: {student} {found.points:g}/{found.max:g}")
        if student in known:
            row = found.cells[known[student].exercise]
            if row.points != here[id(known[student])]:
                proof.wrong.append(
                    f"{known[student].name} of {row.exercise}: {row.points:g} points from the judge, "
                    f"{here[id(known[student])]:g} in this process {row.flag}"
                )
        elif student in ("blank", "perfect") and found.points != (found.max if student == "perfect" else 0):
            proof.wrong.append(f"the {student} notebook gets {found.points:g} of {found.max:g}")
    return proof


def _in_process(course: Course, stem: str, mutants: list[Mutant]) -> list[Verdict]:
    verdicts = try_all(course, stem, mutants)
    for verdict, mutant in zip(verdicts, mutants, strict=True):
        verdict.mutant = mutant  # a copy came back from the other process
    return verdicts


def matrix(proof: Proof) -> list[str]:
    """Return the kill matrix, an exercise at a time: which check fails for which mutant (X), and was not run (-).

    Beside each check stands how many mutants it kills, and how many of those no other check kills.
    """
    lines: list[str] = []
    for exercise in dict.fromkeys(v.mutant.exercise for v in proof.verdicts):
        mine = [v for v in proof.verdicts if v.mutant.exercise == exercise]
        names = [result.name for result in mine[0].results]
        killers = [[name for name in names if v.failed(name)] for v in mine]
        lines.append(f"{exercise}:")
        for n, name in enumerate(names):
            kills, alone = sum(name in each for each in killers), killers.count([name])
            lines.append(f"  {chr(97 + n)} {name}: kills {kills}, {alone or 'none'} of them alone")
        width = max(len(v.mutant.name) for v in mine)
        lines.append(f"    {'':{width}} {' '.join(chr(97 + n) for n in range(len(names)))}  caught by")
        for v in mine:
            marks = ["." if r.voice == "done" else "-" if r.voice == "not run" else "X" for r in v.results]
            lines.append(f"    {v.mutant.name:{width}} {' '.join(marks)}  {v.mutant.caught_by}")
    return lines

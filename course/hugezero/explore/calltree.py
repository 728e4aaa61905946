"""Code under test as the search sees it: given what it has seen, what does it do next?

The answers are remembered in a tree. A node is one log of one call; its action is what the code
does then. The code itself runs only when a node is new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..mm.page_alloc import Folio
from ..store import KernelBug
from .generations import Generations, Seen, bodies
from .replay import given

Action = tuple[Any, ...]  # ("op", cell, verb, args), ("return", value), ("raise", kind, text), ("bug", what)
ROUNDS = 8  # so many rounds further a loop is asked before it is believed to go on for ever


class Node:
    """A call that has seen what leads from the root of its tree to here."""

    __slots__ = ("_folios", "action", "children", "depth", "grown", "parent", "result", "root", "round")

    def __init__(self, root: Root, parent: Node | None, result: Any, action: Action) -> None:
        self.root, self.parent, self.result, self.action = root, parent, result, action
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.children: dict[Any, Node] = {}  # by result; a dropped round leads back up
        self.grown: dict[Any, Node] = {}  # by result, with nothing dropped
        self.round: tuple[Node, ...] = ()  # the round that was dropped behind this node, if one was
        self._folios: frozenset[Folio] | None = None

    def log(self) -> tuple[Seen, ...]:
        """What the call has seen so far."""
        rows: list[Seen] = []
        node = self
        while node.parent is not None:
            rows.append(_row(node))
            node = node.parent
        return tuple(reversed(rows))

    def folios(self) -> frozenset[Folio]:
        """The folios that the call has heard of."""
        if self._folios is None:
            heard = (self.root.args, *(row[2:] for row in self.log()))
            self._folios = frozenset(bodies(heard))
        return self._folios


class Root:
    """One call: a function and its arguments."""

    __slots__ = ("args", "folds", "name", "step")

    def __init__(self, name: str, args: tuple[Any, ...], step: Callable[..., Action], folds: bool) -> None:
        self.name, self.args, self.step, self.folds = name, args, step, folds


class CountsRounds(Exception):
    """The code was seen to tell one round of a loop from the next: its log may not be folded."""


class Code:
    """The functions of a kernel, asked as seldom as possible.

    *functions*: by name, each with `step(args, log)`. Functions named in *counting* are never folded.
    """

    def __init__(self, functions: Mapping[str, Any], counting: frozenset[str] = frozenset()) -> None:
        self.functions, self.counting = functions, counting
        self.roots: dict[Any, Node] = {}
        self.runs = 0

    def call(self, name: str, args: tuple[Any, ...]) -> Node:
        """A call that has seen nothing yet."""
        if (name, args) not in self.roots:
            known = name in self.functions
            step = self.functions[name].step if known else lambda *_: ("bug", f"there is no function {name}")
            self.roots[name, args] = self._begun(Root(name, args, step, name not in self.counting))
        return self.roots[name, args]

    def thread(self, name: str, run: Callable[[], object]) -> Node:
        """What a thread does, which has done nothing yet."""
        if run not in self.roots:
            self.roots[run] = self._begun(Root(name, (), given(run).step, folds=False))
        return self.roots[run]

    def _begun(self, root: Root) -> Node:
        return Node(root, None, None, self._ask(root, ()))

    def saw(self, node: Node, result: Any) -> Node:
        """The call at *node* when the operation it does there gave *result*."""
        child = node.children.get(_key(result))
        if child is not None:
            return child
        child = self._grown(node, result)
        if child.action[0] != "op":
            self._compare(child)
        folded = self._folded(child) if node.root.folds else child
        node.children[_key(result)] = folded
        return folded

    def _grown(self, node: Node, result: Any) -> Node:
        """The node below *node* for *result*, with nothing folded."""
        child = node.grown.get(_key(result))
        if child is None:
            child = node.grown[_key(result)] = Node(node.root, node, result, ("?",))
            child.action = self._ask(node.root, child.log())
        return child

    def _compare(self, end: Node) -> None:
        """Would the call have ended here as well if it had gone round more often, where a round was dropped?"""
        node = end
        behind: tuple[Seen, ...] = ()
        while node.parent is not None:
            if node.round:
                for rounds in range(1, ROUNDS + 1):
                    log = node.log() + tuple(map(_row, node.round)) * rounds + behind
                    if self._ask(node.root, log) != end.action:
                        raise CountsRounds(node.root.name)
            behind = (_row(node), *behind)
            node = node.parent

    def _ends(self, node: Node) -> Iterator[Node]:
        """The ends of the call that are known below *node*."""
        if node.action[0] != "op":
            yield node
        for child in node.children.values():
            if child.parent is node:
                yield from self._ends(child)

    def _ask(self, root: Root, log: tuple[Seen, ...]) -> Action:
        """What the code does next, from the code itself."""
        self.runs += 1
        generations = Generations()
        args = generations.given(root.args)
        action = root.step(args, generations.log(log))
        if action[0] not in ("op", "return"):
            return action
        try:
            if action[0] == "return":
                if type(action[1]).__hash__ is None:
                    return (
                        "bug",
                        f"{root.name} returned {action[1]!r}, which can change: no function of a kernel does",
                    )
                return "return", generations.said(action[1])
            _, cell, verb, values = action
            return "op", (generations.said(cell[0]), cell[1]), verb, generations.said(values)
        except KernelBug as bug:
            return "bug", bug.what

    def _folded(self, node: Node) -> Node:
        """*node*, or the node one round before if it has just repeated a round that it will go on repeating."""
        path = [node]  # node, its parent, its grandparent, ...
        for length in range(1, node.depth // 2 + 1):
            while len(path) <= 2 * length:
                parent = path[-1].parent
                assert parent is not None
                path.append(parent)
            again = all(_same(path[k], path[k + length]) for k in range(length))
            if again and self._goes_on(node, path[: length + 1]):
                before = path[length]
                if not before.round:
                    before.round = tuple(reversed(path[:length]))
                    for end in list(self._ends(before)):
                        self._compare(end)
                return before
        return node

    def _goes_on(self, node: Node, path: list[Node]) -> bool:
        """Asked ROUNDS times more with the results of *path*, does it do the same each time?"""
        at = node
        for _ in range(ROUNDS):
            for step in reversed(path[:-1]):
                assert step.parent is not None
                if at.action != step.parent.action:
                    return False
                at = self._grown(at, step.result)
        return True


def _row(node: Node) -> Seen:
    """The operation that led to *node*, and its result."""
    assert node.parent is not None
    _, cell, verb, args = node.parent.action
    return cell, verb, args, node.result


def _key(result: Any) -> Any:
    return type(result), result


def _same(one: Node, other: Node) -> bool:
    """Did the same operation, with the same result, lead to both?"""
    return (
        one.parent is not None
        and other.parent is not None
        and _key(one.result) == _key(other.result)
        and one.parent.action == other.parent.action
    )

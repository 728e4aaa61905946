"""Memory as a program sees it, and who maps what: dictionaries, and no cleverness.

Written from what labs 1 to 3 promise, not from how the kernels do it. It knows no counts: who holds a frame is
looked for, each time, in what everybody maps.
"""

from itertools import count

from hugezero.scenario import (
    DropCaches,
    Exec,
    Exit,
    Fork,
    Madvise,
    Mmap,
    Mprotect,
    Munmap,
    Read,
    Thread,
    UseZeroPage,
    Write,
)

PAGE, BLOCK = 4096, 512  # bytes, pages
BASE = 0x200000
ZERO = "zeroes that nobody counts"


class Area:
    """A part of an address space that was treated alike so far."""

    def __init__(self, shows, offset, shared, write=True, huge=False, anon=False):
        self.shows = shows  # {address: byte} of the file or shared memory it shows; None for private memory
        self.offset = offset  # its first page is at this address of it
        self.shared, self.write, self.huge = shared, write, huge
        self.anon = anon  # does fork copy what is mapped here?

    def twin(self, anon=None):
        return Area(
            self.shows,
            self.offset,
            self.shared,
            self.write,
            self.huge,
            self.anon if anon is None else anon,
        )


class Space:
    """An address space. Pages and blocks of 512 of them are numbered from address 0."""

    def __init__(self):
        self.area = {}  # page: Area
        self.bytes = {}  # address: byte, where a private page was written
        self.small = {}  # page: [frame or ZERO, writable]
        self.huge = {}  # block: [frame or ZERO, writable]
        self.tables = set()  # blocks whose pages are mapped one by one
        self.faults = 0
        self.has_read = False  # huge zeroes: has it ever mapped them?

    def rss(self):
        """Pages of real memory that are mapped here."""
        small = sum(frame is not ZERO for frame, _ in self.small.values())
        return small + sum(BLOCK for frame, _ in self.huge.values() if frame is not ZERO)

    def blocks(self, pages):
        """(block, those of *pages* that are in it, are they all of it?) for each block."""
        found = {}
        for page in pages:
            found.setdefault(page // BLOCK, []).append(page)
        return [(block, inside, len(inside) == BLOCK) for block, inside in found.items()]

    def cut(self, pages):
        """Part areas so that none is both inside and outside of *pages*; gives the pages that are mapped at all."""
        inside = [page for page in pages if page in self.area]
        parts = {}
        for page, area in list(self.area.items()):
            side = (page >= pages.start) + (page >= pages.stop)
            parts.setdefault((area, side), []).append(page)
        for (area, side), members in parts.items():
            if side != min(other for one, other in parts if one is area):
                twin = area.twin()
                for page in members:
                    self.area[page] = twin
        return inside

    def split(self, block):
        """Map a huge page one by one."""
        frame, writable = self.huge.pop(block)
        self.tables.add(block)
        for page in range(block * BLOCK, (block + 1) * BLOCK):
            self.small[page] = [frame, writable and frame is not ZERO]

    def forget(self, pages):
        """Unmap *pages*, which stay in their areas."""
        for block, inside, whole in self.blocks(pages):
            if block in self.huge and whole:
                del self.huge[block]
                continue
            if block in self.huge:
                self.split(block)
            for page in inside:
                self.small.pop(page, None)


class Naive:
    """All processes, on a kernel that shares the zero page, and with *huge_zero* the huge one too."""

    def __init__(self, huge_zero=False):
        self.huge_zero = huge_zero
        self.use_zero_page = True
        self.spaces = {"main": Space()}
        self.spans = {}
        self.number = count()  # of frames
        self.cached = {}  # id of what is shown, page: frame
        self.kept = []  # what was ever shown, so that ids stay one's own

    def do(self, action):
        """Do one action; gives what the program sees of it."""
        if isinstance(action, DropCaches):
            return None
        if isinstance(action, UseZeroPage):
            self.use_zero_page = action.on
            return None
        space = self.spaces[action.by]
        match action:
            case Mmap():
                start = -(-(max(space.area, default=BASE // PAGE - 1) + 1) // BLOCK) * BLOCK
                shows = None
                if action.shared or action.data is not None:
                    shows = dict(enumerate(action.data or b""))
                    self.kept.append(shows)
                area = Area(shows, start * PAGE, action.shared)
                space.area |= dict.fromkeys(range(start, start - (-action.length // PAGE)), area)
                self.spans[action.area] = start * PAGE, action.length
            case Munmap() | Mprotect() | Madvise():
                self._change(space, action)
            case Read():
                start, length = self._span(action)
                return self._read(space, range(start, start + length, action.step))
            case Write():
                start, _ = self._span(action)
                for first in range(start, start + (action.length or 1), action.step):
                    for at, byte in enumerate(action.data, first):
                        if not self._access(space, at // PAGE, write=True):
                            return "SIGSEGV"
                        where, address = self._home(space, at)
                        where[address] = byte
            case Fork():
                self.spaces[action.child] = self._forked(space)
            case Thread():
                self.spaces[action.name] = space
            case Exec():
                self.spaces[action.by] = Space()
            case Exit():
                del self.spaces[action.by]
        return None

    def zero_blocks(self):
        """How many huge entries map the huge page of zeroes?"""
        return sum(frame is ZERO for space in self._all() for frame, _ in space.huge.values())

    def readers(self):
        """How many address spaces that live have ever mapped the huge page of zeroes?"""
        return sum(space.has_read for space in self._all())

    def _all(self):
        return {id(space): space for space in self.spaces.values()}.values()

    def _span(self, action):
        address, size = self.spans[action.area]
        return address + action.offset, action.length or size - action.offset

    def _change(self, space, action):
        start, length = self._span(action)
        pages = range(start // PAGE, start // PAGE - (-length // PAGE))
        if isinstance(action, Madvise) and action.advice == "dontneed":
            inside = [page for page in pages if page in space.area]
            space.forget(inside)
            self._lose(space, inside)
            return
        inside = space.cut(pages)
        if isinstance(action, Munmap):
            space.forget(inside)
            self._lose(space, inside)
            for page in inside:
                del space.area[page]
            used = {page // BLOCK for page in space.area}
            touched = {page // BLOCK for page in pages}
            space.tables -= touched - used
            return
        for block, members, whole in space.blocks(inside):
            if block in space.huge and not whole:
                space.split(block)
            if isinstance(action, Mprotect) and not action.write:
                if block in space.huge:
                    space.huge[block][1] = False
                for page in members:
                    if page in space.small:
                        space.small[page][1] = False
        for page in inside:
            if isinstance(action, Mprotect):
                space.area[page].write = action.write
            else:
                space.area[page].huge = action.advice == "hugepage"

    def _lose(self, space, pages):
        """What was written in private *pages* is gone."""
        private = {page for page in pages if not space.area[page].shared}
        for address in [address for address in space.bytes if address // PAGE in private]:
            del space.bytes[address]

    def _home(self, space, address):
        """Where the byte at *address* is kept, for who writes it."""
        area = space.area[address // PAGE]
        if area.shared:
            return area.shows, address - area.offset
        return space.bytes, address

    def _read(self, space, addresses):
        runs = []
        for at in addresses:
            if not self._access(space, at // PAGE):
                return "SIGSEGV"
            area = space.area[at // PAGE]
            shown = 0 if area.shows is None else area.shows.get(at - area.offset, 0)
            byte = shown if area.shared else space.bytes.get(at, shown)
            if runs and runs[-1][0] == byte:
                runs[-1] = byte, runs[-1][1] + 1
            else:
                runs.append((byte, 1))
        return runs

    def _access(self, space, page, write=False):
        """Let the program touch *page*, with a fault if need be; False if it may not."""
        area, block = space.area.get(page), page // BLOCK
        entry = space.huge.get(block) or space.small.get(page)
        if entry is not None and (entry[1] or not write):
            return True
        if area is None or (write and not area.write):
            return False
        space.faults += 1
        if entry is None:
            self._fill(space, page, area, write)
        elif area.shared:
            entry[1] = True
        else:
            self._break(space, page, area)
        return True

    def _fill(self, space, page, area, write):
        """Map something where nothing is mapped."""
        block = page // BLOCK
        fits = all(space.area.get(each) is area for each in range(block * BLOCK, (block + 1) * BLOCK))
        if area.shows is None and area.huge and block not in space.tables and fits:
            area.anon = True
            zeroes = self.huge_zero and self.use_zero_page and not write
            space.has_read = space.has_read or zeroes
            space.huge[block] = [ZERO, False] if zeroes else [next(self.number), area.write]
            return
        space.tables.add(block)
        if area.shows is not None and not (write and not area.shared):
            key = id(area.shows), page * PAGE - area.offset
            frame = self.cached.setdefault(key, next(self.number))
            space.small[page] = [frame, write]
            return
        if area.shows is not None:  # a copy; the page it is made from is in the cache from now on
            self.cached.setdefault((id(area.shows), page * PAGE - area.offset), next(self.number))
        area.anon = area.anon or write
        space.small[page] = [next(self.number), True] if write else [ZERO, False]

    def _break(self, space, page, area):
        """A write to what is mapped read-only, and is not shared on purpose."""
        block = page // BLOCK
        if block in space.huge:
            frame, _ = space.huge[block]
            if frame is ZERO:
                space.huge[block] = [next(self.number), True]
                return
            if self._holders(frame) == 1:
                space.huge[block][1] = True
                return
            space.split(block)
        frame, _ = space.small[page]
        if frame is ZERO or self._holders(frame) > 1:
            area.anon = True
            space.small[page] = [next(self.number), True]
        else:
            space.small[page][1] = True

    def _holders(self, frame):
        entries = [entry for space in self._all() for entry in (*space.small.values(), *space.huge.values())]
        return sum(held == frame for held, _ in entries) + list(self.cached.values()).count(frame)

    def _forked(self, space):
        child = Space()
        child.bytes = dict(space.bytes)
        twins = {area: area.twin() for area in set(space.area.values())}
        child.area = {page: twins[area] for page, area in space.area.items()}
        copied = {page for page, area in space.area.items() if area.anon}
        child.tables = {page // BLOCK for page in copied} & space.tables
        for page in copied & space.small.keys():
            space.small[page][1] = False
            child.small[page] = list(space.small[page])
        for block in {page // BLOCK for page in copied} & space.huge.keys():
            if not self.huge_zero:  # before lab 2 a huge page is copied
                child.huge[block] = [next(self.number), space.huge[block][1]]
                continue
            space.huge[block][1] = False
            child.huge[block] = list(space.huge[block])
            child.has_read = child.has_read or space.huge[block][0] is ZERO
        return child

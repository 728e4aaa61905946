"""Whether the system that this runs on can be asked at all, and how it is set. Can be imported on any system."""

from __future__ import annotations

import os
import platform
import sys

from ...hw.ram import PAGE_SIZE, PMD_SIZE
from .settings import setting


class Unavailable(RuntimeError):
    """This machine cannot be asked, or cannot be made to do, what was wanted; says why."""


def in_the_way() -> str | None:
    """Why this machine cannot be asked at all; None if it can."""
    if sys.platform != "linux":
        return f"this system is {sys.platform}, no Linux"
    page = os.sysconf("SC_PAGE_SIZE")
    if page != PAGE_SIZE:
        return f"pages of this machine are {page // 1024} KiB, and scenarios are about pages of 4 KiB"
    try:
        open("/proc/self/pagemap", "rb").close()
    except OSError as error:
        return f"/proc does not show the pages of a process here ({error.strerror})"
    huge = setting("hpage_pmd_size")
    if huge != str(PMD_SIZE):
        what = f"are {huge} bytes, and not 2 MiB" if huge else "are not built into this kernel"
        return f"transparent huge pages {what}"
    return None


def settings_in_the_way() -> dict[str, str]:
    """The settings that keep Linux from sharing huge zeroes, and what they would have to be."""
    wanted = {"enabled": ("always", "madvise"), "use_zero_page": ("1",)}
    return {name: values[-1] for name, values in wanted.items() if setting(name) not in values}


def where_asked() -> dict[str, str]:
    """The kernel, the architecture and the settings that answers depend on."""
    system = platform.uname()
    release = system.release.split("-")[0]  # what follows is who built it
    settings = ("enabled", "defrag", "use_zero_page", "shmem_enabled")
    return {"kernel": f"{system.system} {release}", "architecture": system.machine} | {
        name: setting(name) for name in settings
    }

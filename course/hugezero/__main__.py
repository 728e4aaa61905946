"""`python -m hugezero lab [FOLDER]`: JupyterLab on the course, with the first lab in front.

Only the standard library is imported before the address is printed: you see it at once.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

USAGE = "Usage: python -m hugezero lab [FOLDER]   (PORT=8889 and BROWSER=none are honoured)"
HOST = "127.0.0.1"
FIRST_PORT = 8888
# A student's JupyterLab asks nothing about news and does not show an instructor's tools.
SETTINGS = Path(__file__).resolve().parent / "jupyter"


def main(arguments: list[str]) -> None:
    """Carry out one command line; end with a plain line where it cannot."""
    match arguments:
        case [] | ["lab"]:
            lab(course_folder())
        case ["lab", folder] if not folder.startswith("-"):
            if not Path(folder).is_dir():
                stop(f"There is no folder {folder}.")
            lab(Path(folder).resolve())
        case ["-h" | "--help"]:
            print(USAGE)
        case _:
            stop(USAGE)


def course_folder() -> Path:
    """Return where the notebooks are: the folder you are in, or the one this package lies in."""
    here = Path.cwd()
    beside = Path(__file__).resolve().parent.parent
    return here if first_lab(here) or not first_lab(beside) else beside


def first_lab(folder: Path) -> str | None:
    """Return the name of the first lab's notebook in *folder*."""
    return min((path.name for path in folder.glob("lab*.ipynb")), default=None)


def lab(folder: Path) -> None:
    """Print the address of a JupyterLab on *folder*, then be that JupyterLab until Ctrl+C."""
    wanted = os.environ.get("PORT")
    port = choose_port(wanted)
    token = secrets.token_hex(16)
    notebook = first_lab(folder)
    path = f"/lab/tree/{notebook}" if notebook else "/lab"
    if wanted is None and port != FIRST_PORT:
        print(f"Port {FIRST_PORT} is taken, so this is port {port}.")
    print(
        "JupyterLab is starting. In a few seconds it answers at this address:\n"
        f"\n    http://{HOST}:{port}{path}?token={token}\n\n"
        f"{'Open it in a browser' if os.environ.get('BROWSER') == 'none' else 'If no browser opens, click it'}."
        " Then click on the first cell and press Shift+Enter, again and again:\n"
        "each time, one cell runs and the next one comes. Ctrl+C in this window stops JupyterLab.",
        flush=True,
    )
    try:
        bring_up_to_date(folder)
        serve(folder, port, path, token)
    except KeyboardInterrupt:  # so early that JupyterLab was not listening for it yet
        print("\nStopped.")


def bring_up_to_date(folder: Path) -> None:
    """Make the kernels of earlier labs, where *folder* is the repository's own; a student's wheel brings them along."""
    course = Path(__file__).resolve().parent.parent
    if folder == course and (course.parent / "solutions").is_dir():
        make = [sys.executable, "-m", "autograder", "given"]
        done = subprocess.run(make, cwd=course.parent, capture_output=True, text=True, check=False)
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["it does not say why"])[-1]
            print(f"Labs that begin with an earlier lab's kernel may not find it: {why}", file=sys.stderr)


def choose_port(wanted: str | None) -> int:
    """Return the port asked for, or else the first free one."""
    if wanted is None:
        for port in range(FIRST_PORT, FIRST_PORT + 100):
            if is_free(port):
                return port
        stop(f"The ports from {FIRST_PORT} to {FIRST_PORT + 99} are all taken. Name another one: PORT=9999")
    if not (wanted.isascii() and wanted.isdigit() and int(wanted) < 65536):
        stop(f"PORT={wanted} is not a port. Take a number from 1024 to 65535: PORT={FIRST_PORT + 1}")
    port = int(wanted)
    if port == 0:
        return any_free_port()
    if not is_free(port):
        stop(f"Port {port} cannot be used: something else has it. This one is free: PORT={any_free_port()}")
    return port


def is_free(port: int) -> bool:
    """Return whether a server of yours could listen on *port* now."""
    with socket.socket() as probe:
        if os.name == "posix":  # as the server will: a connection that is only fading does not count
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def any_free_port() -> int:
    """Return a port that nobody uses, chosen by the system."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def serve(folder: Path, port: int, path: str, token: str) -> None:
    """Be JupyterLab until it is told to stop."""
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(
        filter(None, [str(SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH")])
    )
    try:
        from jupyterlab.labapp import LabApp
    except ModuleNotFoundError as missing:
        stop(f"{missing.name} is not installed here. Install JupyterLab: pip install jupyterlab")
    options = [
        f"--ServerApp.root_dir={folder}",
        f"--ServerApp.ip={HOST}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",  # the address is printed: it must not change
        f"--IdentityProvider.token={token}",
        f"--LabApp.default_url={path}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--ServerApp.answer_yes=True",  # one Ctrl+C is enough
        "--Application.log_level=ERROR",
        "--KernelManager.transport_encryption=auto",
    ]
    if os.environ.get("BROWSER") == "none":
        options.append("--ServerApp.open_browser=False")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--ServerApp.allow_root=True")
    if sys.prefix != sys.base_prefix:
        # Checkpoints and open tabs go into the .venv, not beside the notebooks.
        memory = Path(sys.prefix, "var", "jupyterlab")
        options += [
            f"--FileCheckpoints.checkpoint_dir={memory / 'checkpoints'}",
            f"--LabApp.workspaces_dir={memory / 'workspaces'}",
        ]
    signal.signal(signal.SIGINT, on_ctrl_c)
    LabApp.launch_instance(options)
    # All is shut down and saved. A thread of a request that was cut off may wait for ever, and a normal
    # end would wait for it.
    sys.stdout.flush()
    os._exit(0)


def on_ctrl_c(number: int, frame: FrameType | None) -> None:
    """Have JupyterLab shut its kernels down. On a terminal it listens by itself; without one it would not."""
    shut_down = signal.getsignal(signal.SIGTERM)
    if not callable(shut_down):  # JupyterLab has not come that far
        raise KeyboardInterrupt
    shut_down(number, frame)


def stop(line: str) -> NoReturn:
    """End with one plain line and no traceback."""
    print(line, file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    main(sys.argv[1:])

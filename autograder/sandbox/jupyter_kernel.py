"""What jupyter_client needs to talk to a kernel that was forked in the sandbox."""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import time
from pathlib import Path
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from .sandbox import Box, Sandbox


class ForkedProvisioner(LocalProvisioner):
    """Asks the warm process for a kernel, and hands it the sockets that it is to listen on."""

    sandbox: Sandbox
    extra: dict[str, str]
    files: dict[str, str]
    process: Any
    parent: Any

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        doors = {port: _listening(f"{self.parent.ip}-{port}") for port in self.parent.ports}
        try:
            connection = json.loads(Path(self.parent.connection_file).read_text("utf-8"))
            self.process = self.sandbox.fork(connection, doors, self.extra, self.files)
        finally:
            for door in doors.values():
                door.close()
        self.pid = self.pgid = self.process.pid
        return self.connection_info


def _listening(path: str) -> socket.socket:
    """Return a socket that listens at *path*: who dials before the kernel is up waits in its queue."""
    door = socket.socket(socket.AF_UNIX)
    door.setblocking(False)  # as ZeroMQ has its own
    door.bind(path)
    door.listen(16)
    return door


class PromptClient(AsyncKernelClient):
    """A client that does not wait for silence."""

    parent: Any

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Ready is: it has answered, and its iopub has reached us."""
        end = time.monotonic() + (timeout or 60)
        while time.monotonic() < end:
            asked = self.kernel_info()
            with contextlib.suppress(queue.Empty):
                while (reply := await self.get_shell_msg(timeout=1))["parent_header"].get("msg_id") != asked:
                    pass
                self._handle_kernel_info_reply(reply)
                while True:
                    said = await self.get_iopub_msg(timeout=0.05)
                    idle = said["content"].get("execution_state") == "idle"
                    if idle and said["parent_header"].get("msg_id") == asked:
                        return
            if self.parent.provisioner.process.poll() is not None:
                raise RuntimeError("the kernel died before it was ready")
        raise RuntimeError("the kernel did not answer")


def manager(box: Box, env: dict[str, str], files: dict[str, str]) -> Any:
    """Return a kernel manager whose kernel runs in *box*, and can import *files*."""
    home = box.private
    km: Any = AsyncKernelManager(transport="ipc", connection_file=str(home / "k.json"), ip=str(home / "k"))
    spec = KernelSpec(argv=["kernel", "-f", "{connection_file}"], language="python", display_name="sandbox")
    km._kernel_spec = spec
    km.client_factory = PromptClient
    km.provisioner = ForkedProvisioner(kernel_id="k", kernel_spec=spec, parent=km)
    km.provisioner.sandbox, km.provisioner.extra, km.provisioner.files = box.sandbox, env, files
    return km


def end(km: Any) -> None:
    """End the kernel with all it left behind."""
    process = km.provisioner.process
    if process is not None:
        process.wipe()
        km.provisioner.process = None
    km.cleanup_connection_file()
    with contextlib.suppress(AttributeError):
        km.cleanup_ipc_files()
    if km._control_socket is not None:
        km._control_socket.close()
    if km._created_context and not km.context.closed:
        km.context.term()

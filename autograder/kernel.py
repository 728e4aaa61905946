"""What jupyter_client needs to talk to a kernel that was forked in the sandbox."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import time
from pathlib import Path
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from .sandbox import Sandbox


class ForkedProvisioner(LocalProvisioner):
    """Asks the warm process for a kernel."""

    sandbox: Sandbox
    extra: dict[str, str]
    path: list[str]
    process: Any
    parent: Any

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        os.chmod(self.parent.connection_file, 0o644)
        self.process = self.sandbox.fork(cmd[1:], self.extra, self.path)
        self.pid = self.pgid = self.process.pid
        doors = [f"{self.parent.ip}-{port}" for port in self.parent.ports]
        while not all(map(os.path.exists, doors)):  # a socket that dials too early waits for 0.1 s
            if self.process.poll() is not None:
                raise RuntimeError("the kernel died while it started")
            await asyncio.sleep(0.002)
        return self.connection_info


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


def manager(sandbox: Sandbox, box: Path, env: dict[str, str], path: list[str]) -> Any:
    """A kernel manager whose kernel, forked in *sandbox*, meets us in *box*."""
    km: Any = AsyncKernelManager(transport="ipc", connection_file=str(box / "k.json"), ip=str(box / "k"))
    spec = KernelSpec(argv=["kernel", "-f", "{connection_file}"], language="python", display_name="sandbox")
    km._kernel_spec = spec
    km.client_factory = PromptClient
    km.provisioner = ForkedProvisioner(kernel_id="k", kernel_spec=spec, parent=km)
    km.provisioner.sandbox, km.provisioner.extra, km.provisioner.path = sandbox, env, path
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

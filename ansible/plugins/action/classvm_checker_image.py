"""Pack the build context of the image for the contract check here; have the host build it when it has to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..module_utils.classvm.app import pack
from ..module_utils.classvm.image import pip_settings
from .classvm_watched import Watched


class ActionModule(Watched):
    """Two calls of the module at most: ask whether it is missing, then build it."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        packed = pack.whole(Path(args.pop("folder")).resolve())
        args["digest"] = packed.digest
        result = self.call(args, task_vars)
        if not result.get("needs_context"):
            return result
        pip = pip_settings.read()
        args["secrets"] = {"pip.conf": pip.conf, "ca.pem": pip.ca}
        folder = self._make_tmp_path()
        try:
            args["context"] = self._connection._shell.join_path(folder, "context.tar")  # noqa: SLF001 - Ansible offers no other way
            self._transfer_data(args["context"], packed.archive)
            return self.call(args, task_vars)
        finally:
            self._remove_tmp_path(folder, force=True)

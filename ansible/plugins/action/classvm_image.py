"""Check and pack a service's folder here; have the host build it when it has to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils.classvm.app import checks, openapi, pack, revision
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.image import pip_settings, wanted


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core ships no types
    """Two calls of the module at most: ask whether to build, then build.

    What was told before of the host's images spares the first one, and where nothing has to be
    built, both.
    """

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        if args.get("state") == "absent":
            return self._call(args, task_vars)
        folder = Path(args.pop("folder")).resolve()
        known = args.pop("known", {})
        try:
            checks.check_folder(folder)
            packed = pack.pack(folder)
            args["revision"] = revision.revision(folder)
            args["source_digest"] = packed.digest
            args["content"] = packed.content
            args["contract_digest"] = openapi.contract_digest(folder)
            result = {} if self._task.check_mode else wanted.predicted(args, known)
            result = result or self._call(args, task_vars)
            # A host that has built this very content has it from a deploy that checked it.
            if result.get("changed") or result.get("needs_context"):
                openapi.check_contract(folder, known.get("contracts", ()))
            if result.get("needs_context"):
                result = self._build(args, packed.archive, task_vars)
            result["revision"] = args["revision"]
            result["content"] = packed.content
        except ClassvmError as error:
            raise AnsibleActionFail(str(error)) from error
        return result

    def _call(self, args: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._execute_module(self._task.action, args, task_vars=task_vars)
        return answer

    def _build(self, args: dict[str, Any], archive: bytes, task_vars: Any) -> dict[str, Any]:
        folder = self._make_tmp_path()
        context = self._connection._shell.join_path(folder, "context.tar")  # noqa: SLF001 - Ansible offers no other way
        self._transfer_data(context, archive)
        settings = pip_settings.read()
        secrets = {"pip.conf": settings.conf, "ca.pem": settings.ca}
        try:
            return self._call({**args, "context": context, "secrets": secrets}, task_vars)
        finally:
            self._remove_tmp_path(folder, force=True)

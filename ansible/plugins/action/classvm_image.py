"""Read and pack an app's folder here; have the host build it when it has to."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils.classvm.app import pack, revision
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.image import pip_settings, source, wanted
from .classvm_watched import Watched, new_token


class ActionModule(Watched):
    """Two calls of the module at most: ask what is missing, then build it. None where the app is sent instead.

    What was told before of the host's images spares the first one, and where nothing has to be
    built, both.
    """

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the module's result, and what the deploy needs to know of the app."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        if args.get("state") == "absent":
            return self.call(args, task_vars)
        folder, files = (Path(args.pop(name)).resolve() for name in ("folder", "files"))
        ports = source.Ports(int(args.pop("host_port")), int(args.pop("container_port")))
        known = args.pop("known", {})
        is_sent = boolean(args.pop("sent", False))
        try:
            app = source.read(folder, files / "kit", ports)
            if is_sent:
                warnings = source.require_no_errors(folder, app)
                notes = [*app.notes, *warnings]
                return {**announced(app, folder), **facts(app), "classvm_notes": notes}
            checker = pack.whole(files / "checker")
            args.update(arguments(app, checker.digest), revision=revision.revision(folder))
            args.update(app=folder.name)
            result = {} if self._task.check_mode else wanted.predicted(args, known)
            result = result or self.call(args, task_vars)
            notes = list(app.notes[:1])
            archives = {}
            if result.get("needs_context"):
                archives["context"] = app.packed.archive
            if result.get("needs_checker"):
                archives["checker_context"] = checker.archive
            # pip takes a third of a second to tell its settings; the app is reviewed and sent meanwhile.
            with ThreadPoolExecutor() as beside:
                settings = beside.submit(pip_settings.read) if archives else None
                # A host that has built this very content has it from a deploy that checked it.
                if result.get("changed") or result.get("needs_context"):
                    warnings = source.require_no_errors(folder, app, known.get("contracts", ()))
                    notes = [*app.notes, *warnings]
                if settings:
                    result = self._build(args, archives, settings, task_vars)
                    result = with_place(result, app)
        except source.RefusedError as error:
            return {"failed": True, "msg": str(error), "classvm_notes": error.notes}
        except ClassvmError as error:
            raise AnsibleActionFail(str(error)) from error
        return {**result, **facts(app), "revision": args["revision"], "classvm_notes": notes}

    def _build(
        self,
        args: dict[str, Any],
        archives: dict[str, bytes],
        settings: Future[pip_settings.PipSettings],
        task_vars: Any,
    ) -> dict[str, Any]:
        folder = self._make_tmp_path()
        files = {}
        try:
            for name, archive in archives.items():
                files[name] = self._connection._shell.join_path(folder, f"{name}.tar")  # noqa: SLF001 - Ansible offers no other way
                self._transfer_data(files[name], archive)
            pip = settings.result()
            secrets = {"pip.conf": pip.conf, "ca.pem": pip.ca}
            return self.call({**args, **files, "secrets": secrets}, task_vars)
        finally:
            self._remove_tmp_path(folder, force=True)


def announced(app: source.Source, folder: Path) -> dict[str, Any]:
    """Return the result for an app that the host program builds when the release is asked for.

    The build context lies in a folder of this run, and goes with it.
    """
    path = Path(constants.DEFAULT_LOCAL_TMP) / f"{new_token()}.tar"
    path.write_bytes(app.packed.archive)
    sent = {
        "context": str(path),
        "app": folder.name,
        "keep": list(app.keep),
        "kit": bool(app.lock_source),
        "places": dict(app.places),
    }
    made = {"release": "", "image": "", "checker_image": "", "revision": revision.revision(folder)}
    return {"changed": False, **made, "sent": sent}


def arguments(app: source.Source, checker_digest: str) -> dict[str, Any]:
    """Return the module's arguments that derive from the app's folder."""
    return {
        "kit": bool(app.lock_source),
        "source_digest": app.packed.digest,
        "content": app.packed.content,
        "contract_digest": app.contract_digest,
        "keep": list(app.keep),
        "lock_id_source": app.lock_source,
        "checker_digest": checker_digest,
    }


def with_place(result: dict[str, Any], app: source.Source) -> dict[str, Any]:
    """Return a result whose message says where the package that it is about is named."""
    if not result.get("failed"):
        return result
    return {**result, "msg": app.located(str(result.get("msg", "")))}


def facts(app: source.Source) -> dict[str, Any]:
    """Return what the rest of the deploy needs to know of the app."""
    return {"content": app.packed.content, "contract": app.contract}

"""What `classvm_password` takes and returns; the action plugin of the same name does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: classvm_password
short_description: Ask for the sudo password on the terminal
description:
  - Asks on the terminal of the control node, even where the output of the run is piped, and tries the password on the host.
  - Says a wrong password in one line, and asks up to three times.
  - Changes nothing. The task needs C(no_log), because its result is the password.
options:
  account: {type: str, required: true, description: Name of the account on the host.}
  reason: {type: str, default: "", description: Why root is needed.}
  hint: {type: str, default: "", description: A line that is shown above the question.}
  known: {type: str, default: "", description: "The password, where an earlier task has asked for it: nobody is asked again."}
author:
  - The classvm project (!UNKNOWN)
"""

EXAMPLES = r"""
- name: Ask for the sudo password
  classvm.kit.classvm_password:
    account: student
  register: asked
  run_once: true
  no_log: true
"""

RETURN = r"""
password: {type: str, returned: always, description: "The password; empty where there is none."}
problem: {type: str, returned: always, description: "Why there is none, in one line; empty where there is one."}
"""

#!/usr/bin/python
"""Tell what this account may do on this host."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_account_info
short_description: Tell what this account may do on a host
description:
  - Tells how this account could become root, and whether it may use the engine as it is.
  - The action plugin of the same name asks the host program where the host has one, and refuses the command O(root_for) where
    the account cannot become root.
options:
  root_for: {type: str, default: "", description: "The command of `make` that needs root; empty where none does."}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Find out what this account may do
  classvm.kit.classvm_account_info:
    root_for: deploy
  register: account
"""

RETURN = """
stale: {type: str, returned: success, description: "Empty: this module asks nothing of the provision."}
privilege: {type: str, returned: success, description: "How this account becomes root: root, sudo, password or none."}
obstacle: {type: str, returned: success, description: "What keeps an account from sudo that may use it otherwise; empty where nothing is known."}
account: {type: str, returned: success, description: Name of this account.}
password_hint: {type: str, returned: success, description: "How this account uses the engine without a password; empty where it needs none."}
engine_access: {type: bool, returned: success, description: Whether this account may use the engine as it is.}
release_only: {type: bool, returned: success, description: "Whether this account asks the host program, through sudo, and can do nothing else."}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import account


def main() -> None:
    """Answer."""
    arguments = {"root_for": {"type": "str", "default": ""}}
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    module.exit_json(changed=False, stale="", **account.described())


if __name__ == "__main__":
    main()

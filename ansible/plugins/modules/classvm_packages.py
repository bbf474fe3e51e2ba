#!/usr/bin/python
"""Install packages of the distribution without using the network when nothing is missing."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_packages
short_description: Install packages of the distribution
description:
  - Refreshes the package lists and installs O(names), but only if one of them is missing. So a host that is complete
    can be provisioned without DNS or a package archive.
  - Never removes a package.
  - Waits for another program that holds apt's locks, such as the system's own update at first boot.
options:
  names: {type: list, elements: str, required: true, description: "Packages; C(NAME=VERSION) asks for a certain version."}
  unless_program:
    description:
      - Name of a program. Where it is here and is part of none of O(names), nothing is installed, unless a certain
        version is asked for. So what an admin has installed otherwise is taken as it is.
    type: str
    default: ""
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Install nftables
  classvm.kit.classvm_packages:
    names: [nftables]
"""

RETURN = """
missing: {type: list, returned: success, description: The packages that were not installed before.}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import command
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.provision import packages


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "required": True},
            "unless_program": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    command.use_usual_umask()
    try:
        missing = packages.missing(module.params["names"], module.params["unless_program"])
        if missing and not module.check_mode:
            packages.install(missing)
    except ClassvmError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(missing), missing=missing)


if __name__ == "__main__":
    main()

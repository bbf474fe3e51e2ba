"""What `classvm_settings` takes and returns; the action plugin of the same name does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: classvm_settings
short_description: Refuse settings that are not known or have values that cannot be used
description:
  - Names every variable of the host whose name is like that of a setting of the roles, but is none.
  - Names every setting whose value has the wrong type, is none of the choices, or means nothing, such as a memory of V(lots).
  - Tells the file and the line of each.
  - Changes nothing and runs on the control node, whatever host the task is for.
options:
  also:
    description: Names of settings that the playbook has beside those of the roles.
    type: list
    elements: str
    default: [service_answer_seconds]
  app:
    description: The value of V(service_dir) where the playbook reads that folder; it is refused where there is none.
    type: str
    default: ""
author:
  - The classvm project (!UNKNOWN)
"""

EXAMPLES = r"""
- name: Check the values of all settings
  classvm.kit.classvm_settings:
    also: [my_own_setting]
"""

RETURN = r"""
msg: {type: str, returned: failure, description: "All that is wrong, a line each."}
"""

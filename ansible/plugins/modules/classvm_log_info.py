#!/usr/bin/python
"""Follow the log of a service."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_log_info
short_description: Print the log of the live release as it grows, until the run is interrupted
description:
  - Asks the host program again and again. What that does on the host ends with the control node.
    M(classvm.kit.classvm_service_info) returns the log as it is.
  - Goes on with the next release when one goes live.
  - Lines that health checks and contract checks cause are left out, unless O(everything) is true.
  - Changes nothing.
options:
  service: {type: str, required: true, description: Name of the service.}
  state_dir: {type: path, required: true, description: Folder of the host that keeps classvm's state.}
  lines: {type: int, default: 50, description: How many of the lines that are there to begin with.}
  everything: {type: bool, default: false, description: "Whether the lines of health checks and contract checks are among them."}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Follow the log
  classvm.kit.classvm_log_info:
    service: lab
    state_dir: /var/lib/classvm
    lines: 10
"""

RETURN = """
container: {type: str, returned: success, description: "Id of the container; empty where the service was never deployed."}
"""

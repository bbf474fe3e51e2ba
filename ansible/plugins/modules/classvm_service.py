#!/usr/bin/python
"""Start, restart or stop the service of a host."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_service
short_description: Start, restart or stop the service
description:
  - The host program does it, asked once. M(classvm.kit.classvm_service_info) looks at the service.
options:
  state:
    description:
      - V(started) starts the live release, and the edge before it, where they do not run, and waits until it is healthy.
      - V(restarted) stops it first.
      - V(stopped) stops it; V(started) or the next deploy starts it.
    type: str
    choices: [started, restarted, stopped]
    required: true
  service: {type: str, required: true, description: Name of the service.}
  state_dir: {type: path, required: true, description: Folder of the host that keeps classvm's state.}
  health_timeout: {type: float, description: "Seconds within which it has to be healthy; V(started) and V(restarted) need it."}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Stop the service
  classvm.kit.classvm_service:
    service: lab
    state: stopped
    state_dir: /var/lib/classvm
"""

RETURN = """
status: {type: dict, returned: success, description: "As M(classvm.kit.classvm_service_info) returns it."}
maintenance_note: {type: str, returned: "started, restarted", description: "As M(classvm.kit.classvm_release) returns it."}
"""

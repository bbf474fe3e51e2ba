#!/usr/bin/python
"""Look at the service of a host."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_service_info
short_description: Return which release is live, its log, and the history of releases
description:
  - Changes nothing. The host program is asked once.
  - Given an O(address), asks the service from the control node, too, and returns C(facts) and C(text) of the status.
options:
  what: {type: str, choices: [status, releases, log], default: status, description: What to return.}
  service: {type: str, required: true, description: Name of the service.}
  state_dir: {type: path, required: true, description: Folder of the host that keeps classvm's state.}
  log_lines: {type: int, default: 50, description: How many of the last log lines to return.}
  log_all: {type: bool, default: false, description: "Whether the lines of health checks and contract checks are among them."}
  address: {type: str, default: "", description: "Name or address of the host, for its clients."}
  port: {type: int, default: 0, description: "Where the service is reached, if the host does not tell."}
  provision: {type: dict, default: {}, description: "What is not as the provision left it: the result of M(classvm.kit.classvm_provisioned) with V(state=compared). Where it has the status, that is used."}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Look at the service
  classvm.kit.classvm_service_info:
    service: lab
    state_dir: /var/lib/classvm
    address: "{{ inventory_hostname }}"
    port: 11000
    provision: "{{ provisioned }}"
  register: service_found
"""

RETURN = """
status: {type: dict, returned: "status, releases", description: "C(state), C(release), C(since), C(port), C(edge), C(maintenance), C(restarts), and C(problems): how the live release differs from what was desired."}
facts: {type: dict, returned: with an address, description: "The status with what a client sees, and with what is not as the provision left it."}
text: {type: str, returned: with an address, description: "The same as a sentence."}
releases: {type: list, returned: releases, description: "The host's history, the oldest first; C(mark) is live, kept, or empty."}
remark: {type: str, returned: releases, description: "What the history does not show, because its file is missing or damaged."}
table: {type: str, returned: releases, description: "The last lines of the history as a table."}
lines: {type: list, returned: log, description: "The last log lines, in order of time."}
container: {type: str, returned: log, description: "Id of the live container, empty where the service was never deployed."}
"""

"""What `classvm_contract` takes and returns; the action plugin of the same name does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: classvm_contract
short_description: Check a running REST service against its OpenAPI document
description:
  - Calls every operation of an OpenAPI 3.0 document with the examples the document gives
    and validates status, headers, content type and body of each answer.
  - Then sends what the document forbids, such as text in place of a number, and expects
    the service to refuse it with a declared error.
  - Only sends requests. It changes nothing.
  - Runs on the control node, whatever host the task is for.
options:
  spec:
    description: Path of the OpenAPI 3.0 document, on the control node.
    type: path
    required: true
  url:
    description:
      - Where the service listens, without the path of the server given in the document.
    type: str
    required: true
  timeout:
    description: Longest silence of the service during one request, in seconds.
    type: float
    default: 5
  wait:
    description:
      - How long to wait for the service to answer at all, in seconds.
      - With V(0) a service that does not answer yet fails at once.
    type: float
    default: 0
requirements:
  - python >= 3.7
  - PyYAML
  - jsonschema >= 4.17
attributes:
  check_mode:
    description: Runs in check mode too, since it only reads.
    support: full
author:
  - The classvm project (!UNKNOWN)
"""

EXAMPLES = r"""
- name: Check the service through the port of the virtual machine
  classvm.kit.classvm_contract:
    spec: "{{ playbook_dir }}/../service/master.yml"
    url: "http://{{ ansible_host }}:11000"
    wait: 30
"""

RETURN = r"""
operations:
  description: Number of operations of the document that were checked.
  returned: when the check ran
  type: int
  sample: 7
probes:
  description: Number of requests sent that the service had to refuse.
  returned: when the check ran
  type: int
  sample: 9
failures:
  description: One text for each call that broke the contract, empty when none did.
  returned: when the check ran
  type: list
  elements: str
  sample: []
"""

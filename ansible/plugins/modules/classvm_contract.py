"""What `classvm_contract` takes and returns; the action plugin of the same name does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: classvm_contract
short_description: Check a running REST service against its OpenAPI documents
description:
  - Calls every operation of an OpenAPI document with the examples the document gives
    and validates status, headers, content type and body of each answer.
  - Then sends what the document forbids, such as text in place of a number, and expects
    the service to refuse it with a declared error.
  - A contract whose mode is V(gate) or V(warn) may be one of Swagger 2.0, too, and may lack examples,
    error responses and tags. A service fails where it answers otherwise than the document says.
    Only GET and HEAD are sent, and no values but those of the document.
  - Only sends requests. It changes nothing but what the called operations change.
  - Runs on the control node, whatever host the task is for.
options:
  contract:
    description:
      - The contract as JSON, an object with V(mode) (V(strict), V(gate) or V(warn)) and V(specs), a list
        of objects with V(file), V(text) and V(base_path), which may be null.
      - Either this or O(spec) is needed.
    type: str
  spec:
    description:
      - Path of an OpenAPI 3.0 document, on the control node; the mode is V(strict).
      - Either this or O(contract) is needed.
    type: path
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
not_checked:
  description: One text for each operation that could not be checked, with the reason.
  returned: when the check ran
  type: list
  elements: str
  sample: ["GET /rooms/{number} (rooms.yaml:29): needs an id that exists: give `example`"]
"""

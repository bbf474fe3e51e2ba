"""Ansible module: check that a running REST service keeps its OpenAPI contract."""

from __future__ import annotations

DOCUMENTATION = r"""
module: classvm_contract
short_description: Check a running REST service against its OpenAPI document
description:
  - Calls every operation of an OpenAPI 3.0 document with the examples the document gives
    and validates status, headers, content type and body of each answer.
  - Then sends what the document forbids, such as text in place of a number, and expects
    the service to refuse it with a declared error.
  - Only sends requests. It changes nothing on the machine it runs on.
options:
  spec:
    description: Path of the OpenAPI 3.0 document, on the machine where the module runs.
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
  - The classvm project
"""

EXAMPLES = r"""
- name: Check the service through the port of the virtual machine
  classvm_contract:
    spec: "{{ playbook_dir }}/../service/master.yml"
    url: "http://{{ ansible_host }}:11000"
    wait: 30
  delegate_to: localhost
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

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.classvm.contract import (
    DEFAULT_TIMEOUT,
    IMPORT_ERROR,
    InputError,
    Report,
    check,
)

ARGUMENTS = {
    "spec": {"type": "path", "required": True},
    "url": {"type": "str", "required": True},
    "timeout": {"type": "float", "default": DEFAULT_TIMEOUT},
    "wait": {"type": "float", "default": 0},
}


def failure_message(report: Report, url: str) -> str:
    """Name the operations that failed, each once, and the command that tells more."""
    if all(failure.status is None for failure in report.failures):
        return (
            f"Nobody answers at {url}, though the release is live on its host. Look for a firewall"
            " between here and there, then: make status"
        )
    # Probes of no operation in particular are known by what they sent.
    names = [failure.operation_id or failure.case for failure in report.failures]
    unique = ", ".join(dict.fromkeys(names))
    return f"The service breaks its contract in: {unique}. Read its log next: make logs"


def main() -> None:
    """Run the check with the options of the task and report to Ansible."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    if IMPORT_ERROR:
        module.fail_json(
            msg=missing_required_lib("PyYAML and jsonschema"),
            exception=IMPORT_ERROR,
        )
    try:
        report = check(**module.params)
    except InputError as error:
        module.fail_json(msg=str(error))
    result = {
        "changed": False,
        "operations": report.operation_count,
        "probes": len(report.probes),
        "failures": ["\n".join(failure.lines()) for failure in report.failures],
    }
    if report.ok:
        module.exit_json(**result)
    module.fail_json(msg=failure_message(report, module.params["url"]), **result)


if __name__ == "__main__":
    main()

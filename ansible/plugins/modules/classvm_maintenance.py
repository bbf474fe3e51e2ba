#!/usr/bin/python
"""Turn maintenance on or off."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_maintenance
short_description: Have HAProxy answer each request with 503, or stop that
description:
  - Needs strategy blue_green. The host program does it, asked once.
options:
  enabled: {type: bool, required: true, description: Whether clients are told to come back later.}
  state_dir: {type: path, required: true, description: Folder of the host that keeps classvm's state.}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Tell clients to come back later
  classvm.kit.classvm_maintenance:
    enabled: true
    state_dir: /var/lib/classvm
"""

RETURN = """
changed: {type: bool, returned: success, description: Whether it was otherwise before.}
"""

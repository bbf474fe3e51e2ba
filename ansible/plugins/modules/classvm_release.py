#!/usr/bin/python
"""Make a release live, or roll back to one that was."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_release
short_description: Make a release live; if that fails, the release that was live before still is
description:
  - With O(state=live), starts the release as a candidate on a loopback port, checks its health and its contract, then swaps.
  - With O(state=rolled_back), makes a release live again that was live before; it does not have to prove itself again.
  - Each attempt gets its line in the host's history.
  - The host program does it, asked once: M(classvm.kit.classvm_program) installs that.
  - The image's name derives from O(service) and O(release).
options:
  state: {type: str, choices: [live, rolled_back], default: live, description: Whether to deploy a release or to go back to one.}
  service: {type: str, required: true, description: Name of the service.}
  release: {type: str, default: previous, description: "Id of the release; O(state=live) requires it, and only V(rolled_back) knows V(previous), the last one that is not live now."}
  host_port: {type: int, required: true, description: TCP port of the host.}
  container_port: {type: int, required: true, description: TCP port inside the container.}
  limits: {type: dict, required: true, description: "Value of each limit by name: C(memory) and C(tmpfs_size), such as V(512m), and C(pids)."}
  seconds:
    type: dict
    required: true
    description: How long things may take.
    suboptions:
      health: {type: float, required: true, description: Until a release has to be healthy.}
      steady: {type: float, required: true, description: A candidate has to stay up so long after it became healthy.}
      contract: {type: float, required: true, description: For all calls of the contract check together.}
      stop: {type: float, required: true, description: From the signal to end until the container is killed.}
      request: {type: float, required: true, description: The longest that a request may take.}
  gapless: {type: bool, default: true, description: "Whether a release takes the port of the live one without a gap, where this account is root there and the host has nftables."}
  background: {type: bool, default: true, description: "Whether the answer comes as soon as the release serves, where the former one stays up beside it; the host then finishes the swap in the background. V(false) waits for that."}
  environment: {type: dict, default: {}, description: "Further variables of the container, one line each."}
  contract: {type: str, default: "", description: "What the candidate has to keep: the contract document, as JSON, of O(classvm.kit.classvm_image#module:contract); V() checks nothing."}
  checker_image: {type: str, default: "", description: Name of the image in which the contract is checked.}
  sent: {type: dict, default: {}, description: "The app that the host program builds: RV(classvm.kit.classvm_image#module:sent). The settings are then those that an admin has recorded; of the limits, only those count that somebody has set."}
  content: {type: str, default: "", description: "What the release is made of, as JSON, for the difference to the live one; V() reads it from the image."}
  revision: {type: str, default: "", description: "Git revision of the app's folder, for the history."}
  keep_releases: {type: int, required: true, description: How many earlier releases keep their images.}
  state_dir: {type: path, required: true, description: Folder of the host that keeps classvm's state.}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Make the release live
  classvm.kit.classvm_release:
    service: lab
    release: 3f2a91c
    host_port: "{{ service_host_port }}"
    container_port: "{{ service_container_port }}"
    limits: {memory: 512m, pids: 128, tmpfs_size: 64m}
    seconds: {health: 30, steady: 3, contract: 120, stop: 3, request: 30}
    keep_releases: 5
    state_dir: /var/lib/classvm
"""

RETURN = """
release: {type: str, returned: success, description: Id of the live release.}
replaced: {type: str, returned: success, description: Release that was live before; may be the same.}
container: {type: str, returned: success, description: Id of the container that serves.}
gap: {type: float, returned: success, description: Longest time without an answer in seconds; null when nothing answered before.}
gap_reason: {type: str, returned: success, description: "What this host, or this account, lacks for a swap in which somebody always answers: V(no nftables) or V(not root); else empty."}
seconds: {type: float, returned: success, description: Duration of the swap.}
edge_is_idle: {type: bool, returned: success, description: "Whether HAProxy is on the host, though no release is behind it any more."}
maintenance_note: {type: str, returned: success, description: "What a closing line adds to the address while HAProxy answers clients with 503; else empty."}
classvm_notes: {type: list, returned: success, description: "What a person should know, a line each: how the release breaks its contract, where that is no reason to refuse it, and which operations were not checked."}
finishing: {type: str, returned: success, description: "What the host still does in the background, for a closing line; else empty."}
bounds: {type: list, returned: with sent, description: "Which bounds an admin has set, a line each."}
removed: {type: list, returned: success, description: Images of old releases that were removed.}
"""

from __future__ import annotations

import pytest
from classvm.base import ssh

DATA = 'Data could not be sent to remote host "a". Make sure this host can be reached over ssh: '
DENIED = "\nadmin@192.0.2.1: Permission denied (publickey,password)."


@pytest.mark.parametrize(
    ("said", "cause", "todo"),
    [
        (
            "ssh: connect to host 192.0.2.1 port 2222: Connection refused",
            "nothing listens for SSH there on port 2222",
            "ansible_port",
        ),
        (
            "ssh: connect to host 192.0.2.1 port 22: No route to host",
            "(No route to host)",
            "start the",
        ),
        (
            "ssh: connect to host 192.0.2.1 port 22: Connection timed out",
            "(timed out)",
            "start the",
        ),
        (
            "ssh: Could not resolve hostname no.invalid: Name or service not known",
            "no machine has the name no.invalid",
            "ansible_host",
        ),
        (DENIED.strip(), "SSH does not let admin in with this key", "ssh-copy-id {address}"),
        (
            f"no such identity: /no/key: No such file or directory{DENIED}",
            "there is no key /no/key on this machine",
            "ansible_ssh_private_key_file of {host}",
        ),
        (f"Permissions 0644 for '/k' are too open.{DENIED}", "others may read it", "chmod 600 /k"),
        (f'Load key "/k": error in libcrypto{DENIED}', "/k is no private key", "private_key_file"),
        (
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
            "another host key than before",
            "ssh-keygen {forget}",
        ),
        ("Host key verification failed.", "its host key is not known here", "ssh {address}"),
        ("command-line line 0: Bad port '70000'.", "70000 is no port", "ansible_port of {host}"),
        ("", "the connection ended", "ssh {address}"),
        ("ssh: why", "why", "ssh {address}"),
        ("[Errno 32] Broken pipe", "[Errno 32] Broken pipe", "ssh {address}"),
    ],
)
def test_each_cause_has_its_sentence_and_its_next_step(said: str, cause: str, todo: str) -> None:
    found = ssh.trouble(DATA + said)
    assert cause in found.cause
    assert "Make sure" not in found.cause
    assert todo in f"{found.action}: {found.command}"


def test_where_nothing_is_said() -> None:
    assert ssh.trouble("").cause == "no answer"

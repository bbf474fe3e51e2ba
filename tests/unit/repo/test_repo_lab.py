"""Each clone has a lab of its own: what the lab's machines are called derives from its folder."""

from __future__ import annotations

import tree
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

DEFAULTS = tree.ROOT / "roles/lab/defaults/main.yml"


def name_of(folder: str) -> str:
    """Return the name of the lab in a folder."""
    loader = DataLoader()
    settings = loader.load_from_file(str(DEFAULTS), trusted_as_template=True)
    return str(Templar(loader, variables={"lab_folder": folder}).template(settings["lab_name"]))


def test_the_labs_of_two_clones_have_two_names() -> None:
    assert name_of("/a/.lab") != name_of("/b/.lab")


def test_a_lab_keeps_its_name_however_its_folder_is_written() -> None:
    assert name_of("/a/.lab") == name_of("/a/b/../.lab/")

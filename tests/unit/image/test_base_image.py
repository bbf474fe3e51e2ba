from __future__ import annotations

import base64
import hashlib
import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from classvm.base.command import CommandError, Finished
from classvm.base.docker import Docker
from classvm.base.errors import ClassvmError
from classvm.image import base_image

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
KEYRING = ROOT / "roles" / "base_image" / "files" / "ubuntu-archive-keyring.gpg"
NAME = "classvm/base:18.04"
BIONIC = 'NAME="Ubuntu"\nVERSION_ID="18.04"\n'


class Engine(Docker):
    """An engine that holds images by name; the value is what /etc/os-release says."""

    def __init__(self, os_release: str = BIONIC, *, cat_fails: bool = False) -> None:
        super().__init__()
        self.images: dict[str, str] = {}
        self.os_release = os_release
        self.cat_fails = cat_fails
        self.calls: list[str] = []
        self.run_code = 0
        self.loads = f"Loaded image: {NAME}\n"

    def run(self, *words: str, stdin: bytes | None = None) -> Finished:
        del stdin
        self.calls.append(" ".join(words))
        if words[:2] == ("image", "inspect"):
            there = words[2] in self.images
            answer = json.dumps([{"Id": "sha256:1", "Size": 1}] if there else [])
            return Finished(words, int(not there), answer, "" if there else "No such image")
        if words[0] == "run":
            code = self.run_code or int(self.cat_fails)
            return Finished(words, code, "" if code else self.images[words[3]], "")
        if words[:2] == ("image", "rm"):
            del self.images[words[2]]
        elif words[0] == "tag":
            self.images[words[2]] = self.os_release
        elif words[0] == "load":
            self.images[NAME] = self.os_release
            return Finished(words, 0, self.loads, "")
        return Finished(words, 0, "", "")

    def check(self, *words: str, stdin: bytes | None = None) -> str:
        finished = self.run(*words, stdin=stdin)
        if finished.code:
            raise CommandError(finished)
        return finished.out


def sources(*order: str, archive: str = "") -> base_image.Sources:
    return base_image.Sources(order, "ubuntu@sha256:1", archive, "/etc/keyring.gpg")


# --- where it comes from ---------------------------------------------------------------------


def test_what_is_here_is_taken() -> None:
    engine = Engine()
    engine.images[NAME] = BIONIC
    _, source = base_image.provide(engine, NAME, sources("pull"))
    assert source == "present"
    assert {call.split()[0] for call in engine.calls} == {"image", "run"}


def test_what_is_here_and_is_no_bionic_is_replaced(tmp_path: Path) -> None:
    # A run was cut off between loading an image and looking at it.
    archive = tmp_path / "base.tar"
    archive.touch()
    engine = Engine()
    engine.images[NAME] = 'VERSION_ID="22.04"\n'
    order = sources("archive", archive=str(archive))
    assert base_image.provide(engine, NAME, order)[1] == "archive"
    assert engine.images[NAME] == BIONIC


def test_an_engine_that_starts_no_container_costs_no_image() -> None:
    engine = Engine()
    engine.images[NAME] = BIONIC
    engine.run_code = base_image.ENGINE_FAILED
    with pytest.raises(CommandError, match="starts no container"):
        base_image.provide(engine, NAME, sources("pull"))
    assert engine.images == {NAME: BIONIC}


class CutOffError(BaseException):
    """The power fails."""


class CutEngine(Engine):
    """An engine whose client is cut off before or after one of its calls."""

    ticks, last = 0, 1000

    def tick(self) -> None:
        self.ticks += 1
        if self.ticks > self.last:
            raise CutOffError

    def run(self, *words: str, stdin: bytes | None = None) -> Finished:
        self.tick()
        finished = super().run(*words, stdin=stdin)
        self.tick()
        return finished


@pytest.mark.parametrize("source", ["pull", "bootstrap", "archive"])
@pytest.mark.parametrize("wrong_at_first", [False, True], ids=["right", "wrong at first"])
def test_a_run_cut_off_anywhere_is_finished_by_the_next(
    source: str, wrong_at_first: bool, program: Callable[..., Path], tmp_path: Path
) -> None:
    program("docker")
    program("mmdebstrap", "for last; do :; done; /usr/bin/head -c 10240 /dev/zero >$last")
    archive = tmp_path / "base.tar"
    archive.touch()
    order = sources(source, archive=str(archive))
    cut = 0
    while True:
        engine = CutEngine('VERSION_ID="22.04"\n' if wrong_at_first else BIONIC)
        engine.last = cut
        try:
            base_image.provide(engine, NAME, order)
        except CutOffError:
            pass
        except ClassvmError:
            break
        else:
            break
        engine.last, engine.os_release = 1000, BIONIC
        image, _ = base_image.provide(engine, NAME, order)
        assert (image.id, engine.images[NAME]) == ("sha256:1", BIONIC), cut
        cut += 1
    assert cut > 3


def test_pull(program: Callable[..., Path]) -> None:
    calls = program("docker")
    engine = Engine()
    image, source = base_image.provide(engine, NAME, sources("pull", "archive"))
    assert (image.id, source) == ("sha256:1", "pull")
    assert calls.read_text() == "pull --quiet ubuntu@sha256:1\n"
    assert f"tag ubuntu@sha256:1 {NAME}" in engine.calls
    assert f"run --rm --network=none {NAME} cat /etc/os-release" in engine.calls


def test_the_next_source_is_tried_in_the_given_order(
    program: Callable[..., Path], tmp_path: Path
) -> None:
    program("docker", "echo connection refused >&2; exit 1")
    archive = tmp_path / "base.tar"
    archive.touch()
    engine = Engine()
    order = sources("pull", "bootstrap", "archive", archive=str(archive))
    _, source = base_image.provide(engine, NAME, order)
    assert source == "archive"
    assert f"load --quiet --input {archive}" in engine.calls


def test_a_source_that_works_ends_the_search(program: Callable[..., Path], tmp_path: Path) -> None:
    pulled = program("docker")
    archive = tmp_path / "base.tar"
    archive.touch()
    order = sources("archive", "pull", archive=str(archive))
    assert base_image.provide(Engine(), NAME, order)[1] == "archive"
    assert not pulled.exists()


def test_the_reason_of_each_source_is_told(program: Callable[..., Path]) -> None:
    program("docker", "echo connection refused >&2; exit 1")
    with pytest.raises(ClassvmError) as told:
        base_image.provide(Engine(), NAME, sources("pull", "bootstrap", "archive"))
    assert str(told.value).splitlines() == [
        (
            f"No source gave the base image {NAME}: pull, bootstrap, archive failed. On a machine"
            " that has it, run `docker save -o base.tar IMAGE`, then deploy here with"
            " base_image_archive set to that file."
        ),
        (
            "pull: ubuntu@sha256:1 was not pulled: connection refused. Correct"
            " base_image_reference, or leave `pull` out of base_image_sources."
        ),
        "bootstrap: mmdebstrap is not installed. Run `sudo apt-get install mmdebstrap`.",
        "archive: No file is given. Set base_image_archive to one that holds an image.",
    ]


@pytest.mark.parametrize("loads", ["", "Loaded image: a\nLoaded image: b\n"], ids=["none", "two"])
def test_an_archive_holds_one_image(loads: str, tmp_path: Path) -> None:
    archive = tmp_path / "base.tar"
    archive.touch()
    engine = Engine()
    engine.loads = loads
    with pytest.raises(ClassvmError, match=rf"holds {loads.count('Loaded')} images instead of one"):
        base_image.provide(engine, NAME, sources("archive", archive=str(archive)))


def test_an_archive_without_a_name_is_tagged_by_its_id(tmp_path: Path) -> None:
    archive = tmp_path / "base.tar"
    archive.touch()
    engine = Engine()
    engine.loads = "Loaded image ID: sha256:7\n"
    base_image.provide(engine, NAME, sources("archive", archive=str(archive)))
    assert f"tag sha256:7 {NAME}" in engine.calls


def test_an_archive_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ClassvmError, match=r"absent\.tar is not a file on this host"):
        base_image.provide(Engine(), NAME, sources("archive", archive=f"{tmp_path}/absent.tar"))


@pytest.mark.parametrize(
    "engine",
    [Engine('VERSION_ID="22.04"\n'), Engine(cat_fails=True, os_release="")],
    ids=["another Ubuntu", "no Linux"],
)
def test_an_image_that_is_not_bionic_is_taken_away(
    engine: Engine, program: Callable[..., Path]
) -> None:
    program("docker")
    with pytest.raises(ClassvmError, match=rf"{NAME} is not an image of Ubuntu 18\.04"):
        base_image.provide(engine, NAME, sources("pull"))
    assert NAME not in engine.images


def test_mmdebstrap_argv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_image, "TRIMMED", ("usr/share/man", "var/log/apt"))
    clean = (
        """'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";"""
        """ DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };'"""
    )
    logs = '"$1"/var/log/*.log "$1"/var/cache/apt/*.bin'
    leftovers = (
        '"$1"/var/cache/debconf/*-old "$1"/var/lib/dpkg/*-old'
        ' "$1"/etc/hostname "$1"/etc/resolv.conf'
    )
    assert base_image.mmdebstrap_argv("/k.gpg", "/r.tar") == [
        "mmdebstrap",
        "--variant=apt",
        "--components=main,universe",
        "--keyring=/k.gpg",
        '--customize-hook=rm -rf "$1"/usr/share/man/* "$1"/var/log/apt/*',
        '--customize-hook=find "$1"/usr/share/doc -type f ! -name copyright -delete',
        f"--customize-hook=rm -f {logs} {leftovers}",
        f'--customize-hook=echo {clean} > "$1"/etc/apt/apt.conf.d/docker-clean',
        "bionic",
        "/r.tar",
    ]


def test_bootstrap_loads_what_mmdebstrap_made(program: Callable[..., Path]) -> None:
    # A tar file without members is nothing but zeros.
    empty_tar = "for last; do :; done; /usr/bin/head -c 10240 /dev/zero >$last"
    # Its own folder is the one of the result, where programs may run.
    own = f"{empty_tar}; [ $TMPDIR/rootfs.tar = $last ] || exit 8"
    script = f'test "$SOURCE_DATE_EPOCH" = 1685491200 || exit 9\n{own}'
    calls = program("mmdebstrap", script)
    engine = Engine()
    assert base_image.provide(engine, NAME, sources("bootstrap"))[1] == "bootstrap"
    assert "--keyring=/etc/keyring.gpg" in calls.read_text()
    assert any(call.startswith("load --quiet --input ") for call in engine.calls)


def test_a_failed_bootstrap_is_told(program: Callable[..., Path]) -> None:
    program("mmdebstrap", "echo E: no network >&2; exit 25")
    with pytest.raises(ClassvmError, match="mmdebstrap failed: no network"):
        base_image.provide(Engine(), NAME, sources("bootstrap"))


def archive_of(content: bytes, folder: Path) -> Path:
    folder.mkdir()
    rootfs = folder / "rootfs.tar"
    rootfs.write_bytes(content)
    # As mmdebstrap leaves it: made just now, by whoever bootstraps.
    archive = folder / "image.tar"
    base_image.write_image_archive(str(rootfs), NAME, str(archive))
    return archive


def read_member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None
    return file.read()


def test_the_archive_is_one_that_docker_loads(tmp_path: Path) -> None:
    with tarfile.open(archive_of(b"root", tmp_path / "a")) as archive:
        (manifest,) = json.loads(read_member(archive, "manifest.json"))
        config = read_member(archive, manifest["Config"])
        layers = [read_member(archive, layer) for layer in manifest["Layers"]]
    assert manifest["RepoTags"] == [NAME]
    assert manifest["Config"] == f"{hashlib.sha256(config).hexdigest()}.json"
    described = json.loads(config)
    assert described["rootfs"]["type"] == "layers"
    digests = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    assert described["rootfs"]["diff_ids"] == digests
    assert layers == [b"root"]
    assert (described["architecture"], described["os"]) == ("amd64", "linux")
    assert described["created"] == "2023-05-31T00:00:00Z"


def test_the_same_root_file_system_is_the_same_image_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def image_id(content: bytes, folder: str) -> str:
        with tarfile.open(archive_of(content, tmp_path / folder)) as archive:
            (manifest,) = json.loads(read_member(archive, "manifest.json"))
        return str(manifest["Config"])

    first = image_id(b"root", "a")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert image_id(b"root", "b") == first
    assert image_id(b"other", "c") != first


# --- the keyring that the archive's signatures are checked against -----------------------------


def fingerprints(keyring: bytes) -> set[str]:
    """Return the fingerprints of the primary keys (RFC 4880, sections 4.2 and 12.2)."""
    found, at = set(), 0
    while at < len(keyring):
        first, at = keyring[at], at + 1
        assert first & 0x80, "not an OpenPGP packet"
        if first & 0x40:  # new format: the length tells its own size
            tag, length, at = first & 0x3F, keyring[at], at + 1
            if 192 <= length < 224:
                length, at = ((length - 192) << 8) + keyring[at] + 192, at + 1
            elif length == 255:
                length, at = int.from_bytes(keyring[at : at + 4], "big"), at + 4
        else:
            tag, size = first >> 2 & 0x0F, 1 << (first & 3)
            length, at = int.from_bytes(keyring[at : at + size], "big"), at + size
        body, at = keyring[at : at + length], at + length
        if tag == 6:  # a primary key; 14 would be a subkey
            assert body[0] == 4, "not a version 4 key"
            hashed = b"\x99" + len(body).to_bytes(2, "big") + body
            found.add(hashlib.sha1(hashed, usedforsecurity=False).hexdigest().upper())
    return found


def test_the_keyring_holds_the_keys_of_the_ubuntu_archive_and_no_other() -> None:
    assert fingerprints(KEYRING.read_bytes()) == {
        "790BC7277767219C42C86F933B4FE6ACC0B21F32",  # 2012, archive: signs bionic
        "843938DF228D22F7B3742BC0D94AA3F0EFE21092",  # 2012, CD images
        "F6ECB3762474EDA9D21B7022871920D1991BC93C",  # 2018, archive
    }


# "An alien key", ed25519, made by gpg for this test; its fingerprint is gpg's word.
ALIEN = (
    "mDMEawMnhRYJKwYBBAHaRw8BAQdABMdzajrJVSlF1O2qIgQWdrd6NwpV/CRcVXnT1VOGANS0DEFuIGFsaWVuIGtl"
    "eYiQBBMWCAA4FiEEDzUdgkuVMogVxoFAt1NXddyYKFYFAmsDJ4UCGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AA"
    "CgkQt1NXddyYKFbLBwD+OEIODD3A7FpOQyWjBGFvObHL/hvoDQCwwpjaKiEGbQABAIWIWpSgebGq+YH8LNhMhtKW"
    "7QZhOKH1M+zVg3yRwwYO"
)
ALIEN_FINGERPRINT = "0F351D824B95328815C68140B7535775DC982856"


def test_an_alien_key_in_the_keyring_would_be_seen() -> None:
    alien = base64.b64decode(ALIEN)
    assert fingerprints(alien) == {ALIEN_FINGERPRINT}
    assert ALIEN_FINGERPRINT in fingerprints(KEYRING.read_bytes() + alien)


def test_unused_fields_of_a_tar_file_do_not_matter(tmp_path: Path) -> None:
    layers: list[bytes] = []
    for filling in (b"0000000\0", b"\0" * 8):
        header = bytearray(tarfile.TarInfo("file").tobuf(tarfile.USTAR_FORMAT))
        header[329:345] = filling * 2  # devmajor and devminor
        header[148:156] = b" " * 8
        header[148:156] = f"{sum(header[:512]):06o}\0 ".encode()
        rootfs = tmp_path / f"rootfs-{len(layers)}.tar"
        rootfs.write_bytes(bytes(header) + bytes(1024))
        layer = tmp_path / f"layer-{len(layers)}.tar"
        base_image.rewrite(str(rootfs), str(layer))
        with tarfile.open(layer) as rewritten:
            assert rewritten.getnames() == ["file"]
        layers.append(layer.read_bytes())
    assert layers[0] == layers[1]


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(ClassvmError, match=r"no source push .* pull, bootstrap, archive"):
        sources("pull", "push")


def test_saving_leaves_a_whole_file_that_everybody_may_read(tmp_path: Path) -> None:
    class Saving(Engine):
        def run(self, *words: str, stdin: bytes | None = None) -> Finished:
            Path(words[2]).touch(0o600)
            assert not (tmp_path / "base.tar").exists()
            return super().run(*words, stdin=stdin)

    base_image.save(Saving(), NAME, str(tmp_path / "base.tar"))
    assert [path.name for path in tmp_path.iterdir()] == ["base.tar"]
    assert (tmp_path / "base.tar").stat().st_mode & 0o777 == 0o644


def test_removing_takes_the_image_of_that_name() -> None:
    engine = Engine()
    engine.images = {NAME: BIONIC, "other": BIONIC}
    base_image.remove(engine, NAME)
    assert engine.images == {"other": BIONIC}

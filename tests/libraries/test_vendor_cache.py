"""Trees in the cache: manifests, and what a tree looks like that is not complete."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from multifd.errors import EnvironmentBroke
from multifd.libraries import cache
from multifd.libraries.cache import Manifest, Package

MANIFEST = Manifest(
    suites=("sid",),
    fetched=datetime(2026, 1, 2, tzinfo=UTC),
    packages=(Package(name="libqpl1", version="1.9.0-1", architecture="amd64", sha256="00" * 32),),
    loader="usr/lib/ld.so",
    library_path=("usr/lib",),
    command=("{root}/usr/lib/ld.so", "--library-path", "{root}/usr/lib:{root}/lib"),
)


def tree(root: Path, manifest: Manifest = MANIFEST) -> Path:
    (root / "usr/lib").mkdir(parents=True)
    (root / "usr/lib/ld.so").touch()
    cache.save(manifest, root)
    return root


def test_a_tree_has_the_manifest_that_was_saved(tmp_path: Path) -> None:
    found = cache.read(tree(tmp_path / "t"))

    assert found is not None
    assert found.manifest == MANIFEST


def test_paths_of_a_tree_follow_its_root(tmp_path: Path) -> None:
    tree(tmp_path / "before").rename(tmp_path / "after")

    found = cache.read(tmp_path / "after")

    assert found is not None
    assert found.loader == tmp_path / "after/usr/lib/ld.so"
    assert found.library_path == (tmp_path / "after/usr/lib",)
    assert found.command == (
        f"{tmp_path}/after/usr/lib/ld.so",
        "--library-path",
        f"{tmp_path}/after/usr/lib:{tmp_path}/after/lib",
    )


def test_a_tree_knows_the_versions_of_its_packages(tmp_path: Path) -> None:
    found = cache.read(tree(tmp_path / "t"))

    assert found is not None
    assert (found.version("libqpl1"), found.version("libqat4")) == ("1.9.0-1", None)


def test_a_folder_without_manifest_is_no_tree(tmp_path: Path) -> None:
    (tree(tmp_path / "t") / "manifest.json").unlink()

    assert cache.read(tmp_path / "t") is None


@pytest.mark.parametrize("content", ["", "{}", MANIFEST.model_dump_json().replace("vendor/1", "vendor/2")])
def test_a_folder_with_another_manifest_is_no_tree(tmp_path: Path, content: str) -> None:
    (tree(tmp_path / "t") / "manifest.json").write_text(content)

    assert cache.read(tmp_path / "t") is None


def test_a_tree_whose_loader_is_gone_is_no_tree(tmp_path: Path) -> None:
    (tree(tmp_path / "t") / "usr/lib/ld.so").unlink()

    assert cache.read(tmp_path / "t") is None


def test_trees_that_are_being_made_are_not_listed(tmp_path: Path) -> None:
    for name in ("b", "a", ".partial-x"):
        tree(tmp_path / name)
    (tmp_path / "apt").mkdir()

    assert [found.root.name for found in cache.trees(tmp_path)] == ["a", "b"]


def test_a_tree_takes_the_place_of_another(tmp_path: Path) -> None:
    root = tree(tmp_path / "t")
    (root / "old").touch()

    with cache.replacing(root) as new:
        tree(new / ".", MANIFEST.model_copy(update={"suites": ("trixie",)}))

    found = cache.read(root)
    assert found is not None
    assert found.manifest.suites == ("trixie",)
    assert [path.name for path in tmp_path.iterdir()] == ["t"]
    assert not (root / "old").exists()


def test_a_replacement_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    root = tree(tmp_path / "t")

    with pytest.raises(ZeroDivisionError), cache.replacing(root) as new:
        tree(new, MANIFEST.model_copy(update={"suites": ("trixie",)}))
        raise ZeroDivisionError

    found = cache.read(root)
    assert found is not None
    assert found.manifest == MANIFEST
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    tree(tmp_path / ".partial-1/new")

    with cache.locked(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_folder_that_cannot_be_written_names_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EnvironmentBroke) as error, cache.locked(tmp_path / "file"):
        pass

    assert str(error.value) == (
        f"{tmp_path}/file: File exists: free space or permissions in {tmp_path}/file,"
        " or fetch elsewhere with --into DIR"
    )


@pytest.mark.parametrize(("given", "expected"), [("/c", "/c/multifd/vendor"), ("c", "/home/a/.cache/multifd/vendor")])
def test_the_cache_is_where_the_user_wants_it(monkeypatch: pytest.MonkeyPatch, given: str, expected: str) -> None:
    monkeypatch.setenv("HOME", "/home/a")
    monkeypatch.setenv("XDG_CACHE_HOME", given)

    assert cache.directory() == Path(expected)


def test_who_has_no_home_has_no_fetched_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nobody)

    assert cache.trees(cache.directory()) == ()


def sealed(root: Path) -> Path:
    """A tree whose manifest has the digests of its files, among them one of mere data and a link."""
    tree(root)
    (root / "usr/share").mkdir()
    (root / "usr/share/notes").write_text("data")
    (root / "usr/lib/libqpl.so.1").write_bytes(b"\x7fELF")
    (root / "usr/lib/libqpl.so").symlink_to("libqpl.so.1")
    cache.save(MANIFEST.model_copy(update={"files": cache.digests(root)}), root)
    return root


def test_a_tree_whose_files_are_those_that_were_fetched_is_one(tmp_path: Path) -> None:
    found = cache.read(sealed(tmp_path / "t"))

    assert found is not None
    assert found.manifest.files is not None
    assert sorted(found.manifest.files) == ["usr/lib/ld.so", "usr/lib/libqpl.so", "usr/lib/libqpl.so.1"]


@pytest.mark.parametrize("name", ["usr/lib/libqpl.so.1", "usr/lib/ld.so"])
def test_a_tree_in_which_a_byte_differs_is_none(name: str, tmp_path: Path) -> None:
    (sealed(tmp_path / "t") / name).write_bytes(b"\x7fELG")

    assert cache.read(tmp_path / "t") is None


def test_a_tree_with_a_library_more_is_none(tmp_path: Path) -> None:
    (sealed(tmp_path / "t") / "usr/lib/libc.so.6").touch()

    assert cache.read(tmp_path / "t") is None


def test_a_tree_with_a_library_less_is_none(tmp_path: Path) -> None:
    (sealed(tmp_path / "t") / "usr/lib/libqpl.so.1").unlink()

    assert cache.read(tmp_path / "t") is None


def test_a_tree_with_a_link_that_leads_elsewhere_is_none(tmp_path: Path) -> None:
    link = sealed(tmp_path / "t") / "usr/lib/libqpl.so"
    link.unlink()
    link.symlink_to("/tmp/libqpl.so")

    assert cache.read(tmp_path / "t") is None


def test_what_is_not_loaded_may_differ(tmp_path: Path) -> None:
    (sealed(tmp_path / "t") / "usr/share/notes").write_text("others")

    assert cache.read(tmp_path / "t") is not None

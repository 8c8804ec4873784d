"""Manifests: ``infra/k8s`` as the tests read it, before and after kustomize."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]

from core.settings import REPOSITORY

FOLDER: Final = REPOSITORY / "infra" / "k8s"
BASE: Final = FOLDER / "base"
OVERLAYS: Final = ("kafka", "with-services")
EXAMPLE: Final = BASE / "secret.example.yaml"
OURS: Final = "telemetra"

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Workload:
    """What runs pods, and its pods."""

    manifest: Manifest

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.manifest["metadata"]["name"])

    @property
    def template(self) -> Manifest:
        """What its pods are made after."""
        template: Manifest = self.manifest["spec"]["template"]
        return template

    @property
    def pod(self) -> Manifest:
        """What a pod of it consists of."""
        pod: Manifest = self.template["spec"]
        return pod

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its pods."""
        labels: dict[str, str] = self.template["metadata"]["labels"]
        return labels

    @property
    def containers(self) -> list[Manifest]:
        """Its containers, those that run before the others included."""
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    @property
    def is_ours(self) -> bool:
        """Whether it runs our image."""
        return self.labels["app.kubernetes.io/name"] == OURS

    @property
    def volumes(self) -> set[str]:
        """The names of what can be mounted in its pods."""
        claims = self.manifest["spec"].get("volumeClaimTemplates", [])
        named = [claim["metadata"]["name"] for claim in claims]
        return {*named, *(volume["name"] for volume in self.pod.get("volumes", []))}


def read_files() -> dict[str, list[Manifest]]:
    """Return every file as the list of what it describes."""
    return {
        path.relative_to(FOLDER).as_posix(): list(yaml.load_all(path.read_text(), yaml.CSafeLoader))
        for path in sorted(FOLDER.rglob("*.yaml"))
    }


def list_manifests(*folders: str) -> Iterator[Manifest]:
    """Return what the kustomizations of some folders name as their own resources."""
    for folder in folders:
        listed = yaml.load((FOLDER / folder / "kustomization.yaml").read_text(), yaml.CSafeLoader)[
            "resources"
        ]
        for name in listed:
            path: Path = FOLDER / folder / name
            if path.suffix == ".yaml":
                yield from yaml.load_all(path.read_text(), yaml.CSafeLoader)


def list_workloads() -> list[Workload]:
    """Return everything that runs pods, in the base and in the overlays."""
    folders = ("base", *(f"overlays/{name}" for name in OVERLAYS))
    return [
        Workload(manifest)
        for manifest in list_manifests(*folders)
        if "template" in manifest.get("spec", {})
    ]


@cache
def build(folder: str) -> list[Manifest]:
    """Return what kustomize makes of a folder."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not on the PATH")
    done = subprocess.run(
        [kubectl, "kustomize", str(FOLDER / folder)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return list(yaml.load_all(done.stdout, yaml.CSafeLoader))

"""The manifests: whole, consistent with the code, closed to strangers, without secrets."""

import re
from pathlib import PurePosixPath
from typing import Any, Final

import kubernetes_validate  # type: ignore[import-untyped,unused-ignore]
import pytest

from api.__main__ import refuse_open_doors
from core.settings import REPOSITORY, VERSION, Settings
from streaming.flow.stores import RECOVERY_PARTITIONS
from tests.unit.deployment.compositions import read_services
from tests.unit.deployment.manifests import (
    EXAMPLE,
    OURS,
    OVERLAYS,
    Workload,
    build,
    list_manifests,
    list_workloads,
    read_files,
)
from tests.unit.deployment.test_compose import PINNED

OLDEST: Final = "1.32"
"""The oldest Kubernetes that knows everything the manifests say."""

FILES: Final = read_files()
WORKLOADS: Final = {workload.name: workload for workload in list_workloads()}
EVERYTHING: Final = list(list_manifests("base", *(f"overlays/{name}" for name in OVERLAYS)))
SETTINGS: Final = {field.upper() for field in Settings.model_fields}
IN_ARGUMENTS_ONLY: Final = {"POD_INDEX"}
SECRETS: Final = {
    "telemetra-urls": {"DATABASE_URL", "REDIS_URL"},
    "telemetra-passwords": {"POSTGRES_PASSWORD", "REDIS_PASSWORD"},
    "telemetra-reader": {"READER_PASSWORD"},
}

every_workload = pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
our_workloads = pytest.mark.parametrize(
    "workload",
    [
        pytest.param(
            workload,
            marks=pytest.mark.skipif(
                name == "telemetra-archive" and not (REPOSITORY / "streaming/archive").is_dir(),
                reason="the archive is not in this tree",
            ),
        )
        for name, workload in WORKLOADS.items()
        if workload.is_ours
    ],
    ids=[name for name, workload in WORKLOADS.items() if workload.is_ours],
)


def pick(kind: str) -> list[dict[str, Any]]:
    return [manifest for manifest in EVERYTHING if manifest["kind"] == kind]


def list_selected(selector: dict[str, str]) -> list[Workload]:
    """Return whose pods carry the labels."""
    return [one for one in WORKLOADS.values() if selector.items() <= one.labels.items()]


def list_ports(workload: Workload) -> dict[str, int]:
    return {
        port["name"]: port["containerPort"]
        for container in workload.containers
        for port in container.get("ports", [])
    }


def read_settings() -> dict[str, str]:
    """Return what the generated ConfigMap holds, with what overlays add."""
    literals = [
        literal
        for documents in FILES.values()
        for generator in documents[0].get("configMapGenerator", [])
        for literal in generator["literals"]
    ]
    return dict(literal.split("=", 1) for literal in literals)


def test_everything_that_is_needed_is_there():
    ours = {name for name, workload in WORKLOADS.items() if workload.is_ours}
    parts = ("api", "flow", "archive", "alerts", "jobs", "migrate")
    assert ours == {f"telemetra-{part}" for part in parts}
    assert set(WORKLOADS) - ours == {"timescaledb", "redis"}
    disrupted = {manifest["metadata"]["name"] for manifest in pick("PodDisruptionBudget")}
    assert disrupted == {"telemetra-api", "telemetra-flow"}


def test_every_file_is_used_but_the_example():
    named = {
        f"{folder}/{name}"
        for folder in ("base", *(f"overlays/{overlay}" for overlay in OVERLAYS))
        for name in FILES[f"{folder}/kustomization.yaml"][0]["resources"]
        if name.endswith(".yaml")
    }
    written = {name for name in FILES if not name.endswith("kustomization.yaml")}
    assert written - named == {"base/secret.example.yaml"}
    assert named <= written


@pytest.mark.parametrize("folder", ["base", *(f"overlays/{name}" for name in OVERLAYS)])
def test_what_kustomize_builds_is_what_kubernetes_knows(folder):
    for manifest in build(folder):
        kubernetes_validate.validate(manifest, OLDEST, strict=True)
        in_namespace = manifest["kind"] == "Namespace" or manifest["metadata"]["namespace"] == OURS
        assert in_namespace


@pytest.mark.parametrize(
    "manifest", EVERYTHING, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}"
)
def test_a_manifest_is_what_kubernetes_knows(manifest):
    kubernetes_validate.validate(manifest, OLDEST, strict=True)


@pytest.mark.parametrize("folder", ["base", *(f"overlays/{name}" for name in OVERLAYS)])
def test_settings_reach_the_pods_under_the_name_that_kustomize_gives_them(folder):
    built = build(folder)
    (settings,) = [one for one in built if one["kind"] == "ConfigMap"]
    pods = [Workload(one) for one in built if "template" in one.get("spec", {})]
    wanted = {
        source["configMapRef"]["name"]
        for workload in pods
        for container in workload.containers
        for source in container.get("envFrom", [])
        if "configMapRef" in source
    }
    assert wanted == {settings["metadata"]["name"]}
    assert ("KAFKA_BOOTSTRAP_SERVERS" in settings["data"]) == (folder == "overlays/kafka")


@pytest.mark.parametrize("folder", ["base", *(f"overlays/{name}" for name in OVERLAYS)])
def test_an_image_is_pinned_and_ours_carries_the_version_of_the_sources(folder):
    for manifest in build(folder):
        if "template" in manifest.get("spec", {}):
            workload = Workload(manifest)
            images = {container["image"] for container in workload.containers}
            assert all(PINNED.fullmatch(image) for image in images)
            if workload.is_ours:
                assert images == {f"telemetra:{VERSION}"}


def test_the_services_are_those_of_the_composition():
    composed = read_services()
    for name in ("timescaledb", "redis"):
        (container,) = WORKLOADS[name].containers
        assert container["image"] == composed[name]["image"]


@our_workloads
def test_every_name_in_our_environment_is_a_setting(workload):
    for container in workload.containers:
        names = {item["name"] for item in container.get("env", [])}
        assert names <= SETTINGS | IN_ARGUMENTS_ONLY
        for name in names & IN_ARGUMENTS_ONLY:
            assert f"$({name})" in container["args"]


def test_every_name_in_the_settings_and_in_the_secret_is_a_setting():
    assert read_settings().keys() <= SETTINGS
    assert SECRETS["telemetra-urls"] <= SETTINGS


@our_workloads
def test_our_environment_makes_valid_settings(workload, monkeypatch):
    for field in SETTINGS:
        monkeypatch.delenv(field, raising=False)
    for container in workload.containers:
        for item in container.get("env", []):
            from_secret = "secretKeyRef" in item.get("valueFrom", {})
            known = "from-a-secret-0123" if from_secret else "0"
            monkeypatch.setenv(item["name"], item.get("value", known))
    for name, text in read_settings().items():
        monkeypatch.setenv(name, text)
    refuse_open_doors(Settings(_env_file=None))  # type: ignore[call-arg,unused-ignore]


@our_workloads
def test_our_command_names_a_module_that_can_be_run(workload):
    for container in workload.containers:
        module = REPOSITORY / PurePosixPath(container["args"][0].replace(".", "/"))
        assert module.with_suffix(".py").is_file() or (module / "__main__.py").is_file()
        assert "command" not in container


@every_workload
def test_no_service_of_kubernetes_can_overwrite_a_setting(workload):
    assert workload.pod["enableServiceLinks"] is False


@every_workload
def test_what_a_workload_selects_are_its_own_pods_and_nobody_elses(workload):
    if workload.manifest["kind"] != "Job":
        selector = workload.manifest["spec"]["selector"]["matchLabels"]
        assert [one.name for one in list_selected(selector)] == [workload.name]


@pytest.mark.parametrize("service", pick("Service"), ids=lambda one: one["metadata"]["name"])
def test_a_service_leads_to_a_port_of_its_pods(service):
    (workload,) = list_selected(service["spec"]["selector"])
    assert workload.name == service["metadata"]["name"]
    for port in service["spec"]["ports"]:
        assert port["targetPort"] in list_ports(workload)


@pytest.mark.parametrize(
    "policy", pick("NetworkPolicy"), ids=lambda policy: policy["metadata"]["name"]
)
def test_a_network_policy_is_about_pods_and_ports_that_exist(policy):
    spec = policy["spec"]
    chosen = list_selected(spec["podSelector"].get("matchLabels", {}))
    assert chosen
    for rule in spec.get("ingress", []):
        assert rule["from"], "open to everybody"
        for port in rule["ports"]:
            assert port["port"] in list_ports(chosen[0])
    for rule in [*spec.get("ingress", []), *spec.get("egress", [])]:
        for peer in [*rule.get("from", []), *rule.get("to", [])]:
            if "podSelector" in peer:
                assert list_selected(peer["podSelector"]["matchLabels"])


def test_what_no_policy_allows_is_refused():
    (policy,) = [one for one in pick("NetworkPolicy") if not one["spec"]["podSelector"]]
    assert policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize(
    "budget", pick("PodDisruptionBudget"), ids=lambda one: one["metadata"]["name"]
)
def test_a_budget_protects_pods_that_exist_and_lets_one_go(budget):
    (workload,) = list_selected(budget["spec"]["selector"]["matchLabels"])
    assert workload.name == budget["metadata"]["name"]
    (scaler,) = pick("HorizontalPodAutoscaler")
    if "minAvailable" in budget["spec"]:
        assert scaler["spec"]["minReplicas"] > budget["spec"]["minAvailable"]


def test_the_scaler_scales_the_api_and_nothing_else_says_how_many_there_are():
    (scaler,) = pick("HorizontalPodAutoscaler")
    target = scaler["spec"]["scaleTargetRef"]
    workload = WORKLOADS[target["name"]]
    assert (target["kind"], target["name"]) == ("Deployment", "telemetra-api")
    assert "replicas" not in workload.manifest["spec"]
    # A share of what was requested can only be had where something was.
    assert all("cpu" in one["resources"]["requests"] for one in workload.containers)


def test_the_processes_of_the_flow_know_one_another():
    flow = WORKLOADS["telemetra-flow"]
    spec = flow.manifest["spec"]
    prepare, process = flow.containers
    addresses = process["args"][process["args"].index("-a") + 1].split(";")
    peers = list_ports(flow)["peers"]
    assert addresses == [
        f"{flow.name}-{number}.{spec['serviceName']}:{peers}" for number in range(spec["replicas"])
    ]
    assert process["args"][:3] == ["streaming.flow", "-i", "$(POD_INDEX)"]
    assert prepare["args"] == ["streaming.flow.stores", "$(POD_INDEX)", str(spec["replicas"])]
    assert spec["replicas"] <= RECOVERY_PARTITIONS
    (service,) = [one for one in pick("Service") if one["metadata"]["name"] == spec["serviceName"]]
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert spec["podManagementPolicy"] == "Parallel"


def test_what_lasts_lies_in_a_volume_where_the_image_keeps_it():
    for name in ("telemetra-flow", "telemetra-archive"):
        (claim,) = WORKLOADS[name].manifest["spec"]["volumeClaimTemplates"]
        for container in WORKLOADS[name].containers:
            mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
            assert mounts[claim["metadata"]["name"]] == "/data"
        assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_there_is_one_archive():
    assert WORKLOADS["telemetra-archive"].manifest["spec"]["replicas"] == 1


@pytest.mark.parametrize("name", ["api", "flow", "archive", "alerts"])
def test_a_probe_asks_a_port_that_the_process_listens_on(name):
    workload = WORKLOADS[f"telemetra-{name}"]
    container = workload.containers[-1]
    setting = "API_PORT" if name == "api" else f"{name.upper()}_METRICS_PORT"
    told = {item["name"]: item.get("value") for item in container["env"]}[setting]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        assert str(list_ports(workload)[asked["port"]]) == told
    if name == "api":
        assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


@every_workload
def test_a_pod_runs_without_root_and_without_any_privilege(workload):
    security = workload.pod["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] == (10001 if workload.is_ours else security["runAsUser"]) > 0
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert workload.pod["automountServiceAccountToken"] is False
    assert not workload.pod.keys() & {"hostNetwork", "hostPID", "hostIPC", "serviceAccountName"}
    for container in workload.containers:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@every_workload
def test_a_container_has_limits_and_writes_into_volumes_only(workload):
    for container in workload.containers:
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted <= workload.volumes
        assert "tmp" in mounted
    for volume in workload.pod["volumes"]:
        if "persistentVolumeClaim" in volume:
            claims = {manifest["metadata"]["name"] for manifest in pick("PersistentVolumeClaim")}
            assert volume["persistentVolumeClaim"]["claimName"] in claims
        else:
            assert "sizeLimit" in volume["emptyDir"]


@pytest.mark.parametrize("name", ["telemetra-flow", "telemetra-migrate"])
def test_what_has_no_handler_for_its_end_is_not_process_one(name):
    assert WORKLOADS[name].pod["shareProcessNamespace"] is True


@every_workload
def test_a_secret_is_asked_for_by_a_name_and_a_key_that_are_explained(workload):
    for container in workload.containers:
        for source in container.get("envFrom", []):
            if "secretRef" in source:
                assert source["secretRef"]["name"] in SECRETS
        for item in container.get("env", []):
            if (asked := item.get("valueFrom", {}).get("secretKeyRef")) is not None:
                assert asked["key"] in SECRETS[asked["name"]]
            elif re.search("PASSWORD|AUTH|_URL|SECRET|TOKEN|KEY", item["name"]):
                pytest.fail(f"{item['name']} is written into the manifest")


def test_the_example_of_the_secret_names_everything_and_holds_nothing():
    (example,) = FILES[EXAMPLE.relative_to(EXAMPLE.parents[1]).as_posix()]
    assert example["metadata"]["name"] == "telemetra-urls"
    assert example["stringData"] == dict.fromkeys(SECRETS["telemetra-urls"], "")
    assert [one for one in EVERYTHING if one["kind"] == "Secret"] == []


def test_no_file_holds_a_password():
    for name in FILES:
        text = (EXAMPLE.parents[1] / name).read_text()
        for found in re.findall(r"://[^@\s]*:([^@\s]+)@", text):
            assert found.startswith("$") or found == "PASSWORD"

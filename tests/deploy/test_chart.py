"""The Helm chart: what comes out is what Kubernetes takes, and holds what a worker needs."""

import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from pipeline.monitoring.probes import STALL_SECONDS
from pipeline.settings import Settings
from pipeline.variables import settings_of
from schemas.topics import ROLES, STATEFUL
from tests.deploy.chart import BUILD, CHART, KEPT, KUBERNETES, SETS, digest, draw, helm

Manifest = dict[str, Any]
OF_OTHERS = {
    "ScaledObject": {"scaleTargetRef", "triggers", "minReplicaCount", "maxReplicaCount"},
    "ServiceMonitor": {"selector", "endpoints"},
    "PrometheusRule": {"groups"},
}
"""Kinds that KEDA and Prometheus' operator bring, and what each must say."""
needs_helm = pytest.mark.skipif(helm() is None, reason=f"Helm is not here: {BUILD}")


def manifests(name: str) -> list[Manifest]:
    text = (KEPT / f"{name}.yaml").read_text()
    return [each for each in yaml.safe_load_all(text) if each]


def of_kind(name: str, *kinds: str) -> Iterator[Manifest]:
    return (each for each in manifests(name) if each["kind"] in kinds)


def pods(name: str) -> Iterator[tuple[Manifest, Manifest]]:
    """Each workload with the spec of its pods."""
    for each in of_kind(name, "StatefulSet", "Deployment", "Job"):
        yield each, each["spec"]["template"]["spec"]


def environment(pod: Manifest) -> dict[str, str]:
    (container,) = pod["containers"]
    return {each["name"]: each.get("value", "") for each in container["env"]}


def test_what_was_kept_is_of_this_chart() -> None:
    for name in SETS:
        first = (KEPT / f"{name}.yaml").read_text().partition("\n")[0]
        assert first == f"# {digest()}", "draw it again: python -m tests.deploy.chart"


@needs_helm
@pytest.mark.parametrize("name", SETS)
def test_helm_makes_just_that(name: str) -> None:
    program = helm()
    assert program is not None
    values = ["--values", str(CHART / "ci" / f"{name}.yaml")]
    done = subprocess.run(
        [program, "lint", "--strict", str(CHART), *values], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert draw(program, name) == (KEPT / f"{name}.yaml").read_text().partition("\n")[2]


@needs_helm
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            "workers: {all: {roles: [decider], stateful: false, replicas: 1}}",
            "workers.all: the role decider keeps state; set stateful: true",
        ),
        ("web: {ingress: {enabled: true}}", "web.ingress.hosts: say which"),
    ],
    ids=["a role with state without a volume", "an ingress for every name"],
)
def test_what_can_not_work_is_refused(tmp_path: Path, wrong: str, said: str) -> None:
    program = helm()
    assert program is not None
    values = tmp_path / "wrong.yaml"
    values.write_text(f"{wrong}\n")
    argv = [program, "template", "shop", str(CHART), "--kube-version", KUBERNETES]
    argv += ["--values", str(values)]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode != 0
    assert said in done.stderr


@pytest.mark.parametrize("name", SETS)
def test_kubernetes_takes_every_manifest(name: str) -> None:
    names = set()
    for each in manifests(name):
        names.add((each["kind"], each["metadata"]["name"]))
        if each["kind"] in OF_OTHERS:
            assert OF_OTHERS[each["kind"]] <= set(each["spec"])
        else:
            kubernetes_validate.validate(each, KUBERNETES, strict=True)
    assert len(names) == len(manifests(name)), "no two are one"


@pytest.mark.parametrize("name", SETS)
def test_nothing_runs_as_root_or_writes_to_its_root(name: str) -> None:
    for _, pod in pods(name):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            own = container["securityContext"]
            assert own["readOnlyRootFilesystem"] is True
            assert own["allowPrivilegeEscalation"] is False
            assert own["capabilities"] == {"drop": ["ALL"]}
            mounted = {each["name"] for each in container["volumeMounts"]}
            claims = {"state"} if pod["containers"][0]["name"] == "worker" else set()
            assert mounted <= {each["name"] for each in pod["volumes"]} | claims


@pytest.mark.parametrize("name", SETS)
def test_its_settings_are_settings(name: str, tmp_path: Path) -> None:
    """And what variables say is known as well, with the secrets where they are mounted."""
    for config in of_kind(name, "ConfigMap"):
        settings = tmp_path / "settings.toml"
        settings.write_text(config["data"]["settings.toml"])
        assert tomllib.loads(settings.read_text())
        for _, pod in pods(name):
            given = {}
            for key, text in environment(pod).items():
                if key.endswith("_FILE") and text.startswith("/run/secrets/tocsin/"):
                    secret = tmp_path / text.rpartition("/")[2]
                    secret.write_text("x" * 32)
                    text = str(secret)
                given[key] = text
            given["TOCSIN_SETTINGS"] = str(settings)
            found = settings_of(given)
            assert isinstance(found, Settings)
            assert found.signing_key.get_secret_value()


@pytest.mark.parametrize("name", SETS)
def test_each_role_runs_once_and_those_with_state_keep_it_and_their_name(name: str) -> None:
    run: list[str] = []
    for each, pod in pods(name):
        (container,) = pod["containers"]
        if container["args"][0] != "worker":
            continue
        roles = list(ROLES) if container["args"][1:] == ["all"] else container["args"][1:]
        run += roles
        env = environment(pod)
        if set(roles) & set(map(str, STATEFUL)):
            assert each["kind"] == "StatefulSet"
            assert each["spec"]["volumeClaimTemplates"][0]["metadata"]["name"] == "state"
            assert "TOCSIN_WORKER_NAME" in env
        else:
            assert each["kind"] == "Deployment"
            assert "TOCSIN_WORKER_NAME" not in env
        assert container["livenessProbe"]["httpGet"]["path"] == "/live"
        assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
        assert pod["terminationGracePeriodSeconds"] >= 20 + 30
        assert container["livenessProbe"]["periodSeconds"] < STALL_SECONDS
    assert sorted(run) == sorted(map(str, ROLES))


def test_setup_runs_before_all_else_with_settings_of_its_own() -> None:
    (job,) = of_kind("secured", "Job")
    hooks = job["metadata"]["annotations"]
    assert hooks["helm.sh/hook"] == "pre-install,pre-upgrade"
    volumes = job["spec"]["template"]["spec"]["volumes"]
    (config,) = (each["configMap"]["name"] for each in volumes if "configMap" in each
                 and each["name"] == "settings")  # fmt: skip
    account = job["spec"]["template"]["spec"]["serviceAccountName"]
    hooked = {
        (each["kind"], each["metadata"]["name"]): each["metadata"]["annotations"]
        for each in manifests("secured")
        if "helm.sh/hook" in each["metadata"].get("annotations", {})
    }
    for thing in (("ConfigMap", config), ("ServiceAccount", account)):
        assert int(hooked[thing]["helm.sh/hook-weight"]) < int(hooks["helm.sh/hook-weight"])


def test_scaling_goes_by_each_roles_group_and_never_beyond_partitions() -> None:
    scaled = {each["metadata"]["name"]: each["spec"] for each in of_kind("large", "ScaledObject")}
    decider = scaled["shop-tocsin-decider"]
    assert decider["scaleTargetRef"]["kind"] == "StatefulSet"
    assert (decider["minReplicaCount"], decider["maxReplicaCount"]) == (4, 48)
    (trigger,) = decider["triggers"]
    assert trigger["metadata"]["consumerGroup"] == "tocsin-decider"
    assert trigger["metadata"]["lagThreshold"] == "5000"
    assert trigger["authenticationRef"] == {"name": "kafka"}
    targets = {each["spec"]["scaleTargetRef"]["name"] for each in of_kind("large", "ScaledObject")}
    for each, _ in pods("large"):
        if each["metadata"]["name"] in targets:
            assert "replicas" not in each["spec"], "Helm would undo what KEDA scaled"


def test_the_web_alone_may_ask_workers_and_the_web_is_reached() -> None:
    policies = {
        each["metadata"]["name"]: each["spec"] for each in of_kind("large", "NetworkPolicy")
    }
    workers, web = policies["shop-tocsin-workers"], policies["shop-tocsin-web"]
    asked = next(each for each in workers["ingress"] if each["ports"][0]["port"] == "query")
    (peer,) = asked["from"]
    labels = peer["podSelector"]["matchLabels"]
    web_pod = next(each for each, _ in pods("large") if each["metadata"]["name"].endswith("-web"))
    assert labels.items() <= web_pod["spec"]["template"]["metadata"]["labels"].items()
    assert web["ingress"][0]["from"][0]["namespaceSelector"]
    for each, pod in pods("large"):
        if pod["containers"][0]["name"] == "worker":
            own = each["spec"]["template"]["metadata"]["labels"]
            assert workers["podSelector"]["matchLabels"].items() <= own.items()
    monitor = next(of_kind("large", "ServiceMonitor"))
    wanted = monitor["spec"]["selector"]["matchLabels"]
    services = [each for each in of_kind("large", "Service") if wanted.items()
                <= each["metadata"]["labels"].items()]  # fmt: skip
    assert len(services) == 6


def test_pods_call_names_what_the_settings_name_and_providers_and_nobody_else() -> None:
    found = {}
    for name in SETS:
        policies = [each for each in of_kind(name, "NetworkPolicy") if "egress" in each["spec"]]
        (policy,) = policies
        assert policy["spec"]["policyTypes"] == ["Egress"]
        found[name] = policy["spec"]["egress"]
        selector = policy["spec"]["podSelector"]
        for each, _ in pods(name):
            labels = each["spec"]["template"]["metadata"]["labels"]
            assert selector["matchLabels"].items() <= labels.items()
            (rule,) = selector["matchExpressions"]
            is_barred = labels.get(rule["key"]) not in rule["values"]
            assert is_barred == (each["kind"] != "Job"), "setup comes before its policies"
    assert [[port["port"] for port in each["ports"]] for each in found["small"]] == [
        *([53, 53], [9092, 8123], [443], [9100]),
    ]
    dns, stores, providers, workers = found["secured"]
    assert [each["port"] for each in stores["ports"]] == [9095, 9094, 8443, 8085, 443]
    assert [each["port"] for each in providers["ports"]] == [443, 465, 8443]
    assert stores["to"] == [{"ipBlock": {"cidr": "10.20.0.0/16"}}]
    assert "10.0.0.0/8" in providers["to"][0]["ipBlock"]["except"]
    assert dns["to"][0]["namespaceSelector"]
    assert workers["to"][0]["podSelector"]["matchLabels"]["tocsin/kind"] == "worker"
    assert found["large"][-1]["ports"] == [{"port": 3128, "protocol": "TCP"}]


DESK = ["/dashboard", "/operator", "/console", "/login", "/v1"]


def test_an_ingress_leads_to_the_web_only_where_one_is_wanted() -> None:
    assert not list(of_kind("small", "Ingress"))
    for name, hosts in (
        ("secured", {"notify.example.com": ["/"]}),
        ("large", {"desk.internal.example.com": DESK}),
    ):
        (ingress,) = of_kind(name, "Ingress")
        rules = {each["host"]: each["http"]["paths"] for each in ingress["spec"]["rules"]}
        for host, paths in hosts.items():
            assert [each["path"] for each in rules[host]] == paths
        (service,) = (
            each for each in of_kind(name, "Service") if each["metadata"]["name"].endswith("-web")
        )
        (port,) = service["spec"]["ports"]
        for path in (path for paths in rules.values() for path in paths):
            backend = path["backend"]["service"]
            assert backend == {
                "name": service["metadata"]["name"],
                "port": {"name": port["name"]},
            }
    (secured,) = of_kind("secured", "Ingress")
    assert secured["spec"]["tls"] == [{"hosts": ["notify.example.com"], "secretName": "tocsin-tls"}]

"""The files of docs/deploy that nothing here can run: a service manager, containers, a cluster. They are held to their schemas,
to what the server takes, and to each other.
"""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema
import kubernetes_validate
import pytest
import yaml

from hongyan import cli
from hongyan.config import load
from hongyan.config.load import variable
from hongyan.server import _STOP_SECONDS
from tests.counterparts.installed import find
from tests.deploy.fronts import DEPLOY, replaced, text
from tests.docs.test_settings import declared
from tests.operation.certificates import make

UNITS = ("hongyan.service", "hongyan@.service", "hongyan.target")
KUBERNETES = "1.34"
SETTINGS = {variable(name) for name in declared()}


def unit(name: str, setting: str) -> list[str]:
    return re.findall(rf"^{setting}=(.*)$", text(name), flags=re.MULTILINE)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """With a program that is there."""
    for name in UNITS:
        changes = {"/opt/hongyan/.venv/bin/hongyan": "/bin/true"} if name.endswith(".service") else {}
        (tmp_path / name).write_text(replaced(text(name), changes))
    return tmp_path


def analyze(*words: str) -> "subprocess.CompletedProcess[str]":
    program = find("/usr/bin/systemd-analyze", "systemd")
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=60)


def test_units_are_taken_by_systemd(units: Path) -> None:
    names = [str(units / name) for name in ("hongyan.service", "hongyan@8441.service", "hongyan.target")]
    shutil.copy(units / "hongyan@.service", units / "hongyan@8441.service")
    done = analyze("verify", *names)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["hongyan.service", "hongyan@.service"])
def test_units_leave_the_server_little_of_the_machine(units: Path, name: str) -> None:
    shutil.copy(units / name, units / "scored.service")
    done = analyze("security", "--offline=true", "--threshold=20", str(units / "scored.service"))
    assert done.returncode == 0, done.stdout[-200:]


@pytest.mark.parametrize("name", ["hongyan.service", "hongyan@.service"])
def test_units_stop_only_the_first_process_and_wait_for_it(name: str) -> None:
    assert unit(name, "KillMode") == ["mixed"]
    assert float(unit(name, "TimeoutStopSec")[0]) > _STOP_SECONDS + 3


def test_units_call_the_server_as_it_is_called() -> None:
    for name in ("hongyan.service", "hongyan@.service"):
        (start,) = unit(name, "ExecStart")
        words = shlex.split(start.replace("%i", "8441"))[1:]
        given = cli._parser(words).parse_args(words)
        assert given.config == "/etc/hongyan/hongyan.toml"
        assert f"/var/lib/{unit(name, 'StateDirectory')[0].replace('%i', '8441')}" == given.data


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(text("compose.yaml"))
    return loaded


def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(text("kubernetes.yaml")))


def of_kind(kind: str, name: str) -> dict[str, Any]:
    (found,) = [one for one in manifests() if one["kind"] == kind and one["metadata"]["name"] == name]
    return found


def test_compose_file_is_one() -> None:
    schema = json.loads((files(check_jsonschema) / "builtin_schemas" / "vendor" / "compose-spec.json").read_text())
    jsonschema.validate(compose(), schema)


def test_compose_file_names_only_what_it_has() -> None:
    whole = compose()
    for service in whole["services"].values():
        assert set(service.get("depends_on", {})) <= set(whole["services"])
        assert set(service.get("networks", [])) <= set(whole["networks"])
        assert {volume.partition(":")[0] for volume in service.get("volumes", [])} <= set(whole["volumes"])
        for kind in ("configs", "secrets"):
            assert {one["source"] for one in service.get(kind, [])} <= set(whole[kind])
    assert (DEPLOY / whole["configs"]["haproxy"]["file"]).exists()
    node = whole["services"]["node1"]
    assert (DEPLOY / node["build"]["context"] / node["build"]["dockerfile"]).exists()


def test_balancer_of_the_compose_file_is_haproxy_cfg_with_other_addresses() -> None:
    def rules(name: str) -> set[str]:
        return {rule for line in text(name).splitlines() if (rule := line.partition("#")[0].strip())}

    only_here = rules("haproxy-compose.cfg") - rules("haproxy.cfg")
    assert all(re.match(r"resolvers|nameserver|hold|default-server|server (one|two) node[12]:8440$", rule) for rule in only_here)
    missing = rules("haproxy.cfg") - rules("haproxy-compose.cfg")
    assert all(re.match(r"user|group|chroot|default-server|server", rule) for rule in missing)


def environments() -> Iterator[tuple[str, dict[str, str]]]:
    """Every set of variables that a node is given, with values for what is filled in elsewhere."""
    for name in ("node1", "node2"):
        given = compose()["services"][name]["environment"]
        fill = {
            "${PUBLIC_ADDRESS:?}": "https://chat.example.org",
            "${NATS_PASSWORD:?}": "secret",
            "${POSTGRES_PASSWORD:?}": "secret",
        }
        yield f"compose {name}", {key: _filled(value, fill) for key, value in given.items()}
    container = of_kind("Deployment", "hongyan")["spec"]["template"]["spec"]["containers"][0]
    secret, pod = of_kind("Secret", "hongyan")["stringData"], {"metadata.name": "hongyan-abc", "status.podIP": "10.244.0.7"}
    found = dict(of_kind("ConfigMap", "hongyan")["data"])
    for one in container["env"]:
        source = one.get("valueFrom", {})
        if "secretKeyRef" in source:
            assert source["secretKeyRef"]["name"] == "hongyan"
            found[one["name"]] = secret[source["secretKeyRef"]["key"]]
        elif "fieldRef" in source:
            found[one["name"]] = pod[source["fieldRef"]["fieldPath"]]
        else:
            found[one["name"]] = _filled(one["value"], {"$(POD_IP)": found.get("POD_IP", "")})
    yield "kubernetes", found
    lines = re.findall(r"(HONGYAN_\w+)=(\S+)", text("Dockerfile"))
    yield "Dockerfile", dict(lines)


def _filled(value: str, fill: dict[str, str]) -> str:
    for old, new in fill.items():
        value = value.replace(old, new)
    assert "$" not in value, f"nothing is known for {value}"
    return value


@pytest.mark.parametrize(("name", "given"), list(environments()), ids=[name for name, _ in environments()])
def test_variables_are_settings_that_the_server_takes(name: str, given: dict[str, str]) -> None:
    ours = {key for key in given if key.startswith("HONGYAN_")}
    assert ours
    assert ours <= SETTINGS
    settings = load(environment=given)
    if name != "Dockerfile":
        assert settings.shares_store
        assert settings.has_bus
        assert "PGPASSWORD" in given
        assert ":" not in settings.store.partition("//")[2].partition("@")[0], "no password in the address of the database"


def test_pages_name_only_variables_that_are_settings() -> None:
    prefixes = {"HONGYAN_", "HONGYAN_HTTP_"}
    for page in DEPLOY.iterdir():
        named = set(re.findall(r"\bHONGYAN_[A-Z_]*", page.read_text(encoding="utf-8")))
        assert named - prefixes <= SETTINGS, page.name


def test_manifests_are_what_kubernetes_takes() -> None:
    for manifest in manifests():
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_manifests_fit_together() -> None:
    everything = manifests()
    for manifest in everything:
        if manifest["kind"] != "Namespace":
            assert manifest["metadata"]["namespace"] == "hongyan"
        if manifest["kind"] == "Deployment":
            labels = manifest["spec"]["template"]["metadata"]["labels"]
            assert manifest["spec"]["selector"]["matchLabels"] == labels
            container = manifest["spec"]["template"]["spec"]["containers"][0]
            ports = {port["name"] for port in container["ports"]}
            probes = [container[probe] for probe in container if probe.endswith("Probe")]
            assert {probe["httpGet"]["port"] for probe in probes} <= ports
            services = [one["spec"] for one in everything if one["kind"] == "Service" and one["spec"]["selector"] == labels]
            assert services
            assert {port["targetPort"] for service in services for port in service["ports"]} <= ports
    budget = of_kind("PodDisruptionBudget", "hongyan")["spec"]["selector"]
    assert budget == of_kind("Deployment", "hongyan")["spec"]["selector"]


def test_a_database_that_is_away_takes_a_node_out_and_does_not_restart_it() -> None:
    container = of_kind("Deployment", "hongyan")["spec"]["template"]["spec"]["containers"][0]
    assert container["readinessProbe"]["httpGet"]["path"] == "/health"
    assert container["livenessProbe"]["httpGet"]["path"] == "/docs"


def test_variables_of_services_are_kept_from_the_server() -> None:
    assert of_kind("Deployment", "hongyan")["spec"]["template"]["spec"]["enableServiceLinks"] is False


def test_time_to_stop_is_enough_everywhere() -> None:
    spec = of_kind("Deployment", "hongyan")["spec"]["template"]["spec"]
    sleeps = float(spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert spec["terminationGracePeriodSeconds"] > sleeps + _STOP_SECONDS + 3
    assert float(compose()["services"]["node1"]["stop_grace_period"].removesuffix("s")) > _STOP_SECONDS + 3


def test_image_is_made_of_what_is_there() -> None:
    root = DEPLOY.parents[1]
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", text("Dockerfile"), flags=re.MULTILINE)
    sources = [source for line in lines for source in line.split()]
    assert sources
    for source in sources:
        assert (root / source).exists()
        assert f"!{source}" in text("Dockerfile.dockerignore").splitlines()
    assert re.search(r"^USER 10001", text("Dockerfile"), flags=re.MULTILINE)


def test_image_is_made_with_locked_packages_only() -> None:
    for line in text("Dockerfile").splitlines():
        if "pip install" in line:
            assert "--require-hashes" in line or "--no-index" in line
    (listed,) = re.findall(r"/\^\(([^)]+)\)==/", text("Dockerfile"))
    makers = set(listed.split("|"))
    needed = {re.split(r"[^\w-]", one)[0] for one in metadata.requires("hatchling") or [] if "python_version <" not in one}
    assert makers == {"hatchling"} | needed
    locked = (DEPLOY.parents[1] / "requirements" / "dev.lock").read_text()
    assert {name for name in makers if f"\n{name}==" not in locked} == set()


def test_balancer_of_the_compose_file_is_taken_by_haproxy(tmp_path: Path) -> None:
    """It cannot find the nodes' names here, which is no fault."""
    certificate, key = make(tmp_path)
    (tmp_path / "both.pem").write_text(certificate.read_text() + key.read_text())
    changes = {"/etc/hongyan/chat.example.org.pem": f"{tmp_path}/both.pem", "maxconn 100000": "maxconn 1000"}
    (tmp_path / "haproxy.cfg").write_text(replaced(text("haproxy-compose.cfg"), changes))
    program = find("/usr/sbin/haproxy", "haproxy")
    done = subprocess.run([program, "-c", "-f", tmp_path / "haproxy.cfg"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr

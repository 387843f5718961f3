"""`hongyan nodes` beside a cluster, and where there is none."""

import json
import os
import signal
import subprocess
from pathlib import Path

from tests import forks
from tests.clustering import Cluster
from tests.counterparts.nats import Nats
from tests.serving import HONGYAN, Shared


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HONGYAN_")}
    return forks.run(words, clean)


def test_table_and_json_show_every_node(cluster: Cluster) -> None:
    (ann,) = cluster.people("ann")
    with ann.stream():
        done = cluster.command("nodes")
        assert done.returncode == 0, done.stderr
        head, *rows = done.stdout.splitlines()
        assert head.split()[:3] == ["NAME", "ID", "ADDRESSES"]
        assert [row.split()[0] for row in rows] == ["node1", "node2"]
        for row, node in zip(rows, cluster.nodes, strict=True):
            assert f"http 127.0.0.1:{node.port}" in row
            assert row.endswith("ready")
        told = [json.loads(line) for line in cluster.command("nodes", "--json").stdout.splitlines()]
    assert [(one["name"], one["ready"]) for one in told] == [("node1", True), ("node2", True)]
    assert sum(one["sessions"] for one in told) == 1


def test_watching_goes_on_until_it_is_interrupted(cluster: Cluster) -> None:
    words = [*HONGYAN, "--store", cluster.shared.store, "nodes", "--bus", cluster.shared.bus, "--watch", "--json"]
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a suite that runs in the background ignores it
    ) as watching:
        assert watching.stdout is not None
        names = [json.loads(watching.stdout.readline())["name"] for _ in range(4)]
        watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 130
    assert names == ["node1", "node2"] * 2


def test_without_bus_or_nodes_or_database_it_says_so(shared: Shared, tmp_path: Path) -> None:
    alone = run("--data", str(tmp_path), "nodes")
    assert alone.returncode == 1
    assert "no bus" in alone.stderr
    nobody = run("--store", shared.store, "nodes", "--bus", shared.bus)
    assert nobody.returncode == 1
    assert "No server has used this database" in nobody.stderr
    away = run("--store", "postgresql://postgres@127.0.0.1:1/x", "nodes", "--bus", shared.bus)
    assert away.returncode == 1
    assert "cannot be read from the database" in away.stderr
    for done in (alone, nobody, away):
        assert "Traceback" not in done.stderr


def test_nobody_answers_and_no_nats(postgresql_url: str, tmp_path: Path) -> None:
    with Nats(tmp_path / "nats") as nats:
        with Cluster(tmp_path, Shared(postgresql_url, nats.url), 1):
            pass
        nobody = run("--store", postgresql_url, "nodes", "--bus", nats.url)
        assert (nobody.returncode, "No node answers" in nobody.stderr) == (1, True)
        nats.stop()
        away = run("--store", postgresql_url, "nodes", "--bus", nats.url)
        assert (away.returncode, "bus cannot be reached" in away.stderr) == (1, True)

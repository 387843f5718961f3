"""The generated module is that of the .proto."""

import os
import subprocess
import sys
from pathlib import Path

import hongyan.gateways.cim

ROOT = Path(__file__).resolve().parents[3]


def test_generated_modules_are_not_stale(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHON": sys.executable}
    subprocess.run([ROOT / "scripts" / "protobuf", tmp_path], check=True, env=environment)
    here = Path(hongyan.gateways.cim.__file__).parent
    for name in ("cim_pb2.py", "cim_pb2.pyi"):
        assert (tmp_path / name).read_text() == (here / name).read_text(), f"run scripts/protobuf: {name} is stale"

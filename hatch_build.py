"""Builds the web client before a wheel or an sdist is made, so that who installs one needs no Node.

An editable installation serves what `make setup` has built. A wheel that is built from an sdist finds the client in it.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebClient(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        script = Path(self.root) / "scripts" / "web"
        subprocess.run([script], cwd=self.root, env={**os.environ, "PYTHON": sys.executable}, check=True)  # noqa: S603

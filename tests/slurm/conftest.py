"""A cluster for the tests, and runs of the workflow that submit to it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from helpers.workspace import Workspace

from .cluster import Cluster, missing_programs, slurm_cluster

INSTALL = Path(__file__).parent / "install.sh"


@dataclass(frozen=True, kw_only=True)
class ClusterWorkspace(Workspace):
    """A workspace from which jobs are submitted."""

    cluster: Cluster

    def start(self, *arguments: str, profile: str = "slurm") -> subprocess.Popen[str]:
        """Start snakemake as a user of the cluster would; its output goes to a file here."""
        # setpriv: it ends with the tests, however they end. env: it hears Ctrl-C, which all that a
        # script starts in its background ignores, such as these tests.
        command = ["setpriv", "--pdeathsig", "KILL", "--", "env", "--default-signal=INT"]
        command += [sys.executable, "-m", "snakemake"]
        command += self.arguments("--configfile", str(self.folder / "mine.yaml"))
        command += ["--workflow-profile", str(self.project / "profiles" / profile)]
        with (self.folder / "output").open("a") as output:
            return subprocess.Popen(
                [*command, *arguments],
                cwd=self.folder,
                env=self.cluster.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def finish(self, process: subprocess.Popen[str], seconds: float = 1800) -> str:
        """Wait for a run and give all output so far; the test fails when the run did."""
        try:
            status = process.wait(seconds)
        finally:
            process.kill()
        output = (self.folder / "output").read_text()
        assert status == 0, output[-8000:]
        return output


# This cluster is small: look often, and do not wait for files of other machines.
QUICK = ("--slurm-init-seconds-before-status-checks", "6", "--latency-wait", "5")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of one node with 8 processors and one GPU; stopped at the end."""
    if problem := _problem():
        if os.environ.get("CI"):
            pytest.fail(problem)
        pytest.skip(problem)
    with slurm_cluster(tmp_path_factory.mktemp("cluster") / "state") as cluster:
        yield cluster


def _problem() -> str | None:
    """Why there can be no cluster here; installs what is missing."""
    if not sys.platform.startswith("linux"):
        return "SLURM runs on Linux only"
    if os.getuid() != 0:
        return "only root can start a SLURM cluster that runs jobs"
    if find_spec("snakemake_executor_plugin_slurm") is None:
        return "the executor is not installed: pip install -e .[slurm]"
    if missing_programs():
        done = subprocess.run(["sh", str(INSTALL)], capture_output=True, text=True)
        if done.returncode or missing_programs():
            return f"{INSTALL} could not install SLURM: {done.stderr[-2000:]}"
    return None


@pytest.fixture
def workspace(cluster: Cluster, demo_videos: Path, tmp_path: Path) -> ClusterWorkspace:
    return make_workspace(tmp_path, cluster, demo_videos)


def make_workspace(folder: Path, cluster: Cluster, demo_videos: Path) -> ClusterWorkspace:
    """A workspace with the demonstration videos; one feature, so that it takes minutes."""
    for file in demo_videos.iterdir():
        (folder / file.name).symlink_to(file)
    (folder / "mine.yaml").write_text("features: [mfcc]\nsync: {backend: mesh}\n")
    return ClusterWorkspace(folder, cluster=cluster)

"""A SLURM cluster of one node with pretended GPUs, on this machine and in one folder."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

# Debian puts the daemons where only root's PATH looks.
SEARCH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel")

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
MpiDefault=none
ReturnToService=2
# No cgroups: processes are followed by their parents, and those over their memory are found by
# looking every second.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
KillWait=5
# Finished jobs are remembered for the tests, and no accounting database is asked.
AccountingStorageType=accounting_storage/none
MinJobAge=3600
SchedulerParameters=batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
GresTypes=gpu
TaskProlog={folder}/begin_task
# More processors than there are, so that jobs run beside each other on two cores.
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} Gres=gpu:test:{gpus}
PartitionName=cpu Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes={host} MaxTime=INFINITE State=UP
"""

# Less than Python takes with snakemake, in which the batch script of every job runs.
TOO_LITTLE_MB = 50
# What every task sees is noted by the cluster itself, so that the real rules can be watched.
# The order to end a job over its memory goes from the node to the controller and back, and on a
# busy machine a short job has ended by itself before it arrives. So where a job asked for too
# little, its step begins late: the batch script, which is over that memory, waits for it meanwhile.
BEGIN_TASK = """\
#!/bin/sh
echo "$SLURM_JOB_ID ${{CUDA_VISIBLE_DEVICES-unset}}" >> {folder}/gpus_seen
if [ "$SLURM_MEM_PER_NODE.$SLURM_STEP_ID" = {too_little_mb}.0 ]; then sleep 300; fi
"""


@dataclass
class Job:
    """What the cluster knows of a job: amounts are those it was given."""

    number: int
    rule: str
    video: str
    partition: str
    state: str
    cpus: int
    memory_mb: int
    minutes: int | None
    gpus: int
    start: datetime | None
    end: datetime | None


@dataclass
class Cluster:
    """A running cluster; `environment` is that of a user who may submit to it."""

    folder: Path
    environment: dict[str, str]

    def ask(self, *command: str) -> str:
        """Standard output of a SLURM command."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def jobs(self) -> list[Job]:
        """All jobs since the start, in order of submission."""
        lines = self.ask("scontrol", "--details", "--oneliner", "show", "jobs").splitlines()
        records = [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in lines if "JobId=" in line]
        return sorted(map(_job, records), key=lambda job: job.number)

    def gpus_seen(self, job: Job) -> set[str]:
        """The values of CUDA_VISIBLE_DEVICES in the tasks of a job; `unset` where it was not."""
        lines = (self.folder / "gpus_seen").read_text().splitlines()
        return {seen for number, seen in map(str.split, lines) if number == str(job.number)}

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait until no job is left, nor the processes of one; whether that was in time."""
        deadline = time.monotonic() + seconds
        while self.ask("squeue", "--noheader"):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.5)
        return True


def _job(record: dict[str, str]) -> Job:
    amounts = dict(part.split("=") for part in record["TRES"].split(","))
    gpus = re.fullmatch(r"gpu:(?:\w+:)?(\d+)", record.get("JOB_GRES", ""))
    rule, _, video = record.get("Comment", "").partition("_wildcards_")
    memory = re.fullmatch(r"([\d.]+)([MG])", amounts["mem"])
    return Job(
        number=int(record["JobId"]),
        rule=rule.removeprefix("rule_"),
        video=video,
        partition=record["Partition"],
        state=record["JobState"],
        cpus=int(amounts["cpu"]),
        memory_mb=round(float(memory[1]) * {"M": 1, "G": 1024}[memory[2]]),
        minutes=_minutes(record["TimeLimit"]),
        gpus=int(gpus[1]) if gpus else 0,
        start=_time(record["StartTime"]),
        end=_time(record["EndTime"]),
    )


def _minutes(text: str) -> int | None:
    if text == "UNLIMITED":
        return None
    days, _, clock = text.rpartition("-")
    hours, minutes, _ = map(int, clock.split(":"))
    return (int(days or 0) * 24 + hours) * 60 + minutes


def _time(text: str) -> datetime | None:
    return None if text in ("Unknown", "None") else datetime.fromisoformat(text)


def missing_programs() -> list[str]:
    """The programs of SLURM and munge that are not installed."""
    return [program for program in PROGRAMS if not shutil.which(program, path=SEARCH)]


@contextmanager
def slurm_cluster(
    folder: Path, cpus: int = 8, memory_mb: int = 16000, gpus: int = 1
) -> Iterator[Cluster]:
    """Start a cluster, wait until its node takes jobs; end its jobs and daemons afterwards.

    Needs root. `folder` must not exist; it keeps the logs. Raises RuntimeError with the end of the
    daemon's log when the cluster does not come up.
    """
    (folder / "state").mkdir(parents=True)
    (folder / "spool").mkdir()
    (folder / "gpus_seen").touch()
    (folder / "munge.key").write_bytes(secrets.token_bytes(128))
    (folder / "munge.key").chmod(0o600)
    host = socket.gethostname().split(".")[0]
    controller_port, node_port = _free_ports(2)
    (folder / "slurm.conf").write_text(
        CONFIGURATION.format(
            folder=folder,
            host=host,
            controller_port=controller_port,
            node_port=node_port,
            cpus=cpus,
            memory_mb=memory_mb,
            gpus=gpus,
        )
    )
    # A device file only has to exist.
    (folder / "gres.conf").write_text("Name=gpu Type=test File=/dev/null\n" * gpus)
    begin_task = BEGIN_TASK.format(folder=folder, too_little_mb=TOO_LITTLE_MB)
    (folder / "begin_task").write_text(begin_task)
    (folder / "begin_task").chmod(0o755)
    foreign = ("SLURM", "SBATCH", "SRUN", "SNAKEMAKE")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    environment |= {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": SEARCH}
    cluster = Cluster(folder, environment)

    files = [f"--{kind}-file={folder}/munge.{kind}" for kind in ("key", "pid", "log", "seed")]
    # --force: pytest's folders are closed to other users, who have no business here.
    munged = ("munged", "--foreground", "--force", f"--socket={folder}/munge.socket", *files)
    node = ("show", "node", host)
    with (
        _daemon(cluster, lambda: (folder / "munge.socket").exists(), *munged),
        _daemon(cluster, lambda: "is UP" in _try(cluster, "ping"), "slurmctld", "-D", "-i"),
        _daemon(cluster, lambda: "State=IDLE" in _try(cluster, *node), "slurmd", "-D"),
    ):
        try:
            yield cluster
        finally:
            _end_jobs(cluster)


def _end_jobs(cluster: Cluster) -> None:
    numbers = cluster.ask("squeue", "--noheader", "--format=%i").split()
    if numbers:
        cluster.ask("scancel", *numbers)
    cluster.wait_until_idle(20)


@contextmanager
def _daemon(
    cluster: Cluster, ready: Callable[[], bool], program: str, *arguments: str
) -> Iterator[None]:
    """Run a daemon as long as the block lasts, which begins when the daemon is ready."""
    # setpriv: it ends with the tests, however they end.
    command = ["setpriv", "--pdeathsig", "TERM", "--", program, *arguments]
    log = cluster.folder / f"{program}.output"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=cluster.environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + 30
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                text = log.read_text(errors="replace")[-3000:]
                raise RuntimeError(f"{program} did not come up: {text}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _try(cluster: Cluster, *arguments: str) -> str:
    try:
        return cluster.ask("scontrol", *arguments)
    except RuntimeError:
        return ""


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for free in sockets:
            free.bind(("127.0.0.1", 0))
        return [free.getsockname()[1] for free in sockets]

"""A SLURM of the tests' own: two nodes on this machine, real daemons, any user, no network but loopback."""

import contextlib
import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "srun", "scontrol")

CONF = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={root}/munge.sock,cred_expire=6
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool-%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd-%n.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
ReturnToService=2
KillWait=5
MinJobAge=300
NodeName=node[1-2] NodeHostName={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs=2 RealMemory=2000 State=UNKNOWN
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
PartitionName=spare Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=60
"""


def missing() -> list[str]:
    """The programs that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


class Slurm:
    """The cluster; its folder must have a short path, because sockets live in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.settings = {"SLURM_CONF": str(root / "slurm.conf")}

    def start(self) -> None:
        key = self.root / "munge.key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o600)
        self.run(
            "munged",
            "--force",
            f"--key-file={key}",
            f"--socket={self.root}/munge.sock",
            f"--seed-file={self.root}/munge.seed",
            f"--pid-file={self.root}/munge.pid",
            f"--log-file={self.root}/munge.log",
        )
        port = free_ports(3)
        (self.root / "state").mkdir(exist_ok=True)
        (self.root / "slurm.conf").write_text(
            CONF.format(
                root=self.root,
                host=socket.gethostname().split(".")[0],
                user=getpass.getuser(),
                port=port,
                first=port + 1,
                last=port + 2,
            )
        )
        self.run("slurmctld")
        for node in ("node1", "node2"):
            (self.root / f"spool-{node}").mkdir(exist_ok=True)
            self.run("slurmd", "-N", node)
        until(lambda: self.run("sinfo", "-h", "-t", "idle", "-o", "%D", "-p", "spare").strip() == "2", 30)

    def run(self, *command: str) -> str:
        """Run a command of SLURM's; gives what it prints."""
        done = subprocess.run(command, env={**os.environ, **self.settings}, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{command}: {done.stderr or done.stdout}")
        return done.stdout

    def node(self, task: int) -> str:
        """The node that a task of an array is on; "" where it is on none."""
        found = self.run("squeue", "--noheader", "--array", "--states=RUNNING", "--format=%K %N").splitlines()
        return next((line.split()[1] for line in found if line.split()[0] == str(task)), "")

    def stop(self) -> None:
        with contextlib.suppress(RuntimeError):
            self.run("scancel", "--me")
            until(lambda: not self.run("squeue", "-h").strip(), 20)
        for pid in [*self.root.glob("slurm*.pid"), self.root / "munge.pid"]:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
                os.kill(int(pid.read_text()), signal.SIGTERM)


def free_ports(count: int) -> int:
    """The first of some ports in a row that nobody listens on; processes that ask at the same time look elsewhere."""
    places = (32000 - 20000) // count
    for first in (20000 + count * ((os.getpid() + place) % places) for place in range(places)):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in range(first, first + count):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first
    raise RuntimeError("no free ports")


def until(true: Callable[[], object], seconds: float) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.1)


@contextlib.contextmanager
def cluster(root: Path) -> Iterator[Slurm]:
    """A cluster that is up."""
    slurm = Slurm(root)
    try:
        slurm.start()
        yield slurm
    finally:
        slurm.stop()

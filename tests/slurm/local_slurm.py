"""A real SLURM of two nodes on this computer, for as long as a test session lasts."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "scancel", "unshare", "setpriv")
CONFIGURATION = """\
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=20
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=0
GresTypes=gpu
NodeName=node1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=8 RealMemory=8000 Gres=gpu:4
NodeName=node2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=8 RealMemory=8000 Gres=gpu:4
PartitionName=local Nodes=node1,node2 Default=YES MaxTime=INFINITE State=UP
"""


class LocalSlurm:
    """munged, slurmctld and one slurmd for each of node1 and node2; use it with `with`.

    The nodes have four graphics cards each on paper, so that job scripts need no other options here. The daemons and the
    jobs see node1 and node2 in a private copy of /etc/hosts; the computer's own files stay as they are.

    Args:
        folder: Gets configuration, logs and state; it stays for whoever wants to read the logs.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._daemons: list[subprocess.Popen] = []

    @staticmethod
    def hindrance() -> str:
        """Returns why SLURM cannot be started here, or nothing."""
        absent = [program for program in PROGRAMS if not shutil.which(program, path=_path())]
        if absent:
            return f"no {', '.join(absent)} (Debian: apt-get install slurm-wlm munge)"
        if os.getuid():
            return "SLURM's daemons and a private /etc/hosts need root"
        return "" if not subprocess.run(["unshare", "--mount", "true"], check=False).returncode else "no mount namespaces"

    def __enter__(self) -> "LocalSlurm":
        (self.folder / "state").mkdir(parents=True)
        (self.folder / "munge.key").write_bytes(secrets.token_bytes(128))
        (self.folder / "munge.key").chmod(0o400)
        (self.folder / "hosts").write_text(Path("/etc/hosts").read_text() + "\n127.0.0.1 node1 node2\n")
        (self.folder / "gres.conf").write_text(f"NodeName=node[1-2] Name=gpu File={self.folder}/gpu[0-3]\n")
        for number in range(4):
            (self.folder / f"gpu{number}").touch()
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(
            host=socket.gethostname().partition(".")[0], user=pwd.getpwuid(os.getuid()).pw_name, folder=self.folder,
            ports=_free_ports(3)))
        try:
            munge = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
            self._start("munged", "--foreground", "--force",
                        *(f"--{option}={self.folder}/munge.{ending}" for option, ending in munge.items()))
            self._until("munged", (self.folder / "munge.socket").exists)
            self._start("slurmctld", "-D", "-i")
            for node in ("node1", "node2"):
                self._start("slurmd", "-D", "-N", node)
            self._until("two idle nodes", lambda: self.run("sinfo", "-h", "-o", "%T %D").stdout.split() == ["idle", "2"])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if len(self._daemons) > 1:
            for job in self.run("squeue", "-h", "-o", "%A").stdout.split():
                self.run("scancel", job)
            self._until("the end of all jobs", lambda: not self.run("squeue", "-h").stdout.strip(), strict=False)
        for daemon in reversed(self._daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def run(self, *words: object, **environment: str) -> subprocess.CompletedProcess:
        """Runs one of SLURM's commands, whatever its exit code."""
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, timeout=60,
                              env=os.environ | {"SLURM_CONF": f"{self.folder}/slurm.conf", "PATH": _path()} | environment)

    def submit(self, *words: object, **environment: str) -> str:
        """Returns the number of the job that `sbatch WORDS...` made."""
        done = self.run("sbatch", "--parsable", *words, **environment)
        assert not done.returncode, done.stderr
        return done.stdout.strip()

    def job(self, number: str) -> dict[str, str]:
        """Returns what `scontrol show job` says: JobState, ExitCode ("code:signal"), Restarts, Dependency, ..."""
        shown = self.run("scontrol", "--oneliner", "show", "job", number).stdout.splitlines()
        assert shown, f"no job {number}; {self.folder} holds the logs"
        return dict(word.partition("=")[::2] for word in shown[0].split() if "=" in word)

    def wait(self, number: str, *states: str, seconds: float = 600) -> dict[str, str]:
        """Waits until the job is in one of `states`, by default in one that ends it, and returns `job(number)`."""
        states = states or ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "DEADLINE")
        self._until(f"job {number} in {' or '.join(states)}", lambda: self.job(number)["JobState"] in states, seconds)
        return self.job(number)

    def _start(self, program: str, *words: str) -> None:
        private = f'mount --bind "{self.folder}/hosts" /etc/hosts && exec "$@"'
        with open(self.folder / f"{program}.{len(self._daemons)}.log", "wb") as log:
            self._daemons.append(subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "unshare", "--mount", "sh", "-c", private, "sh", program, *words],
                stdout=log, stderr=log, env=os.environ | {"SLURM_CONF": f"{self.folder}/slurm.conf", "PATH": _path()}))

    def _until(self, what: str, reached: Callable[[], bool], seconds: float = 30, strict: bool = True) -> None:
        deadline = time.monotonic() + seconds
        while not reached():
            ended = [daemon.args for daemon in self._daemons if daemon.poll() is not None]
            if ended or time.monotonic() > deadline:
                assert not strict, f"expected {what} within {seconds} s; ended daemons: {ended}; {self._logs()}"
                return
            time.sleep(0.25)

    def _logs(self) -> str:
        tails = [f"{path.name}: ...{path.read_text(errors='replace')[-600:]}" for path in sorted(self.folder.glob("*.log"))]
        return f"logs in {self.folder}\n" + "\n".join(tails)


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for free in sockets:
        free.bind(("127.0.0.1", 0))
    ports = [free.getsockname()[1] for free in sockets]
    for free in sockets:
        free.close()
    return ports

"""The same work told to each launcher: the commands of a column, as the tool's own user would type them."""

import json
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
CGROUPS = Path("/sys/fs/cgroup")
MEMORY, CORES, TASKS, BRIDGE = 64 << 20, "0", 4096, "benchbr0"
COLUMNS = {
    "a": "chroot and namespaces",
    "b": "a + a network of its own with loopback",
    "c": "b + memory, cores and tasks limited",
    "d": "c + veth on a bridge",
}


def network(name: str, program: str) -> str:
    """What a user of a runtime without networks types around it; `ip` is started as seldom as it can be."""
    return f"""ip netns add {name}
ip -batch - <<.
link add v$$ up master {BRIDGE} type veth peer name eth0 netns {name}
.
ip -n {name} -batch - <<.
link set lo up
addr add 10.217.45.7/24 dev eth0
link set eth0 up
route add default via 10.217.45.1
.
{program}
status=$?; ip netns del {name}; exit $status"""


def limits(program: str) -> str:
    """The limits by hand, for a launcher without any; the subshell enters the groups and becomes the launcher."""
    if (CGROUPS / "cgroup.controllers").exists():
        groups = f"{CGROUPS}/containbench-$$"
        values = {
            f"{groups}/memory.max": MEMORY,
            f"{groups}/memory.swap.max": 0,
            f"{groups}/cpuset.cpus": CORES,
            f"{groups}/pids.max": TASKS,
        }
        entry = "cgroup.procs"
    else:
        memory, cpuset, pids = (f"{CGROUPS}/{controller}/containbench-$$" for controller in ("memory", "cpuset", "pids"))
        groups, entry = f"{memory} {cpuset} {pids}", "tasks"
        values = {f"{memory}/memory.limit_in_bytes": MEMORY, f"{memory}/memory.memsw.limit_in_bytes": MEMORY}
        values |= {f"{cpuset}/cpuset.mems": 0, f"{cpuset}/cpuset.cpus": CORES, f"{pids}/pids.max": TASKS}
    writes = "\n".join(f"echo {value} > {file}" for file, value in values.items())
    enter = " && ".join(f"echo 0 > {group}/{entry}" for group in groups.split())
    gone = " && ".join(f"[ ! -e {group} ]" for group in groups.split())  # bwrap ends before its last child has
    remove = f"rmdir {groups} 2>/dev/null; until {gone}; do sleep 0.001; rmdir {groups} 2>/dev/null; done"
    return f"mkdir {groups}\n{writes}\n({enter} && exec {program})\nstatus=$?; {remove}; (exit $status)"


def contain(column: str, root: Path) -> list[str]:
    options = {"a": ["--pids-limit", "max"], "b": ["--pids-limit", "max"]}.get(
        column, ["--memory-limit", str(MEMORY), "--cpu-core-ids", CORES, "--pids-limit", str(TASKS)]
    )
    if column == "d":
        options += ["--network-address", "10.217.45.7/24", "--bridge", BRIDGE]
    return [str(REPOSITORY / "bin/contain"), "--chroot", str(root), *options, "--", "/true"]


def bubblewrap(column: str, root: Path) -> list[str]:
    words = f"bwrap --bind {root} / --proc /proc --dev /dev --unshare-pid --unshare-ipc --unshare-uts --unshare-cgroup"
    words += " --unshare-net" if column in "bc" else ""
    words += " --cap-drop ALL --die-with-parent --chdir / -- /true"
    if column in "ab":
        return words.split()
    if column == "c":
        return ["sh", "-c", limits(words)]
    return ["sh", "-c", network("benchbwrap", limits(f"nsenter --net=/run/netns/benchbwrap {words}"))]


def oci(tool: str, column: str, root: Path) -> list[str]:
    """crun and runc: the bundle that `spec` writes, with this column's namespaces and limits in it."""
    bundle = root.parent / f"{tool}-{column}"
    bundle.mkdir()
    subprocess.run([tool, "spec"], cwd=bundle, check=True)
    config = json.loads((bundle / "config.json").read_text(encoding="utf-8"))
    config["process"] |= {"terminal": False, "args": ["/true"]}
    config["root"] = {"path": str(root), "readonly": False}
    config["mounts"] = [
        mount for mount in config["mounts"] if mount["destination"] in ("/proc", "/dev", "/dev/pts", "/dev/shm")
    ]
    namespaces: list[dict[str, str]] = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "cgroup")]
    if column != "a":
        namespaces.append({"type": "network"} | ({"path": f"/run/netns/bench{tool}"} if column == "d" else {}))
    config["linux"] |= {"namespaces": namespaces, "cgroupsPath": f"/containbench-{tool}", "resources": {}}
    if column in "cd":
        resources = {"memory": {"limit": MEMORY, "swap": MEMORY}, "cpu": {"cpus": CORES, "mems": "0"}, "pids": {"limit": TASKS}}
        config["linux"]["resources"] = resources
    (bundle / "config.json").write_text(json.dumps(config), encoding="utf-8")
    words = f"{tool} --root {root.parent}/state run --bundle {bundle} bench{tool}"
    return ["sh", "-c", network(f"bench{tool}", words)] if column == "d" else words.split()


def commands(root: Path, columns: str) -> dict[str, dict[str, list[str]]]:
    """By column and tool, what is to be run."""
    found: dict[str, dict[str, list[str]]] = {}
    for column in columns:
        found[column] = {"contain": contain(column, root)}
        found[column] |= {tool: oci(tool, column, root) for tool in ("crun", "runc") if shutil.which(tool)}
        if shutil.which("bwrap"):
            found[column]["bwrap"] = bubblewrap(column, root)
    return found

"""The demo's network: a namespace of this process's own with a bridge in it, and how to make the same by hand."""

import os
import shlex
import shutil

from contain import linux, netlink
from contain.commands.demo_shell import own_command
from contain.errors import ContainError

BRIDGE, BRIDGE_ADDRESS = "br0", "192.168.2.1"


def make_bridge() -> None:
    """Leave the host's network for a new namespace, which goes when this process does, and make the bridge there."""
    try:
        linux.unshare(linux.CLONE_NEWNET)
    except OSError as error:
        raise ContainError("unshare --net", os.strerror(error.errno or 0), "is this root without CAP_SYS_ADMIN?") from None
    socket = netlink.Socket()
    name = netlink.attribute(netlink.IFLA_IFNAME, BRIDGE.encode() + b"\0")
    kind = netlink.attribute(netlink.IFLA_LINKINFO, netlink.attribute(netlink.IFLA_INFO_KIND, b"bridge"))
    up = netlink.ifinfomsg(0, netlink.IFF_UP, netlink.IFF_UP)
    new = netlink.NLM_F_CREATE | netlink.NLM_F_EXCL
    raw = linux.inet_pton(linux.AF_INET, BRIDGE_ADDRESS.encode())
    assert raw
    try:
        socket.request(netlink.RTM_NEWLINK, new, up + name + kind)
        answer = socket.request(netlink.RTM_GETLINK, 0, netlink.ifinfomsg() + name)[0][1]
        index = int.from_bytes(answer[4:8], "little")
        socket.request(netlink.RTM_NEWADDR, new, netlink.interface_address(index, linux.AF_INET, raw, 24))
    except OSError as error:
        deed = f"ip link add {BRIDGE} type bridge"
        raise ContainError(deed, os.strerror(error.errno or 0), "does this kernel have the module bridge?") from None
    finally:
        socket.close()


def by_hand(folder: str, starts: dict[str, str]) -> str:
    """The commands that do the same by hand, to be pasted into a root shell; `starts` has each program's options."""
    words = own_command()
    contain = shlex.quote(words[-1]) if os.access(words[-1], os.X_OK) else shlex.join(words)
    quoted = shlex.quote(folder)
    if shutil.which("ip"):
        namespace, ip = "/run/netns/contain-demo", "ip"
        make, remove = "ip netns add contain-demo", "ip netns del contain-demo"
        note = "\n(nsenter, because `ip netns exec` hides /sys/fs/cgroup.)"
    else:
        namespace, ip = f"{quoted}/netns", f"{quoted}/alpha/bin/busybox ip"
        make, remove, note = f"touch {namespace}; unshare --net={namespace} true", f"umount {namespace}", ""
    within = f"nsenter --net={namespace}"
    lines = [
        f"\nThe roots are kept in {folder}. As root, the same by hand:",
        f"  {make}",
        f"  {within} {ip} link add {BRIDGE} type bridge",
        f"  {within} {ip} addr add {BRIDGE_ADDRESS}/24 dev {BRIDGE}",
        f"  {within} {ip} link set {BRIDGE} up",
    ]
    for name, start in starts.items():
        lines += [f"{name}, in a terminal of its own:", f"  cd {quoted}", f"  {within} {contain} {start} -- sh"]
    lines += ["at the end:", f"  {remove}; rm -r {quoted}"]
    return "\n".join(lines) + note

"""A whole Debian as the root: what people run in one works under the defaults, with no option but the root's."""

import re
from collections.abc import Callable

import pytest

from tests.integration.harness import images
from tests.integration.harness.bridge import Bridge
from tests.integration.harness.host import Host
from tests.integration.harness.link import PYTHON

VERSIONS = {
    "apt-get --version": r"^apt 2\.",
    "dpkg --version": "^Debian 'dpkg' package management program",
    "bash --version": r"^GNU bash, version 5\.",
    "python3 --version": r"^Python 3\.",
    "ping -V": "^ping from iputils",
    "ip -V": "^ip utility, iproute2",
}

BASHISMS = """
diff <(echo 1) <(echo 1) && echo substituted
cat <<< here
coproc cat; echo coprocess >& ${COPROC[1]}; read -u ${COPROC[0]} word; echo $word
declare -A table=([key]=value); echo ${table[key]}
echo word > /dev/tcp/127.0.0.1/9 || echo refused
"""

# What each of them needs: /dev/shm and semaphores, /tmp, fork and exec, a resolver, threads, shared libraries.
LIBRARIES = """
import asyncio, ctypes, multiprocessing, os, socket, sqlite3, ssl, subprocess, tempfile
with multiprocessing.Pool(2) as pool:
    print(pool.map(abs, [-1, -2]))
with tempfile.NamedTemporaryFile() as file:
    print(os.path.dirname(file.name))
print(subprocess.run(["id", "-un"], stdout=subprocess.PIPE, text=True).stdout.strip())
print(sqlite3.connect(":memory:").execute("select 2").fetchone()[0])
print(asyncio.run(asyncio.to_thread(ctypes.CDLL(None).getpid)) == os.getpid())
print(socket.getaddrinfo("127.0.0.1", 80)[0][4][0], ssl.create_default_context().verify_mode.name, len(os.urandom(8)))
"""

PACKAGE = """
set -e
mkdir -p /tmp/small/DEBIAN /tmp/small/usr/share/small
printf 'Package: small\\nVersion: 1\\nArchitecture: all\\nMaintainer: nobody <nobody@localhost>\\nDescription: a file\\n' \
    > /tmp/small/DEBIAN/control
printf '#!/bin/sh\\nchown nobody:nogroup /usr/share/small/file\\n' > /tmp/small/DEBIAN/postinst
chmod 755 /tmp/small/DEBIAN/postinst
echo content > /tmp/small/usr/share/small/file
dpkg-deb --build /tmp/small /tmp/small.deb
apt-get install --yes /tmp/small.deb
stat -c '%U %G %s' /usr/share/small/file
apt-get purge --yes small
[ ! -e /usr/share/small ] && dpkg --audit && echo purged
"""

# struct vfs_cap_data, linux/capability.h: revision 2, effective; permitted is CAP_NET_RAW, bit 13, as Debian's package sets it
NET_RAW = "01000002" + "00200000" + "00" * 12


@pytest.fixture(scope="session")
def debian(host: Host) -> str:
    """A Debian that no test may change."""
    path = images.debian(host)
    if path is None:
        pytest.skip(f"{host} lacks /srv/rootfs/debian, and here nobody has run vagrant/box/build debian")
    return path


@pytest.fixture
def own_debian(host: Host, debian: str, mounted: Callable[..., str]) -> str:
    """A Debian that the test may change, and whose ping has the file capability that an installed one has."""
    layers = mounted("tmpfs")
    host.run("mkdir", f"{layers}/upper", f"{layers}/work")
    root = mounted("overlay", f"lowerdir={debian},upperdir={layers}/upper,workdir={layers}/work")
    script = "import os, sys; os.setxattr(sys.argv[1], 'security.capability', bytes.fromhex(sys.argv[2]))"
    host.run(PYTHON, "-IS", "-c", script, f"{root}/usr/bin/ping", NET_RAW)
    return root


def test_its_programs_run(host: Host, debian: str) -> None:
    script = "; ".join(f"{command} 2>&1 | head -n 1" for command in VERSIONS)
    ran = host.contained("--chroot", debian, "--", "sh", "-c", script).succeeded()
    for line, pattern in zip(ran.lines, VERSIONS.values(), strict=True):
        assert re.search(pattern, line)
    assert ran.errors == ""


def test_apt_finds_its_packages_in_order(host: Host, debian: str) -> None:
    script = "apt-get check && apt-get --simulate install bash"
    ran = host.contained("--chroot", debian, "--read-only", "--tmpfs", "/var/cache/apt", "--", "sh", "-c", script, within=60)
    assert "bash is already the newest version" in ran.succeeded().text


def test_bash_has_what_it_needs(host: Host, debian: str) -> None:
    ran = host.contained("--chroot", debian, "--", "bash", "-c", BASHISMS).succeeded()
    assert ran.lines == ["substituted", "here", "coprocess", "value", "refused"]
    assert "Connection refused" in ran.errors


def test_python_has_what_it_needs(host: Host, debian: str) -> None:
    ran = host.contained("--chroot", debian, "--", "python3", "-c", LIBRARIES, within=40).succeeded()
    assert ran.lines == ["[1, 2]", "/tmp", "root", "2", "True", "127.0.0.1 CERT_REQUIRED 8"]
    assert ran.errors == ""


@pytest.mark.parametrize("user", ["0", "1000"])
def test_its_ping_reaches_a_neighbour(host: Host, debian: str, own_debian: str, bridge: Bridge, user: str) -> None:
    """With a file capability, which makes exec fail where it can't be had, and without."""
    network = ("--bridge", bridge.name, "--network-address")
    address = bridge.next()
    host.contain("--chroot", debian, *network, f"{address}/24", "--", "sh", "-c", "echo on; cat").wait_for("on")
    for root in (debian, own_debian):
        words = ("--chroot", root, "--user", user, *network, f"{bridge.next()}/24", "--", "ping", "-c", "1", "-w", "5", address)
        assert "1 received" in host.contained(*words).succeeded().text


def test_its_ping_reaches_itself_without_a_network(host: Host, own_debian: str) -> None:
    ran = host.contained("--chroot", own_debian, "--", "ping", "-c", "1", "-w", "5", "127.0.0.1")
    assert "1 received" in ran.succeeded().text


def test_a_package_is_installed_and_purged(host: Host, own_debian: str) -> None:
    """Files of other owners, and a script of the package's own."""
    ran = host.contained("--chroot", own_debian, "--", "sh", "-c", PACKAGE, within=60).succeeded()
    assert "nobody nogroup 8" in ran.lines
    assert ran.lines[-1] == "purged"

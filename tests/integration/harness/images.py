"""Roots: what a contained program finds around it in the tests. Most are small, of busybox alone."""

import subprocess
from pathlib import Path

from .guest import FOLDER
from .host import Host

BUILD = FOLDER / "box" / "build"

APPLETS = """
awk base64 basename cat chmod chown chroot cksum cp cut date dd df dmesg echo env expr false find fold grep
head hostname id ifconfig ip kill killall ln ls md5sum mkdir mknod mount mv nc netstat nproc od ping
ping6 printf ps pwd readlink realpath renice rm rmdir route sed seq setsid sh sha256sum sleep sort stat stty
su sync tail taskset tee test timeout touch tr true tty umask umount uname uniq unshare usleep wc wget which
whoami xargs yes
""".split()  # noqa: SIM905 - ninety quoted words are hard to read


def busybox(host: Host) -> str:
    """The host's static busybox, without which nothing can be asked from inside."""
    found = host.finish("sh", "-c", "command -v busybox || ls /srv/rootfs/busybox/bin/busybox")
    assert found.status == 0, f"{host} has no busybox: install busybox-static"
    static = host.shell('ldd "$1" 2>&1 || true', found.line)
    assert "=>" not in static.text, f"{host} has a dynamic busybox: install busybox-static"
    return found.line


def make(host: Host, path: str, source: str) -> str:
    """A root at `path` from the busybox at `source`."""
    script = """
        mkdir -p "$1/bin" "$1/dev" "$1/etc" "$1/proc" "$1/root" "$1/tmp"
        chmod 755 "$1" && chmod 1777 "$1/tmp"
        cp "$2" "$1/bin/busybox"
        printf 'root:x:0:0::/root:/bin/sh\\nnobody:x:65534:65534::/:/bin/sh\\n' > "$1/etc/passwd"
        printf 'root:x:0:\\nnogroup:x:65534:\\n' > "$1/etc/group"
        echo contained > "$1/etc/image"
        cd "$1/bin"; shift 2
        exec /usr/bin/python3 -IS -c 'import os, sys; [os.symlink("busybox", name) for name in sys.argv[1:]]' "$@"
    """
    host.shell(script, path, source, "[", *APPLETS)
    return path


def host_tree(host: Host, path: str) -> None:
    """A root at `path` in which the host's own programs run, once its /usr is bound: Python inside without an image."""
    host.shell('mkdir -p "$1/usr" "$1/etc" "$1/proc" "$1/dev" "$1/tmp"; cp /etc/ld.so.cache "$1/etc"', path)
    host.shell('for d in bin sbin lib lib64; do [ ! -e /$d ] || ln -s usr/$d "$1/$d"; done', path)


def debian(host: Host) -> str | None:
    """A Debian on the host: the one that the playbook puts there, or on this machine the box's, unpacked; None without."""
    provided = "/srv/rootfs/debian"
    if host.finish("test", "-x", f"{provided}/usr/bin/apt-get").status == 0:
        return provided
    told = subprocess.run([BUILD, "--path", "debian"], stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
    archive = Path(told.strip())
    if host.name != "local" or not archive.exists():
        return None
    path = f"{host.folder}/debian"
    host.run("mkdir", path)
    host.run("tar", "-xzf", str(archive), "-C", path, within=120)
    return path

"""--chroot: the program sees the root it was given, with a /proc and /dev of its own, nothing of the host's tree."""

from collections.abc import Callable

import pytest

from tests.integration.harness import images
from tests.integration.harness.host import Host
from tests.integration.harness.running import Shell

FORMS = ["--chroot R", "-chroot R", "--chroot=R", "-chroot=R", "chroot R"]


@pytest.mark.parametrize("form", FORMS)
def test_every_spelling_names_the_same_root(host: Host, rootfs: str, form: str) -> None:
    words = [word.replace("R", rootfs) for word in form.split()]
    assert host.contained(*words, "--", "cat", "/etc/image").succeeded().line == "contained"


def test_the_first_word_that_is_no_option_is_the_program(host: Host, rootfs: str) -> None:
    assert host.contained("--chroot", rootfs, "echo", "-n", "--chroot").succeeded().text == "--chroot"


def test_the_hosts_tree_is_out_of_sight(host: Host, shell: Shell) -> None:
    secret = f"{host.folder}/secret"
    host.put(secret, "host only")
    inside = shell()
    assert set(inside.succeed("ls /").split()) == {"bin", "dev", "etc", "proc", "root", "tmp"}
    inside.fail(f"cat {secret}")
    inside.fail(f"cat ../../../../../..{secret}")
    inside.fail(f"cat /proc/1/root{secret}")
    inside.fail(f"cat /proc/self/root/..{secret}")


def test_every_file_of_the_root_is_seen_as_it_is(host: Host, own_rootfs: str) -> None:
    """Its number, type, rights, owner, links, size and time, and nothing besides: what isn't in the root isn't there."""
    host.shell(
        """
        cd "$1"; echo odd > 'root/a name'; chown 1234:2345 'root/a name'; chmod 4711 'root/a name'
        ln 'root/a name' root/twin; ln -s /nowhere root/dangling; mkfifo root/fifo; mkdir -m 1730 root/folder
        """,
        own_rootfs,
    )
    look = "find . -xdev ! -path './proc/*' ! -path './dev/*' ! -path . -exec stat -c '%n %i %f %u %g %h %s %Y' {} + | sort"
    outside = host.shell(f'cd "$1" && {look} | grep -Ev "^./(proc|dev) "', own_rootfs).lines
    inside = host.contained("--chroot", own_rootfs, "--", "sh", "-c", f'{look} | grep -Ev "^./(proc|dev) "').succeeded().lines
    assert inside == outside
    assert any(line.startswith("./root/a name ") for line in inside)


def test_the_old_root_is_no_mount_inside(host: Host, shell: Shell) -> None:
    mounts = [line.split() for line in shell().succeed("cat /proc/self/mountinfo").splitlines()]
    points = {line[4] for line in mounts}
    assert "/" in points
    assert "/proc" in points
    assert "/dev" in points
    assert not [point for point in points if not (point == "/" or point.startswith(("/proc", "/dev")))]
    assert host.folder not in " ".join(points)


def test_mounts_do_not_reach_the_host(host: Host, rootfs: str, shell: Shell) -> None:
    before = host.run("cat", "/proc/self/mountinfo").lines
    inside = shell("--tmpfs", "/tmp")
    inside.succeed("touch /tmp/here")
    assert host.run("cat", "/proc/self/mountinfo").lines == before
    assert host.run("ls", "-A", f"{rootfs}/tmp").text == ""


def test_files_written_inside_stand_in_the_root(host: Host, own_rootfs: str) -> None:
    host.contained("--chroot", own_rootfs, "--", "sh", "-c", "echo written > /root/file").succeeded()
    assert host.run("cat", f"{own_rootfs}/root/file").line == "written"


def test_read_only_root_takes_no_write_but_tmpfs_does(host: Host, own_rootfs: str) -> None:
    script = "! touch /root/file 2>/dev/null && touch /tmp/file /dev/shm/file && echo sealed"
    words = ("--chroot", own_rootfs, "--read-only", "--tmpfs", "/tmp")
    assert host.contained(*words, "--", "sh", "-c", script).succeeded().line == "sealed"
    assert host.run("find", own_rootfs, "-name", "file").text == ""


def test_bind_shows_a_folder_and_ro_seals_it(host: Host, own_rootfs: str) -> None:
    source = host.new("shared")
    host.shell('mkdir "$1" && echo given > "$1/word"', source)
    script = "cat /in/word; echo more > /in/new && echo wrote || echo refused"
    ran = host.contained("--chroot", own_rootfs, "--bind", f"{source}:/in", "--", "sh", "-c", script)
    assert ran.succeeded().lines == ["given", "wrote"]
    assert host.run("cat", f"{source}/new").line == "more"
    host.run("rm", f"{source}/new")
    ran = host.contained("--chroot", own_rootfs, "--bind", f"{source}:/in:ro", "--", "sh", "-c", script)
    assert ran.succeeded().lines == ["given", "refused"]
    assert host.run("ls", source).lines == ["word"]


def test_workdir_hostname_and_environment_are_as_told(host: Host, rootfs: str) -> None:
    words = ("--chroot", rootfs, "--workdir", "/etc", "--hostname", "box", "--env", "A=1", "--env", "B=")
    ran = host.contained(*words, "--", "sh", "-c", "pwd; hostname; echo $A-${B-unset}-${HOME-unset}")
    assert ran.succeeded().lines == ["/etc", "box", "1--unset"]


def test_hostname_of_the_host_stays(host: Host, rootfs: str) -> None:
    before = host.run("uname", "-n").line
    host.contained("--chroot", rootfs, "--hostname", "elsewhere", "--", "true").succeeded()
    assert host.run("uname", "-n").line == before


@pytest.mark.parametrize("user", ["1234:2345", "1234"])
def test_user_is_the_one_named(host: Host, rootfs: str, user: str) -> None:
    script = "grep -E '^(Uid|Gid|Groups)' /proc/self/status"
    ran = host.contained("--chroot", rootfs, "--user", user, "--", "sh", "-c", script).succeeded()
    uid, gid, groups = (line.split()[1:] for line in ran.lines)
    assert set(uid) == {"1234"}
    assert set(gid) == {"2345"} if ":" in user else len(set(gid)) == 1
    assert set(groups) <= set(gid)


def test_root_of_the_host_can_be_the_root(host: Host) -> None:
    """For limiting a program that needs no root of its own."""
    ran = host.contained("--chroot", "/", "--", "sh", "-c", "echo $$; uname -n").succeeded()
    assert ran.lines[0] == "2"


@pytest.mark.parametrize("kind", ["tmpfs", "overlay"])
def test_the_root_may_lie_on_any_file_system(
    host: Host, rootfs: str, busybox: str, mounted: Callable[..., str], kind: str
) -> None:
    layers = mounted("tmpfs")
    if kind == "overlay":
        host.run("mkdir", f"{layers}/upper", f"{layers}/work")
        root = mounted("overlay", f"lowerdir={rootfs},upperdir={layers}/upper,workdir={layers}/work")
    else:
        root = images.make(host, f"{layers}/root", busybox)
    ran = host.contained("--chroot", root, "--", "sh", "-c", "echo x > /root/new; cat /etc/image /root/new")
    assert ran.succeeded().lines == ["contained", "x"]

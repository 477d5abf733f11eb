"""What kind of machine a host is, asked once of the host itself."""

from typing import Any

from .phases import fact, record

# One line each: name, tabulator, value. A name without a value is left out.
SCRIPT = r"""
say() { printf '%s\t%s\n' "$1" "$2"; }
say system "$(. /etc/os-release && echo "$PRETTY_NAME")"
say kernel "$(uname -r)"
say Python "$(/usr/bin/python3 -V | cut -d' ' -f2)"
if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then say cgroup v2
elif grep -q ' /sys/fs/cgroup/[^ ]* cgroup2 ' /proc/self/mounts; then say cgroup 'v1 and v2'
else say cgroup v1; fi
say contain "$("$1" --version 2>&1 | head -n 1 | sed 's/^contain //')"
say cores "$(nproc --all)"
say memory "$(awk '/^MemTotal/ {printf "%.1f GiB", $2 / 1048576}' /proc/meminfo)"
case "$(systemd-detect-virt 2>/dev/null)" in
qemu) say accelerator 'TCG (emulation)' ;;
kvm) say accelerator KVM ;;
none) say machine 'not virtual' ;;
*) say machine "$(systemd-detect-virt 2>/dev/null)" ;;
esac
"""


def ask(host: Any) -> None:
    """Record the facts of a host, which has `name`, `contain_path` and `shell`; a failure becomes a fact and no error."""
    try:
        lines = host.shell(SCRIPT, host.contain_path).lines
    except Exception as error:  # a host out of reach fails its tests: the report need not fail as well
        fact(host.name, "facts", f"not to be had: {next(iter(str(error).split(chr(10))), '')}")
        return
    told = record.facts.get(host.name, {})
    for line in lines:
        name, _, value = line.partition("\t")
        if value and name not in told:  # who booted the host knows better
            fact(host.name, name, value)

"""The grammars of the options: bytes as typed in, checked values out. Pure: nothing here looks at the machine.

The kernel's own parsers are no help: cgroup v1 takes `0x100000`, ` 1M`, `all` or nothing at all for a limit. Every function
raises ValueError with the reason in words; the option it belongs to is put in front by the caller.
"""

from contain.linux import AF_INET, AF_INET6, inet_ntop, inet_pton

PAGE = 4096
UNITS = {
    b"": 1, b"b": 1,
    b"k": 1 << 10, b"m": 1 << 20, b"g": 1 << 30, b"t": 1 << 40,
    b"kib": 1 << 10, b"mib": 1 << 20, b"gib": 1 << 30, b"tib": 1 << 40,
    b"kb": 10**3, b"mb": 10**6, b"gb": 10**9, b"tb": 10**12,
}  # fmt: skip
_LARGEST_LIMIT = (1 << 63) - 1 - PAGE  # v1 stores what is above it as "no limit"
_LARGEST_CPU = 8191  # NR_CPUS of the largest kernels; also keeps `0-999999999` from being spelled out


def decimal(raw: bytes) -> int:
    """ASCII digits only: int() also takes blanks, signs, underscores and the digits of other scripts."""
    if not raw or not all(48 <= c <= 57 for c in raw) or len(raw) > 40:
        raise ValueError
    return int(raw)


def size(raw: bytes) -> int:
    """A memory limit in bytes: `64MB` is 64 · 1000², `64MiB` and `64m` are 64 · 1024²."""
    if not raw:
        raise ValueError("the memory limit is empty")
    digits = raw.rstrip(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    unit = UNITS.get(raw[len(digits) :].lower())
    try:
        number = decimal(digits)
    except ValueError:
        unit = None
    if unit is None:
        raise ValueError("a memory limit is a whole number with k, m, g, kB, MB, GB, KiB, MiB or GiB behind it")
    value = number * unit
    if value == 0:
        raise ValueError("the memory limit must be greater than 0")
    if value < PAGE:
        raise ValueError(f"the memory limit is below the minimum, {PAGE} bytes")
    if value > _LARGEST_LIMIT:
        raise ValueError("the memory limit is too large")
    return value


def size_text(value: int) -> str:
    """`value` bytes for people: in the largest unit that leaves it whole, else in MiB with one decimal."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (10**9, "GB"), (10**6, "MB"), (1 << 10, "KiB")):
        if value >= unit and value % unit == 0:
            return f"{value // unit} {name}"
    return f"{value / (1 << 20):.1f} MiB" if value >= 1 << 20 else f"{value} bytes"


def cpus(raw: bytes) -> "tuple[int, ...]":
    """A list of cores as the kernel prints it, `1,3`, `0-7`, `3,5-7`: ascending, each once."""
    if not raw:
        raise ValueError("the list of cpus is empty")
    found: set[int] = set()
    for part in raw.split(b","):
        first, dash, last = part.partition(b"-")
        try:
            low = decimal(first)
            high = decimal(last) if dash else low
        except ValueError:
            raise ValueError("a list of cpus is numbers and ranges with commas between, such as 1,3 or 0-7") from None
        if high < low:
            raise ValueError(f"the cpu range {low}-{high} runs backwards")
        if high > _LARGEST_CPU:
            raise ValueError(f"cpu {high} is not available: no Linux has more than {_LARGEST_CPU + 1}")
        found.update(range(low, high + 1))
    return tuple(sorted(found))


def cpus_text(numbers: "tuple[int, ...] | list[int]") -> str:
    """Cores as the kernel prints them: `0-3,5`."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join([f"{a}-{b}" if a != b else str(a) for a, b in parts])


class Address:
    """An interface address: `family` AF_INET or AF_INET6, `raw` in network order, `prefix` length in bits."""

    def __init__(self, family: int, raw: bytes, prefix: int) -> None:
        self.family, self.raw, self.prefix = family, raw, prefix
        self.bits = 8 * len(raw)
        self.number = int.from_bytes(raw, "big")

    def __str__(self) -> str:
        return f"{self.words}/{self.prefix}"

    @property
    def words(self) -> str:
        """The address alone, in its usual spelling."""
        return inet_ntop(self.family, self.raw).decode("ascii")

    @property
    def host_mask(self) -> int:
        """The bits of the address that tell hosts of the subnet apart."""
        return (1 << (self.bits - self.prefix)) - 1

    def same_subnet(self, other: "Address") -> bool:
        """Whether `other` lies in the subnet of this address."""
        return self.family == other.family and (self.number | self.host_mask) == (other.number | self.host_mask)


def address(raw: bytes) -> Address:
    """An address that one interface of a host may have, with its prefix length: `192.168.2.17/24`, `fd00::17/64`."""
    words, slash, prefix_words = raw.partition(b"/")
    family = AF_INET6 if b":" in words else AF_INET
    packed = inet_pton(family, words) if words.isascii() and b"%" not in words and b"\0" not in words else None
    if packed is None:
        raise ValueError("this is no IPv4 or IPv6 address with its prefix length, such as 192.168.2.17/24")
    if not slash:
        raise ValueError(f"the prefix length is missing, as in {words.decode()}/{24 if family == AF_INET else 64}")
    longest = 8 * len(packed)
    try:
        prefix = decimal(prefix_words)
    except ValueError:
        prefix = -1
    if not 1 <= prefix <= longest or prefix_words.startswith(b"0"):
        raise ValueError(f"the prefix length must be a number from 1 to {longest}")
    found = Address(family, packed, prefix)
    reason = _unfit4(found) if family == AF_INET else _unfit6(found)
    if reason:
        raise ValueError(f"{found.words} is {reason}, not the address of a host")
    return found


def _host_part_unfit(a: Address) -> str:
    if a.bits - a.prefix < 2:  # RFC 3021: a /31 has neither a network nor a broadcast address
        return ""
    if a.number & a.host_mask == 0:
        return f"the network address of {a}"
    if a.family == AF_INET and a.number & a.host_mask == a.host_mask:
        return f"the broadcast address of {a}"
    return ""


def _unfit4(a: Address) -> str:
    first = a.raw[0]
    if first == 127:
        return "a loopback address"
    if first == 0:
        return "an unspecified address"
    if 224 <= first <= 239:
        return "a multicast address"
    if first >= 240:
        return "a broadcast address" if a.raw == b"\xff" * 4 else "a reserved address"
    if a.raw[:2] == b"\xa9\xfe":
        return "a link-local address"
    return _host_part_unfit(a)


def _unfit6(a: Address) -> str:
    if a.number == 0:
        return "the unspecified address"
    if a.number == 1:
        return "the loopback address"
    if a.number >> 32 in (0, 0xFFFF):
        return "an IPv4-mapped address"
    if a.raw[0] == 0xFF:
        return "a multicast address"
    if a.raw[0] == 0xFE and a.raw[1] & 0xC0 == 0x80:
        return "a link-local address"
    return _host_part_unfit(a)


def interface_name(raw: bytes) -> bytes:
    """A network interface's name; the kernel expands a `%d` in it, and 15 bytes is its room (IFNAMSIZ)."""
    if len(raw) > 15 and not any(c <= 32 or c == 127 or c in b"/:%" for c in raw):
        raise ValueError("names of interfaces have at most 15 letters; an alternative name's interface: ip link show NAME")
    if not 1 <= len(raw) <= 15 or raw in (b".", b"..") or any(c <= 32 or c == 127 or c in b"/:%" for c in raw):
        raise ValueError("this is no name of a network interface (1 to 15 letters, no blank, no /, : or %)")
    return raw


def user(raw: bytes) -> "tuple[int, int]":
    """`UID[:GID]` as numbers; the group id is the user id where none is given."""
    uid_words, colon, gid_words = raw.partition(b":")
    try:
        uid = decimal(uid_words)
        gid = decimal(gid_words) if colon else uid
    except ValueError:
        raise ValueError("a user is a number, or two with a colon between, such as 1000:1000") from None
    if uid > 0xFFFFFFFE or gid > 0xFFFFFFFE:
        raise ValueError("ids go up to 4294967294")
    return uid, gid


def count(raw: bytes, largest: int, what: str) -> int:
    """A whole number from 1 to `largest`."""
    try:
        value = decimal(raw)
    except ValueError:
        value = -1
    if not 1 <= value <= largest:
        raise ValueError(f"{what} is a whole number from 1 to {largest}")
    return value


def hostname(raw: bytes) -> bytes:
    """A host name as sethostname(2) takes it, of the letters RFC 1123 allows."""
    if not 1 <= len(raw) <= 64 or not all(c in b"-._" or chr(c).isalnum() for c in raw if c < 128) or not raw.isascii():
        raise ValueError("a host name is 1 to 64 letters, digits, dots and dashes")
    return raw


def inside_path(raw: bytes) -> bytes:
    """A path inside the root: absolute, with no `..`, returned without doubled or trailing slashes."""
    parts = [part for part in raw.split(b"/") if part not in (b"", b".")]
    if not raw.startswith(b"/") or b".." in parts:
        raise ValueError("a path inside the root begins with / and has no .. in it")
    return b"/" + b"/".join(parts)


def variable(raw: bytes) -> bytes:
    """`NAME=VALUE`, or `NAME` alone."""
    if not raw.partition(b"=")[0]:
        raise ValueError("a variable is NAME=VALUE, or NAME to pass the caller's on")
    return raw


def bind(raw: bytes) -> "tuple[bytes, bytes, bool]":
    """`SRC:DST[:ro|:rw]` as source on the host, destination inside the root, read-only."""
    read_only = raw.endswith(b":ro")
    source, colon, destination = (raw[:-3] if read_only or raw.endswith(b":rw") else raw).rpartition(b":")
    if not colon or not source:
        raise ValueError("a bind is SRC:DST, SRC:DST:ro or SRC:DST:rw")
    inside = inside_path(destination)
    if inside == b"/":
        raise ValueError("the root itself is named by --chroot, not by a bind")
    return source, inside, read_only

"""Small x86-64 programs, made byte by byte; elf(5). They need no other file of a root, unless they name one."""

DYNAMIC = 64 + 3 * 56  # where the dynamic section lies in what `dynamic` makes
STRINGS = DYNAMIC + 3 * 16
BASE = 0x400000

# Where the numbers lie that anybody may choose: offset and width in bytes.
FIELDS = {
    "e_phoff": (32, 8), "e_phentsize": (54, 2), "e_phnum": (56, 2),
    "PT_INTERP p_offset": (64 + 8, 8), "PT_INTERP p_filesz": (64 + 32, 8),
    "PT_LOAD p_offset": (120 + 8, 8), "PT_LOAD p_vaddr": (120 + 16, 8), "PT_LOAD p_filesz": (120 + 32, 8),
    "PT_DYNAMIC p_offset": (176 + 8, 8), "PT_DYNAMIC p_filesz": (176 + 32, 8),
    "DT_NEEDED": (DYNAMIC + 8, 8), "DT_STRTAB": (DYNAMIC + 16 + 8, 8),
}  # fmt: skip
NONSENSE = (0, 1, 2**31, 2**40, 2**63 - 1, 2**63, 2**64 - 1)


def number(value: int, width: int = 8) -> bytes:
    return (value % (1 << 8 * width)).to_bytes(width, "little")


def header(segments: int, entry: int) -> bytes:
    sizes = b"".join(number(size, 2) for size in (64, 56, segments, 0, 0, 0))
    kind = number(2, 2) + number(62, 2) + number(1, 4)
    return b"\x7fELF\2\1\1" + b"\0" * 9 + kind + number(entry) + number(64) + number(0) + number(0, 4) + sizes


def segment(kind: int, offset: int, base: int, size: int) -> bytes:
    flags = number(7, 4)  # writable: Linux before 6.7 clears the rest of a loader's last page, and kills where it can't
    return (
        number(kind, 4) + flags + number(offset) + number(base + offset) * 2 + number(size) * 2 + number(8 if offset else 4096)
    )


def says(words: str, base: int = BASE) -> bytes:
    """A static program that prints the words and ends with 0. As a loader it needs a base of its own."""
    said = words.encode() + b"\n"
    start = 64 + 56
    code = b"\xb8\1\0\0\0\xbf\1\0\0\0\x48\x8d\x35" + number(16, 4) + b"\xba" + number(len(said), 4)  # write(1, said, length)
    code += b"\x0f\x05\xb8\xe7\0\0\0\x31\xff\x0f\x05" + said  # exit_group(0)
    return header(1, base + start) + segment(1, 0, base, start + len(code)) + code


def dynamic(loader: str, library: str = "") -> bytes:
    """A program that is started by `loader` and needs `library`; alone it would do nothing."""
    strings = library.encode() + b"\0" + loader.encode() + b"\0"
    at = STRINGS + len(library) + 1
    table = number(1) + number(0) + number(5) + number(BASE + STRINGS) + number(0) * 2  # DT_NEEDED, DT_STRTAB, DT_NULL
    size = STRINGS + len(strings)
    segments = segment(3, at, BASE, len(loader) + 1) + segment(1, 0, BASE, size) + segment(2, DYNAMIC, BASE, len(table))
    return header(3, BASE + size) + segments + table + strings


def crafted(field: str, value: int, raw: bytes) -> bytes:
    """`raw`, made by `dynamic`, with another number in a field."""
    at, width = FIELDS[field]
    return raw[:at] + number(value, width) + raw[at + width :]

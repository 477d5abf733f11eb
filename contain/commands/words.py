"""The subcommands in words, for the manual page and for completion; the options are in options.TABLE."""

COMMANDS = (
    ("chroot", "DIR [OPTION ...] [--] PROGRAM [ARGUMENT ...]", "the same as --chroot DIR"),
    (
        "explain",
        "OPTION ... [--] PROGRAM [ARGUMENT ...]",
        "print what would be done, step by step, and do nothing; needs no root",
    ),
    (
        "demo",
        "[--keep]",
        "two contained programs ping each other, and each limit is seen; --keep leaves their roots",
    ),
    ("gc", "", "remove the cgroups of killed launchers, wherever they are"),
    ("man", "", "print the manual page: contain man | man -l -"),
    ("completion", "bash|zsh|fish", "print the completion for a shell"),
    ("version", "", "print the version"),
    ("help", "[COMMAND]", "print how contain, or one command of it, is used"),
)
SHELLS = ("bash", "zsh", "fish")

"""`contain completion bash|zsh|fish`: completion scripts from the table of options.

Each offers commands as the first word, then options, then what the value of an option is made of; what follows the
program is completed as the command it is.
"""

from contain.commands.words import COMMANDS, SHELLS
from contain.errors import ContainError, text
from contain.options import TABLE

FOLDERS = ("chroot", "workdir", "tmpfs")
BRIDGES = "ls -d /sys/class/net/*/bridge 2>/dev/null | cut -d/ -f5"

BASH = """\
# bash completion for contain, printed by `contain completion bash`
_contain() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} i=1
    if ((COMP_CWORD > 1)); then
        case ${{COMP_WORDS[1]}} in
            demo) COMPREPLY=($(compgen -W "--keep" -- "$word")); return ;;
            completion) COMPREPLY=($(compgen -W "{shells}" -- "$word")); return ;;
            help) COMPREPLY=($(compgen -W "{commands}" -- "$word")); return ;;
            gc|man|version) return ;;
            chroot) i=3 ;;
            explain) i=2; [[ ${{COMP_WORDS[2]-}} != chroot ]] || i=4 ;;
        esac
        # the first word that is no option, or the one after --, is the program
        while ((i < COMP_CWORD)); do
            case ${{COMP_WORDS[i]}} in
                --) ((i++)); break ;;
                {valued}) ((i += 2)); [[ ${{COMP_WORDS[i-1]-}} != = ]] || ((i++)) ;;
                -*) ((i++)) ;;
                *) break ;;
            esac
        done
        if ((i < COMP_CWORD)) && declare -F _command_offset >/dev/null; then
            _command_offset "$i"
            return
        fi
    fi
    [[ $before != = ]] || before=${{COMP_WORDS[COMP_CWORD-2]}}
    [[ $word != = ]] || word=
    case $before in
        {folders}|chroot) compopt -o filenames; COMPREPLY=($(compgen -d -- "$word")) ;;
        --bind) compopt -o filenames -o nospace; COMPREPLY=($(compgen -f -- "$word")) ;;
        --bridge) COMPREPLY=($(compgen -W "$({bridges})" -- "$word")) ;;
        --env) COMPREPLY=($(compgen -e -- "$word")) ;;
        {valued}) ;;
        *)
            if ((COMP_CWORD > 1)) && [[ $word == [!-]* ]]; then
                COMPREPLY=($(compgen -c -- "$word"))
                return
            fi
            local offered="{options}"
            ((COMP_CWORD > 1)) || offered+=" {commands}"
            COMPREPLY=($(compgen -W "$offered" -- "$word")) ;;
    esac
}}
complete -F _contain contain
"""

ZSH = """\
#compdef contain
# zsh completion for contain, printed by `contain completion zsh`
_contain() {{
    local -a options commands
    options=(
{options}
    )
    commands=(
{commands}
    )
    if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then
        _describe -t commands command commands
        return
    fi
    case $words[2] in
        demo) _arguments '--keep[leave the roots]'; return ;;
        completion) _values shell {shells}; return ;;
        help) _describe -t commands command commands; return ;;
        gc|man|version) return ;;
        explain) shift words; ((CURRENT--)) ;;
    esac
    [[ $words[2] != chroot ]] || words[2]=--chroot
    _arguments -S $options '(-)1:program:_command_names -e' '*::argument:_normal'
}}
_contain "$@"
"""


def bash() -> str:
    """The script for bash."""
    valued = [f"--{name}" for option in TABLE if option.take for name in (option.name, option.alias) if name]
    return BASH.format(
        shells=" ".join(SHELLS), valued="|".join(valued), folders="|".join(f"--{name}" for name in FOLDERS), bridges=BRIDGES,
        options=" ".join(f"--{option.name}" for option in TABLE), commands=" ".join(name for name, _, _ in COMMANDS),
    )  # fmt: skip


def zsh() -> str:
    """The script for zsh."""
    actions = dict.fromkeys(FOLDERS, "_files -/") | {"bind": "_files", "env": "_parameters -g '*export*'"}
    actions["bridge"] = f'{{compadd -- ${{(f)"$({BRIDGES})"}}}}'
    options = []
    for option in TABLE:
        explained = option.help.replace("[", "\\[").replace("]", "\\]").replace("'", "'\\''").replace(":", "\\:")
        action = actions.get(option.name, " ").replace("'", "'\\''")
        metavar = option.metavar.replace("[", "").replace("]", "").replace(":", " ")
        value = f":{metavar}:{action}" if option.take else ""
        equals, star = ("=" if option.take else ""), ("*" if option.many else "")
        options.append(f"        '{star}--{option.name}{equals}[{explained}]{value}'")
    commands = [f"        '{name}:{explained.replace(chr(39), '').replace(':', ',')}'" for name, _, explained in COMMANDS]
    return ZSH.format(options="\n".join(options), commands="\n".join(commands), shells=" ".join(SHELLS))


def fish() -> str:
    """The script for fish."""
    actions = dict.fromkeys(FOLDERS, "-xa '(__fish_complete_directories)'")
    actions |= {"bind": "-rF", "env": "-xa '(set -xn)'", "bridge": f"-xa {_fish_quote('(' + BRIDGES + ')')}"}
    lines = ["# fish completion for contain, printed by `contain completion fish`", "complete -c contain -f"]
    lines += [f"complete -c contain -n __fish_use_subcommand -a {name} -d {_fish_quote(words)}" for name, _, words in COMMANDS]
    lines.append("complete -c contain -n '__fish_prev_arg_in chroot' -xa '(__fish_complete_directories)'")
    lines.append("complete -c contain -n '__fish_seen_subcommand_from demo' -l keep -d 'leave the roots to try by hand'")
    names = " ".join(name for name, _, _ in COMMANDS)
    lines.append(f"complete -c contain -n '__fish_prev_arg_in help' -xa '{names}'")
    lines.append(f"complete -c contain -n '__fish_prev_arg_in completion' -xa '{' '.join(SHELLS)}'")
    other = "'not __fish_seen_subcommand_from demo gc man completion version help'"
    for option in TABLE:
        value = f" {actions.get(option.name, '-x')}" if option.take else ""
        lines.append(f"complete -c contain -n {other} -l {option.name}{value} -d {_fish_quote(option.help)}")
    return "\n".join(lines) + "\n"


def _fish_quote(words: str) -> str:
    return "'" + words.replace("\\", "\\\\").replace("'", "\\'") + "'"


def main(words: list[bytes]) -> int:
    """Print the script for the shell that is named."""
    makers = {b"bash": bash, b"zsh": zsh, b"fish": fish}
    if len(words) != 1 or words[0] not in makers:
        asked = " ".join([text(word) for word in words])
        raise ContainError(f"contain completion {asked}".rstrip(), "name one shell: bash, zsh or fish")
    print(makers[words[0]](), end="")
    return 0

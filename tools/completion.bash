# shellcheck shell=bash
# Completes what is typed after `make` in this clone: targets, variables, hosts of the inventory, releases. For bash:
#
#     . tools/completion.bash
#
# In any other folder, files are completed.

_classvm_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

_classvm_targets() {
    sed -n 's/^\([a-z0-9-]*\):.*## .*/\1/p' Makefile
}

_classvm_variables() {
    { sed -n 's/^VALIDATED := //p' Makefile && echo ARGS UPGRADE; } | tr ' ' '\n' | sed 's/$/=/'
}

# _classvm_given NAME: the value of a variable that stands in the line already.
_classvm_given() {
    local word
    for word in $COMP_LINE; do
        case $word in "$1="*) echo "${word#*=}" ;; esac
    done | tail -n 1
}

# No question is asked meanwhile: there is no terminal.
_classvm_quietly() {
    setsid --wait "$@" </dev/null 2>/dev/null
}

_classvm_hosts() {
    local inventory
    inventory=$(_classvm_given INVENTORY)
    # shellcheck disable=SC2086 # an option and its value, or nothing
    _classvm_quietly .venv/bin/ansible-inventory ${inventory:+--inventory "$inventory"} --graph |
        sed -n 's/^[ |]*--@*\([^@:]*\):*$/\1/p' | sort -u
}

_classvm_releases() {
    local inventory limit
    inventory=$(_classvm_given INVENTORY)
    limit=$(_classvm_given LIMIT)
    LC_ALL=C.UTF-8 CLASSVM_FORMAT=json _classvm_quietly .venv/bin/ansible-playbook ansible/releases.yml \
        ${inventory:+--inventory "$inventory"} ${limit:+--limit "$limit"} |
        .venv/bin/python -c '
import json, sys
hosts = json.load(sys.stdin)["hosts"].values()
kept = [one["release"] for host in hosts for one in host.get("releases", ()) if one["mark"] == "kept"]
print("\n".join(dict.fromkeys(kept)))' 2>/dev/null
}

# _classvm_values NAME BEGINNING: the values that a variable may have, one a line.
_classvm_values() {
    case $1 in
        APP | FOLDER) compgen -d -- "$2" ;;
        INVENTORY | TABLE | JSON) compgen -f -- "$2" ;;
        LIMIT) _classvm_hosts ;;
        TO) _classvm_releases ;;
        S) for file in molecule/*/molecule.yml; do basename "$(dirname "$file")"; done ;;
        SCOPE) echo quick ;;
        FORMAT) printf '%s\n' text json sarif junit github ;;
        V | ALL | FOLLOW | UPGRADE) echo 1 ;;
    esac
}

# What may stand alone, one a line.
_classvm_words() {
    _classvm_targets
    _classvm_variables
    case " $COMP_LINE" in
        *" maintenance "*) printf '%s\n' on off ;;
        *" explain "*) sed -n 's/^## \(CV[0-9]*\):.*/\1/p' docs/findings.md ;;
    esac
}

_classvm() {
    local word=${COMP_LINE:0:COMP_POINT} current=${COMP_WORDS[COMP_CWORD]} name='' head='' candidate
    COMPREPLY=()
    [ "$PWD" = "$_classvm_root" ] || return 0
    word=${word##*[[:space:]]}
    case $word in *=*) name=${word%%=*} word=${word#*=} ;; esac
    # Of several hosts, the last one is completed.
    case $name,$word in LIMIT,*,*) head=${word%,*}, ;; esac
    # bash replaces only what stands behind the last = or : of the line.
    case $current in = | :) current='' ;; esac
    while IFS= read -r candidate; do
        candidate=$head$candidate
        case $candidate in
            "$word"*) COMPREPLY+=("${candidate:$((${#word} - ${#current}))}") ;;
        esac
    done < <(if [ "$name" ]; then _classvm_values "$name" "$word"; else _classvm_words; fi)
    [ ${#COMPREPLY[@]} = 1 ] || return 0
    # After a variable comes its value, after a folder what is in it.
    candidate=${COMPREPLY[0]}
    case $candidate in *=) compopt -o nospace && return 0 ;; esac
    if [ -d "$candidate" ]; then
        compopt -o filenames
    else
        # What a name holds is no command.
        printf -v "COMPREPLY[0]" %q "$candidate"
    fi
}

complete -o default -F _classvm make

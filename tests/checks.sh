# checks.sh - what the tests of the command line share; to be sourced. Prints "ok NAME" or "FAIL NAME: why".
set -u
build=${BUILD:-build}
tool=$build/stylegan
umask 022 # root tries some as nobody, who reads what is written here
case ${TMPDIR-} in *[[:space:]]*) unset TMPDIR ;; esac # lists of flags are split at spaces
work=$(mktemp -d) || exit 1
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
failed=0
LC_ALL=C
export LC_ALL

ok() {
    echo "ok $1"
}

fail() {
    echo "FAIL $1: $2"
    failed=1
}

# check NAME COMMAND...: the command succeeds.
check() {
    name=$1
    shift
    if "$@" >"$work/stdout" 2>"$work/stderr"; then ok "$name"; else fail "$name" "$(head -n 1 "$work/stderr")"; fi
}

# prints NAME TEXT COMMAND...: succeeds and prints TEXT.
prints() {
    name=$1 text=$2
    shift 2
    "$@" >"$work/stdout" 2>"$work/stderr" || { fail "$name" "$(head -n 1 "$work/stderr")"; return; }
    if cat "$work/stdout" "$work/stderr" | grep -qF -e "$text"; then ok "$name"; else fail "$name" "does not print: $text"; fi
}

# differs NAME COMMAND...: the comparison finds a difference.
differs() {
    name=$1
    shift
    if "$@" >/dev/null 2>&1; then fail "$name" "no difference"; else ok "$name"; fi
}

# files NAME DIR FILE...: the folder holds exactly these files.
files() {
    name=$1 folder=$2
    shift 2
    if [ "$(ls "$folder")" = "$(printf '%s\n' "$@" | sort)" ]; then ok "$name"; else fail "$name" "holds $(ls "$folder" | tr '\n' ' ')"; fi
}

# wait_for PROCESS COMMAND...: until the command succeeds, or the process has ended.
wait_for() {
    waiting_for=$1
    shift
    until "$@" || ! kill -0 "$waiting_for" 2>/dev/null; do sleep 0.1; done
}

# stop_writing NAME PROCESS FOLDER PATTERN: a signal ends the process once a file of that name is in the folder.
is_written() {
    [ -n "$(find "$1" -name "$2")" ]
}
stop_writing() {
    wait_for "$2" is_written "$3" "$4"
    check "$1 comes while a file is written" is_written "$3" "$4"
    kill "$2" 2>/dev/null
    wait "$2" 2>/dev/null
    status=$?
    check "$1 ends it: exit status $status" test $status -eq 143
}

# refuses NAME STATUS TEXT ARGUMENTS...: the tool ends with STATUS, its last line on standard error, of at most $most_lines,
# has TEXT, and it leaves nothing in $left.
left=$work/left
most_lines=1
refuses() {
    name="refuses $1" status=$2 text=$3
    shift 3
    mkdir "$left"
    "$tool" "$@" >/dev/null 2>"$work/stderr"
    got=$?
    if [ $got -ne "$status" ]; then fail "$name" "exit status $got, not $status: $(tail -n 1 "$work/stderr")"
    elif [ "$(wc -l <"$work/stderr")" -gt $most_lines ]; then fail "$name" "$(wc -l <"$work/stderr") lines of message"
    elif ! tail -n 1 "$work/stderr" | grep -qF -e "$text"; then fail "$name" "says: $(tail -n 1 "$work/stderr")"
    elif [ -n "$(ls "$left")" ]; then fail "$name" "leaves $(ls "$left")"
    else ok "$name"; fi
    rm -rf "$left"
}

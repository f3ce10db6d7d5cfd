#!/bin/sh
# warnings.sh [--full] - compiles the header as a program includes it, found in a folder by -I, and lets no warning of
# strict builds pass. --full: at every level of optimisation in every language; else the two corners that differ most.
# Prints ok, FAIL and skipped lines.
cd "$(dirname "$0")/.." || exit 1
warnings='-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wdouble-promotion -Wcast-qual -Werror'

job() { # FOLDER COMPILER STANDARD LEVEL
    language=c
    case $3 in c++*) language=c++ ;; esac
    log=$1/$2-$3$4
    # shellcheck disable=SC2086 # a list of flags
    if $2 -std="$3" "$4" $warnings -I"$1" -x $language -c "$1/app.c" -o /dev/null >"$log" 2>&1; then
        echo "ok warnings $2 $3 $4"
    else
        echo "FAIL warnings $2 $3 $4: $(grep -c 'error:' "$log"), the first: $(grep -m 1 'error:' "$log" | sed "s|^$1/||")"
    fi
}

list() { # COMPILER
    if [ "$full" ]; then
        for standard in c99 c11 c++11 c++20; do
            for level in -O0 -O1 -O2 -O3 -Os; do echo "$1 $standard $level"; done
        done
    else
        echo "$1 c99 -O3"
        echo "$1 c++20 -O0"
    fi
}

if [ "$1" = --job ]; then
    shift
    job "$@"
    exit
fi
full=
[ "$1" = --full ] && full=1
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cp stylegan.h "$folder"
printf '#define STYLEGAN_IMPLEMENTATION\n#include "stylegan.h"\n' >"$folder/app.c"
: >"$folder/jobs"
for compiler in gcc clang; do
    if command -v $compiler >/dev/null; then list $compiler >>"$folder/jobs"; else echo "skipped: warnings: $compiler not installed"; fi
done
xargs -P "$(getconf _NPROCESSORS_ONLN)" -r -L 1 sh tests/warnings.sh --job "$folder" <"$folder/jobs" >"$folder/results"
cat "$folder/results"
! grep -q '^FAIL ' "$folder/results"

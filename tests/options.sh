#!/bin/sh
# options.sh WORK - builds and runs portable.c as C99 and C++11 with every compiler here and every option of the header.
# WORK holds the converted networks (sg1-64.sgw, sg2-ada-64.sgw). Prints ok, FAIL and skipped lines.
cd "$(dirname "$0")/.." || exit 1
warnings='-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror'
fast='-O0 -fno-exceptions' # gcc links C++ without its library, which knows of exceptions
every='-DSTYLEGAN_NO_STDIO -DSTYLEGAN_NO_MALLOC -DSTYLEGAN_NO_THREADS -DSTYLEGAN_NO_SIMD -DSTYLEGAN_NO_AVX512 -DSTYLEGAN_NO_AMX -DSTYLEGAN_NO_BATCH'

draw() { # PROGRAM CASE PSI CUTOFF
    "$1" "$WORK/$2.sgw" "tests/golden/$2/z.npy" "tests/golden/$2/img.npy" "$3" "$4"
}

# One combination: NAME COMMAND..., where COMMAND compiles.
job() {
    name=$1
    shift
    program=$WORK/options-$(echo "$name" | tr -c 'a-zA-Z0-9\n' _)
    if ! "$@" -I. -o "$program" tests/portable/portable.c -lm -lpthread >"$program.log" 2>&1; then
        echo "FAIL options $name: does not compile: $(grep -m 1 -E 'error:|warning:' "$program.log")"
    elif ! { draw "$program" sg1-64 0.7 8 && draw "$program" sg2-ada-64 0.7 99; } >"$program.log" 2>&1; then
        echo "FAIL options $name: $(tail -n 1 "$program.log")"
    else
        echo "ok options $name: $(sed 's/ok portable //' "$program.log" | tr '\n' ' ')"
    fi
    rm -f "$program" "$program.log"
}

# All combinations, one per line: NAME COMMAND...
list() {
    for compiler in gcc clang; do
        if ! command -v $compiler >/dev/null; then continue; fi
        for language in 'c -std=c99' 'c++ -std=c++11'; do
            for option in '' NO_SIMD SMALL; do
                echo "$compiler,${language#*=},$option $compiler -O1 $warnings -x $language ${option:+-DSTYLEGAN_$option}"
            done
            # What these leave out, or name otherwise, is nothing that is optimised: -O0 is compiled in half the time, or less.
            for option in NO_STDIO NO_MALLOC NO_THREADS STATIC NO_AVX512 NO_AMX NO_BATCH; do
                echo "$compiler,${language#*=},$option $compiler $fast $warnings -x $language -DSTYLEGAN_$option"
            done
            echo "$compiler,${language#*=},all $compiler -O1 $warnings -x $language $every -DSTYLEGAN_STATIC"
        done
        echo "$compiler,native $compiler -O2 $warnings -std=c99 -march=native"
        echo "$compiler,plain $compiler -O2"
        if echo 'int main(void) { return 0; }' | $compiler -m32 -x c - -o "$WORK/m32" 2>/dev/null; then
            echo "$compiler,32bit $compiler -O1 -std=c99 -m32"
        else
            echo "skipped: $compiler -m32 not installed" >&2
        fi
    done
    if command -v tcc >/dev/null; then
        echo "tcc tcc"
        echo "tcc,all tcc $every"
    fi
}

# What an object with every option on still needs from outside.
check_symbols() { # COMPILER
    echo '#define STYLEGAN_IMPLEMENTATION
#include "stylegan.h"' >"$WORK/alone.c"
    $1 -O2 -I. $every -c "$WORK/alone.c" -o "$WORK/alone.o" || return
    foreign=$(nm -u "$WORK/alone.o" | awk '{print $2}' | grep -vxE 'mem(cpy|set|move|cmp)|sqrt|_GLOBAL_OFFSET_TABLE_|__.*' | tr '\n' ' ')
    if [ -z "$foreign" ]; then echo "ok options $1: every option on, it needs only $(nm -u "$WORK/alone.o" | awk '{print $2}' | tr '\n' ' ')"
    else echo "FAIL options $1: every option on, it still needs $foreign"; fi
    $1 -Os -I. $every -c "$WORK/alone.c" -o "$WORK/alone.o" && strip "$WORK/alone.o" && echo "note: scalar only at -Os with $1: $(wc -c <"$WORK/alone.o") bytes"
}

# Any choice of StyleGANs compiles without a warning, for one instruction set and for all; what is left out is refused.
check_families() { # COMPILER
    for families in 1 2 3 4 5 6; do
        # shellcheck disable=SC2086 # lists of flags
        if $1 $fast -std=c99 $warnings -I. -DSTYLEGAN_FAMILIES=$families -c "$WORK/alone.c" -o "$WORK/alone.o" 2>"$WORK/alone.log" &&
            $1 $fast -std=c99 $warnings -I. $every -DSTYLEGAN_FAMILIES=$families -c "$WORK/alone.c" -o "$WORK/alone.o" 2>"$WORK/alone.log" &&
            $1 $fast -std=c99 $warnings -I. $every -DSTYLEGAN_SMALL -DSTYLEGAN_FAMILIES=$families -c "$WORK/alone.c" -o "$WORK/alone.o" 2>"$WORK/alone.log"; then
            echo "ok options $1: STYLEGAN_FAMILIES $families"
        else
            echo "FAIL options $1: STYLEGAN_FAMILIES $families: $(grep -m 1 -E 'error:|warning:' "$WORK/alone.log")"
        fi
    done
    $1 -O1 -std=c99 -I. -DSTYLEGAN_FAMILIES=1 -o "$WORK/one" tests/portable/portable.c -lm -lpthread
    draw "$WORK/one" sg2-ada-64 0.7 99 >"$WORK/one.log" 2>&1
    if draw "$WORK/one" sg1-64 0.7 8 >/dev/null 2>&1 && grep -q 'STYLEGAN_FAMILIES leaves out StyleGAN 2' "$WORK/one.log"; then
        echo "ok options $1: $(tail -n 1 "$WORK/one.log" | sed 's/^FAIL //')"
    else
        echo "FAIL options $1: StyleGAN alone: $(tail -n 1 "$WORK/one.log")"
    fi
}

# Small code draws every StyleGAN, and its message is the line of stylegan.h that says what is wrong.
check_small() { # COMPILER
    $1 -O1 -std=c99 $warnings -I. $every -DSTYLEGAN_SMALL -o "$WORK/small" tests/portable/portable.c -lm >"$WORK/small.log" 2>&1
    for case in 'sg1-64 0.7 8' 'sg2-ada-64 0.7 99' 'sg3-t-64 0.7 99'; do
        # shellcheck disable=SC2086 # name, psi and cutoff
        if draw "$WORK/small" $case >"$WORK/small.log" 2>&1; then echo "ok options $1: STYLEGAN_SMALL draws ${case%% *}"
        else echo "FAIL options $1: STYLEGAN_SMALL, ${case%% *}: $(tail -n 1 "$WORK/small.log")"; fi
    done
    line=$("$WORK/small" tests/options.sh - - 1 1 | sed -n 's/^FAIL portable: \([0-9]*\)$/\1/p')
    if sed -n "${line:-0},+2p" stylegan.h 2>/dev/null | grep -q 'not a weight file: wrong magic'; then
        echo "ok options $1: STYLEGAN_SMALL, the message $line is a line that says what is wrong"
    else echo "FAIL options $1: STYLEGAN_SMALL: the message $line is no line that says what is wrong"; fi
}

check_two_units() { # COMPILER LANGUAGE
    if $1 $fast $warnings -x $2 -I. tests/portable/portable.c tests/portable/second_unit.c -o "$WORK/two" -lm -lpthread >"$WORK/two.log" 2>&1 &&
        draw "$WORK/two" sg1-64 0.7 8 >/dev/null; then echo "ok options $1: two files of $2 link"
    else echo "FAIL options $1: two files of $2 do not link: $(grep -m 1 -E 'error:|warning:|undefined' "$WORK/two.log")"; fi
}

# complains COMPILER WHAT TEXT FLAGS...: compiling $WORK/include.c ends with an #error that says TEXT.
complains() {
    name="options $1: $2" text=$3 compiler=$1
    shift 3
    if $compiler "$@" -I"$WORK/names" -c "$WORK/include.c" -o "$WORK/include.o" 2>"$WORK/include.log"; then
        echo "FAIL $name: compiles"
    elif grep -qF "$text" "$WORK/include.log"; then echo "ok $name: $text"
    else echo "FAIL $name: says $(grep -m 1 error "$WORK/include.log")"; fi
}

# What a user gets who renames the header, compiles as C89, or exports the functions of a shared library.
check_embedding() { # COMPILER
    mkdir -p "$WORK/names"
    rm -f "$WORK/names/stylegan.h"
    cp stylegan.h "$WORK/names/renamed.h"
    printf '#define STYLEGAN_IMPLEMENTATION\n#include "renamed.h"\n' >"$WORK/include.c"
    complains "$1" 'a renamed header' '#define STYLEGAN_FILENAME'
    if $1 -DSTYLEGAN_FILENAME='"renamed.h"' -I"$WORK/names" -c "$WORK/include.c" -o "$WORK/include.o"; then
        echo "ok options $1: a renamed header that says so"
    else echo "FAIL options $1: a renamed header that says so"; fi
    cp stylegan.h "$WORK/names/"
    printf '#include "stylegan.h"\n' >"$WORK/include.c"
    complains "$1" C89 'C99' -std=c89
    printf '#define STYLEGAN_API __attribute__((visibility("default")))\n#define STYLEGAN_IMPLEMENTATION\n#include "stylegan.h"\n' \
        >"$WORK/include.c"
    if $1 -shared -fPIC -fvisibility=hidden -I"$WORK/names" "$WORK/include.c" -o "$WORK/shared.so" -lm &&
        nm -D "$WORK/shared.so" | grep -q ' T stylegan_version$' && ! nm -D "$WORK/shared.so" | grep -q ' [A-TV-Z] sg__'; then
        echo "ok options $1: a shared library exports the API and nothing else"
    else echo "FAIL options $1: a shared library exports $(nm -D "$WORK/shared.so" | grep -c ' T ') functions"; fi
}

if [ "$1" = --job ]; then
    WORK=$2
    shift 2
    # shellcheck disable=SC2086 # one line holds a name and a command
    job $*
    exit
fi
WORK=$1
list 2>"$WORK/skipped" | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I LINE sh tests/options.sh --job "$WORK" LINE
cat "$WORK/skipped"
command -v tcc >/dev/null || echo 'skipped: tcc not installed'
for compiler in gcc clang; do
    if ! command -v $compiler >/dev/null; then
        echo "skipped: $compiler not installed"
        continue
    fi
    check_symbols $compiler
    check_families $compiler
    check_small $compiler
    check_two_units $compiler 'c -std=c99'
    check_two_units $compiler 'c++ -std=c++11'
    check_embedding $compiler
done

#!/bin/sh
# test_parts.sh - work that is divided into parts by --part K/N: together they make what one command makes, to the byte.
# Prints "ok NAME" or "FAIL NAME: why".
. tests/checks.sh
case $tool in /*) ;; *) tool=$PWD/$tool ;; esac
model=$PWD/examples/portraits-64.sgw
cd "$work" || exit 1

# parts NAME N COMMAND...: all parts, at once; those that write into one folder make it at once, too.
parts() {
    what=$1 count=$2
    shift 2
    processes=
    for number in $(seq "$count"); do
        "$tool" "$@" --part "$number/$count" >"out$number" 2>&1 &
        processes="$processes $!"
    done
    number=0
    for process in $processes; do
        number=$((number + 1))
        check "$what: part $number of $count" wait "$process"
    done
}

# The values of arrays, joined as numpy.concatenate would.
values() { # FILE...
    for file in "$@"; do tail -c +$((11 + $(od -An -tu2 -j 8 -N 2 "$file"))) "$file"; done
}

# --- generate ---

generate="generate $model --seeds 3-8,100,7000 --noise-mode random --noise-seed 5 --trunc=0.5,1"
# shellcheck disable=SC2086 # lists of flags
{
    check "generate: the whole" "$tool" $generate --outdir whole --save-npy whole.npy
    parts generate 3 $generate --outdir parts --save-npy parts.npy
}
check "generate: the same pictures" diff -r whole parts
check "generate: all of them" test "$(ls parts | wc -l)" -eq 16
values whole.npy >whole.values
values parts.1-of-3.npy parts.2-of-3.npy parts.3-of-3.npy >parts.values
check "generate: the same images" cmp whole.values parts.values
check "generate: an array of a part has its own shape" sh -c "head -c 128 parts.1-of-3.npy | grep -q '(5, 3, 64, 64)'"
check "generate: one part is all" "$tool" generate "$model" --seeds 3-4 --part 1/1 --outdir all --save-npy all.npy
check "generate: under its own name" test -s all.npy

# --- map ---

check "map: the whole" "$tool" map "$model" --seeds 0-9 --save-npy "$work/ws.npy"
parts map 4 map "$model" --seeds 0-9 --save-npy "$work/ws.npy"
values ws.npy >whole.values
values ws.1-of-4.npy ws.2-of-4.npy ws.3-of-4.npy ws.4-of-4.npy >parts.values
check "map: the same ws" cmp whole.values parts.values
check "generate from ws: the whole" "$tool" generate "$model" --ws ws.npy --outdir ws-whole
parts "generate from ws" 3 generate "$model" --ws ws.npy --outdir ws-parts
check "generate from ws: the same pictures" diff -r ws-whole ws-parts
"$tool" map "$model" --seeds 0-9 --save-npy - >piped.npy
"$tool" map "$model" --seeds 0-9 --save-npy - --part 2/4 >piped-part.npy
check "map: a part to standard output" cmp piped-part.npy ws.2-of-4.npy
check "map: the whole to standard output" cmp piped.npy ws.npy

# --- portraits ---

check "portraits: the whole" "$tool" portraits --count 23 --size 16 --seed 4 --pack whole.sgd
parts portraits 5 portraits --count 23 --size 16 --seed 4 --pack packed.sgd
check "portraits: joined" "$tool" portraits --join 5 --pack packed.sgd
check "portraits: the same file" cmp whole.sgd packed.sgd
check "portraits: pictures" "$tool" portraits --count 7 --size 16 --outdir people
parts "portraits: pictures" 2 portraits --count 7 --size 16 --outdir people-parts
check "portraits: the same pictures" diff -r people people-parts

# --- What is wrong ---

refuses "a part without parts" 2 "--part 3: not a part such as 3/8" portraits --part 3 --outdir "$left"
refuses "part 0" 2 "--part 0: must be from 1 to 4" portraits --part 0/4 --outdir "$left"
refuses "part 5 of 4" 2 "--part 5: must be from 1 to 4" map "$model" --seeds 0-9 --save-npy "$left/ws.npy" --part 5/4
refuses "a part of nothing" 2 "--part ... / 0: must be from 1" portraits --part 0/0 --outdir "$left"
refuses "a part of text" 2 "--part a: not a whole number" portraits --part a/4 --outdir "$left"
refuses "more parts than pictures" 2 "--part 1/4: there are only 3 pictures" generate "$model" --seeds 0-2 --part 1/4 --outdir "$left/out"
refuses "a sheet of a part" 2 "--part and --grid exclude each other" generate "$model" --seeds 0-8 --part 1/2 --grid 3x3 --outdir "$left"
refuses "a sheet of a part of portraits" 2 "--part and --grid exclude each other" portraits --part 1/2 --grid 3x3 --outdir "$left"
refuses "to join nothing" 2 "--join needs --pack FILE.sgd" portraits --join 2
refuses "to join one" 2 "--join 1: must be from 2" portraits --join 1 --pack "$left/x.sgd"
refuses "to join what is not there" 1 "x.1-of-2.sgd: cannot read: No such file" portraits --join 2 --pack "$left/x.sgd"
cp packed.sgd before.sgd
refuses "to join parts of another number" 1 "packed.1-of-4.sgd: cannot read" portraits --join 4 --pack packed.sgd
"$tool" portraits --count 40 --size 16 --seed 4 --pack packed.sgd --part 2/5 >out1
refuses "to join parts of another count" 1 "packed.2-of-5.sgd: part of 40 portraits of seed 4, labels: 0; the first part: part of 23" portraits --join 5 --pack packed.sgd
"$tool" portraits --count 23 --size 16 --seed 5 --pack packed.sgd --part 2/5 >out1
refuses "to join parts of another seed" 1 "packed.2-of-5.sgd: part of 23 portraits of seed 5, labels: 0; the first part: part of 23 portraits of seed 4" \
    portraits --join 5 --pack packed.sgd
"$tool" portraits --count 23 --size 32 --seed 4 --pack packed.sgd --part 2/5 >out1
refuses "to join parts of another size" 1 "packed.2-of-5.sgd: holds pictures of 32 x 32 pixels, not 16 x 16" portraits --join 5 --pack packed.sgd
check "what was there stays" cmp packed.sgd before.sgd
for pet in cats dogs; do "$tool" portraits --count 2 --size 16 --outdir pets/$pet >out1; done
"$tool" pack pets --size 16 -o other.1-of-2.sgd >out1
"$tool" portraits --count 4 --size 16 --pack other.2-of-2.sgd >out1
refuses "to join parts of other classes" 1 "other.2-of-2.sgd: labels: 0; the first part: labels: 2 (cats, dogs)" portraits --join 2 --pack other.sgd
refuses "portraits and their factors in one file" 2 "x: is the name of two outputs" portraits --pack "$left/x" --factors "$left/x"

exit $failed

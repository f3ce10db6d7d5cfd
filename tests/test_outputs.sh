#!/bin/sh
# What is written takes the place of nothing that is read, nor of another output. Prints "ok NAME" or "FAIL NAME: why".
. tests/checks.sh
model=$work/model.sgw people=$work/people.sgd pictures=$work/pictures
cp examples/portraits-64.sgw "$model"
cp examples/portraits-64.sgw "$work/y.h"
cp tests/golden/sg1-64/model.pkl "$work/model.pkl"
check "portraits" "$tool" portraits --count 4 --pack "$people"
check "portraits: a folder" "$tool" portraits --count 4 --size 16 --outdir "$pictures"
check "ws" "$tool" map "$model" --seeds 0 --save-npy "$work/ws.npy"
check "a picture" "$tool" generate "$model" --seeds 0 --outdir "$work/out"
printf '0\t1\n1\t2\n2\t4\n3\t3\n' >"$work/fit.tsv"
seeds="$model --seeds 0 --outdir $left/out" moved='--from-seeds 1 --to-seeds 2 --no-sheet'

# --- What is read stays as it is ---

# kept NAME FILE ARGUMENTS...: refused, in words that name the file, which stays as it was.
kept() {
    what=$1 file=$2
    shift 2
    cp "$file" "$work/before"
    refuses "$what" 2 "$file: would be overwritten, but is read" "$@"
    check "$what: it stays" cmp "$file" "$work/before"
}

# shellcheck disable=SC2086 # lists of flags
{
    kept "map: onto the model" "$model" map "$model" --seeds 0 --save-npy "$model"
    kept "generate: onto the model" "$model" generate $seeds --save-npy "$model"
    kept "generate: onto its ws" "$work/ws.npy" generate "$model" --ws "$work/ws.npy" --outdir "$left/out" --save-npy "$work/ws.npy"
    kept "generate --like: onto the picture" "$work/out/seed0000.png" generate "$model" --like "$work/out/seed0000.png" --outdir "$work/out"
    kept "edit --save-ws: onto the model" "$model" edit $seeds $moved --save-ws "$model"
    kept "edit --save-direction: onto the model" "$model" edit $seeds $moved --save-direction "$model"
    kept "video --save-ws: onto the model" "$model" video "$model" --seeds 0 --w-frames 1 --save-ws "$model"
    kept "evaluate: onto the data" "$people" evaluate "$model" --data "$people" --count 2 --nearest "$people"
    kept "evaluate: onto the model" "$model" evaluate "$model" --data "$people" --count 2 --nearest "$model"
    kept "pack: onto a picture" "$pictures/portrait000000.png" pack "$pictures" --size 16 -o "$pictures/portrait000000.png"
    kept "embed: onto the model" "$work/y.h" embed "$work/y.h" -o "$work/y.h"
    kept "convert: onto the checkpoint" "$work/model.pkl" convert "$work/model.pkl" "$work/model.pkl"
    kept "directions: onto the model" "$model" directions "$model" -o "$model"
    kept "directions: onto the values" "$work/fit.tsv" directions "$model" --fit "$work/fit.tsv" -o "$work/fit.tsv"
    kept "project --save-model: onto the model" "$model" project "$model" --target "$work/out/seed0000.png" --outdir "$left/out" --save-model "$model"
    ln -s model.sgw "$work/link.sgw"
    refuses "map: onto the model by a link" 2 "link.sgw: would be overwritten" map "$model" --seeds 0 --save-npy "$work/link.sgw"
    refuses "map: onto the model by another way" 2 "would be overwritten" map "$work/link.sgw" --seeds 0 --save-npy "$work/pictures/../model.sgw"
}
check "the model is still one" cmp examples/portraits-64.sgw "$model"

# --- Outputs are different files ---

refuses "portraits: the pack and the factors in one file" 2 "x.sgd: is the name of two outputs" portraits --count 4 --size 16 \
    --pack "$left/x.sgd" --factors "$left/./x.sgd"
# shellcheck disable=SC2086 # lists of flags
{
    refuses "generate: the array as a picture" 2 "seed0000.png: is the name of two outputs" generate $seeds --save-npy "$left/out/../out/seed0000.png"
    refuses "edit: ws and the direction in one file" 2 "--save-direction and --save-ws name the same file" edit $seeds $moved \
        --save-ws "$left/x.npy" --save-direction "$left/../left/x.npy"
}
refuses "video: ws in the same file" 2 "-o and --save-ws name the same file" video "$model" --seeds 0 --w-frames 1 -o "$left/v.y4m" \
    --save-ws "$left/./v.y4m"
refuses "video: both to standard output" 2 "-o and --save-ws name the same file" video "$model" --seeds 0 --w-frames 1 -o - --save-ws -
check "generate: a seed twice" "$tool" generate "$model" --seeds 0,0 --outdir "$work/twice"

# --- Standard streams that are closed are not the files that are opened next ---

"$tool" train --config tiny-16 --kimg 0.1 --data "$pictures" --outdir "$work/run" >&- 2>"$work/said"
check "train without standard output: the log is a table" awk -F '\t' 'NF != 12 { exit 1 }' "$work/run/log.tsv"
check "train without standard output: all is saved" test -s "$work/run/checkpoint.sgt"
check "train without standard output: says so" grep -q 'standard output: cannot write' "$work/said"
"$tool" map "$model" --seeds 0 --save-npy - >&- 2>"$work/said"
check "map to a closed standard output fails" grep -q 'standard output: cannot write' "$work/said"

# --- Signals leave nothing unfinished ---

for signal in QUIT XCPU; do
    mkdir "$left"
    (ulimit -c 0 && exec timeout -s $signal 3 "$tool" generate "$model" --seeds 0-99999 --outdir "$left/a/b" --save-npy "$left/x.npy") 2>/dev/null
    check "SIG$signal removes unfinished files" test -z "$(find "$left" -name '*.part' -o -name '*.npy')"
    rm -rf "$left"
done
"$tool" train --config tiny-16 --kimg 1000 --data "$pictures" --outdir "$work/limited" >"$work/stdout" 2>"$work/said" &
while [ ! -e "$work/limited/checkpoint.sgt" ] && kill -0 $! 2>/dev/null; do sleep 0.1; done
for _ in 1 2 3 4; do
    kill -XCPU $! 2>/dev/null
    sleep 1
done
wait $! 2>/dev/null
status=$?
check "a limit of processor time stops a run in order: exit status $status" test $status -eq 152
check "a limit of processor time: the state is saved" grep -q 'stopped; --resume' "$work/said"

# --- Links, rights and names ---

map() { # map FILE
    "$tool" map "$model" --seeds 0 --save-npy "$1"
}
mkdir "$work/else"
ln -s ../else/first "$work/out/second"
ln -s out/second "$work/dangling"
check "a link to nothing" map "$work/dangling"
check "a link to nothing stays one" test -L "$work/dangling"
check "a link to nothing: what it names is written" cmp "$work/else/first" "$work/ws.npy"
check "a link to it" map "$work/dangling"
files "a link: nothing else is left" "$work/else" first
chmod 640 "$work/else/first"
check "a file that others may not read" map "$work/else/first"
check "a file that others may not read stays so" test "$(ls -l "$work/else/first" | cut -c 1-10)" = -rw-r-----
long=$work/else/$(printf '%0250d' 0)
check "a long name" map "$long"
check "a long name: the file is there" cmp "$long" "$work/ws.npy"
check "a long name in letters of two bytes" map "$work/else/x$(printf '%0125d' 0 | sed 's/0/ö/g')"
refuses "too long a name" 1 "cannot write: File name too long" map "$model" --seeds 0 --save-npy "$work/else/$(printf '%0256d' 0)"
refuses "an output without a name" 2 "--save-npy needs a value: --save-npy FILE.npy" map "$model" --seeds 0 --save-npy ""
refuses "a folder without a name" 2 "--outdir needs a value" generate "$model" --seeds 0 --outdir=
refuses "a model without a name" 2 "an argument is empty" info ""

exit $failed

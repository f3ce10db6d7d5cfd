#!/bin/sh
# Bad paths: each command at each kind of path that it cannot read from or write to says so in one line that names the path,
# and leaves nothing.
. tests/checks.sh
chmod 755 "$work" # root tries as nobody, who may read it
cp "$tool" "$work/stylegan"
cp examples/portraits-64.sgw tests/golden/sg1-64/model.pkl "$work"
"$tool" convert tests/golden/sg1-cond-32/model.pkl "$work/conditional.sgw" >"$work/stdout" || exit
"$tool" portraits --count 4 --size 16 --pack "$work/people.sgd" >"$work/stdout" || exit
cp examples/portraits-64.png "$work/target.png"
model=$work/portraits-64.sgw people=$work/people.sgd

# bad NAME PATH ARGUMENTS...: fails, as a failure or as wrong usage, with one line that names the path.
as=
bad() {
    name=$1 path=$2
    shift 2
    rm -rf "$left"
    mkdir "$left"
    [ -z "$as" ] || chmod 777 "$left"
    # shellcheck disable=SC2086 # a command and its flags
    timeout 60 $as "$work/stylegan" "$@" >"$work/stdout" 2>"$work/stderr" </dev/null
    status=$?
    if [ $status -ne 1 ] && [ $status -ne 2 ]; then fail "$name" "exit status $status"
    elif [ "$(wc -l <"$work/stderr")" -ne 1 ]; then fail "$name" "$(wc -l <"$work/stderr") lines: $(head -n 2 "$work/stderr" | tr '\n' ' ')"
    elif ! grep -qF -e "$path" "$work/stderr"; then fail "$name" "says: $(cat "$work/stderr")"
    elif [ -n "$(ls "$left")" ]; then fail "$name" "leaves $(ls "$left")"
    else ok "$name"; fi
    rm -rf "$left"
}

read_bad() { # read_bad NAME PATH: every command reads from it
    bad "convert: $1" "$2" convert "$2" "$left/x.sgw"
    bad "generate: $1" "$2" generate "$2" --seeds 1 --outdir "$left/out"
    bad "generate --network: $1" "$2" generate --network "$2" --seeds 1 --outdir "$left/out"
    bad "generate --latents: $1" "$2" generate "$model" --latents "$2" --outdir "$left/out"
    bad "generate --ws: $1" "$2" generate "$model" --ws "$2" --outdir "$left/out"
    bad "generate --labels: $1" "$2" generate "$work/conditional.sgw" --seeds 1 --labels "$2" --outdir "$left/out"
    bad "generate --like: $1" "$2" generate "$model" --like "$2" --outdir "$left/out"
    bad "map: $1" "$2" map "$2" --seeds 1 --save-npy "$left/x.npy"
    bad "mix: $1" "$2" mix "$2" --rows 1 --cols 2 --outdir "$left/out"
    bad "directions: $1" "$2" directions "$2" -o "$left/x.npy"
    bad "edit: $1" "$2" edit "$2" --seeds 1 --from-seeds 1 --to-seeds 2 --outdir "$left/out"
    bad "edit --direction: $1" "$2" edit "$model" --seeds 1 --direction "$2" --outdir "$left/out"
    bad "edit --fit: $1" "$2" edit "$model" --seeds 1 --fit "$2" --outdir "$left/out"
    bad "video: $1" "$2" video "$2" --seeds 1 --w-frames 1 -o "$left/x.y4m"
    bad "info: $1" "$2" info "$2"
    bad "bench: $1" "$2" bench "$2" --runs 1
    bad "embed: $1" "$2" embed "$2" -o "$left/x.h"
    bad "evaluate: $1" "$2" evaluate "$2" --data "$people"
    bad "project: $1" "$2" project "$2" --target "$work/target.png" --num-steps 2 --outdir "$left/out"
    bad "project --target: $1" "$2" project "$model" --target "$2" --num-steps 2 --outdir "$left/out"
    bad "evaluate --data: $1" "$2" evaluate "$model" --data "$2"
    bad "factors: $1" "$2" factors "$2" --seeds 1
    bad "train --data: $1" "$2" train --config tiny-16 --data "$2" --outdir "$left/run"
    bad "train --resume: $1" "$2" train --resume --data "$people" --outdir "$2"
    bad "pack: $1" "$2" pack "$2" -o "$left/x.sgd"
}

write_bad() { # write_bad NAME PATH: every command writes a file there
    bad "convert: $1" "$2" convert "$work/model.pkl" "$2"
    bad "generate --save-npy: $1" "$2" generate "$model" --seeds 1 --outdir "$work/made" --save-npy "$2"
    bad "map: $1" "$2" map "$model" --seeds 1 --save-npy "$2"
    bad "directions: $1" "$2" directions "$model" --samples 100 -o "$2"
    bad "edit --save-ws: $1" "$2" edit "$model" --seeds 1 --from-seeds 1 --to-seeds 2 --outdir "$work/made" --save-ws "$2"
    bad "edit --save-direction: $1" "$2" edit "$model" --seeds 1 --from-seeds 1 --to-seeds 2 --outdir "$work/made" --save-direction "$2"
    bad "video --save-ws: $1" "$2" video "$model" --seeds 1 --w-frames 1 --save-ws "$2"
    bad "bench --save: $1" "$2" bench sg2-8 --runs 1 --save "$2"
    bad "portraits --pack: $1" "$2" portraits --count 2 --size 16 --pack "$2"
    bad "portraits --factors: $1" "$2" portraits --count 2 --size 16 --outdir "$work/drawn" --factors "$2"
    bad "pack: $1" "$2" pack "$people" -o "$2"
}

header_bad() { # header_bad NAME PATH: embed, whose file ends in .h
    bad "embed -o: $1" "$2" embed "$model" -o "$2"
}

enter_bad() { # enter_bad NAME PATH [NAMED]: every command makes a folder there; of a folder below a file, the file is named
    named=${3:-$2}
    bad "generate --outdir: $1" "$named" generate "$model" --seeds 1 --outdir "$2"
    bad "mix --outdir: $1" "$named" mix "$model" --rows 1 --cols 2 --outdir "$2"
    bad "edit --outdir: $1" "$named" edit "$model" --seeds 1 --from-seeds 1 --to-seeds 2 --outdir "$2"
    bad "video: $1" "$named" video "$model" --seeds 1 --w-frames 1 -o "$2/"
    bad "portraits --outdir: $1" "$named" portraits --count 2 --outdir "$2"
    bad "pack --outdir: $1" "$named" pack "$people" --outdir "$2"
    bad "project --outdir: $1" "$named" project "$model" --target "$work/target.png" --num-steps 2 --outdir "$2"
    bad "train --outdir: $1" "$named" train --config tiny-16 --data "$people" --outdir "$2"
}

# --- Reading ---

mkdir "$work/folder"
: >"$work/empty"
head -c 300 "$model" >"$work/cut"
read_bad "a missing file" "$work/missing"
read_bad "a folder" "$work/folder"
read_bad "an empty file" "$work/empty"
read_bad "a file below a file" "$work/empty/x"
read_bad "a cut file" "$work/cut"
read_bad "a device without end" /dev/zero
read_bad "a device without content" /dev/null
ln -s loop "$work/loop"
read_bad "a link to itself" "$work/loop"
mkfifo "$work/pipe"
while :; do : >"$work/pipe"; done 2>/dev/null & # a writer that never writes
writer=$!
read_bad "a pipe that ends at once" "$work/pipe"
kill $writer

# --- Writing ---

write_bad "a folder" "$work/folder"
write_bad "a link to itself" "$work/loop"
write_bad "below a folder that is not there" "$work/missing/x"
write_bad "below a file" "$work/empty/x"
if [ -c /dev/full ]; then
    ln -s /dev/full "$work/full.h"
    write_bad "a full device" /dev/full
    header_bad "a full device" "$work/full.h"
fi
mkdir "$work/folder.h"
header_bad "a folder" "$work/folder.h"
header_bad "below a folder that is not there" "$work/missing/x.h"
header_bad "below a file" "$work/empty/x.h"
enter_bad "a file" "$work/empty"
enter_bad "below a file" "$work/empty/x" "$work/empty"
enter_bad "a device" /dev/null

# --- What is not allowed: root may do everything, so it tries as somebody else ---

[ "$(id -u)" -ne 0 ] || as='setpriv --reuid=65534 --regid=65534 --clear-groups'
# shellcheck disable=SC2086 # a command and its flags
if $as true 2>/dev/null; then
    cp "$model" "$work/unreadable"
    chmod 0 "$work/unreadable"
    mkdir -p "$work/locked" "$work/closed" "$work/drawn"
    chmod 555 "$work/locked"
    chmod 777 "$work/made" "$work/drawn" # where pictures stay when only an array or a table fails
    chmod 0 "$work/closed"
    read_bad "an unreadable file" "$work/unreadable"
    read_bad "a file in a closed folder" "$work/closed/x"
    write_bad "in a locked folder" "$work/locked/x"
    header_bad "in a locked folder" "$work/locked/x.h"
    enter_bad "a locked folder" "$work/locked"
    enter_bad "in a locked folder" "$work/locked/x"
else
    echo "skipped: what is not allowed: setpriv not installed"
fi

exit $failed

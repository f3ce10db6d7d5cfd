#!/bin/sh
# test_cluster.sh - one training run of several processes, by MPI, on this machine: the same bits for any number of ranks and
# threads, ranks that are killed and stopped, ranks that differ. Prints ok, FAIL and skipped lines.
cd "$(dirname "$0")/.." || exit 1
. tests/checks.sh
for program in mpicc mpirun; do
    command -v $program >/dev/null && continue
    echo "skipped: cluster: $program not installed"
    exit
done
if ! make --silent MPI=1 BUILD="$build" >"$work/make" 2>&1; then
    fail "make MPI=1" "$(head -n 1 "$work/make")"
    exit 1
fi
parallel=$build/mpi/stylegan

# What mpirun asks for: of root, on few processors, and in containers.
OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM
export OMPI_MCA_rmaps_base_oversubscribe OMPI_MCA_hwloc_base_binding_policy OMPI_MCA_btl_vader_single_copy_mechanism

# A run of 30 steps; all of the growing from 8x8 to 16x16 is in it. STEPS changes their number.
pack=$work/portraits.sgd
kimg=$(awk "BEGIN { print ${STEPS:-30} * 0.032 }")
settings="--config tiny-16 --batch 32 --stable-kimg 0.2 --fade-kimg 0.2 --kimg $kimg --seed 7 --r1-interval 4"
one() { # RUN FLAGS...: one process
    run=$1
    shift
    # shellcheck disable=SC2086 # a list of flags
    "$tool" train $settings --data "$pack" --outdir "$run" "$@"
}
ranks() { # COUNT RUN FLAGS...
    count=$1 run=$2
    shift 2
    # shellcheck disable=SC2086 # a list of flags
    timeout 120 mpirun -n "$count" "$parallel" train $settings --data "$pack" --outdir "$run" "$@"
}

check "portraits to train with" "$tool" portraits --size 16 --count 300 --pack "$pack"
check "one process" one "$work/one"

# --- The same bits ---

same() { # NAME RUN AS
    check "$1: the same checkpoint" cmp "$3/checkpoint.sgt" "$2/checkpoint.sgt"
    check "$1: the same network" cmp "$3/model.sgw" "$2/model.sgw"
}
for count in 1 2 3; do
    for threads in 1 2; do
        name="$count ranks x $threads threads"
        check "$name" ranks $count "$work/$count-$threads" --threads $threads
        same "$name" "$work/$count-$threads" "$work/one"
        check "$name: the same log" test "$(cut -f 1-10 "$work/$count-$threads/log.tsv")" = "$(cut -f 1-10 "$work/one/log.tsv")"
    done
done
prints "ranks tell what goes between them" "MB a step from rank to rank in " ranks 2 "$work/told" --threads 1 --kimg 0.064

# Labels, the residual discriminator, demodulation, a rank for each shard.
mkdir -p "$work/pets/cats" "$work/pets/dogs"
"$tool" portraits --size 16 --count 9 --outdir "$work/pets/cats" >"$work/stdout"
"$tool" portraits --size 16 --count 8 --seed 1 --outdir "$work/pets/dogs" >"$work/stdout"
other="--architecture stylegan2 --loss logistic --cond 1 --batch 16 --kimg 0.32 --data $work/pets"
# shellcheck disable=SC2086
{
    check "a conditional StyleGAN 2" one "$work/pets-one" $other
    check "a conditional StyleGAN 2, 4 ranks" ranks 4 "$work/pets-4" --threads 1 $other
}
same "a conditional StyleGAN 2, 4 ranks" "$work/pets-4" "$work/pets-one"

# Augmented as the scores of all ranks tell, in two parts; D learns alone in the first three steps.
augmented="--aug ada --target 0 --ada-kimg 1 --d-first-kimg 0.08"
# shellcheck disable=SC2086
{
    check "augmented" one "$work/augmented-one" $augmented
    check "augmented, 3 ranks" ranks 3 "$work/augmented-3" --threads 1 $augmented --kimg 0.48
    check "augmented, 3 ranks, resumed by 2" ranks 2 "$work/augmented-3" --threads 1 $augmented --resume
}
same "augmented, 3 ranks and 2" "$work/augmented-3" "$work/augmented-one"

# Networks so large that their sums go in more than the least pieces.
large="--batch 8 --kimg 0.016 --start-resolution 16 --fmap-base 65536 --fmap-max 232 --d-fmap-base 65536 --d-fmap-max 220"
# shellcheck disable=SC2086
{
    check "large networks" one "$work/large-one" $large
    check "large networks, 2 ranks" ranks 2 "$work/large-2" --threads 1 $large
}
same "large networks, 2 ranks" "$work/large-2" "$work/large-one"

# --- Killed, stopped, resumed ---

# The ranks of a run: processes of this tool with its folder among their arguments.
ranks_of() { # RUN
    for process in /proc/[0-9]*; do
        [ "$(cat "$process/comm" 2>/dev/null)" = stylegan ] && grep -qF "$1" "$process/cmdline" 2>/dev/null && echo "${process#/proc/}"
    done
}
# Starts mpirun on $1 ranks in the background, as $starter, and waits for a file of the run.
start() { # COUNT RUN FILE FLAGS...
    count=$1 run=$2 file=$3
    shift 3
    # shellcheck disable=SC2086 # a list of flags
    mpirun -n "$count" "$parallel" train $settings --threads 1 --data "$pack" --outdir "$run" "$@" >"$work/stopped" 2>&1 &
    starter=$!
    while [ ! -e "$run/$file" ] && kill -0 $starter 2>/dev/null; do sleep 0.1; done
}
alive() { # PROCESS...: one of them
    for process in "$@"; do kill -0 "$process" 2>/dev/null && return; done
    return 1
}
# Waits for it and for its ranks, at most a minute: in $seconds.
await() {
    begun=$(date +%s) seconds=0
    while alive $starter $started && [ $seconds -lt 60 ]; do
        sleep 0.1
        seconds=$(($(date +%s) - begun))
    done
    if alive $starter $started; then
        fail "$1" "goes on after a minute"
        kill -9 $starter $started
    fi
    wait $starter
    status=$?
}

start 3 "$work/killed" checkpoint-previous.sgt --snapshot-minutes 0.0005
started=$(ranks_of "$run")
check "three ranks run" test "$(echo $started | wc -w)" -eq 3
kill -9 "$(echo $started | cut -d ' ' -f 2)"
await "a rank is killed"
check "a rank is killed: all have ended, after $seconds s" test $status -ne 0
check "a rank is killed: mpirun alone says so" test "$(grep -ciE 'signal:? 9' "$work/stopped") $(grep -c stylegan: "$work/stopped")" = "1 0"
check "a rank is killed: goes on with two" ranks 2 "$work/killed" --resume --threads 2
same "a rank is killed" "$work/killed" "$work/one"

for victim in 1 2; do # as batch systems signal: a rank that saves and one that does not
    rm -rf "$work/stopped-run"
    start 2 "$work/stopped-run" checkpoint.sgt --kimg 1000
    started=$(ranks_of "$run")
    kill -TERM "$(echo $started | cut -d ' ' -f $victim)"
    await "a signal"
    check "a signal to one of two ranks: exit status $status" test $status -eq 143
    check "a signal: stopped in order" grep -q 'stopped; --resume continues the run' "$work/stopped"
    check "a signal: said once" test "$(grep -c stylegan: "$work/stopped")" -eq 1
done
start 2 "$work/warned" checkpoint.sgt --kimg 1000
started=$(ranks_of "$run")
kill -USR1 $starter # which hands it on
await "a warning"
check "a warning: stopped in order" grep -q 'stopped; --resume continues the run' "$work/stopped"
check "a warning: one process goes on" one "$work/warned" --resume --kimg 0.1

# --- Ranks that differ, and what is wrong ---

# differs NAME TEXT FLAGS...: the third rank, with other flags, is refused by its number, in one line; nothing is left.
differs() {
    name=$1 text=$2
    shift 2
    # shellcheck disable=SC2086 # a list of flags
    timeout 60 mpirun -n 2 "$parallel" train $settings --data "$pack" --outdir "$work/differing" : \
        -n 1 "$parallel" train $settings --data "$pack" --outdir "$work/differing" "$@" >"$work/stdout" 2>"$work/stderr"
    said "$name" "stylegan: rank 2 on .*$text"
}
said() { # NAME TEXT
    if [ "$(grep -c stylegan: "$work/stderr")" -ne 1 ]; then fail "$1" "says: $(grep stylegan: "$work/stderr")"
    elif ! grep -q "$2" "$work/stderr"; then fail "$1" "says: $(grep stylegan: "$work/stderr")"
    elif [ -e "$work/differing" ]; then fail "$1" "leaves a folder"
    else ok "$1"; fi
}
"$tool" portraits --size 16 --count 299 --pack "$work/fewer.sgd" >"$work/stdout"
"$tool" portraits --size 16 --count 300 --seed 1 --pack "$work/others.sgd" >"$work/stdout"
differs "fewer pictures on one rank" "data 299 pictures .* but on rank 0 300 pictures" --data "$work/fewer.sgd"
differs "other pictures on one rank" "data 300 pictures .* checksum .* but on rank 0 300 pictures" --data "$work/others.sgd"
differs "no pictures on one rank" "nowhere.sgd: cannot read" --data "$work/nowhere.sgd"
differs "another batch on one rank" "batch 16, but on rank 0 32" --batch 16

wrong() { # NAME TEXT COUNT FLAGS...: wrong on all, and said once
    name=$1 text=$2 count=$3
    shift 3
    ranks "$count" "$work/differing" "$@" >"$work/stdout" 2>"$work/stderr"
    said "$name" "stylegan: $text"
}
wrong "more ranks than work" "9 ranks x 1 threads: a batch of 32 has work for 8 ranks (batch / 4) and 16 threads (batch / 2)" 9
wrong "more threads than work" "3 ranks x 6 threads: a batch of 32 has work for 8 ranks (batch / 4) and 16 threads (batch / 2)" 3 --threads 6
wrong "a batch of 6" "--batch must be a multiple of 4" 2 --batch 6
wrong "no data" ".*nowhere.sgd: cannot read" 2 --data "$work/nowhere.sgd"
wrong "nothing to resume" ".*there is no run to resume" 2 --resume
wrong "a run that is there" ".*holds a run; continue it" 2 --outdir "$work/one"
wrong "a folder that cannot be made" ".*cannot create the folder" 2 --outdir /proc/run
mkdir "$work/damaged"
head -c 1000 "$work/one/checkpoint.sgt" >"$work/damaged/checkpoint.sgt"
wrong "a damaged checkpoint" ".*checkpoint.sgt: truncated" 2 --resume --outdir "$work/damaged"
prints "a build without MPI says so" "one of 2 processes that know nothing of each other: built without MPI" \
    mpirun -n 2 "$tool" train --config tiny-16 --dry-run

exit $failed

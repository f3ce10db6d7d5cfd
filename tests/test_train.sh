#!/bin/sh
# Trains tiny networks through the command line: kills and resumes runs, and tries all that can be wrong. Prints "ok NAME"
# or "FAIL NAME: why".
. tests/checks.sh
most_lines=100 # skipped pictures are named

# A run of a second or two: all of the growing from 8x8 to 16x16 is in it.
pack=$work/portraits.sgd
settings="--config tiny-16 --stable-kimg 0.2 --fade-kimg 0.2 --kimg 0.8 --seed 7"
train() { # RUN FLAGS...
    run=$1
    shift
    # shellcheck disable=SC2086 # a list of flags
    "$tool" train $settings --data "$pack" --outdir "$run" "$@"
}

# ended NAME RUN: the log goes to the end, and nothing is left over.
ended() {
    check "$1: no row of the log is missing or there twice" sh -c "cut -f 1 '$2/log.tsv' | sort -nuc && tail -n 1 '$2/log.tsv' | grep -q '^800	16	1	'"
    check "$1: nothing unfinished stays" test -z "$(find "$2" -name '*.part')"
}

# same_run NAME RUN: the same as the whole run, to the bit.
same_run() {
    check "$1: the same checkpoint" cmp "$work/whole/checkpoint.sgt" "$2/checkpoint.sgt"
    check "$1: the same network" cmp "$work/whole/model.sgw" "$2/model.sgw"
    check "$1: the same pictures" cmp "$work/whole/samples-000000.png" "$2/samples-000000.png"
    ended "$1" "$2"
}

# --- A whole run ---

for command in train evaluate; do
    prints "$command --help" "Usage: stylegan $command" "$tool" $command --help
done
prints "train --dry-run" "resolution	32	" "$tool" train --config tiny-32 --dry-run
prints "the loss that is chosen" "loss	logistic	" "$tool" train --config tiny-32 --loss logistic --isa scalar --dry-run
check "portraits to train with" "$tool" portraits --size 16 --count 300 --pack "$pack"
check "a whole run" train "$work/whole"
ended "a whole run" "$work/whole"
prints "the log has titles" "images	resolution	fade	g_loss	d_loss	r1	" head -n 1 "$work/whole/log.tsv"
check "the network draws" "$tool" generate "$work/whole/model.sgw" --seeds 0-3 --grid 2x2 --outdir "$work/drawn"
prints "the network tells what it was trained on" "seed 7" "$tool" info "$work/whole/model.sgw"
check "one thread" train "$work/one" --threads 1
same_run "one thread" "$work/one"
check "a StyleGAN 2" train "$work/stylegan2" --architecture stylegan2
prints "a StyleGAN 2: the network" "family               2" "$tool" info "$work/stylegan2/model.sgw"
check "a StyleGAN 2: one thread" train "$work/stylegan2-one" --architecture stylegan2 --threads 1
check "a StyleGAN 2, one thread: the same checkpoint" cmp "$work/stylegan2/checkpoint.sgt" "$work/stylegan2-one/checkpoint.sgt"

# A run that begins as a network.
begun="--from $work/whole/model.sgw --d-first-kimg 0.2"
# shellcheck disable=SC2086 # a list of flags
{
    check "begun as a network" train "$work/begun" $begun
    check "begun as a network: on one thread, the first part" train "$work/begun-one" $begun --kimg 0.4 --threads 1
    check "begun as a network: on one thread, the rest" train "$work/begun-one" --resume
    refuses "to begin as a network of another shape" 1 "whole/model.sgw: cannot be trained with these settings (--config and the other flags): its w_dim is 32, not 31" \
        train $settings --data "$pack" --outdir "$left/run" $begun --w-dim 31
    check "trains until a block fades in" train "$work/growing" --kimg 0.3
    refuses "to begin as a network that is still growing" 1 "growing/model.sgw: cannot be trained with these settings (--config and the other flags): it is still growing" \
        train $settings --data "$pack" --outdir "$left/run" --from "$work/growing/model.sgw"
    check "a run of two parts, the first" train "$work/twice" --kimg 0.2
    check "a run of two parts: it ends where it was to end" "$tool" train --config tiny-16 --stable-kimg 0.2 --fade-kimg 0.2 --seed 7 \
        --data "$pack" --outdir "$work/twice" --resume
    check "a run of two parts: not where the preset ends" grep -q "^200	" "$work/twice/log.tsv"
    cp -R "$work/twice" "$work/moved"
    prints "goes on by another instruction set" "moved: goes on by --isa scalar, not auto, and rounds differently" \
        train "$work/moved" --isa scalar --kimg 0.3 --resume
    prints "goes on by another instruction set, which the checkpoint keeps" "isa scalar" "$tool" info "$work/moved/checkpoint.sgt"
    rm "$work/twice/model.sgw"
    prints "a run without its network says what it does not know" "classes, licence and type of weights are not known" train "$work/twice" --kimg 0.3 --resume
    check "a network of twice the size" train "$work/larger" --resolution 32 --start-resolution 32 --kimg 0 --data portraits
    prints "begun as a network of twice the size: it does not grow" "start-resolution	32	" \
        "$tool" train --config tiny-16 --resolution 32 --from "$work/larger/model.sgw" --dry-run
    refuses "a resumed run that begins anew" 2 "--from is for a new run" \
        train $settings --data "$pack" --outdir "$work/begun" $begun --resume
}
check "begun as a network: the same checkpoint" cmp "$work/begun/checkpoint.sgt" "$work/begun-one/checkpoint.sgt"
check "begun as a network: the same notes" cmp "$work/begun/model.sgw" "$work/begun-one/model.sgw"
prints "begun as a network: which" "begun as: model.sgw, 800 images" "$tool" info "$work/begun-one/model.sgw"
refuses "to begin as what is no network" 1 "log.tsv: " train $settings --data "$pack" --outdir "$left/run" --from "$work/whole/log.tsv"

# As one from elsewhere: what it begins as draws the same pictures, and its licence stays with it.
for network in "sg1-64 stylegan1" "sg2-tf-64 stylegan2"; do
    # shellcheck disable=SC2086 # two words
    set -- $network
    check "$1: converted" "$tool" convert "tests/golden/$1/model.pkl" "$work/$1.sgw" --dtype f32
    check "$1: a run begins as it" "$tool" train --config portraits-64 --architecture "$2" --z-dim 48 --w-dim 48 --mapping-layers 8 \
        --fmap-base 640 --fmap-max 40 --kimg 0 --dtype f32 --data portraits --outdir "$work/begun-$1" --from "$work/$1.sgw"
    for model in "$work/$1.sgw" "$work/begun-$1/model.sgw"; do
        check "$1: drawn" "$tool" generate "$model" --seed 1 --trunc 1 --noise-mode none --outdir "${model%.sgw}-drawn"
    done
    check "$1: the same picture" "$build/tests/pngdiff" "$work/$1-drawn/seed0001.png" "$work/begun-$1/model-drawn/seed0001.png"
    prints "$1: where it is from" "begun as: $1.sgw, converted from model.pkl" "$tool" info "$work/begun-$1/model.sgw"
    prints "$1: its licence" "licence: converted weights keep the licence" "$tool" info "$work/begun-$1/model.sgw"
done

# Mixed precision, where there are matrix units.
prints "--help tells of mixed precision" "f32, or bf16: " "$tool" train --help
prints "float32 is what is not asked for" "precision	f32	" "$tool" train --config tiny-16 --dry-run
if "$tool" train --config tiny-16 --precision bf16 --dry-run >"$work/dry" 2>&1; then
    check "mixed precision: the dry run" grep -q "^precision	bf16	" "$work/dry"
    mixed="--architecture stylegan2 --precision bf16"
    # shellcheck disable=SC2086 # a list of flags
    {
        check "mixed precision" train "$work/mixed-precision" $mixed
        check "mixed precision: on one thread, the first part" train "$work/mixed-one" $mixed --kimg 0.4 --threads 1
        check "mixed precision: the rest" train "$work/mixed-one" $mixed --threads 2 --resume
    }
    check "mixed precision: the same checkpoint" cmp "$work/mixed-precision/checkpoint.sgt" "$work/mixed-one/checkpoint.sgt"
    check "mixed precision: another network" sh -c "! cmp -s '$work/mixed-precision/model.sgw' '$work/stylegan2/model.sgw'"
else
    echo "skipped: mixed precision: no matrix units"
fi

# Augmented: what the run has found out about the pictures is in its state.
augmented="--aug ada --target 0 --ada-kimg 1"
# shellcheck disable=SC2086 # a list of flags
{
    check "augmented" train "$work/augmented" $augmented
    check "augmented: on one thread, the first part" train "$work/augmented-one" $augmented --kimg 0.4 --threads 1
    check "augmented: on one thread, the rest" train "$work/augmented-one" $augmented --threads 1 --resume
}
check "augmented: the same checkpoint" cmp "$work/augmented/checkpoint.sgt" "$work/augmented-one/checkpoint.sgt"
check "augmented: the log tells the probability" sh -c "tail -n 1 '$work/augmented/log.tsv' | cut -f 10 | grep -q '^0[.][0-9]'"
check "augmented: and what is held back" sh -c "tail -n 1 '$work/augmented/log.tsv' | cut -f 9 | grep -q '[0-9]'"
check "without: the log has empty fields" test "$(tail -n 1 "$work/whole/log.tsv" | cut -f 9-10)" = "	"
refuses "a target without what it is of" 2 "--target is for --aug ada" train --data "$pack" --outdir "$left/run" --target 0.4
check "augmented by a fixed probability" train "$work/fixed" --aug fixed --p 0.25
prints "a fixed probability: the log" "0.25" sh -c "tail -n 1 '$work/fixed/log.tsv' | cut -f 10"
check "a fixed probability: another network" sh -c "! cmp -s '$work/fixed/model.sgw' '$work/whole/model.sgw'"
check "a penalty that falls" train "$work/falling" --r1-gamma-last 0.1
check "a penalty that falls: another network" sh -c "! cmp -s '$work/falling/model.sgw' '$work/whole/model.sgw'"
check "portraits that are drawn while training" "$tool" train --config tiny-16 --kimg 0.08 --data portraits --outdir "$work/drawing"

# Rows without a step that took R1 leave its field empty: here only the 1st and the 65th step take it.
check "R1 in few rows" train "$work/seldom" --batch 64 --r1-interval 64 --kimg 2.9
check "R1 in few rows: resumed" train "$work/seldom" --batch 64 --r1-interval 64 --kimg 4.1 --resume
r1_fields() { # RUN
    tail -n +2 "$1/log.tsv" | awk -F '\t' '{ printf NF == 12 ? ($6 == "" ? "- " : $6 > 0 ? "+ " : "? ") : "short " }'
}
check "R1 in few rows: $(r1_fields "$work/seldom")" test "$(r1_fields "$work/seldom")" = "+ - - - + "
check "R1 in few rows: all rows stay" test "$(cut -f 1 "$work/seldom/log.tsv" | tr '\n' ' ')" = "images 1024 2048 2944 3968 4160 "
check "seconds add up: resumed, they go on" sh -c "tail -n +2 '$work/seldom/log.tsv' | cut -f 12 | sort -nc"
check "R1 never" train "$work/never" --r1-gamma 0
check "R1 never: no number that is none" sh -c "! grep -qi nan '$work/never/log.tsv'"

# --- Killed and resumed ---

# The process is killed later each time: while it starts, saves, trains; whatever moment it is, the run goes on. Before there is
# a network in the folder it says that it misses it.
kills=0
for delay in 0.02 0.05 0.1 0.15 0.2 0.25 0.3 0.35 0.4 0.5; do
    resume=
    [ -e "$work/killed/checkpoint.sgt" ] && resume=--resume
    # shellcheck disable=SC2086 # a list of flags
    "$tool" train $settings --data "$pack" --outdir "$work/killed" --snapshot-minutes 0.0005 $resume >"$work/stdout" 2>"$work/stderr" &
    sleep $delay
    kill -9 $! 2>/dev/null && kills=$((kills + 1))
    wait $! 2>/dev/null
    if grep -v "nothing is left\|are not known any more" "$work/stderr" | grep -q stylegan:; then fail "killed after $delay s" "$(cat "$work/stderr")"; fi
done
resume=
[ -e "$work/killed/checkpoint.sgt" ] && resume=--resume
check "resumes after $kills kills" train "$work/killed" $resume
same_run "killed and resumed" "$work/killed"

# States are saved while a run goes on, not only at its end.
saved_images() { # RUN
    [ "$("$tool" info "$1/checkpoint.sgt" 2>/dev/null | sed -n 's/^Images: *//p')" -gt 0 ] 2>/dev/null
}
# shellcheck disable=SC2086 # a list of flags
"$tool" train $settings --kimg 20 --data "$pack" --outdir "$work/snapshots" --snapshot-minutes 0.0005 >"$work/stdout" 2>"$work/stderr" &
wait_for $! saved_images "$work/snapshots"
kill -9 $! 2>/dev/null
wait $! 2>/dev/null
status=$?
check "a snapshot: it comes before the end: exit status $status" test $status -eq 137
check "a snapshot: it has images" saved_images "$work/snapshots"

# Ctrl-C: the shell lets background processes ignore it, so it is sent as SIGTERM. The run is too long to end before.
# shellcheck disable=SC2086 # a list of flags
"$tool" train $settings --kimg 1000 --data "$pack" --outdir "$work/stopped" >"$work/stdout" 2>"$work/stopped.txt" &
while [ ! -e "$work/stopped/checkpoint.sgt" ] && kill -0 $! 2>/dev/null; do sleep 0.1; done
refuses "a second process in the folder" 1 "another process is training" train --resume --data "$pack" --outdir "$work/stopped"
# The lock comes before the state is read, which that process may be replacing.
mkdir "$work/alias"
ln -s ../stopped/log.tsv "$work/alias/log.tsv"
echo damaged >"$work/alias/checkpoint.sgt"
refuses "a second process, before it reads" 1 "another process is training" train --resume --data "$pack" --outdir "$work/alias"
kill $! # and again, as `timeout` does
sleep 0.1
kill $! 2>/dev/null
wait $! 2>/dev/null
status=$?
check "a signal stops a run: exit status $status" test $status -eq 143
check "a signal stops a run in order" grep -q 'stopped; --resume' "$work/stopped.txt"
check "a signal: the run can be resumed" train "$work/stopped" --resume --kimg 0.8
check "a signal: the state was saved" test -s "$work/stopped/checkpoint.sgt"

# In steps: to 0.4 kimg, then to the end; an unfinished line and unfinished files of a killed process are forgotten.
check "half a run" train "$work/half" --kimg 0.4
printf '800\t16\t1\t0.7' >>"$work/half/log.tsv"
for name in model.sgw.123.part checkpoint-previous.sgt.4567.part samples-000000.png.1.part; do : >"$work/half/$name"; done
for name in mine.part model.sgw.part notes.123.part; do echo mine >"$work/half/$name"; done
check "the other half" train "$work/half" --resume
cmp -s "$work/whole/checkpoint.sgt" "$work/half/checkpoint.sgt"
check "the other half: nothing unfinished stays, and what is not the run's" test "$(cd "$work/half" && echo *.part)" = "mine.part model.sgw.part notes.123.part"
rm "$work/half"/*.part
touch -d '2 days ago' "$work/half"/checkpoint*.sgt
prints "a finished run says so" "has seen 0.8 kimg already, nothing is left to 0.8" train "$work/half" --resume
prints "a lower --kimg says so" "has seen 0.8 kimg already, nothing is left to 0.4" train "$work/half" --resume --kimg 0.4
check "nothing left: the checkpoints stay" test -z "$(find "$work/half" -name 'checkpoint*.sgt' -mtime -1)"
size_of() { wc -c <"$1"; }
check "weights in 8 bits" train "$work/half" --resume --dtype i8
size=$(size_of "$work/half/model.sgw")
check "weights in 8 bits: smaller" test "$size" -lt "$(size_of "$work/whole/model.sgw")"
check "weights in 8 bits: so they stay" train "$work/half" --resume
check "weights in 8 bits: as large as before" test "$(size_of "$work/half/model.sgw")" -eq "$size"
cp -r "$work/half" "$work/shorter"
rows=$(wc -l <"$work/shorter/log.tsv")
has_more_rows() { # LOG COUNT
    [ "$(wc -l <"$1")" -gt "$2" ]
}
"$tool" train --resume --kimg 1000 --data "$pack" --outdir "$work/shorter" >/dev/null 2>&1 &
wait_for $! has_more_rows "$work/shorter/log.tsv" "$rows"
kill $!
wait $! 2>/dev/null
status=$?
check "a longer run: exit status $status" test $status -eq 143
"$tool" train --resume --kimg 99 --data "$pack" --outdir "$work/shorter" >/dev/null 2>"$work/lower" &
wait_for $! grep -q "ends at" "$work/lower"
kill $!
wait $! 2>/dev/null
check "a lower end says so" grep -q "ends at 99 kimg now, not at 1000" "$work/lower"
"$tool" portraits --size 16 --count 30 --pack "$work/others.sgd" >/dev/null
prints "other data say so" "learnt from $pack, 300 pictures until now, goes on with $work/others.sgd, 30 pictures" \
    "$tool" train --resume --kimg 0.4 --data "$work/others.sgd" --outdir "$work/half"
echo damaged >"$work/half/model.sgw"
check "a damaged model does not keep a run from going on" train "$work/half" --resume
check "the other half: the log goes on" sh -c "cut -f 1 '$work/half/log.tsv' | sort -nuc"

# --- What is wrong with runs ---

# shellcheck disable=SC2086
{
    refuses "to overwrite a run" 2 "holds a run; continue it with --resume" train $settings --data "$pack" --outdir "$work/whole"
    # A folder with files of its own: none is lost, and none is added.
    for file in log.tsv model.sgw log.png samples-000000.png checkpoint-previous.sgt; do
        mkdir "$work/mine"
        echo "my measurements" >"$work/mine/$file"
        status=2
        [ $file = log.tsv ] && status=1
        refuses "to begin beside $file" $status "$work/mine" train $settings --data "$pack" --outdir "$work/mine"
        check "beside $file: it stays, alone" test "$(cat "$work/mine"/*)" = "my measurements"
        rm -r "$work/mine"
    done
    mkdir "$work/mine"
    cp "$work/whole/log.tsv" "$work/mine"
    refuses "to begin with the log of another run" 2 "log.tsv: is the log of another run" train $settings --data "$pack" --outdir "$work/mine"
    cp "$work/whole/checkpoint.sgt" "$work/mine"
    rm "$work/mine/log.tsv"
    mkfifo "$work/mine/log.tsv"
    # shellcheck disable=SC2016 # the inner shell's
    prints "a log that is a pipe" "log.tsv: is not a file" sh -c '! timeout -s KILL 20 "$@"' - "$tool" train $settings --data "$pack" --outdir "$work/mine"
    rm "$work/mine/log.tsv"
    echo "my measurements" >"$work/mine/log.tsv"
    refuses "to resume with another log" 1 "log.tsv: is not the log of a training run" train --resume --data "$pack" --outdir "$work/mine"
    check "another log stays" grep -q "my measurements" "$work/mine/log.tsv"
    refuses "to resume nothing" 1 "no run to resume" train --resume --data "$pack" --outdir "$left"
    refuses "to resume with other settings" 2 "--batch: a resumed run keeps its settings" train --resume --batch 16 \
        --data "$pack" --outdir "$work/whole"
    refuses "to resume with another preset" 2 "a resumed run keeps its settings" train --resume --config portraits-64 \
        --data "$pack" --outdir "$work/whole"
    refuses "to train without data" 2 "--data is needed" train --outdir "$left"
    refuses "to train into nowhere" 2 "--outdir is needed" train --data "$pack"
    refuses "to train among the data" 2 "--outdir $work/drawn/run: lies in $work/drawn, whose pictures" train $settings --data "$work/drawn" --outdir "$work/drawn/run"
    check "to train among the data: nothing is made there" test ! -e "$work/drawn/run"
    refuses "an unknown preset" 2 "--config huge: there are tiny-16, " train --config huge --data "$pack" --outdir "$left/run"
    refuses "a batch of 6" 2 "--batch must be a multiple of 4" train $settings --batch 6 --data "$pack" --outdir "$left/run"
    refuses "a resolution of 24" 2 "--resolution must be a power of two" train $settings --resolution 24 --data "$pack" --outdir "$left/run"
    refuses "a rate that is no number" 2 "--g-rate fast: not a number" train $settings --g-rate fast --data "$pack" --outdir "$left/run"
    refuses "an unknown loss" 2 "--loss hinge: must be one of relativistic, logistic" train $settings --loss hinge --data "$pack" --outdir "$left/run"
    refuses "an unknown augmentation" 2 "--aug all: must be one of noaug, ada, fixed" train $settings --aug all --data "$pack" --outdir "$left/run"
    refuses "a fixed augmentation without a probability" 2 "--aug fixed needs a p above 0" train $settings --aug fixed --data "$pack" --outdir "$left/run"
    refuses "a probability of augmentations that are adapted" 2 "p is for aug fixed" train $settings --aug ada --p 0.1 --data "$pack" --outdir "$left/run"
    "$tool" portraits --count 1 --size 16 --pack "$work/one.sgd" >/dev/null
    refuses "to hold back the only picture" 1 "one.sgd: one picture, of which --aug ada" train $settings --aug ada --data "$work/one.sgd" --outdir "$left/run"
    refuses "a penalty that rises" 2 "r1-gamma-last must not be larger" train $settings --r1-gamma 1 --r1-gamma-last 2 --data "$pack" --outdir "$left/run"
    refuses "a probability of 2" 2 "--p 2" train $settings --aug fixed --p 2 --data "$pack" --outdir "$left/run"
    refuses "a target of -1" 2 "--target -1" train $settings --aug ada --target -1 --data "$pack" --outdir "$left/run"
    refuses "an unknown instruction set" 2 "--isa mmx: must be one of auto, " train $settings --isa mmx --data "$pack" --outdir "$left/run"
    refuses "an instruction set that is not there" 2 "isa: this processor does not have it" train $settings --isa wasm --data "$pack" --outdir "$left/run"
    refuses "mixed precision without matrix units" 2 "precision bf16 needs matrix units: --isa amx" train $settings --precision bf16 --isa scalar \
        --data "$pack" --outdir "$left/run"
    refuses "an unknown precision" 2 "--precision half: must be one of f32, bf16" train $settings --precision half --data "$pack" --outdir "$left/run"
    refuses "no threads" 2 "--threads 0" train $settings --threads 0 --data "$pack" --outdir "$left/run"
    refuses "an unknown flag" 2 "unknown flag --rate" train $settings --rate 1 --data "$pack" --outdir "$left/run"
    refuses "pictures of another size" 1 "holds pictures of 16 x 16 pixels" train --config tiny-32 --data "$pack" --outdir "$left/run"
    refuses "labels that are not there" 1 "portraits.sgd: has 0 classes, the networks know 4 (--label-size)" train $settings --label-size 4 \
        --data "$pack" --outdir "$left/run"
}
for size in 0 10 1000 100000; do
    mkdir "$work/damaged"
    head -c $size "$work/whole/checkpoint.sgt" >"$work/damaged/checkpoint.sgt"
    refuses "a checkpoint cut to $size bytes" 1 "checkpoint.sgt: " train --resume --data "$pack" --outdir "$work/damaged"
    : >"$work/damaged/checkpoint-previous.sgt"
    refuses "a checkpoint cut to $size bytes: what helps" 1 "; rename checkpoint-previous.sgt, the one before, to checkpoint.sgt" \
        train --resume --data "$pack" --outdir "$work/damaged"
    rm -r "$work/damaged"
done
mkdir "$work/older"
cp "$work/whole/checkpoint.sgt" "$work/older"
printf '\001' | dd of="$work/older/checkpoint.sgt" bs=1 seek=6 conv=notrunc 2>/dev/null
refuses "a checkpoint of an older version" 1 "checkpoint.sgt: a training state of another version" train --resume --data "$pack" --outdir "$work/older"

# --- What is wrong with data ---

mkdir "$work/empty" "$work/one-picture" "$work/text" "$work/mixed"
cp "$work/drawn/seed0000.png" "$work/one-picture"
cp "$work/drawn"/seed*.png "$work/mixed"
echo "not a picture" >"$work/text/text.png"
cp "$work/text/text.png" "$work/mixed"
# shellcheck disable=SC2086
while IFS='|' read -r name text data; do
    refuses "$name" 1 "$text" train $settings --data "$work/$data" --outdir "$left/run"
done <<END
data that are not there|nowhere: |nowhere
an empty folder|empty: |empty
a folder with one picture|at least two are needed|one-picture
text named .png|at least two are needed|text
a text as packed file|text.png: |text/text.png
END
prints "names the files of a folder that are no pictures" "text.png: skipped" "$tool" train --config tiny-16 --kimg 0.08 \
    --data "$work/mixed" --outdir "$work/from-folder"
if [ "$(id -u)" -ne 0 ]; then # root reads everything
    chmod a-r "$work/mixed"/seed*.png
    refuses "a folder of unreadable pictures" 1 "at least two are needed" train --config tiny-16 --data "$work/mixed" --outdir "$left/run"
fi

# --- Outputs that cannot be written ---

: >"$work/file"
# shellcheck disable=SC2086
{
    refuses "a file as folder" 1 "cannot create the folder" train $settings --data "$pack" --outdir "$work/file"
    refuses "a folder that cannot be made" 1 "cannot create the folder" train $settings --data "$pack" --outdir /proc/run
    mkdir -p "$work/blocked/model.sgw" # stands where a file should go
    refuses "a folder as model" 2 "holds model.sgw, but no run" train $settings --data "$pack" --outdir "$work/blocked"
}

# A full disk: the new checkpoint cannot be written, the last two stay.
filled() { # NAME REASON FOLDER: what is left of $work/half where the disk filled up
    check "$1: fails with the reason" grep -q "checkpoint.sgt: cannot write: $2" "$work/full-disk"
    check "$1: the last checkpoint stays" cmp "$3/checkpoint.sgt" "$work/half/checkpoint.sgt"
    check "$1: the one before stays" cmp "$3/checkpoint-previous.sgt" "$work/half/checkpoint-previous.sgt"
    check "$1: nothing unfinished stays" test -z "$(find "$3" -name '*.part')"
}
cp -r "$work/half" "$work/full"
(ulimit -f 100 && exec "$tool" train --resume --kimg 1.2 --data "$pack" --outdir "$work/full") >/dev/null 2>"$work/full-disk"
filled "a limit on files" "File too large" "$work/full"
mkdir "$work/none"
(ulimit -f 100 && exec "$tool" train --config tiny-16 --data "$pack" --outdir "$work/none/run") >/dev/null 2>"$work/full-disk"
check "a limit on files: a new run fails with the reason" grep -q "cannot write: File too large" "$work/full-disk"
check "a limit on files: a new run leaves nothing" test -z "$(ls "$work/none")"

# The same on a disk with room for half a checkpoint more, where one can be mounted.
mkdir "$work/disk" "$work/was-on-disk"
room=$(($(du -sk "$work/half" | cut -f 1) + $(wc -c <"$work/half/checkpoint.sgt") / 2048))k
# shellcheck disable=SC2016 # the inner shell's
if unshare --mount --map-root-user sh -c '
    mount -t tmpfs -o size="$1" none "$2" && cp -r "$3"/. "$2" || exit
    "$4" train --resume --kimg 1.2 --data "$5" --outdir "$2" >/dev/null 2>"$6"
    cp -r "$2"/. "$7"' sh "$room" "$work/disk" "$work/half" "$tool" "$pack" "$work/full-disk" "$work/was-on-disk" 2>"$work/stderr"
then filled "a full disk" "No space left on device" "$work/was-on-disk"
else echo "skipped: a full disk: $(head -n 1 "$work/stderr")"; fi

# --- Evaluation ---

table=$work/table
value() { # MEASURE COLUMN
    sed -n "s/^$1	//p" "$table" | cut -f "$2"
}
larger() { # A B
    awk "BEGIN { exit !($1 > $2) }"
}
evaluate() {
    "$tool" evaluate "$work/whole/model.sgw" "$@" >"$table"
}
check "evaluate" evaluate --data "$pack" --count 50
check "evaluate: counts" test "$(value pictures 1) $(value pictures 2)" = "50 50"
check "evaluate: what hardly learnt is far from the floor" larger "$(value swd_average 3)" 1.5
check "evaluate: a diversity" larger "$(value diversity 3)" 0
cp "$table" "$work/table-before"
check "evaluate again, on one thread" evaluate --data "$pack" --count 50 --threads 1
check "evaluate again: the same figures" cmp "$table" "$work/table-before"
prints "evaluate with few pictures" "two sets of 2, not of 2000" evaluate --data "$work/mixed"
check "evaluate with few pictures: counts" test "$(value pictures 1) $(value pictures 2)" = "2 2"
refuses "to evaluate without data" 2 "--data is needed" evaluate "$work/whole/model.sgw"
refuses "to evaluate a missing model" 1 "nowhere.sgw: cannot read" evaluate nowhere.sgw --data "$pack"
refuses "to compare with one picture" 1 "at least two are needed" evaluate "$work/whole/model.sgw" --data "$work/one-picture"
refuses "to compare one picture" 2 "--count 1" evaluate "$work/whole/model.sgw" --data "$pack" --count 1
check "a small network" "$tool" bench sg1-8 --runs 1 --save "$work/small.sgw"
refuses "to compare pictures of 8x8" 1 "RGB squares of 16x16" evaluate "$work/small.sgw" --data "$pack"

# What a network sees that knows drawn portraits: its figures are for these alone.
evaluate_portraits() {
    "$tool" evaluate examples/portraits-64.sgw --count 40 "$@" >"$table" 2>"$work/notes"
}
check "evaluate portraits" evaluate_portraits --data portraits
for measure in frechet precision recall; do
    check "evaluate portraits: $measure of the factors" larger "0$(value factors_$measure 1)" 0
done
check "a network of other pictures" "$tool" bench sg2-64 --runs 1 --save "$work/random.sgw"
check "other pictures" "$tool" generate "$work/random.sgw" --seeds 0-79 --trunc 1 --noise-mode random --outdir "$work/random"
check "evaluate with other pictures" evaluate_portraits --data "$work/random"
check "evaluate with other pictures: figures of factors are not for them" grep -q "no drawn portraits" "$work/notes"
check "evaluate with other pictures: there are none" test -z "$(value factors_frechet 1)"
check "evaluate with other pictures: none is copied" larger "$(value nearest_training 1)" "$(value nearest_training 2)"
copies() {
    "$tool" evaluate "$work/random.sgw" --data "$work/random" --count 40 --nearest "$work/nearest.png" >"$table"
}
check "evaluate copies" copies
check "evaluate copies: they are seen" test "$(value nearest_training 1)" = 0
prints "evaluate copies: a sheet shows them" "Size: 640 x 384" "$tool" info "$work/nearest.png"
prints "evaluate copies: not all of the sheet is synthetic" "compositeWithTrained" "$tool" info "$work/nearest.png"
refuses "to write the sheet nowhere" 1 "nowhere/nearest.png" evaluate "$work/random.sgw" --data "$work/random" \
    --count 4 --nearest "$work/nowhere/nearest.png"
factors() {
    "$tool" factors examples/portraits-64.sgw "$@" >"$table"
}
check "factors" factors --seeds 3-5
check "factors: a line for each seed" test "$(cut -f 1 "$table" | tr '\n' ' ')" = "seed 3 4 5 "
cut -f 2- "$table" >"$work/of-seeds"
check "factors: their ws" "$tool" map examples/portraits-64.sgw --seeds 3-5 --save-npy "$work/ws.npy"
check "factors of ws" factors --ws "$work/ws.npy"
cut -f 2- "$table" >"$work/of-ws"
check "factors of ws: the same" cmp "$work/of-seeds" "$work/of-ws"
check "mixed styles" factors --mixing 20
check "mixed styles: pose comes with the coarse ones" larger "$(value 'all: pose' 2)" 0.6
check "mixed styles: all of A" factors --mixing 5 --styles 0-9
check "mixed styles: all of A: so is what is seen" test "$(value 'all: colours' 2)" = 1.000

# --- The example ---

check "train_step" "$build/examples/train_step" "$work/train_step.ppm" 20
check "train_step: a picture" sh -c "head -c 2 '$work/train_step.ppm' | grep -q P6"

exit $failed

#!/bin/sh
# Wrong kinds of files: each command is given each kind that is not its own, says in one line what it is or is not, and
# leaves nothing.
. tests/checks.sh
golden=tests/golden/sg2-ada-64
model=examples/portraits-64.sgw

"$tool" generate $model --seeds 1 --outdir "$work" || exit
"$tool" portraits --count 4 --size 16 --pack "$work/people.sgd" >"$work/stdout" || exit
"$tool" train --config tiny-16 --kimg 0.04 --data "$work/people.sgd" --outdir "$work/run" >"$work/stdout" || exit
echo "just a text, and not a short one: longer than any magic number" >"$work/text.txt"
"$tool" convert tests/golden/sg1-cond-32/model.pkl "$work/conditional.sgw" >"$work/stdout" || exit
kinds="weights=$model picture=$work/seed0001.png packed=$work/people.sgd state=$work/run/checkpoint.sgt array=$golden/ws.npy
    archive=tests/arrays/stored.npz checkpoint=$golden/model.pkl text=$work/text.txt"

# wrong COMMAND KIND TEXT ARGUMENTS...: FILE among the arguments stands for a file of the kind.
wrong() {
    what="$1: $2" kind=$2 text=$3
    shift 3
    for pair in $kinds; do [ "${pair%%=*}" = "$kind" ] && file=${pair#*=}; done
    # shellcheck disable=SC2046 # paths without spaces
    refuses "$what" 1 "$file: $text" $(printf '%s\n' "$@" | sed "s|^FILE\$|$file|")
}

for use in generate video map mix directions edit project bench embed evaluate factors; do
    case $use in
    generate) arguments="--seeds 1 --outdir $left/out" ;;
    video) arguments="--seeds 1 -o $left/x.y4m" ;;
    map) arguments="--seeds 1 --save-npy $left/ws.npy" ;;
    mix) arguments="--rows 1 --cols 2 --outdir $left/out" ;;
    directions) arguments="-o $left/x.npy" ;;
    edit) arguments="--seeds 1 --from-seeds 1 --to-seeds 2 --outdir $left/out" ;;
    bench) arguments="--runs 1" ;;
    embed) arguments="-o $left/x.h" ;;
    evaluate) arguments="--data $work/people.sgd" ;;
    project) arguments="--target $work/seed0001.png --num-steps 2 --outdir $left/out" ;;
    factors) arguments="--seeds 1" ;;
    esac
    while IFS='|' read -r kind text; do
        # shellcheck disable=SC2086 # a list of flags
        wrong $use "$kind" "$text" $use FILE $arguments </dev/null
    done <<'END'
picture|is a picture, not a model
packed|holds packed pictures, not a model
state|is a training state; the model is model.sgw beside it
array|is an array, not a model
checkpoint|is a checkpoint; convert it first: stylegan convert
text|not a weight file
END
done
for flag in --ws --latents --labels --projected-w; do
    seeds=
    [ $flag = --labels ] && seeds="--seeds 1"
    for kind in weights picture packed state checkpoint text; do
        # shellcheck disable=SC2086 # a list of flags
        wrong "generate $flag" $kind "not a NumPy array" generate "$work/conditional.sgw" $seeds $flag FILE --outdir "$left/out"
    done
done
for kind in weights picture packed state checkpoint text; do
    wrong "edit --direction" $kind "not a NumPy array" edit $model --seeds 1 --direction FILE --outdir "$left/out"
    [ $kind = text ] || wrong "edit --fit" $kind "is no text" edit $model --seeds 1 --fit FILE --outdir "$left/out"
done
for kind in weights packed state array archive checkpoint text; do
    wrong "generate --like" $kind "is not a PNG picture" generate $model --like FILE --outdir "$left/out"
    [ $kind = packed ] || wrong "train --data" $kind "neither a folder nor a packed file" train --config tiny-16 --data FILE --outdir "$left/run"
    [ $kind = packed ] || wrong "evaluate --data" $kind "neither a folder nor a packed file" evaluate $model --data FILE
    [ $kind = packed ] || wrong "pack" $kind "neither a folder nor a packed file" pack FILE -o "$left/x.sgd"
done
wrong convert weights "this is a weight file already" convert FILE "$left/x.sgw"
wrong convert archive "zip: no data.pkl inside" convert FILE "$left/x.sgw"
for kind in picture packed state array text; do
    wrong convert $kind "neither a pickle nor a file of torch.save" convert FILE "$left/x.sgw"
done
wrong info text "not a weight file" info FILE
wrong info array "is an array, not a model" info FILE
wrong info checkpoint "is a checkpoint; convert it first" info FILE

exit $failed

#!/bin/sh
# Wrong order: flags may stand anywhere behind the command; what stands before it is told so.
. tests/checks.sh
model=examples/portraits-64.sgw

check "flags before the model" "$tool" generate --seeds 1 --outdir "$work/before" $model
check "flags behind the model" "$tool" generate $model --seeds 1 --outdir "$work/behind"
check "the same picture" cmp "$work/before/seed0001.png" "$work/behind/seed0001.png"
check "an equals sign" "$tool" generate --seeds=1 $model "--outdir=$work/equals"
check "the last of two flags counts" "$tool" generate $model --seeds 2 --seeds 1 --outdir "$work/last"
check "and only that" test "$(ls "$work/last")" = seed0001.png
refuses "flags before the command" 2 "--seeds: the command comes first: stylegan generate ..." --seeds 1 generate $model
refuses "a model before the command" 2 "the command comes first: stylegan generate ..." $model generate --seeds 1
refuses "a model as command" 2 "a command comes first, such as: stylegan info $model" $model --seeds 1
refuses "convert into a checkpoint" 1 "cannot read" convert missing.pkl "$left/out.sgw"
refuses "seeds as an argument" 2 "unexpected argument 85" generate $model 85
refuses "a single dash" 2 "unknown flag -seeds; did you mean --seeds?" generate $model -seeds 1
refuses "an output as an argument" 2 "unexpected argument out.sgd" pack photographs out.sgd

exit $failed

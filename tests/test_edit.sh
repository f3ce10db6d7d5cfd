#!/bin/sh
# test_edit.sh - the commands `directions` and `edit`: what they write, what they refuse. Prints "ok NAME" or "FAIL NAME: why".
. tests/checks.sh
golden=tests/golden pngdiff=$build/tests/pngdiff
model=examples/portraits-64-stylegan1.sgw
for case in sg1-cond-32 sg2-ada-64 sg2-rect-64 sg2-ada-cond-32-clamp sg3-t-64; do
    "$tool" convert "$(ls $golden/$case/model.*)" "$work/$case.sgw" --dtype f32 >/dev/null || exit 1
done

# same NAME FOLDER FILE PICTURE: a picture of a folder is that one, to the rounding of a step.
same() {
    check "$1" "$pngdiff" "$work/$2/$3" "$4"
}

# size FILE: of a picture, as info tells it.
size() {
    "$tool" info "$1" | sed -n 's/^Size: //p'
}

# --- directions ---

found=$work/found
mkdir "$found"
check "directions: pca" "$tool" directions $model --samples 3000 --count 3 -o "$found/pca.npy"
files "directions: array, names and sheet" "$found" pca.npy pca.txt pca.png
check "directions: a sheet of three people" test "$(size "$found/pca.png")" = "640 x 192"
check "directions: over its own sheet" "$tool" directions $model --samples 3000 --count 3 -o "$found/pca.npy"
check "directions: room for names" test "$(tr '\t\n' '>|' <"$found/pca.txt")" = "0>|1>|2>|"
prints "directions: the sheet says what it is" "Direction: pca.npy, each row another one" "$tool" info "$found/pca.png"
check "directions: one thread" "$tool" directions $model --samples 3000 --count 3 --threads 1 --no-sheet -o "$work/one.npy"
check "directions: same bits for any number of threads" cmp "$found/pca.npy" "$work/one.npy"
check "directions: no sheet" test ! -e "$work/one.png"
check "directions: sefa" "$tool" directions $model --method sefa --layers 0-3 --samples 3000 --count 2 -o "$found/sefa.npy" --seeds 4,7,22 \
    --range 0..2 --noise-mode none
printf '# named by me\n0\tage\n2\tdark hair\r\n' >"$found/pca.txt"
cp "$found/pca.txt" "$work/names"
prints "directions: again, over names" "pca.txt: kept" "$tool" directions $model --samples 2000 --count 3 --no-sheet -o "$found/pca.npy"
check "directions: names are the user's" cmp "$found/pca.txt" "$work/names"
for case in sg1-cond-32 sg2-ada-64 sg2-rect-64 sg2-ada-cond-32-clamp sg3-t-64; do
    for method in pca sefa; do
        check "directions: $method of $case" "$tool" directions "$work/$case.sgw" --method $method --samples 500 --count 2 \
            -o "$work/$case-$method.npy"
    done
done
check "directions: a rectangle's sheet" test "$(size "$work/sg2-rect-64-pca.png")" = "320 x 128"
check "directions: of one class" "$tool" directions "$work/sg1-cond-32.sgw" --class 2 --samples 500 --count 2 --no-sheet -o "$work/class.npy"
differs "directions: of one class are others" cmp "$work/class.npy" "$work/sg1-cond-32-pca.npy"

# --- edit: steps ---

edit() { # edit FOLDER FLAGS...
    folder=$work/$1
    shift
    "$tool" edit $model --outdir "$folder" "$@"
}

pca="--direction $found/pca.npy"
check "generate" "$tool" generate $model --seeds 4,7 --outdir "$work/plain" --save-npy "$work/plain.npy"
# shellcheck disable=SC2086
{
    check "edit" edit edited --seeds 4,7 $pca --index 1 --range -2..2 --steps 5
    files "edit: names" "$work/edited" grid.png seed0004-edit00.png seed0004-edit01.png seed0004-edit02.png seed0004-edit03.png \
        seed0004-edit04.png seed0007-edit00.png seed0007-edit01.png seed0007-edit02.png seed0007-edit03.png seed0007-edit04.png
    same "edit: the middle is the picture itself" edited seed0007-edit02.png "$work/plain/seed0007.png"
    check "edit: a row for each picture" test "$(size "$work/edited/grid.png")" = "320 x 128"
    check "edit: its place" "$pngdiff" "$work/edited/grid.png" 4 1 "$work/edited/seed0007-edit04.png"
    differs "edit: the last is another" "$pngdiff" "$work/edited/seed0007-edit04.png" "$work/plain/seed0007.png"
    differs "edit: the first is yet another" "$pngdiff" "$work/edited/seed0007-edit00.png" "$work/edited/seed0007-edit04.png"
    for note in "Seed: 7" "Direction: pca.npy, 1" "Moved Layers: 0-9" "Step: 2" "Psi: 0.7"; do
        prints "edit: says $note" "$note" "$tool" info "$work/edited/seed0007-edit04.png"
    done
    prints "edit: the sheet says its range" "Range: -2..2" "$tool" info "$work/edited/grid.png"
    refuses "--like of an edited picture" 1 "was edited along pca.npy, 1" generate $model --like "$work/edited/seed0007-edit04.png" \
        --outdir "$left/out"
    check "edit: by name" edit named --seeds 4 $pca --index "dark hair" --range 1..1 --steps 1
    check "edit: by its number" edit numbered --seeds 4 $pca --index 2 --range 1..1 --steps 1
    check "edit: the same picture" "$pngdiff" "$work/named/seed0004-edit00.png" "$work/numbered/seed0004-edit00.png"
    prints "edit: the name in the notes" "Direction: pca.npy, 2 dark hair" "$tool" info "$work/named/seed0004-edit00.png"
    check "edit: columns are steps" edit grid --seeds 4,7 $pca --index 0 --grid 3x2
    check "edit: as many" test "$(find "$work/grid" -name 'seed*' | wc -l)" -eq 6
    check "edit: in thirds" edit thirds --seeds 4 $pca --index 0 --range 0..1 --steps 4 --no-sheet
    prints "edit: says all digits of a step" "Step: 0.333333333" "$tool" info "$work/thirds/seed0004-edit01.png"
    check "edit: no sheet" edit single --seeds 4,7 $pca --index 1 --range -2..2 --steps 2 --no-sheet
    files "edit: single pictures without a sheet" "$work/single" seed0004-edit00.png seed0004-edit01.png seed0007-edit00.png \
        seed0007-edit01.png
    same "edit: the same pictures without a sheet" single seed0007-edit01.png "$work/edited/seed0007-edit04.png"
    check "edit: no layers of all" edit coarse --seeds 4 $pca --index 0 --layers 0-1 --range 2..2 --steps 1 --save-ws "$work/coarse.npy"
    check "edit: a layer twice is moved once" edit twice --seeds 4 $pca --index 0 --layers 0,1,0 --range 2..2 --steps 1
    check "edit: the same, once" "$pngdiff" "$work/coarse/seed0004-edit00.png" "$work/twice/seed0004-edit00.png"
    check "edit: all layers" edit all --seeds 4 $pca --index 0 --range 2..2 --steps 1
    differs "edit: all layers are another picture" "$pngdiff" "$work/coarse/seed0004-edit00.png" "$work/all/seed0004-edit00.png"
    check "edit: its ws" "$tool" generate $model --ws "$work/coarse.npy" --outdir "$work/coarse-ws"
    same "edit: its ws draw it" coarse seed0004-edit00.png "$work/coarse-ws/img0000.png"
    check "edit: random noise" edit noise --seeds 4,4 $pca --index 0 --range 0..0 --steps 2 --noise-mode random --noise-seed 5
    same "edit: the same noise for all steps of a picture" noise seed0004-0-edit00.png "$work/noise/seed0004-0-edit01.png"
    prints "edit: and its seed" "Noise Seed: 5" "$tool" info "$work/noise/seed0004-0-edit01.png"
    check "edit: no metadata" edit bare --seeds 4 $pca --index 0 --steps 1 --no-metadata
    check "edit: pictures say nothing" test "$("$tool" info "$work/bare/seed0004-edit00.png" | grep -cE 'Seed|Direction|Synthetic')" -eq 0
}

# --- edit: from ws; directions of other kinds ---

check "map" "$tool" map $model --seeds 4,7 --save-npy "$work/ws.npy"
check "edit --ws --from-seeds --to-seeds" edit ws --ws "$work/ws.npy" --from-seeds 4 --to-seeds 7 --range 0..1 --steps 3 \
    --save-direction "$work/from4to7.npy"
same "edit: step 0 is where it starts" ws img0000-edit00.png "$work/plain/seed0004.png"
same "edit: step 1 is where it leads" ws img0000-edit02.png "$work/plain/seed0007.png"
check "edit --direction as it was saved" edit saved --projected-w "$work/ws.npy" --direction "$work/from4to7.npy" --range 0..1 --steps 3
same "edit: the same half way" saved img0000-edit01.png "$work/ws/img0000-edit01.png"
check "edit --from-seeds with --trunc" edit strong --seeds 4 --trunc 1 --from-seeds 4 --to-seeds 7 --range 0..1 --steps 2
check "generate --trunc 1" "$tool" generate $model --seeds 7 --trunc 1 --outdir "$work/strong-plain"
same "edit: truncation holds for both" strong seed0004-edit01.png "$work/strong-plain/seed0007.png"
check "edit: groups of seeds" edit groups --seeds 4 --from-seeds 1-3 --to-seeds 4,7 --range 0..1 --steps 2
prints "edit: says which" "Direction: seeds 1-3 to seeds 4,7" "$tool" info "$work/groups/seed0004-edit01.png"
printf 'seed\tsmile\tage\n' >"$work/labels.tsv"
for seed in 0 1 2 3 4 5 6 7 8 9; do printf '%d\t%d\t%d.5\n' $seed $((seed % 3)) $((seed * seed % 7)); done >>"$work/labels.tsv"
check "edit --fit" edit fitted --seeds 4 --fit "$work/labels.tsv" --ridge 1 --index age --save-direction "$work/age.npy" --steps 3
check "edit --save-direction: its name" test "$(cat "$work/age.txt")" = "0	age"
cp "$found/pca.npy" "$work/named.npy"
printf '1\tsecond\n' >"$work/named.txt"
refuses "edit --save-direction: over other names" 1 "named.txt: holds other names" \
    edit $model --seeds 4 $pca --index 0 --save-direction "$work/named.npy" --outdir "$left/out"
check "edit --save-direction: what is there stays" cmp "$found/pca.npy" "$work/named.npy"
check "edit --save-direction to a device" "$tool" edit $model --seeds 4 $pca --index 0 --steps 1 --save-direction /dev/null \
    --outdir "$work/nothing"
check "edit --save-direction to a device: no names" test ! -e /dev/null.txt
check "edit --direction fitted" edit refitted --seeds 4 --direction "$work/age.npy" --steps 3
check "edit: the same as fitted" "$pngdiff" "$work/fitted/seed0004-edit02.png" "$work/refitted/seed0004-edit02.png"
check "directions --fit" "$tool" directions $model --fit "$work/labels.tsv" --ridge 1 -o "$found/labelled.npy"
check "directions --fit: names" test "$(tr '\t\n' '>|' <"$found/labelled.txt")" = "0>smile|1>age|"
check "edit: by a fitted name" edit by-name --seeds 4 --direction "$found/labelled.npy" --index age --steps 3
check "edit: the same direction" "$pngdiff" "$work/fitted/seed0004-edit00.png" "$work/by-name/seed0004-edit00.png"
check "directions --fit again" "$tool" directions $model --fit "$work/labels.tsv" --no-sheet -o "$found/labelled.npy"
sed 's/smile/joy/' "$work/labels.tsv" >"$work/joy.tsv"
prints "directions --fit: other names are refused" "labelled.txt: holds other names" \
    sh -c "! '$tool' directions $model --fit '$work/joy.tsv' -o '$found/labelled.npy'"
cut -f 1,2 "$work/labels.tsv" | sed 1d >"$work/plain.tsv"
prints "edit --fit: warns of chance" "w hardly tells it" edit chance --seeds 4 --fit "$work/plain.tsv" --steps 1
check "edit: sg3" "$tool" edit "$work/sg3-t-64.sgw" --seeds 1 --direction "$work/sg3-t-64-pca.npy" --index 0 --layers 0 --outdir "$work/edit3" \
    --translate 0.1,0
check "edit: a rectangle" "$tool" edit "$work/sg2-rect-64.sgw" --seeds 1 --direction "$work/sg2-rect-64-sefa.npy" --index 1 --outdir "$work/upright"
check "edit: a class" "$tool" edit "$work/sg1-cond-32.sgw" --seeds 1 --class 3 --from-seeds 1 --to-seeds 2 --outdir "$work/classes"
check "edit: of ws, a class for the seeds" "$tool" edit "$work/sg1-cond-32.sgw" --ws $golden/sg1-cond-32/ws.npy --class 3 --from-seeds 1 \
    --to-seeds 2 --outdir "$work/classes"

# --- examples/editing.md: its commands run, and draw its figures ---

mkdir "$work/page"
case $tool in /*) path=$(dirname "$tool") ;; *) path=$PWD/$(dirname "$tool") ;; esac
ln -s "$PWD/examples" "$work/page/examples"
sed -n '/^```sh$/,/^```$/p' examples/editing.md | grep -v '^```' >"$work/page/commands"
check "examples/editing.md" sh -c "cd '$work/page' && PATH='$path:$PATH' sh -e commands"
for figure in turn age light-hair coarse between glasses; do
    check "examples/editing.md: $figure" test "$(size "$work/page/out/$figure/grid.png")" = "$(size examples/editing/$figure.png)"
done
check "examples/editing.md: directions" test "$(size "$work/page/out/directions.png")" = "$(size examples/editing/directions.png)"

# The directions in examples/ are made again from fewer pictures, where the tool can see what is in them.
if "$tool" factors --help >/dev/null 2>&1; then
    sed 's/0-2999/0-59/' examples/editing/portraits.sh >"$work/portraits.sh"
    check "examples/editing/portraits.sh" env TOOL="$tool" sh "$work/portraits.sh" examples/portraits-64.sgw "$work/portraits.npy"
    check "examples/editing/portraits.sh: names" cmp "$work/portraits.txt" examples/editing/portraits.txt
fi

# --- What is wrong ---

out="--outdir $left/out"
while IFS='|' read -r name status text flags; do
    # shellcheck disable=SC2086
    refuses "edit: $name" "$status" "$text" edit $model $out $flags
done <<END
no direction|2|give one of --direction, --fit and --from-seeds|--seeds 1
two directions|2|give one of --direction, --fit and --from-seeds|--seeds 1 $pca --fit x.tsv
half a difference|2|need each other|--seeds 1 --to-seeds 2
no pictures|2|give one of --seeds, --latents and --ws|$pca
no index|2|pca.npy: holds 3 directions; choose one with --index|--seeds 1 $pca
an index out of range|2|--index 3: must be from 0 to 2|--seeds 1 $pca --index 3
a negative index|2|--index -1: $found/pca.npy has no direction of that name|--seeds 1 $pca --index -1
an unknown name|2|has no direction of that name; did you mean age?|--seeds 1 $pca --index agee
an index of a difference|2|--index has no effect|--seeds 1 --from-seeds 1 --to-seeds 2 --index 0
a ridge without fit|2|--ridge needs --fit|--seeds 1 $pca --index 0 --ridge 1
a ridge of nothing|2|--ridge 0: must be|--seeds 1 --fit $work/labels.tsv --index age --ridge 0
a range of one number|2|--range 3: must be two numbers such as -3..3|--seeds 1 $pca --index 0 --range 3
a range of no numbers|2|--range a..3: must be two numbers|--seeds 1 $pca --index 0 --range a..3
a range without end|2|--range 3..: must be two numbers|--seeds 1 $pca --index 0 --range 3..
a range of dots|2|--range ..: must be two numbers|--seeds 1 $pca --index 0 --range ..
a range of three dots|2|--range -3...3: must be two numbers|--seeds 1 $pca --index 0 --range -3...3
a range too far|2|--range 0..1e9: must be from -1000 to 1000|--seeds 1 $pca --index 0 --range 0..1e9
no steps|2|--steps 0: must be|--seeds 1 $pca --index 0 --steps 0
a grid too small|2|has no room for 2 images of 3 steps|--seeds 1,2 $pca --index 0 --grid 3x1
a sheet that is none|2|--grid and --no-sheet exclude each other|--seeds 1 $pca --index 0 --grid 3x1 --no-sheet
too large a sheet|1|the sheet: 64000 x 5632 pixels are too many|--seeds 0-87 $pca --index 0 --steps 1000
no folder for as many single pictures|1|cannot create the folder|--seeds 0-87 $pca --index 0 --steps 1000 --no-sheet --outdir /proc/out
layers out of range|2|--layers 0-10|--seeds 1 $pca --index 0 --layers 0-10
truncation of ws|2|--trunc has no effect on --ws|--ws $work/ws.npy --trunc 1 $pca --index 0
directions of another network|1|its shape is [2, 40]|--seeds 1 --direction $work/sg1-cond-32-pca.npy --index 0
an image as direction|1|its shape is|--seeds 1 --direction $work/plain.npy
a model as direction|1|not a NumPy array|--seeds 1 --direction $model
a model as labels|1|is no text|--seeds 1 --fit $model
missing labels|1|/nowhere.tsv: cannot read|--seeds 1 --fit /nowhere.tsv
a folder as labels|1|is a folder|--seeds 1 --fit $work
bad seeds of a group|2|--from-seeds 3-1|--seeds 1 --from-seeds 3-1 --to-seeds 2
a folder that cannot be made|1|cannot create the folder|--seeds 1 $pca --index 0 --outdir /proc/out
an array below nowhere|1|cannot write|--seeds 1 $pca --index 0 --save-ws $left/nowhere/ws.npy
a direction below nowhere|1|cannot write|--seeds 1 $pca --index 0 --save-direction $left/nowhere/d.npy
END
refuses "edit: a conditional network without class" 2 "--class (0 to 4)" edit "$work/sg1-cond-32.sgw" --seeds 1 \
    --direction "$work/sg1-cond-32-pca.npy" --index 0 --outdir "$left/out"

# labels NAME TEXT CONTENT: a file of labels that is refused, content as printf has it.
labels() {
    # shellcheck disable=SC2059
    printf -- "$3" >"$work/bad.tsv"
    refuses "labels: $1" 1 "bad.tsv: $2" edit $model --seeds 1 --fit "$work/bad.tsv" --outdir "$left/out"
}
labels "none" "has 0 seeds" ""
labels "only names" "has 0 seeds" "seed\tsmile\n"
labels "two" "has 2 seeds with values; 3 are needed" "1\t1\n2\t2\n"
labels "all alike" "all values of column 1 are the same" "1\t5\n2\t5\n3\t5\n"
labels "all alike, in more seeds" "all values of column 1 are the same" "$(seq -f '%g\t1\n' 0 9 | tr -d '\n')"
labels "one seed only" "its seeds have all the same w" "1\t5\n1\t6\n1\t7\n"
labels "no tab" "line 2: must be a seed, a tab and a value" "1\t5\n2 5\n"
labels "no value" "line 2: nothing is not a number" "1\t5\n2\t\n3\t3\n"
labels "a value in words" "line 3: good is not a number" "1\t5\n# so so\n2\tgood\n"
labels "an infinite value" "line 1: inf is not a number" "1\tinf\n"
labels "a negative seed" "line 2: -3 is no seed" "1\t5\n-3\t5\n"
labels "a negative first seed" "line 1: -3 is no seed" "-3\t5\n"
labels "two, the first as fractions are written" "has 2 seeds with values" "0.0\t1\n1.0\t2\n"
labels "two behind the mark of UTF-8" "has 2 seeds with values" "\357\273\2770\t1\n1\t2\n"
labels "half a seed" "line 2: 1.5 is no seed" "1\t5\n1.5\t5\n"
labels "too large a seed" "line 1: 4294967296 is no seed" "4294967296\t5\n"
labels "more values than before" "line 2: has 2 values, the lines before have 1" "1\t5\n2\t5\t6\n"
labels "values beyond numbers" "the values of column 1 are too large or too small" "1\t1e308\n2\t-1e308\n3\t1e308\n4\t0\n"
labels "squares beyond numbers" "the values of column 1 are too large or too small" "1\t1e200\n2\t1\n3\t5\n"
labels "a name twice" "line 1: two values are called age" "seed\tage\tsmile\tage\n1\t1\t2\t3\n2\t2\t3\t4\n3\t1\t1\t1\n"
labels "bytes" "is no text" "1\t5\n2\t\000\n"

# names NAME TEXT CONTENT: the same beside an array.
names() {
    cp "$found/sefa.npy" "$work/odd.npy"
    # shellcheck disable=SC2059
    printf "$3" >"$work/odd.txt"
    refuses "names: $1" 1 "odd.txt: $2" edit $model --seeds 1 --direction "$work/odd.npy" --index 0 --outdir "$left/out"
}
names "an index too large" "line 1: index 2, but there are directions 0 to 1" "2\tage\n"
names "no index" "line 2: must be an index, a tab and a name" "0\tage\nsmile\n"
names "three fields" "line 1: must be an index, a tab and a name" "0\tage\tsmile\n"
printf '0\tage\n1\tage\n' >"$work/odd.txt"
refuses "names: one of two directions" 1 "odd.npy: two directions are called age, 0 and 1" edit $model --seeds 1 --direction "$work/odd.npy" \
    --index age --outdir "$left/out"
check "names: one of two directions, by its number" edit numbered --seeds 1 --direction "$work/odd.npy" --index 1 --steps 1

while IFS='|' read -r name status text flags; do
    # shellcheck disable=SC2086
    refuses "directions: $name" "$status" "$text" directions $model $flags
done <<END
no file|2|give the file to write: -o FILE.npy|--method pca
standard output|2|-o -: names and a sheet|-o -
an unknown method|2|--method umap: must be pca or sefa|--method umap -o $left/x.npy
no directions|2|--count 0: must be from 1 to 128|--count 0 -o $left/x.npy
more than w has|2|--count 129: must be from 1 to 128|--count 129 -o $left/x.npy
more than the samples|1|--count 20: there are only 9 directions|--count 20 --samples 10 -o $left/x.npy
one sample|2|--samples 1: must be|--samples 1 -o $left/x.npy
method and fit|2|--fit excludes --method|--fit $work/labels.tsv --method pca -o $left/x.npy
a ridge without fit|2|--ridge needs --fit|--ridge 1 -o $left/x.npy
four people|2|--seeds 0-3|--seeds 0-3 -o $left/x.npy
two people|2|--seeds 0,1: must be three|--seeds 0,1 -o $left/x.npy
a range of one number|2|--range 3|--range 3 -o $left/x.npy
layers out of range|2|--layers 12|--layers 12 -o $left/x.npy
below nowhere|1|cannot write|--samples 100 -o $left/nowhere/x.npy
its own sheet|2|x.png: the sheet has that name|--samples 100 -o $left/x.png
a folder|1|is a folder|--samples 100 -o $work
END
mkdir "$work/mine" "$work/mine/names.txt" "$work/mine/sheet.png"
cp examples/portraits-64.png "$work/mine/face.png"
for name in names sheet face; do echo mine >"$work/mine/$name.npy"; done
cp -r "$work/mine" "$work/mine-before"
# Before the search: with a billion samples it would not end.
while IFS='|' read -r name text flags; do
    # shellcheck disable=SC2086
    prints "directions: $name" "$text" sh -c '! timeout 20 "$@"' - "$tool" directions $model --samples 1000000000 $flags
done <<END
over another picture|face.png: does not say that it is such a sheet, and would be replaced|-o $work/mine/face.npy
a folder where the sheet goes|sheet.png: does not say|-o $work/mine/sheet.npy
a folder where names go|names.txt: is a folder|-o $work/mine/names.npy
a folder where names go, without a sheet|names.txt: is a folder|--no-sheet -o $work/mine/names.npy
END
check "directions: what was there stays" diff -r "$work/mine" "$work/mine-before"
refuses "directions: only ToRGB" 2 "--layers 9: no styles there but ToRGB's" directions "$work/sg2-ada-64.sgw" --method sefa --layers 9 \
    --samples 100 -o "$left/x.npy"
if [ -c /dev/full ]; then
    full="/dev/full: cannot write: No space left on device"
    refuses "directions: a full disk" 1 "$full" directions $model --samples 100 -o /dev/full
    # shellcheck disable=SC2086
    refuses "edit: a full disk" 1 "$full" edit $model --seeds 1-9 $pca --index 0 --outdir "$work/full" --save-ws /dev/full
fi

# A signal removes what is not finished.
mkdir "$work/stopped"
# shellcheck disable=SC2086
"$tool" edit $model --seeds 0-9999 $pca --index 0 --outdir "$work/stopped" --save-ws "$work/stopped/ws.npy" 2>/dev/null &
stop_writing "edit: a signal" $! "$work/stopped" 'ws.npy.*.part'
check "edit: a signal removes unfinished files" test -z "$(find "$work/stopped" -name '*.part' -o -name '*.npy')"

exit $failed

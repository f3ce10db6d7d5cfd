#!/bin/sh
# Runs every command with every flag, and with all that can be wrong. Prints "ok NAME" or "FAIL NAME: why".
. tests/checks.sh
golden=tests/golden npydiff=$build/tests/npydiff pngdiff=$build/tests/pngdiff

# --- The program ---

prints "stylegan --help" "generate" "$tool" --help
prints "stylegan --version" "scalar" "$tool" --version
for command in convert generate mix video map directions edit project info bench embed train evaluate factors portraits pack; do
    prints "$command --help" "Usage: stylegan $command" "$tool" $command --help
done
refuses "no command" 2 "stylegan --help"
refuses "an unknown command" 2 "unknown command draw" draw
refuses "an unknown command near a known one" 2 "did you mean generate?" genrate
refuses "an official command" 2 "did you mean generate?" generate-images --seeds=1
refuses "an unknown flag" 2 "unknown flag --volume; \`stylegan generate --help\`" generate model.sgw --volume 1
refuses "an unknown flag near a known one" 2 "unknown flag --seads; did you mean --seeds?" generate model.sgw --seads 1
refuses "an unknown flag that is part of a known one" 2 "did you mean --r1-gamma?" train --gamma=5
refuses "an unknown flag that is within a word" 2 "unknown flag --data; \`stylegan portraits" portraits --data x
refuses "an unknown flag that begins a known one" 2 "did you mean --noise-mode?" generate model.sgw --noise const
refuses "a model twice" 2 "give the model once" generate model.sgw --network other.sgw --seeds 1
refuses "an address" 1 "is an address: download the file first" generate --network=https://example.org/ffhq.pkl --seeds 1
refuses "a flag without value" 2 "--seeds needs a value" generate model.sgw --seeds --trunc 1
refuses "a missing argument" 2 "missing argument" generate --seeds 1
refuses "too many arguments" 2 "unexpected argument" generate model.sgw other.sgw --seeds 1

# --- Reference networks through the command line ---

number() { # number CASE KEY: what case.json says
    sed -n "s/^ \"$2\": \"\{0,1\}\([^\",]*\)\"\{0,1\},*$/\1/p" "$golden/$1/case.json"
}

transform() { # transform CASE: the same, nine numbers
    sed -n '/"transform"/,$p' "$golden/$1/case.json" | tr -dc '0-9.,-'
}

convert() {
    check "convert $1" "$tool" convert "$(ls $golden/"$1"/model.*)" "$work/$1.sgw" --dtype f32
}

for case in sg1-64 sg1-cond-32 sg2-tf-64 sg2-ada-64 sg2-ada-cond-32-clamp sg2-ada-resnet-32 sg2-rosinality-64 sg2-rect-64 \
    sg3-t-64 sg3-r-64; do
    convert $case
    data=$golden/$case out=$work/$case
    cutoff=$(number $case truncation_cutoff)
    [ "$cutoff" = null ] && cutoff=99
    labels=
    [ -f $data/c.npy ] && labels="--labels $data/c.npy"
    noise="--noise-mode $(number $case noise_mode)"
    grep -q '"transform"' $data/case.json && noise="$noise --transform $(transform $case)"
    mapping="--latents $data/z.npy $labels --trunc $(number $case truncation_psi) --trunc-cutoff $cutoff"
    # shellcheck disable=SC2086
    check "map $case" "$tool" map "$work/$case.sgw" $mapping --save-npy "$out-ws.npy"
    check "map $case: as the reference" "$npydiff" "$out-ws.npy" $data/ws.npy 1e-5
    # shellcheck disable=SC2086
    check "generate $case" "$tool" generate "$work/$case.sgw" $mapping $noise --outdir "$out" --save-npy "$out.npy"
    check "generate $case: as the reference" "$npydiff" "$out.npy" $data/img.npy 2e-5
    check "generate $case: PNG" "$pngdiff" "$out/img0001.png" 0 0 "$out.npy" 1
    # shellcheck disable=SC2086
    check "generate $case --ws" "$tool" generate "$work/$case.sgw" --ws $data/ws.npy $noise --outdir "$out" --save-npy "$out.npy"
    check "generate $case --ws: as the reference" "$npydiff" "$out.npy" $data/img.npy 2e-5
done

# --- generate ---

model=$work/sg1-64.sgw
generate() { # generate FOLDER FLAGS...: pictures and images.npy
    folder=$work/$1
    shift
    "$tool" generate "$model" --outdir "$folder" --save-npy "$folder.npy" "$@"
}

check "generate --seeds" generate seeds --seeds 0-2,85,4294967295
files "generate: names" "$work/seeds" seed0000.png seed0001.png seed0002.png seed0085.png seed4294967295.png
check "generate: a seed's PNG" "$pngdiff" "$work/seeds/seed0085.png" 0 0 "$work/seeds.npy" 3
check "generate --trunc=0.7 --trunc-cutoff 8" generate trunc --seeds 0-2,85,4294967295 --trunc=0.7 --trunc-cutoff 8
check "generate: truncation by default as the network's" cmp "$work/seeds.npy" "$work/trunc.npy"
check "generate --trunc-cutoff 0" generate cutoff --seeds 0 --trunc-cutoff 0
check "generate --trunc 1" generate one --seeds 0 --trunc 1
check "generate: cutoff 0 is no truncation" cmp "$work/cutoff.npy" "$work/one.npy"
check "generate --trunc -0.5" generate anti --seeds 0 --trunc -0.5
check "generate --trunc 0" generate mean --seeds 0,1 --trunc 0 --trunc-cutoff 99
check "generate: psi 0 is the mean for each seed" "$pngdiff" "$work/mean/seed0000.png" 0 0 "$work/mean/seed0001.png"

check "generate --grid" generate grid --seeds 0-4 --grid 3x2
for i in 0 1 2 3 4; do
    check "generate --grid: image $i" "$pngdiff" "$work/grid/grid.png" $((i % 3)) $((i / 3)) "$work/grid/seed000$i.png"
done
differs "generate: seeds differ" "$pngdiff" "$work/grid/seed0000.png" 0 0 "$work/grid/seed0001.png"

check "generate --threads 1" generate one-thread --seeds 0-1 --threads 1
check "generate --threads 3" generate threads --seeds 0-1 --threads 3
check "generate: same bits for any number of threads" cmp "$work/one-thread.npy" "$work/threads.npy"
for isa in $("$tool" --version | sed 's/.*: //'); do
    check "generate --isa $isa" generate "$isa" --seeds 0-1 --isa "$isa"
    check "generate --isa $isa: as the others" "$npydiff" "$work/$isa.npy" "$work/threads.npy" 2e-5
done

check "generate --noise-mode random" generate random --seeds 3,3 --noise-mode random --noise-seed 5
check "generate --noise-seed" generate random-next --seeds 3 --noise-mode random --noise-seed 6
files "generate: random noise and a seed twice: two names" "$work/random" seed0003-0.png seed0003-1.png
check "generate: image i takes noise seed S + i" "$pngdiff" "$work/random/seed0003-1.png" 0 0 "$work/random-next.npy" 0
check "generate: twelve pictures, drawn together" generate together --seeds 0-11 --noise-mode random --noise-seed 40
check "generate: the tenth" generate tenth --seeds 9 --noise-mode random --noise-seed 49
check "generate: drawn together or alone, the same file" cmp "$work/together/seed0009.png" "$work/tenth/seed0009.png"
tail -c +129 "$work/together.npy" | tail -c +$((9 * 4 * 3 * 64 * 64 + 1)) | head -c $((4 * 3 * 64 * 64)) >"$work/of-together"
tail -c +129 "$work/tenth.npy" >"$work/of-tenth"
check "generate: the same numbers" cmp "$work/of-together" "$work/of-tenth"
check "generate --noise-mode none" generate none --seeds 3 --noise-mode none
check "generate --noise-mode const" generate const --seeds 3 --noise-mode const
differs "generate: random is not const" cmp "$work/random-next.npy" "$work/const.npy"
differs "generate: none is not const" cmp "$work/none.npy" "$work/const.npy"
differs "generate: other noise seeds differ" "$pngdiff" "$work/random/seed0003-1.png" 0 0 "$work/random.npy" 0

prints "generate --class without labels warns" "--class is ignored" generate ignored --seeds 3 --class 1
check "generate: ignored class" cmp "$work/ignored.npy" "$work/const.npy"

model=$work/sg2-ada-cond-32-clamp.sgw data=$golden/sg2-ada-cond-32-clamp found=none
check "generate --labels" generate labels --latents $data/z.npy --labels $data/c.npy
for class in 0 1 2 3 4 5 6 7 8 9; do
    generate class --latents $data/z.npy --class $class
    "$pngdiff" "$work/class/img0000.png" 0 0 "$work/labels/img0000.png" 2>/dev/null && found=$class
done
if [ $found != none ]; then ok "generate --class: as its label"; else fail "generate --class" "no class gives the label's image"; fi

(cd "$work" && "$OLDPWD/$tool" generate sg1-64.sgw --seeds 7) && check "generate: folder by default" test -f "$work/out/seed0007.png"

# --- generate: StyleGAN 3 moves its picture; pictures that are not square ---

model=$work/sg3-t-64.sgw
check "generate: sg3" generate still --seeds 1
check "generate --translate" generate moved --seeds 1 --translate=0.25,-0.5
check "generate --transform: the inverse of that" generate looked-up --seeds 1 --transform 1,0,-0.25,0,1,0.5,0,0,1
check "generate --translate: as --transform" "$npydiff" "$work/moved.npy" "$work/looked-up.npy" 1e-6
check "generate --rotate" generate turned --seeds 1 --rotate 90 --translate 0.1,0.2
check "generate --transform: the inverse of that too" generate turned-back --seeds 1 --transform=0,-1,0.2,1,0,-0.1,0,0,1
check "generate --rotate: as --transform" "$npydiff" "$work/turned.npy" "$work/turned-back.npy" 2e-5
differs "generate: a moved picture differs" "$npydiff" "$work/moved.npy" "$work/still.npy" 1e-3
check "generate --translate by pixels" generate shifted --seeds 1 --translate 0.125,0.0625
check "generate --translate: the picture itself, 8 pixels to the right and 4 down" "$npydiff" "$work/shifted.npy" "$work/still.npy" 2e-3 8 4
differs "generate --translate: not to the left and up" "$npydiff" "$work/shifted.npy" "$work/still.npy" 5e-3 -8 -4
model=$work/sg3-r-64.sgw
check "generate: sg3 R" generate still-r --seeds 1 --class 1
check "generate --translate: R" generate shifted-r --seeds 1 --class 1 --translate 0.125,0.0625
check "generate --translate: R moves to rounding" "$npydiff" "$work/shifted-r.npy" "$work/still-r.npy" 2e-5 8 4
model=$work/sg3-t-64.sgw
check "generate --rotate 0" generate zero --seeds 1 --rotate 0
check "generate --rotate 0: not moved" cmp "$work/zero.npy" "$work/still.npy"
check "mix --translate" "$tool" mix "$model" --rows 1 --cols 2 --translate=0.25,-0.5 --trunc 1 --outdir "$work/mix-moved"
check "mix --translate: as generate" cmp "$work/mix-moved/1-1.png" "$work/moved/seed0001.png"
prints "info: layers of sg3" "  L14             15       8 -> 3         64 x 64" "$tool" info "$model"
model=$work/sg2-rect-64.sgw
check "generate: a rectangle" generate upright --seeds 1-3 --grid 3x1
check "generate --grid: a rectangle" "$pngdiff" "$work/upright/grid.png" 2 0 "$work/upright/seed0003.png"
check "mix: a rectangle" "$tool" mix "$model" --rows 1 --cols 2 --outdir "$work/mix-upright"
check "mix: a rectangle in the figure" "$pngdiff" "$work/mix-upright/grid.png" 1 1 "$work/mix-upright/1-2.png"
prints "info: a rectangle" "StyleGAN 2, 32 x 64," "$tool" info "$model"

# --- map ---

model=$work/sg2-ada-64.sgw
check "map --seeds" "$tool" map "$model" --seeds 0-3 --trunc 0.7 --save-npy "$work/ws.npy" --threads 2 --isa scalar
check "generate --ws from map" generate mapped --ws "$work/ws.npy"
check "generate --seeds as mapped" generate direct --seeds 0-3 --trunc 0.7
check "generate --ws: as generate --seeds" "$npydiff" "$work/mapped.npy" "$work/direct.npy" 2e-5
files "generate --ws: names" "$work/mapped" img0000.png img0001.png img0002.png img0003.png

# --- The official tools' own command lines ---

check "generate --network" "$tool" generate --outdir="$work/official" --truncation-psi=0.7 --seed=0-3 --network="$model" --memory-limit 1M
check "generate --network: the same picture" "$pngdiff" "$work/official/seed0003.png" "$work/direct/seed0003.png"
for array in stored deflated; do
    check "generate --projected-w $array.npz" "$tool" generate --outdir="$work/projected" --projected_w=tests/arrays/$array.npz \
        --network="$model"
    check "generate --ws for it" generate not-projected --ws $golden/sg2-ada-64/ws.npy
    check "generate --projected-w $array.npz: as its array" "$pngdiff" "$work/projected/img0000.png" 0 0 "$work/not-projected.npy" 0
    rm -r "$work/projected"
done
check "mix --row-seeds --col-seeds --col-styles" "$tool" mix --network="$model" --row-seeds=1 --col-seeds=2 --col-styles=0-3 \
    --outdir="$work/official-mix"
prints "a decimal comma warns" "--trunc 0,7: two values, 0 and 7; if one is meant: 0.7" \
    "$tool" generate "$model" --seeds 1 --trunc 0,7 --outdir "$work/comma"
check "psis that are no decimal comma do not" sh -c "'$tool' generate '$model' --seeds 1 --trunc=0.5,1 --outdir '$work/comma' 2>&1 | grep -c . | grep -qx 0"

# --- mix ---

check "mix" "$tool" mix "$model" --rows 85,0 --cols 55-57 --styles 0-3 --trunc 0.7 --threads 1 --isa scalar --outdir "$work/mix"
files "mix: names" "$work/mix" 85-85.png 0-0.png 55-55.png 56-56.png 57-57.png 85-55.png 85-56.png 85-57.png \
    0-55.png 0-56.png 0-57.png grid.png
column=0
for place in 55-55 56-56 57-57; do
    column=$((column + 1))
    check "mix: $place at the top" "$pngdiff" "$work/mix/grid.png" $column 0 "$work/mix/$place.png"
    check "mix: 0-${place%-*} in the middle" "$pngdiff" "$work/mix/grid.png" $column 2 "$work/mix/0-${place%-*}.png"
done
check "mix: 85-85 at the left" "$pngdiff" "$work/mix/grid.png" 0 1 "$work/mix/85-85.png"
check "mix: a source by generate" generate source --seeds 85 --trunc 0.7 --isa scalar
check "mix: sources as generate draws them" "$pngdiff" "$work/source/seed0085.png" 0 0 "$work/mix/85-85.png"
differs "mix: a mix is not its row" "$pngdiff" "$work/mix/85-85.png" 0 0 "$work/mix/85-55.png"
differs "mix: a mix is not its column" "$pngdiff" "$work/mix/55-55.png" 0 0 "$work/mix/85-55.png"
check "mix --styles 0-9" "$tool" mix "$model" --rows 85 --cols 55 --styles 0-9 --noise-mode none --outdir "$work/all"
check "mix: all layers make the column's image" "$pngdiff" "$work/all/85-55.png" 0 0 "$work/all/55-55.png"
check "mix: default layers" "$tool" mix "$model" --rows 85 --cols 55 --outdir "$work/default"
check "mix --class" "$tool" mix "$work/sg1-cond-32.sgw" --rows 1 --cols 2 --class 3 --outdir "$work/mix-class" \
    --noise-mode random --noise-seed 1 --trunc-cutoff 2

"$tool" mix "$model" --rows 1,2 --cols 3,1 --noise-mode random --outdir "$work/twice"
files "mix: random noise and a seed twice: no name twice" "$work/twice" 1-1-2.png 1-1-3.png 1-1-5.png 1-3-4.png 2-1-8.png 2-2-6.png \
    2-3-7.png 3-3-1.png grid.png

# --- Standard output, and what is said on a terminal ---

check "map --save-npy -" sh -c "'$tool' map '$model' --seeds 0-3 --trunc 0.7 --save-npy - >'$work/stdout.npy'"
check "map --save-npy -: the same array" "$npydiff" "$work/stdout.npy" "$work/ws.npy" 2e-5
check "generate --ws of a pipe" sh -c "'$tool' map '$model' --seeds 3 --trunc 0.7 --save-npy - | '$tool' generate '$model' --ws /dev/stdin --outdir '$work/piped'"
check "generate --ws of a pipe: the picture" "$pngdiff" "$work/piped/img0000.png" "$work/direct/seed0003.png"
cp $golden/sg1-64/model.pkl "$work/own.pkl"
refuses "to convert a checkpoint onto itself" 2 "own.pkl: would be overwritten, but is read" convert "$work/own.pkl" "$work/./own.pkl"
check "the checkpoint stays" cmp $golden/sg1-64/model.pkl "$work/own.pkl"
refuses "a network to standard output" 2 "only arrays and videos go to standard output" convert $golden/sg1-64/model.pkl -
check "nothing is said without a terminal" test -z "$("$tool" generate "$model" --seeds 3 --outdir "$work/direct" 2>&1)"
if command -v script >/dev/null && script -qec true /dev/null >/dev/null 2>&1; then
    says() { # says NAME TEXT COMMAND LINE: on a terminal
        if script -qec "$tool $3" /dev/null | grep -qF -e "$2"; then ok "$1"; else fail "$1" "does not say: $2"; fi
    }
    says "generate says where the picture is" "$work/said/seed0003.png" "generate $model --seeds 3 --outdir $work/said"
    says "generate says where the pictures are" "2 pictures in $work/said/, together in grid.png" \
        "generate $model --seeds 3,4 --grid 2x1 --outdir $work/said"
    says "mix says where the pictures are" "3 pictures in $work/said/, together in grid.png" "mix $model --rows 1 --cols 2 --outdir $work/said"
    says "map says where the array is" "$work/said.npy: ws of 2 images" "map $model --seeds 1,2 --save-npy $work/said.npy"
    says "a terminal is no place for an array" "standard output is a terminal" "map $model --seeds 1,2 --save-npy -"
else
    echo "skipped: what is said on a terminal: no script, or no terminals for it"
fi

ws=$golden/sg2-ada-64/ws.npy
{ head -c 128 $ws; yes "$(printf '\346\261\141\177')" | tr -d '\n' | head -c $(($(wc -c <$ws) - 128)); } >"$work/huge.npy" # 3e38
refuses "ws beyond numbers" 1 "sg2-ada-64.sgw: makes no numbers of these latents: too large" generate "$work/sg2-ada-64.sgw" \
    --ws "$work/huge.npy" --outdir "$left/out"

# --- Pictures say what they are, and --like draws them again ---

# again NAME MODEL PICTURE FILE: --like draws the picture, as FILE.
again() {
    rm -rf "$work/again"
    check "like: $1" "$tool" generate "$2" --like "$3" --outdir "$work/again"
    check "like: $1: the same pixels" "$pngdiff" "$work/again/$4" 0 0 "$3"
    check "like: $1: the same file" cmp "$work/again/$4" "$3"
}
check "a picture to tell" "$tool" generate "$model" --seeds 85,3 --trunc=-0.7,0.3 --trunc-cutoff 5 --noise-mode random --noise-seed 9 \
    --isa scalar --precision fast --memory-limit least --grid 4x1 --outdir "$work/told"
again "psi, cutoff, noise, instruction set, precision, memory" "$model" "$work/told/seed0003-psi-0.7.png" seed0003.png
check "a picture of a psi of many digits" "$tool" generate "$model" --seeds 4 --trunc=0.123456789 --outdir "$work/told"
again "a psi of many digits" "$model" "$work/told/seed0004.png" seed0004.png
again "constant noise" "$model" "$work/direct/seed0003.png" seed0003.png
again "style mixing" "$model" "$work/mix/0-56.png" 0-56.png
again "a source of style mixing" "$model" "$work/mix/55-55.png" seed0055.png
again "a class" "$work/sg1-cond-32.sgw" "$work/mix-class/1-2.png" 1-2.png
printf "\223NUMPY\1\0\166\0{'descr': '<f4', 'fortran_order': False, 'shape': (1, 5), }%58s\n" "" >"$work/label.npy"
printf '\0\0\0\77\0\0\200\76\0\0\0\0\0\0\0\0\0\0\0\0' >>"$work/label.npy" # 0.5, 0.25, 0, 0, 0
check "a picture of a mixed label" "$tool" generate "$work/sg1-cond-32.sgw" --seeds 1 --labels "$work/label.npy" --outdir "$work/told"
again "a mixed label" "$work/sg1-cond-32.sgw" "$work/told/seed0001.png" seed0001.png
check "a picture of a moved network" "$tool" generate "$work/sg3-t-64.sgw" --seeds 2 --rotate 30 --translate 0.1,0 --outdir "$work/told"
again "a transform" "$work/sg3-t-64.sgw" "$work/told/seed0002.png" seed0002.png
while IFS='|' read -r name text file; do
    prints "info: $name" "$text" "$tool" info "$work/$file"
done <<END
synthetic|Synthetic: made by a generative network, not a photograph|told/seed0085-psi0.3.png
the tool|Software: stylegan $("$tool" --version | sed 's/stylegan \([^,]*\),.*/\1/')|told/seed0085-psi0.3.png
the model|Model: sg2-ada-64.sgw|told/seed0085-psi0.3.png
its source|Model Source: model.pkl|told/seed0085-psi0.3.png
its checksum|Model Checksum: $(od -An -v -tx1 -j 24 -N 16 "$model" | tr -d ' \n')|told/seed0085-psi0.3.png
seed|Seed: 85|told/seed0085-psi0.3.png
psi|Psi: 0.3|told/seed0085-psi0.3.png
all digits of psi as float32|Psi: 0.12345679|told/seed0004.png
noise|Noise Mode: random|told/seed0085-psi0.3.png
its seed|Noise Seed: 10|told/seed0085-psi0.3.png
a sheet|Sheet: 4 x 1 pictures|told/grid.png
its seeds|Seeds: 85,3|told/grid.png
its psis|Psis: -0.7,0.3|told/grid.png
a figure of style mixing|Row Seeds: 85,0|mix/grid.png
its columns|Column Seeds: 55-57|mix/grid.png
its layers|Mixed Layers: 0-3|mix/grid.png
a mixed picture|Mixed Seed: 56|mix/0-56.png
an array's|Array: ws.npy, image 1|mapped/img0001.png
a label|Label: 0.5,0.25,0,0,0|told/seed0001.png
END
for picture in examples/*.png; do
    prints "$picture says what it is" "made by a generative network" "$tool" info "$picture"
done
prints "info --json: a picture" '"Psi": "0.3"' "$tool" info --json "$work/told/seed0085-psi0.3.png"
check "XMP tells programs" grep -aq 'digitalsourcetype/trainedAlgorithmicMedia"' "$work/told/grid.png"
# The checksum of the first text by another program: gzip ends with the same CRC-32, then the length.
length=$(od -An -v -tu1 -j 33 -N 4 "$work/told/grid.png" | awk '{ print $3 * 256 + $4 }')
theirs=$(tail -c +38 "$work/told/grid.png" | head -c $((length + 4)) | gzip | tail -c 8 | od -An -v -tx1 -N 4 | awk '{ print $4 $3 $2 $1 }')
ours=$(od -An -v -tx1 -j $((41 + length)) -N 4 "$work/told/grid.png" | tr -d ' \n')
check "texts have PNG's checksum: $ours" test "$ours" = "$theirs"
check "generate --no-metadata" "$tool" generate "$model" --seeds 3 --grid 1x1 --no-metadata --outdir "$work/silent"
check "mix --no-metadata" "$tool" mix "$model" --rows 3 --cols 4 --no-metadata --outdir "$work/silent"
check "--no-metadata: no texts" sh -c "! cat '$work/silent'/*.png | grep -aq -e iTXt -e tEXt"
prints "info: a picture without texts" "a picture that does not say what it is" "$tool" info "$work/silent/seed0003.png"
{ head -c 33 "$work/silent/seed0003.png"; printf '\0\0\0\003tEXtk\0v....'; } >"$work/texts"
tail -c 15 "$work/texts" >"$work/text"
for i in 1 2 3 4; do
    for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do cat "$work/text"; done >"$work/more"
    mv "$work/more" "$work/text"
done
{ cat "$work/texts" "$work/text"; tail -c +34 "$work/silent/seed0003.png"; } >"$work/texts.png"
prints "info: a picture of 65,537 texts, in time" "k: v" timeout 20 "$tool" info "$work/texts.png"
check "info: all of them" test "$(grep -c '^k: v$' "$work/stdout")" -eq 65537
refuses "like: no texts" 1 "does not say how it was drawn" generate "$model" --like "$work/silent/seed0003.png" --outdir "$left/out"
refuses "like: another model" 1 "was drawn by another model than sg1-64.sgw: sg2-ada-64.sgw, checksum" generate "$work/sg1-64.sgw" \
    --like "$work/told/seed0003-psi0.3.png" --outdir "$left/out"
refuses "like: a sheet" 1 "is a sheet of pictures" generate "$model" --like "$work/told/grid.png" --outdir "$left/out"
refuses "like: an array" 1 "drawn from the array ws.npy, image 1" generate "$model" --like "$work/mapped/img0001.png" --outdir "$left/out"
refuses "like: no picture" 1 "is not a PNG picture" generate "$model" --like Makefile --outdir "$left/out"
# The first text of a name counts: one that the tool would not write, before its own.
told=$work/told/seed0003-psi0.3.png
while IFS='|' read -r key value; do
    { head -c 33 "$told"
      # shellcheck disable=SC2059 # the length is an escape
      printf "\\0\\0\\0\\$(printf %o $((${#key} + 1 + ${#value})))tEXt$key\\000$value...."
      tail -c +34 "$told"; } >"$work/odd.png"
    refuses "like: $key: $value" 1 "odd.png: says $key: $value, which this tool would not write" generate "$model" --like "$work/odd.png" \
        --outdir "$left/out"
done <<END
Seed|0-3
Seed|1,2
Seed|abc
Seed|-1
Seed|4294967296
Psi|1,2,3
Psi|nan
Psi|101
Cutoff|all
Class|0-1
Label|zero
Mixed Seed|1-2
Mixed Layers|a
Noise Mode|loud
Noise Seed|1.5
Transform|1,0,0
Precision|f64
Memory Limit|-1
END
for flag in "--seeds 1" "--trunc 1" "--noise-mode none" "--ws x.npy"; do
    # shellcheck disable=SC2086 # a flag and its value
    refuses "like and $flag" 2 "--like tells ${flag% *} already" generate "$model" --like "$work/told/seed0003-psi0.3.png" $flag --outdir "$left/out"
done

# --- examples/reference.c: the networks in plain loops draw the same pictures ---

reference() { # reference MODEL SEED PSI [SEED2 FIRST-LAST]: into reference.ppm
    "$build/examples/reference" "$@" >"$work/reference.ppm"
}
refuses_reference() { # refuses_reference NAME TEXT ARGUMENTS...: one line with TEXT, and no picture
    name="reference refuses $1" text=$2
    shift 2
    if reference "$@" 2>"$work/stderr"; then fail "$name" "succeeds"
    elif [ -s "$work/reference.ppm" ] || [ "$(wc -l <"$work/stderr")" -ne 1 ]; then fail "$name" "a picture, or no single line"
    elif ! grep -qF -e "$text" "$work/stderr"; then fail "$name" "says: $(cat "$work/stderr")"
    else ok "$name"; fi
}

portraits=examples/portraits-64.sgw
for model in $portraits "$work/sg2-ada-64.sgw" "$work/sg3-t-64.sgw"; do
    check "reference $(basename "$model")" reference "$model" 85 0.7
    check "generate for it" "$tool" generate "$model" --seeds 85 --trunc 0.7 --outdir "$work/pictures"
    check "reference $(basename "$model"): as generate" "$pngdiff" "$work/reference.ppm" "$work/pictures/seed0085.png"
    check "reference $(basename "$model"): mixing" reference "$model" 85 0.7 55 1-3
    check "mix for it" "$tool" mix "$model" --rows 85 --cols 55 --styles 1-3 --trunc 0.7 --outdir "$work/pictures"
    check "reference $(basename "$model"): as mix" "$pngdiff" "$work/reference.ppm" "$work/pictures/85-55.png"
    differs "reference $(basename "$model"): a mix is another picture" "$pngdiff" "$work/reference.ppm" "$work/pictures/seed0085.png"
done
refuses_reference "no arguments" "usage: "
refuses_reference "a seed that is none" "x is no number" $portraits x 0.7
refuses_reference "a seed between two" "1.9 is no seed" $portraits 1.9 0.7
refuses_reference "a folder" "not a weight file" /tmp 1 1
refuses_reference "layers beyond the last" "layers are 0-9" $portraits 1 0.7 2 8-10
refuses_reference "a missing file" "missing.sgw: cannot open" "$work/missing.sgw" 1 1
refuses_reference "another file" "Makefile: not a weight file" Makefile 1 1
head -c 5000 $portraits >"$work/cut.sgw"
refuses_reference "a cut file" "cut.sgw: the weight file is cut off" "$work/cut.sgw" 1 1
{ head -c 500000 $portraits; printf x; tail -c +500002 $portraits; } >"$work/damaged.sgw"
refuses_reference "a damaged file" "damaged.sgw: checksum mismatch" "$work/damaged.sgw" 1 1
model=$work/sg2-ada-64.sgw

# --- info ---

prints "info" "width                64" "$tool" info "$model"
prints "info: tensors" "b8.conv0.weight" "$tool" info "$model"
prints "info --json" '"width": 64,' "$tool" info "$model" --json
prints "info names what numbers stand for" "normalization        separate" "$tool" info "$model"
prints "info names activations" "activation           lrelu" "$tool" info "$model"
prints "info: memory to open" "open model           $("$tool" info "$model" --json | sed -n 's/.*"open_bytes": \(.*\),/\1/p') bytes" "$tool" info "$model"
workspace() {
    "$tool" info "$model" --json "$@" | sed -n 's/.*"workspace_bytes": \(.*\),/\1/p'
}
check "info: a workspace" test "$(workspace)" -gt 1000
"$tool" info "$model" --memory --isa scalar --threads 1 >"$work/plans"
plans() { # plans HEADING [3]: the workspaces below it, or how much more work than the first
    sed -n "/^$1/,/^\$/s/^ *\([0-9]*\)  *\([0-9.]*\) M  *\([0-9.]*\)\$/\\${2:-1}/p" "$work/plans"
}
check "info --memory: the fastest plan" test "$(plans This | head -n 1)" = "$(workspace --isa scalar --threads 1)"
check "info --memory: the leanest plan" test "$(plans This | tail -n 1)" = "$(workspace --isa scalar --threads 1 --memory-limit least)"
check "info --memory: as many plans for boards" test "$(plans Boards | wc -l)" -eq "$(plans This | wc -l)"
check "info --memory: leaner and leaner" test "$(plans Boards)" = "$(plans Boards | sort -rnu)"
check "info --memory: at the price of work" test "$(plans Boards 3 | tail -n 1 | tr -d .)" -gt 100
check "info: --memory-limit makes it smaller" test "$(workspace --memory-limit least)" -lt "$(workspace)"
check "info: --precision fast makes it smaller" test "$(workspace --precision fast)" -lt "$(workspace)"
check "info: --memory-limit takes what is needed" test "$(workspace --memory-limit "$(workspace --memory-limit least)")" -eq "$(workspace --memory-limit least)"
"$tool" portraits --count 3 --size 16 --pack "$work/three.sgd" >/dev/null
prints "info: packed pictures" "Pictures: 3" "$tool" info "$work/three.sgd"
"$tool" train --config tiny-16 --kimg 0.04 --data "$work/three.sgd" --outdir "$work/run" >/dev/null
prints "info: a training state" "Images: 40" "$tool" info "$work/run/checkpoint.sgt"
prints "info: its settings" "resolution 16, " "$tool" info "$work/run/checkpoint.sgt"
prints "info: of a pipe" "StyleGAN 2, 64 x 64" sh -c "cat '$model' | '$tool' info /dev/stdin"
prints "info: a sheet of a run" "Model Source: trained on $work/three.sgd, 3 pictures" "$tool" info "$work/run/samples-000000.png"

# --- bench ---

bench() {
    "$tool" bench "$@" >"$work/runs" 2>"$work/table" && [ "$(grep -c '^{"run":[0-9]*,"seconds":[0-9.]*}$' "$work/runs")" = "$(wc -l <"$work/runs")" ]
}

check "bench --save" bench sg2-32 --runs 2 --threads 1 --isa scalar --dtype i8 --save "$work/bench.sgw"
check "bench: a line for each run" test "$(wc -l <"$work/runs")" -eq 2
check "bench: a table" grep -qE '^b8\.conv0 .* (direct|Winograd .x.) .* %$' "$work/table"
check "bench: a total" grep -q '^total ' "$work/table"
check "bench: its memory" grep -q '^memory: .* MB weights, .* MB workspace' "$work/table"
check "bench: the saved network" "$tool" generate "$work/bench.sgw" --seeds 0 --outdir "$work/bench"
check "bench MODEL" bench "$work/bench.sgw" --runs 1
check "bench NAME" bench sg1-16 --runs 1 --dtype f32
check "bench --batch" bench sg1-16 --runs 2 --batch 3
check "bench --batch: against one by one" grep -qE '^batches of 3: [0-9.]+ images a second, [0-9.]+ times as many as one by one$' "$work/table"
single=$(workspace | head -n 1)
check "bench --batch: less where memory is short" bench "$model" --runs 1 --batch 3 --memory-limit "$single"
check "bench --batch: and says so" grep -q -- '--batch 3: the memory allows 1' "$work/table"
refuses "a batch of none" 2 "--batch 0" bench sg1-16 --batch 0
refuses "a batch of too many" 2 "--batch 65" bench sg1-16 --batch 65

# --- Networks with other options: grey, RGB and alpha, labels, odd sizes ---

for seed in 1 2 3 4 5 6 7 8 9 10 11 12; do
    random=$work/random-$seed.sgw
    check "random network $seed" "$build/tests/randomsgw" $seed "$random"
    label=
    "$tool" info "$random" --json | grep -q '"c_dim": 0,' || label="--class 0"
    channels=$("$tool" info "$random" --json | sed -n 's/.*"channels": \([0-9]*\),/\1/p')
    # shellcheck disable=SC2086
    check "random network $seed: generate" "$tool" generate "$random" --seeds 1,2 $label --grid 1x2 --outdir "$work/random-$seed" \
        --save-npy "$work/random.npy"
    check "random network $seed: PNG, $channels channels" "$pngdiff" "$work/random-$seed/grid.png" 0 1 "$work/random.npy" 1
    # shellcheck disable=SC2086
    check "random network $seed: mix" "$tool" mix "$random" --rows 1 --cols 2 $label --outdir "$work/random-$seed"
    check "random network $seed: bench" bench "$random" --runs 1
done

# --- What is wrong with models ---

npy=$left/images.npy
try="--seeds 0 --outdir $left/out --save-npy $npy"
head -c 5000 "$model" >"$work/short.sgw"
: >"$work/empty.sgw"
echo "not a weight file, only text of some length, much longer than a magic number" >"$work/text.sgw"
# shellcheck disable=SC2086
{
    refuses "a missing model" 1 "/nowhere.sgw: cannot read: No such file" generate /nowhere.sgw $try
    refuses "a folder as model" 1 "is a folder" generate "$work" $try
    refuses "a truncated model" 1 "short.sgw: " generate "$work/short.sgw" $try
    refuses "an empty model" 1 "empty.sgw: " info "$work/empty.sgw"
    refuses "a text as model" 1 "text.sgw: " bench "$work/text.sgw"
    refuses "a pickle as model" 1 "stylegan convert $golden/sg1-64/model.pkl" generate $golden/sg1-64/model.pkl $try
    refuses "a torch archive as model" 1 "convert it first" mix $golden/sg2-rosinality-64/model.pt --rows 1 --cols 2
}

# --- What is wrong with flags ---

for list in "" "," "1," "1-," -1 3-1 1,,2 x 1x 4294967296 0-4294967295 " 1"; do
    refuses "--seeds '$list'" 2 "--seeds" generate "$model" "--seeds=$list" --outdir "$left/out"
done
refuses "less memory than is needed" 1 "options.memory_limit is 1024 bytes, the workspace takes at least" \
    generate "$model" --seeds 1 --memory-limit 1K --outdir "$left/out"
while IFS='|' read -r name text flags; do
    # shellcheck disable=SC2086
    refuses "$name" 2 "$text" generate "$model" $flags --outdir "$left/out" --save-npy "$npy"
done <<END
no latents|give one of --seeds, --latents and --ws|--trunc 1
two kinds of latents|give one of --seeds, --latents and --ws|--seeds 1 --ws $golden/sg2-ada-64/ws.npy
a psi that is no number|--trunc half|--seeds 1 --trunc half
an infinite psi|--trunc inf|--seeds 1 --trunc inf
a psi out of range|--trunc 1e9|--seeds 1 --trunc 1e9
a psi of two that is no number|--trunc x: not a number|--seeds 1 --trunc 0.5,x
no memory|--memory-limit 0: must be|--seeds 1 --memory-limit 0
a memory of another unit|--memory-limit 64Q: not a size such as 64M|--seeds 1 --memory-limit 64Q
a memory of two units|--memory-limit 64MG: not a size such as 64M|--seeds 1 --memory-limit 64MG
an unknown precision|--precision f64: is none of f32, bf16x2 and fast|--seeds 1 --precision f64
more memory than there is|--memory-limit 9999999999: must be|--seeds 1 --memory-limit 9999999999G
a negative cutoff|--trunc-cutoff -1|--seeds 1 --trunc-cutoff -1
a fractional cutoff|--trunc-cutoff 1.5|--seeds 1 --trunc-cutoff 1.5
truncation of ws|--trunc has no effect on --ws|--ws $golden/sg2-ada-64/ws.npy --trunc 1
an unknown noise mode|--noise-mode loud|--seeds 1 --noise-mode loud
a noise seed without random noise|--noise-seed needs --noise-mode random|--seeds 1 --noise-seed 1
a negative noise seed|--noise-seed -1|--seeds 1 --noise-mode random --noise-seed -1
a grid without rows|--grid 3|--seeds 1 --grid 3
a grid of nothing|--grid 0x1|--seeds 1 --grid 0x1
a grid with more text|--grid 2x2x2|--seeds 1 --grid 2x2x2
a grid that is too small|no room for 5 images|--seeds 0-4 --grid 2x2
no threads|--threads 0|--seeds 1 --threads 0
too many threads|--threads 65|--seeds 1 --threads 65
an unknown instruction set|--isa mmx|--seeds 1 --isa mmx
END
refuses "a grid that is too large" 1 "too many" generate "$model" --seeds 1 --grid 9999x9999 --outdir "$left/out"
refuses "an unavailable instruction set" 1 "--isa wasm: this machine does not have it" generate "$model" --seeds 1 --isa wasm \
    --outdir "$left/out"

conditional=$work/sg1-cond-32.sgw
refuses "a conditional network without label" 2 "--class (0 to 4)" generate "$conditional" --seeds 1 --outdir "$left/out"
refuses "a class out of range" 2 "--class 5: must be from 0 to 4" generate "$conditional" --seeds 1 --class 5 --outdir "$left/out"
refuses "class and labels" 2 "exclude" generate "$conditional" --seeds 1 --class 1 --labels $golden/sg1-cond-32/c.npy
refuses "labels of another network" 1 "labels has [n, 5]" map "$conditional" --seeds 1 \
    --labels $golden/sg2-ada-cond-32-clamp/c.npy --save-npy "$npy"
refuses "labels for other images" 1 "has 2 labels for 3 images" map "$conditional" --seeds 1-3 \
    --labels $golden/sg1-cond-32/c.npy --save-npy "$npy"
array() { # FILE ROWS COLUMNS: an array of zeros, its first value NaN
    printf "\223NUMPY\1\0\166\0{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %2d), }%57s\n" "$2" "$3" "" >"$1"
    [ "$2" -eq 0 ] && return
    printf '\0\0\300\177' >>"$1"
    head -c $((4 * $2 * $3 - 4)) /dev/zero >>"$1"
}
array "$work/none.npy" 0 5
array "$work/nan.npy" 1 5
array "$work/nan-z.npy" 1 48
refuses "no labels" 1 "none.npy: holds no labels" edit "$conditional" --ws $golden/sg1-cond-32/ws.npy --from-seeds 1 --to-seeds 2 \
    --labels "$work/none.npy" --outdir "$left/out"
refuses "labels that are no numbers" 1 "nan.npy: holds what is not a finite number" generate "$conditional" --seeds 1 \
    --labels "$work/nan.npy" --outdir "$left/out"
refuses "z that is no number" 1 "nan-z.npy: holds what is not a finite number" generate "$model" --latents "$work/nan-z.npy" --outdir "$left/out"
refuses "map without output" 2 "--save-npy" map "$model" --seeds 1
refuses "--rotate of StyleGAN 2" 2 "only StyleGAN 3" generate "$model" --seeds 1 --rotate 3 --outdir "$left/out"
refuses "--translate of one number" 2 "must be 2 numbers" generate "$work/sg3-t-64.sgw" --seeds 1 --translate 1 --outdir "$left/out"
refuses "--transform of eight numbers" 2 "must be 9 numbers" mix "$work/sg3-t-64.sgw" --rows 1 --cols 2 --transform 1,0,0,0,1,0,0,0 \
    --outdir "$left/out"
refuses "--transform beside --rotate" 2 "excludes" generate "$work/sg3-t-64.sgw" --seeds 1 --transform 1,0,0,0,1,0,0,0,1 --rotate 3 \
    --outdir "$left/out"
refuses "factors of a rectangle" 1 "factors are seen in RGB squares of at least 32x32" factors "$work/sg2-rect-64.sgw" --seeds 1
refuses "factors of no picture" 2 "give one of --seeds" factors "$model"
refuses "factors of mixed seeds" 2 "no --seeds, --latents or --ws" factors "$model" --mixing 2 --seeds 1
refuses "factors of styles without mixing" 2 "--styles is for --mixing" factors "$model" --seeds 1 --styles 0-3
refuses "factors of mixing with layers out of range" 2 "--styles 0-99" factors "$model" --mixing 2 --styles 0-99
refuses "evaluate of a rectangle" 1 "only RGB squares" evaluate "$work/sg2-rect-64.sgw" --data portraits
refuses "mix without rows" 2 "--rows" mix "$model" --cols 1
refuses "mix without columns" 2 "--cols" mix "$model" --rows 1
refuses "mix with layers out of range" 2 "--styles 0-10" mix "$model" --rows 1 --cols 2 --styles 0-10 --outdir "$left/out"
refuses "mix with a layer out of range" 2 "layers 0 to 9" mix "$model" --rows 1 --cols 2 --styles 10 --outdir "$left/out"
refuses "bench: no runs" 2 "--runs 0" bench sg2-8 --runs 0
refuses "bench: an unknown type" 2 "--dtype f64" bench sg2-8 --dtype f64
refuses "bench: an unknown network" 1 "sg9-8: cannot read" bench sg9-8
refuses "bench: a file that is called as a network" 1 "sg2-8.sgw: cannot read" bench sg2-8.sgw
refuses "bench: a type for a file" 2 "--dtype" bench "$model" --dtype f16
refuses "bench: saving where nothing can be" 1 "/proc/x.sgw: cannot write" bench sg2-8 --save /proc/x.sgw

# --- What is wrong with arrays ---

refuses "z of another network" 1 "z has [n, 48]" generate "$model" --latents $golden/sg1-cond-32/z.npy --outdir "$left/out"
refuses "ws of another network" 1 "ws has [n, 10, 48]" generate "$model" --ws $golden/sg1-cond-32/ws.npy --outdir "$left/out"
refuses "an image as z" 1 "its shape is [2, 3, 64, 64]" generate "$model" --latents $golden/sg1-64/img.npy --outdir "$left/out"
refuses "a missing array" 1 "/nowhere.npy: cannot read" generate "$model" --latents /nowhere.npy --outdir "$left/out"
refuses "a folder as array" 1 "is a folder" generate "$model" --ws "$work" --outdir "$left/out"
refuses "a device that never ends" 1 "/dev/zero: is a device, not a file" generate "$model" --latents /dev/zero --outdir "$left/out"
refuses "a device as model" 1 "/dev/zero: is a device, not a file" info /dev/zero
refuses "a model as array" 1 "not a NumPy array" generate "$model" --ws "$model" --outdir "$left/out"
refuses "an archive of several arrays" 1 "holds 2 arrays, none of them named w" generate "$model" --ws tests/arrays/several.npz \
    --outdir "$left/out"
sed 's/[ab]\.npy/w.npy/g' tests/arrays/several.npz >"$work/twice.npz"
refuses "an archive of several arrays of one name" 1 "holds 2 arrays, several of them named w" generate "$model" --ws "$work/twice.npz" \
    --outdir "$left/out"
for size in 3 60 200 600; do
    head -c $size tests/arrays/deflated.npz >"$work/short.npz"
    refuses "an archive cut to $size bytes" 1 "short.npz: " generate "$model" --ws "$work/short.npz" --outdir "$left/out"
done
{ head -c 300 tests/arrays/deflated.npz; printf x; tail -c +302 tests/arrays/deflated.npz; } >"$work/damaged.npz"
refuses "a damaged archive" 1 "damaged.npz: its array is damaged: wrong checksum" generate "$model" --ws "$work/damaged.npz" --outdir "$left/out"
for size in 0 5 9 60 128 300; do
    head -c $size $golden/sg2-ada-64/z.npy >"$work/short.npy"
    refuses "an array cut to $size bytes" 1 "short.npy: " generate "$model" --latents "$work/short.npy" --outdir "$left/out"
done

# --- Outputs that cannot be written ---

: >"$work/file"
refuses "a file as folder" 1 "cannot create the folder: File exists" generate "$model" --seeds 1 --outdir "$work/file"
refuses "a folder below a file" 1 "cannot create the folder" generate "$model" --seeds 1 --outdir "$work/file/out"
refuses "a folder that cannot be made" 1 "cannot create the folder" mix "$model" --rows 1 --cols 2 --outdir /proc/out
refuses "a folder as array to write" 1 "is a folder" map "$model" --seeds 1 --save-npy "$work"
refuses "an array below nowhere" 1 "cannot write: No such file" map "$model" --seeds 1 --save-npy "$left/nowhere/ws.npy"
# A full disk is named as the reason, whatever is written: arrays, networks, packed pictures, text.
if [ -c /dev/full ]; then
    full="cannot write: No space left on device"
    refuses "a full disk" 1 "/dev/full: $full" map "$model" --seeds 1 --save-npy /dev/full
    refuses "a full disk for many styles" 1 "/dev/full: $full" map "$model" --seeds 1-99 --save-npy /dev/full
    refuses "a full disk for images" 1 "/dev/full: $full" generate "$model" --seeds 1-9 --outdir "$work/full" --save-npy /dev/full
    refuses "a full disk for a network" 1 "/dev/full: $full" bench sg1-32 --runs 1 --save /dev/full
    refuses "a full disk for portraits" 1 "/dev/full: $full" portraits --count 9 --pack /dev/full
    for arguments in "info $model" "info $model --json" "generate --help"; do
        # shellcheck disable=SC2086 # a list of arguments
        "$tool" $arguments >/dev/full 2>"$work/full-disk"
        check "${arguments%% *} to a full disk fails" test $? -eq 1
        check "${arguments%% *} to a full disk: why" grep -qF "standard output: $full" "$work/full-disk"
    done
fi

# So is a limit on the size of files; nothing unfinished stays.
printf '#!/bin/sh\nulimit -f 1\nexec "%s" "$@"\n' "$tool" >"$work/limited"
chmod +x "$work/limited"
unlimited=$tool tool=$work/limited
refuses "too large an array" 1 "cannot write: File too large" map "$model" --seeds 1-9 --save-npy "$npy"
refuses "too large a picture" 1 "cannot write: File too large" generate "$model" --seeds 1 --outdir "$left/out"
refuses "too large a network" 1 "cannot write: File too large" bench sg1-32 --runs 1 --save "$left/network.sgw"
refuses "too large a conversion" 1 "cannot write: File too large" convert "$(ls $golden/sg1-64/model.*)" "$left/network.sgw"
refuses "too many portraits" 1 "cannot write: File too large" portraits --count 9 --pack "$left/portraits.sgd"
tool=$unlimited

# Long names: the reason is said, and the folders that were made on the way are gone.
deep=$left/$(printf 'folder/%.0s' $(seq 400))
refuses "a folder too deep" 1 "cannot create the folder: File name too long" generate "$model" --seeds 1 --outdir "$deep$(printf '%0300d' 0)"
refuses "a path too long to exist" 1 "cannot read: File name too long" info "$deep$deep"

# A signal removes what is not finished.
mkdir "$work/stopped"
"$tool" generate "$model" --seeds 0-99999 --outdir "$work/stopped" --save-npy "$work/stopped/images.npy" 2>/dev/null &
stop_writing "a signal" $! "$work/stopped" 'images.npy.*.part'
check "a signal removes unfinished files" test -z "$(find "$work/stopped" -name '*.part' -o -name '*.npy')"

# --- embed: what it writes is a header, in C and C++, and holds the weights ---

cat >"$work/dump.c" <<'END'
#include <stdio.h>
#include "my-face.h" /* declared once, defined once */
#define MY_FACE_IMPLEMENTATION
#include "my-face.h"
#include "my-face.h"
#include "3.h" /* only declared here */
int main(void) {
    unsigned long misaligned = (unsigned long)((size_t)my_face_weights % 64);
    fwrite(my_face_weights, 1, sizeof my_face_weights, stdout);
    fprintf(stderr, "%d %d %d %d %d %lu\n", MY_FACE_Z_DIM, MY_FACE_NUM_WS, MY_FACE_WIDTH, MY_FACE_WEIGHTS_SIZE,
            N3_HEIGHT == 64 && N3_WIDTH == 32, misaligned);
    return 0;
}
END
check "embed" "$tool" embed "$model" -o "$work/my-face.h" --bits 64
check "embed: a rectangle" "$tool" embed "$work/sg2-rect-64.sgw" -o "$work/3.h"
for language in 'c -std=c99' 'c++ -std=c++11'; do
    # shellcheck disable=SC2086 # a language and its standard
    check "embed: compiles as ${language#*=}" "${CC:-cc}" -Wall -Wextra -Wpedantic -Werror -x $language "$work/dump.c" -o "$work/dump"
    "$work/dump" >"$work/dumped.sgw" 2>"$work/dumped"
    check "embed: the weights, as ${language#*=}" cmp "$work/dumped.sgw" "$model"
    check "embed: what it says of them, as ${language#*=}" grep -qx "48 10 64 $(wc -c <"$model") 1 0" "$work/dumped"
done
macro() { # macro FILE NAME
    sed -n "s/^#define $2 \([0-9]*\) .*/\1/p" "$work/$1.h"
}
check "embed: the fastest plan" test "$(macro my-face MY_FACE_WORKSPACE_SIZE)" = "$(workspace --isa scalar --threads 1)"
second=$(plans Boards | sed -n 2p)
check "embed --memory-limit" "$tool" embed "$model" -o "$work/my-face.h" --memory-limit "$second"
check "embed --memory-limit: the plan that fits" test "$(macro my-face MY_FACE_WORKSPACE_SIZE)" = "$second"
least=$(plans Boards | tail -n 1)
refuses "embed --memory-limit below the leanest plan" 1 "needs a workspace of at least $least bytes, more than --memory-limit allows" \
    embed "$model" -o "$left/face.h" --memory-limit $((least - 1))
check "embed --isa mve" "$tool" embed "$model" -o "$work/helium.h" --isa mve
check "embed --isa mve: what options.isa must be" grep -q '^#define HELIUM_ISA STYLEGAN_ISA_MVE ' "$work/helium.h"
refuses "embed --isa of no board" 2 "must be scalar or mve" embed "$model" -o "$left/face.h" --isa avx2
refuses "embed --isa mve --bits 64" 2 "have 32" embed "$model" -o "$left/face.h" --isa mve --bits 64

# --- Examples ---

check "hello" "$build/examples/hello" "$model" 85 "$work/hello.ppm"
check "hello: a picture" test "$(head -c 11 "$work/hello.ppm" | tr '\n' ' ')" = "P6 64 64 25"
check "example hello: a rectangle" "$build/examples/hello" "$work/sg2-rect-64.sgw" 3 "$work/upright.ppm"
check "generate for it" "$tool" generate "$work/sg2-rect-64.sgw" --seeds 3 --trunc 0.7 --outdir "$work/upright"
check "example hello: a rectangle as generate" "$pngdiff" "$work/upright.ppm" "$work/upright/seed0003.png"
check "example mix" "$build/examples/mix" "$model" 85 55 "$work/mix.ppm"
check "example mix: a picture" test "$(wc -c <"$work/mix.ppm")" -eq "$(wc -c <"$work/hello.ppm")"
example_refuses() { # NAME TEXT EXAMPLE ARGUMENTS...
    name="example refuses $1" text=$2 example=$3
    shift 3
    if "$build/examples/$example" "$@" >/dev/null 2>"$work/example.stderr"; then fail "$name" "exit status 0"; else
        check "$name" grep -qF -e "$text" "$work/example.stderr"; fi
}
example_refuses "a seed that is a name" "face is no seed" hello "$model" face "$work/face.ppm"
example_refuses "a full disk" "No space left" hello "$model" 85 /dev/full
example_refuses "negative seeds" "seeds are whole numbers" mix "$model" 85 -1 "$work/face.ppm"
example_refuses "a seed that is none among others" "seeds are whole numbers" animate "$model" 85 x
example_refuses "steps that are no number" "usage: " train_step "$work/face.ppm" x
example_refuses "a sheet on a full disk" "No space left" train_step /dev/full 0
check "examples leave no picture of what they refuse" test ! -e "$work/face.ppm"
check "embedded" sh -c "'$build/examples/embedded' >'$work/embedded.ppm'"
check "embedded: generate" "$tool" generate examples/portraits-64.sgw --seeds 85 --trunc 0.7 --isa scalar --outdir "$work/embedded"
check "embedded: the same picture" "$pngdiff" "$work/embedded.ppm" "$work/embedded/seed0085.png"

exit $failed

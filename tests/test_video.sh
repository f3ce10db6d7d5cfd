#!/bin/sh
# Moving pictures: key frames, the kinds of files, going on with what is there, and what can be wrong. Prints "ok NAME" or
# "FAIL NAME: why".
. tests/checks.sh
golden=tests/golden test_video=$build/tests/test_video npydiff=$build/tests/npydiff pngdiff=$build/tests/pngdiff

# each NAME MODE ARGUMENTS...: the checks of test_video, by their own names.
each() {
    name=$1
    shift
    "$test_video" "$@" >"$work/checks" 2>"$work/stderr" || failed=1
    grep -q '^ok\|^FAIL' "$work/checks" || fail "$name" "$(head -n 1 "$work/stderr")"
    sed "s/^\(ok\|FAIL\) /&$name: /" "$work/checks"
}
for case in sg2-ada-64 sg2-ada-cond-32-clamp sg3-t-64 sg2-rect-64; do
    check "convert $case" "$tool" convert "$(ls $golden/$case/model.*)" "$work/$case.sgw" --dtype f32
done
model=$work/sg2-ada-64.sgw
video() { # video FLAGS...
    "$tool" video "$model" "$@"
}

# --- Key frames ---

each spline spline $golden/spline.npy
check "six key frames" "$tool" map "$model" --seeds 0-5 --trunc 0.7 --save-npy "$work/keys.npy"
check "their frames" video --seeds 0-5 --trunc 0.7 --w-frames 8 --save-ws "$work/ws.npy"
each "ws" ws $golden/spline.npy "$work/keys.npy" "$work/ws.npy"
check "--num-keyframes repeats seeds" video --seeds 0-5 --trunc 0.7 --num-keyframes 12 --w-frames 4 --save-ws "$work/twelve.npy"
check "--num-keyframes leaves seeds out" video --seeds 0-7 --trunc 0.7 --num-keyframes 6 --w-frames 8 --save-ws "$work/left-out.npy"
check "seeds left out: the same frames" cmp "$work/left-out.npy" "$work/ws.npy"
check "repeated seeds, key frame by key frame" video --seeds 0-5,0-5 --trunc 0.7 --w-frames 4 --save-ws "$work/repeated.npy"
check "repeated seeds: the same frames" cmp "$work/repeated.npy" "$work/twelve.npy"
check "--shuffle-seed" video --seeds 0-9 --shuffle-seed 7 --w-frames 2 --save-ws "$work/shuffled.npy"
check "seeds in that order" video --seeds 8,5,0,2,1,9,7,3,6,4 --w-frames 2 --save-ws "$work/ordered.npy"
check "--shuffle-seed: the same frames" cmp "$work/shuffled.npy" "$work/ordered.npy"
check "--grid" video --seeds 0-5 --trunc 0.7 --w-frames 8 --grid 2x1 --save-ws "$work/pairs.npy"
check "--grid: first the seeds of the first picture" video --seeds 0-2 --trunc 0.7 --w-frames 8 --save-ws "$work/first.npy"
tail -c +129 "$work/pairs.npy" | od -An -v -tx4 -w1920 | sed -n 'p;n' >"$work/of-pairs" # 480 values each: 10 layers of 48
tail -c +129 "$work/first.npy" | od -An -v -tx4 -w1920 >"$work/of-first"
check "--grid: every other image is its" cmp "$work/of-pairs" "$work/of-first"
for space in z circle; do
    seeds=1,7
    [ $space = circle ] && seeds=7
    check "--space $space" video --space $space --seeds $seeds --w-frames $([ $space = z ] && echo 4 || echo 8) --save-ws "$work/$space.npy"
    check "--space $space: zs by the test" "$test_video" zs $space "$work/zs.npy"
    check "--space $space: their ws" "$tool" map "$model" --latents "$work/zs.npy" --save-npy "$work/mapped.npy"
    check "--space $space: the same ws" "$npydiff" "$work/$space.npy" "$work/mapped.npy" 1e-5
done

# --- Files: the frames are the pictures that generate draws ---

frames() { # frames NAME FLAGS...: in $work/NAME.npy
    stem=$1
    shift
    check "$stem: ws" video --save-ws "$work/$stem-ws.npy" "$@" -o "$work/$stem.y4m" &&
        check "$stem: images" "$tool" generate "$model" --ws "$work/$stem-ws.npy" --outdir "$work/images" --save-npy "$work/$stem.npy"
}
frames wide --seeds 0-11 --grid 3x2 --w-frames 3
single=$("$tool" info "$model" --json | sed -n 's/.*"workspace_bytes": \(.*\),/\1/p')
check "no memory for frames drawn together" video --seeds 0-11 --grid 3x2 --w-frames 3 --memory-limit "$single" -o "$work/single.y4m"
check "drawn together or alone: the same file" cmp "$work/single.y4m" "$work/wide.y4m"
each "y4m of a grid" y4m "$work/wide.y4m" "$work/wide.npy" 3x2
check "apng of a grid" video --seeds 0-11 --grid 3x2 --w-frames 3 -o "$work/wide.apng"
each "apng of a grid" apng "$work/wide.apng" "$work/wide.npy" 3x2
prints "apng says what it is" "Synthetic: made by a generative network" "$tool" info "$work/wide.apng"
prints "apng says of what" "Seeds: 0-11" "$tool" info "$work/wide.apng"
check "animated .png" video --seeds 0-11 --grid 3x2 --w-frames 3 -o "$work/wide.png"
check "animated .png: the same file" cmp "$work/wide.png" "$work/wide.apng"
plain=$model model=examples/portraits-64.sgw
frames portraits --seeds 0-3 --w-frames 3
for colours in 2:80 16:20 256:4; do
    check "--colours ${colours%:*}" video --seeds 0-3 --w-frames 3 --colours ${colours%:*} -o "$work/few.apng"
    each "--colours ${colours%:*}" apng "$work/few.apng" "$work/portraits.npy" 1x1 ${colours#*:}
done
check "--colours: a smaller file" test "$(wc -c <"$work/few.apng")" -lt "$(($(wc -c <"$work/portraits.y4m") / 2))"
model=$plain
check "--no-metadata" video --seeds 0-1 --w-frames 1 --no-metadata -o "$work/silent.apng"
check "--no-metadata: no texts" sh -c "! grep -aq iTXt '$work/silent.apng'"
check "y4m to standard output" sh -c "'$tool' video '$model' --seeds 0-11 --grid 3x2 --w-frames 3 -o - >'$work/piped.y4m'"
check "y4m to standard output: the same file" cmp "$work/piped.y4m" "$work/wide.y4m"
check "the official names of flags" "$tool" video --network="$model" --seeds=0-11 --grid=3x2 --w-frames=3 --output="$work/official.y4m"
check "the official names of flags: the same file" cmp "$work/official.y4m" "$work/wide.y4m"
check "one thread" video --seeds 0-11 --grid 3x2 --w-frames 3 --threads 1 --output "$work/thread.y4m"
check "one thread: the same file" cmp "$work/thread.y4m" "$work/wide.y4m"
frames still --seeds 3 --w-frames 2
each "y4m of one key frame" y4m "$work/still.y4m" "$work/still.npy" 1x1
model=$work/sg3-t-64.sgw
frames sg3 --seeds 0-1 --w-frames 2
each "y4m of StyleGAN 3" y4m "$work/sg3.y4m" "$work/sg3.npy" 1x1
model=$work/sg2-rect-64.sgw
frames upright --seeds 0-3 --grid 2x1 --w-frames 2
each "y4m of rectangles" y4m "$work/upright.y4m" "$work/upright.npy" 2x1
model=$work/sg2-ada-cond-32-clamp.sgw
refuses "video of a conditional network without label" 2 "--class" video "$model" --seeds 0-1 -o "$left/x.y4m"
check "--class" video --seeds 0 --class 1 --w-frames 1 --save-ws "$work/class.npy"
check "map --class" "$tool" map "$model" --seeds 0 --class 1 --save-npy "$work/class-mapped.npy"
check "--class: as map" cmp "$work/class.npy" "$work/class-mapped.npy"
for seed in 1 2 3 4 5 6 7 8; do # grey, alpha, labels, odd sizes
    check "random network $seed" "$build/tests/randomsgw" $seed "$work/random.sgw"
    label=
    "$tool" info "$work/random.sgw" --json | grep -q '"c_dim": 0,' || label="--class 0"
    for kind in y4m apng 'apng --colours 9'; do
        # shellcheck disable=SC2086 # flags
        check "random network $seed: $kind" "$tool" video "$work/random.sgw" --seeds 1,2 $label --w-frames 1 -o "$work/random".$kind
    done
done
model=$work/sg2-ada-64.sgw

# --- Files, as another program reads them ---

if command -v ffmpeg >/dev/null; then
    for kind in y4m apng; do
        tolerance=0
        [ $kind = y4m ] && tolerance=2 # 8-bit Y'CbCr in the range of video: half a step of each plane, and of RGB
        check "ffmpeg reads $kind" ffmpeg -v error -i "$work/wide.$kind" -f rawvideo -pix_fmt rgb24 "$work/$kind.rgb"
        check "ffmpeg reads $kind: without a word" test ! -s "$work/stderr"
        each "ffmpeg reads $kind" raw "$work/$kind.rgb" "$work/wide.npy" 3x2 $tolerance
    done
    check "ffmpeg reads a pipe" sh -c "'$tool' video '$model' --seeds 0-3 --w-frames 2 -o - | ffmpeg -v error -i - -pix_fmt yuv420p -y '$work/video.mp4'"
else
    echo "skipped: y4m and apng read by another program: no ffmpeg"
fi

# --- Folders: whole frames stay, and are not drawn again ---

check "a folder" video --seeds 0-1 --w-frames 4 -o "$work/frames"
check "a folder: eight frames" test "$(ls "$work/frames" | tr '\n' ' ')" = "$(seq -f 'frame%06g.png' 0 7 | tr '\n' ' ')"
check "a folder: the ws" video --seeds 0-1 --w-frames 4 --save-ws "$work/folder.npy"
check "a folder: the images" "$tool" generate "$model" --ws "$work/folder.npy" --outdir "$work/images" --save-npy "$work/folder-images.npy"
for i in 0 3 7; do
    check "a folder: frame $i" "$pngdiff" "$work/frames/frame00000$i.png" 0 0 "$work/folder-images.npy" $i
done
cp -rp "$work/frames" "$work/before"
rm "$work/frames/frame000002.png"
head -c 3000 "$work/before/frame000005.png" >"$work/frames/frame000005.png"
: >"$work/frames/frame000006.png"
touch -d 2001-01-01 "$work/frames/frame000003.png"
check "goes on" video --seeds 0-1 --w-frames 4 -o "$work/frames/"
check "goes on: all frames" diff -r "$work/frames" "$work/before"
check "goes on: leaves finished frames alone" test -n "$(find "$work/frames/frame000003.png" ! -newer "$work/before/frame000003.png")"
refuses "frames of another video" 1 "frame000000.png: is of another video" video "$model" --seeds 0-1 --w-frames 4 --trunc 0.5 -o "$work/frames"
check "frames of another video: stay" diff -r "$work/frames" "$work/before"
mkdir "$work/foreign"
echo text >"$work/foreign/frame000001.png"
refuses "what is no frame" 1 "frame000001.png: is not a picture" video "$model" --seeds 0-1 --w-frames 4 -o "$work/foreign"
check "what is no frame: stays" test "$(cat "$work/foreign"/*)" = text
check "random noise" video --seeds 0-1 --w-frames 4 --noise-mode random --noise-seed 9 -o "$work/noise"
cp -r "$work/noise" "$work/noise-before"
rm "$work/noise/frame000004.png"
check "random noise: goes on" video --seeds 0-1 --w-frames 4 --noise-mode random --noise-seed 9 -o "$work/noise"
check "random noise: with the same" diff -r "$work/noise" "$work/noise-before"

# --- Pictures in the terminal ---

show() { # show COLUMNS COMMAND FLAGS...: into $work/shown
    columns=$1 command=$2
    shift 2
    COLUMNS=$columns "$tool" "$command" "$model" --outdir "$work/shown-out" --show "$@" >"$work/shown"
}
check "generate --show" show 80 generate --seeds 3
each "generate --show" show "$work/shown" "$work/shown-out/seed0003.png" 1
check "generate --show: a narrow terminal" show 32 generate --seeds 3
each "generate --show: a narrow terminal" show "$work/shown" "$work/shown-out/seed0003.png" 2
check "generate --show: a grid" show 64 generate --seeds 3-6 --grid 2x2
each "generate --show: a grid" show "$work/shown" "$work/shown-out/grid.png" 2
check "generate --show: two pictures" show 80 generate --seeds 3,4
check "generate --show: two pictures, lines" test "$(wc -l <"$work/shown")" -eq 64
check "mix --show" show 64 mix --rows 1 --cols 2
each "mix --show" show "$work/shown" "$work/shown-out/grid.png" 2
check "no --show, nothing printed" test -z "$("$tool" generate "$model" --seeds 3 --outdir "$work/shown-out")"
refuses "--show and an array to standard output" 2 "both go to standard output" generate "$model" --seeds 3 --show --save-npy - \
    --outdir "$left/out"
if [ -c /dev/full ]; then
    "$tool" generate "$model" --seeds 3 --show --outdir "$work/shown-out" >/dev/full 2>"$work/full-disk"
    check "--show to a full disk fails" test $? -eq 1
    check "--show to a full disk: why" grep -qF "standard output: cannot write: No space left" "$work/full-disk"
fi
if command -v script >/dev/null && script -qec true /dev/null >/dev/null 2>&1; then
    script -qec "stty cols 16; $tool generate $model --seeds 3 --show --outdir $work/shown-out" /dev/null | tr -d '\r' | grep 48 >"$work/shown"
    each "--show: as wide as the terminal" show "$work/shown" "$work/shown-out/seed0003.png" 4
else
    echo "skipped: --show on a terminal: no script, or no terminals for it"
fi

# --- examples/animate.c ---

check "animate" sh -c "'$build/examples/animate' '$model' 3 4 >'$work/animated'"
frame=$((13 + 64 * 64 * 3)) # bytes, with the line "P6 64 64 255"
check "animate: 30 frames from each person to the other" test "$(wc -c <"$work/animated")" -eq $((60 * frame))
check "animate: the same by video" video --seeds 3,4 --w-frames 2 -o "$work/animated-frames"
for pair in 0:0 15:1 30:2; do # at the middle the spline is nearly the mean, too
    tail -c +$((${pair%:*} * frame + 1)) "$work/animated" | head -c $frame >"$work/frame.ppm"
    check "animate: frame ${pair%:*}" "$pngdiff" "$work/frame.ppm" "$work/animated-frames/frame00000${pair#*:}.png"
done
check "animate: a rectangle" sh -c "'$build/examples/animate' '$work/sg2-rect-64.sgw' 1 2 | head -n 1 | grep -qx 'P6 32 64 255'"
"$build/examples/animate" "$work/missing.sgw" 1 >"$work/stdout" 2>"$work/stderr"
check "animate: a missing model" test $? -eq 1 -a ! -s "$work/stdout"

# --- examples/animation.png, of `make animation` ---

drawn_by=examples/$("$tool" info examples/animation.png | sed -n 's/^Model: //p')
prints "examples/animation.png: of a network that is there" \
    "Model Checksum: $(od -An -v -tx1 -j 24 -N 16 "$drawn_by" | tr -d ' \n')" "$tool" info examples/animation.png
check "examples/animation.png: moves" grep -aq acTL examples/animation.png
check "examples/animation.png: under 500 KB" test "$(wc -c <examples/animation.png)" -lt 500000

# --- What is wrong ---

while IFS='|' read -r text flags; do
    # shellcheck disable=SC2086 # a list of flags
    refuses "video $flags" 2 "$text" video "$model" $flags
done <<END
give the file to write: -o|--seeds 0-1
give the seeds of the key frames|-o $left/x.y4m
5 seeds are not the same number for each of 2 pictures|--seeds 0-4 --grid 2x1 -o $left/x.y4m
--num-keyframes 0|--seeds 0-1 --num-keyframes 0 -o $left/x.y4m
--w-frames 0|--seeds 0-1 --w-frames 0 -o $left/x.y4m
--w-frames x: not a whole number|--seeds 0-1 --w-frames x -o $left/x.y4m
more than 100000000 frames|--seeds 0-1 --num-keyframes 999999 --w-frames 99999 -o $left/x.y4m
--fps 0|--seeds 0-1 --fps 0 -o $left/x.y4m
--grid 4: must be columns x rows|--seeds 0-3 --grid 4 -o $left/x.y4m
--space v: must be w, z or circle|--seeds 0-1 --space v -o $left/x.y4m
--space circle: goes around one seed a picture, not 2|--seeds 0-1 --space circle -o $left/x.y4m
--radius needs --space circle|--seeds 0-1 --radius 9 -o $left/x.y4m
--radius 91: must be from 0 to 90|--seeds 0 --space circle --radius 91 -o $left/x.y4m
--colours 1: must be from 2 to 256|--seeds 0 --colours 1 -o $left/x.apng
--colours is for .apng|--seeds 0 --colours 9 -o $left/x.y4m
did you mean --colours?|--seeds 0 --colors 9 -o $left/x.apng
--shuffle-seed -1|--seeds 0-1 --shuffle-seed=-1 -o $left/x.y4m
ffmpeg -i - -pix_fmt yuv420p $left/x.mp4|--seeds 0-1 -o $left/x.mp4
.gif|--seeds 0-1 -o $left/x.gif
did you mean --num-keyframes?|--seeds 0-1 --keyframes 2 -o $left/x.y4m
did you mean --w-frames?|--seeds 0-1 --frames 2 -o $left/x.y4m
--rotate: only StyleGAN 3|--seeds 0-1 --rotate 3 -o $left/x.y4m
END
refuses "a video below nowhere" 1 "cannot write: No such file" video "$model" --seeds 0-1 -o "$left/nowhere/x.y4m"
refuses "a video too large for a picture" 1 "are too many" video "$model" --seeds 0-1 --grid 9999x9999 --num-keyframes 1 -o "$left/x.png"
refuses "frames into a file" 1 "cannot create the folder" video "$model" --seeds 0-1 -o "$work/keys.npy/frames"
if [ -c /dev/full ]; then
    refuses "a video to a full disk" 1 "/dev/full: cannot write: No space left" video "$model" --seeds 0-1 -o /dev/full
    "$tool" video "$model" --seeds 0-1 -o - >/dev/full 2>"$work/full-disk"
    check "a video to a full standard output fails" test $? -eq 1
    check "a video to a full standard output: why" grep -qF "standard output: cannot write: No space left" "$work/full-disk"
fi
printf '#!/bin/sh\nulimit -f 100\nexec "%s" "$@"\n' "$tool" >"$work/limited" # 51,200 bytes or twice that
chmod +x "$work/limited"
unlimited=$tool tool=$work/limited
for kind in y4m apng; do
    refuses "too large a .$kind" 1 "cannot write: File too large" video "$model" --seeds 0-9 --w-frames 10 -o "$left/x.$kind"
done
tool=$unlimited

check "ws in the new folder of the frames" "$tool" video "$model" --seeds 0 --w-frames 1 -o "$work/new/" --save-ws "$work/new/ws.npy"

# --- Signals: a file is whole or not there, a folder keeps whole frames ---

mkdir "$work/stopped"
for written in x.y4m:x.y4m.*.part x.apng:x.apng.*.part frames/:frame000003.png; do # and what tells that it is being done
    what=${written%%:*}
    "$tool" video "$model" --seeds 0-9 --w-frames 9999 -o "$work/stopped/$what" 2>"$work/stderr" &
    pid=$!
    tries=0
    while [ -z "$(find "$work/stopped" -type f -size +0 -name "${written#*:}")" ] && [ $tries -lt 300 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    kill $pid
    wait $pid 2>/dev/null
    check "a signal while $what is written: nothing unfinished" test -z "$(find "$work/stopped" -type f ! -name 'frame*.png')"
done
count=$(ls "$work/stopped/frames" | wc -l)
check "a signal: frames stay" test "$count" -gt 0
whole=0
for frame in "$work/stopped/frames"/*; do
    [ "$(tail -c 8 "$frame" | head -c 4)" = IEND ] && whole=$((whole + 1))
done
check "a signal: and are whole, $count" test "$whole" -eq "$count"
exit $failed

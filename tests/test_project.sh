#!/bin/sh
# test_project.sh FOLDER - stylegan project: what it writes, that generate draws it, what it refuses. FOLDER holds the
# reference networks as weight files.
. tests/checks.sh
networks=$1
model=examples/portraits-64-stylegan1.sgw
pngdiff=$build/tests/pngdiff
target=$work/seed0007.png

"$tool" generate $model --seeds 7 --trunc 1 --outdir "$work" || exit

# --- What it writes ---

check "project" "$tool" project $model --target "$target" --num-steps 30 --frame-every 10 --outdir "$work/out"
if [ "$(ls "$work/out" | tr '\n' ' ')" = "comparison.png frames proj.png projected_w.npy projected_w.npz target.png " ]; then
    ok "project: its files"
else fail "project: its files" "$(ls "$work/out" | tr '\n' ' ')"; fi
if [ "$(ls "$work/out/frames" | tr '\n' ' ')" = "0000.png 0001.png 0002.png 0003.png " ]; then ok "project --frame-every"
else fail "project --frame-every" "$(ls "$work/out/frames" | tr '\n' ' ')"; fi
check "project: the target as it was" "$pngdiff" "$work/out/target.png" 0 0 "$target"
check "project: the target in the sheet" "$pngdiff" "$work/out/comparison.png" 0 0 "$target"
check "project: the result in the sheet" "$pngdiff" "$work/out/comparison.png" 1 0 "$work/out/proj.png"
check "project: the last frame is the result" "$pngdiff" "$work/out/frames/0003.png" 1 0 "$work/out/proj.png"
check "generate --projected-w" "$tool" generate $model --projected-w "$work/out/projected_w.npz" --outdir "$work/again"
check "generate --projected-w draws the w that was found" "$pngdiff" "$work/out/comparison.png" 2 0 "$work/again/img0000.png"
check "generate --ws: .npy" "$tool" generate $model --ws "$work/out/projected_w.npy" --outdir "$work/npy"
check "project: .npy and .npz are the same" "$pngdiff" "$work/npy/img0000.png" 0 0 "$work/again/img0000.png"
prints "project: what the picture says" "Projected From: seed0007.png" "$tool" info "$work/out/proj.png"
prints "project: how it was made" "trainedAlgorithmicMedia" "$tool" info "$work/out/proj.png"

check "project --threads 1" "$tool" project $model --target "$target" --num-steps 30 --threads 1 --outdir "$work/one"
check "project: the same bits with one thread" cmp "$work/out/projected_w.npz" "$work/one/projected_w.npz"
check "project --space w+ --tune-steps" "$tool" project $model --target "$target" --num-steps 10 --space w+ --tune-steps 4 \
    --dtype f32 --seed 2 --outdir "$work/tuned"
check "project: the tuned network" "$tool" generate "$work/tuned/tuned.sgw" --projected-w "$work/tuned/projected_w.npz" \
    --outdir "$work/tuned"
check "project: the tuned network draws what was found" "$pngdiff" "$work/tuned/proj.png" "$work/tuned/img0000.png"
prints "project: what the tuned network says" "weights fitted" "$tool" info "$work/tuned/tuned.sgw"
check "project --keep-noise" "$tool" project $model --target "$target" --num-steps 3 --keep-noise --distance pixels \
    --no-metadata --outdir "$work/kept"
check "project --keep-noise: w alone makes the result" "$pngdiff" "$work/kept/comparison.png" 2 0 "$work/kept/proj.png"

for threads in 1 2; do
    check "project --distance factors, $threads threads" "$tool" project $model --target "$target" --num-steps 8 --distance factors \
        --threads $threads --outdir "$work/factors-$threads"
done
check "project --distance factors: the same bits" cmp "$work/factors-1/projected_w.npz" "$work/factors-2/projected_w.npz"
check "project --distance pyramid" "$tool" project $model --target "$target" --num-steps 8 --outdir "$work/pyramid"
differs "project --distance factors: another search" cmp "$work/factors-1/projected_w.npz" "$work/pyramid/projected_w.npz"

# A person of 128 x 128 pixels, whom the network draws, is found again: at least 30 dB, after a third of the usual steps.
large=examples/portraits-128.sgw
"$tool" generate $large --seeds 1000 --outdir "$work/unseen" >/dev/null
check "project portraits-128" "$tool" project $large --target "$work/unseen/seed1000.png" --num-steps 300 --outdir "$work/found"
psnr=$("$pngdiff" --psnr "$work/unseen/seed1000.png" "$work/found/proj.png")
if [ "$psnr" -ge 30 ]; then ok "project portraits-128: $psnr dB"; else fail "project portraits-128" "$psnr dB, less than 30"; fi

# numpy.load reads the archive as it reads the official projector's.
python=
for candidate in python3 /usr/bin/python3; do $candidate -c 'import numpy' 2>/dev/null && python=$candidate; done
if [ -n "$python" ]; then
    prints "project: NumPy reads projected_w.npz" "float32 (1, 10, 128) True" $python -c "
import numpy
w = numpy.load('$work/out/projected_w.npz')['w']
print(w.dtype, w.shape, (w == numpy.load('$work/out/projected_w.npy')).all())"
else echo "skipped: NumPy reading projected_w.npz: no NumPy"; fi

check "project: a model in the new folder of the results" "$tool" project $model --target "$target" --num-steps 2 \
    --outdir "$work/new/out" --save-model "$work/new/out/model.sgw"

# --- An orderly end ---

"$tool" project $model --target "$target" --num-steps 1000000 --frame-every 50 --outdir "$work/stopped" 2>"$work/stderr" &
process=$!
wait_for $process test -e "$work/stopped/frames/0001.png"
kill -TERM $process
wait $process
status=$?
if [ $status -eq 143 ] && [ -e "$work/stopped/projected_w.npz" ] && grep -q "stopped early" "$work/stderr"; then
    ok "project: a signal to end, as Ctrl-C, saves what was found"
else fail "project: a signal to end" "exit status $status: $(cat "$work/stderr")"; fi

# --- What it refuses ---

refuses "project without target" 2 "--target is needed" project $model --outdir "$left/out"
refuses "project without model" 2 "missing argument" project --target "$target"
refuses "project: an unknown space" 2 "--space z: must be w or w+" project $model --target "$target" --space z --outdir "$left/out"
refuses "project: an unknown distance" 2 "--distance vgg: must be pyramid" project $model --target "$target" --distance vgg \
    --outdir "$left/out"
refuses "project: factors of small pictures" 2 "--distance factors: is for pictures of 64 pixels or more, not 32" \
    project "$networks/sg1-cond-32.sgw" --target "$target" --class 1 --distance factors --outdir "$left/out"
refuses "project: no steps" 2 "--num-steps 0" project $model --target "$target" --num-steps 0 --outdir "$left/out"
refuses "project: a model as target" 1 "$model: " project $model --target $model --outdir "$left/out"
refuses "project: a missing target" 1 "missing.png: " project $model --target "$work/missing.png" --outdir "$left/out"
refuses "project: a folder as target" 1 "is a folder, not a picture" project $model --target "$work/out" --outdir "$left/out"
refuses "project: StyleGAN 3" 1 "StyleGAN 3" project "$networks/sg3-t-64.sgw" --target "$target" --outdir "$left/out"
refuses "project: a rectangle" 1 "32x64, not square" project "$networks/sg2-rect-64.sgw" --target "$target" --outdir "$left/out"
refuses "project: a conditional network without class" 2 "--class" project "$networks/sg1-cond-32.sgw" --target "$target" \
    --num-steps 2 --outdir "$left/out"
refuses "project: a model where none can be written" 1 "missing/x.sgw" project $model --target "$target" --num-steps 2 \
    --save-model "$work/missing/x.sgw" --outdir "$left/out"
refuses "project: onto its target" 2 "would be overwritten" project $model --target "$work/out/target.png" \
    --outdir "$work/out"
cp "$work/out/frames/0003.png" "$work/frame.png"
refuses "project: frames onto its target" 2 "frames/0003.png: would be overwritten" project $model \
    --target "$work/out/frames/0003.png" --num-steps 29 --frame-every 10 --outdir "$work/out"
ln -sf "$work/frame.png" "$work/out/frames/0002.png"
refuses "project: a frame that is a link to its target" 2 "frames/0002.png: would be overwritten" project $model \
    --target "$work/frame.png" --num-steps 11 --frame-every 10 --outdir "$work/out"
rm "$work/out/frames/0002.png"
check "project: a target that no frame overwrites" "$tool" project $model --target "$work/out/frames/0003.png" --num-steps 20 \
    --frame-every 10 --outdir "$work/out"
check "project --class" "$tool" project "$networks/sg1-cond-32.sgw" --target "$target" --class 1 --num-steps 3 \
    --outdir "$work/class"

exit $failed

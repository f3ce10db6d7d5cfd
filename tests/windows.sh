#!/bin/sh
# windows.sh - the header by the rules of Microsoft's compiler, its syntax only; then the tool as MinGW builds it, under
# wine: the same pictures, networks and checkpoints as the native tool, to the byte. Prints ok, FAIL and skipped lines.
cd "$(dirname "$0")/.." || exit 1
. tests/checks.sh
native=$PWD/$build/stylegan diff=$PWD/$build/tests/pngdiff exe=$PWD/build/windows/stylegan.exe golden=$PWD/tests/golden
mingw=x86_64-w64-mingw32-gcc

# --- Syntax by the rules of Microsoft's compiler ---

# accepts NAME FLAGS... FILE
accepts() {
    name="MSVC syntax: $1"
    shift
    check "$name" clang --driver-mode=cl /Zs /W3 /WX /clang:-ffreestanding /D_CRT_SECURE_NO_WARNINGS /I. "/I$build" \
        /imsvc "$work/msvc" "$@"
}

# The second set of flags hides clang, so that the header takes what it has for Microsoft's compiler, which knows every
# instruction without being told.
check_msvc() {
    mkdir "$work/msvc"
    for name in stdio stdlib string math windows fcntl io; do
        printf '#include "%s"\n' "$PWD/tests/portable/msvc.h" >"$work/msvc/$name.h"
    done
    printf '#define STYLEGAN_IMPLEMENTATION\n#include "stylegan.h"\n' >"$work/header.c"
    for processor in x86_64 i686 aarch64; do
        for hidden in '' '/U__clang__ /clang:-mavx512f /clang:-mavx2 /clang:-mfma /clang:-mf16c'; do
            [ $processor = aarch64 ] && [ "$hidden" ] && continue # its NEON header is clang's own
            target=--target=$processor-pc-windows-msvc19.30
            # shellcheck disable=SC2086 # a list of flags
            {
                accepts "the header as C, $processor${hidden:+, clang hidden}" $target $hidden /TC "$work/header.c"
                accepts "the header as C++, $processor${hidden:+, clang hidden}" $target $hidden /TP "$work/header.c"
            }
        done
    done
    for file in examples/*.c tests/portable/portable.c; do
        accepts "$file" --target=x86_64-pc-windows-msvc19.30 /TC "$file"
    done
}

if command -v clang >/dev/null; then check_msvc; else echo 'skipped: MSVC syntax: clang not installed'; fi

# --- The tool under wine ---

for program in $mingw wine; do
    command -v $program >/dev/null || { echo "skipped: windows: $program not installed"; exit $failed; }
done
# wine takes the names of files as the locale says.
WINEPREFIX=$work/wine WINEDEBUG=-all DISPLAY='' LC_ALL=C.UTF-8
export WINEPREFIX WINEDEBUG DISPLAY LC_ALL
trap 'wineserver -k; wineserver -w; chmod -R u+w "$work"; rm -rf "$work"' EXIT
mkdir "$WINEPREFIX"
wineserver -p # stays: a program that meets one about to end fails
wineboot --init >"$work/stdout" 2>&1
if ! wine cmd /c exit >"$work/stdout" 2>&1; then
    echo "skipped: windows: wine does not run: $(tail -n 1 "$work/stdout")"
    exit $failed
fi
check "windows: builds" env -u BUILD "${MAKE:-make}" --silent windows
if "$native" --version | grep -q amx; then # for Linux only: what both choose by themselves has to be the same
    mkdir "$work/native"
    native=$work/native/stylegan
    # shellcheck disable=SC2086 # lists of flags
    check "windows: an engine without AMX" ${CC:-cc} ${CFLAGS:--O2} -DSTYLEGAN_NO_AMX -c -o "$work/engine.o" tools/model/engine.c
    # shellcheck disable=SC2086
    check "windows: a native tool with it" ${CC:-cc} ${CFLAGS:--O2} -o "$native" "$build/tools/main.o" "$work/engine.o" \
        "$build/tools.a" -lm -lpthread
fi
[ $failed -eq 0 ] || exit 1
printf '#!/bin/sh\nexec wine "%s" "$@"\n' "$exe" >"$work/stylegan"
chmod +x "$work/stylegan"
tool=$work/stylegan
portraits=$PWD/examples/portraits-64.sgw tests=$PWD/tests
cd "$work" || exit 1

# same NAME ARGUMENTS...: both tools, each in a folder of its own, leave the same files and print the same.
same() {
    name="windows: $1"
    shift
    mkdir -p here there
    (cd here && "$native" "$@" >stdout) 2>stderr || { fail "$name" "natively: $(tail -n 1 stderr)"; return; }
    (cd there && "$tool" "$@" >stdout) 2>stderr || { fail "$name" "$(tail -n 1 stderr)"; return; }
    if diff -r here there >differences; then ok "$name: the same bytes"; else fail "$name" "$(head -n 1 differences)"; fi
}

prints "windows: --version" "stylegan 1." "$tool" --version
for case in sg1-64 sg2-tf-64 sg2-ada-64 sg2-rosinality-64; do
    same "convert $case" convert "$(ls $golden/$case/model.*)" $case.sgw
done
same "convert to i8" convert $golden/sg2-ada-64/model.pkl small.sgw --dtype i8
cp here/*.sgw "$work"
for isa in $("$native" --version | sed 's/.*: //'); do
    same "generate --isa $isa" generate "$portraits" --seeds 0-3,85 --isa "$isa" --grid 3x2 --outdir "$isa" --save-npy "$isa.npy"
done
same "generate, StyleGAN 1" generate "$work/sg1-64.sgw" --seeds 3 --noise-mode random --noise-seed 7 --threads 2
same "map" map "$portraits" --seeds 0-9 --trunc 0.7 --save-npy ws.npy
same "generate from styles" generate "$portraits" --ws "$work/here/ws.npy" --outdir styles
same "mix" mix "$portraits" --rows 1,2 --cols 3-5 --styles 0-3 --outdir mixing
same "video" video "$portraits" --seeds 0-3 --grid 2x1 --w-frames 2 -o faces.y4m
same "animated PNG" video "$portraits" --seeds 0,1 --space z --w-frames 2 -o faces.apng
same "animated PNG in few colours" video "$portraits" --seeds 85 --space circle --w-frames 4 --colours 16 -o few.png
same "numbered frames" video "$portraits" --seeds 0,1 --w-frames 2 -o frames/
same "numbered frames, again" video "$portraits" --seeds 0,1 --w-frames 2 -o frames/
same "generate --show" generate "$portraits" --seeds 85 --show --outdir shown
for program in "$native" "$tool"; do # the open model's size depends on the system
    "$program" info "$portraits" | grep -v "^  open model " >"info-$(basename "$(dirname "$program")")"
done
check "windows: info" cmp info-*
same "portraits" portraits --count 4 --size 32 --seed 3 --outdir drawn
# The C libraries' sines differ in their last bits, and so may a byte in many thousands.
"$native" portraits --count 200 --size 64 --seed 5 --pack packed.sgd
check "windows: portraits, packed" "$tool" portraits --count 200 --size 64 --seed 5 --pack there/packed.sgd
check "windows: portraits, packed: as large" test "$(wc -c <packed.sgd)" = "$(wc -c <there/packed.sgd)"
check "windows: portraits, packed: nearly the same bytes" test "$(cmp -l packed.sgd there/packed.sgd | wc -l)" -lt 100
rm there/packed.sgd
prints "windows: bench" "MB at most in the process" "$tool" bench sg2-32 --runs 2
check "windows: the header alone" $mingw -O2 -std=c99 -I"$tests/.." "$tests/portable/portable.c" -o portable.exe
"$native" convert $golden/sg1-64/model.pkl sg1-64.sgw --dtype f32 >stdout
prints "windows: the header's picture" "ok portable" wine portable.exe sg1-64.sgw $golden/sg1-64/z.npy $golden/sg1-64/img.npy 0.7 8

# Names in other letters, of arguments, files and folders.
cp "$portraits" 'Gesichter für 顔.sgw'
check "windows: other letters" "$tool" generate 'Gesichter für 顔.sgw' --seeds 85 --isa scalar --outdir 'Bilder/größer 絵'
check "windows: the file is there" "$diff" 'Bilder/größer 絵/seed0085.png' 0 0 here/scalar/seed0085.png
prints "windows: the file names its model" "Model: Gesichter für 顔.sgw" "$tool" info 'Bilder/größer 絵/seed0085.png'
check "windows: again, in place of the first" "$tool" generate "$portraits" --seeds 85 --isa scalar --outdir 'Bilder/größer 絵'
mkdir 'Fotos 写真' 'Fotos 写真/ä'
cp here/drawn/portrait000000.png 'Fotos 写真/ö.png'
cp here/drawn/portrait000001.png 'Fotos 写真/ä/ß.png'
echo text >'Fotos 写真/ü.png'
same "a folder of photographs" pack "$work/Fotos 写真" --size 32 -o photographs.sgd
prints "windows: names what it skips" "ü.png: skipped: not a PNG" "$tool" pack 'Fotos 写真' --size 32 -o x.sgd

# Training: in one go, and stopped and resumed, to the same checkpoint as the native tool's.
pack=$work/faces.sgd
"$native" portraits --count 64 --size 16 --seed 3 --pack "$pack"
settings="--config tiny-16 --stable-kimg 0.1 --fade-kimg 0.1 --isa avx2 --seed 7"
"$native" --version | grep -q avx2 || settings="--config tiny-16 --stable-kimg 0.1 --fade-kimg 0.1 --isa scalar --seed 7"
# shellcheck disable=SC2086 # a list of flags
{
    check "windows: train, natively" "$native" train $settings --kimg 0.32 --data "$pack" --outdir natively
    check "windows: train" "$tool" train $settings --kimg 0.16 --data "$pack" --outdir run
    check "windows: train --resume" "$tool" train --resume --kimg 0.32 --data "$pack" --outdir run
    "$tool" train $settings --kimg 100 --data "$pack" --outdir stopped >/dev/null 2>&1 &
    while [ ! -e stopped/checkpoint.sgt ] && kill -0 $! 2>/dev/null; do sleep 0.2; done
    refuses "windows: a second process in the folder" 1 "another process is training" train --resume --data "$pack" --outdir stopped
    kill -9 $!
    wait $! 2>/dev/null
    check "windows: a killed run goes on" "$tool" train --resume --kimg 0.32 --data "$pack" --outdir stopped
    refuses "windows: to overwrite a run" 2 "holds a run; continue it" train $settings --data "$pack" --outdir run
}
for run in run stopped; do
    check "windows: $run: the native checkpoint" cmp $run/checkpoint.sgt natively/checkpoint.sgt
done
check "windows: the native network" cmp run/model.sgw natively/model.sgw
check "windows: the checkpoint before" test -s run/checkpoint-previous.sgt
check "windows: nothing unfinished stays" test -z "$(find run stopped -name '*.part')"
same "evaluate" evaluate "$work/run/model.sgw" --data "$pack" --count 32

# What is wrong is said in one line, and nothing is left.
: >empty.sgw
head -c 5000 "$portraits" >short.sgw
refuses "windows: a missing model" 1 "nowhere.sgw: cannot read: No such file" generate nowhere.sgw --seeds 1
refuses "windows: a folder as model" 1 "is a folder" info .
refuses "windows: a device as model" 1 "is a device, not a file" info NUL
refuses "windows: an empty model" 1 "empty.sgw: " info empty.sgw
refuses "windows: a truncated model" 1 "short.sgw: " info short.sgw
refuses "windows: a pickle as model" 1 "convert it first" info $golden/sg1-64/model.pkl
refuses "windows: an array as checkpoint" 1 "neither a pickle" convert $golden/sg1-64/z.npy "$left/x.sgw"
refuses "windows: an unknown flag" 2 "unknown flag --sheet" generate "$portraits" --sheet 1
refuses "windows: a file as folder" 1 "cannot create the folder" generate "$portraits" --seeds 1 --outdir empty.sgw
refuses "windows: an array below nowhere" 1 "cannot write: No such file" generate "$portraits" --seeds 1 --outdir "$left/a/b" \
    --save-npy "$left/nowhere/x.npy"
refuses "windows: a folder as array to write" 1 "is a folder" map "$portraits" --seeds 1 --save-npy .
refuses "windows: a model that is no network" 1 "not a NumPy array" generate "$portraits" --ws "$portraits" --outdir "$left/out"
mkdir -p blocked/seed0001.png # a folder where a picture should go, while the array is open
refuses "windows: a folder in a picture's place" 1 "seed0001.png: is a folder" generate "$portraits" --seeds 1 \
    --outdir blocked --save-npy "$left/x.npy"
exit $failed

#!/bin/sh
# portability.sh WORK - cross-compiles the tests for other processors and runs them there, under qemu. WORK holds the
# converted reference networks. Prints ok, FAIL and skipped lines.
cd "$(dirname "$0")/.." || exit 1
cases='sg1-cond-32 sg2-ada-resnet-32'
# All that knows no more than models, but for what needs stb, which cross compilers do not find. The linker leaves out what the
# tests do not call.
sources=$(find tests/test.c tests/reference.c tools/base tools/model -name '*.c' \
    ! -name stb.c ! -name png.c ! -name system_windows.c)

# Runs one test, its lines marked with the processor's name.
run_test() { # TEST ARGUMENTS...
    test=$1
    shift
    program=$objects/$test
    if $compile -static "tests/$test.c" "$objects"/*.o -o "$program" -lm -lpthread 2>"$program.log"; then
        "$emulator" "$program" "$@" >"$program.log" 2>&1
        status=$?
        sed -n "s/^\(ok\|FAIL\) /&portability $name /p" "$program.log"
        [ $status -le 1 ] || echo "FAIL portability $name $test: exit status $status: $(tail -n 1 "$program.log")"
    else
        echo "FAIL portability $name: $(grep -m 1 -E 'error|undefined' "$program.log")"
    fi
    rm -f "$program"
}

check() { # NAME COMPILER EMULATOR [FLAGS]
    name=$1 emulator=$3 compile="$2 -O2 -ffunction-sections -Wl,--gc-sections -std=c99 -D_POSIX_C_SOURCE=200809L $4" objects=$WORK/cross-$1
    for tool in "$2" "$3"; do
        command -v "$tool" >/dev/null || { echo "skipped: $name: $tool not installed"; return; }
    done
    mkdir -p "$objects"
    for source in $sources; do
        $compile -c "$source" -o "$objects/$(basename "$source" .c).o" 2>"$objects/log" ||
            { echo "FAIL portability $name: $(grep -m 1 error "$objects/log")"; return; }
    done
    run_test test_kernels
    run_test test_seeds tests/golden/seeds.npy
    # shellcheck disable=SC2086 # a list of names
    run_test test_golden tests/golden "$WORK" $cases
    run_test test_reference 1 10
    rm -rf "$objects"
}

# Whole networks in WebAssembly, with and without SIMD.
check_wasm() {
    program=$WORK/portable.wasm
    for tool in clang wasm-ld node; do
        command -v $tool >/dev/null || { echo "skipped: wasm: $tool not installed"; return; }
    done
    if ! printf '#include <stdio.h>\nint main(void) { return 0; }\n' | clang --target=wasm32-wasi -x c - -o "$program" 2>"$program.log"; then
        echo "skipped: wasm: clang cannot build for wasm32-wasi (wasi-libc, libclang-rt-dev-wasm32)"
        return
    fi
    for flag in -msimd128 -mno-simd128; do
        if ! clang --target=wasm32-wasi $flag -O2 -std=c99 -I. tests/portable/portable.c -o "$program" -lm 2>"$program.log"; then
            echo "FAIL portability wasm $flag: $(grep -m 1 -E 'error|undefined' "$program.log")"
            continue
        fi
        for run in 'sg1-64 0.7 8' 'sg2-ada-64 0.7 99'; do
            # shellcheck disable=SC2086 # a case with its truncation
            set -- $run
            if node --no-warnings tests/portable/wasi.mjs "$program" "$WORK/$1.sgw" "$PWD/tests/golden/$1/z.npy" \
                "$PWD/tests/golden/$1/img.npy" "$2" "$3" >"$program.log" 2>&1; then
                echo "ok portability wasm $flag $1: $(tail -n 1 "$program.log")"
            else
                echo "FAIL portability wasm $flag $1: $(tail -n 1 "$program.log")"
            fi
        done
    done
}

if [ "$1" = --check ]; then
    WORK=$2
    shift 2
    # shellcheck disable=SC2048,SC2086 # one line holds the arguments
    check $*
    exit
fi
xargs -P "$(getconf _NPROCESSORS_ONLN)" -I LINE sh tests/portability.sh --check "$1" LINE <<'END'
aarch64 aarch64-linux-gnu-gcc qemu-aarch64
arm-neon arm-linux-gnueabihf-gcc qemu-arm -mfpu=neon
arm arm-linux-gnueabihf-gcc qemu-arm
riscv64 riscv64-linux-gnu-gcc qemu-riscv64
s390x s390x-linux-gnu-gcc qemu-s390x
END
WORK=$1
check_wasm

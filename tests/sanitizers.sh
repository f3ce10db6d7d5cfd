#!/bin/sh
# sanitizers.sh WORK - the tests that handle bad input and threads, under AddressSanitizer and UndefinedBehaviorSanitizer,
# and short runs of the fuzzers that need no more than these. Prints ok, FAIL and skipped lines.
cd "$(dirname "$0")/.." || exit 1
WORK=$1
sanitize='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined'
# All that reads what others have written; what computes in the differentiable networks does not.
sources=$(find tests/test.c tests/reference.c tools/base tools/model tools/data -name '*.c' \
    ! -name recognition.c ! -name distances.c ! -name system_windows.c)
compile="${CC:-cc} -std=c99 -D_POSIX_C_SOURCE=200809L -I${BUILD:-build} $sanitize"
objects=$WORK/sanitized
mkdir -p "$objects"

if ! echo 'int main(void) { return 0; }' | $compile -x c - -o "$objects/try" 2>/dev/null; then
    echo "skipped: sanitizers: ${CC:-cc} has none"
    exit
fi
# stb.c is not ours: its JPEG shifts what signed integers cannot hold.
# shellcheck disable=SC2086 # a list of patterns
printf '%s\n' $sources | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I UNIT sh -c "
    case UNIT in */stb.c) foreign=-fno-sanitize=shift-base ;; *) foreign= ;; esac
    $compile \$foreign -c UNIT -o $objects/\$(basename UNIT .c).o" || exit

# Runs PROGRAM; a sanitizer ends it with a report and another status than 0 and 1.
run_test() { # PROGRAM ARGUMENTS...
    program=$1
    shift
    "$objects/$program" "$@" >"$objects/log" 2>"$objects/errors"
    status=$?
    sed -n "s/^\(ok\|FAIL\) /&sanitized /p" "$objects/log"
    if [ $status -gt 1 ] || grep -qE 'Sanitizer|runtime error' "$objects/errors"; then
        echo "FAIL sanitized $program: $(grep -m 1 -E 'Sanitizer|runtime error' "$objects/errors")"
    fi
}

for test in test_bad_weights test_api test_drawing test_reference test_photographs; do
    $compile "tests/$test.c" "$objects"/*.o -o "$objects/$test" -lm -lpthread || exit
done
run_test test_bad_weights 2
run_test test_api "$objects"
run_test test_drawing
run_test test_reference 0 40
run_test test_photographs

for fuzzer in fuzz_weights fuzz_npy fuzz_packed fuzz_picture fuzz_labels fuzz_table; do
    $compile -DFUZZ_STANDALONE "tests/$fuzzer.c" "$objects"/*.o -o "$objects/$fuzzer" -lm -lpthread || exit
done
for seed in 1 5 7 13 17 18 21 39; do "${BUILD:-build}/tests/randomsgw" $seed "$objects/$seed.sgw"; done
for seed in 1 2 4 9; do "${BUILD:-build}/tests/randomsgw" $seed "$objects/3-$seed.sgw" 3; done
"${BUILD:-build}/stylegan" portraits --count 3 --size 8 --pack "$objects/packed.sgd"
run_test fuzz_weights --seconds 8 "$objects"/*.sgw
run_test fuzz_npy --seconds 2 tests/golden/*/z.npy tests/arrays/*.npz
run_test fuzz_packed --seconds 2 "$objects/packed.sgd"
"${BUILD:-build}/stylegan" generate examples/portraits-64.sgw --seeds 1 --outdir "$objects/pictures"
run_test fuzz_picture --seconds 2 "$objects/pictures/seed0001.png"
echo '{"version": [1.5, {"a": null}], "labels": [["cats/1.png", 0], ["dogs\/\u00e4.png", 1]]}' >"$objects/dataset.json"
run_test fuzz_labels --seconds 2 "$objects/dataset.json"
printf 'seed\tsmile\tage\n0\t1\t0.5\n# not sure\n85\t-1e3\t2\r\n' >"$objects/values.tsv"
printf '0\tsmile\n3\tage\n1\n' >"$objects/names.txt"
run_test fuzz_table --seconds 2 "$objects/values.tsv" "$objects/names.txt"

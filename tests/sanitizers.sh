#!/bin/sh
# sanitizers.sh WORK - the tests that handle bad input and threads, under AddressSanitizer and UndefinedBehaviorSanitizer,
# and a short run of the weight reader's fuzzer. Prints ok, FAIL and skipped lines.
cd "$(dirname "$0")/.." || exit 1
WORK=$1
sanitize='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined'
sources='tests/test.c tests/reference.c tools/base/*.c tools/model/*.c'
compile="${CC:-cc} -std=c99 -D_POSIX_C_SOURCE=200809L $sanitize"
objects=$WORK/sanitized
mkdir -p "$objects"

if ! echo 'int main(void) { return 0; }' | $compile -x c - -o "$objects/try" 2>/dev/null; then
    echo "skipped: sanitizers: ${CC:-cc} has none"
    exit
fi
for source in $sources; do
    $compile -c "$source" -o "$objects/$(basename "$source" .c).o" || exit
done

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

for test in test_bad_weights test_api test_reference; do
    $compile "tests/$test.c" "$objects"/*.o -o "$objects/$test" -lm -lpthread || exit
done
run_test test_bad_weights 2
run_test test_api "$objects"
run_test test_reference 0 40
$compile -DFUZZ_STANDALONE tests/fuzz_weights.c -o "$objects/fuzz_weights" -lm -lpthread || exit
for seed in 1 5 7 13 17 18 21 39; do "${BUILD:-build}/tests/randomsgw" $seed "$objects/$seed.sgw"; done
run_test fuzz_weights --seconds 8 "$objects"/*.sgw

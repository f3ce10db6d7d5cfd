#!/bin/sh
# test_mixed.sh WORK - mixed precision on the processor's matrix units, if it has them, and, with an engine built for that, on
# their model in plain C: to the same bits. Prints ok, FAIL and skipped lines.
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build} work=$1
"$build/tests/test_mixed" >"$work/real"
cat "$work/real"
# shellcheck disable=SC2086 # lists of flags
build_model() {
    ${CC:-cc} ${CFLAGS:--O2} -DSTYLEGAN_MODEL_AMX -c -o "$work/engine.o" tools/model/engine.c || return
    for name in test_mixed test_layers; do # what the archive has for the engine's names is not taken
        ${CC:-cc} ${CFLAGS:--O2} -o "$work/$name" "$build/tests/$name.o" "$build/tests/test.o" "$build/tests/reference.o" "$work/engine.o" \
            "$build/tools.a" -lm -lpthread || return
    done
}
if ! build_model >"$work/log-build" 2>&1; then
    echo "FAIL mixed, the model: does not build: $(grep -m 1 error "$work/log-build")"
    exit 1
fi
"$work/test_layers" mixed | sed 's/^\(ok\|FAIL\) /&the model: /'
"$work/test_mixed" >"$work/model.log"
sed 's/^\(ok\|FAIL\) /&the model: /' "$work/model.log"
if grep -q '^skipped' "$work/real"; then exit; fi
checksums() { grep -o 'checksum .*' "$1"; }
if [ "$(checksums "$work/real")" = "$(checksums "$work/model.log")" ]; then
    echo "ok mixed: the model is right to the bit"
else
    echo "FAIL mixed: the model differs from the matrix units"
fi

#!/bin/sh
# test_mixed.sh WORK - mixed precision on the processor's matrix units, if it has them, and, with an engine built for that, on
# their model in plain C: to the same bits. Prints ok, FAIL and skipped lines.
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build} model=$1
"$build/tests/test_mixed" >"$1/real"
cat "$1/real"
# shellcheck disable=SC2086 # lists of flags
build_model() {
    ${CC:-cc} ${CFLAGS:--O2} -DSTYLEGAN_MODEL_AMX -c -o "$model/engine.o" tools/model/engine.c || return
    for name in test_mixed test_layers; do # what the archive has for the engine's names is not taken
        ${CC:-cc} ${CFLAGS:--O2} -o "$model/$name" "$build/tests/$name.o" "$build/tests/test.o" "$build/tests/reference.o" "$model/engine.o" \
            "$build/tools.a" -lm -lpthread || return
    done
}
if ! build_model >"$model/log-build" 2>&1; then
    echo "FAIL mixed, the model: does not build: $(grep -m 1 error "$model/log-build")"
    exit 1
fi
"$model/test_layers" mixed | sed 's/^\(ok\|FAIL\) /&the model: /'
"$model/test_mixed" >"$1/model.log"
sed 's/^\(ok\|FAIL\) /&the model: /' "$1/model.log"
if grep -q '^skipped' "$1/real"; then exit; fi
checksums() { grep -o 'checksum .*' "$1"; }
if [ "$(checksums "$1/real")" = "$(checksums "$1/model.log")" ]; then
    echo "ok mixed: the model is right to the bit"
else
    echo "FAIL mixed: the model differs from the matrix units"
fi

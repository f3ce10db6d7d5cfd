#!/bin/sh
# test_mixed.sh WORK - mixed precision on the processor's matrix units, if it has them, and, built anew, on their model in plain
# C: to the same bits. Prints ok, FAIL and skipped lines.
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build} model=$1/model
"$build/tests/test_mixed" >"$1/real"
cat "$1/real"
if ! make -s BUILD="$model" CPPFLAGS=-DSTYLEGAN_MODEL_AMX "$model/tests/test_mixed" "$model/tests/test_layers" >"$1/log-make" 2>&1; then
    echo "FAIL mixed, the model: does not compile: $(grep -m 1 -E 'error|warning' "$1/log-make")"
    exit 1
fi
"$model/tests/test_layers" mixed | sed 's/^\(ok\|FAIL\) /&the model: /'
"$model/tests/test_mixed" >"$1/model.log"
sed 's/^\(ok\|FAIL\) /&the model: /' "$1/model.log"
if grep -q '^skipped' "$1/real"; then exit; fi
checksums() { grep -o 'checksum .*' "$1"; }
if [ "$(checksums "$1/real")" = "$(checksums "$1/model.log")" ]; then
    echo "ok mixed: the model is right to the bit"
else
    echo "FAIL mixed: the model differs from the matrix units"
fi

#!/bin/sh
# test_playground.sh - examples/playground.html is made from the sources that are here, its explanations name functions
# that exist, and it works in Chromium (tests/playground.mjs). Prints ok, FAIL, note and skipped lines.
cd "$(dirname "$0")/.." || exit 1
. tests/checks.sh
page=examples/playground.html
modules=${NODE_MODULES:-$build/browser/node_modules}

sh examples/playground/build.sh --sources >"$work/sources"
sed -n '/^<!-- made by/,/^-->/p' $page | sed '1d;$d' >"$work/used"
older=$(diff "$work/used" "$work/sources" | sed -n 's/^[<>] //p' | cut -d' ' -f3 | sort -u | tr '\n' ' ')
if [ -z "$older" ]; then ok 'playground.html is made from these sources'
else fail 'playground.html is made from these sources' "make playground, it is older than $older"; fi
size=$(wc -c <$page)
if [ "$size" -le 2000000 ]; then ok 'playground.html is at most 2 MB'; else fail 'playground.html is at most 2 MB' "$size bytes"; fi

# missing KIND FILE: the functions that the explanations name there and that it does not define
missing() {
    grep -o "$1: '[a-z_0-9]*'" examples/playground/explanations.mjs | cut -d"'" -f2 | sort -u | while read -r name; do
        grep -qE "(^static|^STYLEGAN_API)[^;]*[ *]$name\(" "$2" || echo "$name"
    done
}
for pair in header:stylegan.h reference:examples/reference.c; do
    lost=$(missing "${pair%%:*}" "${pair#*:}" | tr '\n' ' ')
    if [ -z "$lost" ]; then ok "the functions explained are in ${pair#*:}"
    else fail "the functions explained are in ${pair#*:}" "not $lost"; fi
done

for tool in node chromium; do
    command -v $tool >/dev/null || { echo "skipped: playground in a browser: $tool not installed"; exit $failed; }
done
for package in playwright-core axe-core; do
    [ -d "$modules/$package" ] && continue
    echo "skipped: playground in a browser: $package not in $modules (npm install --prefix $build/browser playwright-core axe-core)"
    exit $failed
done
model=examples/portraits-64.sgw
"$build/stylegan" generate $model --seeds 85,3 --trunc 0.7 --isa scalar --outdir "$work/native" >/dev/null 2>&1
"$build/stylegan" mix $model --rows 85 --cols 3 --styles 0-2 --trunc 0.7 --isa scalar --outdir "$work/native" >/dev/null 2>&1
cp examples/portraits-64-stylegan1.sgw "$work/stylegan1.sgw"
"$build/stylegan" convert tests/golden/sg1-cond-32/model.pkl "$work/conditional.sgw" >/dev/null 2>&1
"$build/stylegan" convert tests/golden/sg3-t-64/model.* "$work/stylegan3.sgw" >/dev/null 2>&1
timeout 280 node tests/playground.mjs "$modules" "$work"
status=$?
[ $status -le 1 ] || fail 'playground in a browser' "exit status $status"
[ $status -eq 0 ] && [ $failed -eq 0 ]

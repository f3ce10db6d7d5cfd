#!/bin/sh
# build.sh OUTPUT.html - compiles the engines and the trainer to WebAssembly (clang-16, lld-16) and puts the page, its
# modules, the engines and a network into one file. build/playground/ gets the package for web developers. `make playground`
# runs it.
#   build.sh --sources prints the checksums of everything that OUTPUT.html is made from, as it holds them.
set -e
export LC_ALL=C
cd "$(dirname "$0")/../.."
page=examples/playground package=build/playground network=examples/portraits-64.sgw
modules='stylegan drawing state explanations components exhibit layer figures drag learning tour page' # in this order: each uses those before it

sources() {
    cksum stylegan.h examples/train_step.c $network $page/*.c $page/*.css $page/*.html $page/*.mjs $page/*.sh $page/freestanding/*.h
}

compile() { # SOURCE OUTPUT FLAGS...
    source=$1 output=$2
    shift 2
    clang-16 -c --target=wasm32 -std=c99 -ffreestanding -mbulk-memory -O3 -msimd128 "$@" -Wall -Wextra -Wpedantic \
        -Wshadow -Wconversion -Wsign-conversion -isystem $page/freestanding "$page/$source.c" -o "$package/$output.o"
    wasm-ld-16 --no-entry --strip-all -z stack-size=1048576 "$package/$output.o" -o "$package/$output.wasm"
    rm "$package/$output.o"
}

asset() { # NAME FILE
    printf '<script type="application/octet-stream" id="asset-%s">' "$1"
    base64 -w 0 "$2"
    echo '</script>'
}

# The modules as one: each is a function that returns what it exports.
bundle() {
    for module in $modules; do
        awk -v name="$module" '
            BEGIN { print "const module_" name " = await (async () => {" }
            /^import .* from / { sub(/^import /, "const "); sub(/ from .\.\//, " = module_"); sub(/\.mjs.;/, ";") }
            /^export / {
                sub(/^export /, "")
                split($0, words, /[^A-Za-z0-9_]+/)
                names = names (words[1] == "async" ? words[3] : words[2]) ", "
            }
            { print }
            END { print "return { " names "};\n})();" }' "$page/$module.mjs"
    done
}

assemble() {
    sed '/<link rel="stylesheet"/,$d' $page/index.html
    echo '<style>'
    cat $page/style.css
    echo '</style>'
    sed '1,/<link rel="stylesheet"/d; /<script type="module"/,$d' $page/index.html
    asset stylegan.wasm $package/stylegan.wasm
    asset stylegan-relaxed.wasm $package/stylegan-relaxed.wasm
    asset trainer.wasm $package/trainer.wasm
    asset network $network
    echo '<script type="module">'
    bundle
    echo '</script>'
    sed '1,/<script type="module"/d' $page/index.html
    echo '<!-- made by `make playground` from'
    sources
    echo '-->'
}

if [ "$1" = --sources ]; then
    sources
    exit
fi
mkdir -p $package
compile engine stylegan
compile engine stylegan-relaxed -mrelaxed-simd
compile trainer trainer
cp $page/stylegan.mjs $page/stylegan.d.mts $page/package.json $page/README.md $package
assemble >"$1.new"
mv "$1.new" "$1"

#!/bin/sh
# `stylegan portraits` and every kind of data set it reads: drawn, packed, folders, and all that can be wrong with them.
# Prints "ok NAME" or "FAIL NAME: why".
. tests/checks.sh

# says NAME STATUS TEXT ARGUMENTS...: the tool ends with this status, its last line has TEXT, and nothing is left behind
# after a failure.
says() {
    name=$1 status=$2 text=$3
    shift 3
    mkdir "$work/left"
    (cd "$work/left" && "$tool" portraits "$@") >/dev/null 2>"$work/stderr"
    got=$?
    if [ $got -ne "$status" ]; then fail "$name" "exit status $got, not $status: $(tail -n 1 "$work/stderr")"
    elif ! tail -n 1 "$work/stderr" | grep -qF -e "$text"; then fail "$name" "says: $(tail -n 1 "$work/stderr")"
    elif [ "$status" -ne 0 ] && [ -n "$(ls "$work/left")" ]; then fail "$name" "leaves $(ls "$work/left")"
    else ok "$name"; fi
    rm -r "$work/left"
}

names() { # names TEXT: the last command's messages have it
    if grep -qF -e "$1" "$work/stderr"; then ok "names $1"; else fail "names $1" "says: $(cat "$work/stderr")"; fi
}

# patch FILE OFFSET BYTES: overwrites bytes, given as for printf.
patch() {
    # shellcheck disable=SC2059 # the bytes are the format
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

case $tool in /*) ;; *) tool=$PWD/$tool ;; esac
cd "$work" || exit 1

# --- Drawing ---

check "draws pictures and a sheet" "$tool" portraits --count 5 --size 32 --seed 3 --grid 3x2 --outdir a
check "five and the sheet" [ "$(ls a | wc -l)" -eq 6 ]
check "draws the same again" "$tool" portraits --count 5 --size 32 --seed 3 --grid 3x2 --outdir b --threads 3
check "to the bit, on more threads" diff -r a b
check "draws fewer" "$tool" portraits --count 2 --size 32 --seed 3 --outdir c
check "a picture depends on seed and index only" cmp a/portrait000001.png c/portrait000001.png
check "draws another seed" "$tool" portraits --count 2 --size 32 --seed 4 --outdir d
if cmp -s c/portrait000000.png d/portrait000000.png; then fail "another seed" "the same"; else ok "another seed"; fi
check "any size" "$tool" portraits --count 1 --size 37 --outdir odd
says "a size of 4" 2 "--size 4: must be" --size 4
says "no pictures" 2 "--count 0: must be" --count 0
says "a grid of nothing" 2 "--grid 0x3: must be" --grid 0x3
says "a folder without pictures" 2 "--pack writes no pictures" --pack x --outdir y
says "a folder that cannot be made" 1 "/dev/null: cannot create" --count 1 --outdir /dev/null/x

# --- Packed files ---

check "packs" "$tool" portraits --count 5 --size 32 --seed 3 --pack packed.sgd
check "to the byte" [ "$(wc -c <packed.sgd)" -eq $((64 + 5 * 32 * 32 * 3)) ]
check "reads it" "$tool" portraits --data packed.sgd --outdir e
rm a/grid.png
check "the same pictures" diff -r a e
check "packs it again" "$tool" portraits --data packed.sgd --pack again.sgd
check "the same file" cmp packed.sgd again.sgd
says "another size" 1 "pictures of 32 x 32 pixels, not 64 x 64" --data "$work/packed.sgd" --size 64
says "more than there are" 2 "has 5 pictures" --data "$work/packed.sgd" --count 6
says "no such file" 1 "cannot read: No such file" --data "$work/missing.sgd"
says "a file that is none" 1 "neither a folder nor a packed file" --data "$work/a/portrait000000.png"

# damaged NAME TEXT OFFSET BYTES: what a packed file with other bytes is refused with. The checksum (8 bytes at 56) is
# wrong then, so only the first check can speak.
damaged() {
    cp packed.sgd bad.sgd
    patch bad.sgd "$3" "$4"
    says "$1" 1 "bad.sgd: $2" --data "$work/bad.sgd"
}
for size in 0 7; do
    head -c $size packed.sgd >bad.sgd
    says "$size bytes" 1 "neither a folder nor a packed file" --data "$work/bad.sgd"
done
for size in 8 63 64 8000 15423; do
    head -c $size packed.sgd >bad.sgd
    says "$size bytes" 1 "truncated packed file" --data "$work/bad.sgd"
done
(cat packed.sgd; printf x) >bad.sgd
says "a byte too many" 1 "more bytes than its pictures take" --data "$work/bad.sgd"
damaged "another magic" "neither a folder" 2 X
for offset in 8 12 16 20 24 31 40 56 63; do damaged "byte $offset" "damaged packed file" $offset '\125'; done

# header NAME TEXT VERSION RESOLUTION CHANNELS LABELS COUNT: one byte each, with the right checksum.
header() {
    text=$2 a=1 b=0
    { printf '\211SGD\r\n\032\n'
      for value in "$3" "$4" "$5" "$6" "$7"; do printf "\\$(printf %o "$value")\\0\\0\\0"; done
      head -c 28 /dev/zero; } >bad.sgd
    # shellcheck disable=SC2046 # the words of the header
    for word in $(od -An -v -tu4 bad.sgd); do a=$(((a + word) % 4294967296)) b=$(((b + a) % 4294967296)); done
    for sum in $a $b; do
        for shift in 0 8 16 24; do printf "\\$(printf %o $((sum >> shift & 255)))" >>bad.sgd; done
    done
    # one picture of 1 x 1 pixels with one label, infinite
    printf 'rgb\0\0\200\177' >>bad.sgd
    says "$1" 1 "$text" --data "$work/bad.sgd"
}
header "version 2" "unknown version" 2 1 3 1 1
header "resolution 0" "sizes out of range" 1 0 3 1 1
header "4 channels" "sizes out of range" 1 1 4 1 1
header "no pictures in the file" "sizes out of range" 1 1 3 1 0
header "more pictures than bytes" "truncated" 1 1 3 1 2
header "fewer labels than bytes" "more bytes" 1 1 3 0 1
header "an infinite label" "label of picture 0 is not a finite number" 1 1 3 1 1

# --- Folders ---

mkdir -p mixed/deeper
cp a/portrait000000.png mixed/b.png
cp a/portrait000001.png mixed/deeper/a.png
cp a/portrait000002.png "mixed/c with spaces.png"
check "packs a folder" "$tool" portraits --data mixed --size 32 --pack folder.sgd
check "all of it" [ "$(wc -c <folder.sgd)" -eq $((64 + 3 * 32 * 32 * 3)) ]
check "reads it back" "$tool" portraits --data folder.sgd --outdir f
check "sorted by name" cmp f/portrait000002.png a/portrait000001.png
check "resizes" "$tool" portraits --data mixed --size 48 --outdir g
says "a folder without a size" 1 "needs a resolution" --data "$work/mixed"

echo "no picture at all" >mixed/text.png
: >mixed/empty.jpg
head -c 600 a/portrait000003.png >mixed/cut.png
ln -s /nowhere mixed/dangling.png
mkfifo mixed/pipe.png
# A BMP header of 60000 x 60000 pixels.
{ printf 'BM\0\0\0\0\0\0\0\0\066\0\0\0\050\0\0\0\140\352\0\0\140\352\0\0\001\0\030\0'; head -c 24 /dev/zero; } >mixed/huge.bmp
{ printf 'BM\0\0\0\0\0\0\0\0\066\0\0\0\050\0\0\0\0\0\0\0\005\0\0\0\001\0\030\0'; head -c 100 /dev/zero; } >mixed/flat.bmp
says "a folder with bad files" 0 "7 files skipped, 3 pictures remain" --data "$work/mixed" --size 32 --pack packed
names "mixed/text.png: skipped: not a PNG, JPEG or BMP picture"
names "mixed/empty.jpg: skipped: not a PNG"
names "mixed/cut.png: skipped: damaged picture"
names "mixed/dangling.png: skipped: cannot read: No such file"
names "mixed/pipe.png: skipped: not a file"
names "mixed/huge.bmp: skipped: 60000 x 60000 pixels are too many"
names "mixed/flat.bmp: skipped: has 0 x 5 pixels"

# upside_down FROM TO: EXIF behind the head of a PNG says that the camera was held upside down.
upside_down() {
    head -c 33 "$1"
    printf '\0\0\0\032eXIfMM\0*\0\0\0\010\0\001\001\022\0\003\0\0\0\001\0\003\0\0\0\0\0\0....'
    tail -c +34 "$1"
}
mkdir turned again
for file in a/portrait00000[01].png; do upside_down "$file" >"turned/${file#a/}"; done
check "reads EXIF" "$tool" portraits --data turned --size 32 --outdir h
if cmp -s h/portrait000000.png a/portrait000000.png; then fail "EXIF" "not turned"; else ok "EXIF turns"; fi
for file in h/portrait00000[01].png; do upside_down "$file" >"again/${file#h/}"; done
check "reads EXIF again" "$tool" portraits --data again --size 32 --outdir i
check "turned twice by half" cmp i/portrait000001.png a/portrait000001.png
for command in train evaluate portraits; do
    "$tool" $command --help >stderr
    names "turned as EXIF says, transparency on white"
done

mkdir empty one
says "an empty folder" 1 "empty: no usable picture, at least two are needed (0 files skipped)" --data "$work/empty" --size 32
cp a/portrait000000.png one
says "one picture" 1 "one: only one usable picture" --data "$work/one" --size 32
echo text >one/text.png
says "one picture and a bad one" 1 "(1 file skipped)" --data "$work/one" --size 32

exit $failed

#!/bin/sh
# `stylegan portraits`, `stylegan pack` and every kind of data set: drawn, packed, folders, with labels and without, and all
# that can be wrong with them.
# Prints "ok NAME" or "FAIL NAME: why".
. tests/checks.sh

# says NAME STATUS TEXT COMMAND ARGUMENTS...: the tool ends with this status, its last line on standard error has TEXT, and
# nothing is left behind after a failure.
says() {
    name=$1 status=$2 text=$3
    shift 3
    mkdir "$work/left"
    (cd "$work/left" && "$tool" "$@") >/dev/null 2>"$work/stderr"
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

check "draws pictures and a sheet" "$tool" portraits --count 5 --size 32 --seed 3 --grid 3x2 --no-metadata --outdir a
check "five and the sheet" [ "$(ls a | wc -l)" -eq 6 ]
check "draws the same again" "$tool" portraits --count 5 --size 32 --seed 3 --grid 3x2 --no-metadata --outdir b --threads 3
check "to the bit, on more threads" diff -r a b
check "draws fewer" "$tool" portraits --count 2 --size 32 --seed 3 --no-metadata --outdir c
check "a picture depends on seed and index only" cmp a/portrait000001.png c/portrait000001.png
check "draws another seed" "$tool" portraits --count 2 --size 32 --seed 4 --no-metadata --outdir d
if cmp -s c/portrait000000.png d/portrait000000.png; then fail "another seed" "the same"; else ok "another seed"; fi
check "draws, and tells the factors" "$tool" portraits --count 5 --size 32 --seed 3 --no-metadata --outdir f --factors f.tsv
check "a line for each and the names" test "$(cut -f 1 f.tsv | tr '\n' ' ')" = "portrait 0 1 2 3 4 "
check "the factors of a portrait depend on its seed and index only" sh -c '
    "$1" portraits --count 2 --size 8 --seed 3 --outdir g --factors g.tsv && head -n 3 f.tsv | cmp - g.tsv' - "$tool"
check "a table in the new folder of the pictures" "$tool" portraits --count 2 --size 8 --seed 3 --outdir table/new --factors table/new/f.tsv
check "the same table" cmp table/new/f.tsv g.tsv
check "pictures that say what they are" "$tool" portraits --count 1 --size 32 --seed 5 --outdir told
prints "a portrait is synthetic" "Synthetic: portrait drawn by a program, of nobody" "$tool" info told/portrait000000.png
prints "a portrait's collection" "Collection: 5" "$tool" info told/portrait000000.png
prints "what a portrait shows" "Seen hair: " "$tool" info told/portrait000000.png
prints "what a portrait shows, as JSON" '"Seen hair": "' "$tool" info told/portrait000000.png --json
check "a portrait that is too small" "$tool" portraits --count 1 --size 31 --outdir tiny
check "a portrait that is too small: nothing is told" test "$("$tool" info tiny/portrait000000.png | grep -c Seen)" = 0
check "any size" "$tool" portraits --count 1 --size 37 --outdir odd
says "a size of 4" 2 "--size 4: must be" portraits --size 4
says "no pictures" 2 "--count 0: must be" portraits --count 0
says "a grid of nothing" 2 "--grid 0x3: must be" portraits --grid 0x3
says "a folder without pictures" 2 "--pack writes no pictures" portraits --pack x --outdir y
says "a folder that cannot be made" 1 "/dev/null: cannot create" portraits --count 1 --outdir /dev/null/x

# --- Packed files ---

check "packs" "$tool" portraits --count 5 --size 32 --seed 3 --pack packed.sgd
check "to the byte" [ "$(wc -c <packed.sgd)" -eq $((64 + 5 * 32 * 32 * 3)) ]
check "reads it" "$tool" pack packed.sgd --no-metadata --outdir e
rm a/grid.png
for i in 0 1 2 3 4; do check "the same picture $i" cmp a/portrait00000$i.png e/picture00000$i.png; done
check "packs it again" "$tool" pack packed.sgd -o again.sgd
check "the same file" cmp packed.sgd again.sgd
says "another size" 1 "pictures of 32 x 32 pixels, not 64 x 64" pack "$work/packed.sgd" --size 64 -o x.sgd
says "more than there are" 2 "has 5 pictures" pack "$work/packed.sgd" --count 6 -o x.sgd
says "no such file" 1 "cannot read: No such file" pack "$work/missing.sgd" -o x.sgd
says "a file that is none" 1 "neither a folder nor a packed file" pack "$work/a/portrait000000.png" -o x.sgd

# damaged NAME TEXT OFFSET BYTES: what a packed file with other bytes is refused with. The checksum (8 bytes at 56) is
# wrong then, so only the first check can speak.
damaged() {
    cp packed.sgd bad.sgd
    patch bad.sgd "$3" "$4"
    says "$1" 1 "bad.sgd: $2" pack "$work/bad.sgd" -o x.sgd
}
for size in 0 7; do
    head -c $size packed.sgd >bad.sgd
    says "$size bytes" 1 "neither a folder nor a packed file" pack "$work/bad.sgd" -o x.sgd
done
for size in 8 63 64 8000 15423; do
    head -c $size packed.sgd >bad.sgd
    says "$size bytes" 1 "truncated packed file" pack "$work/bad.sgd" -o x.sgd
done
(cat packed.sgd; printf x) >bad.sgd
says "a byte too many" 1 "more bytes than its pictures take" pack "$work/bad.sgd" -o x.sgd
damaged "another magic" "neither a folder" 2 X
for offset in 8 12 16 20 24 31 40 56 63; do damaged "byte $offset" "damaged packed file" $offset '\125'; done

# header NAME TEXT VERSION RESOLUTION CHANNELS LABELS COUNT [NAMES [BYTE]]: one byte each, with the right checksum; the last
# byte of the label.
header() {
    text=$2 a=1 b=0 names=${8-}
    { printf '\211SGD\r\n\032\n'
      for value in "$3" "$4" "$5" "$6" "$7"; do printf "\\$(printf %o "$value")\\0\\0\\0"; done
      printf "\\0\\0\\0\\0\\$(printf %o ${#names})"
      head -c 23 /dev/zero; } >bad.sgd
    # shellcheck disable=SC2046 # the words of the header
    for word in $(od -An -v -tu4 bad.sgd); do a=$(((a + word) % 4294967296)) b=$(((b + a) % 4294967296)); done
    for sum in $a $b; do
        for shift in 0 8 16 24; do printf "\\$(printf %o $((sum >> shift & 255)))" >>bad.sgd; done
    done
    # one picture of 1 x 1 pixels with one label, infinite
    printf 'rgb\0\0\200%s' "$(printf "${9-\177}")" >>bad.sgd
    printf %s "$names" >>bad.sgd
    says "$1" 1 "$text" pack "$work/bad.sgd" -o x.sgd
}
header "version 2" "unknown version" 2 1 3 1 1
header "resolution 0" "sizes out of range" 1 0 3 1 1
header "4 channels" "sizes out of range" 1 1 4 1 1
header "no pictures in the file" "sizes out of range" 1 1 3 1 0
header "more pictures than bytes" "truncated" 1 1 3 1 2
header "fewer labels than bytes" "more bytes" 1 1 3 0 1
header "no end of the names" "its class names do not fit its 1 labels" 1 1 3 1 1 "class: cats" '\77'
header "too many names" "its class names do not fit its 1 labels" 1 1 3 1 1 "class: cats
class: dogs
" '\77'
header "names that are none" "its class names do not fit its 1 labels" 1 1 3 1 1 "cats
" '\77'
header "more names than bytes" "truncated" 1 1 3 2 1 "class: cats
"
header "an infinite label" "label of picture 0 is not a finite number" 1 1 3 1 1

# --- Folders ---

mkdir -p mixed/deeper
cp a/portrait000000.png mixed/b.png
cp a/portrait000001.png mixed/deeper/a.png
cp a/portrait000002.png "mixed/c with spaces.png"
check "packs a folder" "$tool" pack mixed --size 32 -o folder.sgd
check "all of it" [ "$(wc -c <folder.sgd)" -eq $((64 + 3 * 32 * 32 * 3)) ]
check "reads it back" "$tool" pack folder.sgd --no-metadata --outdir f
check "sorted by name" cmp f/picture000002.png a/portrait000001.png
check "resizes" "$tool" pack mixed --size 48 --outdir g
check "packs a folder without a size" "$tool" pack mixed -o folder.sgd
check "as 64 x 64" [ "$(wc -c <folder.sgd)" -eq $((64 + 3 * 64 * 64 * 3)) ]

bmp() { # bmp WIDTH HEIGHT: a white picture
    printf 'BM\0\0\0\0\0\0\0\0\066\0\0\0\050\0\0\0'
    for number in "$1" "$2"; do printf "\\$(printf %o $((number & 255)))\\$(printf %o $((number >> 8)))\\0\\0"; done
    printf '\001\0\030\0'
    head -c $((24 + $2 * ((3 * $1 + 3) / 4 * 4))) /dev/zero | tr '\0' '\377'
}
echo "no picture at all" >mixed/text.png
: >mixed/empty.jpg
head -c 600 a/portrait000003.png >mixed/cut.png
head -c $(($(wc -c <a/portrait000003.png) - 9)) a/portrait000003.png >mixed/last.png
ln -s /nowhere mixed/dangling.png
mkfifo mixed/pipe.png
# A BMP header of 60000 x 60000 pixels.
{ printf 'BM\0\0\0\0\0\0\0\0\066\0\0\0\050\0\0\0\140\352\0\0\140\352\0\0\001\0\030\0'; head -c 24 /dev/zero; } >mixed/huge.bmp
{ printf 'BM\0\0\0\0\0\0\0\0\066\0\0\0\050\0\0\0\0\0\0\0\005\0\0\0\001\0\030\0'; head -c 100 /dev/zero; } >mixed/flat.bmp
bmp 20 20 | head -c 1253 >mixed/cut.bmp
ln -s ../a mixed/folder
says "a folder with bad files" 0 "10 files skipped, 3 pictures remain" pack "$work/mixed" --size 32 -o packed
names "mixed/text.png: skipped: not a PNG, JPEG or BMP picture"
names "mixed/empty.jpg: skipped: not a PNG"
names "mixed/cut.png: skipped: damaged picture: ends too early"
names "mixed/last.png: skipped: damaged picture: ends too early"
names "mixed/dangling.png: skipped: cannot read: No such file"
names "mixed/pipe.png: skipped: not a file"
names "mixed/huge.bmp: skipped: 60000 x 60000 pixels are too many"
names "mixed/flat.bmp: skipped: has 0 x 5 pixels"
names "mixed/cut.bmp: skipped: damaged picture: ends too early"
names "mixed/folder: skipped: a link to a folder"

# Nothing is written over what is read, or among it.
says "to pack a file onto itself" 2 "packed.sgd: would be overwritten, but is read" pack "$work/packed.sgd" -o "$work/packed.sgd" --count 2
check "it is still there" cmp packed.sgd again.sgd
for folder in turned/new turned/ elsewhere/new; do
    mkdir -p turned && ln -sfn turned elsewhere
    says "pictures among the data: $folder" 2 "$folder: lies in $work/turned, whose pictures are the data" \
        pack "$work/turned" --outdir "$work/$folder"
    check "pictures among the data: none" test "$(ls turned)" = ''
done
rm -r turned elsewhere

# upside_down FROM TO: EXIF behind the head of a PNG says that the camera was held upside down.
upside_down() {
    head -c 33 "$1"
    printf '\0\0\0\032eXIfMM\0*\0\0\0\010\0\001\001\022\0\003\0\0\0\001\0\003\0\0\0\0\0\0....'
    tail -c +34 "$1"
}
check "a photograph is not called synthetic" "$tool" pack mixed --size 48 --outdir seen
if "$tool" info seen/picture000000.png | grep -q Synthetic; then fail "a photograph" "is called synthetic"; else ok "a photograph stays one"; fi
mkdir turned again
for file in a/portrait00000[01].png; do upside_down "$file" >"turned/${file#a/}"; done
check "reads EXIF" "$tool" pack turned --size 32 --no-metadata --outdir h
if cmp -s h/picture000000.png a/portrait000000.png; then fail "EXIF" "not turned"; else ok "EXIF turns"; fi
for file in h/picture00000[01].png; do upside_down "$file" >"again/${file#h/}"; done
check "reads EXIF again" "$tool" pack again --size 32 --no-metadata --outdir i
check "turned twice by half" cmp i/picture000001.png a/portrait000001.png
for command in train evaluate pack; do
    "$tool" $command --help | tr -s ' \n' ' ' >stderr
    names "cut to the square in their middle"
    [ $command = pack ] && continue
    names "turned as EXIF says, transparency on white, cut to the square in their middle"
    names "a packed file (.sgd)"
done

mkdir empty one
says "an empty folder" 1 "empty: no usable picture, at least two are needed (0 files skipped)" pack "$work/empty" --size 32 -o x.sgd
cp a/portrait000000.png one
says "one picture" 1 "one: only one usable picture" pack "$work/one" --size 32 -o x.sgd
echo text >one/text.png
says "one picture and a bad one" 1 "(1 file skipped)" pack "$work/one" --size 32 -o x.sgd

# --- Shapes ---

mkdir shapes
bmp 1 1 >shapes/dot.bmp
bmp 300 20 >shapes/wide.bmp
bmp 20 300 >shapes/tall.bmp
bmp 90 60 >shapes/photograph.bmp
says "shapes" 0 "3 of 4 pictures are not square: cut to the square in their middle" pack "$work/shapes" -o shapes.sgd
names "dot.bmp: 1 x 1 pixels are enlarged to 64 x 64"
names "wide.bmp: of 300 x 20 pixels only 20 x 20 in the middle are used"
names "tall.bmp: of 20 x 300 pixels only 20 x 20 in the middle are used"
if grep -q photograph.bmp stderr; then fail "a usual shape" "$(cat stderr)"; else ok "a usual shape is not remarked"; fi

# --- Labels ---

# labels FILE: the labels of a packed file of pictures of 8 x 8, a line a picture.
labels() {
    tail -c +$((65 + $2 * 8 * 8 * 3)) "$1" | head -c $((4 * $2 * $3)) | od -An -v -tf4 -w$((4 * $3)) | tr -s ' '
}
mkdir -p pets/dogs pets/cats/kittens notes
cp a/portrait000000.png pets/dogs
cp a/portrait000001.png pets/cats/kittens
cp a/portrait000002.png pets/cats
echo "not a picture" >pets/notes.txt
prints "packs class folders" "3 pictures of 8 x 8 pixels, 2 classes" "$tool" pack pets -o pets.sgd --size 8
prints "names the classes" "class 0: 2 pictures (cats)" "$tool" pack pets -o pets.sgd --size 8
prints "a packed file keeps the names" "Class 1: dogs" "$tool" info pets.sgd
check "one-hot labels" [ "$(labels pets.sgd 3 2 | tr '\n' ,)" = " 1 0, 1 0, 0 1," ]
check "packs the packed ones again" "$tool" pack pets.sgd -o pets-again.sgd
check "with their labels" cmp pets.sgd pets-again.sgd
cp a/portrait000003.png pets
prints "a picture beside the folders: no classes" "4 pictures of 64 x 64 pixels, no labels" "$tool" pack pets -o mixed.sgd
rm pets/portrait000003.png

cp -r pets listed
json() {
    cat >listed/dataset.json
}
json <<'END'
{"version": {"a": [1, 2.5e3, true, {"b": null}]}, "labels": [
    ["dogs/portrait000000.png", 2], ["cats\/kittens/\u0070ortrait000001.png", 0], ["cats/portrait000002.png", 1]]}
END
prints "packs by dataset.json" "3 pictures of 8 x 8 pixels, 3 classes" "$tool" pack listed -o listed.sgd --size 8
check "its labels" [ "$(labels listed.sgd 3 3 | tr '\n' ,)" = " 1 0 0, 0 1 0, 0 0 1," ] # cats/kittens, cats, dogs
echo '{"labels": null}' | json
prints "no labels in dataset.json: the folders" "2 classes" "$tool" pack listed -o folders.sgd
echo '{"labels": [["dogs/portrait000000.png", 0], ["cats/portrait000002.png", 1]]}' | json
says "a picture that dataset.json forgets" 0 "2 pictures remain" pack "$work/listed" -o x.sgd
names "portrait000001.png: skipped: dataset.json has no label for it"
while IFS='|' read -r name text content; do
    echo "$content" | json
    says "dataset.json: $name" 1 "dataset.json: byte $text" pack "$work/listed" -o x.sgd
done <<'END'
nothing|1 should be {"labels": ...}|
a list|0 should be {"labels": ...}|[]
a label without a class|20 should be , and a class|{"labels": [["a.png"]]}
a class that is a name|22 should be a class|{"labels": [["a.png", "cats"]]}
a negative class|22 should be a class|{"labels": [["a.png", -1]]}
half a class|22 should be a class|{"labels": [["a.png", 0.5]]}
a class without end|22 should be a class|{"labels": [["a.png", 1e300]]}
a text without end|26 should be the end of a text|{"labels": [["a.png, 1]]}
a strange escape|15 should be a known escape|{"labels": [["\x", 1]]}
no end|25 should be ]|{"labels": [["a.png", 1]
END
says "labels of several values" 1 "dataset.json: byte" pack "$work/listed" -o x.sgd
rm listed/dataset.json
mkfifo listed/dataset.json
timeout 20 "$tool" pack listed -o x.sgd 2>stderr
names "dataset.json: is not a file"
rm listed/dataset.json
says "neither file nor folder" 2 "give the file to write: -o FILE.sgd" pack "$work/pets"
says "portraits to pack" 2 "stylegan portraits --pack" pack portraits -o x.sgd
says "pack without data" 2 "missing argument: stylegan pack DATA" pack -o x.sgd

# Names of classes neither steer the terminal nor look like several.
odd=$(printf 'a\033[31m')
mkdir -p named/"$odd" "named/b, 0 c"
cp a/portrait00000[01].png named/"$odd"
cp a/portrait000002.png "named/b, 0 c"
"$tool" pack named -o named.sgd --size 8 >stderr
names "class 0: 2 pictures (a?[31m)"
names "class 1: 1 pictures (b; 0 c)"
sed 's/class: a?/class: a\r/; s/b; 0/b, 0/' named.sgd >other.sgd # as another program may write them
"$tool" pack other.sgd --outdir other >stderr
names "class 0: 2 pictures (a?[31m)"
names "class 1: 1 pictures (b; 0 c)"

# A labelled folder makes a conditional network, the same whether it is packed or not.
tiny="--config tiny-16 --kimg 0.04 --cond 1"
"$tool" train --config tiny-16 --kimg 0.04 --data pets --outdir plain >/dev/null 2>stderr
names "pets: has 2 classes, which --cond 1 would learn"
# shellcheck disable=SC2086 # a list of flags
{
    check "trains on class folders" "$tool" train $tiny --data pets --outdir run
    prints "a conditional network" "c_dim                2" "$tool" info run/model.sgw
    prints "that knows its classes" "classes: 0 cats, 1 dogs" "$tool" info run/model.sgw
    for class in 0 1; do check "draws class $class" "$tool" generate run/model.sgw --seeds 1 --class $class --outdir class$class; done
    if cmp -s class0/seed0001.png class1/seed0001.png; then fail "the classes" "draw the same"; else ok "the classes differ"; fi
    check "draws a class by its name" "$tool" generate run/model.sgw --seeds 1 --class dogs --outdir named
    check "the same as by its number" cmp named/seed0001.png class1/seed0001.png
    says "a name that it does not know" 2 "--class birds: not a whole number" generate "$work/run/model.sgw" --seeds 1 --class birds
    prints "a sheet of all classes" "Classes: each in turn" "$tool" info run/samples-000000.png
    says "a class that it does not know" 2 "--class 2: must be from 0 to 1" generate "$work/run/model.sgw" --seeds 1 --class 2
    check "packs them for it" "$tool" pack pets -o pets16.sgd --size 16
    check "trains on them packed" "$tool" train $tiny --data pets16.sgd --outdir packed-run
    check "to the same network" cmp run/checkpoint.sgt packed-run/checkpoint.sgt
    check "whose pictures know the names too" "$tool" generate packed-run/model.sgw --seeds 1 --class cats --outdir packed-named
    says "classes that are not there" 1 "has no classes for --cond 1" train $tiny --data "$work/a" --outdir run
    says "classes without data" 2 "--cond 1 needs --data" train $tiny --dry-run
    check "goes on with the command that began it" "$tool" train $tiny --data pets --outdir run --resume
    says "a run that is conditional no more" 2 "--cond: a resumed run keeps its settings" train $tiny --cond 0 --resume --data "$work/pets" --outdir "$work/run"
    mv pets/cats pets/wolves
    says "other classes" 1 "pets: has the classes 0 dogs, 1 wolves; $work/run has learnt 0 cats, 1 dogs" train --resume --data "$work/pets" --outdir "$work/run"
    mv pets/wolves pets/cats
    for class in 1 2; do check "a class that is called $class" "$tool" portraits --count 4 --size 16 --seed $class --outdir numbers/$class; done
    check "trains on classes that are numbers" "$tool" train $tiny --data numbers --outdir numbered
    check "draws the second" "$tool" generate numbered/model.sgw --seeds 1 --class 2 --outdir second
    check "and again" "$tool" generate numbered/model.sgw --like second/seed0001.png --outdir again
    check "the same picture" cmp again/seed0001.png second/seed0001.png
    says "a run that becomes conditional" 2 "--cond: a resumed run keeps its settings" train --resume --cond 1 --data "$work/a" --outdir "$work/plain"
}

exit $failed

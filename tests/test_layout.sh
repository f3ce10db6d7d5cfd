#!/bin/sh
# test_layout.sh - the stories of tools/ stand one upon the other: no file includes one of a story above its own, and
# nothing includes a command. And tests/run runs what it is told. Prints ok and FAIL lines.
cd "$(dirname "$0")/.." || exit 1

# What a folder may include, beside itself.
below() { # FOLDER
    case $1 in
    base) echo ;;
    model) echo base header ;;
    convert | grad) echo base header model ;;
    data) echo base header model grad ;;
    train) echo base header model grad data ;;
    commands) echo base header model grad data train convert ;;
    *) return 1 ;;
    esac
}

# The folder of tools/ in which an included file lies, "header" for stylegan.h.
story_of() { # FILE
    case $1 in
    */stylegan.h) echo header ;;
    *) basename "$(dirname "$1")" ;;
    esac
}

# Prints each include of FILE that points upwards.
upwards() { # FILE ALLOWED
    sed -n 's/^ *# *include "\(.*\)"/\1/p' "$1" | while read -r name; do
        story=$(story_of "$(realpath "$(dirname "$1")/$name")")
        echo " $2 " | grep -qF " $story " || echo "$1 includes $name"
    done
}

for folder in tools/*/; do
    story=$(basename "$folder")
    [ "$story" = cmake ] && continue # files for others' builds, no code
    if ! allowed=$(below "$story"); then
        echo "FAIL layout: $folder is not a story of tools/"
        continue
    fi
    [ "$story" = commands ] || allowed="$allowed $story"
    for file in "$folder"*.[ch]; do
        wrong=$(upwards "$file" "$allowed")
        if [ -z "$wrong" ]; then echo "ok layout $file"; else echo "FAIL layout: $wrong"; fi
    done
done
loose=$(echo tools/*.[ch])
if [ "$loose" = tools/main.c ]; then echo "ok layout: beside the stories lies main.c alone"
else echo "FAIL layout: tools/ holds $loose"; fi

ran=$(sh tests/run seeds format | sed 's/: .*//; s/^[0-9]* passed, 0 failed$/passed/' | sort | tr '\n' ' ')
if [ "$ran" = 'format passed seeds ' ]; then echo "ok layout: tests/run runs the suites it is given"
else echo "FAIL layout: tests/run seeds format runs: $ran"; fi
sh tests/run seeds nonsense >/dev/null 2>&1
if [ $? -eq 2 ]; then echo "ok layout: tests/run knows its suites"; else echo 'FAIL layout: tests/run accepts any suite'; fi

# A suite that has done nothing and says why is no failure; one that says nothing is.
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/tests"
while IFS='|' read -r what status commands; do
    printf '#!/bin/sh\n%s\n' "$commands" >"$folder/tests/test_format"
    chmod +x "$folder/tests/test_format"
    BUILD=$folder sh tests/run format >"$folder/log"
    got=$?
    if [ $got -eq "$status" ]; then echo "ok layout: tests/run and a suite that $what"
    else echo "FAIL layout: tests/run and a suite that $what: exit status $got: $(tail -n 1 "$folder/log")"; fi
done <<'END'
skips its parts by name|0|echo 'skipped: a compiler not installed'
checks nothing|1|true
skips a part and fails|1|echo 'skipped: a compiler not installed'; exit 3
END

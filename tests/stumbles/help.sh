#!/bin/sh
# Help without a run: whoever asks for help gets it, whatever else is on the line, and nothing else happens.
. tests/checks.sh
case $tool in /*) ;; *) tool=$PWD/$tool ;; esac

for command in convert generate mix video map directions edit project info bench embed train evaluate factors portraits pack; do
    for arguments in "$command --help" "$command -h" "help $command" "--help $command" "$command missing.sgw --help" \
        "$command --unknown --help"; do
        mkdir "$left"
        # shellcheck disable=SC2086 # a list of arguments
        (cd "$left" && "$tool" $arguments) >"$work/stdout" 2>"$work/stderr"
        status=$?
        if [ $status -ne 0 ] || [ -s "$work/stderr" ]; then fail "help: $arguments" "exit status $status, $(cat "$work/stderr")"
        elif ! grep -q "^Usage: stylegan $command" "$work/stdout"; then fail "help: $arguments" "no usage"
        elif ! grep -q '^Examples:' "$work/stdout"; then fail "help: $arguments" "no examples"
        elif [ -n "$(ls "$left")" ]; then fail "help: $arguments" "leaves $(ls "$left")"
        else ok "help: $arguments"; fi
        rm -r "$left"
    done
done
for arguments in --help -h help "help me"; do
    # shellcheck disable=SC2086 # a list of arguments
    prints "help: $arguments" "Commands:" "$tool" $arguments
done

exit $failed

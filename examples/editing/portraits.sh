#!/bin/sh
# portraits.sh MODEL OUT.npy - directions of a network of drawn portraits, from what the tool itself sees in its pictures: of
# 3000 people, not truncated, `stylegan factors` tells smile, glasses, hair, pose, light, ..., and each of these is fitted.
# TOOL names the tool (default build/stylegan).
set -e
tool=${TOOL:-build/stylegan} model=$1 directions=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$tool" factors "$model" --seeds 0-2999 --trunc 1 >"$work/factors.tsv"
awk -F '\t' -v OFS='\t' '
    NR == 1 {
        for (i = 1; i <= NF; i++) at[$i] = i
        print "seed", "smile", "open mouth", "age", "glasses", "beard", "long hair", "light hair", "red hair", "light skin",
            "lipstick", "turn", "nod", "tilt", "light from the side", "light from above"
        next
    }
    function seen(name) { return $at[name] }
    {
        print seen("seed"), seen("smile"), seen("mouth_open"), seen("age"), seen("glasses") != "none",
            seen("beard") !~ /^none/, seen("hair") ~ /^long|bob$/,
            seen("hair_color_red") + seen("hair_color_green") + seen("hair_color_blue"),
            seen("hair_color_red") - seen("hair_color_blue"),
            seen("skin_red") + seen("skin_green") + seen("skin_blue"), seen("lipstick"),
            seen("yaw"), seen("pitch"), seen("roll"), seen("light_azimuth"), seen("light_height")
    }' "$work/factors.tsv" >"$work/labels.tsv"
"$tool" directions "$model" --fit "$work/labels.tsv" --no-sheet -o "$directions"

#!/bin/sh
# test_boards.sh [WAY...] - builds the firmware in examples/boards and runs it under qemu: it draws what the tool draws, in the
# memory that `stylegan embed` says, and takes no more code, memory, stack and instructions than the budgets. What its
# README.md tells to do by hand works as written. And links for processors that cannot be run. A board or a plan is a line of
# `budgets`; naming WAYs, the first words of these lines, leaves all else out.
. tests/checks.sh
model=examples/portraits-64.sgw one=$PWD/examples/portraits-64-stylegan1.sgw tiny=$PWD/examples/portraits-32.sgw
budget_compiler=12.2 # gcc that the budgets were measured with
build=$(realpath "$build")
tool=$build/stylegan
out=$work/boards # of one way to build, then of the next

# What `make -C examples/boards` gets for each way to build: its variables, with | between them.
settings() { # WAY
    case $1 in
    fast) echo 'CFLAGS=-O2' ;;
    half) echo 'CFLAGS=-O2|PRECISION=fast|LIMIT=170K' ;; # feature maps in 16 bits
    least) echo 'CFLAGS=-O2|PRECISION=fast|LIMIT=140K' ;;
    large) echo 'CFLAGS=-O2|LIMIT=2000K' ;; # Winograd's algorithm
    every) echo 'CFLAGS=-Os -DSTYLEGAN_FAMILIES=7' ;; # code that draws every network
    small) echo 'CFLAGS=-Os -DSTYLEGAN_SMALL' ;;      # code that draws this one
    exact) echo 'CFLAGS=-O1 -ffp-contract=off -DSTYLEGAN_NO_SIMD|M55_ISA=scalar' ;; # as the tool draws, nothing fused
    one) echo "CFLAGS=-O2|LIMIT=600K|MODEL=$one" ;; # a StyleGAN 1
    one-half) echo "CFLAGS=-O2|PRECISION=fast|LIMIT=230000|MODEL=$one" ;;
    one-half2) echo "CFLAGS=-O2|PRECISION=fast|LIMIT=330000|MODEL=$one" ;;
    one-small) echo "CFLAGS=-Os -DSTYLEGAN_SMALL|LIMIT=600K|MODEL=$one" ;;
    tiny) echo "CFLAGS=-O2|LIMIT=180K|MODEL=$tiny" ;; # 32 x 32 pixels
    tiny-half) echo "CFLAGS=-O2|PRECISION=fast|LIMIT=72K|MODEL=$tiny" ;;
    esac
}

# The picture must be the tool's by the same plan to the bit (same), or, where multiplications are fused, as Helium's always are,
# to 1 of 255 (near), or have so many dB of peak signal-to-noise ratio. Then what it may take at most, in bytes and million
# instructions to draw it; RAM: the open model, the workspace and the stack that was used.
budgets() { # WAY BOARD PICTURE CODE RAM STACK INSTRUCTIONS
    cat <<'END'
fast      m4f  near 55000  275000 3072 185
fast      m7   near 50000  275000 3072 172
fast      m55  near 52000  270000 3072 80
fast      rv32 near 68000  275000 3150 185
half      m7   45   50000  185000 3072 187
half      m55  45   52000  190000 3072 83
least     m7   45   50000  158000 3072 295
large     m55  near 52000  -      3840 50
every     m7   near 50000  275000 3072 -
small     m7   near 28000  275000 3072 -
one       m7   near 57000  600000 3072 164
one       m55  near 59000  620000 3072 66
one-half  m7   45   57000  275000 3072 300
one-half2 m7   45   57000  350000 3072 190
one-half  m55  45   59000  275000 3072 170
one-small m7   near 30000  600000 3072 -
tiny      m4f  near 55000  196000 3072 32
tiny-half m4f  45   55000  91000  3072 45
exact     m4f  same -      -      -    -
exact     m7   same -      -      -    -
exact     m55  same -      -      -    -
exact     rv32 same -      -      -    -
END
}

compiler_of() { # BOARD
    case $1 in rv*) echo riscv64-unknown-elf-gcc ;; *) echo arm-none-eabi-gcc ;; esac
}

# Says so once if something is missing.
skip() { # WHAT IS NOT INSTALLED
    [ -e "$work/skipped-$1" ] || echo "skipped: boards: $1 not installed"
    : >"$work/skipped-$1"
}

# Whether a compiler is there and has a C library.
has_compiler() { # COMPILER FLAGS...
    if ! command -v "$1" >/dev/null; then skip "$1" && return 1; fi
    echo 'int main(void) { return 0; }' | "$@" -x c - -o "$work/empty" 2>/dev/null && return
    case $1 in arm*) skip libnewlib-arm-none-eabi ;; *) skip picolibc-riscv64-unknown-elf ;; esac
    return 1
}
arm_flags='--specs=nosys.specs' riscv_flags='-march=rv32imafc -mabi=ilp32f --specs=picolibc.specs'

# --- What runs ---

# Calls examples/boards/Makefile; its words go to make.log.
make_boards() { # TARGET...
    old_ifs=$IFS IFS='|'
    # shellcheck disable=SC2046 # variables for make
    timeout 300 make -s -C examples/boards "$@" "OUT=$out" "MODEL=$PWD/$model" "STYLEGAN=$tool" $(settings "$way") \
        >"$work/make.log" 2>&1
    status=$?
    IFS=$old_ifs
    return $status
}

# The tool's picture of the network that is built in. To the bit it is the same by the same plan: others sum in another order.
draw_on_host() { # PICTURE, as below
    plan=
    [ "$1" = same ] && plan='--memory-limit 260K'
    network=$(settings "$way" | sed -n 's/.*MODEL=\([^|]*\).*/\1/p')
    network=${network:-$model}
    folder=$work/host/$(basename "$network")$plan
    host=$folder/seed0085.png
    # shellcheck disable=SC2086 # two words
    [ -e "$host" ] || "$tool" generate "$network" --seeds 85 --trunc 0.7 --isa scalar $plan --outdir "$folder" >/dev/null
}

said() { # NAME: the number behind it in what the firmware printed
    sed -n "s/^$1 //p" "$program.log" | tr -d '\r'
}

macro() { # NAME
    sed -n "s/^#define PORTRAIT_$1 \([0-9]*\).*/\1/p" "$out/$isa/portrait.h"
}

section() { # NAME: its bytes
    "${compiler%-gcc}-size" -A "$program" | awk -v name="$1" '$1 == name { n = $2 } END { print n + 0 }'
}

# at_most NAME NUMBER BUDGET
at_most() {
    if [ "$3" = - ]; then return
    elif [ "$2" -le "$3" ]; then ok "boards $way $board: $1 $2, at most $3"
    else fail "boards $way $board" "$1 $2, more than $3"; fi
}

equals() { # NAME NUMBER EXPECTED
    if [ "$2" = "$3" ]; then ok "boards $way $board: $1"; else fail "boards $way $board" "$1 $2, but portrait.h says $3"; fi
}

# Draws, and compares with the tool's picture.
draw() { # PICTURE
    rm -f "$out/portrait.ppm"
    if ! make_boards run BOARD="$board" </dev/null; then
        fail "boards $way $board" "$(tail -n 1 "$work/make.log")"
        return 1
    fi
    mv "$work/make.log" "$program.log"
    draw_on_host "$1"
    same=$1
    [ "$(uname -m)" = x86_64 ] || [ "$same" != same ] || same=near # other processors fuse them in the tool, too
    if [ "$same" = same ]; then
        check "boards $way $board: the tool's picture" "$build/tests/pngdiff" "$host" 0 0 "$out/portrait.ppm"
    elif [ "$same" != near ]; then
        psnr=$("$build/tests/pngdiff" --psnr "$host" "$out/portrait.ppm")
        if [ "$psnr" -ge "$same" ]; then ok "boards $way $board: the tool's picture, but for noise of $psnr dB"
        else fail "boards $way $board: the picture" "$psnr dB, less than $same"; fi
    elif different=$("$build/tests/pngdiff" "$host" "$out/portrait.ppm" 2>&1); then
        ok "boards $way $board: the tool's picture, but for a difference of 1 in $different values"
    else fail "boards $way $board: the picture" "$different"; fi
}

measure() { # CODE RAM STACK INSTRUCTIONS
    stack=$(said stack)
    code=$(($(section .text) + $(section .ARM.exidx) + $(section .data)))
    ram=$(($(said model) + $(said workspace) + stack))
    others=$(($(section .data) + $(section .bss) + stack - ram)) # z and ws, a line of the picture, the C library's
    millions=$(($(said 'microseconds to draw') / 1000))
    [ "$1" = - ] || echo "note: boards $way $board: code $code, RAM $ram bytes, stack $stack of them, and $others beside; $millions million instructions"
    equals "options.memory" "$(said model)" "$(macro OPEN_SIZE)"
    equals "workspace" "$(said workspace)" "$(macro WORKSPACE_SIZE)"
    at_most "bytes of stack, 256 for main and its callback" "$stack" $(($(macro STACK_SIZE) + 256))
    case $("$compiler" -dumpversion) in $budget_compiler | $budget_compiler.*) ;; *) return ;; esac
    at_most "bytes of code" $code "$1"
    at_most "bytes of RAM" $ram "$2"
    at_most "bytes of stack" "$stack" "$3"
    at_most "million instructions" $millions "$4"
}

firmware() { # WAY BOARD PICTURE CODE RAM STACK INSTRUCTIONS
    way=$1 board=$2 compiler=$(compiler_of "$2") program=$out/$2.elf isa=scalar
    case $way-$board in exact-*) ;; *-m55) isa=mve ;; esac
    emulator=$(sed -n "s/^qemu_$board = \([^ ]*\).*/\1/p" examples/boards/Makefile)
    case $compiler in riscv*) flags=$riscv_flags ;; *) flags=$arm_flags ;; esac
    # shellcheck disable=SC2086 # a list of flags
    has_compiler "$compiler" $flags || return
    if ! make_boards "$board"; then
        fail "boards $way $board" "does not build: $(grep -m 1 -E 'error|undefined|overflow' "$work/make.log")"
    elif [ -s "$work/make.log" ]; then fail "boards $way $board" "warns: $(grep -m 1 warning "$work/make.log")"
    elif ! command -v "$emulator" >/dev/null; then
        ok "boards $way $board: builds"
        skip "$emulator"
    else
        draw "$3" && shift 3 && measure "$@"
    fi
}

# --- What examples/boards/README.md tells to do by hand, done as written ---

by_hand() { # LANGUAGE NUMBER: the NUMBER-th block of LANGUAGE
    sed -n '/^## By hand$/,/^## /p' examples/boards/README.md | awk -v fence="\`\`\`$1" -v wanted="$2" '
        $0 == "```" { inside = 0 }
        inside { print }
        $0 == fence { inside = ++count == wanted }'
}

follow_readme() {
    hand=$work/hand
    mkdir -p "$hand/examples"
    cp stylegan.h "$hand"
    cp -r examples/boards examples/portraits-64.sgw "$hand/examples"
    {
        by_hand sh 1
        echo "cat >app.c <<'END OF app.c'"
        by_hand c 1
        echo 'END OF app.c'
        by_hand sh 2
    } >"$hand/steps"
    (cd "$hand" && PATH=$build:$PATH timeout 300 sh -e ./steps) >"$work/hand.log" 2>&1 </dev/null ||
        { fail "boards README.md" "$(tail -n 1 "$work/hand.log")"; return; }
    "$tool" generate examples/portraits-64.sgw --seeds 85 --trunc 0.7 --isa scalar --outdir "$work/hand" >/dev/null
    check "boards README.md: its steps draw the tool's picture" "$build/tests/pngdiff" "$hand/firmware/portrait.ppm" \
        "$work/hand/seed0085.png"
}

# --- The kernels for Helium: test_kernels.c on the M55, for what the networks above do not call ---

helium_kernels() {
    echo '#define PORTRAIT_STACK_SIZE 32768' >"$work/portrait.h"
    if ! arm-none-eabi-gcc -mthumb -mfloat-abi=hard -mcpu=cortex-m55 --specs=nano.specs --specs=nosys.specs -u _printf_float \
        -std=gnu99 -O2 -ffunction-sections -I"$work" tests/portable/kernels.c examples/boards/startup.c \
        examples/boards/cortex-m.c -nostartfiles -Wl,--gc-sections,--defsym=end=bss_end -Lexamples/boards -T m55.ld \
        -o "$work/kernels.elf" -lm 2>"$work/link.log"; then
        fail "boards m55 kernels" "$(grep -m 1 -E 'error|undefined|overflow' "$work/link.log")"
        return
    fi
    timeout 300 qemu-system-arm -machine mps3-an547 -nographic -monitor none -semihosting -kernel "$work/kernels.elf" \
        </dev/null 2>&1 | tr -d '\r' | sed 's/kernels/boards m55 &/' >"$work/kernels.log"
    cat "$work/kernels.log"
    if grep -q '^FAIL' "$work/kernels.log"; then failed=1
    elif ! grep -q '^ok boards m55 kernels mve winograd' "$work/kernels.log"; then fail "boards m55 kernels" "stopped early"; fi
}

# --- What links, unoptimised, so that nothing is left out: processors without atomic instructions among them, for which all must be in the C library ---

link() { # NAME COMPILER FLAGS...
    name=$1
    shift
    has_compiler "$@" || return
    if "$@" -std=c99 tests/portable/board.c -o "$work/linked" -lm 2>"$work/link.log"; then ok "boards $name: links"
    else fail "boards $name" "$(grep -m 1 -E 'error|undefined|overflow' "$work/link.log")"; fi
}

# --- What tools/model/footprint.c believes ---

layout() { # COMPILER FLAGS...
    has_compiler "$@" || return
    "$@" -O0 -w -c tests/portable/layout.c -o "$work/layout.o" || { fail "boards layout" "does not compile"; return; }
    wrong=$("${1%-gcc}-nm" -S "$work/layout.o" | sed -n 's/^[0-9a-f]* \([0-9a-f]*\) . size_of_/\1 /p' | while read -r size type; do
        listed=$(sed -n "s/^ *X($type, \([0-9]*\)).*/\1/p" tools/model/layout32.h)
        [ $((0x$size)) -eq "$listed" ] || echo "$type has $((0x$size)) bytes, not $listed;"
    done)
    if [ "$wrong" ]; then fail "boards layout $1" "tools/model/layout32.h: $wrong"; else ok "boards layout $1"; fi
}

ways=" $* "
budgets >"$work/budgets"
while read -r line; do
    if [ "$ways" = '  ' ] || [ "${ways#* "${line%% *}" }" != "$ways" ]; then
        # shellcheck disable=SC2086 # a row
        firmware $line
    fi
done <"$work/budgets"
[ "$ways" = '  ' ] || exit $failed
# shellcheck disable=SC2086 # a list of flags
if has_compiler arm-none-eabi-gcc $arm_flags && command -v qemu-system-arm >/dev/null; then
    follow_readme
    helium_kernels
fi
while read -r line; do
    # shellcheck disable=SC2086 # a row
    link $line
done <<'END'
cortex-m0plus arm-none-eabi-gcc -mthumb -mcpu=cortex-m0plus --specs=nosys.specs
cortex-m3 arm-none-eabi-gcc -mthumb -mcpu=cortex-m3 --specs=nosys.specs
cortex-m33 arm-none-eabi-gcc -mthumb -mcpu=cortex-m33 -mfloat-abi=hard --specs=nosys.specs
rv32imc riscv64-unknown-elf-gcc -march=rv32imc -mabi=ilp32 --specs=picolibc.specs -Wl,--defsym=__flash_size=0x100000
END
# shellcheck disable=SC2086 # lists of flags
{
    layout arm-none-eabi-gcc $arm_flags -mthumb -mcpu=cortex-m7
    layout riscv64-unknown-elf-gcc $riscv_flags
}
exit $failed

#!/bin/sh
# test_packages.sh - builds and runs a program that takes the header in every way others' builds may: FetchContent,
# add_subdirectory and find_package of CMake, a dependency of Meson through pkg-config; `make uninstall` takes away all that
# `make install` brought; `make clean` goes with other goals. Prints ok, FAIL and skipped lines.
cd "$(dirname "$0")/.." || exit 1
. tests/checks.sh
repository=$PWD
version=$(sed -n 's/^#define STYLEGAN_VERSION "\(.*\)"/\1/p' stylegan.h)
cp examples/hello.c "$work/hello.c"
sed -i 's|"../stylegan.h"|<stylegan.h>|' "$work/hello.c" # found through the package, not beside the program
unset DESTDIR PKG_CONFIG_PATH CMAKE_PREFIX_PATH

make_quietly() {
    env -u BUILD "${MAKE:-make}" --silent BUILD="$build" "$@"
}

make_few() {
    env -u BUILD "${MAKE:-make}" --silent -j2 -C "$work/few" CFLAGS=-O0 "$@"
}

# draws NAME PROGRAM: the program draws a portrait.
draws() {
    check "$1: draws" "$2" examples/portraits-64.sgw 85 "$work/picture.ppm"
    check "$1: a picture" grep -q '^P6' "$work/picture.ppm"
    rm -f "$work/picture.ppm"
}

# --- make install, make uninstall ---

installed=$work/installed
check "make install" make_quietly install PREFIX="$installed"
check "make install: the tool" "$installed/bin/stylegan" --version
mkdir "$work/a stage"
for prefix in /usr /opt/own; do
    check "make install, DESTDIR, $prefix" make_quietly install DESTDIR="$work/a stage" PREFIX=$prefix
    check "make install, DESTDIR: the paths are the later ones" grep -qx "prefix=$prefix" "$work/a stage$prefix/lib/pkgconfig/stylegan.pc"
    check "make uninstall, DESTDIR, $prefix" make_quietly uninstall DESTDIR="$work/a stage" PREFIX=$prefix
    check "make uninstall, DESTDIR, $prefix: nothing stays" test -z "$(ls -A "$work/a stage")"
done

# --- make clean, and what is built right behind it ---

mkdir -p "$work/few/examples"
cp Makefile stylegan.h "$work/few"
cp examples/hello.c "$work/few/examples"
check "make" make_few build/examples/hello
check "make clean with another goal" make_few clean build/examples/hello
check "make clean with another goal: it is built after that" test -x "$work/few/build/examples/hello"

# --- CMake ---

# by_cmake WAY FLAGS...: standard input is what CMakeLists.txt says of the package; builds in $work/WAY and draws.
by_cmake() {
    way=$1
    shift
    mkdir "$work/$way"
    cp "$work/hello.c" "$work/$way"
    {
        echo 'cmake_minimum_required(VERSION 3.18)'
        echo 'project(consumer LANGUAGES C)'
        cat
        echo 'add_executable(hello hello.c)'
        echo 'target_link_libraries(hello PRIVATE stylegan::stylegan)'
    } >"$work/$way/CMakeLists.txt"
    check "CMake, $way: configures" cmake -S "$work/$way" -B "$work/$way/build" "$@"
    check "CMake, $way: builds" cmake --build "$work/$way/build"
    draws "CMake, $way" "$work/$way/build/hello"
}

# finds VERSION: whether find_package takes the installed one for it.
finds() {
    mkdir -p "$work/versions"
    printf 'cmake_minimum_required(VERSION 3.18)\nproject(v LANGUAGES C)\nfind_package(stylegan %s REQUIRED)\n%s\n' "$1" \
        'message(STATUS "found ${stylegan_VERSION}")' >"$work/versions/CMakeLists.txt"
    cmake -S "$work/versions" -B "$work/versions/build" -DCMAKE_PREFIX_PATH="$installed"
}

check_cmake() {
    by_cmake add_subdirectory <<END
add_subdirectory("$repository/tools/cmake" stylegan)
END
    by_cmake FetchContent-folder <<END
include(FetchContent)
FetchContent_Declare(stylegan SOURCE_DIR "$repository" SOURCE_SUBDIR tools/cmake)
FetchContent_MakeAvailable(stylegan)
END
    # What is committed, as a user's build fetches it.
    if git -C "$repository" rev-parse HEAD >"$work/head" 2>/dev/null; then
        by_cmake FetchContent-git <<END
include(FetchContent)
FetchContent_Declare(stylegan GIT_REPOSITORY "file://$repository" GIT_TAG $(cat "$work/head") SOURCE_SUBDIR tools/cmake)
FetchContent_MakeAvailable(stylegan)
END
    else
        echo 'skipped: FetchContent from git: not a clone'
    fi
    by_cmake find_package-after-make -DCMAKE_PREFIX_PATH="$installed" <<END
find_package(stylegan 1.0 REQUIRED)
END
    check "cmake --install: configures" cmake -S tools/cmake -B "$work/package"
    check "cmake --install" cmake --install "$work/package" --prefix "$work/by-cmake"
    by_cmake find_package-after-cmake -DCMAKE_PREFIX_PATH="$work/by-cmake" <<END
find_package(stylegan REQUIRED)
END
    prints "CMake: the header's version" "found $version" finds "$version"
    if finds 99.0 >/dev/null 2>&1; then fail "CMake: another major version" "is found"; else ok "CMake: another major version is not found"; fi
    if finds "${version%%.*}.99" >/dev/null 2>&1; then fail "CMake: a later version" "is found"; else ok "CMake: a later version is not found"; fi
}

if command -v cmake >/dev/null; then check_cmake; else echo 'skipped: CMake: cmake not installed'; fi

# --- Meson, through pkg-config ---

check_meson() {
    mkdir "$work/meson"
    cp "$work/hello.c" "$work/meson"
    printf "project('consumer', 'c')\nexecutable('hello', 'hello.c', dependencies: dependency('stylegan', version: '%s'))\n" \
        "$version" >"$work/meson/meson.build"
    check "Meson: configures" meson setup "$work/meson/build" "$work/meson" --pkg-config-path "$installed/lib/pkgconfig"
    check "Meson: builds" ninja -C "$work/meson/build"
    draws Meson "$work/meson/build/hello"
}

missing=
for program in meson ninja pkg-config; do command -v $program >/dev/null || missing="$missing $program"; done
if [ "$missing" ]; then echo "skipped: Meson:$missing not installed"; else check_meson; fi

if command -v pkg-config >/dev/null; then
    # shellcheck disable=SC2046 # a list of flags
    check "pkg-config: builds" "${CC:-cc}" -O0 "$work/hello.c" -o "$work/hello" $(PKG_CONFIG_PATH=$installed/lib/pkgconfig pkg-config --cflags --libs stylegan)
    draws pkg-config "$work/hello"
else
    echo 'skipped: pkg-config not installed'
fi

check "make uninstall" make_quietly uninstall PREFIX="$installed"
check "make uninstall: nothing stays" test ! -e "$installed"
exit $failed

/* layout32.h - the library's structures that hold pointers, and their sizes where a pointer has 4 bytes: what the compiler
   of this machine cannot tell. tests/test_boards.sh compares them with what the cross compilers say. */
#ifndef LAYOUT32_H
#define LAYOUT32_H

#define LAYOUT_32(X)        \
    X(stylegan_model, 2616) \
    X(sg__step, 344)        \
    X(sg__plan, 104)        \
    X(sg__map, 60)          \
    X(sg__sizes, 288)       \
    X(sg__layer, 40)        \
    X(sg__shared, 8)        \
    X(sg__tables, 16)       \
    X(sg__scratch, 48)

#endif

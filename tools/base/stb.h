/* stb.h - the stb libraries of pictures, wherever the system keeps them; stb.c is their implementation. */
#ifndef STB_H
#define STB_H

#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_WRITE_NO_STDIO
#if __has_include(<stb/stb_image.h>)
#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>
#include <stb/stb_image_write.h>
#elif __has_include(<stb_image.h>)
#include <stb_image.h>
#include <stb_image_resize.h>
#include <stb_image_write.h>
#else
#error "stb_image.h is missing. Install the package libstb-dev (Debian, Ubuntu) or stb-devel (Fedora)."
#endif

#endif

/* stylegan.h 1.0.0 - StyleGAN in one C header: portraits of people who do not exist, without Python.
   MIT licence, see >>licence.

   Contents. Search for the marks to get there:
     >>manual         quick start, options, memory, threads, errors, determinism
     >>weight-file    the .sgw format, to the byte
     >>architecture   what the networks compute, with the terms of the papers
     >>api            easy, medium and expert level
   and, below STYLEGAN_IMPLEMENTATION,
     >>config      options, limits
     >>errors   >>kernels   >>cpu   >>threads   >>random   >>reader
     >>networks    what is computed: one function for each family lists its steps, as its paper does
     >>plan        how: algorithms, strips, buffers for a budget of memory
     >>workspace   where everything lies
     >>operations  for each kind of step: the rows it needs, how it computes rows
     >>run         steps ask their inputs for rows
     >>mapping   >>open   >>calls   the API
     >>passes      the kernels' bodies, compiled once for each instruction set   >>licence


   >>manual

   In exactly one C or C++ file write

       #define STYLEGAN_IMPLEMENTATION
       #include "stylegan.h"

   and compile with `cc app.c -lm`. Every other file includes the header without the define. The fast
   code for each instruction set is always compiled in and chosen when a model is opened: no compiler
   flag is needed. A whole program:

       stylegan_model *model = stylegan_open_file("ffhq.sgw", NULL, NULL);
       const stylegan_config *config = stylegan_describe(model);
       unsigned char *rgb = malloc((size_t)config->height * config->width * config->channels);
       stylegan_generate(model, 85, 0.7f, rgb, NULL);           // seed 85, truncation psi 0.7
       stylegan_close(model);

   Weight files (.sgw) are made from the official and community checkpoints by `stylegan convert`.

   In C all-zero options are `stylegan_options options = {0};`, in C++ `= {}`.

   Options: #define them before the implementation.
     STYLEGAN_STATIC        every function is static: private to the file with the implementation. Before its first
                            inclusion there
     STYLEGAN_NO_STDIO      no files: opens from memory and through callbacks only
     STYLEGAN_NO_MALLOC     no malloc: memory comes from the caller (stylegan_generate needs options.allocate)
     STYLEGAN_NO_THREADS    no built-in threads: the caller's scheduler, or one thread
     STYLEGAN_NO_SIMD       plain C only
     STYLEGAN_NO_AVX512     no AVX-512 code, nor for matrix units (AMX)
     STYLEGAN_NO_AMX        no code for matrix units
     STYLEGAN_NO_BATCH      images are drawn one after the other: no options.batch
     STYLEGAN_SMALL         for boards with little flash, code of half the size: direct sums only (no Winograd tiles,
                            which take more memory anyway), activations linear, relu and lrelu only, and errors
                            whose message is the number of this file's line that tells what is wrong
     STYLEGAN_FAMILIES      bit mask of the StyleGANs that it draws, default 7: 1 for StyleGAN, 2 for 2, 4 for 3
     STYLEGAN_FILENAME      how the header includes itself, default "stylegan.h" (needed if renamed)
     STYLEGAN_API           what precedes every function, default extern: __declspec(dllexport), ...
     STYLEGAN_MEMCPY, STYLEGAN_MEMSET, STYLEGAN_SQRT
                            replacements for the C library's functions (the last takes and gives a
                            double); with all three defined, neither string.h nor math.h is included

   Letters in shapes: N images, C channels, H height, W width, L layers (styles), D width of w, K labels.
   Arrays are row-major, the last index is contiguous: image [C][H][W] has pixel (y, x) of channel c at
   image[(c * H + y) * W + x].

   Memory. Opening takes one block: from the caller (options.memory) or the caller's allocator or malloc.
   Weights are used where they lie; nothing is unpacked ahead. Mapping and synthesis work in a workspace
   that the caller hands in (stylegan_workspace_size bytes); calls without one share a workspace that the
   model allocates at the first such call and keeps. With a workspace handed in, nothing is allocated.
   options.memory_limit trades speed for a smaller workspace, options.precision accuracy that hardly anyone sees,
   options.batch a larger workspace for speed.
   Stack: in plain C no call takes more than 3 KB of a 32-bit processor's, its callbacks' not counted
   (stylegan_seed_z most); with Helium 4 KB, where memory_limit leaves room for Winograd's algorithm.

   Threads. An open model does not change: any number of threads may use it at once, each with its own
   workspace. Calls without a workspace wait for each other: a callback that calls the same model without
   one waits for ever. One call spreads its work over the model's own threads (options.threads) or the
   caller's scheduler (options.parallel). The model's threads leave all signals but faults to the program's;
   -std=c99 hides from the header what that takes, and large pages: -D_DEFAULT_SOURCE shows it.

   Errors. Functions return a result code or NULL and fill in the stylegan_error, if one is given, with a
   message that says what is wrong, where, and what was expected. Nothing is printed, nothing exits. Files
   and streams are not trusted: every size and offset in them is checked before use. A sound file may still
   ask for much: one of 14 KB can describe a network of 16384 x 16384. Before drawing a stranger's file,
   compare stylegan_workspace_size and the image's size with what you are ready to give.

   Deterministic: the same build, model, instruction set and precision give the same bits for any number of
   threads, unless options.memory_limit makes them choose different plans, which agree to rounding, as
   instruction sets do: about 1e-6 of the image's range (more in other precisions, see STYLEGAN_PRECISIONS:
   plans for little memory do without matrix units). Rounding and the flushing of denormals, which -ffast-math
   turns on, should be as a program begins, in all threads alike: otherwise images differ by 1e-5. Seeds and
   random noise are the same on every platform (unless a compiler contracts products and sums: then a value in
   millions rounds otherwise).


   >>weight-file

   All numbers are little-endian. Every part begins at a multiple of 64 bytes; gaps are zero.

     offset  bytes  content
          0      8  magic: 89 53 47 57 0D 0A 1A 0A (hexadecimal; "SGW" between bytes that text transfers spoil)
          8      4  version, 2
         12      4  head size: bytes before the first tensor, a multiple of 64
         16      8  file size
         24      8  checksum of the head: bytes 0 to 23 and 32 to head size - 1
         32      8  checksum of the tensors: bytes head size to file size - 1
         40      4  number of configuration fields
         44      4  number of tensors
         48      4  length of the text
         52     12  zero
         64      -  configuration: fields of 4 bytes in the order of STYLEGAN_CONFIG_FIELDS. Fields missing at
                    the end are 0; fields a reader does not know must be 0
          -      -  directory: 64 bytes a tensor
          -      -  text: UTF-8 lines "key: value" (source, licence, ...), not terminated
          -      -  tensors

   A directory entry:
          0     32  name, filled with zeros, at most 31 characters
         32      4  type: 0 f32, 1 f16, 2 i8
         36      4  number of dimensions, 1 to 4
         40     16  shape, 4 numbers; unused ones are 1
         56      8  offset in the file, a multiple of 64

   f32 and f16 are IEEE 754 binary32 and binary16; f16 holds finite numbers only. An i8 tensor begins with
   one f32 scale for every index of its last dimension (for weights: per output channel), followed by the
   integers; value = integer * scale.

   Checksum: over the bytes as 32-bit words w, with a = 1, b = 0 at the start: for every word a += w, then
   b += a, both modulo 2^32. The checksum is b * 2^32 + a.

   Tensors, by name. {R} is a resolution, the larger of a block's height and width: 4, 8, 16, ..., {r} that of the
   first block; constant gains (equalised learning rate, learning
   rate multipliers, the +1 of style biases) are folded into the values. I and O: input and output channels.

     mapping.embed.weight  [K][E]        labels to E features, and bias [E] (optional)
     mapping.fc{i}.weight  [I][O]        i = 0, 1, ... and bias [O]
     w_avg                 [D]           the mean of w, centre of the truncation (absent: only psi 1 is possible)
     fir                   [h][w]        low-pass filter, sum 1, applied as correlation. StyleGAN 1: the blur.
                                         Absent: none in StyleGAN 1
     fir_image             [h][w]        StyleGAN 2: the filter of the image's up-sampling (absent: fir)
     b{r}.const            [h][w][O]     the learned constant (4 x 4 in the official networks), or
     b{r}.dense.weight     [D][O * h * w]  the first layer when it is dense; output (o * h + y) * w + x
     b{R}.conv0.*                        the up-sampling convolution. In StyleGAN 1, b{r}.conv0 is the epilogue of
                                         the constant and has no weight; in StyleGAN 2 there is no b{r}.conv0
     b{R}.conv1.*                        the second convolution
       .weight             [k][k][I][O]  k = 3 (1 is allowed too)
       .bias               [O]
       .noise              [H][W]        the constant noise (absent: the layer takes no noise)
       .noise_strength     [1] or [O]
       .affine.weight      [D][S]        w to style, and affine.bias [S]. StyleGAN 1: S = 2 O, first the O scales
                                         (1 included), then the O shifts. StyleGAN 2: S = I
     b{R}.skip.weight      [1][1][I][O]  residual branch (resnet), sqrt(0.5) folded in
     b{R}.torgb.*                        weight [1][1][I][C], bias [C]; StyleGAN 2: affine.weight [D][I], affine.bias

   Convolutions correlate: y[j] sums w[k] * x[j + k - floor(K / 2)]. Up-sampling ones scatter: pixel i adds w[k] * x[i]
   to position 2 i + k of the output and, in StyleGAN 1, to 2 i + k + a - floor(K / 2) for a = 0 and 1 (both at once:
   nearest-neighbour up-sampling and convolution). Layers that the image does not need (blocks above the resolution
   that `lod` selects, ToRGB layers that are not blended) are left out; tensors of other names are refused.
   A file whose height, width and blocks are 0 holds a mapping alone (num_ws is 1): stylegan_map is all it can do.

   StyleGAN 3 has layers L0, L1, ... instead of blocks, as many as the field blocks says; the last one is ToRGB. ws[0]
   steers the input and ws[1 + i] layer i, so that num_ws is blocks + 1. Beside mapping and w_avg:

     input.freqs           [C][2]        frequencies (x, y) of the Fourier features, cycles a unit; input.phases [C],
                                         turns: feature = sin(2 pi (x * freqs[0] + y * freqs[1] + phase))
     input.grid            [4]           height and width of the map in pixels, sampling rate (pixels a unit), bandwidth
     input.transform       [3][3]        absent: the identity; see stylegan_run.transform
     input.affine.weight   [D][4]        w to (rc, rs, tx, ty), and input.affine.bias [4]
     input.weight          [1][1][C][O]  1 / sqrt(C) folded in
     L{i}.weight           [k][k][I][O]  k = 1 or 3. The map grows by k - 1: zeros around it on k - 1 sides
     L{i}.bias             [O]
     L{i}.affine.weight    [D][I]        and affine.bias [I]
     L{i}.gain             [1]           factor of the demodulated weights; in ToRGB, which is not demodulated, of the
                                         image, after its clamp (absent: 1)
     L{i}.geometry         [10]          in height, in width, out height, out width, up, down, left, right, top, bottom:
                                         whole numbers, the last four rows and columns of zeros, negative: cropped, that
                                         the up-sampled map gets before up_filter
     L{i}.up_filter        [n]           along both axes, gain included (sum `up`); absent: [1] = 1
     L{i}.down_filter      [n], [n][n]   along both axes, or radial; absent: [1] = 1. Both n at most 64, [n][n] 32

   Filters correlate without padding: an axis of n pixels has n * up + left + right after up-sampling (zeros behind each
   pixel), loses the two filters' taps less 1 each, and keeps every `down`th pixel from the first on. ToRGB has k = 1, no
   filters, and is as large as the image. All but weights, biases and affine maps of the layers is f32.


   >>architecture

   Mapping (StyleGAN, section 2): z, concatenated with the embedded label, is normalised to unit mean square
   (per part in 2-ADA) and passes through fully connected layers: w = f(z). Truncation (StyleGAN,
   appendix B) pulls w to its mean in the first `cutoff` layers: ws[l] = w_avg + psi (w - w_avg).

   Synthesis, StyleGAN 1 (figure 1b). From a learned constant [O][4][4], each block doubles height and width:
     conv0:  y = blur(conv(upsample(x)))        nearest-neighbour up-sampling
     conv1:  y = conv(x)
   and both end in the epilogue
     y = lrelu(y + strength * noise + bias)     noise per pixel, strength per channel
     AdaIN(y) = scale * (y - mean(y)) / std(y) + shift   (equation 1); (scale, shift) = A ws[l]
   The last block's ToRGB, a plain 1x1 convolution, is the image. While a network grows (ProGAN), `lod` blends
   the images of two resolutions.

   Synthesis, StyleGAN 2 (section 2.2). Instead of normalising feature maps, the weights are modulated by the
   style s = A ws[l] and demodulated, as if the input had unit variance:
     w'[i][o] = s[i] w[i][o];   w''[i][o] = w'[i][o] / sqrt(sum over i and taps of w'[i][o]^2 + 1e-8)
   Each layer: y = clamp(gain * act(conv(x, w'') + strength * noise + bias)). Up-sampling is a transposed
   convolution of stride 2 followed by the low-pass filter. ToRGB (no demodulation) adds to the up-sampled
   image of the block before (architecture skip), or there is one at the end only (resnet, orig); resnet adds
   an up-sampled 1x1 convolution of a block's input to its output.

   Synthesis, StyleGAN 3 ("Alias-Free Generative Adversarial Networks"). In its predecessors, texture sticks to pixels:
   when a face turns, its beard stays where it was, since the layers can see the pixels' grid. They see it by aliasing:
   lrelu bends a signal sharply, which makes frequencies that no grid of that size can hold, and they come back as wrong,
   lower ones whose shape depends on where the pixels happen to lie. So StyleGAN 3 treats a map as the continuous signal
   that its pixels sample, and lets each layer do only what can be done to such a signal:
     input:  Fourier features, sin(2 pi (f . (x, y) + phase)), frequencies f up to the first layer's cutoff. They have no
             grid at all: sampled elsewhere, they are moved or turned, exactly. Four values of the style do that (the
             pose), and so can the caller (run.transform). A 1x1 convolution mixes them.
     L{i}:   y = conv(x, w''), modulated and demodulated as above, + bias. A convolution treats all places alike.
             up: zeros between the pixels and a low-pass filter (Kaiser's) bring the map to twice the rate or more;
             lrelu and clamp bend it there, where most of the new frequencies fit in;
             down: a low-pass filter removes what is beyond the layer's cutoff, and then pixels are dropped.
             Cutoffs grow geometrically from 2 to half of the resolution; the rate is the next power of two that holds a
             layer's stopband. Only the last, critically sampled layers cut as sharply as pixels allow.
     ToRGB:  a 1x1 convolution without filters; the image.
   There is no noise, which would be bound to the grid, and no sum of images. A margin around each map keeps the zeros
   beyond its edge, which would tell a layer where it is, away from the image; the last layers crop it.
   Equivariance follows: whatever moves the waves moves the image, in T networks (3x3 convolutions, filters separable).
   R networks turn with it, too: their 1x1 convolutions and radial filters (jinc instead of sinc) favour no direction.
   Here both halves of a layer are steps of their own, CONV and FILTERED, and the map at the higher rate, hundreds of
   megabytes, never exists: a FILTERED draws a strip of 128 columns and keeps as many rows as its filter is high.

   examples/reference.c is all of this as plain loops.
*/
#ifndef STYLEGAN_KERNEL_PASS /* the implementation includes this file again for each instruction set */
#ifndef STYLEGAN_H
#define STYLEGAN_H

#if !defined(__cplusplus) && !defined(_MSC_VER) && (!defined(__STDC_VERSION__) || __STDC_VERSION__ < 199901L)
#error "stylegan.h is C99 or C++11: compile with -std=c99 or a later standard"
#endif

#include <stddef.h>
#include <stdint.h>

#define STYLEGAN_VERSION_MAJOR 1
#define STYLEGAN_VERSION_MINOR 0
#define STYLEGAN_VERSION_PATCH 0
#define STYLEGAN_VERSION "1.0.0"

#ifdef STYLEGAN_STATIC
#define SG__STATIC
#endif
#if defined(STYLEGAN_API)
/* the user's own, to export the functions of a shared library */
#elif defined(STYLEGAN_STATIC) && defined(__GNUC__)
#define STYLEGAN_API static __attribute__((unused, noinline))
#elif defined(STYLEGAN_STATIC)
#define STYLEGAN_API static
#else
#define STYLEGAN_API extern
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* >>api

   --- Results and errors --- */

/* X(NAME, text): every result code. */
#define STYLEGAN_RESULTS(X)                                                 \
    X(OK, "success")                                                        \
    X(ERROR_ARGUMENT, "invalid argument")                                   \
    X(ERROR_MEMORY, "out of memory")                                        \
    X(ERROR_FILE, "cannot read")                                            \
    X(ERROR_FORMAT, "not a valid weight file")                              \
    X(ERROR_CHECKSUM, "checksum mismatch: the weight file is damaged")      \
    X(ERROR_UNSUPPORTED, "not supported by this version or this processor") \
    X(ERROR_WORKSPACE, "workspace too small")                               \
    X(ERROR_CANCELLED, "cancelled by the callback")

typedef enum stylegan_result {
#define STYLEGAN_RESULT_ENUM(name, text) STYLEGAN_##name,
    STYLEGAN_RESULTS(STYLEGAN_RESULT_ENUM)
#undef STYLEGAN_RESULT_ENUM
} stylegan_result;

/* What went wrong. Optional everywhere: pass NULL to do without. `message` is one line, always terminated. */
typedef struct stylegan_error {
    stylegan_result code;
    char message[180];
} stylegan_error;

/* --- The network's description --- */

typedef enum stylegan_family { STYLEGAN_FAMILY_1 = 1, STYLEGAN_FAMILY_2 = 2, STYLEGAN_FAMILY_3 = 3 } stylegan_family;

/* How a StyleGAN 2 forms its image (StyleGAN 2, figure 7). */
typedef enum stylegan_architecture { STYLEGAN_SKIP, STYLEGAN_RESNET, STYLEGAN_ORIG } stylegan_architecture;

/* What the mapping normalises to unit mean square: nothing; z and the embedded label as one vector
   (TensorFlow networks); each on its own (2-ADA). */
typedef enum stylegan_normalization {
    STYLEGAN_NORMALIZE_NONE,
    STYLEGAN_NORMALIZE_JOINT,
    STYLEGAN_NORMALIZE_SEPARATE
} stylegan_normalization;

/* X(NAME, name): the official activation functions (bias_act). lrelu has slope 0.2. */
#define STYLEGAN_ACTIVATIONS(X) \
    X(LINEAR, "linear")         \
    X(RELU, "relu")             \
    X(LRELU, "lrelu")           \
    X(TANH, "tanh")             \
    X(SIGMOID, "sigmoid")       \
    X(ELU, "elu")               \
    X(SELU, "selu")             \
    X(SOFTPLUS, "softplus")     \
    X(SWISH, "swish")

typedef enum stylegan_activation {
#define STYLEGAN_ACTIVATION_ENUM(name, text) STYLEGAN_##name,
    STYLEGAN_ACTIVATIONS(STYLEGAN_ACTIVATION_ENUM)
#undef STYLEGAN_ACTIVATION_ENUM
        STYLEGAN_ACTIVATION_COUNT
} stylegan_activation;

/* X(type, name, meaning): the configuration, in the order of the weight file. */
#define STYLEGAN_CONFIG_FIELDS(X)                                                    \
    X(int32_t, family, "1: StyleGAN, 2: StyleGAN 2 and 2-ADA, 3: StyleGAN 3")        \
    X(int32_t, architecture, "StyleGAN 2: 0 skip, 1 resnet, 2 orig")                 \
    X(int32_t, height, "H of the image, 1 to 16384")                                 \
    X(int32_t, width, "W of the image, 1 to 16384")                                  \
    X(int32_t, blocks, "resolutions, each twice the one before; StyleGAN 3: layers") \
    X(int32_t, channels, "C of the image, 1 to 512")                                 \
    X(int32_t, z_dim, "width of z (0: from labels alone)")                           \
    X(int32_t, w_dim, "D, width of w")                                               \
    X(int32_t, c_dim, "K, number of labels (0: unconditional)")                      \
    X(int32_t, num_ws, "L, styles a synthesis takes")                                \
    X(int32_t, mapping_layers, "fully connected layers of the mapping")              \
    X(int32_t, normalization, "stylegan_normalization of the mapping's input")       \
    X(int32_t, mapping_activation, "stylegan_activation of the mapping")             \
    X(float, mapping_gain, "factor after the mapping's activation")                  \
    X(int32_t, activation, "stylegan_activation of the synthesis")                   \
    X(float, activation_gain, "factor after the synthesis' activation")              \
    X(float, conv_clamp, "StyleGAN 2, 3: outputs are clamped to +- this (0: not)")   \
    X(int32_t, use_pixel_norm, "StyleGAN 1: features normalised per pixel")          \
    X(int32_t, use_instance_norm, "StyleGAN 1: features normalised per channel")     \
    X(int32_t, use_styles, "StyleGAN 1: layers take styles")                         \
    X(float, lod, "StyleGAN 1: level of detail, 0 when fully grown")                 \
    X(float, truncation_psi, "the psi this network is usually shown with")           \
    X(int32_t, truncation_cutoff, "layers it truncates (num_ws: all)")

typedef struct stylegan_config {
#define STYLEGAN_CONFIG_FIELD(type, name, meaning) type name;
    STYLEGAN_CONFIG_FIELDS(STYLEGAN_CONFIG_FIELD)
#undef STYLEGAN_CONFIG_FIELD
    int32_t resolution; /* the larger of height and width; not in the file */
} stylegan_config;

typedef enum stylegan_type { STYLEGAN_F32, STYLEGAN_F16, STYLEGAN_I8, STYLEGAN_TYPE_COUNT } stylegan_type;

/* One tensor of an open model. `data` points into the weight file's bytes (for i8: to the scales). */
typedef struct stylegan_tensor {
    char name[32];
    stylegan_type type;
    int dimensions; /* 1 to 4 */
    int32_t shape[4];
    uint64_t bytes; /* in the file, scales included, padding not */
    const unsigned char *data;
} stylegan_tensor;

/* --- Opening a model --- */

/* X(NAME, name): instruction sets. AUTO: the fastest that this processor has; AVX2: with FMA and F16C; MVE: Helium,
   where the compiler's target is a Cortex-M that has it with floating point, instead of SCALAR; AMX: AVX512 and, under
   Linux, the matrix units of Intel's Xeons since Sapphire Rapids. Opening asks Linux for their use in this process, which
   is refused (AUTO: AVX512) while a thread has an alternate signal stack too small for their state, and forbids such later. */
#define STYLEGAN_ISAS(X) \
    X(AUTO, "auto")      \
    X(SCALAR, "scalar")  \
    X(SSE2, "sse2")      \
    X(AVX2, "avx2")      \
    X(AVX512, "avx512")  \
    X(NEON, "neon")      \
    X(WASM, "wasm")      \
    X(MVE, "mve")        \
    X(AMX, "amx")

/* X(NAME, name): how exactly to compute. F32: as exact as 32-bit floating point throughout. BF16X2: where the processor has
   matrix units (AMX) these multiply numbers of 17 bits, sums of two bfloat16 ones (8 bits each and a sign); images then
   differ by about 2^-17 of their range. FAST: feature maps are kept in 16 bits (IEEE 754 binary16, clamped to +-65504), which
   halves the memory that they take; images differ by about 2^-13 (at most 2^-8); and matrix units multiply bfloat16 numbers:
   by about 2^-8. Without matrix units, products are of 32 bits in any case. */
#define STYLEGAN_PRECISIONS(X) \
    X(F32, "f32")              \
    X(BF16X2, "bf16x2")        \
    X(FAST, "fast")

typedef enum stylegan_precision {
#define STYLEGAN_PRECISION_ENUM(name, text) STYLEGAN_PRECISION_##name,
    STYLEGAN_PRECISIONS(STYLEGAN_PRECISION_ENUM)
#undef STYLEGAN_PRECISION_ENUM
        STYLEGAN_PRECISION_COUNT
} stylegan_precision;

typedef enum stylegan_isa {
#define STYLEGAN_ISA_ENUM(name, text) STYLEGAN_ISA_##name,
    STYLEGAN_ISAS(STYLEGAN_ISA_ENUM)
#undef STYLEGAN_ISA_ENUM
        STYLEGAN_ISA_COUNT
} stylegan_isa;

/* Calls task(context, part) once for each part in [0, parts), on any threads in any order, and returns when
   all have returned. The parts never wait for each other. */
typedef void stylegan_task_fn(void *context, int part);
typedef void stylegan_parallel_fn(void *user, int parts, stylegan_task_fn *task, void *context);

/* Reads exactly `size` bytes, the next ones of the weight file, into `buffer`; returns 0, or anything else if
   it cannot. */
typedef int stylegan_read_fn(void *user, void *buffer, size_t size);

/* options.memory_limit: the smallest workspace, whatever its size. */
#define STYLEGAN_MEMORY_LEAST 1

/* Everything optional about opening; all zero means the defaults. */
typedef struct stylegan_options {
    stylegan_isa isa;               /* force an instruction set */
    int threads;                    /* 0: one per processor of the machine; 1: only the calling one; at most 64 */
    stylegan_parallel_fn *parallel; /* the caller's scheduler instead of built-in threads ... */
    void *parallel_user;            /* ... which gets this; `threads` is then the most parts it is given (0: 8) */
    void *(*allocate)(void *user, size_t size); /* the caller's allocator instead of malloc, aligned as malloc ... */
    void (*release)(void *user, void *memory);  /* ... and what frees it: both or neither */
    void *allocator_user;
    void *memory; /* or: memory to open in, kept by the caller until after stylegan_close */
    size_t memory_size;
    /* bytes that the workspace may take, at the price of speed; opening fails with STYLEGAN_ERROR_MEMORY where it cannot
       be so small, and the message tells the least. 0: the fastest way; STYLEGAN_MEMORY_LEAST: the one that takes least */
    size_t memory_limit;
    int trust_data;               /* skip the checksum of the tensors (that of the head is always verified) */
    stylegan_precision precision; /* what accuracy may be given up for memory */
    /* Images of a call to stylegan_synthesize that are drawn together, so that weights are unpacked and transformed once for
       all: in a larger workspace. 0 and 1: one after the other; at most 64 (1 with STYLEGAN_NO_BATCH); fewer than this
       where memory_limit has no room for more, see stylegan_model_batch. An image is the same, to the bit, for any. */
    int batch;
} stylegan_options;

typedef struct stylegan_model stylegan_model;

/* Opens a weight file held in memory, flash or a mapped file. Nothing is copied: `data` must stay until
   stylegan_close. Any alignment will do, 64 bytes are fastest. Returns NULL on failure. options, error: may be
   NULL. */
STYLEGAN_API stylegan_model *stylegan_open_memory(const void *data, size_t size, const stylegan_options *options,
                                                  stylegan_error *error);

/* Opens through a callback that delivers the weight file from its first byte on; the model holds the weights in
   its own memory. */
STYLEGAN_API stylegan_model *stylegan_open_callback(stylegan_read_fn *read, void *user, const stylegan_options *options,
                                                    stylegan_error *error);

#ifndef STYLEGAN_NO_STDIO
/* Opens a file; the model holds the weights in its own memory. Where it cannot, errno is as fopen leaves it. */
STYLEGAN_API stylegan_model *stylegan_open_file(const char *path, const stylegan_options *options,
                                                stylegan_error *error);
#endif

/* Bytes of options.memory that stylegan_open_memory needs for this weight file (the weights themselves not
   counted), 0 on failure. The first `size` bytes of the file, at least its head, are enough. */
STYLEGAN_API size_t stylegan_open_size(const void *data, size_t size, const stylegan_options *options,
                                       stylegan_error *error);

/* Ends the threads and frees what opening allocated. NULL is fine. */
STYLEGAN_API void stylegan_close(stylegan_model *model);

/* --- Describing it: valid until stylegan_close --- */

STYLEGAN_API const stylegan_config *stylegan_describe(const stylegan_model *model);
STYLEGAN_API uint64_t stylegan_parameters(const stylegan_model *model); /* numbers in all tensors, noise included */
STYLEGAN_API uint64_t stylegan_file_size(const stylegan_model *model);  /* bytes */
STYLEGAN_API const char *stylegan_text(const stylegan_model *model, size_t *length); /* not terminated */
STYLEGAN_API int stylegan_tensor_count(const stylegan_model *model);
STYLEGAN_API stylegan_result stylegan_get_tensor(const stylegan_model *model, int index,
                                                 stylegan_tensor *tensor); /* 0 <= index < count */
STYLEGAN_API stylegan_isa stylegan_model_isa(const stylegan_model *model);
STYLEGAN_API int stylegan_model_threads(const stylegan_model *model);
STYLEGAN_API stylegan_precision stylegan_model_precision(const stylegan_model *model);
STYLEGAN_API int stylegan_model_batch(const stylegan_model *model); /* images drawn together, at most; at least 1 */

/* One step of the synthesis and how this model computes it, in the order of computation. */
typedef struct stylegan_layer {
    char name[32];     /* "b4.conv0", ..., as the inspect callback sees them */
    int in, out;       /* channels */
    int height, width; /* of its output */
    int ws;            /* number of the w in ws that steers it, -1: none */
    int styles;        /* values of its style: StyleGAN 2: a scale for each input channel; StyleGAN 1's "norm" layers:
                                a scale for each channel, then a shift for each; 0: none */
    int noise;         /* 1: it takes noise */
    int strip_rows;    /* output rows computed at a time; height if it is computed as a whole */
    int points;        /* Winograd tiles of 4x4 outputs from points x points products (6 or 5), 0: none */
    int terms;         /* bfloat16 numbers, 1 to 3, whose sums matrix units multiply; 0: by vectors */
    double macs;       /* multiply-adds of direct sums; a transposed convolution counted on its input */
    uint64_t weight_bytes;   /* in the weight file */
    uint64_t prepared_bytes; /* of weights unpacked or transformed in the workspace before the first row */
    uint64_t moved_bytes; /* weights, feature maps and intermediate results read and written, each pass counted once */
} stylegan_layer;
STYLEGAN_API int stylegan_layer_count(const stylegan_model *model);
STYLEGAN_API stylegan_result stylegan_get_layer(const stylegan_model *model, int index,
                                                stylegan_layer *layer); /* 0 <= index < count */

/* --- Easy: a seed to a picture --- */

/* Draws the portrait of `seed` with truncation psi (0: the mean face, 1: no truncation; the model's cutoff) and
   constant noise. rgb [H][W][C], 8 bits, as the official tools write it. Conditional models: no label (all zero). */
STYLEGAN_API stylegan_result stylegan_generate(const stylegan_model *model, uint32_t seed, float psi,
                                               unsigned char *rgb, stylegan_error *error);

/* --- Medium: z -> ws -> image -> RGB --- */

typedef enum stylegan_noise_mode {
    STYLEGAN_NOISE_CONST,  /* the model's stored maps */
    STYLEGAN_NOISE_RANDOM, /* drawn from noise_seed */
    STYLEGAN_NOISE_NONE
} stylegan_noise_mode;

/* Rows of a feature map as the inspect callback sees them, read with stylegan_read_feature. StyleGAN 1 shows a layer
   ("b4.conv0") before its normalisation and then, as a layer of its own ("b4.norm0"), after AdaIN. "b8.torgb" is the
   image so far; the last one is `image`. */
typedef struct stylegan_feature_map {
    const char *layer;               /* its name, valid until stylegan_close */
    int index;                       /* its number, for stylegan_get_layer */
    int channels, height, width;     /* of the whole map */
    int first_row, rows;             /* these rows of it: all of them, but at high resolutions and with precision FAST,
                                        which come in strips, top to bottom */
    const float *style;              /* [stylegan_layer.styles] what steers it, offsets included; NULL: nothing */
    const float *data;               /* private layout */
    int lanes;                       /* private */
    size_t row_stride, block_stride; /* private */
} stylegan_feature_map;

/* Everything optional about a call; all zero means the defaults. */
typedef struct stylegan_run {
    void *workspace; /* aligned to 4 bytes at least; NULL: the model's own */
    size_t workspace_size;
    stylegan_noise_mode noise_mode;
    uint64_t noise_seed; /* image i of a call takes noise_seed + i */
    /* Layer by layer, in the order of stylegan_get_layer, [stylegan_layer_count] each. NULL: nothing special. */
    const stylegan_noise_mode *layer_noise; /* instead of noise_mode */
    const float *layer_noise_strength;      /* factors of the learned strengths */
    const float *const *style_offsets;      /* [stylegan_layer.styles] values added to the layer's style, or NULL */
    /* Receives finished rows, top to bottom, on the calling thread: pixels [C][rows][W] of rows y, y + 1, ... of
       image `index`; not zero cancels. With it, `image` may be NULL and no full image is held. */
    int (*rows)(void *user, int index, int y, int rows, const float *pixels);
    /* Called on the calling thread with the share done, in (0, 1]; not zero cancels. Between strips of layers; on one
       thread, for a watchdog's sake, within them too: after about a million multiplications, or a row of tiles where
       that is more (or all of a first layer that is fully connected). */
    int (*progress)(void *user, float done);
    /* Called with every layer's output as it is computed, on the calling thread: with options.batch those of low resolution
       for image after image. For study and tests. */
    void (*inspect)(void *user, int index, const stylegan_feature_map *map);
    void *user; /* for all three */
    /* StyleGAN 3: [3][3], which takes a point (x, y, 1) of the image, 1 wide with (0, 0) in its middle, to where it is
       looked up: the inverse of the wanted motion, see stylegan_transform. NULL: the model's own, mostly none. */
    const float *transform;
} stylegan_run;

/* StyleGAN 3: moves the image by x, y (1: the whole of its width) and turns it by `degrees`, as the official tools do:
   transform [3][3] becomes the inverse of [[cos, sin, x], [-sin, cos, y], [0, 0, 1]]. */
STYLEGAN_API void stylegan_transform(double x, double y, double degrees, float *transform);

/* z [count]: the first values of NumPy's RandomState(seed).randn, as float32: the official tools' latents. */
STYLEGAN_API void stylegan_seed_z(uint32_t seed, float *z, int count);

/* Maps latents to styles. z [N][z_dim]; labels [N][K] (usually one-hot; NULL: all zero); ws [N][L][D].
   Truncation psi, a finite number, in the first `cutoff` layers (num_ws or more: in all); psi 1 leaves w as it is,
   psi 0 gives w_avg. Of `run` only the workspace is used; it may be NULL. */
STYLEGAN_API stylegan_result stylegan_map(const stylegan_model *model, const float *z, const float *labels, int count,
                                          float psi, int cutoff, float *ws, const stylegan_run *run,
                                          stylegan_error *error);

/* Style mixing (StyleGAN, section 3.1): ws [L][D] gets layers first..last from `style` and the others from `base`
   (both [L][D]). ws may be base or style. */
STYLEGAN_API stylegan_result stylegan_mix(const stylegan_model *model, const float *base, const float *style, int first,
                                          int last, float *ws);

/* Draws images. ws [N][L][D], finite numbers (others make black); image [N][C][H][W], nominal range [-1, 1]. image may be
   NULL if run->rows is set. */
STYLEGAN_API stylegan_result stylegan_synthesize(const stylegan_model *model, const float *ws, int count, float *image,
                                                 const stylegan_run *run, stylegan_error *error);

/* image [C][H][W] to pixels [H][W][C]: clamp(trunc(x * 127.5 + 128), 0, 255), as the official tools do. */
STYLEGAN_API void stylegan_to_rgb8(const float *image, int channels, int height, int width, unsigned char *pixels);

/* --- Expert --- */

/* Bytes that run.workspace needs for any call on this model, whatever the count. */
STYLEGAN_API size_t stylegan_workspace_size(const stylegan_model *model);

/* The style [stylegan_layer.styles] that layer `index` takes from ws [L][D], without offsets: the affine map A of its w
   (StyleGAN, figure 1b; StyleGAN 2, figure 2). ERROR_ARGUMENT if it takes none. */
STYLEGAN_API stylegan_result stylegan_get_style(const stylegan_model *model, int index, const float *ws, float *style);

/* One channel of the rows of an inspected feature map: plane [rows][width]. */
STYLEGAN_API void stylegan_read_feature(const stylegan_feature_map *map, int channel, float *plane);

/* The fixed generator of random noise: `count` standard normals, elements first, first + 1, ... of the stream
   (seed, layer). layer: index of the layer's w. */
STYLEGAN_API void stylegan_random_normal(uint64_t seed, uint32_t layer, uint64_t first, float *values, int count);

STYLEGAN_API const char *stylegan_version(void); /* STYLEGAN_VERSION of the implementation that is linked */
STYLEGAN_API const char *stylegan_result_text(stylegan_result result);
STYLEGAN_API const char *stylegan_isa_name(stylegan_isa isa); /* as STYLEGAN_ISAS has it */
STYLEGAN_API int stylegan_isa_available(stylegan_isa isa);    /* compiled in and supported by this processor */
STYLEGAN_API const char *stylegan_precision_name(stylegan_precision precision); /* as STYLEGAN_PRECISIONS has it */
STYLEGAN_API const char *stylegan_activation_name(stylegan_activation activation);

#ifdef __cplusplus
}
#endif
#endif /* STYLEGAN_H */

/* The kernels, see >>kernels: for the trainer and the tests of this project, which #define STYLEGAN_KERNELS. Not part
   of the API: they change without notice. */
#if (defined(STYLEGAN_KERNELS) || defined(STYLEGAN_IMPLEMENTATION)) && !defined(SG__KERNELS)
#define SG__KERNELS
#ifdef __cplusplus
extern "C" {
#endif

enum { SG__MAX_TAPS = 16 }; /* of a convolution; the trainer folds its low-pass filter into 4x4 ones */

/* A validated tensor of the weight file: a matrix [rows][columns] whose columns are the last dimension. */
typedef struct sg__tensor {
    const unsigned char *data;   /* NULL: absent */
    const unsigned char *scales; /* i8: one f32 a column */
    stylegan_type type;
    int columns;
} sg__tensor;

/* One row of a convolution. */
typedef struct sg__row {
    const float *input; /* pixel 0, channel block 0 */
    size_t input_block; /* floats between channel blocks */
    int channels;       /* I */
    int taps;
    ptrdiff_t offset[SG__MAX_TAPS];     /* floats from `input` to the tap's pixel */
    const float *panel[SG__MAX_TAPS];   /* the tap's weights [I][Q][V] */
    float *output;                      /* raw sums */
    size_t output_pixel, output_vector; /* floats between pixels, between vectors */
    int width;
} sg__row;

/* What follows a convolution: clamp(gain * act(x * scale + noise * strength + bias)) + add, per vector of channels. */
typedef struct sg__epilogue {
    const float *scale, *bias, *strength; /* [V] each */
    const float *noise;                   /* [width], or NULL */
    const float *add;                     /* [width][V], or NULL */
    stylegan_activation activation;
    float gain, clamp; /* clamp 0: none */
} sg__epilogue;

/* clamp(gain * max(x, slope * x)) */
typedef struct sg__leak {
    float slope, gain, clamp;
} sg__leak;

/* A convolution by matrix units, of numbers in 16 bits, see >>kernels. Pixels lie in rows of `pitch`, as many positions,
   and an output's taps at the same distances from it whatever its position. */
typedef struct sg__product {
    const uint16_t *input; /* [terms][groups][positions][32], see split */
    size_t term, group;    /* values between terms, between groups of channels */
    int terms, groups, taps;
    ptrdiff_t offset[SG__MAX_TAPS]; /* positions from an output's own to the tap's */
    const uint16_t *weights;        /* [groups][taps][terms][q][16][V][2] */
    int positions, pitch, width;    /* of outputs: from position 0 on; the first `width` of every row are stored */
    int rows;                       /* times that this is done, each a row further on */
    float *output;
    size_t output_row, output_pixel, output_vector; /* floats between rows, pixels, vectors */
} sg__product;

#ifdef STYLEGAN_KERNELS
/* The gradient of a convolution's weights by matrix units: sums over pairs of positions, for several taps or blocks of
   outputs at once. */
typedef struct sg__correlation {
    const uint16_t *turned;   /* input [steps][V][16][2] */
    int steps, count;         /* of 16 pairs; outputs, up to 6: */
    const uint16_t *pairs[6]; /* [16 * steps][V][2] */
    float *sum[6];            /* [V][V] */
    size_t row;               /* floats between its rows */
    int set;                  /* sum = instead of += */
} sg__correlation;
#endif

typedef struct sg__kernels {
    stylegan_isa isa;
    int lanes;   /* V */
    int pixels;  /* P */
    int vectors; /* Q, vectors of output channels in a panel */
    /* out [count rounded up to V] = tensor[row][column ...], zero-filled */
    void (*unpack)(const sg__tensor *tensor, size_t row, int column, int count, float *out);
    /* panel [rows][q][V] = tensor[row ...][column ...] * style[0 ... rows - 1]; squares [q][V] += its squares */
    void (*panel)(const sg__tensor *tensor, size_t row, int rows, int column, int q, const float *style, float *squares,
                  float *panel);
    void (*convolve)(const sg__row *row, int q);
    void (*finish)(float *row, int width, const sg__epilogue *epilogue);
    /* out [count] = sum of weight[k] * source[k][...]; count is a multiple of V */
    void (*weighted_sum)(float *out, int count, const float *const *source, const float *weight, int n);
    /* out [count] = sum of the squares of tap[k][...]; count is a multiple of V */
    void (*sum_squares)(float *out, int count, const float *const *tap, int n);
    /* mean [V] and sum of squared deviations [V] of rows x [height][row_stride] of width pixels */
    void (*moments)(const float *x, int width, int height, size_t row_stride, float *mean, float *deviation);
    /* `tiles` neighbouring tiles of one channel block: row[i] points to the tiles' input row i, 4 pixels a tile; point
       p of tile t goes to out[p * stride + t * V]; down x across points: 6, 5, or 4 along the axis of a single tap.
       scale [V]: factors of the inputs, or NULL */
    void (*winograd_input)(const float *const *row, const float *scale, int down, int across, int tiles, float *out,
                           size_t stride);
    /* `count` vectors: tap [taps down][taps across] to out[p * stride + i * V] */
    void (*winograd_weights)(const float *const *tap, int down, int across, int count, float *out, size_t stride);
    /* the inverse: points down x across to 4x4 outputs a tile, at out + y * row + x * pixel */
    void (*winograd_output)(const float *in, size_t stride, int down, int across, int tiles, float *out, size_t row,
                            size_t pixel);
    /* 3x3 products a pixel, product p of pixel i at in[p * stride + i * V], to pixels 2i and 2i + 1 of two rows: the
       middle ones less those before (even) or plus those after (odd) */
    void (*double_pixels)(const float *in, size_t stride, int width, float *top, float *bottom);
    /* half [count][2 bytes], little-endian, = x [count], rounded and clamped to +-65504; and back. Multiples of V */
    void (*narrow)(const float *x, int count, unsigned char *half);
    void (*widen)(const unsigned char *half, int count, float *x);
    /* x = (x - mean) * scale + shift */
    void (*scale_shift)(float *row, int width, const float *mean, const float *scale, const float *shift);
    /* out pixel g * up + p = leak(sum of taps[p][k] * x[g + k]) for p < up, k < n */
    void (*upsample)(const float *x, int groups, const float *taps, int up, int n, const sg__leak *leak, float *out);
    /* out pixel i = sum over rows r and k < n of taps[r][k] * row[r][i * down + k]; folded: taps [rows / 2][n] are those of
       row r and of row rows - 1 - r */
    void (*downsample)(float *out, int count, const float *const *row, int rows, int folded, const float *taps, int n,
                       int down);
    /* With matrix units, else NULL. Pixels of two channel blocks (block[1] NULL: zeros), times scale [2][V] or NULL, to
       [pixels][32] in bfloat16, each term `term` values behind the one before */
    void (*split)(const float *const *block, const float *scale, int pixels, int terms, size_t term, uint16_t *out);
    /* Weights tap[k] [channels][q][V] to sg__product's */
    void (*pack)(const float *const *tap, int taps, int channels, int q, int terms, uint16_t *out);
    void (*multiply)(const sg__product *product, int q);
#ifdef STYLEGAN_KERNELS
    /* Pixels of a channel block, a multiple of 16, as pairs with those of `second`, to sg__correlation's input */
    void (*turn)(const float *first, const float *second, int pixels, uint16_t *turned);
    void (*correlate)(const sg__correlation *correlation);
#endif
} sg__kernels;

/* The table of an instruction set, the fastest one for AUTO; NULL if this processor or this build has it not. */
#ifdef STYLEGAN_KERNELS
STYLEGAN_API const sg__kernels *sg__find_kernels(stylegan_isa isa);
#else
static const sg__kernels *sg__find_kernels(stylegan_isa isa);
#endif

#ifdef __cplusplus
}
#endif
#endif

/* ================================================================================================================ */
#if defined(STYLEGAN_IMPLEMENTATION) && !defined(STYLEGAN_IMPLEMENTED)
#define STYLEGAN_IMPLEMENTED

/* >>config */

#if defined(STYLEGAN_STATIC) && !defined(SG__STATIC)
#error "stylegan.h was included without STYLEGAN_STATIC before: #define it before the first inclusion"
#endif
#ifndef STYLEGAN_FILENAME
#define STYLEGAN_FILENAME "stylegan.h"
#endif
#if defined(__has_include)
#if !__has_include(STYLEGAN_FILENAME)
#error "stylegan.h includes itself, but not by that name: #define STYLEGAN_FILENAME as the name that you include it by"
#endif
#endif
#if !defined(STYLEGAN_MEMCPY) || !defined(STYLEGAN_MEMSET)
#include <string.h>
#endif
#ifndef STYLEGAN_MEMCPY
#define STYLEGAN_MEMCPY memcpy
#endif
#ifndef STYLEGAN_MEMSET
#define STYLEGAN_MEMSET memset
#endif
#ifndef STYLEGAN_SQRT /* double to double */
#include <math.h>
#define STYLEGAN_SQRT sqrt
#endif
#ifndef STYLEGAN_FAMILIES
#define STYLEGAN_FAMILIES 7
#endif
#ifdef STYLEGAN_SMALL /* constants: what they rule out is left out by the compiler */
#define SG__WINOGRAD 0
#define SG__IN_WINOGRAD(function) NULL
#define SG__MOST_ACTIVATION STYLEGAN_LRELU
#else
#define SG__WINOGRAD 1
#define SG__IN_WINOGRAD(function) function
#define SG__MOST_ACTIVATION STYLEGAN_SWISH
#endif
#if STYLEGAN_FAMILIES & 1 /* a function of these StyleGANs, NULL where they are left out */
#define SG__IN_1(function) function
#else
#define SG__IN_1(function) NULL
#endif
#if STYLEGAN_FAMILIES & 2
#define SG__IN_2(function) function
#else
#define SG__IN_2(function) NULL
#endif
#if STYLEGAN_FAMILIES & 3
#define SG__IN_1_2(function) function
#else
#define SG__IN_1_2(function) NULL
#endif
#if STYLEGAN_FAMILIES & 6
#define SG__IN_2_3(function) function
#else
#define SG__IN_2_3(function) NULL
#endif
#if STYLEGAN_FAMILIES & 4
#define SG__IN_3(function) function
#else
#define SG__IN_3(function) NULL
#endif
#ifndef STYLEGAN_NO_BATCH /* what images that are drawn together need, or a constant where there are none */
#define SG__IF_BATCH(value, without) (value)
#else
#define SG__IF_BATCH(value, without) (without)
#endif
#ifndef STYLEGAN_NO_STDIO
#include <stdio.h>
#endif
#ifndef STYLEGAN_NO_MALLOC
#include <stdlib.h>
#ifdef __linux__
#include <sys/mman.h>
#endif
#endif

/* Compilers and systems without what the built-in threads need do without them. */
#if defined(__TINYC__) || defined(__wasm__) || !(defined(_WIN32) || defined(__unix__) || defined(__APPLE__))
#define SG__NO_THREADS
#endif
#if defined(STYLEGAN_NO_THREADS) && !defined(SG__NO_THREADS)
#define SG__NO_THREADS
#endif
#ifndef SG__NO_THREADS
#ifdef _WIN32
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
#else
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#endif
#endif

/* Parts of one job take the next item from a shared counter; without atomic instructions (on processors whose compiler
   would call a library for them) they take every n-th. */
#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#define SG__FETCH_INCREMENT(p) ((int)_InterlockedIncrement((volatile long *)(p)) - 1)
#define SG__PEEK(p) (*(volatile int *)(p))
#define SG__POKE(p, value) (*(volatile int *)(p) = (value))
#elif defined(__GCC_ATOMIC_INT_LOCK_FREE) && __GCC_ATOMIC_INT_LOCK_FREE == 2 && !defined(__TINYC__)
#define SG__FETCH_INCREMENT(p) __atomic_fetch_add(p, 1, __ATOMIC_RELAXED)
#define SG__PEEK(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define SG__POKE(p, value) __atomic_store_n(p, value, __ATOMIC_RELAXED)
#else
#define SG__PEEK(p) (*(p))
#define SG__POKE(p, value) (*(p) = (value))
#endif

#if defined(__GNUC__) && !defined(__TINYC__)
#define SG__INLINE static inline __attribute__((always_inline))
#define SG__UNUSED __attribute__((unused))
#define SG__APART __attribute__((noinline)) /* for what holds much on the stack, or is long and called often */
#elif defined(_MSC_VER)
#define SG__INLINE static __forceinline
#define SG__UNUSED
#define SG__APART __declspec(noinline)
#else
#define SG__INLINE static inline
#define SG__UNUSED
#define SG__APART
#endif

#if defined(__GNUC__) && !defined(__TINYC__)
#define SG__PREFETCH(p) __builtin_prefetch(p)
#else
#define SG__PREFETCH(p) ((void)0)
#endif

/* Fixed-count loops over registers must be unrolled at -O2, or the registers become memory. */
#if defined(__clang__)
#define SG__UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__) && !defined(__TINYC__) && __GNUC__ >= 8
#define SG__UNROLL _Pragma("GCC unroll 16")
#else
#define SG__UNROLL
#endif

/* To what a half can hold, for instructions that would make infinity of more. */
#define SG__CLAMP_F16(v) SG__MIN(SG__MAX(v, SG__SET1(-65504.0f)), SG__SET1(65504.0f))

#define SG__COUNT_FIELD(type, name, meaning) +1
enum {
    SG__MAX_THREADS = 64,
    SG__MAX_BATCH = SG__IF_BATCH(64, 1), /* images drawn together */
    SG__VERSION = 2,                     /* of the weight file */
    SG__CONFIG_FIELDS = 0 STYLEGAN_CONFIG_FIELDS(SG__COUNT_FIELD),
    SG__MAX_BLOCKS = 13,     /* 4 to 16384 */
    SG__MAX_LAYERS = 64,     /* of a StyleGAN 3 */
    SG__MAX_SIZE = 16384,    /* height and width of the image */
    SG__MAX_CHANNELS = 512,  /* of the image */
    SG__MAX_DENSE = 1 << 28, /* outputs of a first layer that is dense */
    SG__MAX_MAPPING = 256,   /* layers */
    SG__MAX_WIDTH = 65536,   /* channels, widths of z and w, labels */
    SG__MAX_FIR = 16,        /* taps along one axis */
    SG__MAX_RADIAL = 32,     /* the same of StyleGAN 3's radial filters ... */
    SG__MAX_LINE = 64,       /* ... and of its separable ones */
    SG__MAX_RATE = 16,       /* of its up- and down-sampling */
    SG__MAX_PADDING = 65536,
    SG__ALIGN = 64,
    SG__HEAD_SIZE = 64,  /* prologue of the weight file */
    SG__ENTRY_SIZE = 64, /* of its directory */
    SG__MAX_FIELDS = 64, /* of the configuration */
    SG__LATENTS = 8,     /* latents mapped together */
    SG__TICK = 1 << 20   /* multiplications after which a watchdog hears of progress */
};
#undef SG__COUNT_FIELD

/* >>errors */

#include <stdarg.h>

static size_t sg__put(char *out, size_t at, size_t size, char c) {
    if (at + 1 < size) out[at++] = c;
    return at;
}

#ifdef STYLEGAN_SMALL
#define sg__fail(error, code, ...) sg__fail_at(error, code, __LINE__)

static stylegan_result sg__fail_at(stylegan_error *error, stylegan_result code, int line) {
    if (!error) return code;
    error->code = code;
    for (int i = 5; i >= 0; i--, line /= 10) error->message[i] = (char)('0' + line % 10);
    error->message[6] = 0;
    return code;
}
#else
/* Writes "format" with %s (const char *) and %u (uint64_t) into the error; returns code. */
static stylegan_result sg__fail(stylegan_error *error, stylegan_result code, const char *format, ...) {
    if (!error) return code;
    va_list arguments;
    va_start(arguments, format);
    size_t at = 0, size = sizeof error->message;
    for (const char *f = format; *f; f++) {
        if (*f != '%') {
            at = sg__put(error->message, at, size, *f);
        } else if (*++f == 's') {
            for (const char *s = va_arg(arguments, const char *); *s; s++) at = sg__put(error->message, at, size, *s);
        } else {
            char digits[20];
            int count = 0;
            uint64_t n = va_arg(arguments, uint64_t);
            do digits[count++] = (char)('0' + n % 10);
            while (n /= 10);
            while (count) at = sg__put(error->message, at, size, digits[--count]);
        }
    }
    va_end(arguments);
    error->message[at] = 0;
    error->code = code;
    return code;
}
#endif

STYLEGAN_API const char *stylegan_version(void) {
    return STYLEGAN_VERSION;
}

STYLEGAN_API const char *stylegan_result_text(stylegan_result result) {
#define SG__TEXT(name, text) text,
    static const char *const texts[] = {STYLEGAN_RESULTS(SG__TEXT)};
#undef SG__TEXT
    return (size_t)result < sizeof texts / sizeof *texts ? texts[result] : "unknown result";
}

STYLEGAN_API const char *stylegan_activation_name(stylegan_activation activation) {
#define SG__TEXT(name, text) text,
    static const char *const texts[] = {STYLEGAN_ACTIVATIONS(SG__TEXT)};
#undef SG__TEXT
    return (size_t)activation < sizeof texts / sizeof *texts ? texts[activation] : "unknown";
}

STYLEGAN_API const char *stylegan_precision_name(stylegan_precision precision) {
#define SG__TEXT(name, text) text,
    static const char *const texts[] = {STYLEGAN_PRECISIONS(SG__TEXT)};
#undef SG__TEXT
    return (size_t)precision < sizeof texts / sizeof *texts ? texts[precision] : "unknown";
}

/* >>kernels

   Feature maps are stored in channel blocks, x [C/V][H][1 + W + 1][V]: V neighbouring channels, one vector of the
   instruction set, lie together, and every row has a zero pixel at both ends for the convolution's padding. Every
   kernel then works on whole vectors whatever the image's size; the channels that fill up the last block are ignored.
   A convolution computes a row of outputs in tiles of P pixels x Q vectors of output channels that stay in registers:
   each step broadcasts P inputs and multiplies them with Q vectors of weights. The weights come from a panel,
   [taps][I][Q][V] in float32, unpacked, modulated and squared (for the demodulation) on the way.

   Winograd's minimal filtering (Lavin and Gray, 2015) needs fewer multiplications: it evaluates the polynomial product
   that a convolution is at n points. A tile of 4x4 outputs is Y = At [(G g Gt) * (Bt d B)] A with d the n x n inputs
   and g the weights: 36 products instead of 144 for 3x3 (n = 6, points 0, +-a, +-b, infinity), 25 instead of 64 for 2x2
   (n = 5, without the 0). With a = sqrt(1/2), b = sqrt(2) the float32 error is twice that of the direct sum. The
   products of one point, over all tiles and channels, are a 1x1 convolution.

   An up-sampling by a transposed 3x3 convolution falls apart into four small ones, the phases: even outputs see two
   taps along an axis, odd ones a single tap. A single tap needs no transform: its 4 "points" are the 4 pixels
   themselves, and all have the same weights. The four phases take 25 + 20 + 20 + 16 products a tile instead of 144.

   Nearest-neighbour up-sampling before a 3x3 convolution shows the same pixel twice. Along an axis, the outputs at pixel
   x[j] are w2 x[j - 1] + (w1 + w0) x[j] and (w2 + w1) x[j] + w0 x[j + 1], which is S x[j] - w2 (x[j] - x[j - 1]) and
   S x[j] + w0 (x[j + 1] - x[j]) with S = w0 + w1 + w2: three products for two outputs, so nine a pixel, as many as the
   convolution has taps, of the map and its differences, for four. */

/* Matrix units multiply 16 positions x 32 channels with 32 channels x 16 outputs in as many cycles as 16 vectors take to be
   multiplied, and add in float32, but numbers come as bfloat16, a float32's upper half. So x is a sum of up to three
   terms: x rounded, what is left of it rounded, and what is left of that, which hold 8, 17 and all 24 bits. Products of the
   smaller terms, beyond those bits, are left out: 1, 2 or 3 terms take 1, 3 or 6 of the units' products. Of 32 channels, 16
   of one block and 16 of the next, those with the same number in their blocks are neighbours. */

/* Exponential and logarithm (of normal numbers) by their power series, more exact than a float can see: the same on every
   platform, where the tables of a C library would take 5 KB of a board's flash. */
static double sg__polynomial(const double *factors, int count, double x) {
    double sum = 0;
    while (count) sum = sum * x + factors[--count];
    return sum;
}

static double sg__exp(double x) { /* 2^n e^r, r up to log(2) / 2 */
    static const double factors[] = {
        1,          1,           1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,
        1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0};
    x = x > 700 ? 700 : x;
    if (!(x > -700)) return x < 0 ? 0 : x; /* not a number stays none */
    int n = (int)(x / 0.69314718055994530942 + (x < 0 ? -0.5 : 0.5));
    uint64_t bits = (uint64_t)(n + 1023) << 52;
    double power;
    STYLEGAN_MEMCPY(&power, &bits, 8);
    return sg__polynomial(factors, 14, x - n * 0.69314718055994530942) * power;
}

static double sg__log(double x) { /* n log(2) + 2 artanh(s), s up to 0.18 */
    static const double factors[] = {2,        2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9, 2.0 / 11,
                                     2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21};
    uint64_t bits;
    STYLEGAN_MEMCPY(&bits, &x, 8);
    int n = (int)(bits >> 52) - 1023;
    bits = (bits & 0xfffffffffffffu) | (uint64_t)1023 << 52;
    STYLEGAN_MEMCPY(&x, &bits, 8);
    if (x > 1.4142135623730951) {
        x /= 2;
        n++;
    }
    double s = (x - 1) / (x + 1);
    return n * 0.69314718055994530942 + s * sg__polynomial(factors, 11, s * s);
}

static float sg__curve(stylegan_activation activation, float x) {
    double d = (double)x;
    switch (activation) {
    case STYLEGAN_TANH: {
        double e = sg__exp(d < 0 ? 2 * d : -2 * d), t = (1 - e) / (1 + e);
        return (float)(d < 0 ? -t : t);
    }
    case STYLEGAN_SIGMOID:
        return (float)(1 / (1 + sg__exp(-d)));
    case STYLEGAN_ELU:
        return d > 0 ? x : (float)(sg__exp(d) - 1);
    case STYLEGAN_SELU:
        return (float)(1.0507009873554804934 * (d > 0 ? d : 1.6732632423543772848 * (sg__exp(d) - 1)));
    case STYLEGAN_SOFTPLUS:
        return d > 30 ? x : (float)sg__log(1 + sg__exp(d));
    case STYLEGAN_SWISH:
        return (float)(d / (1 + sg__exp(-d)));
    default:
        return x;
    }
}

/* The passes: this file includes itself once per instruction set, with the vector vocabulary defined:
   SG__V the vector, SG__LANES its lanes, SG__P x SG__Q the largest register tile, and the operations. */
#define SG__CONCAT_(a, b) a##_##b
#define SG__CONCAT(a, b) SG__CONCAT_(a, b)
#define SG__FN(name) SG__CONCAT(sg__##name, SG__ISA)

#if defined(__BYTE_ORDER__) && defined(__ORDER_BIG_ENDIAN__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define SG__NO_SIMD /* vector loads read the little-endian weights in place */
#endif
#if (defined(STYLEGAN_NO_SIMD) || defined(__TINYC__)) && !defined(SG__NO_SIMD)
#define SG__NO_SIMD
#endif
#if !defined(SG__NO_SIMD)
#if defined(__x86_64__) || defined(_M_X64) || defined(__i386__) || defined(_M_IX86)
#define SG__X86
#include <immintrin.h>
#if !defined(_MSC_VER) || defined(__clang__)
#include <cpuid.h>
#endif
#if defined(_MSC_VER) && defined(__clang__) /* immintrin.h leaves out what is not enabled for the whole file */
#include <smmintrin.h>
#include <avxintrin.h>
#include <avx2intrin.h>
#include <f16cintrin.h>
#include <fmaintrin.h>
#include <avx512fintrin.h>
#endif
#elif defined(__ARM_NEON) || defined(__ARM_NEON__) || defined(_M_ARM64)
#define SG__NEON
#include <arm_neon.h>
#elif defined(__ARM_FEATURE_MVE) && __ARM_FEATURE_MVE & 2
#define SG__MVE
#include <arm_mve.h>
#elif defined(__wasm_simd128__)
#define SG__WASM
#include <wasm_simd128.h>
#endif
#endif

#if defined(SG__X86) || defined(STYLEGAN_MODEL_AMX)
#define SG__MAX_LANES 16 /* of a vector */
#elif defined(SG__NEON) || defined(SG__MVE) || defined(SG__WASM)
#define SG__MAX_LANES 4
#else
#define SG__MAX_LANES 1
#endif

/* Matrix units: what Linux must be asked for, and compilers of their time. STYLEGAN_MODEL_AMX, for tests: a model of them in
   plain C instead, for any processor. Without Winograd's tiles there are none of theirs. */
#if !SG__WINOGRAD
#define SG__MATRIX_UNITS 0
#elif defined(STYLEGAN_MODEL_AMX)
#define SG__MATRIX_UNITS 1
#elif defined(SG__X86) && !defined(STYLEGAN_NO_AVX512) && !defined(STYLEGAN_NO_AMX) && defined(__x86_64__) && \
    defined(__linux__) &&                                                                                     \
    ((defined(__clang__) && __clang_major__ >= 12) || (!defined(__clang__) && defined(__GNUC__) && __GNUC__ >= 11))
#define SG__MATRIX_UNITS 1
#define SG__AMX
#else
#define SG__MATRIX_UNITS 0
#endif

#if SG__MATRIX_UNITS /* as SG__IF_BATCH */
#define SG__IF_MATRICES(value, without) (value)
#else
#define SG__IF_MATRICES(value, without) (without)
#endif

#define STYLEGAN_KERNEL_PASS
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored \
    "-Wmaybe-uninitialized" /* false alarms: Winograd's arrays of a size known by call only */
#endif

/* Scalar: any processor. */
#define SG__ISA scalar
#define SG__ISA_ENUM STYLEGAN_ISA_SCALAR
#define SG__LANES 1
#define SG__P 4
#define SG__Q 4
#define SG__V float
#define SG__LOAD(p) (*(p))
#define SG__STORE(p, v) (*(p) = (v))
#define SG__SET1(x) (x)
#define SG__ADD(a, b) ((a) + (b))
#define SG__SUB(a, b) ((a) - (b))
#define SG__MUL(a, b) ((a) * (b))
#define SG__FMA(a, b, c) ((a) * (b) + (c))
#define SG__MAX(a, b) ((a) > (b) ? (a) : (b))
#define SG__MIN(a, b) ((a) < (b) ? (a) : (b))
#define SG__LOAD_F32(p) sg__f32(p)
#define SG__LOAD_F16(p) sg__f16(p)
#define SG__STORE_F16(p, v) sg__store_f16(p, v)
#define SG__LOAD_I8(p) ((float)*(const signed char *)(p))
static uint32_t sg__u32(const unsigned char *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static uint64_t sg__u64(const unsigned char *p) {
    return (uint64_t)sg__u32(p) | (uint64_t)sg__u32(p + 4) << 32;
}
static float sg__bits_to_float(uint32_t bits) {
    float x;
    STYLEGAN_MEMCPY(&x, &bits, 4);
    return x;
}
static float sg__f32(const unsigned char *p) {
    return sg__bits_to_float(sg__u32(p));
}
#if defined(__arm__) && defined(__ARM_FP) && __ARM_FP & 2 && defined(__GNUC__)
/* 32-bit Arm converts halves; the compilers' type for them needs a flag. */
static float sg__f16(const unsigned char *p) {
    float x = sg__bits_to_float((uint32_t)p[0] | (uint32_t)p[1] << 8);
    __asm__("vcvtb.f32.f16 %0, %1" : "=t"(x) : "t"(x));
    return x;
}
static void sg__store_f16(unsigned char *p, float x) {
    uint32_t bits;
    __asm__("vcvtb.f16.f32 %0, %1" : "=t"(x) : "t"(x));
    STYLEGAN_MEMCPY(&bits, &x, 4);
    if ((bits & 0x7fff) > 0x7bff) bits = (bits & 0x8000) | 0x7bff;
    p[0] = (unsigned char)bits;
    p[1] = (unsigned char)(bits >> 8);
}
#else
/* Shifts the half's exponent and mantissa into place and corrects the bias with a factor of 2^112: subnormals too. */
static float sg__f16(const unsigned char *p) {
    uint32_t h = (uint32_t)p[0] | (uint32_t)p[1] << 8;
    float magnitude = sg__bits_to_float((h & 0x7fff) << 13) * 5.192296858534828e33f;
    return h & 0x8000 ? -magnitude : magnitude;
}
/* The reverse: the factor 2^-112 makes the exponent the half's, then the mantissa is rounded to nearest, ties to even;
   what is too large becomes the largest. */
static void sg__store_f16(unsigned char *p, float x) {
    uint32_t bits, sign;
    float scaled = x * 1.925929944387236e-34f;
    STYLEGAN_MEMCPY(&bits, &scaled, 4);
    sign = bits >> 16 & 0x8000;
    bits &= 0x7fffffff;
    bits = (bits + 0xfff + (bits >> 13 & 1)) >> 13;
    bits = sign | (bits > 0x7bff ? 0x7bff : bits);
    p[0] = (unsigned char)bits;
    p[1] = (unsigned char)(bits >> 8);
}
#endif
#include STYLEGAN_FILENAME

#ifdef SG__X86
#define SG__ISA sse2
#define SG__ISA_ENUM STYLEGAN_ISA_SSE2
#define SG__LANES 4
#define SG__P 6
#define SG__Q 2
#define SG__V __m128
#define SG__LOAD(p) _mm_loadu_ps(p)
#define SG__STORE(p, v) _mm_storeu_ps(p, v)
#define SG__SET1(x) _mm_set1_ps(x)
#define SG__ADD(a, b) _mm_add_ps(a, b)
#define SG__SUB(a, b) _mm_sub_ps(a, b)
#define SG__MUL(a, b) _mm_mul_ps(a, b)
#define SG__FMA(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
#define SG__MAX(a, b) _mm_max_ps(a, b)
#define SG__MIN(a, b) _mm_min_ps(a, b)
#define SG__LOAD_F32(p) _mm_loadu_ps((const float *)(const void *)(p))
#define SG__LOAD_F16(p) SG__FN(load_f16)(p)
#define SG__STORE_F16(p, v) SG__FN(store_f16)(p, v)
#define SG__LOAD_I8(p) SG__FN(load_i8)(p)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("sse2"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("sse2")
#endif
SG__INLINE __m128 sg__load_f16_sse2(const unsigned char *p) { /* as sg__f16 */
    __m128i h = _mm_unpacklo_epi16(_mm_loadl_epi64((const __m128i *)(const void *)p), _mm_setzero_si128());
    __m128i sign = _mm_slli_epi32(_mm_and_si128(h, _mm_set1_epi32(0x8000)), 16);
    __m128i magnitude = _mm_slli_epi32(_mm_and_si128(h, _mm_set1_epi32(0x7fff)), 13);
    return _mm_or_ps(_mm_mul_ps(_mm_castsi128_ps(magnitude), _mm_set1_ps(5.192296858534828e33f)),
                     _mm_castsi128_ps(sign));
}
SG__INLINE void sg__store_f16_sse2(unsigned char *p, __m128 x) { /* as sg__store_f16 */
    __m128i bits = _mm_castps_si128(_mm_mul_ps(x, _mm_set1_ps(1.925929944387236e-34f)));
    __m128i sign = _mm_slli_epi32(_mm_srai_epi32(bits, 31), 15);
    bits = _mm_and_si128(bits, _mm_set1_epi32(0x7fffffff));
    __m128i odd = _mm_and_si128(_mm_srli_epi32(bits, 13), _mm_set1_epi32(1));
    bits = _mm_srli_epi32(_mm_add_epi32(_mm_add_epi32(bits, _mm_set1_epi32(0xfff)), odd), 13);
    bits = _mm_min_epi16(_mm_packs_epi32(bits, bits), _mm_set1_epi16(0x7bff));
    sign = _mm_packs_epi32(sign, sign); /* its upper half is set, as packing wants it */
    _mm_storel_epi64((__m128i *)(void *)p, _mm_or_si128(bits, sign));
}
SG__INLINE __m128 sg__load_i8_sse2(const unsigned char *p) {
    int bytes;
    STYLEGAN_MEMCPY(&bytes, p, 4);
    __m128i x = _mm_cvtsi32_si128(bytes);
    x = _mm_unpacklo_epi8(x, x);
    return _mm_cvtepi32_ps(_mm_srai_epi32(_mm_unpacklo_epi16(x, x), 24));
}
#include STYLEGAN_FILENAME
#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif

#define SG__ISA avx2
#define SG__ISA_ENUM STYLEGAN_ISA_AVX2
#define SG__LANES 8
#define SG__P 6
#define SG__Q 2
#define SG__V __m256
#define SG__LOAD(p) _mm256_loadu_ps(p)
#define SG__STORE(p, v) _mm256_storeu_ps(p, v)
#define SG__SET1(x) _mm256_set1_ps(x)
#define SG__ADD(a, b) _mm256_add_ps(a, b)
#define SG__SUB(a, b) _mm256_sub_ps(a, b)
#define SG__MUL(a, b) _mm256_mul_ps(a, b)
#define SG__FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define SG__MAX(a, b) _mm256_max_ps(a, b)
#define SG__MIN(a, b) _mm256_min_ps(a, b)
#define SG__LOAD_F32(p) _mm256_loadu_ps((const float *)(const void *)(p))
#define SG__LOAD_F16(p) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define SG__STORE_F16(p, v) _mm_storeu_si128((__m128i *)(void *)(p), _mm256_cvtps_ph(SG__CLAMP_F16(v), 0))
#define SG__LOAD_I8(p) _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(p))))
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#endif
#include STYLEGAN_FILENAME
#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif

#ifndef STYLEGAN_NO_AVX512
#define SG__ISA avx512
#define SG__ISA_ENUM STYLEGAN_ISA_AVX512
#define SG__LANES 16
#define SG__P 12
#define SG__Q 2
#define SG__V __m512
#define SG__LOAD(p) _mm512_loadu_ps(p)
#define SG__STORE(p, v) _mm512_storeu_ps(p, v)
#define SG__SET1(x) _mm512_set1_ps(x)
#define SG__ADD(a, b) _mm512_add_ps(a, b)
#define SG__SUB(a, b) _mm512_sub_ps(a, b)
#define SG__MUL(a, b) _mm512_mul_ps(a, b)
#define SG__FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define SG__MAX(a, b) _mm512_max_ps(a, b)
#define SG__MIN(a, b) _mm512_min_ps(a, b)
#define SG__LOAD_F32(p) _mm512_loadu_ps((const void *)(p))
#define SG__LOAD_F16(p) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)(p)))
#define SG__STORE_F16(p, v) \
    _mm256_storeu_si256((__m256i *)(void *)(p), _mm512_maskz_cvtps_ph(0xFFFF, SG__CLAMP_F16(v), 0))
#define SG__LOAD_I8(p) _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)(p))))
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma,f16c"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx512f,avx2,fma,f16c")
#endif
#include STYLEGAN_FILENAME
#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif
#endif

#ifdef SG__AMX /* AVX-512, and tiles for products: 16 rows of 64 bytes each */
#define SG__ISA amx
#define SG__ISA_ENUM STYLEGAN_ISA_AMX
#define SG__BASE avx512
#define SG__LANES 16
#define SG__P 12
#define SG__Q 2
#define SG__V __m512
#define SG__LOAD(p) _mm512_loadu_ps(p)
#define SG__STORE(p, v) _mm512_storeu_ps(p, v)
#define SG__SET1(x) _mm512_set1_ps(x)
#define SG__SUB(a, b) _mm512_sub_ps(a, b)
#define SG__MUL(a, b) _mm512_mul_ps(a, b)
#define SG__ROUND_BF16(v) SG__FN(round_bf16)(v)
#define SG__STORE_PAIRS(p, a, b)   \
    _mm512_storeu_si512((void *)p, \
                        _mm512_or_si512(_mm512_srli_epi32(_mm512_castps_si512(a), 16), _mm512_castps_si512(b)))
#define SG__STORE_ROUNDED(p, a, b) SG__FN(store_rounded)(p, a, b)
#define SG__TILES_BEGIN SG__FN(configure)();
#define SG__TILES_END _tile_release();
#define SG__TILE_ZERO(t) _tile_zero(t)
#define SG__TILE_LOAD(t, p, stride) _tile_loadd(t, p, stride)
#define SG__TILE_STORE(t, p, stride) _tile_stored(t, p, stride)
#define SG__TILE_MULTIPLY(sum, a, b) _tile_dpbf16ps(sum, a, b)
#define SG__TURN(to, pairs) SG__FN(turn_pairs)(to, pairs)
#define SG__EXPECT_STORE(p) __builtin_prefetch(p, 1)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512bf16,prfchw,amx-tile,amx-bf16"))), \
                             apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512bf16,prfchw,amx-tile,amx-bf16")
#endif
SG__INLINE __m512 sg__round_bf16_amx(__m512 v) { /* to nearest, ties to even */
    __m512i bits = _mm512_castps_si512(v), odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    bits = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    return _mm512_castsi512_ps(_mm512_and_si512(bits, _mm512_set1_epi32((int)0xffff0000)));
}
/* The same of two vectors, as pairs: a in the lower half, b in the upper one, then side by side. */
SG__INLINE void sg__store_rounded_amx(uint16_t *p, __m512 a, __m512 b) {
    const __m512i order = _mm512_or_si512(
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
        _mm512_slli_epi32(_mm512_setr_epi32(16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31), 16));
    _mm512_storeu_si512((void *)p, _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(b, a)));
}
SG__INLINE void
sg__configure_amx(void) { /* palette 1; from byte 16 on bytes of a row, from byte 48 on rows, of 8 tiles */
    static const unsigned char shape[64] = {1, 0,  0, 0,  0, 0,  0, 0,  0, 0,  0,  0,  0,  0,  0,  0,  64, 0, 64,
                                            0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0,  64, 0,  0,  0,  0,  0,  0, 0,
                                            0, 0,  0, 0,  0, 0,  0, 0,  0, 0,  16, 16, 16, 16, 16, 16, 16, 16};
    _tile_loadconfig(shape);
}
#ifdef STYLEGAN_KERNELS
/* Transposes 16 x 16 pairs: of neighbouring rows, then of groups of four. */
SG__INLINE void sg__turn_pairs_amx(uint16_t *to, const uint16_t *pairs) {
    __m512i a[16], b[16];
    SG__UNROLL for (int i = 0; i < 16; i++) a[i] = _mm512_loadu_si512((const void *)(pairs + 32 * i));
    SG__UNROLL for (int i = 0; i < 16; i += 2) {
        b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
        b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
    }
    SG__UNROLL for (int i = 0; i < 16; i += 4) {
        a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
        a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
        a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
        a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
    }
    SG__UNROLL for (int i = 0; i < 4; i++) {
        __m512i even = _mm512_shuffle_i32x4(a[i], a[i + 4], 0x88),
                more_even = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0x88);
        __m512i odd = _mm512_shuffle_i32x4(a[i], a[i + 4], 0xdd),
                more_odd = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0xdd);
        _mm512_storeu_si512((void *)(to + 32 * i), _mm512_shuffle_i32x4(even, more_even, 0x88));
        _mm512_storeu_si512((void *)(to + 32 * (i + 4)), _mm512_shuffle_i32x4(odd, more_odd, 0x88));
        _mm512_storeu_si512((void *)(to + 32 * (i + 8)), _mm512_shuffle_i32x4(even, more_even, 0xdd));
        _mm512_storeu_si512((void *)(to + 32 * (i + 12)), _mm512_shuffle_i32x4(odd, more_odd, 0xdd));
    }
}
#endif
#include STYLEGAN_FILENAME
#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif
#endif
#endif /* SG__X86 */

#ifdef SG__NEON
#define SG__ISA neon
#define SG__ISA_ENUM STYLEGAN_ISA_NEON
#define SG__LANES 4
#define SG__P 8
#define SG__Q 2
#define SG__V float32x4_t
#define SG__LOAD(p) vld1q_f32(p)
#define SG__STORE(p, v) vst1q_f32(p, v)
#define SG__SET1(x) vdupq_n_f32(x)
#define SG__ADD(a, b) vaddq_f32(a, b)
#define SG__SUB(a, b) vsubq_f32(a, b)
#define SG__MUL(a, b) vmulq_f32(a, b)
#if defined(__aarch64__) || defined(_M_ARM64)
#define SG__FMA(a, b, c) vfmaq_f32(c, a, b)
#else
#define SG__FMA(a, b, c) vmlaq_f32(c, a, b)
#endif
#define SG__MAX(a, b) vmaxq_f32(a, b)
#define SG__MIN(a, b) vminq_f32(a, b)
#define SG__LOAD_F32(p) vreinterpretq_f32_u8(vld1q_u8(p))
#define SG__LOAD_F16(p) SG__FN(load_f16)(p)
#define SG__STORE_F16(p, v) SG__FN(store_f16)(p, v)
#define SG__LOAD_I8(p) SG__FN(load_i8)(p)
SG__INLINE float32x4_t sg__load_f16_neon(const unsigned char *p) {
#if defined(__aarch64__) || defined(_M_ARM64)
    return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p)));
#else
    /* 32-bit NEON has no subnormals: those of the half get an exponent by integer and lose it by a subtraction. */
    uint32x4_t h = vmovl_u16(vreinterpret_u16_u8(vld1_u8(p)));
    uint32x4_t sign = vshlq_n_u32(vandq_u32(h, vdupq_n_u32(0x8000)), 16);
    uint32x4_t magnitude = vshlq_n_u32(vandq_u32(h, vdupq_n_u32(0x7fff)), 13), least = vdupq_n_u32(113u << 23);
    uint32x4_t normal = vaddq_u32(magnitude, vdupq_n_u32(112u << 23));
    float32x4_t subnormal = vsubq_f32(vreinterpretq_f32_u32(vaddq_u32(magnitude, least)), vreinterpretq_f32_u32(least));
    uint32x4_t bits = vbslq_u32(vcltq_u32(magnitude, vdupq_n_u32(1u << 23)), vreinterpretq_u32_f32(subnormal), normal);
    return vreinterpretq_f32_u32(vorrq_u32(bits, sign));
#endif
}
SG__INLINE void sg__store_f16_neon(unsigned char *p, float32x4_t x) {
#if defined(__aarch64__) || defined(_M_ARM64)
    vst1_u8(p, vreinterpret_u8_f16(vcvt_f16_f32(SG__CLAMP_F16(x))));
#else
    /* as sg__store_f16; what would be a subnormal half becomes zero */
    uint32x4_t bits = vreinterpretq_u32_f32(vmulq_f32(x, vdupq_n_f32(1.925929944387236e-34f)));
    uint32x4_t sign = vshlq_n_u32(vshrq_n_u32(bits, 31), 15), magnitude = vandq_u32(bits, vdupq_n_u32(0x7fffffff));
    uint32x4_t odd = vandq_u32(vshrq_n_u32(magnitude, 13), vdupq_n_u32(1));
    magnitude = vshrq_n_u32(vaddq_u32(vaddq_u32(magnitude, vdupq_n_u32(0xfff)), odd), 13);
    magnitude = vminq_u32(magnitude, vdupq_n_u32(0x7bff));
    vst1_u8(p, vreinterpret_u8_u16(vmovn_u32(vorrq_u32(magnitude, sign))));
#endif
}
SG__INLINE float32x4_t sg__load_i8_neon(const unsigned char *p) {
    uint32_t bytes;
    STYLEGAN_MEMCPY(&bytes, p, 4);
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(bytes))))));
}
#include STYLEGAN_FILENAME
#endif

#ifdef SG__MVE /* Helium has 8 registers; loads widen and stores narrow in order, and only those of bytes take any address */
#define SG__ISA mve
#define SG__ISA_ENUM STYLEGAN_ISA_MVE
#define SG__LANES 4
#define SG__P 3
#define SG__Q 2
#define SG__V float32x4_t
#define SG__LOAD(p) vldrwq_f32(p)
#define SG__STORE(p, v) vstrwq_f32(p, v)
#define SG__SET1(x) vdupq_n_f32(x)
#define SG__ADD(a, b) vaddq_f32(a, b)
#define SG__SUB(a, b) vsubq_f32(a, b)
#define SG__MUL(a, b) vmulq_f32(a, b)
#define SG__FMA(a, b, c) vfmaq_f32(c, a, b)
#define SG__S float
#define SG__SET_S(x) (x)
#define SG__FMA_S(a, b, c) vfmaq_n_f32(c, b, a)
#define SG__MAX(a, b) vmaxnmq_f32(a, b)
#define SG__MIN(a, b) vminnmq_f32(a, b)
#define SG__LOAD_F32(p) vreinterpretq_f32_u8(vldrbq_u8(p))
#define SG__LOAD_F16(p) SG__FN(load_f16)(p)
#define SG__STORE_F16(p, v) SG__FN(store_f16)(p, v)
#define SG__LOAD_I8(p) vcvtq_f32_s32(vldrbq_s32((const int8_t *)(p)))
/* In the lower half of each lane is what is converted. GNU's assembler (2.40) encodes vcvtb for vectors with twice the
   registers' numbers: right for q0 alone. */
SG__INLINE float32x4_t sg__load_f16_mve(const unsigned char *p) {
    uint32x4_t bytes = vreinterpretq_u32_u16(vldrbq_u16(p)); /* at any address, 16 bits apart */
    register uint32x4_t x __asm__("q0") = vorrq_u32(bytes, vshrq_n_u32(bytes, 8));
    __asm__("vcvtb.f32.f16 q0, q0" : "+w"(x));
    return vreinterpretq_f32_u32(x);
}
SG__INLINE void sg__store_f16_mve(unsigned char *p, float32x4_t v) {
    register uint32x4_t x __asm__("q0") = vreinterpretq_u32_f32(SG__CLAMP_F16(v));
    __asm__("vcvtb.f16.f32 q0, q0" : "+w"(x));
    vstrhq_u32((uint16_t *)(void *)p, x);
}
#include STYLEGAN_FILENAME
#endif

#ifdef SG__WASM
#define SG__ISA wasm
#define SG__ISA_ENUM STYLEGAN_ISA_WASM
#define SG__LANES 4
#define SG__P 6
#define SG__Q 2
#define SG__V v128_t
#define SG__LOAD(p) wasm_v128_load(p)
#define SG__STORE(p, v) wasm_v128_store(p, v)
#define SG__SET1(x) wasm_f32x4_splat(x)
#define SG__ADD(a, b) wasm_f32x4_add(a, b)
#define SG__SUB(a, b) wasm_f32x4_sub(a, b)
#define SG__MUL(a, b) wasm_f32x4_mul(a, b)
#ifdef __wasm_relaxed_simd__ /* -mrelaxed-simd: fused where the processor can */
#define SG__FMA(a, b, c) __builtin_wasm_relaxed_madd_f32x4(a, b, c)
#else
#define SG__FMA(a, b, c) wasm_f32x4_add(wasm_f32x4_mul(a, b), c)
#endif
#define SG__MAX(a, b) wasm_f32x4_pmax(b, a)
#define SG__MIN(a, b) wasm_f32x4_pmin(b, a)
#define SG__LOAD_F32(p) wasm_v128_load(p)
#define SG__LOAD_F16(p) SG__FN(load_f16)(p)
#define SG__STORE_F16(p, v) SG__FN(store_f16)(p, v)
#define SG__LOAD_I8(p) SG__FN(load_i8)(p)
SG__INLINE v128_t sg__load_f16_wasm(const unsigned char *p) { /* as sg__f16 */
    v128_t h = wasm_u32x4_load16x4(p);
    v128_t sign = wasm_i32x4_shl(wasm_v128_and(h, wasm_i32x4_splat(0x8000)), 16);
    v128_t magnitude = wasm_i32x4_shl(wasm_v128_and(h, wasm_i32x4_splat(0x7fff)), 13);
    return wasm_v128_or(wasm_f32x4_mul(magnitude, wasm_f32x4_splat(5.192296858534828e33f)), sign);
}
SG__INLINE void sg__store_f16_wasm(unsigned char *p, v128_t x) { /* as sg__store_f16 */
    v128_t bits = wasm_f32x4_mul(x, wasm_f32x4_splat(1.925929944387236e-34f));
    v128_t sign = wasm_i32x4_shl(wasm_u32x4_shr(bits, 31), 15);
    bits = wasm_v128_and(bits, wasm_i32x4_splat(0x7fffffff));
    v128_t odd = wasm_v128_and(wasm_u32x4_shr(bits, 13), wasm_i32x4_splat(1));
    bits = wasm_u32x4_shr(wasm_i32x4_add(wasm_i32x4_add(bits, wasm_i32x4_splat(0xfff)), odd), 13);
    bits = wasm_v128_or(wasm_u32x4_min(bits, wasm_i32x4_splat(0x7bff)), sign);
    wasm_v128_store64_lane(p, wasm_u16x8_narrow_i32x4(bits, bits), 0);
}
SG__INLINE v128_t sg__load_i8_wasm(const unsigned char *p) {
    return wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(wasm_i16x8_extend_low_i8x16(wasm_v128_load32_zero(p))));
}
#include STYLEGAN_FILENAME
#endif

#if SG__MATRIX_UNITS && defined(STYLEGAN_MODEL_AMX) /* bit for bit what the matrix units compute */
#undef SG__UNROLL
#define SG__UNROLL
#define SG__SMALL 1
#define SG__ISA amx
#define SG__ISA_ENUM STYLEGAN_ISA_AMX
#define SG__LANES 16
#define SG__P 2
#define SG__Q 2
#define SG__V sg__lanes
#define SG__LOAD(p) sg__model_load(p)
#define SG__STORE(p, v) sg__model_store(p, v)
#define SG__SET1(x) sg__model_set1(x)
#define SG__ADD(a, b) sg__model_add(a, b)
#define SG__SUB(a, b) sg__model_sub(a, b)
#define SG__MUL(a, b) sg__model_mul(a, b)
#define SG__FMA(a, b, c) sg__model_fma(a, b, c)
#define SG__MAX(a, b) sg__model_max(a, b)
#define SG__MIN(a, b) sg__model_min(a, b)
#define SG__LOAD_F32(p) sg__model_load_f32(p)
#define SG__LOAD_F16(p) sg__model_load_f16(p)
#define SG__STORE_F16(p, v) sg__model_store_f16(p, v)
#define SG__LOAD_I8(p) sg__model_load_i8(p)
#define SG__ROUND_BF16(v) sg__model_round_bf16(v)
#define SG__STORE_PAIRS(p, a, b) sg__model_store_pairs(p, a, b)
#define SG__STORE_ROUNDED(p, a, b) \
    sg__model_store_pairs(p, sg__model_round_bf16(sg__model_flush(a)), sg__model_round_bf16(sg__model_flush(b)))
#define SG__TILES_BEGIN sg__tile tiles[8];
#define SG__TILES_END
#define SG__TILE_ZERO(t) STYLEGAN_MEMSET(&tiles[t], 0, sizeof tiles[t])
#define SG__TILE_LOAD(t, p, stride) sg__model_tile_load(&tiles[t], p, stride)
#define SG__TILE_STORE(t, p, stride) sg__model_tile_store(&tiles[t], p, stride)
#define SG__TILE_MULTIPLY(sum, a, b) sg__model_tile_multiply(&tiles[sum], &tiles[a], &tiles[b])
#define SG__TURN(to, pairs) sg__model_turn(to, pairs)
#define SG__EXPECT_STORE(p) (void)(p)
typedef struct sg__lanes {
    float x[16];
} sg__lanes;
typedef struct sg__tile {
    uint32_t x[16][16];
} sg__tile;
#define SG__MODEL(name, parameters, value)             \
    SG__INLINE sg__lanes sg__model_##name parameters { \
        sg__lanes v;                                   \
        for (int i = 0; i < 16; i++) v.x[i] = value;   \
        return v;                                      \
    }
SG__MODEL(load, (const float *p), p[i])
SG__MODEL(set1, (float x), x)
SG__MODEL(add, (sg__lanes a, sg__lanes b), a.x[i] + b.x[i])
SG__MODEL(sub, (sg__lanes a, sg__lanes b), a.x[i] - b.x[i])
SG__MODEL(mul, (sg__lanes a, sg__lanes b), a.x[i] * b.x[i])
SG__MODEL(fma, (sg__lanes a, sg__lanes b, sg__lanes c), fmaf(a.x[i], b.x[i], c.x[i]))
SG__MODEL(max, (sg__lanes a, sg__lanes b), a.x[i] > b.x[i] ? a.x[i] : b.x[i])
SG__MODEL(min, (sg__lanes a, sg__lanes b), a.x[i] < b.x[i] ? a.x[i] : b.x[i])
SG__MODEL(load_f32, (const unsigned char *p), sg__f32(p + 4 * i))
SG__MODEL(load_f16, (const unsigned char *p), sg__f16(p + 2 * i))
SG__MODEL(load_i8, (const unsigned char *p), (float)(signed char)p[i])
#undef SG__MODEL
static uint32_t sg__float_to_bits(float x) {
    uint32_t bits;
    STYLEGAN_MEMCPY(&bits, &x, 4);
    return bits;
}
static float sg__flush(float x) { /* what is too small to be normal counts as zero */
    uint32_t bits = sg__float_to_bits(x);
    return bits << 1 < 0x1000000u ? sg__bits_to_float(bits & 0x80000000u) : x;
}
SG__INLINE sg__lanes sg__model_flush(sg__lanes v) {
    for (int i = 0; i < 16; i++) v.x[i] = sg__flush(v.x[i]);
    return v;
}
SG__INLINE void sg__model_store(float *p, sg__lanes v) {
    for (int i = 0; i < 16; i++) p[i] = v.x[i];
}
SG__INLINE void sg__model_store_f16(unsigned char *p, sg__lanes v) {
    for (int i = 0; i < 16; i++) sg__store_f16(p + 2 * i, v.x[i]);
}
SG__INLINE sg__lanes sg__model_round_bf16(sg__lanes v) {
    for (int i = 0; i < 16; i++) {
        uint32_t bits = sg__float_to_bits(v.x[i]);
        v.x[i] = sg__bits_to_float((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u);
    }
    return v;
}
SG__INLINE void sg__model_store_pairs(uint16_t *p, sg__lanes a, sg__lanes b) {
    for (int i = 0; i < 16; i++) {
        p[2 * i] = (uint16_t)(sg__float_to_bits(a.x[i]) >> 16);
        p[2 * i + 1] = (uint16_t)(sg__float_to_bits(b.x[i]) >> 16);
    }
}
SG__INLINE void sg__model_tile_load(sg__tile *t, const void *p, size_t stride) {
    for (size_t i = 0; i < 16; i++) {
        for (size_t k = 0; k < 16; k++) {
            uint16_t pair[2];
            STYLEGAN_MEMCPY(pair, (const unsigned char *)p + i * stride + 4 * k, 4);
            t->x[i][k] = (uint32_t)pair[0] | (uint32_t)pair[1] << 16;
        }
    }
}
SG__INLINE void sg__model_tile_store(const sg__tile *t, float *p, size_t stride) {
    for (size_t i = 0; i < 16; i++) STYLEGAN_MEMCPY((unsigned char *)p + i * stride, t->x[i], 64);
}
#ifdef STYLEGAN_KERNELS
SG__INLINE void sg__model_turn(uint16_t *to, const uint16_t *pairs) {
    for (int i = 0; i < 16 * 16; i++) STYLEGAN_MEMCPY(to + 2 * (i % 16 * 16 + i / 16), pairs + 2 * i, 4);
}
#endif
/* The even and the odd products are summed apart, then added. Products of numbers in 16 bits are exact in 32. */
static void sg__model_tile_multiply(sg__tile *sum, const sg__tile *a, const sg__tile *b) {
    float left[16][32], right[32][16];
    for (int i = 0; i < 16; i++) {
        for (int k = 0; k < 32; k++) {
            left[i][k] = sg__flush(sg__bits_to_float(a->x[i][k / 2] >> 16 * (k % 2) << 16));
            right[k][i] = sg__flush(sg__bits_to_float(b->x[k / 2][i] >> 16 * (k % 2) << 16));
        }
    }
    for (int m = 0; m < 16; m++) {
        float part[2][16] = {{0}};
        for (int k = 0; k < 32; k++) {
            for (int n = 0; n < 16; n++) part[k % 2][n] = sg__flush(left[m][k] * right[k][n] + part[k % 2][n]);
        }
        for (int n = 0; n < 16; n++) {
            float before = sg__flush(sg__bits_to_float(sum->x[m][n]));
            sum->x[m][n] = sg__float_to_bits(sg__flush(before + sg__flush(part[0][n] + part[1][n])));
        }
    }
}
#include STYLEGAN_FILENAME
#endif

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#undef STYLEGAN_KERNEL_PASS

/* >>cpu */

#ifdef SG__X86
static void sg__cpuid(uint32_t leaf, uint32_t part, uint32_t r[4]) {
#if defined(_MSC_VER) && !defined(__clang__)
    __cpuidex((int *)r, (int)leaf, (int)part);
#else
    __cpuid_count(leaf, part, r[0], r[1], r[2], r[3]);
#endif
}

/* The register states that the operating system saves (XCR0). */
static uint64_t sg__xgetbv(void) {
#if defined(_MSC_VER) && !defined(__clang__)
    return _xgetbv(0);
#else
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
#endif
}
#endif

#ifdef SG__AMX
/* Tiles are 8 KB that Linux saves for processes that have asked for it. arch_prctl: whether it can (ARCH_GET_XCOMP_SUPP); and
   the request (ARCH_REQ_XCOMP_PERM, XTILEDATA), which a thread with a small alternate signal stack is refused. */
static long sg__arch_prctl(long code, uintptr_t argument) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(158L), "D"(code), "S"(argument) : "rcx", "r11", "memory");
    return result;
}

static int sg__saves_tiles(void) {
    uint64_t states = 0;
    return sg__arch_prctl(0x1021, (uintptr_t)&states) == 0 && (states >> 18 & 1);
}
#endif

static int sg__cpu_has(stylegan_isa isa) {
#ifdef SG__X86
    uint32_t r[4], leaf1_ecx, leaf1_edx, leaf7_ebx = 0, leaf7_edx = 0;
    uint64_t saved = 0;
    sg__cpuid(0, 0, r);
    uint32_t leaves = r[0];
    sg__cpuid(1, 0, r);
    leaf1_ecx = r[2];
    leaf1_edx = r[3];
    if (leaves >= 7) {
        sg__cpuid(7, 0, r);
        leaf7_ebx = r[1];
        leaf7_edx = r[3];
    }
    if (leaf1_ecx & 1u << 27) saved = sg__xgetbv(); /* OSXSAVE */
    int avx2 = (saved & 0x6) == 0x6 && (leaf7_ebx & 1u << 5) && (leaf1_ecx & 1u << 12) /* FMA */ &&
               (leaf1_ecx & 1u << 29) /* F16C */;
    if (isa == STYLEGAN_ISA_SSE2) return (leaf1_edx & 1u << 26) != 0;
    if (isa == STYLEGAN_ISA_AVX2) return avx2;
    int avx512 = avx2 && (saved & 0xe6) == 0xe6 && (leaf7_ebx & 1u << 16) != 0;
    if (isa == STYLEGAN_ISA_AVX512) return avx512;
#ifdef SG__AMX
    if (isa == STYLEGAN_ISA_AMX) {
        if (leaves >= 7) sg__cpuid(7, 1, r);
        return avx512 && (leaf7_ebx & 1u << 30) /* BW */ && (leaves >= 7 && r[0] & 1u << 5) /* AVX512_BF16 */ &&
               (saved & 0x60000) == 0x60000 && (leaf7_edx & 1u << 22) && (leaf7_edx & 1u << 24) && sg__saves_tiles();
    }
#else
    (void)leaf7_edx;
#endif
#endif
    (void)isa;
    return 1;
}

/* Every instruction set compiled in, the fastest first. */
static const sg__kernels *const sg__all_kernels[] = {
#if SG__MATRIX_UNITS
    &sg__kernels_amx,
#endif
#ifdef SG__X86
#ifndef STYLEGAN_NO_AVX512
    &sg__kernels_avx512,
#endif
    &sg__kernels_avx2,   &sg__kernels_sse2,
#endif
#ifdef SG__NEON
    &sg__kernels_neon,
#endif
#ifdef SG__MVE
    &sg__kernels_mve,
#endif
#ifdef SG__WASM
    &sg__kernels_wasm,
#endif
#if !defined(SG__MVE) || defined(STYLEGAN_KERNELS) /* a board that has Helium has no flash to give away */
    &sg__kernels_scalar,
#endif
};

#ifdef STYLEGAN_KERNELS
STYLEGAN_API
#else
static
#endif
const sg__kernels *sg__find_kernels(stylegan_isa isa) {
    for (size_t i = 0; i < sizeof sg__all_kernels / sizeof *sg__all_kernels; i++) {
        const sg__kernels *k = sg__all_kernels[i];
        if ((isa != STYLEGAN_ISA_AUTO && isa != k->isa) || !sg__cpu_has(k->isa)) continue;
#ifdef SG__AMX
        if (k->isa == STYLEGAN_ISA_AMX && sg__arch_prctl(0x1023, 18)) continue;
#endif
        return k;
    }
    return NULL;
}

STYLEGAN_API const char *stylegan_isa_name(stylegan_isa isa) {
#define SG__TEXT(name, text) text,
    static const char *const texts[] = {STYLEGAN_ISAS(SG__TEXT)};
#undef SG__TEXT
    return (size_t)isa < STYLEGAN_ISA_COUNT ? texts[isa] : "unknown";
}

STYLEGAN_API int stylegan_isa_available(stylegan_isa isa) {
    int found = 0;
    for (size_t i = 0; i < sizeof sg__all_kernels / sizeof *sg__all_kernels; i++) {
        stylegan_isa has = sg__all_kernels[i]->isa;
        found |= (isa == STYLEGAN_ISA_AUTO || isa == has) && sg__cpu_has(has);
    }
    return found;
}

/* >>threads

   A job is a number of items that do not depend on each other. Parts, one per thread, take the next item until none is
   left; which part computes an item changes nothing in its result. */

typedef void sg__item_fn(void *context, int item, int part);

typedef struct sg__job {
    sg__item_fn *run;
    void *context;
    int count, parts, next;
} sg__job;

static void sg__job_part(void *context, int part) {
    sg__job *job = (sg__job *)context;
#ifdef SG__FETCH_INCREMENT
    for (int i; (i = SG__FETCH_INCREMENT(&job->next)) < job->count;) job->run(job->context, i, part);
#else
    for (int i = part; i < job->count; i += job->parts) job->run(job->context, i, part);
#endif
}

#ifdef SG__NO_THREADS
typedef struct sg__lock {
    int unused;
} sg__lock;
#define SG__LOCK_INIT(l) ((void)(l))
#define SG__LOCK_FREE(l) ((void)(l))
#define SG__LOCK(l) ((void)(l))
#define SG__UNLOCK(l) ((void)(l))
#else

#ifdef _WIN32
typedef SRWLOCK sg__lock;
typedef CONDITION_VARIABLE sg__condition;
typedef HANDLE sg__thread;
#define SG__LOCK_INIT(l) InitializeSRWLock(l)
#define SG__LOCK_FREE(l) ((void)(l))
#define SG__LOCK(l) AcquireSRWLockExclusive(l)
#define SG__TRY_LOCK(l) (TryAcquireSRWLockExclusive(l) != 0)
#define SG__UNLOCK(l) ReleaseSRWLockExclusive(l)
#define SG__CONDITION_INIT(c) InitializeConditionVariable(c)
#define SG__CONDITION_FREE(c) ((void)(c))
#define SG__WAIT(c, l) SleepConditionVariableSRW(c, l, INFINITE, 0)
#define SG__WAKE(c) WakeAllConditionVariable(c)
#define SG__THREAD_RESULT DWORD WINAPI
#define SG__THREAD_START(t, f, a) ((*(t) = CreateThread(NULL, 0, f, a, 0, NULL)) != NULL)
#define SG__THREAD_JOIN(t) (WaitForSingleObject(t, INFINITE), CloseHandle(t))
#else
typedef pthread_mutex_t sg__lock;
typedef pthread_cond_t sg__condition;
typedef pthread_t sg__thread;
#define SG__LOCK_INIT(l) pthread_mutex_init(l, NULL)
#define SG__LOCK_FREE(l) pthread_mutex_destroy(l)
#define SG__LOCK(l) pthread_mutex_lock(l)
#define SG__TRY_LOCK(l) (pthread_mutex_trylock(l) == 0)
#define SG__UNLOCK(l) pthread_mutex_unlock(l)
#define SG__CONDITION_INIT(c) pthread_cond_init(c, NULL)
#define SG__CONDITION_FREE(c) pthread_cond_destroy(c)
#define SG__WAIT(c, l) pthread_cond_wait(c, l)
#define SG__WAKE(c) pthread_cond_broadcast(c)
#define SG__THREAD_RESULT void *
#ifdef SIG_SETMASK
/* Signals are the program's to take, in threads of its own; a fault is taken where it happens. */
static int sg__thread_start(pthread_t *thread, void *(*run)(void *), void *argument) {
    static const int faults[] = {SIGBUS, SIGFPE, SIGILL, SIGSEGV};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    int result = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result == 0;
}
#define SG__THREAD_START(t, f, a) sg__thread_start(t, f, a)
#else
#define SG__THREAD_START(t, f, a) (pthread_create(t, NULL, f, a) == 0)
#endif
#define SG__THREAD_JOIN(t) pthread_join(t, NULL)
#endif

#ifdef SG__X86
#define SG__PAUSE() _mm_pause()
#else
#define SG__PAUSE() ((void)0)
#endif

static int sg__processors(void) {
#ifdef _WIN32
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    long count = (long)info.dwNumberOfProcessors;
#else
    long count = sysconf(_SC_NPROCESSORS_ONLN);
#endif
    return count < 1 ? 1 : count > SG__MAX_THREADS ? SG__MAX_THREADS : (int)count;
}

/* Threads that look out for the next job for a moment, since it is microseconds away while an image is computed, and
   then sleep. A job does not wait for threads that wake up too late: whoever is there takes its parts. */
typedef struct sg__pool {
    sg__lock busy; /* held while a job runs; a second caller runs its job alone */
    sg__lock lock; /* guards what follows */
    sg__condition start, done;
    stylegan_task_fn *task;
    void *context;
    int parts, taken; /* of the job */
    int generation;   /* number of the job */
    int working;      /* threads at it, but for the caller */
    int stop;
    int patience; /* looks before sleeping; 0 if there are not enough processors */
    int count;
    sg__thread threads[SG__MAX_THREADS];
} sg__pool;

/* Runs parts of the job until all are taken; the lock is held before and after. */
static void sg__take_parts(sg__pool *pool) {
    while (pool->taken < pool->parts) {
        int part = pool->taken++;
        SG__UNLOCK(&pool->lock);
        pool->task(pool->context, part);
        SG__LOCK(&pool->lock);
    }
}

static SG__THREAD_RESULT sg__thread_main(void *argument) {
    sg__pool *pool = (sg__pool *)argument;
    for (int seen = 0;;) {
        for (int i = 0; i < pool->patience && SG__PEEK(&pool->generation) == seen; i++) SG__PAUSE();
        SG__LOCK(&pool->lock);
        while (!pool->stop && pool->generation == seen) SG__WAIT(&pool->start, &pool->lock);
        if (pool->stop) break;
        seen = pool->generation;
        if (pool->taken < pool->parts) {
            SG__POKE(&pool->working, pool->working + 1);
            sg__take_parts(pool);
            SG__POKE(&pool->working, pool->working - 1);
            if (pool->working == 0) SG__WAKE(&pool->done);
        }
        SG__UNLOCK(&pool->lock);
    }
    SG__UNLOCK(&pool->lock);
    return 0;
}

static void sg__pool_start(sg__pool *pool, int threads) {
    SG__LOCK_INIT(&pool->busy);
    SG__LOCK_INIT(&pool->lock);
    SG__CONDITION_INIT(&pool->start);
    SG__CONDITION_INIT(&pool->done);
#ifdef SG__FETCH_INCREMENT
    if (threads <= sg__processors()) pool->patience = 2000;
#endif
    for (int i = 0; i < threads - 1; i++) {
        if (!SG__THREAD_START(&pool->threads[i], sg__thread_main, pool)) break; /* fewer threads do as well */
        pool->count++;
    }
}

static void sg__pool_stop(sg__pool *pool) {
    SG__LOCK(&pool->lock);
    pool->stop = 1;
    SG__WAKE(&pool->start);
    SG__UNLOCK(&pool->lock);
    for (int i = 0; i < pool->count; i++) SG__THREAD_JOIN(pool->threads[i]);
    SG__CONDITION_FREE(&pool->start);
    SG__CONDITION_FREE(&pool->done);
    SG__LOCK_FREE(&pool->lock);
    SG__LOCK_FREE(&pool->busy);
}

static void sg__pool_run(void *user, int parts, stylegan_task_fn *task, void *context) {
    sg__pool *pool = (sg__pool *)user;
    if (!SG__TRY_LOCK(&pool->busy)) {
        for (int part = 0; part < parts; part++) task(context, part);
        return;
    }
    SG__LOCK(&pool->lock);
    pool->task = task;
    pool->context = context;
    pool->parts = parts;
    pool->taken = 0;
    SG__POKE(&pool->generation, (int)((unsigned)pool->generation + 1));
    SG__WAKE(&pool->start);
    sg__take_parts(pool);
    SG__UNLOCK(&pool->lock);
    for (int i = 0; i < pool->patience && SG__PEEK(&pool->working); i++) SG__PAUSE();
    SG__LOCK(&pool->lock);
    while (pool->working) SG__WAIT(&pool->done, &pool->lock);
    SG__UNLOCK(&pool->lock);
    SG__UNLOCK(&pool->busy);
}
#endif /* SG__NO_THREADS */

/* >>random */

/* Two uniform numbers in (-1, 1) to two normals by Marsaglia's polar method; 0 if they must be drawn again. */
static int sg__polar(double x, double y, double *first, double *second) {
    double square = x * x + y * y;
    if (square >= 1 || square == 0) return 0;
    double factor = STYLEGAN_SQRT(-2 * sg__log(square) / square);
    *first = factor * y;
    *second = factor * x;
    return 1;
}

/* The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998) as NumPy seeds and reads it. */
typedef struct sg__twister {
    uint32_t state[624];
    int at;
} sg__twister;

static uint32_t sg__twister_next(sg__twister *t) {
    if (t->at == 624) {
        for (int i = 0; i < 624; i++) {
            uint32_t y = (t->state[i] & 0x80000000u) | (t->state[(i + 1) % 624] & 0x7fffffffu);
            t->state[i] = t->state[(i + 397) % 624] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
        }
        t->at = 0;
    }
    uint32_t y = t->state[t->at++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

static double sg__twister_uniform(sg__twister *t) { /* in [-1, 1) with 53 bits */
    uint32_t high = sg__twister_next(t) >> 5, low = sg__twister_next(t) >> 6;
    return 2 * ((high * 67108864.0 + low) / 9007199254740992.0) - 1;
}

static void sg__twister_start(sg__twister *t, uint32_t seed) {
    for (int i = 0; i < 624; i++) {
        t->state[i] = seed;
        seed = 1812433253u * (seed ^ seed >> 30) + (uint32_t)i + 1;
    }
    t->at = 624;
}

/* Holds 2.5 KB on the stack, which must not become part of the caller's. */
SG__APART STYLEGAN_API void stylegan_seed_z(uint32_t seed, float *z, int count) {
    sg__twister twister;
    sg__twister_start(&twister, seed);
    for (int i = 0; i < count; i += 2) {
        double x, y, first, second;
        do {
            x = sg__twister_uniform(&twister);
            y = sg__twister_uniform(&twister);
        } while (!sg__polar(x, y, &first, &second));
        z[i] = (float)first;
        if (i + 1 < count) z[i + 1] = (float)second;
    }
}

/* sin(2 pi turns) to 10^-11, for up to 10^5 turns; 0 beyond 10^9. A polynomial, so that boards need no sine. */
static double sg__sine(double turns) {
    if (!(turns > -1e9 && turns < 1e9)) return 0;
    double x = turns - (int32_t)turns; /* into (-1, 1), then around the nearest zero, which half turns negate */
    int halves = (int)(2 * x + (x < 0 ? -0.5 : 0.5));
    x -= halves / 2.0;
    static const double factors[] = {6.28318530717958648,  -41.3417022403997600, 81.6052492760750380,
                                     -76.7058597530614000, 42.0586939448620400,  -15.0946425768229700,
                                     3.81995258484829000,  -0.71812230177850};
    double wave = x * sg__polynomial(factors, 8, x * x);
    return halves % 2 ? -wave : wave;
}

SG__APART static uint64_t sg__mix(uint64_t x) { /* SplitMix64 (Steele, Lea and Flood, 2014) */
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Counter-based: elements 2k and 2k + 1 are the polar pair of the first accepted attempt a = 0, 1, ... whose uniform
   numbers are the halves of mix(mix(mix(seed) + layer) + 64 k + a). */
STYLEGAN_API void stylegan_random_normal(uint64_t seed, uint32_t layer, uint64_t first, float *values, int count) {
    uint64_t key = sg__mix(sg__mix(seed) + layer);
    for (int i = 0; i < count;) {
        uint64_t pair = (first + (uint64_t)i) / 2, attempt = 64 * pair, bits;
        double normal[2];
        do bits = sg__mix(key + attempt++);
        while (!sg__polar(((double)(uint32_t)(bits >> 32) + 0.5) / 2147483648.0 - 1,
                          ((double)(uint32_t)bits + 0.5) / 2147483648.0 - 1, &normal[0], &normal[1]));
        int odd = (int)((first + (uint64_t)i) & 1);
        values[i++] = (float)normal[odd];
        if (!odd && i < count) values[i++] = (float)normal[1];
    }
}

/* >>reader

   Turns the bytes of a weight file into validated views. Nothing in the file is believed before it is checked. */

typedef struct sg__head {
    uint64_t file_size;
    uint32_t head_size, config_count, tensor_count, text_size;
    uint32_t directory, text; /* offsets */
} sg__head;

static uint32_t sg__round_up(uint32_t n, uint32_t to) {
    return (n + to - 1) / to * to;
}

/* Continues a checksum (see >>weight-file; it begins with 1) over whole 32-bit words. */
static uint64_t sg__checksum(uint64_t sum, const unsigned char *data, size_t size) {
    uint32_t a = (uint32_t)sum, b = (uint32_t)(sum >> 32);
    for (size_t i = 0; i + 4 <= size; i += 4) {
        a += sg__u32(data + i);
        b += a;
    }
    return (uint64_t)b << 32 | a;
}

static const unsigned char sg__magic[8] = {0x89, 'S', 'G', 'W', '\r', '\n', 0x1a, '\n'};

/* Parses the prologue, the file's first 64 bytes. */
static stylegan_result sg__read_prologue(const unsigned char *data, size_t size, sg__head *head,
                                         stylegan_error *error) {
    if (size < SG__HEAD_SIZE) {
        return sg__fail(error, STYLEGAN_ERROR_FORMAT, "not a weight file: %u bytes, shorter than its head",
                        (uint64_t)size);
    }
    for (int i = 0; i < 8; i++) {
        if (data[i] != sg__magic[i])
            return sg__fail(error, STYLEGAN_ERROR_FORMAT, "not a weight file: wrong magic at byte %u", (uint64_t)i);
    }
    if (sg__u32(data + 8) != SG__VERSION) {
        return sg__fail(error, STYLEGAN_ERROR_UNSUPPORTED, "weight file version %u, expected %u",
                        (uint64_t)sg__u32(data + 8), (uint64_t)SG__VERSION);
    }
    head->head_size = sg__u32(data + 12);
    head->file_size = sg__u64(data + 16);
    head->config_count = sg__u32(data + 40);
    head->tensor_count = sg__u32(data + 44);
    head->text_size = sg__u32(data + 48);
    if (head->config_count > SG__MAX_FIELDS || head->tensor_count > 65536 || head->text_size > 1u << 20) {
        return sg__fail(error, STYLEGAN_ERROR_FORMAT, "damaged head: %u fields, %u tensors, %u bytes of text",
                        (uint64_t)head->config_count, (uint64_t)head->tensor_count, (uint64_t)head->text_size);
    }
    head->directory = SG__HEAD_SIZE + sg__round_up(4 * head->config_count, SG__ALIGN);
    head->text = head->directory + SG__ENTRY_SIZE * head->tensor_count;
    if (head->head_size != sg__round_up(head->text + head->text_size, SG__ALIGN) || head->file_size < head->head_size ||
        head->file_size % 4 != 0) {
        return sg__fail(error, STYLEGAN_ERROR_FORMAT,
                        "damaged head: head size %u and file size %u do not fit its contents",
                        (uint64_t)head->head_size, head->file_size);
    }
    return STYLEGAN_OK;
}

/* Parses and verifies the whole head. */
static stylegan_result sg__read_head(const unsigned char *data, size_t size, sg__head *head, stylegan_error *error) {
    stylegan_result result = sg__read_prologue(data, size, head, error);
    if (result) return result;
    if (size < head->head_size) {
        return sg__fail(error, STYLEGAN_ERROR_FORMAT, "truncated: %u bytes, its head alone has %u", (uint64_t)size,
                        (uint64_t)head->head_size);
    }
    uint64_t sum = sg__checksum(sg__checksum(1, data, 24), data + 32, head->head_size - 32);
    if (sum != sg__u64(data + 24))
        return sg__fail(error, STYLEGAN_ERROR_CHECKSUM, "damaged: the checksum of its head is wrong");
    return STYLEGAN_OK;
}

static void sg__read_config(const unsigned char *data, const sg__head *head, stylegan_config *config) {
    STYLEGAN_MEMSET(config, 0, sizeof *config);
    unsigned char *field = (unsigned char *)config; /* every field has 4 bytes */
    for (size_t i = 0; i < head->config_count && i < SG__CONFIG_FIELDS; i++, field += 4) {
        uint32_t bits = sg__u32(data + SG__HEAD_SIZE + 4 * i);
        STYLEGAN_MEMCPY(field, &bits, 4);
    }
    config->resolution = config->height > config->width ? config->height : config->width;
}

/* Parses a directory entry and checks that the tensor lies inside the file. */
static stylegan_result sg__read_entry(const unsigned char *data, const sg__head *head, uint32_t index,
                                      stylegan_tensor *tensor, stylegan_error *error) {
    const unsigned char *entry = data + head->directory + SG__ENTRY_SIZE * index;
    STYLEGAN_MEMCPY(tensor->name, entry, 32);
    if (tensor->name[31] || !tensor->name[0])
        return sg__fail(error, STYLEGAN_ERROR_FORMAT, "tensor %u: bad name", (uint64_t)index);
    uint32_t type = sg__u32(entry + 32), dimensions = sg__u32(entry + 36);
    if (type >= STYLEGAN_TYPE_COUNT) {
        return sg__fail(error, STYLEGAN_ERROR_UNSUPPORTED, "tensor %s: unknown type %u", tensor->name, (uint64_t)type);
    }
    if (dimensions < 1 || dimensions > 4) {
        return sg__fail(error, STYLEGAN_ERROR_FORMAT, "tensor %s: %u dimensions, expected 1 to 4", tensor->name,
                        (uint64_t)dimensions);
    }
    tensor->type = (stylegan_type)type;
    tensor->dimensions = (int)dimensions;
    uint64_t count = 1;
    float most = 1e12f; /* and no division of 64 bits, which takes a small processor a library */
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t n = sg__u32(entry + 40 + 4 * i);
        if (n < 1 || n > 0x7fffffff || (i >= dimensions && n != 1) || (most /= (float)n) < 1) {
            return sg__fail(error, STYLEGAN_ERROR_FORMAT, "tensor %s: bad shape, dimension %u is %u", tensor->name,
                            (uint64_t)i, (uint64_t)n);
        }
        tensor->shape[i] = (int32_t)n;
        count *= n;
    }
    uint64_t columns = (uint64_t)tensor->shape[dimensions - 1];
    tensor->bytes = type == STYLEGAN_F32 ? 4 * count : type == STYLEGAN_F16 ? 2 * count : 4 * columns + count;
    uint64_t offset = sg__u64(entry + 56);
    if (offset % SG__ALIGN || offset < head->head_size || offset > head->file_size ||
        tensor->bytes > head->file_size - offset) {
        return sg__fail(error, STYLEGAN_ERROR_FORMAT, "tensor %s: %u bytes at offset %u do not fit the file's %u bytes",
                        tensor->name, tensor->bytes, offset, head->file_size);
    }
    tensor->data = data + offset;
    return STYLEGAN_OK;
}

/* >>networks

   What is computed: the network as a table of steps in the order of computation, each with its tensors, found by name
   and checked against the configuration. One function for each family lists them as its paper does; nothing below asks
   for the family again. */

typedef enum sg__op {
    SG__CONSTANT, /* the learned constant */
    SG__DENSE,    /* or in its place a fully connected layer of w */
    SG__CONV,     /* a convolution of stride 1 */
    SG__SCATTER,  /* a transposed convolution of stride 2: pixel i adds w[k] * x[i] to position 2 i + k of t */
    SG__FILTER,   /* the low-pass filter of what SCATTER left */
    SG__NORM,     /* normalisation and style (AdaIN), in place */
    SG__IMAGE,    /* ToRGB, with the image below it */
    SG__FOURIER,  /* sine waves over the plane */
    SG__FILTERED  /* an activation between an up- and a down-sampling */
} sg__op;

/* A low-pass filter with the gain of its up-sampling; a separable one also as two factors. */
typedef struct sg__filter {
    int height, width, separable;
    float taps[SG__MAX_FIR * SG__MAX_FIR], column[SG__MAX_FIR], row[SG__MAX_FIR];
} sg__filter;

/* FILTERED: the up-sampled map's row y sums up_filter[k] * x[y + k - pad_row], and so on; x has zeros between rows. */
typedef struct sg__resampling {
    int up, down;
    int up_taps, down_taps;
    int radial; /* the down-sampling has a filter [taps][taps] ... */
    int folded; /* ... whose lower half mirrors the upper one */
    sg__tensor up_filter, down_filter;
} sg__resampling;

/* FOURIER: the weight holds the frequencies. */
typedef struct sg__waves {
    sg__tensor phases, transform;
    float rate, bandwidth;
} sg__waves;

typedef struct sg__step {
    sg__op op;
    char name[32];                       /* of the layer, and of its tensors in the weight file */
    int number;                          /* in the table */
    int layer;                           /* its number for the caller; -1: unlisted */
    int half;                            /* the caller sees it and the step behind it as one */
    const struct sg__step *input, *side; /* the steps whose maps it reads or NULL; CONV and IMAGE add the side's */
    int in, channels, height, width;     /* channels of its input; its output */
    int border;                          /* pixels of zeros on both sides of a row of its output */

    sg__tensor weight;   /* [kernel][kernel][in][channels] (IMAGE: 1x1; CONSTANT: [H][W][C]; DENSE: [D][C H W]) */
    int kernel, nearest; /* nearest: SCATTER doubles every pixel and convolves then */
    int low;             /* SCATTER: t is zero in rows and columns before this one */
    int pad;             /* CONV: zeros before the first row and column of its input */
    sg__tensor affine_weight, affine_bias; /* w to style, if affine_weight.data */
    int ws, demodulate;                    /* ws: index of its w, -1: none */
    float weight_gain;                     /* of demodulated weights */
    size_t style;                          /* of its style among all styles, a whole number of panels wide */

    sg__resampling resampling;
    sg__waves waves;
    const sg__filter *filter; /* FILTER, IMAGE: output row y sums filter[k] * t[y + k - pad_row] */
    int pad_row, pad_column;
    int pixel_norm, instance_norm; /* NORM */
    sg__tensor bias, noise, strength;
    uint32_t stream; /* of the random noise */
    stylegan_activation activation;
    float gain, clamp;
    float blend; /* IMAGE: share of the image below, up-sampled to the nearest neighbour; 0: it is added, filtered */
    int repeat;  /* the last IMAGE: every pixel is drawn 2^repeat times along both axes */
} sg__step;

/* A fully connected layer of the mapping. */
typedef struct sg__layer {
    sg__tensor weight, bias; /* [in][out] */
    int in, out;
} sg__layer;

/* The workspace of calls that bring none, made by the first of them; behind it lie z [z_dim] and ws [L][D] of
   stylegan_generate. */
typedef struct sg__shared {
    void *workspace;
    sg__lock lock; /* held by the call that works in it */
} sg__shared;

typedef struct sg__map sg__map;
typedef struct sg__plan sg__plan;
typedef struct sg__sizes sg__sizes;
typedef struct sg__budget sg__budget;

struct stylegan_model {
    stylegan_config config;
    sg__head head;
    const unsigned char *data;
    uint64_t parameters;
    const sg__kernels *kernels;
    stylegan_precision precision;

    sg__tensor embed_weight, embed_bias, w_avg;
    sg__layer *mapping; /* [mapping_layers] */
    sg__filter filter, image_filter;
    sg__step *steps; /* [step_count] */
    int step_count, layer_count;
    size_t style_floats;

    sg__plan *plans; /* [step_count] */
    sg__map *maps;   /* [step_count], without data */
    sg__sizes *sizes;
    const sg__budget *budget;
    unsigned dead_buffers; /* bit mask of the buffers that are free once the first window is computed */
    int crowded;           /* there are too few buffers */
    int batch;             /* images drawn together, at most */
    int together;          /* steps that are computed for all of them before the others, see sg__count_together */
    int image_buffers;     /* buffers that each of them has for itself: the first ones */

    int parts;
    stylegan_parallel_fn *parallel;
    void *parallel_user;
    void *(*allocate)(void *user, size_t size);
    void (*release)(void *user, void *memory);
    void *allocator_user;
    void *owned;        /* what opening allocated */
    sg__shared *shared; /* all that calls may change */
#ifndef SG__NO_THREADS
    sg__pool pool;
#endif
};

/* A model's kernels, which the compiler knows if there is one instruction set only and nobody exchanges them. */
static const sg__kernels *sg__kernels_of(const stylegan_model *m) {
#if SG__MAX_LANES == 1 && !defined(STYLEGAN_KERNELS)
    (void)m;
    return &sg__kernels_scalar;
#else
    return m->kernels;
#endif
}

/* --- Finding tensors by name --- */

typedef struct sg__builder {
    stylegan_model *model;
    unsigned char *used; /* [tensor_count] */
    stylegan_error *error;
    stylegan_result result; /* the first failure; what follows it does nothing */
    int height, width;      /* of the block being listed */
    int ws;                 /* the next layer's w */
} sg__builder;

static int sg__same(const char *a, const char *b) {
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* "b8" + ".conv0"; number -1: none */
static void sg__name(char name[32], const char *prefix, int number, const char *suffix) {
    size_t at = 0;
    char digits[12];
    int count = 0;
    while (*prefix) at = sg__put(name, at, 32, *prefix++);
    if (number >= 0) {
        do digits[count++] = (char)('0' + number % 10);
        while (number /= 10);
        while (count) at = sg__put(name, at, 32, digits[--count]);
    }
    while (*suffix) at = sg__put(name, at, 32, *suffix++);
    name[at] = 0;
}

enum { SG__OPTIONAL, SG__REQUIRED };

/* Looks up tensor `name` + `suffix`. Returns 0 if it is absent. */
static int sg__find(sg__builder *b, const char *name, const char *suffix, stylegan_tensor *tensor) {
    char whole[32];
    const sg__head *head = &b->model->head;
    sg__name(whole, name, -1, suffix);
    for (uint32_t i = 0; i < head->tensor_count && !b->result; i++) {
        b->result = sg__read_entry(b->model->data, head, i, tensor, b->error);
        if (b->result || !sg__same(tensor->name, whole)) continue;
        b->used[i] = 1;
        return 1;
    }
    return 0;
}

/* Looks up tensor `name` + `suffix` and checks its shape; 0 in the expected shape stands for any size up to
   SG__MAX_WIDTH and is replaced by the one found. Absent tensors have data NULL. */
static void sg__take(sg__builder *b, sg__tensor *out, int required, const char *name, const char *suffix,
                     int dimensions, int shape[4]) {
    stylegan_tensor tensor;
    int fits = sg__find(b, name, suffix, &tensor);
    if (b->result) return;
    if (!fits) {
        if (required) b->result = sg__fail(b->error, STYLEGAN_ERROR_FORMAT, "tensor %s%s is missing", name, suffix);
        return;
    }
    fits = tensor.dimensions == dimensions;
    for (int d = 0; d < 4; d++) {
        if (d >= dimensions) shape[d] = 1;
        if (!shape[d] && tensor.shape[d] <= SG__MAX_WIDTH) shape[d] = tensor.shape[d];
        fits &= tensor.shape[d] == shape[d];
    }
    if (!fits) {
        b->result = sg__fail(b->error, STYLEGAN_ERROR_FORMAT, "tensor %s: shape %ux%ux%ux%u, expected %ux%ux%ux%u",
                             tensor.name, (uint64_t)tensor.shape[0], (uint64_t)tensor.shape[1],
                             (uint64_t)tensor.shape[2], (uint64_t)tensor.shape[3], (uint64_t)shape[0],
                             (uint64_t)shape[1], (uint64_t)shape[2], (uint64_t)shape[3]);
        return;
    }
    out->type = tensor.type;
    out->columns = tensor.shape[dimensions - 1];
    out->scales = tensor.data;
    out->data = tensor.data + (tensor.type == STYLEGAN_I8 ? 4 * (size_t)out->columns : 0);
}

static void sg__take_vector(sg__builder *b, sg__tensor *out, int required, const char *name, const char *suffix,
                            int size) {
    int shape[4] = {size, 0, 0, 0};
    sg__take(b, out, required, name, suffix, 1, shape);
}

/* columns 0: as found */
static void sg__take_matrix(sg__builder *b, sg__tensor *out, int required, const char *name, const char *suffix,
                            int rows, int *columns) {
    int shape[4] = {rows, *columns, 0, 0};
    sg__take(b, out, required, name, suffix, 2, shape);
    *columns = shape[1];
}

#if STYLEGAN_FAMILIES & 3
/* A filter [h][w]; where it is absent, one that changes nothing, unless `f` is there already. gain: along each axis */
static void sg__take_filter(sg__builder *b, sg__filter *f, const char *name, int required, float gain) {
    sg__tensor tensor = {NULL, NULL, STYLEGAN_F32, 0};
    int shape[4] = {0, 0, 0, 0};
    sg__take(b, &tensor, required, name, "", 2, shape);
    if (b->result || (!tensor.data && f->height)) return;
    if (shape[0] > SG__MAX_FIR || shape[1] > SG__MAX_FIR) {
        b->result =
            sg__fail(b->error, STYLEGAN_ERROR_UNSUPPORTED, "tensor %s: %ux%u taps, at most %ux%u are supported", name,
                     (uint64_t)shape[0], (uint64_t)shape[1], (uint64_t)SG__MAX_FIR, (uint64_t)SG__MAX_FIR);
        return;
    }
    STYLEGAN_MEMSET(f, 0, sizeof *f);
    float padded[SG__MAX_FIR + SG__MAX_LANES], sum = 0, largest = 0, error = 0;
    int h = f->height = tensor.data ? shape[0] : 1, w = f->width = tensor.data ? shape[1] : 1;
    f->taps[0] = 1;
    for (int y = 0; tensor.data && y < h; y++) {
        sg__kernels_of(b->model)->unpack(&tensor, (size_t)y, 0, w, padded);
        STYLEGAN_MEMCPY(f->taps + y * w, padded, (size_t)w * sizeof(float));
    }
    for (int i = 0; i < h * w; i++) {
        f->column[i / w] += f->taps[i];
        f->row[i % w] += f->taps[i];
        sum += f->taps[i];
        largest = f->taps[i] > largest ? f->taps[i] : -f->taps[i] > largest ? -f->taps[i] : largest;
    }
    for (int i = 0; i < h * w; i++) {
        float d = f->taps[i] * sum - f->column[i / w] * f->row[i % w];
        error = d > error ? d : -d > error ? -d : error;
    }
    f->separable = sum != 0 && error <= 1e-6f * largest * (sum < 0 ? -sum : sum);
    for (int i = 0; i < h * w; i++) f->taps[i] *= gain * gain;
    for (int y = 0; f->separable && y < h; y++) f->column[y] *= gain / sum;
    for (int x = 0; x < w; x++) f->row[x] *= gain;
}
#endif

/* --- Listing steps --- */

/* A block has an up-sampling of two steps (a residual one beside it, or normalisations), a convolution and an image;
   a layer of StyleGAN 3 two steps, its input two, its image one. */
static int sg__most_steps(const stylegan_config *config) {
    if (config->family == STYLEGAN_FAMILY_3) return 2 * config->blocks + 1;
    int skip = config->family == STYLEGAN_FAMILY_2 && config->architecture == STYLEGAN_SKIP;
    return (skip ? 4 : 5) * config->blocks + 2;
}

/* Appends a step of the block being listed; kind: ".conv0", ... */
static sg__step *sg__add(sg__builder *b, sg__op op, const char *kind, const sg__step *input) {
    stylegan_model *m = b->model;
    sg__step *s = &m->steps[m->step_count];
    s->number = m->step_count++;
    sg__name(s->name, "b", b->height > b->width ? b->height : b->width, kind);
    s->op = op;
    s->half = op == SG__SCATTER;
    s->layer = s->half ? m->layer_count : m->layer_count++;
    s->input = input;
    s->height = b->height;
    s->width = b->width;
    s->in = s->channels = input ? input->channels : 0;
    s->border = 1;
    s->ws = -1;
    s->activation = STYLEGAN_LINEAR;
    s->gain = s->weight_gain = 1;
    return s;
}

#if STYLEGAN_FAMILIES & 3
/* The learned constant; dense: where there is none, a layer of w takes its place. */
static sg__step *sg__add_first(sg__builder *b, const char *kind, int dense) {
    sg__step *s = sg__add(b, SG__CONSTANT, kind, NULL);
    int shape[4] = {b->height, b->width, 0, 0}, outputs;
    char block[32];
    sg__name(block, "b", b->height > b->width ? b->height : b->width, "");
    sg__take(b, &s->weight, dense ? SG__OPTIONAL : SG__REQUIRED, block, ".const", 3, shape);
    s->kernel = 1;
    if (!s->weight.data && !b->result) { /* H * W outputs a channel may exceed SG__MAX_WIDTH: the bias tells the size */
        s->op = SG__DENSE;
        sg__take_vector(b, &s->bias, SG__REQUIRED, s->name, ".bias", 0);
        shape[2] = s->bias.columns;
        if ((uint64_t)b->height * (uint64_t)b->width * (uint64_t)shape[2] > SG__MAX_DENSE) {
            if (!b->result) b->result = sg__fail(b->error, STYLEGAN_ERROR_UNSUPPORTED, "%s: too large", s->name);
            return s;
        }
        outputs = b->height * b->width * shape[2];
        sg__take_matrix(b, &s->weight, SG__REQUIRED, block, ".dense.weight", b->model->config.w_dim, &outputs);
    }
    s->in = s->channels = shape[2];
    if (dense) return s;
    s->layer = -1; /* nothing is computed, and nothing follows */
    b->model->layer_count--;
    return s;
}
#endif

/* weight [k][k][in][out]; kernel or out 0: as found */
static void sg__weigh(sg__builder *b, sg__step *s, int kernel, int out) {
    int shape[4] = {kernel, kernel, s->in, out};
    sg__take(b, &s->weight, SG__REQUIRED, s->name, ".weight", 4, shape);
    s->kernel = shape[0];
    s->channels = shape[3];
    if (!b->result && ((shape[0] != 1 && shape[0] != 3) || shape[1] != shape[0])) {
        b->result = sg__fail(b->error, STYLEGAN_ERROR_UNSUPPORTED,
                             "tensor %s.weight: kernel %ux%u, only 1x1 and 3x3 are supported", s->name,
                             (uint64_t)shape[0], (uint64_t)shape[1]);
    }
}

#if STYLEGAN_FAMILIES & 3
static sg__step *sg__add_conv(sg__builder *b, const char *kind, const sg__step *x) {
    sg__step *s = sg__add(b, SG__CONV, kind, x);
    sg__weigh(b, s, 0, 0);
    s->pad = s->kernel / 2;
    return s;
}

/* Where row (or column) 0 of the output lies in t: t[y + k - pad] meets filter[k] of `taps`. */
static int sg__filter_pad(int kernel, int nearest, int taps) {
    return nearest ? (taps - 1) / 2 - kernel / 2 : kernel / 2 + (taps + 1) / 2 - (kernel - 1);
}

/* Doubles the size: SCATTER, which is returned in *t, and FILTER. nearest: by doubling pixels before the convolution
   instead of zeros between them, cropped to 2 H x 2 W before the filter. */
static sg__step *sg__add_up(sg__builder *b, const char *kind, const sg__step *x, int nearest, sg__step **scatter) {
    sg__step *t = *scatter = sg__add(b, SG__SCATTER, kind, x);
    sg__weigh(b, t, 0, 0);
    t->nearest = nearest;
    t->low = nearest ? t->kernel / 2 : 0;
    t->height = 2 * x->height + (nearest ? t->low : t->kernel - 2);
    t->width = 2 * x->width + (nearest ? t->low : t->kernel - 2);
    sg__step *s = sg__add(b, SG__FILTER, kind, t);
    s->filter = &b->model->filter;
    s->pad_row = sg__filter_pad(t->kernel, nearest, s->filter->height);
    s->pad_column = sg__filter_pad(t->kernel, nearest, s->filter->width);
    return s;
}
#endif

/* A style of `size` values: affine map [D][size] of the w with number b->ws. name: of the layer with the tensors */
static void sg__steer(sg__builder *b, sg__step *s, const char *name, int size) {
    stylegan_model *m = b->model;
    int panel = sg__kernels_of(m)->lanes * sg__kernels_of(m)->vectors;
    sg__take_matrix(b, &s->affine_weight, SG__REQUIRED, name, ".affine.weight", m->config.w_dim, &size);
    sg__take_vector(b, &s->affine_bias, SG__REQUIRED, name, ".affine.bias", size);
    s->ws = b->ws;
    s->style = m->style_floats;
    m->style_floats += (size_t)((size + panel - 1) / panel * panel);
}

#if STYLEGAN_FAMILIES & 3
/* What ends a main layer: noise, bias and activation, times `share`. */
static void sg__activate(sg__builder *b, sg__step *s, float share) {
    const stylegan_config *c = &b->model->config;
    int width = s->width;
    sg__take_vector(b, &s->bias, SG__REQUIRED, s->name, ".bias", s->channels);
    sg__take_matrix(b, &s->noise, SG__OPTIONAL, s->name, ".noise", s->height, &width);
    if (s->noise.data) {
        sg__take_vector(b, &s->strength, SG__REQUIRED, s->name, ".noise_strength", 0);
        if (!b->result && s->strength.columns != 1 && s->strength.columns != s->channels) {
            b->result =
                sg__fail(b->error, STYLEGAN_ERROR_FORMAT, "tensor %s.noise_strength: %u values, expected 1 or %u",
                         s->name, (uint64_t)s->strength.columns, (uint64_t)s->channels);
        }
    }
    s->stream = (uint32_t)b->ws;
    s->activation = (stylegan_activation)c->activation;
    s->gain = c->activation_gain * share;
    s->clamp = c->conv_clamp * share;
}
#endif

#if STYLEGAN_FAMILIES & 1
/* AdaIN of x by the style whose tensors go by x's name, in whatever parts the configuration asks for. */
static sg__step *sg__add_norm(sg__builder *b, const char *kind, sg__step *x) {
    const stylegan_config *c = &b->model->config;
    if (!c->use_pixel_norm && !c->use_instance_norm && !c->use_styles) return x;
    sg__step *s = sg__add(b, SG__NORM, kind, x);
    s->pixel_norm = c->use_pixel_norm;
    s->instance_norm = c->use_instance_norm;
    if (c->use_styles) sg__steer(b, s, x->name, 2 * x->channels);
    return s;
}
#endif

#if STYLEGAN_FAMILIES & 3
static sg__step *sg__add_torgb(sg__builder *b, const sg__step *x, const sg__step *below) {
    sg__step *s = sg__add(b, SG__IMAGE, ".torgb", x);
    sg__weigh(b, s, 1, b->model->config.channels);
    sg__take_vector(b, &s->bias, SG__REQUIRED, s->name, ".bias", s->channels);
    s->clamp = b->model->config.conv_clamp;
    s->side = below;
    s->filter = &b->model->image_filter;
    s->pad_row = sg__filter_pad(1, 0, s->filter->height);
    s->pad_column = sg__filter_pad(1, 0, s->filter->width);
    return s;
}

/* Goes on to block i = 0, 1, ...: twice as high and wide as the one before. Returns 0 after a failure. */
static int sg__begin_block(sg__builder *b, int i) {
    const stylegan_config *c = &b->model->config;
    b->height = c->height >> (c->blocks - 1 - i);
    b->width = c->width >> (c->blocks - 1 - i);
    return !b->result;
}
#endif

/* --- The networks --- */

#if STYLEGAN_FAMILIES & 1
/* StyleGAN (figure 1b): a learned constant; then at every resolution an up-sampling and a plain convolution, each
   followed by noise, activation and AdaIN. While it grows (ProGAN, figure 2), the last image is a blend of two. */
static void sg__network1(sg__builder *b) {
    const stylegan_config *c = &b->model->config;
    int lod = c->lod < (float)(c->blocks - 1) ? (int)c->lod : c->blocks - 1; /* nothing lies below the first image */
    float blend = lod < c->blocks - 1 ? c->lod - (float)lod : 0;
    int last = c->blocks - 1 - lod;
    sg__step *x = NULL, *image = NULL, *t;
    sg__take_filter(b, &b->model->filter, "fir", SG__OPTIONAL, 1);
    for (int i = 0; i <= last && sg__begin_block(b, i); i++) {
        x = i ? sg__add_up(b, ".conv0", x, 1, &t) : sg__add_first(b, ".conv0", 1);
        sg__activate(b, x, 1);
        x = sg__add_norm(b, ".norm0", x);
        b->ws++;
        x = sg__add_conv(b, ".conv1", x);
        sg__activate(b, x, 1);
        x = sg__add_norm(b, ".norm1", x);
        b->ws++;
        if (i < last - (blend > 0)) continue;
        image = sg__add_torgb(b, x, image);
        image->blend = image->side ? blend : 0;
        image->repeat = lod;
    }
}
#endif

#if STYLEGAN_FAMILIES & 6
/* The style modulates the weights along their input channels (StyleGAN 2, equation 1). */
static void sg__modulate(sg__builder *b, sg__step *s, int demodulate) {
    sg__steer(b, s, s->name, s->in);
    s->demodulate = demodulate;
}
#endif

#if STYLEGAN_FAMILIES & 2
/* StyleGAN 2 (figure 2d) with its three ways to the image (figure 7): from the learned constant, every resolution has
   an up-sampling and a plain convolution with modulated weights. skip: the images of all resolutions add up. resnet:
   the block's input, up-sampled by a convolution of its own, is added to its output. orig, as StyleGAN: the last image
   counts. */
static void sg__network2(sg__builder *b) {
    const stylegan_config *c = &b->model->config;
    int skip = c->architecture == STYLEGAN_SKIP, resnet = c->architecture == STYLEGAN_RESNET;
    sg__step *x = NULL, *image = NULL, *t;
    /* gain 2: the zeros between pixels take away half of the signal along each axis */
    sg__take_filter(b, &b->model->filter, "fir", SG__REQUIRED, 2);
    b->model->image_filter = b->model->filter;
    sg__take_filter(b, &b->model->image_filter, "fir_image", SG__OPTIONAL, 2);
    for (int i = 0; i < c->blocks && sg__begin_block(b, i); i++) {
        sg__step *residual = i && resnet ? sg__add_up(b, ".skip", x, 0, &t) : NULL;
        float share = residual ? 0.70710678f : 1.0f; /* of the sum, which then has unit variance again */
        if (i) {
            x = sg__add_up(b, ".conv0", x, 0, &t);
            sg__modulate(b, t, 1);
            sg__activate(b, x, 1);
            b->ws++;
        } else {
            x = sg__add_first(b, ".const", 0);
        }
        x = sg__add_conv(b, ".conv1", x);
        sg__modulate(b, x, 1);
        sg__activate(b, x, share);
        x->side = residual;
        if (residual && !b->result && residual->channels != x->channels)
            b->result = sg__fail(b->error, STYLEGAN_ERROR_FORMAT, "tensor %s.weight: %u channels, its skip has %u",
                                 x->name, (uint64_t)x->channels, (uint64_t)residual->channels);
        b->ws++;
        if (!skip && i < c->blocks - 1) continue;
        image = sg__add_torgb(b, x, image);
        sg__modulate(b, image, 0);
    }
}
#endif

#if STYLEGAN_FAMILIES & 4
/* Appends a step of StyleGAN 3, whose maps have the zeros around them that a growing convolution reads. */
static sg__step *sg__add_layer(sg__builder *b, sg__op op, const char *name, int number, const sg__step *input,
                               int height, int width) {
    sg__step *s = sg__add(b, op, "", input);
    sg__name(s->name, name, number, "");
    s->height = height;
    s->width = width;
    s->border = 2;
    return s;
}

/* Up to 16 numbers, which stay as they are where the tensor is absent. */
static void sg__take_values(sg__builder *b, int required, const char *name, const char *suffix, int count,
                            float *values) {
    sg__tensor tensor = {NULL, NULL, STYLEGAN_F32, 0};
    float padded[32];
    sg__take_vector(b, &tensor, required, name, suffix, count);
    if (b->result || !tensor.data) return;
    sg__kernels_of(b->model)->unpack(&tensor, 0, 0, count, padded);
    STYLEGAN_MEMCPY(values, padded, (size_t)count * sizeof(float));
}

/* Whole numbers from `least` to `most`; a bad one fails. */
static void sg__take_whole(sg__builder *b, const char *name, const char *suffix, int count, const int *least,
                           const int *most, int *whole) {
    float values[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    sg__take_values(b, SG__REQUIRED, name, suffix, count, values);
    for (int i = 0; i < count; i++) {
        int good = values[i] >= (float)least[i] && values[i] <= (float)most[i];
        whole[i] = good ? (int)values[i] : least[i];
        if (!b->result && (!good || (float)whole[i] != values[i]))
            b->result = sg__fail(b->error, STYLEGAN_ERROR_FORMAT, "tensor %s%s: value %u is impossible", name, suffix,
                                 (uint64_t)i);
    }
}

/* The sine waves that stand in for a learned constant: sampled anywhere, they can be moved and turned. */
static sg__step *sg__add_fourier(sg__builder *b) {
    float grid[4] = {1, 1, 1, 1};
    int size[2], shape[4] = {0, 2, 0, 0};
    sg__step *s = sg__add_layer(b, SG__FOURIER, "fourier", -1, NULL, 1, 1);
    sg__take_values(b, SG__REQUIRED, "input", ".grid", 4, grid);
    for (int i = 0; i < 2; i++) {
        int good = grid[i] >= 1 && grid[i] <= (float)SG__MAX_SIZE;
        size[i] = good ? (int)grid[i] : 1;
        if (!b->result && ((float)size[i] != grid[i] || !(grid[2] > 0)))
            b->result = sg__fail(b->error, STYLEGAN_ERROR_FORMAT, "tensor input.grid: an impossible value");
    }
    s->height = size[0];
    s->width = size[1];
    s->waves.rate = grid[2];
    s->waves.bandwidth = grid[3];
    sg__take(b, &s->weight, SG__REQUIRED, "input", ".freqs", 2, shape);
    s->in = s->channels = shape[0];
    sg__take_vector(b, &s->waves.phases, SG__REQUIRED, "input", ".phases", shape[0]);
    shape[0] = shape[1] = 3;
    sg__take(b, &s->waves.transform, SG__OPTIONAL, "input", ".transform", 2, shape);
    sg__steer(b, s, "input", 4);
    return s;
}

/* The filters of a FILTERED; absent ones are a single tap of 1. */
static void sg__take_resampling(sg__builder *b, const char *name, sg__resampling *r) {
    stylegan_tensor found;
    int shape[4] = {0, 0, 0, 0};
    sg__take_vector(b, &r->up_filter, SG__OPTIONAL, name, ".up_filter", 0);
    int radial = sg__find(b, name, ".down_filter", &found) && found.dimensions == 2;
    if (radial)
        sg__take(b, &r->down_filter, SG__REQUIRED, name, ".down_filter", 2, shape);
    else
        sg__take_vector(b, &r->down_filter, SG__OPTIONAL, name, ".down_filter", 0);
    r->radial = radial;
    r->up_taps = r->up_filter.data ? r->up_filter.columns : 1;
    r->down_taps = r->down_filter.data ? r->down_filter.columns : 1;
    int most = radial ? SG__MAX_RADIAL : SG__MAX_LINE;
    if (!b->result && (r->up_taps > SG__MAX_LINE || r->down_taps > most || (radial && shape[0] != shape[1]))) {
        b->result =
            sg__fail(b->error, STYLEGAN_ERROR_UNSUPPORTED, "layer %s: filters of this shape are not supported", name);
    }
    float top[SG__MAX_RADIAL + SG__MAX_LANES], bottom[SG__MAX_RADIAL + SG__MAX_LANES];
    r->folded = radial && r->down_taps % 2 == 0;
    for (int y = 0; !b->result && r->folded && y < r->down_taps / 2; y++) {
        sg__kernels_of(b->model)->unpack(&r->down_filter, (size_t)y, 0, r->down_taps, top);
        sg__kernels_of(b->model)->unpack(&r->down_filter, (size_t)(r->down_taps - 1 - y), 0, r->down_taps, bottom);
        for (int x = 0; x < r->down_taps; x++) r->folded &= top[x] == bottom[x];
    }
}

/* Whether `size` pixels, resampled, become `out`. */
static void sg__check_resampled(sg__builder *b, const sg__step *s, int size, int before, int after, int out) {
    const sg__resampling *r = &s->resampling;
    int most = size * r->up + before + after - (r->up_taps - 1) - (r->down_taps - 1);
    if (b->result || (most > 0 && (most - 1) / r->down + 1 == out)) return;
    b->result = sg__fail(b->error, STYLEGAN_ERROR_FORMAT, "layer %s: its geometry makes %u pixels of %u, not %u",
                         s->name, (uint64_t)(most > 0 ? (most - 1) / r->down + 1 : 0), (uint64_t)size, (uint64_t)out);
}

/* What a layer's geometry says: [0..3] sizes, up, down, left, right, top, bottom */
static void sg__take_geometry(sg__builder *b, const char *name, const sg__step *x, int geometry[10]) {
    const int pad = SG__MAX_PADDING, size = SG__MAX_SIZE, rate = SG__MAX_RATE;
    const int least[10] = {1, 1, 1, 1, 1, 1, -pad, -pad, -pad, -pad};
    const int most[10] = {size, size, size, size, rate, rate, pad, pad, pad, pad};
    sg__take_whole(b, name, ".geometry", 10, least, most, geometry);
    if (!b->result && (geometry[0] != x->height || geometry[1] != x->width)) {
        b->result =
            sg__fail(b->error, STYLEGAN_ERROR_FORMAT, "layer %s: its input has %u x %u pixels, not %u x %u", name,
                     (uint64_t)x->height, (uint64_t)x->width, (uint64_t)geometry[0], (uint64_t)geometry[1]);
    }
}

/* A modulated convolution, which grows the map by what its kernel reaches beyond it. */
static sg__step *sg__add_growing(sg__builder *b, int number, const sg__step *x) {
    sg__step *s = sg__add_layer(b, SG__CONV, "L", number, x, x->height, x->width);
    b->model->layer_count = s->layer; /* which is the FILTERED's */
    s->half = 1;
    sg__weigh(b, s, 0, 0);
    s->pad = s->kernel - 1;
    s->height += s->pad;
    s->width += s->pad;
    sg__take_vector(b, &s->bias, SG__REQUIRED, s->name, ".bias", s->channels);
    sg__take_values(b, SG__OPTIONAL, s->name, ".gain", 1, &s->weight_gain);
    sg__modulate(b, s, 1);
    return s;
}

/* The filtered activation (StyleGAN 3, section 3.2): applied to the map at a higher rate, where the frequencies that it
   makes fit in, and low-passed before the map returns to a rate of its own. */
static sg__step *sg__add_filtered(sg__builder *b, int number, const sg__step *t) {
    const stylegan_config *c = &b->model->config;
    int geometry[10];
    sg__take_geometry(b, t->name, t->input, geometry);
    sg__step *s = sg__add_layer(b, SG__FILTERED, "L", number, t, geometry[2], geometry[3]);
    sg__take_resampling(b, s->name, &s->resampling);
    s->resampling.up = geometry[4];
    s->resampling.down = geometry[5];
    s->pad_column = geometry[6];
    s->pad_row = geometry[8];
    sg__check_resampled(b, s, t->width, geometry[6], geometry[7], s->width);
    sg__check_resampled(b, s, t->height, geometry[8], geometry[9], s->height);
    s->activation = (stylegan_activation)c->activation;
    s->gain = c->activation_gain;
    s->clamp = c->conv_clamp;
    return s;
}

/* ToRGB: as large as its input and the image; its gain comes last. */
static void sg__add_last(sg__builder *b, int number, const sg__step *x) {
    const stylegan_config *c = &b->model->config;
    sg__step *s = sg__add_layer(b, SG__IMAGE, "L", number, x, c->height, c->width);
    sg__resampling none;
    int geometry[10];
    STYLEGAN_MEMSET(&none, 0, sizeof none);
    sg__take_geometry(b, s->name, x, geometry);
    sg__take_resampling(b, s->name, &none);
    sg__weigh(b, s, 1, c->channels);
    sg__take_vector(b, &s->bias, SG__REQUIRED, s->name, ".bias", s->channels);
    sg__take_values(b, SG__OPTIONAL, s->name, ".gain", 1, &s->gain);
    sg__modulate(b, s, 0);
    s->clamp = c->conv_clamp * (s->gain < 0 ? -s->gain : s->gain);
    s->filter = &b->model->image_filter;
    int plain = none.up_taps == 1 && none.down_taps == 1 && geometry[4] == 1 && geometry[5] == 1;
    for (int i = 0; i < 4; i++) plain &= geometry[6 + i] == 0;
    plain &= x->height == c->height && x->width == c->width && geometry[2] == c->height && geometry[3] == c->width;
    if (!b->result && !plain)
        b->result =
            sg__fail(b->error, STYLEGAN_ERROR_UNSUPPORTED, "layer %s: the last layer must not resample", s->name);
}

/* StyleGAN 3 (figure 4b): sine waves, mixed; then layers of a modulated convolution and a filtered activation; the last
   one is the image. */
static void sg__network3(sg__builder *b) {
    sg__step *waves = sg__add_fourier(b);
    sg__step *x = sg__add_layer(b, SG__CONV, "input", -1, waves, waves->height, waves->width);
    sg__weigh(b, x, 1, 0);
    for (int i = 0; i < b->model->config.blocks && !b->result; i++) {
        b->ws++;
        if (i == b->model->config.blocks - 1)
            sg__add_last(b, i, x);
        else
            x = sg__add_filtered(b, i, sg__add_growing(b, i, x));
    }
}
#endif

/* The mapping (StyleGAN, section 2): the embedded label beside z, then fully connected layers. */
static void sg__network_mapping(sg__builder *b) {
    stylegan_model *m = b->model;
    const stylegan_config *config = &m->config;
    char name[32];
    int width = config->z_dim;
    if (config->c_dim) {
        int embed = 0;
        sg__take_matrix(b, &m->embed_weight, SG__REQUIRED, "mapping.embed", ".weight", config->c_dim, &embed);
        sg__take_vector(b, &m->embed_bias, SG__OPTIONAL, "mapping.embed", ".bias", embed);
        width += embed;
    }
    for (int i = 0; i < config->mapping_layers; i++) {
        sg__layer *layer = &m->mapping[i];
        layer->in = width;
        layer->out = i == config->mapping_layers - 1 ? config->w_dim : 0;
        sg__name(name, "mapping.fc", i, "");
        sg__take_matrix(b, &layer->weight, SG__REQUIRED, name, ".weight", layer->in, &layer->out);
        sg__take_vector(b, &layer->bias, SG__REQUIRED, name, ".bias", layer->out);
        width = layer->out;
    }
    if (!b->result && width != config->w_dim) {
        b->result = sg__fail(b->error, STYLEGAN_ERROR_FORMAT, "the mapping ends with %u values, w_dim is %u",
                             (uint64_t)width, (uint64_t)config->w_dim);
    }
    sg__take_vector(b, &m->w_avg, SG__OPTIONAL, "w_avg", "", config->w_dim);
}

static int sg__in(int32_t value, int32_t least, int32_t most) {
    return value >= least && value <= most;
}

/* Checks every field's range. Without blocks the file holds a mapping alone. */
static stylegan_result sg__check_config(const stylegan_config *c, stylegan_error *error) {
    int first = c->family == STYLEGAN_FAMILY_1, third = c->family == STYLEGAN_FAMILY_3;
    int blocks = sg__in(c->blocks, 0, third ? SG__MAX_LAYERS : SG__MAX_BLOCKS) ? c->blocks : 0;
    int unit = 1 << (blocks && !third ? blocks - 1 : 0), styled = blocks && (!first || c->use_styles);
    int least = blocks ? 1 : 0, most = blocks ? SG__MAX_SIZE : 0;
    const char *bad = NULL; /* the first in the file */
    if (!(c->lod >= 0 && c->lod <= 64 && (c->lod == 0 || first))) bad = "lod";
    if (!(c->conv_clamp >= 0)) bad = "conv_clamp";
    if (!sg__in(c->activation, 0, third ? STYLEGAN_LRELU : SG__MOST_ACTIVATION)) bad = "activation";
    if (!sg__in(c->mapping_activation, 0, SG__MOST_ACTIVATION)) bad = "mapping_activation";
    if (!sg__in(c->normalization, STYLEGAN_NORMALIZE_NONE, STYLEGAN_NORMALIZE_SEPARATE)) bad = "normalization";
    if (!sg__in(c->mapping_layers, 0, SG__MAX_MAPPING)) bad = "mapping_layers";
    if (c->num_ws != (!styled ? 1 : third ? blocks + 1 : 2 * blocks)) bad = "num_ws";
    if (!sg__in(c->c_dim, 0, SG__MAX_WIDTH)) bad = "c_dim";
    if (!sg__in(c->w_dim, 1, SG__MAX_WIDTH)) bad = "w_dim";
    if (!sg__in(c->z_dim, 0, SG__MAX_WIDTH) || !(c->z_dim || c->c_dim)) bad = "z_dim";
    if (!sg__in(c->channels, 1, SG__MAX_CHANNELS)) bad = "channels";
    if (!sg__in(c->width, least, most) || c->width % unit) bad = "width";
    if (!sg__in(c->height, least, most) || c->height % unit) bad = "height";
    if (blocks != c->blocks) bad = "blocks";
    if (!sg__in(c->architecture, STYLEGAN_SKIP, STYLEGAN_ORIG)) bad = "architecture";
    if (!sg__in(c->family, 1, 3)) bad = "family";
    if (!bad) return STYLEGAN_OK;
    return sg__fail(error, STYLEGAN_ERROR_FORMAT, "configuration field %s has an impossible value", bad);
}

static void sg__list_synthesis(sg__builder *b) {
    static void (*const networks[])(sg__builder * b) = {SG__IN_1(sg__network1), SG__IN_2(sg__network2),
                                                        SG__IN_3(sg__network3)};
    int family = b->model->config.family;
    if (b->result) return;
    if (networks[family - 1])
        networks[family - 1](b);
    else
        b->result = sg__fail(b->error, STYLEGAN_ERROR_UNSUPPORTED, "STYLEGAN_FAMILIES leaves out StyleGAN %u",
                             (uint64_t)family);
}

/* Lists mapping and synthesis; `used` [tensor_count] is scratch. */
static stylegan_result sg__list_networks(stylegan_model *m, unsigned char *used, stylegan_error *error) {
    sg__builder builder = {m, used, error, STYLEGAN_OK, 0, 0, 0};
    sg__network_mapping(&builder);
    if (m->config.blocks) sg__list_synthesis(&builder);
    for (uint32_t i = 0; i < m->head.tensor_count && !builder.result; i++) {
        stylegan_tensor tensor;
        builder.result = sg__read_entry(m->data, &m->head, i, &tensor, error);
        if (!builder.result && !used[i]) {
            builder.result =
                sg__fail(error, STYLEGAN_ERROR_UNSUPPORTED, "tensor %s has no place in this network", tensor.name);
        }
        uint64_t count = 1;
        for (int d = 0; d < 4; d++) count *= (uint64_t)tensor.shape[d];
        m->parameters += count;
    }
    return builder.result;
}

/* >>plan

   How: every step's algorithm, how many rows at a time, and where its map lies, for a budget of memory. Low resolutions
   are computed as a whole; high ones hold windows of rows, computed strip by strip as the step behind asks for them. The
   leanest plans compute in windows even what StyleGAN 1 normalises: once for its moments, once more for its rows. With
   precision FAST maps lie in 16 bits, and a step has the rows at work in 32 (sg__stage). */

enum {
    SG__STRIPS = 16,          /* partial sums of the instance normalisation */
    SG__CHUNK_TILES = 48,     /* tiles multiplied at a time */
    SG__OWN_FLOATS = 1 << 17, /* transformed inputs and products of a part's own strip */
#ifndef SG__OWN_TERMS         /* a test has smaller ones */
    SG__OWN_TERMS = 1 << 18,  /* the same of what matrix units multiply: their second-level caches are larger */
#endif
    SG__CHUNK_POSITIONS = 512,     /* multiplied at a time by matrix units */
    SG__WHOLE_FLOATS = 9 << 20,    /* of a whole map, but for those that are normalised and not computed twice */
    SG__TOGETHER_FLOATS = 1 << 23, /* of a map, or of transformed inputs, of all images of a batch */
    SG__SHARED_FLOATS = 1 << 24    /* of a layer's weights, at most, to keep them for the images of a batch */
};

/* How much memory a plan may take. */
struct sg__budget {
    int strips_from;          /* resolution from which steps hold windows only */
    int strip_rows;           /* of the image in a strip */
    uint64_t strip_floats;    /* transformed inputs at a time */
    uint64_t prepared_floats; /* of a layer's weights, at most, to unpack and transform them before the first strip */
    int tiles;                /* whether to use Winograd's algorithm and matrix units */
    uint64_t room_floats; /* of what a step holds while it computes a strip, if two rows at a time allow it; 0: any */
    int latents;          /* mapped together */
    int vectors;          /* of output channels in a panel, at most */
    int twice;            /* whether normalised maps may be windows, too: computed once for their moments, and again */
};

/* Ways to trade speed for memory, the fastest first. */
static const sg__budget sg__budgets[] = {
    {256, 32, 1 << 21, 1 << 20, 1, 0, SG__LATENTS, 4, 0},
    {128, 16, 1 << 19, 1 << 18, 1, 0, SG__LATENTS, 4, 0},
    {64, 16, 1 << 18, 1 << 16, 1, 0, SG__LATENTS, 4, 0},
    {32, 8, 1 << 16, 0, 0, 0, SG__LATENTS, 4, 0},
    {8, 4, 1 << 14, 0, 0, 0, SG__LATENTS, 4, 0},
    {8, 4, 1 << 14, 0, 0, 5 << 12, 1, 4, 0},
    {64, 4, 1 << 14, 0, 0, 1 << 14, 1, 4, 1},
    {32, 2, 1 << 14, 0, 0, 1 << 13, 1, 4, 1},
    {32, 1, 1 << 14, 0, 0, 1 << 12, 1, 2, 1},
};

enum { SG__PHASES = 4 };

/* How a convolution runs: directly, or as Winograd tiles of 4x4 outputs (for SCATTER: of each of the four phases of t,
   even and odd rows and columns), or by matrix units, whose tiles are rows of pixels, or pixels of SCATTER's input. All
   parts share the transformed inputs of a strip and multiply them with one panel of weights each; or, where all weights
   are prepared and fit into the second-level cache, each part has a strip of its own, a few tiles only, and multiplies it
   with all panels. */
typedef struct sg__tiling {
    int points; /* along one axis, 6 or 5; 0: not by Winograd's algorithm */
#if SG__MATRIX_UNITS
    int terms; /* of the numbers that matrix units multiply, 1 to 3; 0: not by matrix units */
#endif
    int phases;            /* 4 for SCATTER, else 1 */
    int mixed;             /* odd phases have a single tap, which needs no transform */
    int first[SG__PHASES]; /* of a phase's points among the transformed inputs of a tile */
    int total;             /* transformed inputs of a tile, for all phases */
    int own;               /* each part has its own strip */
    int down, tiles;       /* rows of tiles in the map, tiles in a row */
    int strip;             /* rows of tiles whose inputs are transformed at a time */
    int across;            /* tiles in a row of a strip */
    int chunk;             /* rows of tiles that one part multiplies at a time */
} sg__tiling;

/* The moments of a NORM that is computed twice. */
enum { SG__UNKNOWN, SG__AT_WORK, SG__KNOWN };

/* A feature map x [ceil(C/V)][capacity][border + W + border][V]: all of its rows, or a window [begin, end) of them. One
   that is kept in 16 bits has no borders; the rows at work are widened to this shape, see sg__stage. */
struct sg__map {
    float *data;               /* pixel 0 of row `begin` */
    unsigned char *half;       /* the same of one that is kept in 16 bits, without data; else NULL */
    int begin, end, capacity;  /* the rows it holds, and has room for */
    int wanted, next, asker;   /* while they are computed: the row up to which they are wanted, the end of the strip at
                                  work (0: none), the number of the step that wants them (-1: none) */
    int measured;              /* of a NORM that is computed twice, see SG__UNKNOWN */
    int blocks;                /* ceil(C/V) */
    size_t border, row, block; /* floats before pixel 0, between rows, between channel blocks */
    size_t kept;               /* values of a row that are kept: all, or in 16 bits those of its pixels */
    size_t image;              /* floats between the maps of images drawn together; 0: there is one */
};

/* Enough buffers for StyleGAN 1 and 2, which use 13 at most; batches and StyleGAN 3 may want more: see sg__place_maps. */
enum { SG__OWN = -1, SG__BUFFERS = 16, SG__MAY_CROWD = SG__IF_BATCH(1, (STYLEGAN_FAMILIES & 4) != 0) };

struct sg__plan {
    sg__tiling tiling;
    int whole;    /* it (SCATTER: its FILTER) is computed as a whole, before anything behind it */
    int prepared; /* all weights are unpacked, and transformed, before the first strip */
#if SG__MATRIX_UNITS
    int borrows; /* ... where those of other whole steps have been */
#endif
    int steers; /* the style scales the inputs as they are transformed, instead of the weights */
    int strip;  /* rows computed at a time */
    int map;    /* the step whose map it uses: itself, or for NORM the one that it normalises */
    int buffer; /* of the workspace's, for whole maps; or memory of its own */
    int ahead;  /* rows by which its map lies ahead of the one that overwrites it, see sg__overwrite */
    int in_rows, side_rows, out_rows; /* of input, side and output at work at a time, at most */
    double work;                      /* multiplications, for the progress */
};

static uint64_t sg__most(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static uint64_t sg__least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static int sg__clip(int value, int least, int most) {
    return value < least ? least : value > most ? most : value;
}

static int sg__blocks_of(const stylegan_model *m, int channels) {
    return (channels + sg__kernels_of(m)->lanes - 1) / sg__kernels_of(m)->lanes;
}

/* Vectors of output channels in a panel. */
static int sg__vectors(const stylegan_model *m) {
    return sg__kernels_of(m)->vectors < m->budget->vectors ? sg__kernels_of(m)->vectors : m->budget->vectors;
}

static int sg__panels(const stylegan_model *m, int channels) {
    return (sg__blocks_of(m, channels) + sg__vectors(m) - 1) / sg__vectors(m);
}

static size_t sg__panel_width(const stylegan_model *m) {
    return (size_t)(sg__kernels_of(m)->lanes * sg__vectors(m));
}

static size_t sg__padded(const stylegan_model *m, int channels) { /* to whole panels */
    return (size_t)sg__panels(m, channels) * sg__panel_width(m);
}

static const sg__plan *sg__plan_of(const stylegan_model *m, const sg__step *s) {
    return &m->plans[s->number];
}

static int sg__has_weights(const sg__step *s) {
    return s->op == SG__CONV || s->op == SG__SCATTER || s->op == SG__IMAGE;
}

/* SCATTER's map is a window in any case: t is wanted by its FILTER alone, once. */
static int sg__holds_all(const stylegan_model *m, const sg__step *s) {
    return s->op != SG__SCATTER && sg__plan_of(m, s)->whole;
}

/* Points of a step's tiles along one axis, 0: it has none. */
static int sg__points(const sg__tiling *t) {
    return SG__WINOGRAD ? t->points : 0;
}

static int sg__terms(const sg__tiling *t) {
    (void)t;
    return SG__IF_MATRICES(t->terms, 0);
}

static int sg__borrows(const sg__plan *p) {
    (void)p;
    return SG__IF_MATRICES(p->borrows, 0);
}

/* Inputs are transformed before they are multiplied. */
static int sg__is_tiled(const sg__tiling *t) {
    return sg__points(t) || sg__terms(t);
}

static int sg__steers(const sg__plan *p) {
    return SG__WINOGRAD ? p->steers : 0;
}

/* Pixels are doubled directly, not by Winograd's algorithm with weights summed to a larger kernel. */
static int sg__doubles(const sg__step *s, const sg__tiling *t) {
    return STYLEGAN_FAMILIES & 1 && s->nearest && !sg__is_tiled(t);
}

/* Rows that are computed together: of a SCATTER's tile in t, of a CONV's in its output, of a pixel that is doubled. */
static int sg__unit_rows(const stylegan_model *m, const sg__step *s) {
    const sg__tiling *t = &sg__plan_of(m, s)->tiling;
    if (!sg__is_tiled(t)) return 1 + sg__doubles(s, t);
    return (s->op == SG__SCATTER ? 2 : 1) * (sg__terms(t) ? 1 : 4);
}

/* The row where the first such unit begins. */
static int sg__origin(const stylegan_model *m, const sg__step *s) {
    return sg__is_tiled(&sg__plan_of(m, s)->tiling) ? 0 : s->low;
}

/* The end of the unit that row end - 1 lies in. */
static int sg__round_rows(const stylegan_model *m, const sg__step *s, int end) {
    int unit = sg__unit_rows(m, s), origin = sg__origin(m, s);
    return origin + (end - origin + unit - 1) / unit * unit;
}

/* --- Algorithms --- */

/* What a phase computes for each tile. */
typedef struct sg__phase_points {
    int down, across; /* points along the axes; 4: a single tap, the pixels as they are */
    int weights;      /* panels of transformed weights */
} sg__phase_points;

static sg__phase_points sg__phase(const sg__tiling *t, int phase) {
    sg__phase_points p;
    p.down = t->mixed && phase / 2 ? 4 : sg__points(t);
    p.across = t->mixed && phase % 2 ? 4 : sg__points(t);
    p.weights = (p.down == 4 ? 1 : p.down) * (p.across == 4 ? 1 : p.across);
    return p;
}

/* Chooses the points and numbers the phases' transformed inputs; unmixed phases share theirs. */
static void sg__number_points(sg__tiling *t, int points, int phases, int mixed) {
    t->points = points;
    t->phases = phases;
    t->mixed = mixed;
    t->total = points * points;
    if (!mixed) return;
    t->total = 0;
    for (int i = 0; i < phases; i++) {
        sg__phase_points p = sg__phase(t, i);
        t->first[i] = t->total;
        t->total += p.down * p.across;
    }
}

/* Products of a tile, for all phases. */
static int sg__products(const sg__tiling *t) {
    return t->mixed ? t->total : t->phases * t->total;
}

/* The kernel that Winograd's algorithm sees, with pixels doubled by its weights. */
static int sg__summed_kernel(const sg__step *s) {
    return s->kernel + s->nearest;
}

/* Taps of that kernel, behind which the weights that are summed to it are unpacked; 0: there is no such kernel. */
static int sg__summed_taps(const sg__step *s, const sg__tiling *t) {
    return sg__is_tiled(t) && s->nearest ? sg__summed_kernel(s) * sg__summed_kernel(s) : 0;
}

/* Taps along the axes that a phase sees. */
static sg__phase_points sg__phase_kernel(const sg__step *s, const sg__tiling *t, int phase) {
    sg__phase_points p = sg__phase(t, phase);
    int kernel = sg__summed_kernel(s);
    p.down = sg__points(t) ? p.down - 3 : s->op == SG__SCATTER ? (kernel + 1 - phase / 2) / 2 : kernel;
    p.across = sg__points(t) ? p.across - 3 : s->op == SG__SCATTER ? (kernel + 1 - phase % 2) / 2 : kernel;
    return p;
}

/* Taps that a phase sees, or points of its transformed ones. */
static int sg__phase_taps(const sg__step *s, const sg__tiling *t, int phase) {
    sg__phase_points kernel = sg__phase_kernel(s, t, phase);
    return sg__points(t) ? kernel.weights : kernel.down * kernel.across;
}

/* The same of all phases. */
static int sg__prepared_taps(const sg__step *s, const sg__tiling *t) {
    int taps = 0;
    if (!sg__is_tiled(t)) return s->kernel * s->kernel;
    for (int i = 0; i < t->phases; i++) taps += sg__phase_taps(s, t, i);
    return taps;
}

/* Channels that matrix units multiply at once, and groups of so many. */
static size_t sg__depth(const stylegan_model *m) {
    return 2 * (size_t)sg__kernels_of(m)->lanes;
}

static int sg__groups(const stylegan_model *m, const sg__step *s) {
    return (sg__blocks_of(m, s->in) + 1) / 2;
}

/* Floats from one tap or point to the next: a vector more than they take, since at distances of a power of two all would
   lie in the same few lines of a cache. */
static uint64_t sg__spaced(const stylegan_model *m, uint64_t vectors) {
    return (vectors + 1) * (uint64_t)sg__kernels_of(m)->lanes;
}

/* Floats from one tap or point of a panel of q vectors to the next. */
static size_t sg__tap(const stylegan_model *m, const sg__step *s, int q) {
    return (size_t)sg__spaced(m, (uint64_t)s->in * (uint64_t)q);
}

/* The same of what is multiplied. */
static size_t sg__prepared_tap(const stylegan_model *m, const sg__step *s, const sg__tiling *t, int q) {
    size_t lanes = (size_t)sg__kernels_of(m)->lanes;
    if (!sg__terms(t)) return sg__tap(m, s, q);
    return (size_t)(sg__groups(m, s) * sg__terms(t) * q) * lanes * lanes;
}

/* Floats of one prepared panel. With styles on the inputs it ends with the sums of its weights' squares. */
static size_t sg__panel_floats(const stylegan_model *m, const sg__step *s, const sg__tiling *t) {
    int blocks = sg__blocks_of(m, s->channels), vectors = blocks < sg__vectors(m) ? blocks : sg__vectors(m);
    return (size_t)sg__prepared_taps(s, t) * sg__prepared_tap(m, s, t, vectors) +
           (size_t)sg__steers(sg__plan_of(m, s)) * sg__tap(m, s, vectors);
}

/* Rows and columns of zeros before the input of matrix units, and rows that a strip of it has beside its own. What is behind
   a row is what is before the next. */
static int sg__margin(const sg__step *s) {
    return s->op == SG__SCATTER ? 1 : s->pad;
}

static int sg__halo(const sg__step *s) {
    return s->op == SG__SCATTER ? 1 : s->kernel - 1;
}

static int sg__pitch(const sg__step *s) {
    return s->input->width + sg__margin(s);
}

/* Positions of a strip of `rows` rows, with what tiles may see beyond its end. */
static size_t sg__positions(const sg__step *s, int rows) {
    return (size_t)(rows + sg__halo(s)) * (size_t)sg__pitch(s) + 64;
}

/* Floats that so many positions of all channels take. */
static uint64_t sg__position_terms(const stylegan_model *m, const sg__step *s, const sg__tiling *t, size_t positions) {
    return (uint64_t)positions * (uint64_t)(sg__groups(m, s) * sg__terms(t) * sg__kernels_of(m)->lanes);
}

/* The same of a strip, and of each row of it. */
static uint64_t sg__strip_terms(const stylegan_model *m, const sg__step *s, const sg__tiling *t, int rows) {
    return sg__position_terms(m, s, t, sg__positions(s, rows));
}

static uint64_t sg__row_terms(const stylegan_model *m, const sg__step *s, const sg__tiling *t) {
    return sg__position_terms(m, s, t, (size_t)sg__pitch(s));
}

/* Whether all of a layer's prepared weights, in whole panels, are few enough. */
static int sg__weights_fit(const stylegan_model *m, const sg__step *s, const sg__tiling *t, uint64_t most) {
    uint64_t floats = (uint64_t)sg__prepared_taps(s, t);
    if (sg__terms(t))
        floats *= (uint64_t)sg__panels(m, s->channels) * (uint64_t)sg__prepared_tap(m, s, t, sg__vectors(m));
    else
        floats *= (uint64_t)s->in * sg__padded(m, s->channels);
    return floats <= most;
}

/* How many steps are computed for all images of a batch at once: the first ones. */
static int sg__together(const stylegan_model *m) {
    (void)m;
    return SG__IF_BATCH(m->together, 0);
}

static int sg__is_together(const stylegan_model *m, const sg__step *s) {
    return s->number < sg__together(m);
}

/* Whether its weights are the same for all images: those of StyleGAN 2 and 3 are modulated, unless the inputs are. */
static int sg__is_shared(const stylegan_model *m, const sg__step *s) {
    return !s->affine_weight.data || sg__steers(sg__plan_of(m, s));
}

/* Direct or in tiles, whichever takes fewer vector operations: counted for each input channel and vector of outputs.
   The transforms' costs (250, 2000, 500, 180, in operations a tile) were measured with AVX-512 on an EPYC (Zen 4); an
   input transform costs more where its results go through memory to all parts, which also transform weights while they
   draw. */
static int sg__tiles_pay(const stylegan_model *m, const sg__step *s, const sg__tiling *t) {
    int up = s->op == SG__SCATTER;
    double in = s->in, out = (double)(size_t)sg__padded(m, s->channels);
    double pixels = (double)s->input->height * s->input->width, tiles = (double)t->down * t->tiles;
    double direct = 9 * pixels;
    double inputs = (t->own ? 250 : 2000) / out, outputs = (up ? 500 : 180) / in, weights = t->own ? 0 : 180;
    return tiles * (sg__products(t) + inputs + outputs) + weights < direct;
}

/* Tiles in a row of a part's own strip: whole register tiles are fastest. */
static void sg__cut_own_strips(const stylegan_model *m, const sg__step *s, sg__tiling *t) {
    int pixels = sg__kernels_of(m)->pixels;
    if (sg__terms(t)) {
        int rows = (int)(SG__OWN_TERMS / sg__row_terms(m, s, t));
        t->chunk = sg__clip(rows - sg__halo(s), 1, t->down);
        return;
    }
    uint64_t tile = (uint64_t)(sg__points(t) * sg__points(t)) * (sg__padded(m, s->in) + sg__panel_width(m));
    int fits = (int)(SG__OWN_FLOATS / tile) / pixels * pixels;
    if (fits < pixels) fits = pixels;
    int pieces = (t->tiles + fits - 1) / fits, piece = (t->tiles + pieces - 1) / pieces;
    t->across = sg__clip((piece + pixels - 1) / pixels * pixels, 1, t->tiles);
    t->chunk = sg__clip(fits / t->across, 1, t->down);
}

/* Rows of tiles at a time: as many as the budget has room for, in strips of about the same height. */
static void sg__cut_strips(const stylegan_model *m, const sg__step *s, int whole, sg__tiling *t) {
    const sg__budget *budget = m->budget;
    uint64_t tiles = (uint64_t)t->tiles, unit = (uint64_t)sg__unit_rows(m, s), pitch = (uint64_t)sg__pitch(s);
    uint64_t transformed = t->own ? 0 : (uint64_t)t->total * tiles * sg__padded(m, s->in);
    uint64_t scattered =
        s->op == SG__SCATTER ? 2 * unit * (sg__terms(t) ? 2 * pitch : 8 * tiles) * sg__padded(m, s->channels) : 0;
    uint64_t most = budget->strip_floats;
    if (sg__terms(t) && !t->own) transformed = sg__row_terms(m, s, t);
    if (sg__is_together(m, s)) most = sg__most(most, SG__TOGETHER_FLOATS) / (uint64_t)m->batch;
    int strip = (int)sg__least(most / (sg__most(transformed, scattered) + 1), (uint64_t)t->down), strips;
    int rows = budget->strip_rows / sg__unit_rows(m, s);
    if ((!whole || t->own) && strip > rows) strip = rows;
    if (strip < 2) strip = 2;
    strips = (t->down + strip - 1) / strip;
    t->strip = (t->down + strips - 1) / strips;
    if (sg__terms(t) && !t->own)
        t->chunk = sg__clip(SG__CHUNK_POSITIONS / sg__pitch(s), 1, t->strip);
    else if (!t->own)
        t->chunk = sg__clip((SG__CHUNK_TILES + t->tiles - 1) / t->tiles, 1, t->strip);
}

#if SG__MATRIX_UNITS
/* Whether matrix units, which multiply 32 channels at a time, are faster than vectors: measured on an Intel Xeon. All terms
   are six products, more than Winograd's algorithm is worth, and doubled pixels take 16 taps of a kernel instead of 9. */
static int sg__matrices_pay(const sg__step *s, int terms) {
    int winograd = s->kernel == 3 && s->op == SG__CONV, exact = terms == 3;
    if (s->in < (exact ? 64 : 32) || s->channels < 16 || (exact && winograd)) return 0;
    return !s->nearest || (s->input->width >= (exact ? 32 : 16) && s->in >= (exact ? 128 : 32));
}
#endif

/* Has matrix units multiply, if there are any and that pays. Returns whether they do. */
static int sg__plan_matrices(const stylegan_model *m, const sg__step *s, sg__plan *p) {
#if SG__MATRIX_UNITS
    static const int terms[STYLEGAN_PRECISION_COUNT] = {3, 2, 1};
    sg__tiling *t = &p->tiling;
    int up = s->op == SG__SCATTER;
    if (!m->budget->tiles || !sg__kernels_of(m)->multiply || !sg__matrices_pay(s, terms[m->precision])) return 0;
    t->terms = terms[m->precision];
    t->phases = up ? SG__PHASES : 1;
    t->down = up ? s->input->height + 1 : s->height;
    t->tiles = t->across = 1;
    /* all terms take so long that it does not matter where the strip lies */
    p->borrows = p->whole && t->terms < 3 && sg__strip_terms(m, s, t, t->down) > 2 * SG__OWN_TERMS;
    return 1;
#else
    (void)m;
    (void)s;
    (void)p;
    return 0;
#endif
}

static void sg__plan_tiling(const stylegan_model *m, const sg__step *s, sg__plan *p) {
    sg__tiling *t = &p->tiling;
    int up = s->op == SG__SCATTER, height = s->input->height, width = s->input->width;
    int fits = (height % 4 == 0 && width % 4 == 0) || s->pad == 2; /* around larger maps is room for parts of tiles */
    t->phases = 1;
    if (sg__plan_matrices(m, s, p)) {
        t->own = sg__borrows(p) || (!p->whole && sg__weights_fit(m, s, t, m->budget->prepared_floats));
    } else if (SG__WINOGRAD && m->budget->tiles && s->kernel == 3 && fits) {
        sg__number_points(t, up ? 5 : 6, up ? SG__PHASES : 1, up && !s->nearest);
        t->down = up ? height / 4 + 1 : (s->height + 3) / 4;
        t->tiles = t->across = up ? width / 4 + 1 : (s->width + 3) / 4;
        t->own = t->tiles >= 8 && sg__weights_fit(m, s, t, m->budget->prepared_floats);
        if (!sg__tiles_pay(m, s, t)) {
            sg__number_points(t, 0, 1, 0);
            t->own = 0;
        }
    }
    p->steers = sg__is_tiled(t) && s->affine_weight.data;
    uint64_t kept = m->budget->prepared_floats;
    int keeps = !p->whole;
    if (SG__IF_BATCH(m->batch > 1, 0) && sg__is_shared(m, s) && !sg__is_together(m, s)) {
        kept = sg__most(kept, SG__SHARED_FLOATS);
        keeps = 1;
    }
    keeps &= sg__weights_fit(m, s, t, kept);
#if SG__MATRIX_UNITS
    p->borrows &= !keeps;
#endif
    p->prepared = t->own || keeps;
    if (SG__WINOGRAD && t->own) sg__cut_own_strips(m, s, t);
    if (sg__is_tiled(t)) sg__cut_strips(m, s, p->whole, t);
}

/* --- Maps --- */

/* Whether a step's map is kept in 16 bits: all are but images, which are small, and t, where whole steps share it or matrix
   units write it faster than it could be narrowed. */
static int sg__is_half(const stylegan_model *m, const sg__step *s) {
    const sg__plan *p = sg__plan_of(m, s);
    int stays_wide = s->op == SG__IMAGE || (s->op == SG__SCATTER && (p->whole || sg__terms(&p->tiling)));
    return m->precision == STYLEGAN_PRECISION_FAST && !stays_wide;
}

/* Whether a step reads its input in 16 bits, as it splits it or, for an image, a few pixels at a time: where matrix units are
   memory is slow, and small processors are spared the code. */
static int sg__reads_half(const stylegan_model *m, const sg__step *s) {
    if (!SG__MATRIX_UNITS || !sg__is_half(m, s->input)) return 0;
    return s->op == SG__IMAGE || sg__terms(&sg__plan_of(m, s)->tiling);
}

/* Floats of memory that a map takes. */
static uint64_t sg__map_floats(const stylegan_model *m, const sg__step *s) {
    const sg__map *map = &m->maps[s->number];
    uint64_t values = (uint64_t)map->blocks * (uint64_t)map->capacity * map->kept;
    return sg__is_half(m, s) ? (values + 1) / 2 : values;
}

static void sg__shape_map(const stylegan_model *m, const sg__step *s, sg__map *map) {
    size_t lanes = (size_t)sg__kernels_of(m)->lanes, border = (size_t)s->border, pixels = (size_t)s->width;
    if (border > 1) pixels += 3; /* the rest of a tile, of this map or of one computed from it */
    if (s->op == SG__SCATTER) {  /* whole tiles, and room for the filter on both sides */
        const sg__step *filter = s + 1;
        int before = filter->pad_column, after = filter->width - 1 + filter->filter->width - before - s->width;
        border = (size_t)sg__clip(before > after ? before : after, 1, SG__MAX_FIR + 1);
        if (sg__points(&sg__plan_of(m, s)->tiling)) pixels = 8 * ((size_t)s->input->width / 4 + 1);
        if (sg__terms(&sg__plan_of(m, s)->tiling)) pixels = 2 * (size_t)sg__pitch(s);
    }
    STYLEGAN_MEMSET(map, 0, sizeof *map);
    map->blocks = sg__blocks_of(m, s->channels);
    map->border = border * lanes;
    map->row = (pixels + 2 * border) * lanes;
    map->kept = sg__is_half(m, s) ? (size_t)s->width * lanes : map->row;
}

static int sg__uses(const stylegan_model *m, const sg__step *s, int map) {
    return s && m->plans[s->number].map == map;
}

/* The last step that reads a map: SCATTER while its FILTER runs, windows until the end. */
static int sg__last_reader(const stylegan_model *m, int map) {
    int last = map;
    for (int i = map + 1; i < m->step_count; i++) {
        const sg__step *s = &m->steps[i];
        if (!sg__uses(m, s->input, map) && !sg__uses(m, s->side, map)) continue;
        last = !m->plans[i].whole ? m->step_count : s->op == SG__SCATTER ? i + 1 : i;
    }
    return last;
}

/* A convolution that is the last to read a map of the same shape writes over it. What it writes trails what it still
   has to read: a strip of rows y is computed from rows y - 1 to y + 1 of x, which lie `ahead` rows further on:

      row of the buffer   0        y             y + ahead                 height + ahead
                          | output |             |  x, still to be read    |
                                   ^ writes here ^ reads from here on (its row y)

   Tiles that all parts share are transformed before anything is written, and rows that are kept in 16 bits widened, unless
   they are split: then one row is enough. Otherwise other parts may be a strip further on, or behind. Returns whether this is
   such a step. */
static int sg__overwrite(stylegan_model *m, int i) {
    const sg__step *s = &m->steps[i];
    sg__plan *p = &m->plans[i];
    if (s->op != SG__CONV) return 0;
    int x = m->plans[s->input->number].map;
    if (m->plans[x].buffer == SG__OWN || sg__last_reader(m, x) > i || (x < sg__together(m)) != (i < sg__together(m)))
        return 0;
    if (m->maps[x].row != m->maps[i].row || m->maps[x].capacity != s->height) return 0;
    int first = (sg__is_half(m, s) && !sg__reads_half(m, s)) || (sg__is_tiled(&p->tiling) && !p->tiling.own);
    int ahead = first ? 1 : p->strip + 1;
    for (int k = x; k < i; k++) {
        if (m->plans[k].map != x) continue;
        m->plans[k].ahead = ahead;
        m->maps[k].capacity = s->height + ahead;
    }
    m->maps[i].capacity = s->height + ahead;
    p->buffer = m->plans[x].buffer;
    return 1;
}

/* The first step whose map is a window; the number of steps if there is none, 0 if whole ones follow it: then no buffer
   is ever free for windows. */
static int sg__first_window(const stylegan_model *m) {
    int first = m->step_count;
    for (int i = 0; i < m->step_count - 1; i++) {
        if (sg__holds_all(m, &m->steps[i])) {
            if (first < i) return 0;
        } else if (first > i && !m->plans[i].whole) {
            first = i;
        }
    }
    return first;
}

/* Gives every whole map but the last image, which leaves by rows, a buffer that nothing needs any more: the largest
   such, or a new one. Images, which are small, have buffers of their own. */
static void sg__place_maps(stylegan_model *m) {
    int until[SG__BUFFERS], images[SG__BUFFERS], count = 0;
    uint64_t floats[SG__BUFFERS];
    m->crowded = 0;
    for (int i = 0; i < m->step_count - 1; i++) {
        const sg__step *s = &m->steps[i];
        sg__plan *p = &m->plans[i];
        if (SG__IF_BATCH(i == m->together, 0)) { /* what has been drawn of the other images stays */
            m->image_buffers = count;
            for (int k = 0; k < count; k++) until[k] = m->step_count;
        }
        if (!sg__holds_all(m, s)) continue;
        m->maps[i].capacity = sg__is_tiled(&p->tiling) ? sg__unit_rows(m, s) * p->tiling.down : s->height;
        if (s->op == SG__NORM) {
            p->map = m->plans[s->input->number].map;
            p->buffer = m->plans[p->map].buffer;
            m->maps[i].capacity = m->maps[p->map].capacity;
        } else if (!sg__overwrite(m, i)) {
            int image = s->op == SG__IMAGE, best = -1;
            for (int k = 0; k < count; k++) {
                if (images[k] == image && until[k] < i && (best < 0 || floats[k] > floats[best])) best = k;
            }
            if (SG__MAY_CROWD && best < 0 && count == SG__BUFFERS) { /* more than any network of the papers: refused */
                m->crowded = 1;
                best = 0;
            } else if (best < 0) {
                best = count++;
                floats[best] = 0;
                images[best] = image;
            }
            p->buffer = best;
            floats[best] = sg__most(floats[best], sg__map_floats(m, s));
        }
        until[p->buffer] = sg__last_reader(m, p->map);
    }
    if (SG__IF_BATCH(m->together == m->step_count - 1, 0)) m->image_buffers = count;
    m->dead_buffers = 0;
    for (int k = 0, first = sg__first_window(m); k < count; k++)
        if (until[k] < first) m->dead_buffers |= 1u << k;
}

/* --- The whole plan --- */

static int sg__resolution(const sg__step *s) {
    return s->height > s->width ? s->height : s->width;
}

/* Whether all of a map may be held: of low resolution, and not too large even so. */
static int sg__is_small(const stylegan_model *m, const sg__step *s) {
    uint64_t floats = (uint64_t)s->height * (uint64_t)s->width * sg__padded(m, s->channels);
    return sg__resolution(s) < m->budget->strips_from && floats <= SG__WHOLE_FLOATS;
}

/* Whether all of a map must be held: a NORM's, unless it may be computed twice. */
static int sg__stays_whole(const stylegan_model *m, const sg__step *s) {
    return s->op == SG__NORM && (s->pixel_norm || !m->budget->twice);
}

/* Whether it is a NORM whose map is a window: its input is computed once for the moments and again for its rows. */
static int sg__computes_twice(const stylegan_model *m, const sg__step *s) {
    return s->op == SG__NORM && !sg__plan_of(m, s)->whole;
}

/* Rows of the image handed to the callback at a time: a row of the last step at least. */
static int sg__band_rows(const stylegan_model *m) {
    int least = m->step_count ? 1 << m->steps[m->step_count - 1].repeat : 1;
    return least > m->budget->strip_rows ? least : m->budget->strip_rows;
}

/* Rows of a 1x1 convolution: every panel of outputs reads its input, which should stay in the second-level cache. */
static int sg__cached_rows(const stylegan_model *m, const sg__step *s, int most) {
    uint32_t row = (uint32_t)s->width * (uint32_t)sg__padded(m, s->in);
    return sg__clip((int)(SG__OWN_FLOATS / row), 1, most);
}

/* Floats of a row of differences, of one channel block. */
static size_t sg__difference_row(const stylegan_model *m, const sg__step *s) {
    return ((size_t)s->input->width + 2) * (size_t)sg__kernels_of(m)->lanes;
}

/* What a step at work holds that no other needs, in floats: t of a whole SCATTER and its FILTER, rows of input, side and
   output of maps that are kept in 16 bits, and transformed inputs or differences. One room serves all steps. */
typedef struct sg__room {
    uint64_t scattered, in, side, out, transformed;
} sg__room;

/* Rows at work of a map, if it is kept in 16 bits. */
static uint64_t sg__staged_floats(const stylegan_model *m, const sg__step *s, int rows) {
    const sg__map *map = s ? &m->maps[s->number] : NULL;
    return map && sg__is_half(m, s) ? (uint64_t)map->blocks * map->row * (uint64_t)rows : 0;
}

/* Rows of tiles, or of doubled pixels, that all parts share. */
static uint64_t sg__transformed_floats(const stylegan_model *m, const sg__step *s) {
    const sg__plan *p = sg__plan_of(m, s);
    const sg__tiling *t = &p->tiling;
    uint64_t tiles = (uint64_t)t->across * (uint64_t)t->strip + 2 * (uint64_t)sg__kernels_of(m)->pixels;
    if (sg__doubles(s, t)) {
        uint64_t strip = (uint64_t)sg__clip(p->strip / 2, 1, s->input->height);
        return (3 * strip + 2) * (uint64_t)sg__blocks_of(m, s->in) * sg__difference_row(m, s);
    }
    if (sg__terms(t)) return t->own ? 0 : sg__strip_terms(m, s, t, t->strip);
    return sg__points(t) && !t->own ? (uint64_t)t->total * sg__spaced(m, (uint64_t)sg__blocks_of(m, s->in) * tiles) : 0;
}

static sg__room sg__room_of(const stylegan_model *m, const sg__step *s) {
    const sg__plan *p = sg__plan_of(m, s);
    const sg__step *t = s->op == SG__FILTER ? s->input : s;
    sg__room room = {0, 0, 0, 0, 0};
    if (t->op == SG__SCATTER && sg__plan_of(m, t)->whole) room.scattered = sg__map_floats(m, t);
    if (s->op == SG__CONV || s->op == SG__SCATTER) room.transformed = sg__transformed_floats(m, s);
    if (s->op == SG__NORM && p->whole) {
        room.out = sg__staged_floats(m, s, 1); /* to be shown */
        return room;
    }
    if (!s->input || !sg__reads_half(m, s)) room.in = sg__staged_floats(m, s->input, p->in_rows);
    room.side = sg__staged_floats(m, s->side, p->side_rows);
    room.out = sg__staged_floats(m, s, p->out_rows);
    return room;
}

/* The same before the windows' heights are known, of a step that works on p->strip rows. */
static uint64_t sg__likely_room(stylegan_model *m, const sg__step *s) {
    sg__plan *p = &m->plans[s->number];
    int up = s->op == SG__SCATTER, filter = s->op == SG__FILTER ? s->filter->height : 0;
    p->in_rows = up ? p->strip / 2 + 2 : p->strip + (filter ? filter : s->kernel) - 1;
    p->in_rows = sg__clip(p->in_rows, 0, s->input ? s->input->height : 0);
    p->out_rows = sg__clip(p->strip, 0, s->height);
    if (up) m->maps[s->number].capacity = p->strip + s[1].filter->height - 1;
    sg__room room = sg__room_of(m, s);
    p->in_rows = p->out_rows = m->maps[s->number].capacity = 0;
    return room.scattered + room.in + room.out + room.transformed;
}

#ifndef STYLEGAN_NO_BATCH
/* The number of steps, the first ones and of low resolution, that are computed for all images of a batch at once: few
   pixels make the weights, which are then prepared once, the most work. What is behind is drawn image by image. */
static int sg__count_together(const stylegan_model *m) {
    int i = 0;
    while (m->batch > 1 && i < m->step_count - 1) {
        const sg__step *s = &m->steps[m->steps[i].op == SG__SCATTER ? i + 1 : i]; /* with its FILTER */
        uint64_t floats = (uint64_t)m->batch * (uint64_t)s->height * (uint64_t)s->width * sg__padded(m, s->channels);
        if (!m->plans[i].whole || floats > SG__TOGETHER_FLOATS) break;
        i = s->number + 1;
    }
    return i;
}
#endif

/* Everything but the windows' heights, which are found out by going through the motions, see sg__choose_budget. */
static void sg__plan_steps(stylegan_model *m, const sg__budget *budget) {
    m->budget = budget;
    for (int i = 0; i < m->step_count; i++) {
        const sg__step *s = &m->steps[i];
        sg__plan *p = &m->plans[i];
        STYLEGAN_MEMSET(p, 0, sizeof *p);
        p->map = i;
        p->buffer = SG__OWN;
        p->whole = s->op != SG__SCATTER && (sg__stays_whole(m, s) || sg__is_small(m, s));
    }
    for (int i = m->step_count - 1; i >= 0;
         i--) { /* NORM needs all of what it normalises; SCATTER goes with its FILTER, CONV with its FILTERED */
        const sg__step *s = &m->steps[i];
        if ((s->op == SG__NORM || s->op == SG__FILTER) && m->plans[i].whole) m->plans[s->input->number].whole = 1;
        if (s->op == SG__FILTERED) m->plans[s->input->number].whole = m->plans[i].whole;
    }
    m->together = SG__IF_BATCH(sg__count_together(m), 0);
    for (int i = 0; i < m->step_count; i++) {
        const sg__step *s = &m->steps[i];
        sg__plan *p = &m->plans[i];
        p->strip = i == m->step_count - 1 ? sg__band_rows(m) >> s->repeat : budget->strip_rows;
        p->prepared = s->op == SG__IMAGE;
        if (s->op == SG__CONV || s->op == SG__SCATTER) sg__plan_tiling(m, s, p);
        if (sg__is_tiled(&p->tiling)) p->strip = p->tiling.strip * sg__unit_rows(m, s);
        if (s->op == SG__FILTERED && p->whole && !sg__is_half(m, s)) p->strip = s->height;
        if (s->op == SG__CONV && s->kernel == 1) p->strip = sg__cached_rows(m, s, p->strip);
        sg__shape_map(m, s, &m->maps[i]);
        int least = sg__clip(budget->strip_rows, sg__unit_rows(m, s), 2);
        if (p->strip < least && !s->repeat) p->strip = least; /* a repeated row fills the band */
        while (budget->room_floats && p->strip > least && !sg__is_tiled(&p->tiling) &&
               sg__likely_room(m, s) > budget->room_floats)
            p->strip /= 2;
        m->maps[i].begin = m->maps[i].end = sg__origin(m, s); /* t begins where something is */
    }
    sg__place_maps(m);
}

/* >>workspace

   Where: sizes from the plan, computed once; one layout function, run with memory NULL for the total and again for the
   pointers. */

struct sg__sizes { /* in floats */
    uint64_t buffers[SG__BUFFERS];
    uint64_t rooms, zeros;      /* of the largest room of a step at work */
    uint64_t image_rooms;       /* the same of steps that are computed for all images of a batch at once, of each */
    uint64_t channels, moments; /* of normalised maps */
    uint64_t input, vector;     /* of the mapping */
    uint64_t band;
#if SG__MATRIX_UNITS
    uint64_t borrowed;
#endif
    uint64_t panel, weights, products, own, squared, noise, row, above, spread, resampled, normed; /* of each part */
    size_t bytes; /* the workspace in all */
};

static void sg__grow(uint64_t *size, uint64_t floats) {
    *size = sg__most(*size, floats);
}

static void sg__measure_mapping(const stylegan_model *m, sg__sizes *z) {
    const stylegan_config *c = &m->config;
    int embed = c->c_dim ? m->embed_weight.columns : 0;
    z->input = (uint64_t)(c->z_dim + embed) + (uint64_t)sg__kernels_of(m)->lanes;
    sg__grow(&z->input, (uint64_t)c->w_dim);
    uint64_t latents = (uint64_t)m->budget->latents;
    z->vector = latents * sg__padded(m, c->z_dim + embed);
    for (int i = 0; i < c->mapping_layers; i++) {
        sg__grow(&z->vector, latents * sg__padded(m, m->mapping[i].out));
        sg__grow(&z->panel, (uint64_t)m->mapping[i].in * sg__panel_width(m));
    }
}

/* Pixels whose products a part holds while it doubles them. */
static int sg__doubled_pixels(const stylegan_model *m, const sg__step *s) {
    return sg__clip(2 * sg__kernels_of(m)->pixels, 1, s->input->width);
}

/* What multiplying takes. */
static void sg__measure_products(const stylegan_model *m, const sg__step *s, const sg__plan *p, sg__sizes *z) {
    const sg__tiling *t = &p->tiling;
    int taps = s->kernel * s->kernel + sg__summed_taps(s, t) + sg__steers(p), points = sg__points(t) * sg__points(t);
    uint64_t vectors = (uint64_t)sg__vectors(m), tap = sg__tap(m, s, sg__vectors(m));
    uint64_t chunk = (uint64_t)t->across * (uint64_t)t->chunk, tiles = chunk + 2 * (uint64_t)sg__kernels_of(m)->pixels;
    sg__grow(&z->panel, (uint64_t)taps * tap);
    if (sg__steers(p)) sg__grow(&z->squared, sg__padded(m, s->in));
    if (sg__is_tiled(t) || s->nearest) sg__grow(&z->zeros, m->maps[s->input->number].row);
    if (sg__doubles(s, t)) sg__grow(&z->products, 9 * sg__panel_width(m) * (uint64_t)sg__doubled_pixels(m, s));
    if (sg__terms(t)) {
        if (t->own) sg__grow(&z->own, sg__strip_terms(m, s, t, t->chunk));
        for (int i = 0; !p->prepared && i < t->phases; i++)
            sg__grow(&z->weights, (uint64_t)sg__phase_taps(s, t, i) * sg__prepared_tap(m, s, t, sg__vectors(m)));
        return;
    }
    if (!sg__points(t)) return;
    if (t->own) sg__grow(&z->own, (uint64_t)points * sg__spaced(m, (uint64_t)sg__blocks_of(m, s->in) * tiles));
    sg__grow(&z->products, (uint64_t)points * sg__spaced(m, vectors * chunk));
    if (!p->prepared) sg__grow(&z->weights, (uint64_t)points * tap);
}

/* Floats of a row of the image below ToRGB, with room for the filter on both sides, and of an up-sampled one to be added. */
static uint64_t sg__spread_floats(const stylegan_model *m, const sg__step *s) {
    uint64_t pixels = (uint64_t)s->side->width + 2 * ((uint64_t)s->filter->width + 1);
    if (!s->filter->separable) pixels += (uint64_t)s->width;
    return pixels * (uint64_t)sg__kernels_of(m)->lanes;
}

static int sg__norm_strips(const sg__step *s) {
    return sg__clip(s->height / 4, 1, SG__STRIPS);
}

enum { SG__COLUMNS = 128 }; /* pixels of a row of a FILTERED computed at a time */

/* Pixels of the map before up-sampling that each output of it sees, along an axis. */
static int sg__up_reach(const sg__resampling *r) {
    return (r->up_taps + r->up - 1) / r->up;
}

/* Groups of `up` pixels that `columns` outputs and a beginning within the first group need. */
static int sg__up_groups(const sg__resampling *r, int columns) {
    return (r->down * (columns - 1) + r->down_taps + 2 * (r->up - 1)) / r->up;
}

/* A row before and one after up-sampling, and the ring of rows that the second filter sums. */
static uint64_t sg__resampled_pixels(const sg__step *s) {
    const sg__resampling *r = &s->resampling;
    int columns = sg__clip(s->width, 1, SG__COLUMNS), groups = sg__up_groups(r, columns);
    uint64_t wide = (uint64_t)groups * (uint64_t)r->up, taps = (uint64_t)r->down_taps;
    return (uint64_t)(groups + sg__up_reach(r) - 1) + wide + taps * (r->radial ? wide : (uint64_t)columns);
}

static void sg__measure_step(const stylegan_model *m, const sg__step *s, sg__sizes *z) {
    const sg__plan *p = sg__plan_of(m, s);
    const sg__map *map = &m->maps[s->number];
    uint64_t lanes = (uint64_t)sg__kernels_of(m)->lanes, channels = (uint64_t)map->blocks * lanes;
    if (p->buffer != SG__OWN) sg__grow(&z->buffers[p->buffer], sg__map_floats(m, s));
    sg__room room = sg__room_of(m, s);
    sg__grow(sg__is_together(m, s) ? &z->image_rooms : &z->rooms,
             room.scattered + room.in + room.side + room.out + room.transformed);
    if (s->affine_weight.data) sg__grow(&z->panel, (uint64_t)m->config.w_dim * sg__panel_width(m));
    if (sg__has_weights(s)) sg__measure_products(m, s, p, z);
#if SG__MATRIX_UNITS
    if (p->borrows)
        sg__grow(&z->borrowed, (uint64_t)sg__panels(m, s->channels) * (uint64_t)sg__panel_floats(m, s, &p->tiling));
#endif
    if (s->noise.data) sg__grow(&z->noise, (uint64_t)s->width + lanes);
    if (s->op == SG__FILTER) sg__grow(&z->spread, m->maps[s->number - 1].row);
    if (s->op == SG__FOURIER) sg__grow(&z->resampled, 2 * (uint64_t)s->width * lanes);
    if (s->op == SG__FILTERED) sg__grow(&z->resampled, sg__resampled_pixels(s) * lanes);
    if (s->op == SG__DENSE) {
        sg__grow(&z->panel, (uint64_t)m->config.w_dim * sg__panel_width(m));
        sg__grow(&z->vector, sg__padded(m, s->weight.columns));
    }
    if (s->op == SG__NORM && p->whole) {
        sg__grow(&z->channels, channels);
        sg__grow(&z->moments, 2 * channels * (uint64_t)sg__norm_strips(s));
        if (sg__is_half(m, s)) {
            int rows = s->height / sg__norm_strips(s) + 1;
            sg__grow(&z->normed, map->row * (uint64_t)(s->pixel_norm && rows < map->blocks ? map->blocks : rows));
        }
    }
    if (s->op == SG__IMAGE) {
        sg__grow(&z->row, (uint64_t)s->width * channels);
        if (sg__reads_half(m, s)) sg__grow(&z->panel, sg__padded(m, s->in) * sg__panel_width(m));
        if (s->side && s->blend == 0) {
            sg__grow(&z->above, (uint64_t)s->width * lanes);
            sg__grow(&z->spread, sg__spread_floats(m, s));
        }
    }
}

static void sg__measure(const stylegan_model *m, sg__sizes *z) {
    const stylegan_config *c = &m->config;
    STYLEGAN_MEMSET(z, 0, sizeof *z);
    sg__measure_mapping(m, z);
    for (int i = 0; i < m->step_count; i++) sg__measure_step(m, &m->steps[i], z);
    z->band = (uint64_t)c->channels * (uint64_t)sg__band_rows(m) * (uint64_t)c->width;
}

typedef struct sg__arena {
    unsigned char *base; /* NULL: only the size is wanted */
    uint64_t used;
} sg__arena;

SG__APART static void *sg__arena_take(sg__arena *arena, uint64_t bytes) {
    uint64_t at = arena->used, limit = (uint64_t)1 << 60;
    arena->used = bytes > limit || at > limit ? 2 * limit : at + (bytes + SG__ALIGN - 1) / SG__ALIGN * SG__ALIGN;
    return arena->base ? arena->base + at : NULL;
}

SG__APART static float *sg__arena_floats(sg__arena *arena, uint64_t count) {
    return (float *)sg__arena_take(arena, count < (uint64_t)1 << 58 ? 4 * count : (uint64_t)1 << 62);
}

static unsigned char *sg__aligned(void *memory) {
    size_t misaligned = (size_t)((uintptr_t)memory % SG__ALIGN);
    return (unsigned char *)memory + (misaligned ? SG__ALIGN - misaligned : 0);
}

/* What one part needs for itself. */
typedef struct sg__scratch {
    float *panel;       /* [taps][I][Q][V] */
    float *weights;     /* the same after Winograd's transform, or in the terms of matrix units */
    float *products;    /* [points][Q][tiles or pixels][V] */
    float *transformed; /* as the workspace's, of its own strip */
    float *squares;     /* [Q][V] */
    float *squared;     /* [I]: a style's squares */
    float *noise;       /* [W] */
    float *row;         /* of the image, [ceil(C/V)][W][V] */
    float *above;       /* a vector's row of the image below, up-sampled: [W][V] */
    float *spread;      /* rows with room for the low-pass filter */
    float *resampled;   /* rows on their way through a FILTERED, or a FOURIER's waves */
    float *normed;      /* rows of a NORM that are kept in 16 bits */
} sg__scratch;

/* A step's parameters, unpacked: [ceil(C/V)][V] each, and prepared panels of weights. */
typedef struct sg__tables {
    float *weights, *scale, *bias, *strength;
} sg__tables;

typedef struct sg__workspace {
    sg__map *maps;               /* [step_count] the plan's maps, with their data */
    sg__tables *tables;          /* [step_count] */
    float *buffers[SG__BUFFERS]; /* whole maps */
    float *room;                 /* of the step at work, see sg__room */
    float *image_room;           /* the same where steps are computed for all images of a batch at once */
    size_t image;  /* floats between what images of a batch have for themselves: room, styles, tables, maps */
    float *zeros;  /* [W + 2][V]: a row above or below a map */
    float *styles; /* [style_floats] */
    float *mean, *scale, *shift; /* [C] each: AdaIN */
    float *moments;              /* [strips][blocks][2][V] */
    float *input, *vector[2];    /* the mapping's input, and [SG__LATENTS][width] twice */
    float *band;                 /* [C][rows][W]: finished rows for the callback */
#if SG__MATRIX_UNITS
    float *borrowed; /* prepared weights of the whole step at work */
#endif
    sg__scratch *scratch; /* [parts] */
} sg__workspace;

static sg__scratch sg__layout_scratch(const stylegan_model *m, sg__arena *arena) {
    const sg__sizes *z = m->sizes;
    sg__scratch s;
    s.panel = sg__arena_floats(arena, z->panel);
    s.weights = sg__arena_floats(arena, z->weights);
    s.products = sg__arena_floats(arena, z->products);
    s.transformed = sg__arena_floats(arena, z->own);
    s.squares = sg__arena_floats(arena, sg__panel_width(m));
    s.squared = sg__arena_floats(arena, z->squared);
    s.noise = sg__arena_floats(arena, z->noise);
    s.row = sg__arena_floats(arena, z->row);
    s.above = sg__arena_floats(arena, z->above);
    s.spread = sg__arena_floats(arena, z->spread);
    s.resampled = sg__arena_floats(arena, z->resampled);
    s.normed = sg__arena_floats(arena, z->normed);
    return s;
}

/* Whether a step has neither scale nor bias. */
static int sg__is_bare(const sg__step *s) {
    return s->op == SG__NORM || s->op == SG__FOURIER || s->op == SG__FILTERED ||
           ((s->op == SG__CONSTANT || s->op == SG__DENSE) && !s->bias.data);
}

static void sg__layout_buffers(const stylegan_model *m, sg__arena *arena, unsigned dead, sg__workspace *w) {
    for (int i = m->image_buffers; i < SG__BUFFERS; i++)
        if ((m->dead_buffers >> i & 1) == dead) w->buffers[i] = sg__arena_floats(arena, m->sizes->buffers[i]);
}

/* A step's tables, but for its weights. */
static void sg__layout_tables(const stylegan_model *m, int i, sg__arena *arena, const sg__workspace *w) {
    const sg__step *s = &m->steps[i];
    uint64_t channels = sg__is_bare(s) ? 0 : sg__padded(m, s->channels);
    sg__tables t;
    t.scale = sg__arena_floats(arena, s->op == SG__FILTER ? 0 : channels);
    t.bias = sg__arena_floats(arena, s->op == SG__SCATTER ? 0 : channels);
    t.strength = sg__arena_floats(arena, s->op == SG__SCATTER ? 0 : channels);
    t.weights = w->tables ? w->tables[i].weights : NULL;
    if (w->tables) w->tables[i] = t;
}

/* Its prepared weights. */
static void sg__layout_weights(const stylegan_model *m, int i, sg__arena *arena, const sg__workspace *w) {
    const sg__step *s = &m->steps[i];
    const sg__plan *p = &m->plans[i];
    float *weights = NULL;
    if (p->prepared && !sg__borrows(p)) {
        weights = sg__arena_floats(arena,
                                   (uint64_t)sg__panels(m, s->channels) * (uint64_t)sg__panel_floats(m, s, &p->tiling));
    }
#if SG__MATRIX_UNITS
    if (p->borrows) weights = w->borrowed;
#endif
    if (sg__computes_twice(m, s)) weights = sg__arena_floats(arena, 3 * sg__padded(m, s->channels));
    if (s->op == SG__FILTERED) { /* its taps */
        const sg__resampling *r = &s->resampling;
        weights = sg__arena_floats(arena, (uint64_t)(r->up * sg__up_reach(r)) +
                                              (uint64_t)(r->down_taps * (r->radial ? r->down_taps : 1)));
    }
    if (w->tables) w->tables[i].weights = weights;
}

/* A step's map, of its own or in a buffer. */
static void sg__layout_map(const stylegan_model *m, int i, sg__arena *arena, const sg__workspace *w) {
    const sg__step *s = &m->steps[i];
    const sg__plan *p = &m->plans[i];
    const sg__map *plan = &m->maps[i];
    float *data = sg__is_together(m, s) ? w->image_room : w->room; /* t of a whole SCATTER */
    if (p->buffer != SG__OWN) {
        data = w->buffers[p->buffer];
    } else if (i == m->step_count - 1) {
        data = NULL;
    } else if (s->op != SG__SCATTER || !p->whole) {
        data = sg__arena_floats(arena, sg__map_floats(m, s));
    }
    if (!w->maps) return;
    w->maps[i] = *plan;
    w->maps[i].image = sg__is_together(m, s) ? w->image : 0;
    if (data && sg__is_half(m, s))
        w->maps[i].half = (unsigned char *)data + 2 * (size_t)p->ahead * plan->kept;
    else if (data)
        w->maps[i].data = data + plan->border + (size_t)p->ahead * plan->row;
}

/* What an image of a batch has for itself, and room for the others'. */
static void sg__layout_images(const stylegan_model *m, sg__arena *arena, sg__workspace *w) {
    uint64_t begin = arena->used;
    w->styles = sg__arena_floats(arena, m->style_floats);
    w->image_room = sg__arena_floats(arena, m->sizes->image_rooms);
    for (int i = 0; i < SG__IF_BATCH(m->image_buffers, 0); i++)
        w->buffers[i] = sg__arena_floats(arena, m->sizes->buffers[i]);
    for (int i = 0; i < sg__together(m); i++) {
        if (!sg__is_shared(m, &m->steps[i])) sg__layout_weights(m, i, arena, w);
        sg__layout_tables(m, i, arena, w);
    }
    uint64_t bytes = arena->used - begin;
    for (int i = 1; i < SG__IF_BATCH(m->batch, 1); i++) sg__arena_take(arena, bytes);
    w->image = (size_t)(bytes / sizeof(float));
}

static size_t sg__layout(const stylegan_model *m, void *memory, sg__workspace *w) {
    const sg__sizes *z = m->sizes;
    sg__arena arena = {memory ? sg__aligned(memory) : NULL, 0};
    w->maps = (sg__map *)sg__arena_take(&arena, (uint64_t)m->step_count * sizeof(sg__map));
    w->tables = (sg__tables *)sg__arena_take(&arena, (uint64_t)m->step_count * sizeof(sg__tables));
    w->scratch = (sg__scratch *)sg__arena_take(&arena, (uint64_t)m->parts * sizeof(sg__scratch));
    sg__layout_buffers(m, &arena, 0, w);
    w->room = sg__arena_floats(&arena, z->rooms);
    w->zeros = sg__arena_floats(&arena, z->zeros);
    w->mean = sg__arena_floats(&arena, z->channels);
    w->scale = sg__arena_floats(&arena, z->channels);
    w->shift = sg__arena_floats(&arena, z->channels);
    w->moments = sg__arena_floats(&arena, z->moments);
    w->input = sg__arena_floats(&arena, z->input);
    for (int i = 0; i < 2; i++) w->vector[i] = sg__arena_floats(&arena, z->vector);
    w->band = sg__arena_floats(&arena, z->band);
#if SG__MATRIX_UNITS
    w->borrowed = sg__arena_floats(&arena, z->borrowed);
#endif
    for (int i = 0; i < m->parts; i++) {
        sg__scratch s = sg__layout_scratch(m, &arena);
        if (w->scratch) w->scratch[i] = s;
    }
    for (int i = 0; i < m->step_count; i++) {
        if (i >= sg__together(m) || sg__is_shared(m, &m->steps[i])) sg__layout_weights(m, i, &arena, w);
        if (i >= sg__together(m)) sg__layout_tables(m, i, &arena, w);
    }
    sg__layout_images(m, &arena, w);
    /* windows lie where buffers have lain that are no longer needed */
    uint64_t begin = arena.used;
    sg__layout_buffers(m, &arena, 1, w);
    uint64_t end = arena.used;
    arena.used = begin;
    for (int i = 0; i < m->step_count; i++) sg__layout_map(m, i, &arena, w);
    uint64_t total = sg__most(arena.used, end) + SG__ALIGN; /* the caller's memory may be aligned to less */
    return total > (uint64_t)((size_t)-1) / 2 ? (size_t)-1 : (size_t)total;
}

/* >>operations

   For each kind of step: which rows of its inputs it needs for some rows of its output, and how it computes these rows.
   What a step needs is there when it is called. */

/* Multiplications, as sg__own_work counts them, for the progress. */
typedef struct sg__clock {
    double all, done;
    float ahead; /* done of the strip that is not finished; floats, which small processors add themselves */
    float since; /* the caller has heard of it */
    float shown; /* the share that the caller has heard of last */
    int cancelled;
} sg__clock;

typedef struct sg__call {
    const stylegan_model *model;
    const sg__workspace *workspace;
    const stylegan_run *run;
    stylegan_error *error;
    const float *all_ws; /* [count][L][D] */
    float *images;       /* [count][C][H][W] or NULL */
    int first, together; /* image of those drawn together, and their number */
    int index, slot;     /* of the image at work, among all and among these */
    const float *ws;     /* its [L][D] */
    float *image;        /* its [C][H][W] or NULL */
    sg__clock *clock;
    sg__map in, side, out; /* of the step at work, see sg__stage */
    float *transformed;    /* its transformed inputs */
    int measuring;         /* rows are wanted for moments only */
} sg__call;

/* Images for which a step is computed at once. */
static int sg__images(const sg__call *call, const sg__step *s) {
    (void)call, (void)s;
    return SG__IF_BATCH(sg__is_together(call->model, s) ? call->together : 1, 1);
}

/* Turns to an image of those drawn together. */
static void sg__select(sg__call *call, int slot) {
    const stylegan_config *c = &call->model->config;
    size_t at = (size_t)(call->first + slot);
    call->slot = slot;
    call->index = call->first + slot;
    call->ws = call->all_ws + at * (size_t)c->num_ws * (size_t)c->w_dim;
    if (call->images) call->image = call->images + at * (size_t)c->channels * (size_t)c->height * (size_t)c->width;
}

/* Floats from what the first image has for itself to what another has. */
static size_t sg__image_at(const sg__call *call, int slot) {
    (void)call, (void)slot;
    return SG__IF_BATCH((size_t)slot * call->workspace->image, 0);
}

static void sg__shift_map(sg__map *map, size_t floats) {
    if (map->half) map->half += floats * sizeof(float);
    if (map->data) map->data += floats;
}

static void sg__shift_tables(sg__tables *t, size_t floats, int shared) {
    t->scale += floats;
    t->bias += floats;
    t->strength += floats;
    if (!shared && t->weights) t->weights += floats;
}

static sg__map sg__map_of(const sg__call *call, const sg__step *s) {
    sg__map map = call->workspace->maps[s->number];
    if (SG__IF_BATCH(map.image, 0)) sg__shift_map(&map, sg__image_at(call, call->slot));
    return map;
}

static sg__tables sg__tables_of(const sg__call *call, const sg__step *s) {
    sg__tables tables = call->workspace->tables[s->number];
    if (sg__is_together(call->model, s))
        sg__shift_tables(&tables, sg__image_at(call, call->slot), sg__is_shared(call->model, s));
    return tables;
}

static float *sg__room_at(const sg__call *call, const sg__step *s) {
    const sg__workspace *w = call->workspace;
    return sg__is_together(call->model, s) ? w->image_room + sg__image_at(call, call->slot) : w->room;
}

/* Of one of the images drawn together. */
static float *sg__style_in(const sg__call *call, const sg__step *s, int slot) {
    return s->affine_weight.data ? call->workspace->styles + s->style + sg__image_at(call, slot) : NULL;
}

static const float *sg__style_of(const sg__call *call, const sg__step *s) {
    return sg__style_in(call, s, call->slot);
}

static float *sg__row_of(const sg__map *map, int block, int y) {
    return map->data + (size_t)block * map->block + (size_t)(y - map->begin) * map->row;
}

static unsigned char *sg__half_row(const sg__map *map, int block, int y) {
    return map->half + 2 * ((size_t)block * map->block + (size_t)(y - map->begin) * map->kept);
}

/* The step with a layer's weights and style. */
static const sg__step *sg__steered(const sg__step *s) {
    return s->op == SG__FILTER || s->op == SG__FILTERED ? s->input : s;
}

typedef struct sg__rows {
    int first, last; /* [first, last) */
} sg__rows;

static sg__rows sg__clip_rows(int first, int last, int least, int most) {
    sg__rows rows;
    rows.first = sg__clip(first, least, most);
    rows.last = sg__clip(last, least, most);
    return rows;
}

static void sg__parallel(const stylegan_model *m, int count, sg__item_fn *run, void *context) {
    sg__job job = {run, context, count, count < m->parts ? count : m->parts, 0};
    if (job.parts > 1) {
        m->parallel(m->parallel_user, job.parts, sg__job_part, &job);
    } else if (job.parts == 1) {
        sg__job_part(&job, 0);
    }
}

/* --- Progress --- */

/* Multiplications of a pixel and channel of what StyleGAN 3's filters and activation make. */
static float sg__resampling_work(const sg__resampling *r) {
    float down = (float)r->down, taps = (float)r->down_taps, reach = (float)sg__up_reach(r);
    float wide = reach * down * (1 + 1.0f / (float)r->up); /* of a row of the ring, up-sampled along both axes */
    return r->radial ? down * wide + taps * taps / (float)(1 + r->folded) : down * (wide + taps) + taps;
}

/* Multiplications of a row of a step's output, but for those of its input. */
static float sg__own_work(const sg__step *s) {
    float each = 2;
    if (sg__has_weights(s)) each = (float)(s->in * s->kernel * s->kernel);
    if (s->op == SG__FILTER)
        each =
            (float)(s->filter->separable ? s->filter->height + s->filter->width : s->filter->height * s->filter->width);
    if (STYLEGAN_FAMILIES & 4 && s->op == SG__FILTERED) each = sg__resampling_work(&s->resampling);
    return each * (float)(s->width * s->channels);
}

static void sg__report(const sg__call *call) {
    sg__clock *clock = call->clock;
    double done = clock->done + (double)clock->ahead;
    float share = done < clock->all ? (float)(done / clock->all) : 1.0f;
    if (!call->run->progress || clock->cancelled || share <= clock->shown) return;
    clock->since = 0;
    clock->shown = share;
    clock->cancelled = call->run->progress(call->run->user, share) != 0;
}

/* A part of a strip, or of the styles, has been computed. Where one thread draws, which may be all that a small processor
   has, a watchdog waits for the next report. Returns whether to stop. */
static int sg__tick(const sg__call *call, float work) {
    sg__clock *clock = call->clock;
    if (call->model->parts > 1) return 0;
    clock->ahead += work;
    clock->since += work;
    if (clock->since >= (float)SG__TICK) sg__report(call);
    return clock->cancelled;
}

/* --- Maps kept in 16 bits: the rows at work, in 32 bits --- */

/* Rows [first, last) of a map in `memory`, all blocks, or of one block alone, which is then `memory`'s first. */
static sg__map sg__staged_map(const sg__map *map, float *memory, int first, int last, int block) {
    sg__map staged = *map;
    staged.half = NULL;
    staged.begin = first;
    staged.end = last;
    staged.capacity = last - first;
    staged.block = map->row * (size_t)staged.capacity;
    staged.kept = map->row;
    staged.data = memory + map->border - (size_t)block * staged.block;
    return staged;
}

static void sg__widen_row(const sg__kernels *k, const sg__map *half, const sg__map *staged, int block, int y) {
    float *row = sg__row_of(staged, block, y);
    STYLEGAN_MEMSET(row - half->border, 0, half->border * sizeof(float));
    k->widen(sg__half_row(half, block, y), (int)half->kept, row);
    STYLEGAN_MEMSET(row + half->kept, 0, (half->row - half->border - half->kept) * sizeof(float));
}

static void sg__narrow_row(const sg__kernels *k, const sg__map *staged, const sg__map *half, int block, int y) {
    k->narrow(sg__row_of(staged, block, y), (int)half->kept, sg__half_row(half, block, y));
}

typedef struct sg__staging {
    const stylegan_model *model;
    const sg__map *half, *staged;
    int first, narrow; /* row; which way */
} sg__staging;

static void sg__staging_item(void *context, int item, int part) {
    const sg__staging *job = (const sg__staging *)context;
    int block = item % job->half->blocks, y = job->first + item / job->half->blocks;
    (void)part;
    if (job->narrow)
        sg__narrow_row(sg__kernels_of(job->model), job->staged, job->half, block, y);
    else
        sg__widen_row(sg__kernels_of(job->model), job->half, job->staged, block, y);
}

/* Input, side and output of a step that computes rows [begin, end): as they are, or rows of them in 32 bits. */
static void sg__stage(sg__call *call, const sg__step *s, const sg__rows *in, const sg__rows *side, int begin, int end) {
    const stylegan_model *m = call->model;
    const sg__step *steps[2];
    const sg__rows *rows[2];
    sg__map *maps[2];
    steps[0] = s->input;
    steps[1] = s->side;
    rows[0] = in;
    rows[1] = side;
    maps[0] = &call->in;
    maps[1] = &call->side;
    int in_place = s->op == SG__NORM && sg__plan_of(m, s)->whole;
    sg__room room = sg__room_of(m, s);
    float *memory[3];
    memory[0] = sg__room_at(call, s) + room.scattered;
    memory[1] = memory[0] + room.in;
    memory[2] = memory[1] + room.side;
    call->transformed = memory[2] + room.out;
    STYLEGAN_MEMSET(&call->side, 0, sizeof call->side);
    for (int i = 0; i < 2 && !in_place; i++) {
        if (!steps[i]) continue;
        const sg__map map = sg__map_of(call, steps[i]);
        *maps[i] = map;
        if (!map.half || (i == 0 && sg__reads_half(m, s))) continue;
        *maps[i] = sg__staged_map(&map, memory[i], rows[i]->first, rows[i]->last, 0);
        sg__staging job = {m, &map, maps[i], rows[i]->first, 0};
        sg__parallel(m, map.blocks * (rows[i]->last - rows[i]->first), sg__staging_item, &job);
    }
    call->out = sg__map_of(call, s);
    if (call->out.half && !in_place) call->out = sg__staged_map(&call->out, memory[2], begin, end, 0);
}

/* Whether a step keeps its rows as it finishes them, if they are kept in 16 bits: for matrix units memory is slow, and small
   processors are spared the code. */
static int sg__narrows(const sg__step *s) {
    return SG__MATRIX_UNITS && (s->op == SG__CONV || s->op == SG__FILTER);
}

/* Keeps the rows that a step has computed. */
static void sg__keep(sg__call *call, const sg__step *s, int begin, int end) {
    if (sg__narrows(s)) return;
    const sg__map map = sg__map_of(call, s);
    sg__staging job = {call->model, &map, &call->out, begin, 1};
    if (map.half && (s->op != SG__NORM || !sg__plan_of(call->model, s)->whole))
        sg__parallel(call->model, map.blocks * (end - begin), sg__staging_item, &job);
}

/* --- Fully connected layers --- */

/* Makes a row of a 1x1 convolution, whose outputs follow each other, and runs it. */
static void sg__multiply_row(const sg__kernels *k, const float *input, size_t input_block, int channels,
                             const float *panel, int q, float *output, size_t output_vector, int width) {
    sg__row row;
    row.input = input;
    row.input_block = input_block;
    row.channels = channels;
    row.taps = 1;
    row.offset[0] = 0;
    row.panel[0] = panel;
    row.output = output;
    row.output_pixel = (size_t)k->lanes;
    row.output_vector = output_vector;
    row.width = width;
    k->convolve(&row, q);
}

/* A fully connected layer for up to SG__LATENTS inputs at once is a 1x1 convolution of an image one row high.
   x [ceil(I/V)][N][V], out [ceil(O/V)][N][V]. */
typedef struct sg__dense {
    const sg__tensor *weight, *bias; /* bias->data may be NULL */
    const float *input;
    float *output;
    int in, out, count;
    stylegan_activation activation;
    float gain;
} sg__dense;

static void sg__dense_panel(const stylegan_model *m, const sg__dense *d, int panel, const sg__scratch *s) {
    const sg__kernels *k = sg__kernels_of(m);
    int lanes = k->lanes, vectors = sg__vectors(m), first = panel * vectors, left = sg__blocks_of(m, d->out) - first;
    int q = left < vectors ? left : vectors;
    size_t block = (size_t)d->count * (size_t)lanes;
    float zero[SG__MAX_LANES], one[SG__MAX_LANES], bias[SG__MAX_LANES];
    for (int i = 0; i < lanes; i++) {
        zero[i] = bias[i] = 0;
        one[i] = 1;
    }
    STYLEGAN_MEMSET(s->squares, 0, (size_t)(q * lanes) * sizeof(float));
    k->panel(d->weight, 0, d->in, first * lanes, q, NULL, s->squares, s->panel);
    float *output = d->output + (size_t)first * block;
    sg__multiply_row(k, d->input, block, d->in, s->panel, q, output, block, d->count);
    for (int v = 0; v < q; v++) {
        int column = (first + v) * lanes, count = d->out - column < lanes ? d->out - column : lanes;
        if (d->bias->data) k->unpack(d->bias, 0, column, count, bias);
        sg__epilogue e = {one, bias, zero, NULL, NULL, d->activation, d->gain, 0};
        k->finish(output + (size_t)v * block, d->count, &e);
    }
}

typedef struct sg__dense_job {
    const stylegan_model *model;
    const sg__workspace *workspace;
    const sg__dense *layer;
} sg__dense_job;

static void sg__dense_item(void *context, int panel, int part) {
    const sg__dense_job *job = (const sg__dense_job *)context;
    sg__dense_panel(job->model, job->layer, panel, &job->workspace->scratch[part]);
}

static void sg__run_dense(const stylegan_model *m, const sg__workspace *w, const sg__dense *layer) {
    sg__dense_job job = {m, w, layer};
    sg__parallel(m, sg__panels(m, layer->out), sg__dense_item, &job);
}

/* Item: a panel of one of the affine maps, in the order of the steps. */
static void sg__style_item(void *context, int item, int part) {
    const sg__call *call = (const sg__call *)context;
    const stylegan_model *m = call->model;
    for (const sg__step *s = m->steps; s < m->steps + m->step_count; s++) {
        int panels = s->affine_weight.data ? sg__panels(m, s->affine_weight.columns) : 0;
        if (item < panels) {
            sg__dense d = {&s->affine_weight,
                           &s->affine_bias,
                           call->ws + (size_t)s->ws * (size_t)m->config.w_dim,
                           sg__style_in(call, s, call->slot),
                           m->config.w_dim,
                           s->affine_weight.columns,
                           1,
                           STYLEGAN_LINEAR,
                           1};
            sg__dense_panel(m, &d, item, &call->workspace->scratch[part]);
            sg__tick(call, (float)m->config.w_dim * (float)(int)sg__panel_width(m));
            return;
        }
        item -= panels;
    }
}

/* All styles of an image at once: they depend on ws alone. */
static void sg__make_styles(sg__call *call) {
    const stylegan_model *m = call->model;
    int items = 0;
    for (int i = 0; i < m->step_count; i++) {
        const sg__tensor *weight = &m->steps[i].affine_weight;
        if (weight->data) items += sg__panels(m, weight->columns);
    }
    sg__parallel(m, items, sg__style_item, call);
    for (const sg__step *s = m->steps; call->run->style_offsets && s < m->steps + m->step_count; s++) {
        const float *offsets = s->affine_weight.data ? call->run->style_offsets[s->layer] : NULL;
        float *style = sg__style_in(call, s, call->slot);
        for (int i = 0; offsets && i < s->affine_weight.columns; i++) style[i] += offsets[i];
    }
}

/* --- A step at work --- */

typedef struct sg__work {
    const sg__call *call;
    const stylegan_model *model;
    const sg__step *step;
    const sg__plan *plan;
    int slot, index; /* which of the images: of those drawn together, of all */
    sg__tables tables;
    const float *scale;    /* [C]: the demodulation, of this step's weights or its SCATTER's */
    sg__map in, out, side; /* side.data NULL: none */
#if SG__MATRIX_UNITS
    sg__map kept; /* where what is in `out` is kept */
#endif
    int begin, end;           /* rows of its output */
    int tile_begin, tile_end; /* rows of tiles in `transformed` */
    int left, right;          /* columns of tiles */
    float *transformed;
    int panels, pieces; /* items of a job: panels of output channels x pieces of rows */
    int items;          /* of a job whose items each belong to one image: of each */
    int phase;          /* the one at work, or -1 for all */
    int chunk;          /* rows of tiles of a part's own strip */
} sg__work;

static sg__work sg__start(const sg__call *call, const sg__step *s, int begin, int end) {
    sg__work w;
    STYLEGAN_MEMSET(&w, 0, sizeof w);
    w.call = call;
    w.model = call->model;
    w.step = s;
    w.plan = sg__plan_of(call->model, s);
    w.tables = sg__tables_of(call, s);
    w.scale = s->op == SG__FILTER ? sg__tables_of(call, s->input).scale : w.tables.scale;
    w.slot = call->slot;
    w.index = call->index;
    w.in = call->in;
    w.side = call->side;
    w.out = call->out;
#if SG__MATRIX_UNITS
    w.kept = sg__map_of(call, s);
#endif
    w.begin = begin;
    w.end = end;
    w.right = w.plan->tiling.tiles;
    w.transformed = call->transformed;
    w.panels = sg__panels(call->model, s->channels);
    w.pieces = 1;
    w.phase = -1;
    return w;
}

/* The same step at work on another of the images, counted from this one. */
static sg__work sg__for_image(const sg__work *w, int image) {
    sg__work other = *w;
    size_t at = sg__image_at(w->call, image);
    if (SG__IF_BATCH(!image, 1)) return other;
    sg__shift_map(&other.in, at);
    sg__shift_map(&other.out, at);
#if SG__MATRIX_UNITS
    sg__shift_map(&other.kept, at);
#endif
    sg__shift_map(&other.side, at);
    sg__shift_tables(&other.tables, at, sg__is_shared(w->model, w->step));
    other.scale += at;
    other.transformed += at;
    other.slot += image;
    other.index += image;
    return other;
}

/* A panel of output channels in the hands of one part. */
typedef struct sg__panel {
    const sg__work *work;
    const sg__scratch *scratch;
    int first, q;                 /* vectors of output channels */
    const float *weights, *scale; /* [taps or points][I][q][V]; [q][V] */
} sg__panel;

static sg__panel sg__make_panel(const sg__work *w, const sg__scratch *s, int panel) {
    sg__panel p;
    int vectors = sg__vectors(w->model), left = sg__blocks_of(w->model, w->step->channels) - panel * vectors;
    p.work = w;
    p.scratch = s;
    p.first = panel * vectors;
    p.q = left < vectors ? left : vectors;
    p.weights = NULL;
    p.scale = w->scale + (size_t)(p.first * sg__kernels_of(w->model)->lanes);
    return p;
}

/* Item = a panel and a piece of the rows, in units of tile rows or rows. */
static sg__rows sg__piece(const sg__work *w, int item, int begin, int end) {
    int piece = item / w->panels;
    sg__rows rows;
    rows.first = begin + (end - begin) * piece / w->pieces;
    rows.last = begin + (end - begin) * (piece + 1) / w->pieces;
    return rows;
}

/* Runs a job on pieces of `units` rows, small enough that every part has enough to do. */
static void sg__run_pieces(sg__work *w, sg__item_fn *run, int units, int most) {
    int pieces = w->model->parts > 1 ? (4 * w->model->parts + w->panels - 1) / w->panels : 1;
    if (pieces > most) pieces = most;
    w->pieces = sg__clip(pieces, 1, units > 1 ? units : 1);
    sg__parallel(w->model, w->panels * w->pieces, run, w);
}

/* --- What ends a main layer --- */

static stylegan_noise_mode sg__noise_mode(const sg__call *call, const sg__step *s) {
    const stylegan_run *run = call->run;
    if (!s->noise.data) return STYLEGAN_NOISE_NONE;
    return run->layer_noise ? run->layer_noise[s->layer] : run->noise_mode;
}

/* Pixels [first, last) of a row of the layer's noise, or NULL. */
static const float *sg__noise_row(const sg__work *w, int y, int first, int last, const sg__scratch *scratch) {
    const sg__step *s = w->step;
    switch (sg__noise_mode(w->call, s)) {
    case STYLEGAN_NOISE_RANDOM:
        stylegan_random_normal(w->call->run->noise_seed + (uint64_t)w->index, s->stream,
                               (uint64_t)y * (uint64_t)s->width + (uint64_t)first, scratch->noise, last - first);
        return scratch->noise;
    case STYLEGAN_NOISE_CONST:
        sg__kernels_of(w->model)->unpack(&s->noise, (size_t)y, first, last - first, scratch->noise);
        return scratch->noise;
    default:
        return NULL;
    }
}

/* Zeros beside a row whose pixels [first, last) have been written. */
static void sg__close_row(const sg__map *map, const sg__step *s, float *row, int first, int last, size_t lanes) {
    size_t end = (size_t)last * lanes;
    if (first == 0) STYLEGAN_MEMSET(row - map->border, 0, map->border * sizeof(float));
    if (last == s->width) STYLEGAN_MEMSET(row + end, 0, (map->row - map->border - end) * sizeof(float));
}

/* Noise, bias, activation, gain, clamp and side of pixels [first, last) of row y; closes the row with zero pixels. */
static void sg__finish_row(const sg__panel *p, int y, int first, int last) {
    const sg__work *w = p->work;
    const sg__step *s = w->step;
    size_t lanes = (size_t)sg__kernels_of(w->model)->lanes, at = (size_t)first * lanes;
    const float *noise = sg__noise_row(w, y, first, last, p->scratch);
    for (int v = 0; v < p->q; v++) {
        size_t channel = (size_t)(p->first + v) * lanes;
        float *row = sg__row_of(&w->out, p->first + v, y);
        sg__epilogue e = {p->scale + (size_t)v * lanes,
                          w->tables.bias + channel,
                          w->tables.strength + channel,
                          noise,
                          w->side.data ? sg__row_of(&w->side, p->first + v, y) + at : NULL,
                          s->activation,
                          s->gain,
                          s->clamp};
        sg__kernels_of(w->model)->finish(row + at, last - first, &e);
        sg__close_row(&w->out, s, row, first, last, lanes);
#if SG__MATRIX_UNITS
        if (w->kept.half && sg__narrows(s)) {
            unsigned char *half = sg__half_row(&w->kept, p->first + v, y) + 2 * at;
            sg__kernels_of(w->model)->narrow(row + at, (last - first) * (int)lanes, half);
        }
#endif
    }
}

#if STYLEGAN_FAMILIES & 3
/* --- CONSTANT and DENSE: all rows at once --- */

/* Values of channels first, first + 1, ... of a pixel. */
static void sg__constant_pixel(const sg__work *w, int pixel, int first, int count, float *to) {
    const sg__step *s = w->step;
    int pixels = s->height * s->width;
    if (s->op == SG__CONSTANT) {
        sg__kernels_of(w->model)->unpack(&s->weight, (size_t)pixel, first, count, to);
        return;
    }
    for (int i = 0; i < count; i++) to[i] = w->call->workspace->vector[0][(first + i) * pixels + pixel];
}

static void sg__constant_rows(sg__call *call, const sg__step *s, int begin, int end) {
    const stylegan_model *m = call->model;
    sg__work w = sg__start(call, s, begin, end);
    int lanes = sg__kernels_of(m)->lanes, blocks = w.out.blocks;
    if (s->op == SG__DENSE) {
        sg__tensor no_bias = {NULL, NULL, STYLEGAN_F32, 0};
        sg__dense dense = {
            &s->weight, &no_bias,        call->ws, call->workspace->vector[0], m->config.w_dim, s->weight.columns,
            1,          STYLEGAN_LINEAR, 1};
        sg__run_dense(m, call->workspace, &dense);
    }
    for (int block = 0; block < blocks; block++) {
        int first = block * lanes, count = s->channels - first < lanes ? s->channels - first : lanes;
        STYLEGAN_MEMSET(sg__row_of(&w.out, block, 0) - w.out.border, 0, (size_t)s->height * w.out.row * sizeof(float));
        for (int pixel = 0; pixel < s->height * s->width; pixel++) {
            float *to = sg__row_of(&w.out, block, pixel / s->width) + pixel % s->width * lanes;
            sg__constant_pixel(&w, pixel, first, count, to);
        }
    }
    if (!s->bias.data) return;
    sg__panel p = sg__make_panel(&w, &call->workspace->scratch[0], 0);
    p.q = blocks;
    for (int y = begin; y < end; y++) sg__finish_row(&p, y, 0, s->width);
}
#endif

/* --- CONV and SCATTER: weights, unpacked, modulated, demodulated, and transformed if the step works in tiles --- */

/* Doubled pixels for Winograd's algorithm: the layer's weights summed over 2x2 shifts. */
static void sg__sum_shifts(const sg__panel *p, const float *weights, float *summed) {
    static const float ones[4] = {1, 1, 1, 1};
    const sg__step *s = p->work->step;
    const sg__kernels *k = sg__kernels_of(p->work->model);
    int size = s->kernel, summed_size = sg__summed_kernel(s);
    size_t tap = sg__tap(p->work->model, s, p->q);
    for (int y = 0; y <= size; y++) {
        for (int x = 0; x <= size; x++) {
            const float *source[4];
            int n = 0;
            for (int shift = 0; shift < 4; shift++) {
                int from_y = y - shift / 2, from_x = x - shift % 2;
                if (from_y < 0 || from_y >= size || from_x < 0 || from_x >= size) continue;
                source[n++] = weights + tap * (size_t)(from_y * size + from_x);
            }
            k->weighted_sum(summed + tap * (size_t)(y * summed_size + x), (int)tap - k->lanes, source, ones, n);
        }
    }
}

/* Doubled pixels directly: the middle row and column of a panel [3][3][I][q][V] become sums of all three. */
static void sg__sum_taps(const sg__panel *p, float *panel) {
    static const float ones[3] = {1, 1, 1};
    const sg__kernels *k = sg__kernels_of(p->work->model);
    size_t tap = sg__tap(p->work->model, p->work->step, p->q);
    for (int i = 0; i < 6; i++) { /* the rows, then the columns */
        int first = i < 3 ? 3 * i : i - 3, step = i < 3 ? 1 : 3;
        const float *source[3];
        for (int t = 0; t < 3; t++) source[t] = panel + tap * (size_t)(first + t * step);
        k->weighted_sum(panel + tap * (size_t)(first + step), (int)tap - k->lanes, source, ones, 3);
    }
}

/* The sums of squares of a panel's weights over its taps, [I][q][V], where styles are on the inputs: behind the taps. */
static float *sg__squares(const sg__panel *p, float *panel) {
    const sg__step *s = p->work->step;
    return panel + (size_t)(s->kernel * s->kernel) * sg__tap(p->work->model, s, p->q);
}

/* Winograd's transform of a panel [taps][I][q][V] for one phase, to [points^2][I][q][V], or its terms. With styles on the
   inputs the first phase also fills the squares. */
static void sg__transform_weights(const sg__panel *p, float *panel, int phase, float *to) {
    const sg__step *s = p->work->step;
    const sg__kernels *k = sg__kernels_of(p->work->model);
    const sg__tiling *t = &p->work->plan->tiling;
    size_t tap = sg__tap(p->work->model, s, p->q);
    const float *taps[9], *all[9];
    sg__phase_points points = sg__phase(t, phase), kernel = sg__phase_kernel(s, t, phase);
    int count = s->in * p->q, squares = phase == 0 && sg__steers(p->work->plan);
    for (int i = 0; i < kernel.down * kernel.across; i++) {
        int y = i / kernel.across, x = i % kernel.across;
        if (s->op ==
            SG__SCATTER) { /* even outputs 2j see x[j - 1] w[2] + x[j] w[0], odd ones x[j - 1] w[3] + x[j] w[1] */
            y = phase / 2 + 2 * (kernel.down - 1 - y);
            x = phase % 2 + 2 * (kernel.across - 1 - x);
        }
        taps[i] = panel + tap * (size_t)(y * sg__summed_kernel(s) + x);
    }
    for (int i = 0; i < s->kernel * s->kernel; i++) all[i] = panel + tap * (size_t)i;
    if (sg__terms(t)) {
        if (squares) k->sum_squares(sg__squares(p, panel), count * k->lanes, all, s->kernel * s->kernel);
        k->pack(taps, kernel.down * kernel.across, s->in, p->q, sg__terms(t), (uint16_t *)(void *)to);
        return;
    }
    int piece = squares ? 32 : count; /* of weights that the transform reads next */
    for (int first = 0, n; first < count; first += n) {
        n = count - first < piece ? count - first : piece;
        size_t at = (size_t)(first * k->lanes), next = (size_t)(n * k->lanes);
        if (squares) k->sum_squares(sg__squares(p, panel) + at, (int)next, all, 9);
        k->winograd_weights(taps, points.down, points.across, n, to + at, tap);
        for (int i = 0; i < 9; i++) all[i] += next;
        for (int i = 0; i < kernel.down * kernel.across; i++) taps[i] += next;
    }
}

/* Sums of squares of modulated weights to the demodulation. */
static void sg__demodulate(const sg__step *s, float *scale, int width) {
    for (int i = 0; i < width; i++) {
        scale[i] = s->demodulate ? (float)((double)s->weight_gain / STYLEGAN_SQRT((double)scale[i] + 1e-8)) : 1.0f;
    }
}

/* Fills panel [taps][I][q][V], modulated and summed, and scale [q][V], the demodulation; with styles on the inputs
   neither modulated nor demodulated. */
static void sg__unpack_panel(const sg__panel *p, float *panel, float *scale) {
    const sg__work *w = p->work;
    const sg__step *s = w->step;
    const sg__kernels *k = sg__kernels_of(w->model);
    const float *style = sg__steers(w->plan) ? NULL : sg__style_in(w->call, s, w->slot);
    int width = p->q * k->lanes, summed = sg__summed_taps(s, &w->plan->tiling);
    size_t tap = sg__tap(w->model, s, p->q);
    float *plain = panel + tap * (size_t)summed;
    STYLEGAN_MEMSET(scale, 0, (size_t)width * sizeof(float));
    for (int t = 0; t < s->kernel * s->kernel; t++) {
        k->panel(&s->weight, (size_t)t * (size_t)s->in, s->in, p->first * k->lanes, p->q, style, scale,
                 plain + tap * (size_t)t);
    }
    if (!sg__steers(w->plan)) sg__demodulate(s, scale, width);
    if (summed)
        sg__sum_shifts(p, plain, panel);
    else if (s->nearest && s->kernel == 3)
        sg__sum_taps(p, panel);
}

/* scale [q][V], the demodulation where the style is on the inputs: sums of style^2 * squares [I][q][V]. */
static void sg__steer_panel(const sg__panel *p, const float *squares, float *scale) {
    const sg__work *w = p->work;
    const sg__step *s = w->step;
    const sg__kernels *k = sg__kernels_of(w->model);
    const float *style = sg__style_in(w->call, s, w->slot);
    float *squared = p->scratch->squared;
    for (int i = 0; i < s->in; i++) squared[i] = style[i] * style[i];
    sg__multiply_row(k, squared, (size_t)k->lanes, s->in, squares, p->q, scale, (size_t)k->lanes, 1);
    sg__demodulate(s, scale, p->q * k->lanes);
}

/* Multiplications that a panel takes to be unpacked and, in tiles, transformed. */
static float sg__prepare_work(const stylegan_model *m, const sg__step *s) {
    return 3.0f * (float)sg__panel_floats(m, s, &sg__plan_of(m, s)->tiling);
}

/* Fills a panel of a step that keeps all of them. */
static void sg__prepare_item(void *context, int item, int part) {
    const sg__work *w = (const sg__work *)context;
    const sg__tiling *t = &w->plan->tiling;
    sg__panel p = sg__make_panel(w, &w->call->workspace->scratch[part], item);
    size_t lanes = (size_t)sg__kernels_of(w->model)->lanes, tap = sg__tap(w->model, w->step, p.q);
    float *to = w->tables.weights + (size_t)item * sg__panel_floats(w->model, w->step, t);
    sg__unpack_panel(&p, sg__is_tiled(t) ? p.scratch->panel : to, w->tables.scale + (size_t)p.first * lanes);
    for (int i = 0; sg__is_tiled(t) && i < t->phases; i++) {
        sg__transform_weights(&p, p.scratch->panel, i, to);
        to += sg__prepared_tap(w->model, w->step, t, p.q) * (size_t)sg__phase_taps(w->step, t, i);
    }
    if (sg__steers(w->plan)) STYLEGAN_MEMCPY(to, sg__squares(&p, p.scratch->panel), tap * sizeof(float));
    sg__tick(w->call, sg__prepare_work(w->model, w->step));
}

/* The demodulation of an image for such a panel. */
static void sg__steer_item(void *context, int item, int part) {
    const sg__work *w = (const sg__work *)context;
    sg__panel p = sg__make_panel(w, &w->call->workspace->scratch[part], item);
    const sg__tiling *t = &w->plan->tiling;
    size_t lanes = (size_t)sg__kernels_of(w->model)->lanes;
    size_t panel = sg__panel_floats(w->model, w->step, t), squares = panel * (size_t)item;
    squares += (size_t)sg__prepared_taps(w->step, t) * sg__prepared_tap(w->model, w->step, t, p.q);
    sg__steer_panel(&p, w->tables.weights + squares, w->tables.scale + (size_t)p.first * lanes);
}

/* --- Direct convolution --- */

/* Adds tap (y, x) of the kernel, which reads input pixel (row, column + j) for output j. */
static void sg__add_tap(sg__row *r, const sg__panel *p, int y, int x, int row, int column) {
    const sg__work *w = p->work;
    int lanes = sg__kernels_of(w->model)->lanes;
    size_t tap = sg__tap(w->model, w->step, p->q);
    r->offset[r->taps] = sg__row_of(&w->in, 0, row) - w->in.data + (ptrdiff_t)column * lanes;
    r->panel[r->taps++] = p->weights + tap * (size_t)(y * w->step->kernel + x);
}

static sg__row sg__start_row(const sg__panel *p, float *output, size_t output_pixel, size_t output_vector, int width) {
    sg__row row;
    row.input = p->work->in.data;
    row.input_block = p->work->in.block;
    row.channels = p->work->step->in;
    row.taps = 0;
    row.output = output;
    row.output_pixel = output_pixel;
    row.output_vector = output_vector;
    row.width = width;
    return row;
}

/* Row y of a convolution of stride 1, zero-padded. */
static void sg__plain_row(const sg__panel *p, int y, float *output, size_t vector) {
    const sg__step *s = p->work->step;
    const sg__kernels *k = sg__kernels_of(p->work->model);
    sg__row row = sg__start_row(p, output, (size_t)k->lanes, vector, s->width);
    for (int ky = 0; ky < s->kernel; ky++) {
        int from = y + ky - s->pad;
        if (from < 0 || from >= s->input->height) continue;
        for (int kx = 0; kx < s->kernel; kx++) sg__add_tap(&row, p, ky, kx, from, kx - s->pad);
    }
    k->convolve(&row, p->q);
}

/* Row y of t: even and odd columns see different taps. */
static void sg__transposed_row(const sg__panel *p, int y, float *output, size_t vector) {
    const sg__step *s = p->work->step;
    const sg__kernels *k = sg__kernels_of(p->work->model);
    size_t lanes = (size_t)k->lanes;
    for (int odd = 0; odd < 2; odd++) {
        sg__row row = sg__start_row(p, output + (size_t)odd * lanes, 2 * lanes, vector, (s->width + 1 - odd) / 2);
        for (int ky = y % 2; ky < s->kernel; ky += 2) {
            int from = (y - ky) / 2;
            if (y < ky || from >= s->input->height) continue;
            for (int kx = odd; kx < s->kernel; kx += 2) sg__add_tap(&row, p, ky, kx, from, -(kx / 2));
        }
        k->convolve(&row, p->q);
    }
}

/* --- Doubled pixels: products with the map and its differences, see >>kernels --- */

static int sg__holds_row(const sg__work *w, int y) {
    return y >= w->in.begin && y < w->in.end;
}

/* Row y of a block, zeros outside the map. */
static const float *sg__input_row(const sg__work *w, int block, int y) {
    return sg__holds_row(w, y) ? sg__row_of(&w->in, block, y) : w->call->workspace->zeros + w->in.border;
}

/* Rows of a kind of differences; those down are wanted of the row behind the strip, too. */
static size_t sg__difference_rows(const sg__work *w, int kind) {
    return (size_t)(w->tile_end - w->tile_begin + (kind > 0));
}

/* Differences of input row y: 0 across, 1 down, 2 both; pixel x less the one before it. */
static float *sg__difference(const sg__work *w, int kind, int block, int y) {
    size_t row = sg__difference_row(w->model, w->step), rows = sg__difference_rows(w, kind),
           blocks = (size_t)w->in.blocks;
    size_t before = kind ? blocks * (sg__difference_rows(w, 0) + (size_t)(kind - 1) * rows) : 0;
    return w->transformed + (before + (size_t)block * rows + (size_t)(y - w->tile_begin)) * row +
           sg__kernels_of(w->model)->lanes;
}

/* Item: a block of channels of a row, of those of the strip and the one behind them. */
static void sg__difference_item(void *context, int item, int part) {
    static const float signs[2] = {1, -1};
    const sg__work work = sg__for_image((const sg__work *)context, item / ((const sg__work *)context)->items);
    const sg__work *w = &work;
    const sg__kernels *k = sg__kernels_of(w->model);
    item %= w->items;
    int block = item % w->in.blocks, y = w->tile_begin + item / w->in.blocks, width = w->step->input->width * k->lanes;
    float *down = sg__difference(w, 1, block, y);
    const float *row = sg__input_row(w, block, y), *above = sg__input_row(w, block, y - 1);
    const float *pixels[2], *rows[2], *both[2];
    (void)part;
    pixels[0] = row;
    pixels[1] = row - k->lanes;
    rows[0] = row - k->lanes;
    rows[1] = above - k->lanes;
    both[0] = down;
    both[1] = down - k->lanes;
    if (y < w->tile_end) k->weighted_sum(sg__difference(w, 0, block, y), width + k->lanes, pixels, signs, 2);
    k->weighted_sum(down - k->lanes, width + 2 * k->lanes, rows, signs, 2);
    k->weighted_sum(sg__difference(w, 2, block, y), width + k->lanes, both, signs, 2);
}

/* Product (row, column) of the nine: of pixels [first, first + count) of input row y, to out [q][count][V]. What is
   before a pixel meets the kernel's last tap. */
static void sg__multiply_doubled(const sg__panel *p, int y, int first, int count, int product, float *out) {
    const sg__work *w = p->work;
    const sg__step *s = w->step;
    size_t lanes = (size_t)sg__kernels_of(w->model)->lanes;
    int row = product / 3, column = product % 3, kind = 2 * (row != 1) + (column != 1) - 1;
    sg__row r = sg__start_row(p, out, lanes, (size_t)count * lanes, count);
    r.input = sg__input_row(w, 0, y);
    if (kind >= 0) {
        r.input = sg__difference(w, kind, 0, y + (row == 2));
        r.input_block = sg__difference_rows(w, kind) * sg__difference_row(w->model, s);
    }
    r.taps = 1;
    r.offset[0] = (first + (column == 2)) * (ptrdiff_t)lanes;
    r.panel[0] = p->weights + (s->kernel == 3 ? (size_t)(8 - product) * sg__tap(w->model, s, p->q) : 0);
    sg__kernels_of(w->model)->convolve(&r, p->q);
}

/* Rows 2y and 2y + 1 of t; a kernel of 1x1 sees no differences. */
static void sg__double_row(const sg__panel *p, int y, float *output) {
    const sg__work *w = p->work;
    const sg__kernels *k = sg__kernels_of(w->model);
    int width = w->step->input->width, piece = sg__doubled_pixels(w->model, w->step);
    size_t lanes = (size_t)k->lanes;
    for (int first = 0, count; first < width; first += count) {
        count = width - first < piece ? width - first : piece;
        float *products = p->scratch->products;
        size_t vector = (size_t)count * lanes, stride = (size_t)p->q * vector;
        for (int i = 0; i < 9; i++) {
            float *out = products + (size_t)i * stride;
            if (w->step->kernel == 3 || i == 4) {
                sg__multiply_doubled(p, y, first, count, i, out);
            } else {
                STYLEGAN_MEMSET(out, 0, stride * sizeof(float));
            }
        }
        for (size_t v = 0; v < (size_t)p->q; v++) {
            float *top = output + v * w->out.block + 2 * (size_t)first * lanes;
            k->double_pixels(products + v * vector, stride, count, top, top + w->out.row);
        }
    }
}

/* --- Winograd's algorithm: the inputs of a strip of tiles are transformed once for all output channels; each panel
   then multiplies them point by point and transforms back --- */

/* Transformed inputs lie as [points^2][groups][ceil(I/V)][group][V]: what a register tile reads is contiguous. */
static int sg__group(const stylegan_model *m) {
    return sg__kernels_of(m)->pixels;
}

/* Tiles of the strip in whole groups. */
static size_t sg__strip_tiles(const sg__work *w) {
    size_t group = (size_t)sg__group(w->model);
    return ((size_t)(w->tile_end - w->tile_begin) * (size_t)(w->right - w->left) + group - 1) / group * group;
}

/* Floats from one of their points to the next. */
static size_t sg__point(const sg__work *w) {
    return (size_t)sg__spaced(w->model, (uint64_t)w->in.blocks * sg__strip_tiles(w));
}

static float *sg__transformed(const sg__work *w, int phase, int channels, int number) {
    const sg__tiling *t = &w->plan->tiling;
    size_t group = (size_t)sg__group(w->model), blocks = (size_t)w->in.blocks;
    size_t block = (size_t)channels, tile = (size_t)number, first = t->own ? 0 : (size_t)t->first[phase];
    size_t at = (tile / group * blocks + block) * group + tile % group;
    return w->transformed + at * (size_t)sg__kernels_of(w->model)->lanes + first * sg__point(w);
}

/* A row of tiles of one channel block, for one phase. */
static void sg__transform_row(const sg__work *w, int phase, int row, int block) {
    const sg__tiling *t = &w->plan->tiling;
    const sg__kernels *k = sg__kernels_of(w->model);
    int scatter = w->step->op == SG__SCATTER, pad = scatter ? 1 : w->step->pad, group = sg__group(w->model);
    int whole = scatter ? sg__clip(w->step->input->width / 4, w->left, w->right) : w->right;
    int tile = row * (w->right - w->left), end = tile + whole - w->left;
    size_t lanes = (size_t)k->lanes, stride = sg__point(w);
    const float *rows[6];
    float edge[5 * 5 * SG__MAX_LANES];
    const float *scale = sg__steers(w->plan) ? sg__style_in(w->call, w->step, w->slot) + block * k->lanes : NULL;
    sg__phase_points points = sg__phase(t, phase);
    for (int i = 0; i < sg__points(t);
         i++) { /* outputs that depend on rows that are not there are zero-padded or not needed */
        const float *from = sg__input_row(w, block, 4 * (w->tile_begin + row) - pad + i);
        rows[i] = from + (4 * (ptrdiff_t)w->left - pad) * k->lanes;
    }
    for (int n; tile < end; tile += n) {
        n = group - tile % group < end - tile ? group - tile % group : end - tile;
        k->winograd_input(rows, scale, points.down, points.across, n, sg__transformed(w, phase, block, tile), stride);
        for (int i = 0; i < sg__points(t); i++) rows[i] += 4 * (size_t)n * lanes;
    }
    if (whole == w->right) return;
    /* The last tile of a SCATTER reaches beyond the map: it sees the last pixel and zeros. */
    STYLEGAN_MEMSET(edge, 0, sizeof edge);
    for (size_t i = 0; i < 5; i++) {
        STYLEGAN_MEMCPY(edge + i * 5 * lanes, rows[i], lanes * sizeof(float));
        rows[i] = edge + i * 5 * lanes;
    }
    k->winograd_input(rows, scale, points.down, points.across, 1, sg__transformed(w, phase, block, end), stride);
}

/* --- Matrix units: the rows of a strip as [terms][groups][positions][32], see sg__margin --- */

static size_t sg__work_positions(const sg__work *w) {
    return sg__positions(w->step, w->tile_end - w->tile_begin);
}

/* Values of a group, and of a term. */
static size_t sg__split_group(const sg__work *w) {
    return sg__work_positions(w) * sg__depth(w->model);
}

static size_t sg__split_term(const sg__work *w) {
    return (size_t)sg__groups(w->model, w->step) * sg__split_group(w);
}

/* A group's pixels from a position on, their first term. */
static uint16_t *sg__split_pixels(const sg__work *w, int group, size_t position) {
    uint16_t *split = (uint16_t *)(void *)w->transformed;
    return split + (size_t)group * sg__split_group(w) + position * sg__depth(w->model);
}

/* Row y of a group of a map that is kept in 16 bits, a few pixels at a time. */
static void sg__split_half_row(const sg__work *w, int y, int group, const float *scale, uint16_t *out) {
    enum { PIXELS = 32 };
    float wide[2][PIXELS * SG__MAX_LANES];
    const sg__kernels *k = sg__kernels_of(w->model);
    int width = w->step->input->width, blocks = w->in.blocks - 2 * group < 2 ? 1 : 2;
    const float *pixels[2];
    pixels[0] = wide[0];
    pixels[1] = blocks == 2 ? wide[1] : NULL;
    for (int x = 0, n; x < width; x += n) {
        n = width - x < PIXELS ? width - x : PIXELS;
        for (int i = 0; i < blocks; i++)
            k->widen(sg__half_row(&w->in, 2 * group + i, y) + 2 * x * k->lanes, n * k->lanes, wide[i]);
        k->split(pixels, scale, n, sg__terms(&w->plan->tiling), sg__split_term(w), out + 2 * x * k->lanes);
    }
}

/* A row of a group, counted from the one above the strip. */
static void sg__split_row(const sg__work *w, int row, int group) {
    const sg__step *s = w->step;
    const sg__kernels *k = sg__kernels_of(w->model);
    int y = w->tile_begin - sg__margin(s) + row, block = 2 * group, terms = sg__terms(&w->plan->tiling);
    int last = row == w->tile_end - w->tile_begin + sg__halo(s) - 1;
    size_t depth = sg__depth(w->model), margin = (size_t)sg__margin(s) * depth, term = sg__split_term(w);
    size_t width = (size_t)s->input->width * depth;
    const float *scale = sg__steers(w->plan) ? sg__style_in(w->call, s, w->slot) + block * k->lanes : NULL;
    const float *blocks[2];
    uint16_t *to = sg__split_pixels(w, group, (size_t)row * (size_t)sg__pitch(s));
    if (w->in.half && sg__holds_row(w, y)) {
        sg__split_half_row(w, y, group, scale, to + margin);
    } else {
        blocks[0] = sg__input_row(w, block, y);
        blocks[1] = block + 1 < w->in.blocks ? sg__input_row(w, block + 1, y) : NULL;
        k->split(blocks, scale, s->input->width, terms, term, to + margin);
    }
    for (int i = 0; i < terms; i++, to += term) {
        STYLEGAN_MEMSET(to, 0, margin * sizeof *to);
        if (last) STYLEGAN_MEMSET(to + margin + width, 0, 64 * depth * sizeof *to);
    }
}

/* Multiplies rows [begin, end) of a phase. */
static void sg__multiply_terms(const sg__panel *panel, int phase, int begin, int end, float *out, size_t row,
                               size_t pixel, size_t vector) {
    const sg__work *w = panel->work;
    const sg__step *s = w->step;
    const sg__tiling *t = &w->plan->tiling;
    sg__phase_points kernel = sg__phase_kernel(s, t, phase);
    int pitch = sg__pitch(s), up = s->op == SG__SCATTER, taps = kernel.down * kernel.across;
    sg__product p;
    p.input = sg__split_pixels(w, 0, (size_t)(begin - w->tile_begin) * (size_t)pitch);
    p.terms = sg__terms(t);
    p.term = sg__split_term(w);
    p.group = sg__split_group(w);
    p.groups = sg__groups(w->model, s);
    p.taps = taps;
    for (int i = 0; i < taps; i++) { /* the last of SCATTER's taps is the pixel itself */
        int y = i / kernel.across + (up ? 2 - kernel.down : 0), x = i % kernel.across + (up ? 2 - kernel.across : 0);
        p.offset[i] = (ptrdiff_t)y * pitch + x;
    }
    p.weights = (const uint16_t *)(const void *)panel->weights;
    p.positions = (end - begin) * pitch;
    p.rows = 1;
    p.pitch = pitch;
    p.width = up ? pitch : s->width;
    p.output = out;
    p.output_row = row;
    p.output_pixel = pixel;
    p.output_vector = vector;
    sg__kernels_of(w->model)->multiply(&p, panel->q);
}

/* --- Tiles of both kinds --- */

/* A row of tiles of a channel block, or of pixels of a group of channels. */
static void sg__transform_rows(const sg__work *w, int phase, int item) {
    if (sg__terms(&w->plan->tiling)) {
        int groups = sg__groups(w->model, w->step);
        sg__split_row(w, item / groups, item % groups);
    } else {
        sg__transform_row(w, phase, item / w->in.blocks, item % w->in.blocks);
    }
}

/* How many of them a strip has. */
static int sg__transformed_rows(const sg__work *w) {
    int units = w->tile_end - w->tile_begin;
    if (sg__terms(&w->plan->tiling)) return (units + sg__halo(w->step)) * sg__groups(w->model, w->step);
    return units * w->in.blocks;
}

static void sg__transform_item(void *context, int item, int part) {
    const sg__work w = sg__for_image((const sg__work *)context, item / ((const sg__work *)context)->items);
    float rows = (float)(sg__unit_rows(w.model, w.step) * (w.tile_end - w.tile_begin));
    (void)part;
    item %= w.items;
    for (int phase = 0; phase < (w.plan->tiling.mixed ? SG__PHASES : 1); phase++) sg__transform_rows(&w, phase, item);
    sg__tick(w.call, 0.25f * sg__own_work(w.step) * rows / (float)w.items);
}

/* The products of point p of tiles [first, first + tiles), for q vectors, to `out` [q][tiles][V]. */
static void sg__multiply_point(const sg__panel *panel, int phase, int p, const float *weights, size_t first,
                               size_t tiles, float *out) {
    const sg__work *w = panel->work;
    const sg__kernels *k = sg__kernels_of(w->model);
    size_t lanes = (size_t)k->lanes, group = (size_t)sg__group(w->model);
    for (size_t at = 0, n; at < tiles; at += n) {
        size_t left = group - (first + at) % group;
        n = left < tiles - at ? left : tiles - at;
        const float *input = sg__transformed(w, phase, 0, (int)(first + at)) + (size_t)p * sg__point(w);
        sg__multiply_row(k, input, group * lanes, w->step->in, weights, panel->q, out + at * lanes, tiles * lanes,
                         (int)n);
    }
}

/* Multiplies tile rows [begin, end) of a phase and writes the outputs, vectors `vector` floats apart. */
static void sg__multiply_tiles(const sg__panel *panel, int phase, int begin, int end, float *out, size_t row,
                               size_t pixel, size_t vector) {
    const sg__work *w = panel->work;
    const sg__phase_points points = sg__phase(&w->plan->tiling, phase);
    const sg__kernels *k = sg__kernels_of(w->model);
    size_t lanes = (size_t)k->lanes, across = (size_t)(w->right - w->left), q = (size_t)panel->q;
    size_t first = (size_t)(begin - w->tile_begin) * across, tiles = (size_t)(end - begin) * across;
    size_t tap = sg__tap(w->model, w->step, panel->q), point = (size_t)sg__spaced(w->model, q * tiles);
    float *products = panel->scratch->products;
    for (int p = 0; p < points.down * points.across; p++) {
        int y = points.down == 4 ? 0 : p / points.across, x = points.across == 4 ? 0 : p % points.across;
        int weight = points.across == 4 ? y : y * points.across + x;
        sg__multiply_point(panel, phase, p, panel->weights + (size_t)weight * tap, first, tiles,
                           products + (size_t)p * point);
    }
    for (size_t v = 0; v < q; v++) {
        for (size_t y = 0; y < (size_t)(end - begin); y++) {
            k->winograd_output(products + (v * tiles + y * across) * lanes, point, points.down, points.across,
                               (int)across, out + v * vector + 4 * y * row + 4 * (size_t)w->left * pixel, row, pixel);
        }
    }
}

/* --- Rows of a convolution --- */

static sg__rows sg__conv_needs(const stylegan_model *m, const sg__step *s, const sg__step *of, int begin, int end) {
    int before = of == s->side ? 0 : s->pad, after = of == s->side ? 0 : s->kernel - 1 - s->pad;
    (void)m;
    return sg__clip_rows(begin - before, end + after, 0, of->height);
}

#if STYLEGAN_FAMILIES & 3
static sg__rows sg__scatter_needs(const stylegan_model *m, const sg__step *s, const sg__step *of, int begin, int end) {
    int unit = sg__unit_rows(m, s), origin = sg__origin(m, s), doubles = sg__doubles(s, &sg__plan_of(m, s)->tiling);
    begin = (begin - origin) / unit * unit;
    end = sg__round_rows(m, s, end) - origin;
    return sg__clip_rows(begin / 2 - 1, (end - 1) / 2 + 1 + doubles, 0, of->height);
}
#endif

/* Clears row y of t outside [low, width), on both sides or one. */
static void sg__clear_borders(const sg__panel *p, int y, int left, int right) {
    const sg__work *w = p->work;
    size_t lanes = (size_t)sg__kernels_of(w->model)->lanes, before = w->out.border;
    for (int v = 0; v < p->q; v++) {
        float *row = sg__row_of(&w->out, p->first + v, y), *after = row + (size_t)w->step->width * lanes;
        if (left) STYLEGAN_MEMSET(row - before, 0, (before + (size_t)w->step->low * lanes) * sizeof(float));
        if (right) STYLEGAN_MEMSET(after, 0, (size_t)(row - before + w->out.row - after) * sizeof(float));
    }
}

/* Computes rows (of tiles) [first, end) of one phase; the last phase finishes them. */
static void sg__multiply_rows(const sg__panel *p, int phase, int first, int end) {
    const sg__work *w = p->work;
    const sg__step *s = w->step;
    const sg__tiling *t = &w->plan->tiling;
    int scatter = s->op == SG__SCATTER, rows = sg__unit_rows(w->model, s);
    size_t lanes = (size_t)sg__kernels_of(w->model)->lanes;
    int top = sg__origin(w->model, s) + rows * first, bottom = top + rows * (end - first);
    float *row = sg__row_of(&w->out, p->first, top);
    if (sg__is_tiled(t)) {
        size_t step = scatter ? 2 : 1;
        if (scatter) row += (size_t)(phase / 2) * w->out.row + (size_t)(phase % 2) * lanes;
        if (sg__terms(t))
            sg__multiply_terms(p, phase, first, end, row, step * w->out.row, step * lanes, w->out.block);
        else
            sg__multiply_tiles(p, phase, first, end, row, step * w->out.row, step * lanes, w->out.block);
    } else if (sg__doubles(s, t)) {
        sg__double_row(p, first, row + (size_t)s->low * lanes);
    } else if (STYLEGAN_FAMILIES & 2 && scatter) {
        sg__transposed_row(p, first, row, w->out.block);
    } else {
        sg__plain_row(p, first, row, w->out.block);
    }
    if (SG__WINOGRAD && phase < t->phases - 1) return;
    for (int y = top; y < bottom; y++) {
        if (scatter) {
            sg__clear_borders(p, y, w->left == 0, w->right == t->tiles);
        } else {
            sg__finish_row(p, y, 4 * w->left, sg__points(t) ? sg__clip(4 * w->right, 0, s->width) : s->width);
        }
    }
}

/* Multiplies a panel with rows (of tiles) of one image, for a phase. Returns whether to stop. */
static int sg__multiply_image(const sg__panel *p, int phase, sg__rows rows) {
    const sg__work *w = p->work;
    const sg__tiling *t = &w->plan->tiling;
    for (int first = rows.first, last; first < rows.last; first = last) {
        last = !sg__is_tiled(t) ? first + 1 : sg__clip(first + t->chunk, first, rows.last);
        sg__multiply_rows(p, phase, first, last);
        int pixels = (last - first) * sg__unit_rows(w->model, w->step) * w->step->width;
        float work = (float)pixels * (float)(w->step->in * w->step->kernel * w->step->kernel);
        work *= (float)(p->q * sg__kernels_of(w->model)->lanes) / (float)t->phases;
        if (sg__is_tiled(t) && !t->own) work *= 0.75f; /* sg__transform_item has told of the rest */
        if (sg__tick(w->call, work)) return 1;
    }
    return 0;
}

/* The same for all phases and images that share the panel's weights: those from `work`'s on. */
static void sg__multiply_images(const sg__work *w, int images, int item, const sg__scratch *s) {
    const sg__tiling *t = &w->plan->tiling;
    int panel = item % w->panels, prepared = w->plan->prepared, lanes = sg__kernels_of(w->model)->lanes;
    sg__panel p = sg__make_panel(w, s, panel);
    size_t width = (size_t)(p.q * lanes), tap = sg__prepared_tap(w->model, w->step, t, p.q);
    sg__rows rows = sg__piece(w, item, w->tile_begin, w->tile_end);
    const float *weights = s->panel;
    if (prepared)
        weights = w->tables.weights + (size_t)panel * sg__panel_floats(w->model, w->step, t);
    else
        sg__unpack_panel(&p, s->panel, s->squares);
    for (int phase = 0; phase < (SG__WINOGRAD ? t->phases : 1); phase++) {
        p.weights = sg__is_tiled(t) && !prepared ? s->weights : weights;
        if (sg__is_tiled(t) && prepared) weights += tap * (size_t)sg__phase_taps(w->step, t, phase);
        if (SG__WINOGRAD && w->phase >= 0 && phase != w->phase) continue;
        if (sg__is_tiled(t) && !prepared) sg__transform_weights(&p, s->panel, phase, s->weights);
        for (int image = 0; image < images; image++) {
#ifndef STYLEGAN_NO_BATCH
            const sg__work one = sg__for_image(w, image);
            p.work = &one;
#endif
            p.scale = prepared ? p.work->scale + p.first * lanes : s->squares;
            if (!prepared && !phase) {
                if (sg__steers(w->plan)) sg__steer_panel(&p, sg__squares(&p, s->panel), s->squares);
                if (item == panel)
                    STYLEGAN_MEMCPY(p.work->tables.scale + p.first * lanes, s->squares, width * sizeof(float));
            }
            if (sg__multiply_image(&p, phase, rows)) return;
        }
        p.work = w;
    }
}

/* Item: a panel and a piece of the strip's rows (of tiles), of all images at work. */
static void sg__multiply_item(void *context, int item, int part) {
    const sg__work *w = (const sg__work *)context;
    int images = sg__images(w->call, w->step), shared = sg__is_shared(w->model, w->step) ? images : 1;
    for (int image = 0; image < images && !w->call->clock->cancelled; image += shared) {
#ifndef STYLEGAN_NO_BATCH
        const sg__work one = sg__for_image(w, image);
        sg__multiply_images(&one, shared, item, &w->call->workspace->scratch[part]);
#else
        sg__multiply_images(w, shared, item, &w->call->workspace->scratch[part]);
#endif
    }
}

/* A part's own strip: a piece of a row of tiles, or several rows, for all panels. */
static void sg__own_strip_item(void *context, int item, int part) {
    sg__work w = sg__for_image((const sg__work *)context, item / ((const sg__work *)context)->items);
    const sg__tiling *t = &w.plan->tiling;
    int pieces = (t->tiles + t->across - 1) / t->across;
    item %= w.items;
    w.transformed = w.call->workspace->scratch[part].transformed;
    w.tile_begin += item / pieces * w.chunk;
    w.tile_end = sg__clip(w.tile_begin + w.chunk, w.tile_begin, w.tile_end);
    w.left = item % pieces * t->across;
    w.right = sg__clip(w.left + t->across, w.left, t->tiles);
    for (w.phase = 0; w.phase < t->phases && !w.call->clock->cancelled; w.phase++) {
        for (int i = 0; (!w.phase || t->mixed) && i < sg__transformed_rows(&w); i++) sg__transform_rows(&w, w.phase, i);
        for (int panel = 0; panel < w.panels && !w.call->clock->cancelled; panel++)
            sg__multiply_images(&w, 1, panel, &w.call->workspace->scratch[part]);
    }
}

/* Rows [begin, end) of a CONV, or of a SCATTER's t: of one strip. */
static void sg__convolve_rows(sg__call *call, const sg__step *s, int begin, int end) {
    sg__work w = sg__start(call, s, begin, end);
    const sg__tiling *t = &w.plan->tiling;
    int rows = sg__unit_rows(w.model, s), origin = sg__origin(w.model, s);
    w.tile_begin = (begin - origin) / rows;
    w.tile_end = (end - origin + rows - 1) / rows;
    int units = w.tile_end - w.tile_begin, images = sg__images(call, s);
    if (sg__borrows(w.plan) && begin == origin) {
        sg__parallel(w.model, w.panels, sg__prepare_item, &w);
        for (int i = 0; sg__steers(w.plan) && i < images; i++) {
            sg__work one = sg__for_image(&w, i);
            sg__parallel(w.model, w.panels, sg__steer_item, &one);
        }
    }
    if (SG__WINOGRAD && t->own) {
        int parts = sg__terms(t) ? w.model->parts : 1; /* as much for every part */
        int down = (units + t->chunk * parts - 1) / (t->chunk * parts) * parts,
            across = (t->tiles + t->across - 1) / t->across;
        w.chunk = (units + down - 1) / down;
        down = (units + w.chunk - 1) / w.chunk;
        w.items = down * across;
        sg__parallel(w.model, w.items * images, sg__own_strip_item, &w);
        return;
    }
    int per_piece = 64 / (sg__points(t) ? t->tiles : s->input->width) + 1; /* with less, unpacking the weights counts */
    w.items = sg__is_tiled(t) ? sg__transformed_rows(&w) : (units + sg__doubles(s, t)) * w.in.blocks;
    if (sg__is_tiled(t)) sg__parallel(w.model, w.items * images, sg__transform_item, &w);
    if (sg__doubles(s, t)) sg__parallel(w.model, w.items * images, sg__difference_item, &w);
    sg__run_pieces(&w, sg__multiply_item, units, w.plan->prepared ? units : (units + per_piece - 1) / per_piece);
}

/* out [count] (+)= sum of taps[k] * pixel k of a row, whose first such pixel is `row`. */
static void sg__sum_row(const sg__kernels *k, float *out, int count, const float *row, const float *taps, int n,
                        int add) {
    const float *source[1 + SG__MAX_FIR];
    float weight[1 + SG__MAX_FIR];
    source[0] = out;
    weight[0] = 1;
    for (int i = 0; i < n; i++) {
        source[add + i] = row + i * k->lanes;
        weight[add + i] = taps[i];
    }
    k->weighted_sum(out, count, source, weight, add + n);
}

#if STYLEGAN_FAMILIES & 3
/* --- FILTER: the low-pass filter of t, and what ends a main layer --- */

static sg__rows sg__filter_needs(const stylegan_model *m, const sg__step *s, const sg__step *of, int begin, int end) {
    (void)m;
    return sg__clip_rows(begin - s->pad_row, end - 1 - s->pad_row + s->filter->height, of->low, of->height);
}

static void sg__filter_row(const sg__panel *p, int y) {
    const sg__work *w = p->work;
    const sg__step *s = w->step;
    const sg__kernels *k = sg__kernels_of(w->model);
    const sg__filter *f = s->filter;
    const float *source[SG__MAX_FIR];
    int top = y - s->pad_row, width = s->width * k->lanes, left = -s->pad_column * k->lanes;
    sg__rows t = sg__filter_needs(w->model, s, s->input, y, y + 1);
    for (int v = 0; v < p->q; v++) {
        float *out = sg__row_of(&w->out, p->first + v, y);
        if (f->separable) { /* columns, then rows */
            for (int i = t.first; i < t.last; i++)
                source[i - t.first] = sg__row_of(&w->in, p->first + v, i) - w->in.border;
            k->weighted_sum(p->scratch->spread, (int)w->in.row, source, f->column + (t.first - top), t.last - t.first);
            sg__sum_row(k, out, width, p->scratch->spread + w->in.border + left, f->row, f->width, 0);
        } else {
            if (t.first >= t.last) STYLEGAN_MEMSET(out, 0, (size_t)width * sizeof(float));
            for (int i = t.first; i < t.last; i++) {
                const float *taps = f->taps + (i - top) * f->width;
                sg__sum_row(k, out, width, sg__row_of(&w->in, p->first + v, i) + left, taps, f->width, i > t.first);
            }
        }
    }
}

static void sg__filter_item(void *context, int item, int part) {
    const sg__work *w = (const sg__work *)context;
    sg__panel p = sg__make_panel(w, &w->call->workspace->scratch[part], item % w->panels);
    sg__rows rows = sg__piece(w, item, w->begin, w->end);
    for (int y = rows.first; y < rows.last; y++) {
        sg__filter_row(&p, y);
        sg__finish_row(&p, y, 0, w->step->width);
        if (sg__tick(w->call, sg__own_work(w->step) / (float)w->panels)) return;
    }
}

static void sg__filter_rows(sg__call *call, const sg__step *s, int begin, int end) {
    sg__work w = sg__start(call, s, begin, end);
    sg__run_pieces(&w, sg__filter_item, end - begin, end - begin);
}
#endif

#if STYLEGAN_FAMILIES & 1
/* --- NORM: normalisation and style (AdaIN, StyleGAN, equation 1), in place --- */

static sg__rows sg__norm_needs(const stylegan_model *m, const sg__step *s, const sg__step *of, int begin, int end) {
    if (sg__computes_twice(m, s)) return sg__clip_rows(begin, end, 0, of->height);
    return sg__clip_rows(0, of->height, 0, of->height);
}

static sg__rows sg__norm_strip(const sg__step *s, int strip) {
    int strips = sg__norm_strips(s);
    sg__rows rows;
    rows.first = s->height * strip / strips;
    rows.last = s->height * (strip + 1) / strips;
    return rows;
}

/* Rows of blocks [block, end) in 32 bits, to be changed and kept by sg__narrow_norm. */
static sg__map sg__widen_norm(const sg__work *w, sg__rows rows, int block, int end, int part) {
    if (!w->out.half) return w->out;
    float *memory = w->call->workspace->scratch[part].normed;
    sg__map staged = sg__staged_map(&w->out, memory, rows.first, rows.last, block);
    for (; block < end; block++)
        for (int y = rows.first; y < rows.last; y++)
            sg__widen_row(sg__kernels_of(w->model), &w->out, &staged, block, y);
    return staged;
}

static void sg__narrow_norm(const sg__work *w, const sg__map *staged, sg__rows rows, int block, int end) {
    for (; w->out.half && block < end; block++)
        for (int y = rows.first; y < rows.last; y++)
            sg__narrow_row(sg__kernels_of(w->model), staged, &w->out, block, y);
}

/* Pixel normalisation of one row (ProGAN, section 4.2): over the channels of each pixel. */
static void sg__pixel_norm_item(void *context, int y, int part) {
    const sg__work *w = (const sg__work *)context;
    const sg__step *s = w->step;
    int lanes = sg__kernels_of(w->model)->lanes;
    sg__rows rows = sg__clip_rows(y, y + 1, 0, s->height);
    sg__map map = sg__widen_norm(w, rows, 0, w->out.blocks, part);
    for (int x = 0; x < s->width; x++) {
        float *pixel = sg__row_of(&map, 0, y) + (size_t)x * (size_t)lanes;
        double sum = 0;
        for (int c = 0; c < s->channels; c++) {
            double value = (double)pixel[(size_t)(c / lanes) * map.block + (size_t)(c % lanes)];
            sum += value * value;
        }
        float factor = (float)(1 / STYLEGAN_SQRT(sum / s->channels + 1e-8));
        for (int c = 0; c < s->channels; c++) pixel[(size_t)(c / lanes) * map.block + (size_t)(c % lanes)] *= factor;
    }
    sg__narrow_norm(w, &map, rows, 0, w->out.blocks);
}

/* Mean and sum of squared deviations of a strip and block: [2][V]. */
static float *sg__moments_of(const sg__work *w, int strip, int block) {
    return w->call->workspace->moments +
           (size_t)(strip * w->out.blocks + block) * 2 * (size_t)sg__kernels_of(w->model)->lanes;
}

static void sg__moments_item(void *context, int item, int part) {
    const sg__work *w = (const sg__work *)context;
    const sg__kernels *k = sg__kernels_of(w->model);
    int block = item % w->out.blocks, strip = item / w->out.blocks;
    sg__rows rows = sg__norm_strip(w->step, strip);
    float *out = sg__moments_of(w, strip, block);
    sg__map map = sg__widen_norm(w, rows, block, block + 1, part);
    k->moments(sg__row_of(&map, block, rows.first), w->step->width, rows.last - rows.first, map.row, out,
               out + k->lanes);
    sg__tick(w->call, sg__own_work(w->step) / 2 / (float)w->out.blocks * (float)(rows.last - rows.first));
}

/* Merges the strips' moments of one channel and puts the division by the standard deviation into the style's scale. The
   mean stays apart: on flat channels the scale is up to 10^4, and a product of both would round too much. */
static void sg__merge_moments(const sg__work *w, int channel) {
    const sg__workspace *space = w->call->workspace;
    int lanes = sg__kernels_of(w->model)->lanes, strips = sg__norm_strips(w->step);
    double count = 0, mean = 0, deviation = 0;
    for (int strip = 0; strip < strips; strip++) {
        const float *moments = sg__moments_of(w, strip, channel / lanes) + channel % lanes;
        sg__rows rows = sg__norm_strip(w->step, strip);
        double n = (double)(rows.last - rows.first) * w->step->width;
        double delta = (double)moments[0] - mean;
        deviation += (double)moments[lanes] + delta * delta * count * n / (count + n);
        mean += delta * n / (count + n);
        count += n;
    }
    space->mean[channel] = (float)mean;
    space->scale[channel] = (float)((double)space->scale[channel] / STYLEGAN_SQRT(deviation / count + 1e-8));
}

static void sg__scale_shift_item(void *context, int item, int part) {
    const sg__work *w = (const sg__work *)context;
    const sg__kernels *k = sg__kernels_of(w->model);
    const sg__workspace *space = w->call->workspace;
    int block = item % w->out.blocks, channel = block * k->lanes;
    sg__rows rows = sg__norm_strip(w->step, item / w->out.blocks);
    sg__map map = sg__widen_norm(w, rows, block, block + 1, part);
    for (int y = rows.first; y < rows.last; y++) {
        k->scale_shift(sg__row_of(&map, block, y), w->step->width, space->mean + channel, space->scale + channel,
                       space->shift + channel);
    }
    sg__narrow_norm(w, &map, rows, block, block + 1);
    sg__tick(w->call, sg__own_work(w->step) / 2 / (float)w->out.blocks * (float)(rows.last - rows.first));
}

/* --- The same of a window, whose input is computed twice --- */

/* Mean, scale (before: the sum of squared deviations) and shift of channel 0, [C] each. */
static float *sg__window_moments(const sg__call *call, const sg__step *s, int which) {
    return sg__tables_of(call, s).weights + (size_t)which * (size_t)sg__padded(call->model, s->channels);
}

static void sg__begin_moments(sg__call *call, const sg__step *s) {
    size_t bytes = 3 * (size_t)sg__padded(call->model, s->channels) * sizeof(float);
    STYLEGAN_MEMSET(sg__window_moments(call, s, 0), 0, bytes);
    call->measuring++;
}

/* Item: a block of channels of a strip, whose moments are merged with those of the rows before by Chan's formula. */
static void sg__add_moments_item(void *context, int block, int part) {
    const sg__work *w = (const sg__work *)context;
    const sg__kernels *k = sg__kernels_of(w->model);
    float strip[2][SG__MAX_LANES], *mean = sg__window_moments(w->call, w->step, 0) + block * k->lanes;
    float *deviation = sg__window_moments(w->call, w->step, 1) + block * k->lanes;
    float n = (float)(w->end - w->begin), share = n / (float)w->end, before = (float)w->begin * (float)w->step->width;
    (void)part;
    k->moments(sg__row_of(&w->out, block, w->begin), w->step->width, w->end - w->begin, w->out.row, strip[0], strip[1]);
    for (int i = 0; i < k->lanes; i++) {
        float delta = strip[0][i] - mean[i];
        deviation[i] += strip[1][i] + delta * delta * before * share;
        mean[i] += delta * share;
    }
}

/* The input's rows [begin, end) are at work. */
static void sg__add_moments(sg__call *call, const sg__step *s, int begin, int end) {
    sg__work w = sg__start(call, s, begin, sg__clip(end, 0, s->height));
    sg__parallel(w.model, w.out.blocks, sg__add_moments_item, &w);
}

static void sg__end_moments(sg__call *call, const sg__step *s) {
    const float *style = sg__style_of(call, s);
    float *mean = sg__window_moments(call, s, 0), *scale = sg__window_moments(call, s, 1);
    float *shift = sg__window_moments(call, s, 2);
    double count = (double)s->height * s->width;
    call->measuring--;
    for (int i = 0; i < s->channels; i++) {
        double factor = style ? (double)style[i] : 1.0;
        if (s->instance_norm)
            factor /= STYLEGAN_SQRT((double)scale[i] / count + 1e-8);
        else
            mean[i] = 0;
        scale[i] = (float)factor;
        shift[i] = style ? style[s->channels + i] : 0.0f;
    }
}

static void sg__window_norm_item(void *context, int item, int part) {
    const sg__work *w = (const sg__work *)context;
    const sg__kernels *k = sg__kernels_of(w->model);
    int block = item % w->out.blocks, y = w->begin + item / w->out.blocks, channel = block * k->lanes;
    float *row = sg__row_of(&w->out, block, y);
    (void)part;
    STYLEGAN_MEMCPY(row - w->out.border, sg__row_of(&w->in, block, y) - w->in.border, w->out.row * sizeof(float));
    k->scale_shift(row, w->step->width, sg__window_moments(w->call, w->step, 0) + channel,
                   sg__window_moments(w->call, w->step, 1) + channel,
                   sg__window_moments(w->call, w->step, 2) + channel);
}

static void sg__norm_rows(sg__call *call, const sg__step *s, int begin, int end) {
    sg__work w = sg__start(call, s, begin, end);
    if (sg__computes_twice(w.model, s)) {
        sg__parallel(w.model, w.out.blocks * (end - begin), sg__window_norm_item, &w);
        return;
    }
    const sg__workspace *space = call->workspace;
    const float *style = sg__style_of(call, s); /* [2][C]: scales, then shifts */
    int strips = sg__norm_strips(s);
    if (s->pixel_norm) sg__parallel(w.model, s->height, sg__pixel_norm_item, &w);
    if (!s->instance_norm && !style) return;
    for (int i = 0; i < w.out.blocks * sg__kernels_of(w.model)->lanes; i++) {
        int real = i < s->channels; /* the channels that fill up the last block become zero */
        space->mean[i] = 0;
        space->scale[i] = real ? style ? style[i] : 1.0f : 0.0f;
        space->shift[i] = real && style ? style[s->channels + i] : 0.0f;
    }
    if (s->instance_norm) {
        sg__parallel(w.model, w.out.blocks * strips, sg__moments_item, &w);
        for (int c = 0; c < s->channels; c++) sg__merge_moments(&w, c);
    }
    sg__parallel(w.model, w.out.blocks * strips, sg__scale_shift_item, &w);
}
#endif

/* --- IMAGE: ToRGB, and the image below --- */

static sg__rows sg__image_needs(const stylegan_model *m, const sg__step *s, const sg__step *of, int begin, int end) {
    int filtered = s->blend == 0, pad = filtered ? s->pad_row : 0, reach = filtered ? s->filter->height - 1 : 0;
    (void)m;
    if (of == s->input) return sg__clip_rows(begin, end, 0, of->height);
    return sg__clip_rows((begin - pad) / 2, (end - 1 - pad + reach) / 2 + 1, 0, of->height);
}

/* Rows of an image on their way out. */
typedef struct sg__output {
    sg__work work;
    float *image;          /* of the last step: [C][...][W], from the first row on; else NULL */
    size_t channel_stride; /* floats between its channels */
} sg__output;

/* Row y of vector v of the image below, up-sampled, to out [W][V]: low-pass filtered as if there were zeros between its
   pixels and rows. Of these, only every other tap sees a pixel. */
static void sg__upsample_row(const sg__work *w, int v, int y, float *out, const sg__scratch *scratch) {
    static const sg__leak none = {1, 1, 3e38f};
    static const float one = 1;
    const sg__step *s = w->step;
    const sg__kernels *k = sg__kernels_of(w->model);
    const sg__filter *f = s->filter;
    const float *source[SG__MAX_FIR / 2]; /* every other row */
    float weight[SG__MAX_FIR / 2], taps[2 * (SG__MAX_FIR / 2 + 2)];
    int size = s->side->width * k->lanes, border = (f->width + 1) * k->lanes, rows = 0;
    int top = y - s->pad_row, before = (s->pad_column + 1) / 2, n = before + (f->width - s->pad_column) / 2 + 1;
    int first = sg__clip(top, 0, 2 * s->side->height - 1), last = sg__clip(top + f->height, 0, 2 * s->side->height - 1);
    for (int i = (first + 1) / 2; 2 * i < last; i++, rows++) {
        source[rows] = sg__row_of(&w->side, v, i);
        weight[rows] = f->column[2 * i - top];
    }
    float *row = scratch->spread + border, *more = row + size + border;
    STYLEGAN_MEMSET(row - border, 0, (size_t)border * sizeof(float));
    STYLEGAN_MEMSET(row + size, 0, (size_t)border * sizeof(float));
    if (!rows) STYLEGAN_MEMSET(out, 0, 2 * (size_t)size * sizeof(float));
    for (int i = 0; i < (f->separable ? rows > 0 : rows); i++) {
        const float *across = f->separable ? f->row : f->taps + (2 * ((first + 1) / 2 + i) - top) * f->width;
        for (int j = 0; j < 2 * n; j++) { /* of even outputs, then of odd ones */
            int tap = 2 * (j % n - before) + s->pad_column - j / n;
            taps[j] = tap >= 0 && tap < f->width ? across[tap] : 0;
        }
        if (f->separable) /* columns first: then there is one row */
            k->weighted_sum(row, size, source, weight, rows);
        else
            STYLEGAN_MEMCPY(row, source[i], (size_t)size * sizeof(float));
        k->upsample(row - before * k->lanes, s->side->width, taps, 2, n, &none, i ? more : out);
        if (i) sg__sum_row(k, out, 2 * size, more, &one, 1, 1);
    }
}

/* Blends a row with the nearest-neighbour up-sampled image below (a half-grown StyleGAN 1). */
static void sg__blend_below(const sg__work *w, int y, float *row, size_t vector) {
    int lanes = sg__kernels_of(w->model)->lanes;
    for (int v = 0; v < w->out.blocks; v++, row += vector) {
        const float *below = sg__row_of(&w->side, v, y / 2);
        for (int i = 0; i < w->step->width * lanes; i++) {
            row[i] += (below[i / (2 * lanes) * lanes + i % lanes] - row[i]) * w->step->blend;
        }
    }
}

/* Writes a row [ceil(C/V)][W][V] to the planar image, each pixel 2^repeat times in both directions. */
static void sg__write_row(const sg__output *o, int y, const float *row) {
    const sg__step *s = o->work.step;
    int lanes = sg__kernels_of(o->work.model)->lanes, repeat = s->repeat, width = s->width << repeat;
    for (int c = 0; c < s->channels; c++) {
        const float *from = row + (size_t)(c / lanes) * (size_t)(s->width * lanes) + c % lanes;
        float *out = o->image + (size_t)c * o->channel_stride + ((size_t)(y - o->work.begin) << repeat) * (size_t)width;
        for (int x = 0; x < width; x++) out[x] = from[(x >> repeat) * lanes];
        for (int i = 1; i < 1 << repeat; i++)
            STYLEGAN_MEMCPY(out + (size_t)i * (size_t)width, out, (size_t)width * sizeof(float));
    }
}

#if SG__MATRIX_UNITS
/* The products of row y of a map that is kept in 16 bits, as many pixels at a time as find room where weights are unpacked. */
static void sg__convolve_half(const sg__panel *p, int y, sg__row *row) {
    const sg__work *w = p->work;
    const sg__kernels *k = sg__kernels_of(w->model);
    int most = (int)sg__panel_width(w->model), width = row->width;
    if (most > k->pixels) most -= most % k->pixels;
    row->input = p->scratch->panel;
    row->input_block = (size_t)(most * k->lanes);
    row->taps = 1;
    row->offset[0] = 0;
    row->panel[0] = p->weights;
    for (int x = 0; x < width; x += most) {
        row->width = width - x < most ? width - x : most;
        for (int i = 0; i < w->in.blocks; i++)
            k->widen(sg__half_row(&w->in, i, y) + 2 * x * k->lanes, row->width * k->lanes,
                     p->scratch->panel + (size_t)i * row->input_block);
        k->convolve(row, p->q);
        row->output += (size_t)most * row->output_pixel;
    }
}
#endif

/* Row y: ToRGB's products, panel by panel, then bias, clamp and the image below. */
static void sg__image_row(const sg__output *o, int y, const sg__scratch *scratch) {
    const sg__work *w = &o->work;
    const sg__step *s = w->step;
    const sg__kernels *k = sg__kernels_of(w->model);
    int below = STYLEGAN_FAMILIES & 2 && s->side && s->blend == 0;
    size_t lanes = (size_t)k->lanes, vector = o->image ? (size_t)s->width * lanes : w->out.block;
    float *out = o->image ? scratch->row : sg__row_of(&w->out, 0, y);
    for (int i = 0; i < w->panels; i++) {
        sg__panel p = sg__make_panel(w, scratch, i);
        p.weights = w->tables.weights + (size_t)i * sg__panel_floats(w->model, s, &w->plan->tiling);
        sg__row row = sg__start_row(&p, out + (size_t)p.first * vector, lanes, vector, s->width);
#if SG__MATRIX_UNITS
        if (w->in.half) {
            sg__convolve_half(&p, y, &row);
            continue;
        }
#endif
        sg__add_tap(&row, &p, 0, 0, y, 0);
        k->convolve(&row, p.q);
    }
    for (int v = 0; v < w->out.blocks; v++) {
        size_t channel = (size_t)v * lanes;
        if (below) sg__upsample_row(w, v, y, scratch->above, scratch);
        sg__epilogue e = {w->scale + channel,
                          w->tables.bias + channel,
                          w->tables.strength + channel,
                          NULL,
                          below ? scratch->above : NULL,
                          STYLEGAN_LINEAR,
                          s->gain,
                          s->clamp};
        k->finish(out + (size_t)v * vector, s->width, &e);
    }
    if (STYLEGAN_FAMILIES & 1 && s->blend > 0) sg__blend_below(w, y, out, vector);
    if (o->image) sg__write_row(o, y, out);
}

static void sg__image_item(void *context, int item, int part) {
    const sg__output *o = (const sg__output *)context;
    const sg__work *w = &o->work;
    int rows = w->end - w->begin, end = w->begin + rows * (item + 1) / w->pieces;
    for (int y = w->begin + rows * item / w->pieces; y < end; y++) {
        sg__image_row(o, y, &w->call->workspace->scratch[part]);
        if (sg__tick(w->call, sg__own_work(w->step))) return;
    }
}

static void sg__image_rows(sg__call *call, const sg__step *s, int begin, int end) {
    sg__output o = {sg__start(call, s, begin, end), NULL, 0};
    if (s == &call->model->steps[call->model->step_count - 1]) { /* finished rows leave at once */
        size_t width = (size_t)call->model->config.width;
        o.channel_stride =
            call->run->rows ? ((size_t)(end - begin) << s->repeat) * width : (size_t)call->model->config.height * width;
        o.image = call->run->rows ? call->workspace->band : call->image + ((size_t)begin << s->repeat) * width;
    }
    o.work.pieces = sg__clip(4 * call->model->parts, 1, end - begin);
    sg__parallel(call->model, o.work.pieces, sg__image_item, &o);
}

#if STYLEGAN_FAMILIES & 4
/* --- FOURIER: sine waves, moved and turned by the style and the caller --- */

/* m [2][3]: where the wave's plane is for a point (x, y, 1) of the map: R T U, with R and T the style's turn and move
   and U the caller's transform. */
static void sg__fourier_transform(const sg__call *call, const sg__step *s, double m[6]) {
    static const float identity[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    const float *style = sg__style_of(call, s), *user = call->run->transform;
    float stored[9 + 3 * SG__MAX_LANES];
    double c = (double)style[0], n = (double)style[1], x = (double)style[2], y = (double)style[3];
    double length = STYLEGAN_SQRT(c * c + n * n);
    for (int i = 0; !user && s->waves.transform.data && i < 3; i++)
        sg__kernels_of(call->model)->unpack(&s->waves.transform, (size_t)i, 0, 3, stored + 3 * i);
    if (!user) user = s->waves.transform.data ? stored : identity;
    c /= length;
    n /= length;
    x /= length;
    y /= length;
    const double moved[6] = {c, -n, n * y - c * x, n, c, -n * x - c * y};
    for (int i = 0; i < 6; i++) {
        m[i] = 0;
        for (int k = 0; k < 3; k++) m[i] += moved[i / 3 * 3 + k] * (double)user[3 * k + i % 3];
    }
}

/* A wave: its frequency along both axes (turns a pixel), turns at pixel (0, 0), amplitude. */
typedef struct sg__wave {
    double along_x, along_y, phase, amplitude;
} sg__wave;

static sg__wave sg__make_wave(const sg__step *s, const sg__kernels *k, const double m[6], int channel) {
    float frequency[1 + SG__MAX_LANES], phase[SG__MAX_LANES]; /* and the lanes beside them */
    sg__wave wave = {0, 0, 0, 0};
    if (channel >= s->channels) return wave;
    k->unpack(&s->weight, (size_t)channel, 0, 2, frequency);
    k->unpack(&s->waves.phases, 0, channel, 1, phase);
    double fx = (double)frequency[0], fy = (double)frequency[1], rate = (double)s->waves.rate;
    double x = fx * m[0] + fy * m[3], y = fx * m[1] + fy * m[4], bandwidth = (double)s->waves.bandwidth;
    double a = 1 - (STYLEGAN_SQRT(x * x + y * y) - bandwidth) / (rate / 2 - bandwidth);
    wave.amplitude = a < 0 ? 0 : a > 1 ? 1 : a; /* waves beyond what the map can hold fade out */
    wave.along_x = x / rate;
    wave.along_y = y / rate;
    wave.phase =
        (double)phase[0] + fx * m[2] + fy * m[5] + (wave.along_x * (1 - s->width) + wave.along_y * (1 - s->height)) / 2;
    return wave;
}

/* Item: a block of channels. sin(a + b) = sin a cos b + cos a sin b: sines of rows and columns make those of pixels. */
static void sg__fourier_item(void *context, int block, int part) {
    const sg__work *w = (const sg__work *)context;
    const sg__step *s = w->step;
    const sg__kernels *k = sg__kernels_of(w->model);
    size_t lanes = (size_t)k->lanes;
    float *across = w->call->workspace->scratch[part].resampled; /* [W][2][V]: cosine, sine */
    double m[6];
    sg__wave waves[SG__MAX_LANES];
    float sine[SG__MAX_LANES], cosine[SG__MAX_LANES];
    sg__fourier_transform(w->call, s, m);
    for (size_t lane = 0; lane < lanes; lane++) {
        waves[lane] = sg__make_wave(s, k, m, block * (int)lanes + (int)lane);
        for (size_t x = 0; x < (size_t)s->width; x++) {
            across[2 * x * lanes + lane] = (float)sg__sine(waves[lane].along_x * (double)x + 0.25);
            across[(2 * x + 1) * lanes + lane] = (float)sg__sine(waves[lane].along_x * (double)x);
        }
    }
    for (int y = w->begin; y < w->end; y++) {
        float *row = sg__row_of(&w->out, block, y), *out = row;
        const float *column = across;
        for (size_t lane = 0; lane < lanes; lane++) {
            double turns = waves[lane].phase + waves[lane].along_y * y;
            sine[lane] = (float)(waves[lane].amplitude * sg__sine(turns));
            cosine[lane] = (float)(waves[lane].amplitude * sg__sine(turns + 0.25));
        }
        for (int x = 0; x < s->width; x++, column += 2 * lanes, out += lanes) {
            for (size_t lane = 0; lane < lanes; lane++)
                out[lane] = sine[lane] * column[lane] + cosine[lane] * column[lanes + lane];
        }
        sg__close_row(&w->out, s, row, 0, s->width, lanes);
    }
    sg__tick(w->call, sg__own_work(s) / (float)w->out.blocks * (float)(w->end - w->begin));
}

static void sg__fourier_rows(sg__call *call, const sg__step *s, int begin, int end) {
    sg__work w = sg__start(call, s, begin, end);
    sg__parallel(w.model, w.out.blocks, sg__fourier_item, &w);
}

/* --- FILTERED: up-sampling, activation, down-sampling, in strips of columns that stay in the second-level cache:

      rows of the input --up_filter down--> a row --up_filter across, activation--> a row of `up` times the pixels
      --down_filter across--> a ring of rows --down_filter down--> a row of the output

   A radial filter has no such parts: the ring then holds the wide rows. --- */

/* As sg__kernels want them: [up][reach] for the pixels between two of the input, then the down filter, folded rows
   first. */
static void sg__prepare_taps(const stylegan_model *m, const sg__resampling *r, float *taps) {
    float line[SG__MAX_LINE + SG__MAX_LANES];
    int reach = sg__up_reach(r), n = r->down_taps;
    line[0] = 1;
    if (r->up_filter.data) sg__kernels_of(m)->unpack(&r->up_filter, 0, 0, r->up_taps, line);
    for (int i = 0; i < r->up * reach; i++) {
        int tap = r->up - 1 - i / reach + i % reach * r->up;
        taps[i] = tap < r->up_taps ? line[tap] : 0;
    }
    taps += r->up * reach;
    line[0] = 1;
    for (int row = 0; row < (r->radial ? n : 1); row++) {
        if (r->down_filter.data) sg__kernels_of(m)->unpack(&r->down_filter, (size_t)row, 0, n, line);
        STYLEGAN_MEMCPY(taps + row * n, line, (size_t)n * sizeof(float));
    }
}

static int sg__divide_up(int a, int b) {
    return a > 0 ? (a + b - 1) / b : -(-a / b);
}

static sg__rows sg__filtered_needs(const stylegan_model *m, const sg__step *s, const sg__step *of, int begin, int end) {
    const sg__resampling *r = &s->resampling;
    int first = r->down * begin - s->pad_row, last = r->down * (end - 1) + r->down_taps - 1 - s->pad_row;
    (void)m;
    return sg__clip_rows(sg__divide_up(first, r->up), sg__divide_up(last, r->up) + sg__up_reach(r), 0, of->height);
}

/* Columns [first, first + count) of a block of channels in the hands of one part. */
typedef struct sg__resampler {
    const sg__work *work;
    int block, first, count;
    int column, groups; /* input column of the first group of up-sampled pixels, number of groups */
    size_t skip;        /* floats of the first group before the first pixel needed */
    float *narrow, *wide, *ring;
    size_t ring_row; /* floats between rows of the ring */
    const float *up_taps, *down_taps;
} sg__resampler;

static sg__resampler sg__start_resampler(const sg__work *w, int item, float *memory) {
    const sg__step *s = w->step;
    const sg__resampling *r = &s->resampling;
    size_t lanes = (size_t)sg__kernels_of(w->model)->lanes;
    sg__resampler p;
    p.work = w;
    p.block = item % w->out.blocks;
    p.first = item % w->panels / w->out.blocks * SG__COLUMNS;
    p.count = sg__clip(s->width - p.first, 0, SG__COLUMNS);
    int start = r->down * p.first - s->pad_column;
    p.column = sg__divide_up(start, r->up);
    p.groups = sg__up_groups(r, p.count);
    p.skip = (size_t)(start - (r->up * (p.column - 1) + 1)) * lanes;
    p.narrow = memory;
    p.wide = p.narrow + (size_t)(p.groups + sg__up_reach(r) - 1) * lanes;
    p.ring = p.wide + (size_t)(p.groups * r->up) * lanes;
    p.ring_row = (size_t)(r->radial ? p.groups * r->up : p.count) * lanes;
    p.up_taps = w->tables.weights;
    p.down_taps = p.up_taps + r->up * sg__up_reach(r);
    return p;
}

/* Up-sampled row y, as yet of the input's columns: zeros outside. */
static void sg__resample_down(const sg__resampler *p, int y) {
    const sg__work *w = p->work;
    const sg__step *s = w->step;
    const sg__resampling *r = &s->resampling;
    const sg__kernels *k = sg__kernels_of(w->model);
    const float *source[SG__MAX_LINE];
    size_t lanes = (size_t)k->lanes;
    int reach = sg__up_reach(r), n = 0, width = p->groups + reach - 1;
    int top = sg__divide_up(y - s->pad_row, r->up), phase = y - s->pad_row - r->up * (top - 1) - 1;
    int left = sg__clip(-p->column, 0, width), right = sg__clip(s->input->width - p->column, left, width);
    sg__rows rows = sg__clip_rows(top, top + reach, 0, s->input->height);
    for (int i = rows.first; i < rows.last; i++)
        source[n++] = sg__row_of(&w->in, p->block, i) + (p->column + left) * (ptrdiff_t)lanes;
    STYLEGAN_MEMSET(p->narrow, 0, (size_t)left * lanes * sizeof(float));
    k->weighted_sum(p->narrow + (size_t)left * lanes, (right - left) * k->lanes, source,
                    p->up_taps + phase * reach + (rows.first - top), n);
    STYLEGAN_MEMSET(p->narrow + (size_t)right * lanes, 0, (size_t)(width - right) * lanes * sizeof(float));
}

static float *sg__ring_row(const sg__resampler *p, int y) {
    return p->ring + (size_t)(y % p->work->step->resampling.down_taps) * p->ring_row;
}

/* Row y of the ring. */
static void sg__resample_across(const sg__resampler *p, int y) {
    const sg__step *s = p->work->step;
    const sg__resampling *r = &s->resampling;
    const sg__kernels *k = sg__kernels_of(p->work->model);
    float slope = s->activation == STYLEGAN_LRELU ? 0.2f : s->activation == STYLEGAN_RELU ? 0.0f : 1.0f;
    sg__leak leak = {slope, s->gain, s->clamp > 0 ? s->clamp : 3e38f};
    float *wide = r->radial ? sg__ring_row(p, y) : p->wide;
    const float *row = wide + p->skip;
    sg__resample_down(p, y);
    k->upsample(p->narrow, p->groups, p->up_taps, r->up, sg__up_reach(r), &leak, wide);
    if (!r->radial) k->downsample(sg__ring_row(p, y), p->count, &row, 1, 0, p->down_taps, r->down_taps, r->down);
}

/* Row y of the output. */
static void sg__resample_row(const sg__resampler *p, int y) {
    const sg__work *w = p->work;
    const sg__resampling *r = &w->step->resampling;
    const sg__kernels *k = sg__kernels_of(w->model);
    const float *rows[SG__MAX_LINE];
    int n = r->down_taps;
    float *row = sg__row_of(&w->out, p->block, y), *out = row + p->first * k->lanes;
    for (int i = 0; i < n; i++) rows[i] = sg__ring_row(p, r->down * y + i);
    if (r->radial) {
        for (int i = 0; i < n; i++) rows[i] += p->skip;
        k->downsample(out, p->count, rows, n, r->folded, p->down_taps, n, r->down);
    } else {
        k->weighted_sum(out, p->count * k->lanes, rows, p->down_taps, n);
    }
    sg__close_row(&w->out, w->step, row, p->first, p->first + p->count, (size_t)k->lanes);
}

static void sg__filtered_item(void *context, int item, int part) {
    const sg__work *w = (const sg__work *)context;
    const sg__resampling *r = &w->step->resampling;
    sg__resampler p = sg__start_resampler(w, item, w->call->workspace->scratch[part].resampled);
    sg__rows rows = sg__piece(w, item, w->begin, w->end);
    int done = 0; /* rows up to this one are in the ring */
    for (int y = rows.first; y < rows.last; y++) {
        if (done < r->down * y) done = r->down * y;
        for (; done < r->down * y + r->down_taps; done++) sg__resample_across(&p, done);
        sg__resample_row(&p, y);
        if (sg__tick(w->call, sg__own_work(w->step) / (float)w->panels)) return;
    }
}

static void sg__filtered_rows(sg__call *call, const sg__step *s, int begin, int end) {
    sg__work w = sg__start(call, s, begin, end);
    w.panels = w.out.blocks * ((s->width + SG__COLUMNS - 1) / SG__COLUMNS);
    sg__run_pieces(&w, sg__filtered_item, end - begin, (end - begin) / 16 + 1);
}
#endif

/* --- All of them --- */

/* By sg__op. needs: the rows of `of`, an input or side of s, for output rows [begin, end); NULL: there is none. */
static const struct {
    sg__rows (*needs)(const stylegan_model *m, const sg__step *s, const sg__step *of, int begin, int end);
    void (*compute)(sg__call *call, const sg__step *s, int begin, int end);
} sg__operations[] = {
    {NULL, SG__IN_1_2(sg__constant_rows)},
    {NULL, SG__IN_1_2(sg__constant_rows)},
    {sg__conv_needs, sg__convolve_rows},
    {SG__IN_1_2(sg__scatter_needs), SG__IN_1_2(sg__convolve_rows)},
    {SG__IN_1_2(sg__filter_needs), SG__IN_1_2(sg__filter_rows)},
    {SG__IN_1(sg__norm_needs), SG__IN_1(sg__norm_rows)},
    {sg__image_needs, sg__image_rows},
    {NULL, SG__IN_3(sg__fourier_rows)},
    {SG__IN_3(sg__filtered_needs), SG__IN_3(sg__filtered_rows)},
};

/* >>run

   Asks the last step for rows; steps ask theirs for what they need. Nothing here knows what a step computes. The same
   motions, gone through without computing, tell the plan how high the windows must be. */

typedef struct sg__motion {
    sg__call *call; /* NULL: a rehearsal, which measures the windows */
    const stylegan_model *model;
    sg__map *maps; /* [step_count] */
} sg__motion;

static sg__rows sg__needs(const stylegan_model *m, const sg__step *s, const sg__step *of, int begin, int end) {
    return sg__operations[s->op].needs(m, s, of, begin, end);
}

/* The row up to which a step goes at once, of those up to `end`: a strip, of whole tiles. A FILTER takes as many rows
   as a strip of t allows. */
static int sg__strip_end(const sg__motion *go, const sg__step *s, int end) {
    const stylegan_model *m = go->model;
    const sg__plan *p = sg__plan_of(m, s);
    int begin = go->maps[s->number].end, height = s->height;
    if ((s->op == SG__NORM && p->whole) || s->op == SG__CONSTANT || s->op == SG__DENSE) return height;
    if (s->op == SG__FILTER && sg__unit_rows(m, s->input) > 1) {
        int reach = s->pad_row - s->filter->height + 1, t = sg__round_rows(m, s->input, end - reach);
        int most = go->maps[s->input->number].end + p[-1].strip;
        if (t > most) t = most;
        return t >= s->input->height ? height : sg__clip(t + reach, 0, height);
    }
    end = sg__round_rows(m, s, end);
    /* what both of a FILTERED's filters share is lost at a strip's end, so it goes on to there */
    if (end > begin + p->strip || s->op == SG__FILTERED) end = begin + p->strip;
    return s->op == SG__SCATTER || sg__is_tiled(&p->tiling) ? end
                                                            : sg__clip(end, 0, height); /* the rest of the last tiles */
}

/* The first row of a step's map that any later step still needs. */
static int sg__still_needed(const sg__motion *go, const sg__step *s) {
    const stylegan_model *m = go->model;
    int least = s->height;
    if (sg__holds_all(m, s)) return 0;
    for (int i = s->number + 1; i < m->step_count; i++) {
        const sg__step *reader = &m->steps[i];
        int next = go->maps[i].end;
        if ((reader->input != s && reader->side != s) || next >= reader->height) continue;
        if (sg__computes_twice(m, reader) && go->maps[i].measured != SG__KNOWN)
            continue; /* it wants the moments only */
        sg__rows rows = sg__needs(m, reader, s, next, next + 1);
        if (rows.first < least) least = rows.first;
    }
    return least;
}

/* Forgets the rows before `first`, of all images at work, if the rows up to `end` would not fit otherwise. */
static void sg__make_room(sg__map *map, int first, int end, int images) {
    if (map->end <= map->begin) map->begin = map->end = first;
    if (end - map->begin <= map->capacity) return;
    for (int i = 0; i < images * map->blocks; i++) {
        sg__map one = *map;
        int block = i % map->blocks;
        sg__shift_map(&one, (size_t)(i / map->blocks) * map->image);
        for (int y = first; y < map->end; y++) { /* each to where a row before it lay */
            int to = map->begin + y - first;
            if (map->half)
                STYLEGAN_MEMCPY(sg__half_row(&one, block, to), sg__half_row(&one, block, y), 2 * map->kept);
            else
                STYLEGAN_MEMCPY(sg__row_of(&one, block, to) - map->border, sg__row_of(&one, block, y) - map->border,
                                map->row * sizeof(float));
        }
    }
    map->begin = first;
}

static double sg__style_work(const stylegan_model *m) {
    return (double)m->config.w_dim * (double)m->style_floats;
}

/* Of the weights that steps [first, end) keep, before their first row. */
static double sg__begin_work(const stylegan_model *m, int first, int end) {
    double work = 0;
    for (int i = first; i < end; i++)
        if (m->plans[i].prepared && !sg__borrows(&m->plans[i]))
            work += (double)sg__panels(m, m->steps[i].channels) * (double)sg__prepare_work(m, &m->steps[i]);
    return work;
}

/* The work of the first steps. */
static double sg__work_of(const stylegan_model *m, int steps) {
    double work = sg__style_work(m) + sg__begin_work(m, 0, steps);
    for (int i = 0; i < steps; i++) work += m->plans[i].work;
    return work;
}

/* The strip of this work is finished. */
static stylegan_result sg__progress(const sg__call *call, double work) {
    sg__clock *clock = call->clock;
    clock->done += work;
    clock->ahead = 0;
    if (work > 0) sg__report(call);
    if (!clock->cancelled) return STYLEGAN_OK;
    return sg__fail(call->error, STYLEGAN_ERROR_CANCELLED, "cancelled by the progress callback");
}

/* Shows rows from `begin` on of a map, or of what is staged of it, to the caller who wants to look. */
static void sg__inspect(const sg__call *call, const sg__step *s, const sg__map *map, int begin) {
    const stylegan_model *m = call->model;
    if (!call->run->inspect || call->measuring || s->layer < 0 || s->half || s == &m->steps[m->step_count - 1]) return;
    stylegan_feature_map feature;
    feature.layer = s->name;
    feature.index = s->layer;
    feature.style = sg__style_of(call, sg__steered(s));
    feature.channels = s->channels;
    feature.height = s->height;
    feature.width = s->width;
    feature.first_row = begin;
    feature.rows = map->end - begin;
    feature.data = sg__row_of(map, 0, begin);
    feature.lanes = sg__kernels_of(m)->lanes;
    feature.row_stride = map->row;
    feature.block_stride = map->block;
    call->run->inspect(call->run->user, call->index, &feature);
}

/* The same of all rows of a map kept in 16 bits: the room holds one of them. */
static void sg__inspect_kept(const sg__call *call, const sg__step *s, const sg__map *map) {
    for (int y = 0; call->run->inspect && y < s->height; y++) {
        sg__map row = sg__staged_map(map, sg__room_at(call, s), y, y + 1, 0);
        for (int block = 0; block < map->blocks; block++)
            sg__widen_row(sg__kernels_of(call->model), map, &row, block, y);
        sg__inspect(call, s, &row, y);
    }
}

/* Hands the image's rows [begin, end), which lie in the band, to the caller. */
static stylegan_result sg__hand_over(const sg__call *call, const sg__step *s, int begin, int end) {
    const stylegan_config *c = &call->model->config;
    int top = begin << s->repeat, rows = (end - begin) << s->repeat;
    size_t width = (size_t)c->width, height = (size_t)c->height, floats = (size_t)rows * width;
    const float *band = call->workspace->band;
    if (!call->run->rows) return STYLEGAN_OK;
    for (size_t i = 0; call->image && i < (size_t)c->channels; i++)
        STYLEGAN_MEMCPY(call->image + (i * height + (size_t)top) * width, band + i * floats, floats * sizeof(float));
    if (!call->run->rows(call->run->user, call->index, top, rows, band)) return STYLEGAN_OK;
    return sg__fail(call->error, STYLEGAN_ERROR_CANCELLED, "cancelled by the rows callback");
}

/* Shows what a step has computed: rows from `begin` on, or all of a whole map once it is there. */
static void sg__show(const sg__call *call, const sg__step *s, int begin, int end) {
    const stylegan_model *m = call->model;
    const sg__map map = sg__map_of(call, s);
    if (!sg__holds_all(m, s) || (map.half && s->op != SG__NORM))
        sg__inspect(call, s, &call->out, begin);
    else if (map.half)
        sg__inspect_kept(call, s, &map);
    else if (end >= s->height)
        sg__inspect(call, s, &map, 0);
}

/* Computes a strip of the image at work, or of all those drawn together: a convolution then shares its weights. */
static void sg__compute_images(sg__call *call, const sg__step *s, const sg__rows *in, const sg__rows *side, int begin,
                               int end) {
    int images = sg__images(call, s), shares = s->op == SG__CONV || s->op == SG__SCATTER;
    for (int i = images - 1; i >= 0; i--) {
        if (images > 1) sg__select(call, i);
        sg__stage(call, s, in, side, begin, end);
        if (i == 0 || !shares) sg__operations[s->op].compute(call, s, begin, end);
    }
    for (int i = 0; i < images && !call->clock->cancelled; i++) {
        if (i) sg__select(call, i);
        if (i) sg__shift_map(&call->out, call->workspace->image);
        sg__keep(call, s, begin, end);
        sg__show(call, s, begin, end);
    }
    if (images > 1) sg__select(call, 0);
}

/* Computes rows up to `end`, a strip, or goes through the motions; the rows of its inputs are there. */
static stylegan_result sg__compute_strip(const sg__motion *go, const sg__step *s, int end) {
    const stylegan_model *m = go->model;
    sg__map *map = &go->maps[s->number];
    int begin = map->end, keep = sg__still_needed(go, s), last = s == &m->steps[m->step_count - 1];
    sg__plan *p = &go->model->plans[s->number];
    sg__rows none = {0, 0}, in = s->input ? sg__needs(m, s, s->input, begin, end) : none;
    sg__rows side = s->side ? sg__needs(m, s, s->side, begin, end) : none;
    double work = (double)sg__own_work(s) * (sg__clip(end, 0, s->height) - begin);
    if (keep > begin) keep = begin;
    if (!go->call) {
        p->work += work;
        if (p->in_rows < in.last - in.first) p->in_rows = in.last - in.first;
        if (p->side_rows < side.last - side.first) p->side_rows = side.last - side.first;
        if (p->out_rows < end - begin) p->out_rows = end - begin;
        if (map->capacity < end - keep) map->capacity = end - keep;
        map->end = end;
        return STYLEGAN_OK;
    }
    work *= sg__images(go->call, s);
    if (!last) sg__make_room(map, keep, end, sg__images(go->call, s));
    map->end = end;
    sg__compute_images(go->call, s, &in, &side, begin, end);
    if (go->call->clock->cancelled) return sg__progress(go->call, 0);
#if STYLEGAN_FAMILIES & 1
    if (!last && s[1].input == s && map[1].measured == SG__AT_WORK) sg__add_moments(go->call, s + 1, begin, end);
#endif
    stylegan_result result = last ? sg__hand_over(go->call, s, begin, end) : STYLEGAN_OK;
    if (last && end == s->height) /* rows that no step needed are as good as done */
        go->call->clock->done = sg__work_of(m, m->step_count) * (go->call->index + 1) - work +
                                sg__work_of(m, sg__together(m)) * (go->call->together - 1 - go->call->slot);
    return result ? result : sg__progress(go->call, work);
}

#if STYLEGAN_FAMILIES & 1
/* Begins to measure a NORM's input, whose rows are wanted for their moments only, or ends it: all windows before it are
   forgotten, to be computed again. */
static void sg__measure_norm(const sg__motion *go, const sg__step *s) {
    const stylegan_model *m = go->model;
    int begins = go->maps[s->number].measured == SG__UNKNOWN;
    go->maps[s->number].measured = begins ? SG__AT_WORK : SG__KNOWN;
    if (go->call) (begins ? sg__begin_moments : sg__end_moments)(go->call, s);
    for (int i = 0; i < s->number && !begins; i++) {
        if (m->plans[i].whole) continue;
        go->maps[i].begin = go->maps[i].end = sg__origin(m, &m->steps[i]);
    }
}

#endif

/* Wants rows of a step up to `end`; asker: the step that wants them, or NULL. Returns whether they are not there yet. */
static int sg__want(const sg__motion *go, const sg__step *s, int end, const sg__step *asker) {
    sg__map *map = &go->maps[s->number];
    if (map->end >= end) return 0;
    map->wanted = sg__holds_all(go->model, s) ? s->height : end;
    map->asker = asker ? asker->number : -1;
    map->next = 0;
    return 1;
}

/* An input that lacks rows for the next strip of a step; NULL: none. */
static const sg__step *sg__lacking(const sg__motion *go, const sg__step *s) {
    const stylegan_model *m = go->model;
    sg__map *map = &go->maps[s->number];
#if STYLEGAN_FAMILIES & 1
    int measures = sg__computes_twice(m, s) && map->measured != SG__KNOWN;
    if (measures && map->measured == SG__UNKNOWN) sg__measure_norm(go, s);
    if (measures && sg__want(go, s->input, s->height, s)) return s->input;
    if (measures) sg__measure_norm(go, s);
#endif
    if (!map->next) map->next = sg__strip_end(go, s, map->wanted);
    if (s->input && sg__want(go, s->input, sg__needs(m, s, s->input, map->end, map->next).last, s)) return s->input;
    if (s->side && sg__want(go, s->side, sg__needs(m, s, s->side, map->end, map->next).last, s)) return s->side;
    return NULL;
}

/* Brings a step's rows up to `end`, strip by strip, and before each the rows of its inputs that it needs. Who asked whom
   is noted in the maps: a recursion would take too much of a small processor's stack. */
static stylegan_result sg__advance(const sg__motion *go, const sg__step *s, int end) {
    const stylegan_model *m = go->model;
    if (!sg__want(go, s, end, NULL)) return STYLEGAN_OK;
    for (;;) {
        sg__map *map = &go->maps[s->number];
        const sg__step *input = map->end < map->wanted ? sg__lacking(go, s) : NULL;
        if (input) {
            s = input;
        } else if (map->end < map->wanted) {
            stylegan_result result = sg__compute_strip(go, s, map->next);
            if (result) return result;
            map->next = 0;
        } else if (map->asker < 0) {
            return STYLEGAN_OK;
        } else {
            s = &m->steps[map->asker];
        }
    }
}

/* All rows of all steps from the first on: whole ones in their order, windows as the last step asks for them. A StyleGAN 3 crops its maps:
   only those who look at them see the last rows. */
static stylegan_result sg__draw_whole(const sg__motion *go, int first, int end) {
    const stylegan_model *m = go->model;
    stylegan_result result = STYLEGAN_OK;
    for (int i = first; i < end && !result; i++)
        if (sg__holds_all(m, &m->steps[i])) result = sg__advance(go, &m->steps[i], m->steps[i].height);
    return result;
}

static stylegan_result sg__draw(const sg__motion *go, int first) {
    const stylegan_model *m = go->model;
    const sg__step *last = &m->steps[m->step_count - 1];
    stylegan_result result = sg__draw_whole(go, first, m->step_count - 1);
    if (!result) result = sg__advance(go, last, last->height);
    int shown = !go->call || go->call->run->inspect;
    for (const sg__step *s = last; shown && !result && s >= m->steps; s--)
        if (s->op != SG__SCATTER) result = sg__advance(go, s, s->height);
    return result;
}

/* Bias, noise strength and, where they are kept, the weights of a step. Those that images share are prepared once. */
static void sg__begin_step(sg__call *call, const sg__step *s) {
    const stylegan_model *m = call->model;
    const sg__tables t = sg__tables_of(call, s);
    size_t bytes = (size_t)sg__padded(m, s->channels) * sizeof(float);
#if STYLEGAN_FAMILIES & 4
    if (s->op == SG__FILTERED) sg__prepare_taps(m, &s->resampling, t.weights);
#endif
    if (sg__is_bare(s)) return;
    for (size_t i = 0; s->op != SG__FILTER && i < bytes / sizeof(float); i++) t.scale[i] = 1;
    if (s->op != SG__SCATTER) {
        STYLEGAN_MEMSET(t.bias, 0, bytes);
        STYLEGAN_MEMSET(t.strength, 0, bytes);
        if (s->bias.data) sg__kernels_of(m)->unpack(&s->bias, 0, 0, s->channels, t.bias);
    }
    if (s->strength.data) {
        sg__kernels_of(m)->unpack(&s->strength, 0, 0, s->strength.columns, t.strength);
        for (int i = 1; s->strength.columns == 1 && i < s->channels; i++) t.strength[i] = t.strength[0];
        const float *factors = call->run->layer_noise_strength;
        for (int i = 0; factors && i < s->channels; i++) t.strength[i] *= factors[s->layer];
    }
    if (!sg__plan_of(m, s)->prepared || sg__borrows(sg__plan_of(m, s))) return;
    sg__work w = sg__start(call, s, 0, 0);
    if (!sg__is_shared(m, s) || call->index == 0) sg__parallel(m, w.panels, sg__prepare_item, &w);
    if (sg__steers(w.plan)) sg__parallel(m, w.panels, sg__steer_item, &w);
}

/* Before the first row of steps [first, end) of the image at work. */
static stylegan_result sg__begin_steps(sg__call *call, int first, int end) {
    const stylegan_model *m = call->model;
    sg__map *maps = call->workspace->maps;
    for (int i = first; i < end; i++) {
        maps[i].begin = m->maps[i].begin;
        maps[i].end = m->maps[i].end;
        maps[i].measured = SG__UNKNOWN;
        sg__begin_step(call, &m->steps[i]);
    }
    return sg__progress(call, sg__begin_work(m, first, end));
}

/* Draws call->together images: the first steps for all of them at once, the others image by image. */
static stylegan_result sg__draw_images(sg__call *call) {
    const stylegan_model *m = call->model;
    sg__motion go = {call, m, call->workspace->maps};
    stylegan_result result = STYLEGAN_OK;
    for (int i = 0; i < call->together && !result; i++) {
        sg__select(call, i);
        sg__make_styles(call);
        result = sg__progress(call, sg__style_work(m));
        if (!result) result = sg__begin_steps(call, 0, sg__together(m));
    }
    sg__select(call, 0);
    if (!result) result = sg__draw_whole(&go, 0, sg__together(m));
    for (int i = 0; i < call->together && !result; i++) {
        sg__select(call, i);
        result = sg__begin_steps(call, sg__together(m), m->step_count);
        if (!result) result = sg__draw(&go, sg__together(m));
    }
    return result;
}

/* Finds out how many rows each window must hold by going through the motions. */
static void sg__rehearse(stylegan_model *m) {
    sg__motion go = {NULL, m, m->maps};
    if (!m->step_count) return;
    sg__draw(&go, 0);
    for (int i = 0; i < m->step_count; i++) {
        m->maps[i].block = m->maps[i].kept * (size_t)m->maps[i].capacity;
        m->maps[i].begin = m->maps[i].end = sg__origin(m, &m->steps[i]);
        m->maps[i].measured = SG__UNKNOWN;
    }
}

static void sg__plan_for(stylegan_model *m, const sg__budget *budget) {
    sg__workspace workspace;
    sg__plan_steps(m, budget);
    sg__rehearse(m);
    sg__measure(m, m->sizes);
    m->sizes->bytes = sg__layout(m, NULL, &workspace);
}

#ifndef STYLEGAN_NO_BATCH
/* How many images are drawn together: as many as wanted, or as fit. Nothing else of the plan changes an image. */
static void sg__choose_batch(stylegan_model *m, int wanted, size_t limit) {
    for (m->batch = wanted; m->batch > 1; m->batch--) {
        sg__plan_for(m, m->budget);
        if (!m->crowded && (!limit || m->sizes->bytes <= limit)) return;
    }
    sg__plan_for(m, m->budget);
}
#endif

/* Plans in the fastest way whose workspace fits into `limit` bytes (0: no limit), or for STYLEGAN_MEMORY_LEAST in the
   leanest. */
static stylegan_result sg__choose_budget(stylegan_model *m, size_t limit, stylegan_error *error) {
    const sg__budget *leanest = sg__budgets, *end = sg__budgets + sizeof sg__budgets / sizeof *sg__budgets;
    size_t least = (size_t)-1;
    for (const sg__budget *budget = sg__budgets; budget < end; budget++) {
        sg__plan_for(m, budget);
        if (SG__MAY_CROWD && m->crowded)
            return sg__fail(error, STYLEGAN_ERROR_UNSUPPORTED, "its maps become smaller again too often");
        if (!limit || (m->sizes->bytes <= limit && limit != STYLEGAN_MEMORY_LEAST)) return STYLEGAN_OK;
        if (m->sizes->bytes < least) {
            least = m->sizes->bytes;
            leanest = budget;
        }
    }
    sg__plan_for(m, leanest);
    if (limit == STYLEGAN_MEMORY_LEAST) return STYLEGAN_OK;
    return sg__fail(error, STYLEGAN_ERROR_MEMORY, "options.memory_limit is %u bytes, the workspace takes at least %u",
                    (uint64_t)limit, (uint64_t)least);
}

/* >>mapping */

/* x / sqrt(mean(x^2) + 1e-8) */
static void sg__normalize(float *x, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) sum += (double)x[i] * (double)x[i];
    float factor = (float)(1 / STYLEGAN_SQRT(sum / (count ? count : 1) + 1e-8));
    for (int i = 0; i < count; i++) x[i] *= factor;
}

/* The network's input for one latent: z and the embedded label, normalised. row: scratch for a row of the embedding. */
static void sg__mapping_input(const stylegan_model *m, const float *z, const float *label, float *x, float *row) {
    const stylegan_config *c = &m->config;
    int embed = c->c_dim ? m->embed_weight.columns : 0;
    float *y = x + c->z_dim;
    if (c->z_dim) STYLEGAN_MEMCPY(x, z, (size_t)c->z_dim * sizeof(float));
    if (embed) STYLEGAN_MEMSET(y, 0, (size_t)embed * sizeof(float));
    if (m->embed_bias.data) sg__kernels_of(m)->unpack(&m->embed_bias, 0, 0, embed, y);
    for (int k = 0; label && k < c->c_dim; k++) {
        if (label[k] == 0) continue;
        sg__kernels_of(m)->unpack(&m->embed_weight, (size_t)k, 0, embed, row);
        for (int i = 0; i < embed; i++) y[i] += label[k] * row[i];
    }
    if (c->normalization == STYLEGAN_NORMALIZE_JOINT) sg__normalize(x, c->z_dim + embed);
    if (c->normalization == STYLEGAN_NORMALIZE_SEPARATE) {
        sg__normalize(x, c->z_dim);
        sg__normalize(y, embed);
    }
}

/* Value i of one image in the blocked layout [ceil(.../V)][N][V]. */
static size_t sg__blocked(const stylegan_model *m, int count, int image, int i) {
    int lanes = sg__kernels_of(m)->lanes;
    return ((size_t)(i / lanes) * (size_t)count + (size_t)image) * (size_t)lanes + (size_t)(i % lanes);
}

/* ws[l] = w_avg + psi (w - w_avg) in the first `cutoff` layers, w in the others. */
static void sg__truncate(const stylegan_config *c, const float *w, const float *w_avg, float psi, int cutoff,
                         float *ws) {
    for (int l = 0; l < c->num_ws; l++) {
        int truncate = psi != 1 && l < cutoff;
        for (int i = 0; i < c->w_dim; i++) *ws++ = truncate ? w_avg[i] + psi * (w[i] - w_avg[i]) : w[i];
    }
}

/* Up to SG__LATENTS latents: z [count][z_dim], labels [count][K] or NULL, ws [count][L][D]. */
static void sg__map_batch(const stylegan_model *m, const float *z, const float *labels, int count, float psi,
                          int cutoff, float *ws, const sg__workspace *w) {
    const stylegan_config *c = &m->config;
    int width = c->z_dim + (c->c_dim ? m->embed_weight.columns : 0);
    float *x = w->vector[0], *y = w->vector[1];
    for (int n = 0; n < count; n++) {
        sg__mapping_input(m, z + (size_t)n * (size_t)c->z_dim, labels ? labels + (size_t)n * (size_t)c->c_dim : NULL,
                          w->input, y);
        for (int i = 0; i < width; i++) x[sg__blocked(m, count, n, i)] = w->input[i];
    }
    for (int i = 0; i < c->mapping_layers; i++) {
        const sg__layer *layer = &m->mapping[i];
        sg__dense dense = {&layer->weight, &layer->bias, x,     y,
                           layer->in,      layer->out,   count, (stylegan_activation)c->mapping_activation,
                           c->mapping_gain};
        sg__run_dense(m, w, &dense);
        float *swap = x;
        x = y;
        y = swap;
    }
    float *one = w->input;
    if (m->w_avg.data) sg__kernels_of(m)->unpack(&m->w_avg, 0, 0, c->w_dim, y);
    for (int n = 0; n < count; n++, ws += (size_t)c->num_ws * (size_t)c->w_dim) {
        for (int i = 0; i < c->w_dim; i++) one[i] = x[sg__blocked(m, count, n, i)];
        sg__truncate(c, one, y, psi, cutoff, ws);
    }
}

static void sg__map_all(const stylegan_model *m, const float *z, const float *labels, int count, float psi, int cutoff,
                        float *ws, const sg__workspace *w) {
    const stylegan_config *c = &m->config;
    for (int n = 0, latents = m->budget->latents; n < count; n += latents) {
        size_t at = (size_t)n;
        sg__map_batch(m, z ? z + at * (size_t)c->z_dim : z, labels ? labels + at * (size_t)c->c_dim : labels,
                      count - n < latents ? count - n : latents, psi, cutoff,
                      ws + at * (size_t)c->num_ws * (size_t)c->w_dim, w);
    }
}

/* >>open */

#ifndef STYLEGAN_NO_MALLOC
/* Large memory lies in large pages, if Linux has any: a step works in many places at once, and the processor finds those
   of few pages faster. */
static void *sg__malloc(void *user, size_t size) {
    void *memory = malloc(size);
    (void)user;
#ifdef MADV_HUGEPAGE
    uintptr_t page = (uintptr_t)1 << 21, first = ((uintptr_t)memory + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)memory + size) / page * page;
    if (memory && first < end) madvise((void *)first, end - first, MADV_HUGEPAGE);
#endif
    return memory;
}

static void sg__free(void *user, void *memory) {
    (void)user;
    free(memory);
}
#endif

/* A weight file on its way in: bytes that lie in memory, or a stream and what has been read of it. */
typedef struct sg__source {
    const unsigned char *data; /* NULL: a stream */
    size_t size;
    stylegan_read_fn *read;
    void *user;
    unsigned char start[SG__HEAD_SIZE + 4 * SG__MAX_FIELDS]; /* of a stream: prologue and configuration */
} sg__source;

/* Where things lie in the model's memory. */
typedef struct sg__rooms {
    stylegan_model *model;
    unsigned char *used;    /* [tensor_count] */
    unsigned char *weights; /* the weight file of a stream */
} sg__rooms;

/* Takes room for a table and clears it. */
static void *sg__arena_clear(sg__arena *arena, uint32_t count, size_t size) {
    void *room = sg__arena_take(arena, (uint64_t)count * size);
    if (room) STYLEGAN_MEMSET(room, 0, (size_t)count * size);
    return room;
}

/* Lays out a model in its memory: itself, its tables, and `extra` bytes (the weights, if it holds them). Run with
   memory NULL for the total, which is returned. */
static uint64_t sg__arrange(void *memory, const sg__head *head, const stylegan_config *config, uint64_t extra,
                            sg__rooms *rooms) {
    uint32_t steps = (uint32_t)sg__most_steps(config);
    sg__arena arena = {memory ? sg__aligned(memory) : NULL, 0};
    stylegan_model *m = (stylegan_model *)sg__arena_clear(&arena, 1, sizeof(stylegan_model));
    sg__step *step_table = (sg__step *)sg__arena_clear(&arena, steps, sizeof(sg__step));
    sg__plan *plan_table = (sg__plan *)sg__arena_clear(&arena, steps, sizeof(sg__plan));
    sg__map *map_table = (sg__map *)sg__arena_clear(&arena, steps, sizeof(sg__map));
    sg__sizes *sizes = (sg__sizes *)sg__arena_clear(&arena, 1, sizeof(sg__sizes));
    sg__layer *mapping = (sg__layer *)sg__arena_clear(&arena, (uint32_t)config->mapping_layers, sizeof(sg__layer));
    sg__shared *shared = (sg__shared *)sg__arena_clear(&arena, 1, sizeof(sg__shared));
    rooms->used = (unsigned char *)sg__arena_clear(&arena, head->tensor_count, 1);
    rooms->weights = (unsigned char *)sg__arena_take(&arena, extra);
    rooms->model = m;
    if (m) {
        m->steps = step_table;
        m->plans = plan_table;
        m->maps = map_table;
        m->sizes = sizes;
        m->mapping = mapping;
        m->shared = shared;
        m->config = *config;
    }
    return arena.used + SG__ALIGN;
}

/* The head's beginning: prologue and configuration. */
static stylegan_result sg__read_start(const unsigned char *data, size_t size, sg__head *head, stylegan_config *config,
                                      stylegan_error *error) {
    stylegan_result result = sg__read_prologue(data, size, head, error);
    if (result) return result;
    if (size < head->directory)
        return sg__fail(error, STYLEGAN_ERROR_FORMAT, "truncated: %u bytes end within its head", (uint64_t)size);
    sg__read_config(data, head, config);
    for (size_t i = SG__CONFIG_FIELDS; i < head->config_count; i++) {
        if (sg__u32(data + SG__HEAD_SIZE + 4 * i)) {
            return sg__fail(error, STYLEGAN_ERROR_UNSUPPORTED, "configuration field %u is unknown to this version",
                            (uint64_t)i);
        }
    }
    return sg__check_config(config, error);
}

/* The same of a source, for which `size` becomes what is there already. */
static stylegan_result sg__begin_source(sg__source *source, sg__head *head, stylegan_config *config,
                                        stylegan_error *error) {
    if (source->data) return sg__read_start(source->data, source->size, head, config, error);
    if (source->read(source->user, source->start, SG__HEAD_SIZE))
        return sg__fail(error, STYLEGAN_ERROR_FILE, "cannot read the %u bytes that a weight file begins with",
                        (uint64_t)SG__HEAD_SIZE);
    stylegan_result result = sg__read_prologue(source->start, SG__HEAD_SIZE, head, error);
    if (result) return result;
    source->size = head->directory;
    if (source->read(source->user, source->start + SG__HEAD_SIZE, source->size - SG__HEAD_SIZE))
        return sg__fail(error, STYLEGAN_ERROR_FILE, "truncated: cannot read its head");
    return sg__read_start(source->start, source->size, head, config, error);
}

/* The rest of a stream goes into the model's memory. */
static stylegan_result sg__finish_source(sg__source *source, const sg__head *head, unsigned char *weights,
                                         stylegan_error *error) {
    if (source->data) return STYLEGAN_OK;
    STYLEGAN_MEMCPY(weights, source->start, source->size);
    if (source->read(source->user, weights + source->size, (size_t)head->file_size - source->size))
        return sg__fail(error, STYLEGAN_ERROR_FILE, "truncated: its head promises %u bytes", head->file_size);
    source->data = weights;
    source->size = (size_t)head->file_size;
    return STYLEGAN_OK;
}

/* Verifies the head and, unless the caller trusts it, the rest. */
static stylegan_result sg__verify(const sg__source *source, sg__head *head, int trust, stylegan_error *error) {
    stylegan_result result = sg__read_head(source->data, source->size, head, error);
    if (result) return result;
    if (source->size < head->file_size) {
        return sg__fail(error, STYLEGAN_ERROR_FORMAT, "truncated: %u bytes, its head promises %u",
                        (uint64_t)source->size, head->file_size);
    }
    size_t size = (size_t)(head->file_size - head->head_size);
    if (!trust && sg__checksum(1, source->data + head->head_size, size) != sg__u64(source->data + 32))
        return sg__fail(error, STYLEGAN_ERROR_CHECKSUM, "damaged: the checksum of its tensors is wrong");
    return STYLEGAN_OK;
}

/* Instruction set and threads. */
static stylegan_result sg__set_up_execution(stylegan_model *m, const stylegan_options *options, stylegan_error *error) {
    m->kernels = sg__find_kernels(options->isa);
    if (!m->kernels) {
        return sg__fail(error, STYLEGAN_ERROR_UNSUPPORTED, "instruction set %s is not available here",
                        stylegan_isa_name(options->isa));
    }
    if (options->threads < 0 || options->threads > SG__MAX_THREADS) {
        return sg__fail(error, STYLEGAN_ERROR_ARGUMENT, "options.threads must be 0 to %u", (uint64_t)SG__MAX_THREADS);
    }
    if (options->batch < 0 || options->batch > SG__MAX_BATCH)
        return sg__fail(error, STYLEGAN_ERROR_ARGUMENT, "options.batch must be 0 to %u", (uint64_t)SG__MAX_BATCH);
    if ((unsigned)options->precision >= STYLEGAN_PRECISION_COUNT)
        return sg__fail(error, STYLEGAN_ERROR_ARGUMENT, "options.precision is unknown");
    m->precision = options->precision;
    m->batch = 1;
    m->parts = 1;
    if (options->parallel) {
        m->parallel = options->parallel;
        m->parallel_user = options->parallel_user;
        m->parts = options->threads ? options->threads : 8;
    }
#ifndef SG__NO_THREADS
    int threads = options->threads ? options->threads : sg__processors();
    if (!options->parallel && threads > 1) {
        m->parts = threads;
        m->parallel = sg__pool_run;
        m->parallel_user = &m->pool;
    }
#endif
    return STYLEGAN_OK;
}

/* Makes a model of what lies in its memory. */
static stylegan_result sg__build(const sg__rooms *rooms, sg__source *source, const sg__head *head,
                                 const stylegan_options *options, stylegan_error *error) {
    stylegan_model *m = rooms->model;
    stylegan_result result = sg__set_up_execution(m, options, error);
    if (!result) result = sg__finish_source(source, head, rooms->weights, error);
    if (!result) result = sg__verify(source, &m->head, options->trust_data, error);
    m->data = source->data;
    if (!result) result = sg__list_networks(m, rooms->used, error);
    if (!result) result = sg__choose_budget(m, options->memory_limit, error);
#ifndef STYLEGAN_NO_BATCH
    if (!result && options->batch > 1) sg__choose_batch(m, options->batch, options->memory_limit);
#endif
    return result;
}

static stylegan_result sg__open(stylegan_model **model, sg__source *source, const stylegan_options *options,
                                stylegan_error *error) {
    sg__head head;
    stylegan_config config;
    sg__rooms rooms;
    void *memory = options->memory, *owned = NULL;
    void *(*allocate)(void *, size_t) = options->allocate;
    void (*release)(void *, void *) = options->release;
    if (!allocate != !release)
        return sg__fail(error, STYLEGAN_ERROR_ARGUMENT, "options.allocate and options.release belong together");
#ifndef STYLEGAN_NO_MALLOC
    if (!allocate) {
        allocate = sg__malloc;
        release = sg__free;
    }
#endif
    stylegan_result result = sg__begin_source(source, &head, &config, error);
    if (result) return result;
    uint64_t extra = source->data ? 0 : head.file_size, needed = sg__arrange(NULL, &head, &config, extra, &rooms);
    if (memory ? options->memory_size < needed : options->memory_size) {
        return sg__fail(error, STYLEGAN_ERROR_MEMORY,
                        memory ? "options.memory has %u bytes, %u are needed" : "options.memory is NULL, not %u bytes",
                        (uint64_t)options->memory_size, needed);
    }
    if (!memory && allocate && needed <= (size_t)-1) memory = owned = allocate(options->allocator_user, (size_t)needed);
    if (!memory) return sg__fail(error, STYLEGAN_ERROR_MEMORY, "cannot allocate %u bytes for the model", needed);

    sg__arrange(memory, &head, &config, extra, &rooms);
    result = sg__build(&rooms, source, &head, options, error);
    if (result) {
        if (owned) release(options->allocator_user, owned);
        return result;
    }
    stylegan_model *m = *model = rooms.model;
    m->owned = owned;
    m->allocate = allocate;
    m->release = release;
    m->allocator_user = options->allocator_user;
    SG__LOCK_INIT(&m->shared->lock);
#ifndef SG__NO_THREADS
    if (m->parallel_user == &m->pool) sg__pool_start(&m->pool, m->parts);
#endif
    return STYLEGAN_OK;
}

static const stylegan_options *sg__options(const stylegan_options *options) {
    static const stylegan_options defaults = {STYLEGAN_ISA_AUTO,      0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0,
                                              STYLEGAN_PRECISION_F32, 0};
    return options ? options : &defaults;
}

STYLEGAN_API stylegan_model *stylegan_open_memory(const void *data, size_t size, const stylegan_options *options,
                                                  stylegan_error *error) {
    stylegan_model *model = NULL;
    sg__source source;
    source.data = (const unsigned char *)data;
    source.size = size;
    source.read = NULL;
    source.user = NULL;
    if (data)
        sg__open(&model, &source, sg__options(options), error);
    else
        sg__fail(error, STYLEGAN_ERROR_ARGUMENT, "data is NULL");
    return model;
}

STYLEGAN_API stylegan_model *stylegan_open_callback(stylegan_read_fn *read, void *user, const stylegan_options *options,
                                                    stylegan_error *error) {
    stylegan_model *model = NULL;
    sg__source source;
    source.data = NULL;
    source.size = 0;
    source.read = read;
    source.user = user;
    if (read)
        sg__open(&model, &source, sg__options(options), error);
    else
        sg__fail(error, STYLEGAN_ERROR_ARGUMENT, "read is NULL");
    return model;
}

#ifndef STYLEGAN_NO_STDIO
static int sg__read_file(void *user, void *buffer, size_t size) {
    return fread(buffer, 1, size, (FILE *)user) != size;
}

STYLEGAN_API stylegan_model *stylegan_open_file(const char *path, const stylegan_options *options,
                                                stylegan_error *error) {
    stylegan_error why;
    stylegan_model *model = NULL;
    FILE *file = path ? fopen(path, "rb") : NULL;
    if (file) {
        model = stylegan_open_callback(sg__read_file, file, options, &why);
        fclose(file);
    } else {
        sg__fail(&why, STYLEGAN_ERROR_FILE, "cannot open");
    }
    if (model) return model;
#ifdef STYLEGAN_SMALL /* the line that tells what is wrong, not this one */
    if (error) *error = why;
#else
    const char *name = path ? path : "(no path)", *end = name; /* of a long one: the reason must have room, too */
    for (const char *at = name; *at; at++) end += at - end >= 80;
    sg__fail(error, why.code, "%s%s: %s", end > name ? "..." : "", end, why.message);
#endif
    return NULL;
}
#endif

STYLEGAN_API size_t stylegan_open_size(const void *data, size_t size, const stylegan_options *options,
                                       stylegan_error *error) {
    sg__head head;
    stylegan_config config;
    sg__rooms rooms;
    (void)options;
    if (!data) {
        sg__fail(error, STYLEGAN_ERROR_ARGUMENT, "data is NULL");
        return 0;
    }
    if (sg__read_start((const unsigned char *)data, size, &head, &config, error)) return 0;
    return (size_t)sg__arrange(NULL, &head, &config, 0, &rooms);
}

STYLEGAN_API void stylegan_close(stylegan_model *model) {
    if (!model) return;
#ifndef SG__NO_THREADS
    if (model->parallel_user == &model->pool) sg__pool_stop(&model->pool);
#endif
    SG__LOCK_FREE(&model->shared->lock);
    if (model->shared->workspace) model->release(model->allocator_user, model->shared->workspace);
    if (model->owned) model->release(model->allocator_user, model->owned);
}

/* >>calls */

STYLEGAN_API const stylegan_config *stylegan_describe(const stylegan_model *model) {
    return &model->config;
}

STYLEGAN_API uint64_t stylegan_parameters(const stylegan_model *model) {
    return model->parameters;
}

STYLEGAN_API uint64_t stylegan_file_size(const stylegan_model *model) {
    return model->head.file_size;
}

STYLEGAN_API const char *stylegan_text(const stylegan_model *model, size_t *length) {
    *length = model->head.text_size;
    return (const char *)model->data + model->head.text;
}

STYLEGAN_API int stylegan_tensor_count(const stylegan_model *model) {
    return (int)model->head.tensor_count;
}

STYLEGAN_API stylegan_result stylegan_get_tensor(const stylegan_model *model, int index, stylegan_tensor *tensor) {
    if (index < 0 || index >= stylegan_tensor_count(model)) return STYLEGAN_ERROR_ARGUMENT;
    return sg__read_entry(model->data, &model->head, (uint32_t)index, tensor, NULL);
}

STYLEGAN_API stylegan_isa stylegan_model_isa(const stylegan_model *model) {
    return sg__kernels_of(model)->isa;
}

STYLEGAN_API int stylegan_model_threads(const stylegan_model *model) {
    return model->parts;
}

STYLEGAN_API stylegan_precision stylegan_model_precision(const stylegan_model *model) {
    return model->precision;
}

STYLEGAN_API int stylegan_model_batch(const stylegan_model *model) {
    return model->batch;
}

STYLEGAN_API size_t stylegan_workspace_size(const stylegan_model *model) {
    return model->sizes->bytes;
}

STYLEGAN_API int stylegan_layer_count(const stylegan_model *model) {
    return model->layer_count;
}

/* The step that a layer's number stands for: its last. */
static const sg__step *sg__find_layer(const stylegan_model *m, int layer) {
    const sg__step *found = NULL;
    for (int i = 0; i < m->step_count; i++)
        if (m->steps[i].layer == layer) found = &m->steps[i];
    return found;
}

/* Multiply-adds of direct sums. Nearest-neighbour up-sampling is done before the convolution below 128 x 128, and
   summed into a kernel of 4 x 4 from there, as the official code counts. */
static double sg__macs(const sg__step *w, const sg__step *s) {
    double weights = (double)w->kernel * w->kernel * w->in * w->channels;
    double inputs = s->input ? (double)w->input->height * w->input->width : 0;
    double outputs = w->op == SG__CONV ? (double)w->height * w->width : (double)s->height * s->width;
    if (!sg__has_weights(w)) return 0;
    if (w->op != SG__SCATTER) return weights * outputs;
    if (!w->nearest) return weights * inputs;
    return s->width < 128 ? weights * outputs : weights * inputs * 16 / 9;
}

STYLEGAN_API stylegan_result stylegan_get_layer(const stylegan_model *model, int index, stylegan_layer *layer) {
    static const unsigned char bytes[STYLEGAN_TYPE_COUNT] = {4, 2, 1};
    const sg__step *s = sg__find_layer(model, index);
    if (index < 0 || !s) return STYLEGAN_ERROR_ARGUMENT;
    const sg__step *w = sg__steered(s);
    const sg__plan *p = sg__plan_of(model, w);
    const sg__tiling *t = &p->tiling;
    uint64_t in = (uint64_t)w->in, out = (uint64_t)s->channels, size = (uint64_t)s->height * (uint64_t)s->width;
    uint64_t from = w->input ? (uint64_t)w->input->height * (uint64_t)w->input->width : 0;
    uint64_t kernel = (uint64_t)w->kernel, weights = sg__has_weights(w) ? kernel * kernel * in * out : 0;
    uint64_t panels = weights ? 4 * (uint64_t)sg__panels(model, s->channels) * sg__panel_floats(model, w, t) : 0;
    uint64_t read = w->input && sg__is_half(model, w->input) ? 2 : 4, wrote = sg__is_half(model, s) ? 2 : 4;
    STYLEGAN_MEMCPY(layer->name, s->name, sizeof layer->name);
    layer->in = w->in;
    layer->out = s->channels;
    layer->height = s->height;
    layer->width = s->width;
    layer->ws = w->ws;
    layer->styles = w->affine_weight.data ? w->affine_weight.columns : 0;
    layer->noise = s->noise.data != NULL;
    layer->strip_rows = sg__plan_of(model, s)->whole ? s->height : sg__clip(model->budget->strip_rows, 1, s->height);
    layer->points = sg__points(t);
    layer->terms = sg__terms(t);
    layer->macs = sg__macs(w, s);
    layer->weight_bytes = weights * bytes[w->weight.type];
    layer->prepared_bytes = p->prepared ? panels : 0;
    layer->moved_bytes = layer->weight_bytes + 2 * panels + read * in * from + wrote * out * size;
    if (w != s) layer->moved_bytes += (uint64_t)(sg__is_half(model, w) ? 2 : 4) * 2 * out * size;
    if (s->op == SG__NORM) layer->moved_bytes += wrote * out * size;
    if (sg__points(t)) layer->moved_bytes += 4 * 2 * in * (uint64_t)(t->down * t->tiles) * (uint64_t)t->total;
    return STYLEGAN_OK;
}

STYLEGAN_API stylegan_result stylegan_get_style(const stylegan_model *model, int index, const float *ws, float *style) {
    const sg__step *s = index < 0 ? NULL : sg__find_layer(model, index);
    const sg__step *w = s ? sg__steered(s) : NULL;
    float value[SG__MAX_LANES]; /* one, and the lanes beside it */
    if (!w || !w->affine_weight.data) return STYLEGAN_ERROR_ARGUMENT;
    ws += (size_t)w->ws * (size_t)model->config.w_dim;
    for (int k = 0; k < w->affine_weight.columns; k++) {
        sg__kernels_of(model)->unpack(&w->affine_bias, 0, k, 1, value);
        style[k] = value[0];
        for (int i = 0; i < model->config.w_dim; i++) {
            sg__kernels_of(model)->unpack(&w->affine_weight, (size_t)i, k, 1, value);
            style[k] += ws[i] * value[0];
        }
    }
    return STYLEGAN_OK;
}

static const stylegan_run *sg__run(const stylegan_run *run) {
    static const stylegan_run defaults = {NULL, 0,   STYLEGAN_NOISE_CONST, 0, NULL, NULL, NULL, NULL, NULL, NULL,
                                          NULL, NULL};
    return run ? run : &defaults;
}

/* Lays out the caller's workspace or the model's own, which stays locked until sg__release. */
static stylegan_result sg__acquire(const stylegan_model *m, const stylegan_run *run, sg__workspace *w,
                                   stylegan_error *error) {
    size_t needed = m->sizes->bytes;
    uint64_t latents = (uint64_t)m->config.z_dim + (uint64_t)m->config.num_ws * (uint64_t)m->config.w_dim;
    if (run->workspace ? run->workspace_size < needed : run->workspace_size) {
        return sg__fail(error, STYLEGAN_ERROR_WORKSPACE,
                        run->workspace ? "the workspace has %u bytes, %u are needed"
                                       : "run.workspace is NULL, not %u bytes",
                        (uint64_t)run->workspace_size, (uint64_t)needed);
    }
    if (run->workspace) {
        sg__layout(m, run->workspace, w);
        return STYLEGAN_OK;
    }
    sg__shared *shared = m->shared;
    SG__LOCK(&shared->lock);
    if (!shared->workspace && m->allocate && needed < (size_t)-1 - sizeof(float) * latents)
        shared->workspace = m->allocate(m->allocator_user, needed + (size_t)latents * sizeof(float));
    if (!shared->workspace) {
        SG__UNLOCK(&shared->lock);
        return sg__fail(error, STYLEGAN_ERROR_MEMORY,
                        m->allocate ? "cannot allocate a workspace of %u bytes"
                                    : "no allocator to take a workspace of %u bytes from: hand in run.workspace",
                        (uint64_t)needed);
    }
    sg__layout(m, shared->workspace, w);
    return STYLEGAN_OK;
}

static void sg__release(const stylegan_model *m, const stylegan_run *run) {
    if (!run->workspace) SG__UNLOCK(&m->shared->lock);
    (void)m;
}

static stylegan_result sg__check_psi(const stylegan_model *m, float psi, stylegan_error *error) {
    if (!(psi - psi == 0)) return sg__fail(error, STYLEGAN_ERROR_ARGUMENT, "truncation psi is not a finite number");
    if (psi == 1 || m->w_avg.data) return STYLEGAN_OK;
    return sg__fail(error, STYLEGAN_ERROR_ARGUMENT, "the model has no w_avg: truncation psi must be 1");
}

STYLEGAN_API stylegan_result stylegan_map(const stylegan_model *model, const float *z, const float *labels, int count,
                                          float psi, int cutoff, float *ws, const stylegan_run *run,
                                          stylegan_error *error) {
    sg__workspace workspace;
    run = sg__run(run);
    if (!model || (!z && model->config.z_dim) || !ws || count < 0) {
        return sg__fail(error, STYLEGAN_ERROR_ARGUMENT, "stylegan_map needs a model, z, ws and a count of at least 0");
    }
    stylegan_result result = sg__check_psi(model, psi, error);
    if (!result) result = sg__acquire(model, run, &workspace, error);
    if (result) return result;
    sg__map_all(model, z, labels, count, psi, cutoff, ws, &workspace);
    sg__release(model, run);
    return STYLEGAN_OK;
}

STYLEGAN_API void stylegan_transform(double x, double y, double degrees, float *transform) {
    double s = sg__sine(degrees / 360), c = sg__sine(degrees / 360 + 0.25);
    const double inverse[9] = {c, -s, s * y - c * x, s, c, -s * x - c * y, 0, 0, 1};
    for (int i = 0; i < 9; i++) transform[i] = (float)inverse[i];
}

STYLEGAN_API stylegan_result stylegan_mix(const stylegan_model *model, const float *base, const float *style, int first,
                                          int last, float *ws) {
    if (!model || !base || !style || !ws || first < 0 || last >= model->config.num_ws) return STYLEGAN_ERROR_ARGUMENT;
    int width = model->config.w_dim;
    for (int l = 0; l < model->config.num_ws; l++) {
        const float *from = l >= first && l <= last ? style : base;
        for (int i = l * width; i < (l + 1) * width; i++) ws[i] = from[i];
    }
    return STYLEGAN_OK;
}

static stylegan_result sg__synthesize_all(const stylegan_model *m, const float *ws, int count, float *image,
                                          const stylegan_run *run, const sg__workspace *w, stylegan_error *error) {
    sg__call call;
    stylegan_result result = STYLEGAN_OK;
    sg__clock clock = {0, 0, 0, 0, 0, 0};
    STYLEGAN_MEMSET(&call, 0, sizeof call);
    call.model = m;
    call.workspace = w;
    call.run = run;
    call.error = error;
    call.all_ws = ws;
    call.images = image;
    clock.all = sg__work_of(m, m->step_count) * count;
    call.clock = &clock;
    STYLEGAN_MEMSET(w->zeros, 0, (size_t)m->sizes->zeros * sizeof(float));
    for (; call.first < count && !result; call.first += call.together) {
        call.together = sg__clip(count - call.first, 1, m->batch);
        result = sg__draw_images(&call);
    }
    return result;
}

STYLEGAN_API stylegan_result stylegan_synthesize(const stylegan_model *model, const float *ws, int count, float *image,
                                                 const stylegan_run *run, stylegan_error *error) {
    sg__workspace workspace;
    run = sg__run(run);
    if (!model || !ws || count < 0 || (!image && !run->rows)) {
        return sg__fail(error, STYLEGAN_ERROR_ARGUMENT,
                        "stylegan_synthesize needs a model, ws, a count of at least 0, and image or run.rows");
    }
    if (!model->step_count) return sg__fail(error, STYLEGAN_ERROR_ARGUMENT, "the model has a mapping only");
    int known = run->noise_mode <= STYLEGAN_NOISE_NONE;
    for (int i = 0; run->layer_noise && i < model->layer_count; i++)
        known &= run->layer_noise[i] <= STYLEGAN_NOISE_NONE;
    if (!known) return sg__fail(error, STYLEGAN_ERROR_ARGUMENT, "unknown noise mode");
    stylegan_result result = sg__acquire(model, run, &workspace, error);
    if (result) return result;
    result = sg__synthesize_all(model, ws, count, image, run, &workspace, error);
    sg__release(model, run);
    return result;
}

STYLEGAN_API void stylegan_to_rgb8(const float *image, int channels, int height, int width, unsigned char *pixels) {
    size_t plane = (size_t)height * (size_t)width;
    for (size_t i = 0; i < plane; i++) {
        for (int c = 0; c < channels; c++) {
            float x = image[(size_t)c * plane + i] * 127.5f + 128.0f;
            *pixels++ = (unsigned char)(x >= 255 ? 255 : x > 0 ? x : 0);
        }
    }
}

typedef struct sg__pixels {
    const stylegan_config *config;
    unsigned char *rgb;
} sg__pixels;

static int sg__rows_to_rgb8(void *user, int index, int y, int rows, const float *pixels) {
    sg__pixels *p = (sg__pixels *)user;
    int width = p->config->width, channels = p->config->channels;
    (void)index;
    stylegan_to_rgb8(pixels, channels, rows, width, p->rgb + (size_t)y * (size_t)width * (size_t)channels);
    return 0;
}

STYLEGAN_API stylegan_result stylegan_generate(const stylegan_model *model, uint32_t seed, float psi,
                                               unsigned char *rgb, stylegan_error *error) {
    sg__workspace w;
    if (!model || !rgb) return sg__fail(error, STYLEGAN_ERROR_ARGUMENT, "stylegan_generate needs a model and rgb");
    if (!model->step_count) return sg__fail(error, STYLEGAN_ERROR_ARGUMENT, "the model has a mapping only");
    sg__pixels pixels = {&model->config, rgb};
    stylegan_run run = *sg__run(NULL);
    run.rows = sg__rows_to_rgb8;
    run.user = &pixels;
    stylegan_result result = sg__check_psi(model, psi, error);
    if (!result) result = sg__acquire(model, &run, &w, error);
    if (result) return result;
    float *z = (float *)(void *)((unsigned char *)model->shared->workspace + model->sizes->bytes);
    float *ws = z + model->config.z_dim;
    stylegan_seed_z(seed, z, model->config.z_dim);
    sg__map_all(model, z, NULL, 1, psi, model->config.truncation_cutoff, ws, &w);
    result = sg__synthesize_all(model, ws, 1, NULL, &run, &w, error);
    sg__release(model, &run);
    return result;
}

STYLEGAN_API void stylegan_read_feature(const stylegan_feature_map *map, int channel, float *plane) {
    const float *block =
        map->data + (size_t)(channel / map->lanes) * map->block_stride + (size_t)(channel % map->lanes);
    for (int y = 0; y < map->rows; y++) {
        for (int x = 0; x < map->width; x++)
            *plane++ = block[(size_t)y * map->row_stride + (size_t)x * (size_t)map->lanes];
    }
}

#endif /* STYLEGAN_IMPLEMENTATION */
#else  /* STYLEGAN_KERNEL_PASS: the >>passes, compiled once for each instruction set */

#ifndef SG__SMALL
#if SG__LANES == 1 || defined(SG__MVE) /* for small processors, which have little room for code */
#define SG__SMALL 1
#else
#define SG__SMALL 0
#endif
#endif
#ifndef SG__S /* a number that vectors are multiplied by: some processors take it as it is */
#define SG__S SG__V
#define SG__SET_S(x) SG__SET1(x)
#define SG__FMA_S(a, b, c) SG__FMA(a, b, c)
#endif

#ifdef SG__BASE /* what is the same as in another pass */
#define SG__OF_BASE(name) SG__CONCAT(sg__##name, SG__BASE)
#else
#define SG__OF_BASE(name) SG__FN(name)

/* n (1 to V) stored values of a tensor as a float vector, i8 scaled; the lanes beyond n are zero. */
SG__INLINE SG__V SG__FN(load_weights)(const sg__tensor *tensor, size_t row, int column, int n) {
    static const unsigned char bytes[STYLEGAN_TYPE_COUNT] = {4, 2, 1};
    size_t size = bytes[tensor->type];
    const unsigned char *p = tensor->data + (row * (size_t)tensor->columns + (size_t)column) * size;
    const unsigned char *scale = tensor->scales + (size_t)column * 4;
    unsigned char part[SG__LANES * 4], part_scale[SG__LANES * 4];
    if (SG__LANES > 1 && n < SG__LANES) { /* never read beyond the tensor */
        STYLEGAN_MEMSET(part, 0, sizeof part);
        STYLEGAN_MEMCPY(part, p, (size_t)n * size);
        p = part;
        if (tensor->type == STYLEGAN_I8) {
            STYLEGAN_MEMSET(part_scale, 0, sizeof part_scale);
            STYLEGAN_MEMCPY(part_scale, scale, (size_t)n * 4);
            scale = part_scale;
        }
    }
    if (tensor->type == STYLEGAN_F16) return SG__LOAD_F16(p);
    if (tensor->type == STYLEGAN_F32) return SG__LOAD_F32(p);
    return SG__MUL(SG__LOAD_I8(p), SG__LOAD_F32(scale));
}

static void SG__FN(unpack)(const sg__tensor *tensor, size_t row, int column, int count, float *out) {
    for (int i = 0; i < count; i += SG__LANES) {
        int n = count - i < SG__LANES ? count - i : SG__LANES;
        SG__STORE(out + i, SG__FN(load_weights)(tensor, row, column + i, n));
    }
}

/* q vectors of a panel, `step` floats between its rows. q is a constant, so that the sums are registers, and so is type, if
   all of the columns are there; else it is STYLEGAN_TYPE_COUNT. Rows lie far apart: the processor does not see which
   memory comes next. */
SG__INLINE void SG__FN(panel_rows)(const sg__tensor *tensor, size_t row, int rows, int column, const float *style,
                                   float *squares, float *panel, int step, const int q, const int type) {
    const int size = type == STYLEGAN_I8 ? 1 : type == STYLEGAN_F16 ? 2 : 0;
    const size_t next = (size_t)size * (size_t)tensor->columns;
    const unsigned char *p = tensor->data + row * next + (size_t)(size * column);
    SG__V sum[SG__Q], scale[SG__Q];
    SG__UNROLL for (int v = 0; v < q; v++) {
        sum[v] = scale[v] = SG__LOAD(squares + v * SG__LANES);
        if (type == STYLEGAN_I8) scale[v] = SG__LOAD_F32(tensor->scales + 4 * (column + v * SG__LANES));
    }
    for (int i = 0; i < rows; i++, panel += step, p += next) {
        if (SG__LANES > 1 && size) SG__PREFETCH((const void *)((uintptr_t)p + 16 * next));
        SG__UNROLL for (int v = 0; v < q; v++) {
            int first = column + v * SG__LANES, left = tensor->columns - first, n = left < SG__LANES ? left : SG__LANES;
            SG__V w;
            if (type == STYLEGAN_I8)
                w = SG__MUL(SG__LOAD_I8(p + v * SG__LANES), scale[v]);
            else if (type == STYLEGAN_F16)
                w = SG__LOAD_F16(p + 2 * v * SG__LANES);
            else
                w = SG__FN(load_weights)(tensor, row + (size_t)i, first, n);
            if (style) w = SG__MUL(w, SG__SET1(style[i]));
            sum[v] = SG__FMA(w, w, sum[v]);
            SG__STORE(panel + v * SG__LANES, w);
        }
    }
    SG__UNROLL for (int v = 0; v < q; v++) SG__STORE(squares + v * SG__LANES, sum[v]);
}

static void SG__FN(panel)(const sg__tensor *tensor, size_t row, int rows, int column, int q, const float *style,
                          float *squares, float *panel) {
    int step = q * SG__LANES, whole = q == SG__Q && column + step <= tensor->columns;
    if (whole && tensor->type == STYLEGAN_I8) {
        SG__FN(panel_rows)(tensor, row, rows, column, style, squares, panel, step, SG__Q, STYLEGAN_I8);
        return;
    }
    if (SG__LANES > 1 && whole && tensor->type == STYLEGAN_F16) {
        SG__FN(panel_rows)(tensor, row, rows, column, style, squares, panel, step, SG__Q, STYLEGAN_F16);
        return;
    }
    for (int v = 0; v < q; v++, column += SG__LANES, squares += SG__LANES, panel += SG__LANES) {
        if (SG__WINOGRAD && tensor->type == STYLEGAN_I8 && column + SG__LANES <= tensor->columns)
            SG__FN(panel_rows)(tensor, row, rows, column, style, squares, panel, step, 1, STYLEGAN_I8);
        else
            SG__FN(panel_rows)(tensor, row, rows, column, style, squares, panel, step, 1, STYLEGAN_TYPE_COUNT);
    }
}

/* p pixels x q vectors of outputs, from pixel `column` of the row and vector `first` of the panel's `all` on; p and q are
   constants, so that the sums are registers. */
SG__INLINE void SG__FN(tile)(const sg__row *r, int column, int first, int all, const int p, const int q) {
    SG__V sum[SG__P][SG__Q];
    SG__UNROLL for (int i = 0; i < p; i++) {
        SG__UNROLL for (int j = 0; j < q; j++) sum[i][j] = SG__SET1(0.0f);
    }
    for (int tap = 0; tap < r->taps; tap++) {
        const float *x = r->input + r->offset[tap] + (ptrdiff_t)column * SG__LANES;
        const float *w = r->panel[tap] + first * SG__LANES;
        for (int c = 0; c < r->channels; c += SG__LANES, x += r->input_block) {
            int lanes = r->channels - c < SG__LANES ? r->channels - c : SG__LANES;
            if (!SG__SMALL) SG__UNROLL for (int i = 0; i < p; i++) SG__PREFETCH(x + 2 * r->input_block + i * SG__LANES);
            for (int lane = 0; lane < lanes; lane++, w += all * SG__LANES) {
                SG__V weight[SG__Q];
                if (SG__LANES == 16)
                    SG__UNROLL for (int j = 0; j < q; j++) SG__PREFETCH(w + (24 * all + j) * SG__LANES);
                SG__UNROLL for (int j = 0; j < q; j++) weight[j] = SG__LOAD(w + j * SG__LANES);
                SG__UNROLL for (int i = 0; i < p; i++) {
                    SG__S input = SG__SET_S(x[i * SG__LANES + lane]);
                    SG__UNROLL for (int j = 0; j < q; j++) sum[i][j] = SG__FMA_S(input, weight[j], sum[i][j]);
                }
            }
        }
    }
    float *out = r->output + (size_t)column * r->output_pixel + (size_t)first * r->output_vector;
    SG__UNROLL for (int i = 0; i < p; i++) {
        SG__UNROLL for (int j = 0; j < q; j++) {
            SG__STORE(out + (size_t)i * r->output_pixel + (size_t)j * r->output_vector, sum[i][j]);
        }
    }
}

SG__INLINE void SG__FN(tiles)(const sg__row *r, int first, int all, const int q) {
    int column = 0;
    for (; column + SG__P <= r->width; column += SG__P) SG__FN(tile)(r, column, first, all, SG__P, q);
#if SG__P > 4
    for (; column + 4 <= r->width; column += 4) SG__FN(tile)(r, column, first, all, 4, q);
#endif
#if SG__P > 2 && !defined(STYLEGAN_SMALL)
    for (; column + 2 <= r->width; column += 2) SG__FN(tile)(r, column, first, all, 2, q);
#endif
    for (; column < r->width; column++) SG__FN(tile)(r, column, first, all, 1, q);
}

static void SG__FN(convolve)(const sg__row *row, int q) {
    switch (q) {
#ifdef STYLEGAN_SMALL
    default:
        for (int v = 0; v < q; v++) SG__FN(tiles)(row, v, q, 1);
        break;
#else
    case 1:
        SG__FN(tiles)(row, 0, 1, 1);
        break;
#if SG__Q > 2
    case 2:
        SG__FN(tiles)(row, 0, 2, 2);
        break;
    case 3:
        SG__FN(tiles)(row, 0, 3, 3);
        break;
#endif
#endif
    case SG__Q:
        SG__FN(tiles)(row, 0, SG__Q, SG__Q);
        break;
    }
}

static void SG__FN(finish)(float *row, int width, const sg__epilogue *e) {
    SG__V scale = SG__LOAD(e->scale), bias = SG__LOAD(e->bias), strength = SG__LOAD(e->strength);
    SG__V gain = SG__SET1(e->gain), clamp = SG__SET1(e->clamp), unclamp = SG__SET1(-e->clamp);
    /* linear, relu and lrelu are max(x, slope * x); the curves take a detour through memory */
    SG__V slope = SG__SET1(e->activation == STYLEGAN_LRELU ? 0.2f : e->activation == STYLEGAN_RELU ? 0.0f : 1.0f);
    int curved = e->activation > STYLEGAN_LRELU && e->activation <= SG__MOST_ACTIVATION;
    for (int i = 0; i < width; i++, row += SG__LANES) {
        SG__V x = SG__MUL(SG__LOAD(row), scale);
        if (e->noise) x = SG__FMA(SG__SET1(e->noise[i]), strength, x);
        x = SG__ADD(x, bias);
        x = SG__MAX(x, SG__MUL(x, slope));
        if (curved) {
            SG__STORE(row, x);
            for (int lane = 0; lane < SG__LANES; lane++) row[lane] = sg__curve(e->activation, row[lane]);
            x = SG__LOAD(row);
        }
        x = SG__MUL(x, gain);
        if (e->clamp > 0) x = SG__MIN(SG__MAX(x, unclamp), clamp);
        if (e->add) x = SG__ADD(x, SG__LOAD(e->add + (size_t)i * SG__LANES));
        SG__STORE(row, x);
    }
}

/* `vectors` neighbouring vectors of a weighted sum; a constant, so that the sums are registers. */
SG__INLINE void SG__FN(weighted_vectors)(float *out, size_t at, const float *const *source, const float *weight, int n,
                                         const int vectors) {
    SG__V sum[4];
    SG__UNROLL for (int v = 0; v < vectors; v++) sum[v] = SG__SET1(0.0f);
    for (int k = 0; k < n; k++) {
        SG__V w = SG__SET1(weight[k]);
        SG__UNROLL for (int v = 0; v < vectors; v++) {
            sum[v] = SG__FMA(w, SG__LOAD(source[k] + at + (size_t)v * SG__LANES), sum[v]);
        }
    }
    SG__UNROLL for (int v = 0; v < vectors; v++) SG__STORE(out + at + (size_t)v * SG__LANES, sum[v]);
}

static void SG__FN(weighted_sum)(float *out, int count, const float *const *source, const float *weight, int n) {
    int at = 0;
    for (; at + 4 * SG__LANES <= count; at += 4 * SG__LANES) {
        SG__FN(weighted_vectors)(out, (size_t)at, source, weight, n, 4);
    }
    for (; at < count; at += SG__LANES) SG__FN(weighted_vectors)(out, (size_t)at, source, weight, n, 1);
}

static void SG__FN(sum_squares)(float *out, int count, const float *const *tap, int n) {
    for (int i = 0; i < count; i += SG__LANES) {
        SG__V sum = SG__SET1(0.0f);
        for (int k = 0; k < n; k++) {
            SG__V x = SG__LOAD(tap[k] + i);
            sum = SG__FMA(x, x, sum);
        }
        SG__STORE(out + i, sum);
    }
}

/* Each row is summed around its first pixel, so that a mean far from zero costs no precision, and merged with the rows
   before by Chan's formula. */
static void SG__FN(moments)(const float *x, int width, int height, size_t row_stride, float *mean, float *deviation) {
    SG__V all_mean = SG__SET1(0.0f), all_deviation = all_mean;
    SG__V per_pixel = SG__SET1(1.0f / (float)width);
    for (int y = 0; y < height; y++, x += row_stride) {
        SG__V pivot = SG__LOAD(x), sum = SG__SET1(0.0f), squares = sum;
        for (int i = 0; i < width; i++) {
            SG__V d = SG__SUB(SG__LOAD(x + (size_t)i * SG__LANES), pivot);
            sum = SG__ADD(sum, d);
            squares = SG__FMA(d, d, squares);
        }
        SG__V row_mean = SG__MUL(sum, per_pixel);
        SG__V row_deviation = SG__MAX(SG__SUB(squares, SG__MUL(sum, row_mean)), SG__SET1(0.0f)); /* rounded */
        SG__V delta = SG__SUB(SG__ADD(pivot, row_mean), all_mean);
        float before = (float)width * (float)y, share = (float)width / (before + (float)width);
        all_mean = SG__FMA(delta, SG__SET1(share), all_mean);
        SG__V between = SG__MUL(SG__MUL(delta, delta), SG__SET1(before * share));
        all_deviation = SG__ADD(all_deviation, SG__ADD(row_deviation, between));
    }
    SG__STORE(mean, all_mean);
    SG__STORE(deviation, all_deviation);
}

#if SG__WINOGRAD
/* Constant sizes make registers of the small arrays; plain C, for small processors, shares one loop instead. */
#if SG__SMALL
#define SG__UNROLL_TILES
#define SG__BY_POINTS(f, ...) f(__VA_ARGS__, down, across)
#else
#define SG__UNROLL_TILES SG__UNROLL
#define SG__BY_POINTS(f, ...)              \
    do {                                   \
        if (down == 6)                     \
            f(__VA_ARGS__, 6, 6);          \
        else if (down == 5 && across == 5) \
            f(__VA_ARGS__, 5, 5);          \
        else if (down == 5)                \
            f(__VA_ARGS__, 5, 4);          \
        else if (across == 5)              \
            f(__VA_ARGS__, 4, 5);          \
        else                               \
            f(__VA_ARGS__, 4, 4);          \
    } while (0)
#endif

/* One dimension of Bt d: n values d [step] to n values v. a^2 = 1/2, b^2 = 2. */
SG__INLINE void SG__FN(winograd_bt)(const SG__V *d, SG__V *v, const int step, const int n) {
    if (n == 4) { /* a single tap, which does not see the pixel before the tile */
        SG__UNROLL_TILES for (int i = 0; i < 4; i++) v[i] = d[(i + 1) * step];
        return;
    }
    const SG__V *e = n == 6 ? d + step : d;
    SG__V a2 = SG__SET1(-0.5f), b2 = SG__SET1(-2.0f), both = SG__SET1(-2.5f);
    SG__V even_a = SG__FMA(e[step], b2, e[3 * step]);
    SG__V odd_a = SG__MUL(SG__FMA(e[0], b2, e[2 * step]), SG__SET1(0.70710678f));
    SG__V even_b = SG__FMA(e[step], a2, e[3 * step]);
    SG__V odd_b = SG__MUL(SG__FMA(e[0], a2, e[2 * step]), SG__SET1(1.41421356f));
    SG__V infinity = SG__FMA(e[2 * step], both, SG__ADD(e[0], e[4 * step]));
    if (n == 6) {
        *v = SG__FMA(d[2 * step], both, SG__ADD(d[0], d[4 * step]));
        v++;
    }
    v[0] = SG__ADD(even_a, odd_a);
    v[1] = SG__SUB(even_a, odd_a);
    v[2] = SG__ADD(even_b, odd_b);
    v[3] = SG__SUB(even_b, odd_b);
    v[4] = infinity;
}

/* One dimension of At m: n values m [step] to 4 values y [step]. */
SG__INLINE void SG__FN(winograd_at)(const SG__V *m, SG__V *y, const int step, const int n) {
    if (n == 4) {
        SG__UNROLL_TILES for (int i = 0; i < 4; i++) y[i * step] = m[i * step];
        return;
    }
    const SG__V *e = n == 6 ? m + step : m;
    SG__V sum_a = SG__ADD(e[0], e[step]), sum_b = SG__ADD(e[2 * step], e[3 * step]);
    SG__V odd_a = SG__SUB(e[0], e[step]), odd_b = SG__SUB(e[2 * step], e[3 * step]);
    SG__V infinity = e[4 * step], zero = n == 6 ? SG__ADD(sum_a, m[0]) : sum_a;
    odd_a = SG__MUL(odd_a, SG__SET1(0.70710678f));
    odd_b = SG__MUL(odd_b, SG__SET1(1.41421356f));
    y[0] = SG__ADD(zero, sum_b);
    y[step] = SG__ADD(odd_a, odd_b);
    y[2 * step] = SG__FMA(sum_a, SG__SET1(0.5f), SG__ADD(sum_b, sum_b));
    y[3 * step] = SG__ADD(SG__FMA(odd_a, SG__SET1(0.5f), SG__ADD(odd_b, odd_b)), infinity);
}

/* One dimension of G g: 3 (n = 6) or 2 values g [step] to n values u [step]; a single tap (n = 4) stays as it is. */
SG__INLINE void SG__FN(winograd_g)(const SG__V *g, SG__V *u, const int g_step, const int step, const int n) {
    if (n == 4) {
        u[0] = g[0];
        return;
    }
    SG__V odd_a = SG__MUL(g[g_step], SG__SET1(0.70710678f)), odd_b = SG__MUL(g[g_step], SG__SET1(1.41421356f));
    if (n == 6) {
        SG__V even_a = SG__FMA(g[2 * g_step], SG__SET1(0.5f), g[0]),
              even_b = SG__FMA(g[2 * g_step], SG__SET1(2.0f), g[0]);
        SG__V over_a = SG__SET1(-1 / 1.5f), over_b = SG__SET1(1 / 6.0f);
        u[0] = g[0];
        u[step] = SG__MUL(SG__ADD(even_a, odd_a), over_a);
        u[2 * step] = SG__MUL(SG__SUB(even_a, odd_a), over_a);
        u[3 * step] = SG__MUL(SG__ADD(even_b, odd_b), over_b);
        u[4 * step] = SG__MUL(SG__SUB(even_b, odd_b), over_b);
        u[5 * step] = g[2 * g_step];
    } else {
        SG__V over_a = SG__SET1(0.47140452f), over_b = SG__SET1(0.23570226f); /* 1 / 3a, 1 / 3b */
        u[0] = SG__MUL(SG__SUB(SG__SET1(0.0f), SG__ADD(g[0], odd_a)), over_a);
        u[step] = SG__MUL(SG__SUB(g[0], odd_a), over_a);
        u[2 * step] = SG__MUL(SG__ADD(g[0], odd_b), over_b);
        u[3 * step] = SG__MUL(SG__SUB(odd_b, g[0]), over_b);
        u[4 * step] = g[g_step];
    }
}

SG__INLINE void SG__FN(winograd_input_tiles)(const float *const *row, const float *scale, int tiles, float *out,
                                             size_t stride, const int down, const int across) {
    const int rows = down == 6 ? 6 : 5, columns = across == 6 ? 6 : 5;
    SG__V factor = SG__SET1(1.0f);
    if (scale) factor = SG__LOAD(scale);
    for (int t = 0; t < tiles; t++, out += SG__LANES) {
        SG__V d[6], v[36], u[6];
        SG__UNROLL_TILES for (int y = 0; y < rows; y++) {
            SG__UNROLL_TILES for (int x = 0; x < columns; x++) d[x] =
                SG__LOAD(row[y] + (size_t)(4 * t + x) * SG__LANES);
            if (scale) SG__UNROLL_TILES for (int x = 0; x < columns; x++) d[x] = SG__MUL(d[x], factor);
            SG__FN(winograd_bt)(d, v + y * across, 1, across);
        }
        SG__UNROLL_TILES for (int x = 0; x < across; x++) {
            SG__FN(winograd_bt)(v + x, u, across, down);
            SG__UNROLL_TILES for (int y = 0; y < down; y++) SG__STORE(out + (size_t)(y * across + x) * stride, u[y]);
        }
    }
}

static void SG__FN(winograd_input)(const float *const *row, const float *scale, int down, int across, int tiles,
                                   float *out, size_t stride) {
    SG__BY_POINTS(SG__FN(winograd_input_tiles), row, scale, tiles, out, stride);
}

SG__INLINE void SG__FN(winograd_weight_vectors)(const float *const *tap, int count, float *out, size_t stride,
                                                const int down, const int across) {
    const int rows = down - 3, columns = across - 3, n = down == 4 ? 1 : down, m = across == 4 ? 1 : across;
    for (int i = 0; i < count; i++, out += SG__LANES) {
        SG__V g[9], v[18], u[6];
        SG__UNROLL_TILES for (int k = 0; k < rows * columns; k++) g[k] = SG__LOAD(tap[k] + (size_t)i * SG__LANES);
        SG__UNROLL_TILES for (int y = 0; y < rows; y++) {
            SG__FN(winograd_g)(g + y * columns, v + y * m, 1, 1, across);
        }
        SG__UNROLL_TILES for (int x = 0; x < m; x++) {
            SG__FN(winograd_g)(v + x, u, m, 1, down);
            SG__UNROLL_TILES for (int y = 0; y < n; y++) SG__STORE(out + (size_t)(y * m + x) * stride, u[y]);
        }
    }
}

static void SG__FN(winograd_weights)(const float *const *tap, int down, int across, int count, float *out,
                                     size_t stride) {
    SG__BY_POINTS(SG__FN(winograd_weight_vectors), tap, count, out, stride);
}

SG__INLINE void SG__FN(winograd_output_tiles)(const float *in, size_t stride, int tiles, float *out, size_t row,
                                              size_t pixel, const int down, const int across) {
    for (int t = 0; t < tiles; t++) {
        SG__V m[6], v[24], y[4];
        SG__UNROLL_TILES for (int i = 0; i < across; i++) { /* columns first: v [4][across] */
            SG__UNROLL_TILES for (int j = 0; j < down; j++) m[j] =
                SG__LOAD(in + (size_t)(j * across + i) * stride + (size_t)t * SG__LANES);
            SG__FN(winograd_at)(m, y, 1, down);
            SG__UNROLL_TILES for (int j = 0; j < 4; j++) v[j * across + i] = y[j];
        }
        SG__UNROLL_TILES for (int j = 0; j < 4; j++) {
            SG__FN(winograd_at)(v + j * across, y, 1, across);
            SG__UNROLL_TILES for (int i = 0; i < 4; i++)
                SG__STORE(out + (size_t)j * row + (size_t)(4 * t + i) * pixel, y[i]);
        }
    }
}

static void SG__FN(winograd_output)(const float *in, size_t stride, int down, int across, int tiles, float *out,
                                    size_t row, size_t pixel) {
    SG__BY_POINTS(SG__FN(winograd_output_tiles), in, stride, tiles, out, row, pixel);
}
#endif

#if STYLEGAN_FAMILIES & 1
static void SG__FN(double_pixels)(const float *in, size_t stride, int width, float *top, float *bottom) {
    for (int i = 0; i < width; i++, in += SG__LANES, top += 2 * SG__LANES, bottom += 2 * SG__LANES) {
        SG__V before[3], after[3]; /* of the three columns: even and odd row */
        SG__UNROLL for (int x = 0; x < 3; x++) {
            const float *column = in + (size_t)x * stride;
            SG__V middle = SG__LOAD(column + 3 * stride);
            before[x] = SG__SUB(middle, SG__LOAD(column));
            after[x] = SG__ADD(middle, SG__LOAD(column + 6 * stride));
        }
        SG__STORE(top, SG__SUB(before[1], before[0]));
        SG__STORE(top + SG__LANES, SG__ADD(before[1], before[2]));
        SG__STORE(bottom, SG__SUB(after[1], after[0]));
        SG__STORE(bottom + SG__LANES, SG__ADD(after[1], after[2]));
    }
}
#endif

static void SG__FN(narrow)(const float *x, int count, unsigned char *half) {
    for (int i = 0; i < count; i += SG__LANES) SG__STORE_F16(half + 2 * (size_t)i, SG__LOAD(x + i));
}

static void SG__FN(widen)(const unsigned char *half, int count, float *x) {
    for (int i = 0; i < count; i += SG__LANES) SG__STORE(x + i, SG__LOAD_F16(half + 2 * (size_t)i));
}

static void SG__FN(scale_shift)(float *row, int width, const float *mean, const float *scale, const float *shift) {
    SG__V m = SG__LOAD(mean), a = SG__LOAD(scale), b = SG__LOAD(shift);
    for (int i = 0; i < width; i++, row += SG__LANES) SG__STORE(row, SG__FMA(SG__SUB(SG__LOAD(row), m), a, b));
}

#if STYLEGAN_FAMILIES & 6
/* Output p of `groups` neighbouring groups, a constant, so that the sums are registers. */
SG__INLINE void SG__FN(upsample_groups)(const float *x, const float *taps, int n, const sg__leak *leak, float *out,
                                        int up, const int groups) {
    SG__V slope = SG__SET1(leak->slope), gain = SG__SET1(leak->gain);
    SG__V clamp = SG__SET1(leak->clamp), unclamp = SG__SET1(-leak->clamp), sum[8];
    SG__UNROLL for (int g = 0; g < groups; g++) sum[g] = SG__SET1(0.0f);
    for (int k = 0; k < n; k++, x += SG__LANES) {
        SG__V tap = SG__SET1(taps[k]);
        SG__UNROLL for (int g = 0; g < groups; g++) sum[g] = SG__FMA(tap, SG__LOAD(x + g * SG__LANES), sum[g]);
    }
    SG__UNROLL for (int g = 0; g < groups; g++) {
        SG__V y = SG__MUL(SG__MAX(sum[g], SG__MUL(sum[g], slope)), gain);
        SG__STORE(out + g * up * SG__LANES, SG__MIN(SG__MAX(y, unclamp), clamp));
    }
}

static void SG__FN(upsample)(const float *x, int groups, const float *taps, int up, int n, const sg__leak *leak,
                             float *out) {
    for (int p = 0; p < up; p++, taps += n, out += SG__LANES) {
        int g = 0;
        for (; !SG__SMALL && g + 8 <= groups; g += 8)
            SG__FN(upsample_groups)(x + g * SG__LANES, taps, n, leak, out + g * up * SG__LANES, up, 8);
        for (; g < groups; g++)
            SG__FN(upsample_groups)(x + g * SG__LANES, taps, n, leak, out + g * up * SG__LANES, up, 1);
    }
}

#endif

#if STYLEGAN_FAMILIES & 4
/* Folded rows are added before they are multiplied, a few pixels at a time, since the sums would not fit the cache that is
   nearest. */
SG__INLINE void SG__FN(downsample_pixels)(float *out, int at, const float *const *row, int rows, int folded,
                                          const float *taps, int n, const int down, const int count) {
    float pair[(SG__MAX_RADIAL + 14) * SG__LANES]; /* of 8 pixels, down 2 */
    SG__V sum[8];
    SG__UNROLL for (int i = 0; i < count; i++) sum[i] = SG__SET1(0.0f);
    for (int r = 0; r < (folded ? rows / 2 : rows); r++, taps += n) {
        const float *x = row[r] + at * down * SG__LANES;
        if (folded) {
            const float *y = row[rows - 1 - r] + at * down * SG__LANES;
            for (int k = 0; k < (n + down * (count - 1)) * SG__LANES; k += SG__LANES)
                SG__STORE(pair + k, SG__ADD(SG__LOAD(x + k), SG__LOAD(y + k)));
            x = pair;
        }
        for (int k = 0; k < n; k++, x += SG__LANES) {
            SG__V tap = SG__SET1(taps[k]);
            SG__UNROLL for (int i = 0; i < count; i++) sum[i] =
                SG__FMA(tap, SG__LOAD(x + i * down * SG__LANES), sum[i]);
        }
    }
    SG__UNROLL for (int i = 0; i < count; i++) SG__STORE(out + (at + i) * SG__LANES, sum[i]);
}

static void SG__FN(downsample)(float *out, int count, const float *const *row, int rows, int folded, const float *taps,
                               int n, int down) {
    int i = 0;
    for (; !SG__SMALL && down == 2 && i + 8 <= count; i += 8)
        SG__FN(downsample_pixels)(out, i, row, rows, folded, taps, n, 2, 8);
    for (; i < count; i++) SG__FN(downsample_pixels)(out, i, row, rows, folded, taps, n, down, 1);
}
#endif

#endif /* SG__BASE */

#ifdef SG__TILE_LOAD
#define SG__IN_MATRIX(function) function

/* Two vectors as pairs of their terms. */
SG__INLINE void SG__FN(store_terms)(SG__V a, SG__V b, int terms, size_t term, uint16_t *out) {
    for (; terms > 1; terms--, out += term) {
        SG__V rounded_a = SG__ROUND_BF16(a), rounded_b = SG__ROUND_BF16(b);
        SG__STORE_PAIRS(out, rounded_a, rounded_b);
        a = SG__SUB(a, rounded_a);
        b = SG__SUB(b, rounded_b);
    }
    SG__STORE_ROUNDED(out, a, b);
}

SG__INLINE void SG__FN(split_pixels)(const float *const *block, const float *scale, int pixels, const int terms,
                                     size_t term, uint16_t *out) {
    SG__V first = SG__SET1(1.0f), second = SG__SET1(block[1] ? 1.0f : 0.0f);
    if (scale) first = SG__LOAD(scale);
    if (scale && block[1]) second = SG__LOAD(scale + SG__LANES);
    const float *a = block[0], *b = block[1] ? block[1] : block[0];
    for (ptrdiff_t i = 0; i < (ptrdiff_t)pixels * SG__LANES; i += SG__LANES) SG__FN(store_terms)
    (SG__MUL(SG__LOAD(a + i), first), SG__MUL(SG__LOAD(b + i), second), terms, term, out + 2 * i);
}

static void SG__FN(split)(const float *const *block, const float *scale, int pixels, int terms, size_t term,
                          uint16_t *out) {
    if (terms == 1)
        SG__FN(split_pixels)(block, scale, pixels, 1, term, out);
    else if (terms == 2)
        SG__FN(split_pixels)(block, scale, pixels, 2, term, out);
    else
        SG__FN(split_pixels)(block, scale, pixels, 3, term, out);
}

/* The weights of channel i of a group, zeros behind the last. */
static void SG__FN(pack)(const float *const *tap, int taps, int channels, int q, int terms, uint16_t *out) {
    const int rows = SG__LANES * 2 * SG__LANES;
    const SG__V zero = SG__SET1(0.0f);
    for (int first = 0; first < channels; first += 2 * SG__LANES) {
        for (int k = 0; k < taps; k++, out += terms * q * rows) {
            for (int i = 0; i < SG__LANES; i++) {
                const int second = first + i + SG__LANES;
                uint16_t *to = out + i * 2 * SG__LANES;
                for (int v = 0; v < q; v++, to += rows) {
                    SG__V even = zero, odd = zero;
                    if (first + i < channels) even = SG__LOAD(tap[k] + ((first + i) * q + v) * SG__LANES);
                    if (second < channels) odd = SG__LOAD(tap[k] + (second * q + v) * SG__LANES);
                    SG__FN(store_terms)(even, odd, terms, (size_t)(q * rows), to);
                }
            }
        }
    }
}

/* Stores 16 positions of a vector of outputs: at once, if they are pixels of one row. */
#define SG__STORE_SUMS(t, first, v)                                                                    \
    do {                                                                                               \
        int at = first, row = at / p->pitch, column = at % p->pitch;                                   \
        float *to = p->output + (size_t)row * p->output_row + (size_t)(v)*p->output_vector;            \
        if (at + 16 <= p->positions && column + 16 <= p->width) {                                      \
            SG__TILE_STORE(t, to + (size_t)column * p->output_pixel, p->output_pixel * sizeof(float)); \
        } else {                                                                                       \
            float sums[16 * SG__LANES];                                                                \
            SG__TILE_STORE(t, sums, SG__LANES * sizeof(float));                                        \
            for (int i = 0; i < 16 && at + i < p->positions; i++, column++) {                          \
                if (column == p->pitch) {                                                              \
                    column = 0;                                                                        \
                    to += p->output_row;                                                               \
                }                                                                                      \
                if (column < p->width)                                                                 \
                    SG__STORE(to + (size_t)column * p->output_pixel, SG__LOAD(sums + i * SG__LANES));  \
            }                                                                                          \
        }                                                                                              \
    } while (0)

/* a x q tiles of sums from position `first` on, up to four, 0 to 3, since a product takes as long as four are begun; 4 and 5
   hold inputs, 6 and 7 weights. */
#define SG__ALL_TILES(x, a, q)                              \
    do {                                                    \
        SG__TILE_LOAD(4, x, 64);                            \
        if ((a) > 1) SG__TILE_LOAD(5, (x) + 16 * 32, 64);   \
        SG__TILE_MULTIPLY(0, 4, 6);                         \
        if ((q) > 1) SG__TILE_MULTIPLY(1, 4, 7);            \
        if ((a) > 1) SG__TILE_MULTIPLY(2, 5, 6);            \
        if ((a) > 1 && (q) > 1) SG__TILE_MULTIPLY(3, 5, 7); \
        if ((a) > 2) {                                      \
            SG__TILE_LOAD(4, (x) + 32 * 32, 64);            \
            SG__TILE_LOAD(5, (x) + 48 * 32, 64);            \
            SG__TILE_MULTIPLY(1, 4, 6);                     \
            SG__TILE_MULTIPLY(3, 5, 6);                     \
        }                                                   \
    } while (0)
#define SG__LOAD_WEIGHTS(w, q)                            \
    do {                                                  \
        SG__TILE_LOAD(6, w, 64);                          \
        if ((q) > 1) SG__TILE_LOAD(7, (w) + 16 * 32, 64); \
    } while (0)
#define SG__AHEAD 64 /* pixels: where sums will go, memory is slower than matrix units */
#define SG__MULTIPLY_POSITIONS(a, q)                                                                                   \
    do {                                                                                                               \
        const uint16_t *weights = p->weights;                                                                          \
        if (first + SG__AHEAD + 16 * (a) <= p->positions) {                                                            \
            int ahead = first + SG__AHEAD;                                                                             \
            float *to =                                                                                                \
                p->output + (size_t)(ahead / p->pitch) * p->output_row + (size_t)(ahead % p->pitch) * p->output_pixel; \
            for (int i = 0; i < 16 * (a); i++, to += p->output_pixel) {                                                \
                for (int v = 0; v < (q); v++) SG__EXPECT_STORE(to + (size_t)v * p->output_vector);                     \
            }                                                                                                          \
        }                                                                                                              \
        SG__TILE_ZERO(0);                                                                                              \
        SG__TILE_ZERO(1);                                                                                              \
        SG__TILE_ZERO(2);                                                                                              \
        SG__TILE_ZERO(3);                                                                                              \
        for (int g = 0; g < p->groups; g++) {                                                                          \
            for (int k = 0; k < p->taps; k++) {                                                                        \
                ptrdiff_t at = (ptrdiff_t)p->group * g + (first + p->offset[k]) * 32;                                  \
                for (int j = 0; j < p->terms; j++, weights += (q)*16 * 32) {                                           \
                    SG__LOAD_WEIGHTS(weights, q);                                                                      \
                    for (int i = 0; i < p->terms - j; i++)                                                             \
                        SG__ALL_TILES(p->input + at + (ptrdiff_t)p->term * i, a, q);                                   \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        SG__STORE_SUMS(0, first, 0);                                                                                   \
        if ((q) > 1) SG__STORE_SUMS(1, first, 1);                                                                      \
        if ((a) > 1) SG__STORE_SUMS(2, first + 16, 0);                                                                 \
        if ((a) > 1 && (q) > 1) SG__STORE_SUMS(3, first + 16, 1);                                                      \
        if ((a) > 2) SG__STORE_SUMS(1, first + 32, 0);                                                                 \
        if ((a) > 2) SG__STORE_SUMS(3, first + 48, 0);                                                                 \
        first += 16 * (a);                                                                                             \
    } while (0)

/* Tiles have numbers that the compiler must know: hence macros. */
static void SG__FN(multiply)(const sg__product *product, int q) {
    sg__product left = *product, *p = &left;
    SG__TILES_BEGIN
    do {
        for (int first = 0; first < p->positions;) {
            int both = first + 16 < p->positions;
            if (both && q > 1)
                SG__MULTIPLY_POSITIONS(2, 2);
            else if (q > 1)
                SG__MULTIPLY_POSITIONS(1, 2);
            else if (first + 48 < p->positions)
                SG__MULTIPLY_POSITIONS(4, 1);
            else if (both)
                SG__MULTIPLY_POSITIONS(2, 1);
            else
                SG__MULTIPLY_POSITIONS(1, 1);
        }
        p->input += p->pitch * 32;
        p->output += p->output_row;
    } while (--p->rows > 0);
    SG__TILES_END
}

#ifdef STYLEGAN_KERNELS
static void SG__FN(turn)(const float *first, const float *second, int pixels, uint16_t *turned) {
    uint16_t pairs[16 * 2 * SG__LANES];
    for (int i = 0; i < pixels; i += 16, turned += 16 * 2 * SG__LANES) {
        for (int k = 0; k < 16; k++, first += SG__LANES, second += SG__LANES)
            SG__STORE_ROUNDED(pairs + 2 * SG__LANES * k, SG__LOAD(first), SG__LOAD(second));
        SG__TURN(turned, pairs);
    }
}

#define SG__LOAD_SUM(k)    \
    if (c->set)            \
        SG__TILE_ZERO(k);  \
    else if (c->count > k) \
    SG__TILE_LOAD(k, c->sum[k], c->row * sizeof(float))
#define SG__ADD_PRODUCT(k)                               \
    if (c->count > k) {                                  \
        SG__TILE_LOAD(7, c->pairs[k] + i * 16 * 32, 64); \
        SG__TILE_MULTIPLY(k, 6, 7);                      \
    }
#define SG__STORE_SUM(k) \
    if (c->count > k) SG__TILE_STORE(k, c->sum[k], c->row * sizeof(float))
/* The sums stay in tiles 0 to 5, while each input is multiplied with what belongs to it of all outputs. */
static void SG__FN(correlate)(const sg__correlation *c) {
    SG__TILES_BEGIN
    SG__LOAD_SUM(0);
    SG__LOAD_SUM(1);
    SG__LOAD_SUM(2);
    SG__LOAD_SUM(3);
    SG__LOAD_SUM(4);
    SG__LOAD_SUM(5);
    for (ptrdiff_t i = 0; i < c->steps; i++) {
        SG__TILE_LOAD(6, c->turned + i * 16 * 32, 64);
        SG__ADD_PRODUCT(0)
        SG__ADD_PRODUCT(1)
        SG__ADD_PRODUCT(2)
        SG__ADD_PRODUCT(3)
        SG__ADD_PRODUCT(4)
        SG__ADD_PRODUCT(5)
    }
    SG__STORE_SUM(0);
    SG__STORE_SUM(1);
    SG__STORE_SUM(2);
    SG__STORE_SUM(3);
    SG__STORE_SUM(4);
    SG__STORE_SUM(5);
    SG__TILES_END
}
#endif
#else
#define SG__IN_MATRIX(function) NULL
#endif

SG__UNUSED static const sg__kernels SG__FN(kernels) = {
    SG__ISA_ENUM,
    SG__LANES,
    SG__P,
    SG__Q,
    SG__OF_BASE(unpack),
    SG__OF_BASE(panel),
    SG__OF_BASE(convolve),
    SG__OF_BASE(finish),
    SG__OF_BASE(weighted_sum),
    SG__OF_BASE(sum_squares),
    SG__OF_BASE(moments),
    SG__IN_WINOGRAD(SG__OF_BASE(winograd_input)),
    SG__IN_WINOGRAD(SG__OF_BASE(winograd_weights)),
    SG__IN_WINOGRAD(SG__OF_BASE(winograd_output)),
    SG__IN_1(SG__OF_BASE(double_pixels)),
    SG__OF_BASE(narrow),
    SG__OF_BASE(widen),
    SG__OF_BASE(scale_shift),
    SG__IN_2_3(SG__OF_BASE(upsample)),
    SG__IN_3(SG__OF_BASE(downsample)),
    SG__IN_MATRIX(SG__FN(split)),
    SG__IN_MATRIX(SG__FN(pack)),
    SG__IN_MATRIX(SG__FN(multiply)),
#ifdef STYLEGAN_KERNELS
    SG__IN_MATRIX(SG__FN(turn)),
    SG__IN_MATRIX(SG__FN(correlate)),
#endif
};

#undef SG__SMALL
#undef SG__S
#undef SG__SET_S
#undef SG__FMA_S
#undef SG__UNROLL_TILES
#undef SG__BY_POINTS
#undef SG__ISA
#undef SG__ISA_ENUM
#undef SG__LANES
#undef SG__P
#undef SG__Q
#undef SG__V
#undef SG__LOAD
#undef SG__STORE
#undef SG__SET1
#undef SG__ADD
#undef SG__SUB
#undef SG__MUL
#undef SG__FMA
#undef SG__MAX
#undef SG__MIN
#undef SG__LOAD_F32
#undef SG__LOAD_F16
#undef SG__STORE_F16
#undef SG__LOAD_I8
#undef SG__BASE
#undef SG__OF_BASE
#undef SG__IN_MATRIX
#undef SG__ROUND_BF16
#undef SG__STORE_PAIRS
#undef SG__STORE_ROUNDED
#undef SG__TILES_BEGIN
#undef SG__TILES_END
#undef SG__TILE_ZERO
#undef SG__TILE_LOAD
#undef SG__TILE_STORE
#undef SG__TILE_MULTIPLY
#undef SG__TURN
#undef SG__EXPECT_STORE
#undef SG__STORE_SUMS
#undef SG__ALL_TILES
#undef SG__LOAD_WEIGHTS
#undef SG__MULTIPLY_POSITIONS
#undef SG__AHEAD
#undef SG__LOAD_SUM
#undef SG__ADD_PRODUCT
#undef SG__STORE_SUM
#endif /* STYLEGAN_KERNEL_PASS */

/* >>licence

   MIT licence. Copyright (c) 2026 the stylegan.h maintainers.

   Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
   documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
   rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to
   permit persons to whom the Software is furnished to do so, subject to the following conditions:

   The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
   Software.

   THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
   WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
   COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
   OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE. */

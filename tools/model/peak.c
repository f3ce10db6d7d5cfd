/* peak.c - how fast this machine multiplies and adds at best. */
#include "peak.h"
#include "../base/cli.h"
#include "../base/pool.h"
#include "../base/system.h"

#include <stdlib.h>

enum { CHAINS = 12, ROUNDS = 2000000, BURSTS = 20 }; /* chains: independent sums, enough to hide an FMA's latency */

/* x = x * factor + 1 in CHAINS vectors at once, ROUNDS times; the result only keeps the compiler from skipping it. */
#define DEFINE_SPIN(name, target, vector, splat, multiply_add, first)                                    \
    target static float spin_##name(float factor) {                                                      \
        const vector f = splat(factor), one = splat(1);                                                  \
        vector x[CHAINS];                                                                                \
        float sum = 0;                                                                                   \
        for (int i = 0; i < CHAINS; i++) x[i] = splat((float)i);                                         \
        for (int round = 0; round < ROUNDS; round++) {                                                   \
            _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) x[i] = multiply_add(x[i], f, one); \
        }                                                                                                \
        for (int i = 0; i < CHAINS; i++) sum += first(x[i]);                                             \
        return sum;                                                                                      \
    }

#define SCALAR_SPLAT(value) (value)
#define SCALAR_MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
DEFINE_SPIN(scalar, , float, SCALAR_SPLAT, SCALAR_MULTIPLY_ADD, SCALAR_SPLAT)

#if defined __GNUC__ && (defined __x86_64__ || defined __i386__)
#include <immintrin.h>
#define SSE2_MULTIPLY_ADD(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
DEFINE_SPIN(sse2, __attribute__((target("sse2"))), __m128, _mm_set1_ps, SSE2_MULTIPLY_ADD, _mm_cvtss_f32)
DEFINE_SPIN(avx2, __attribute__((target("avx2,fma"))), __m256, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_cvtss_f32)
DEFINE_SPIN(avx512, __attribute__((target("avx512f"))), __m512, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_cvtss_f32)
#elif defined __aarch64__
#include <arm_neon.h>
#define NEON_MULTIPLY_ADD(a, b, c) vfmaq_f32(c, a, b)
#define NEON_FIRST(a) vgetq_lane_f32(a, 0)
DEFINE_SPIN(neon, , float32x4_t, vdupq_n_f32, NEON_MULTIPLY_ADD, NEON_FIRST)
#endif

typedef float spin_fn(float factor);

static const struct {
    stylegan_isa isa;
    int lanes;
    spin_fn *spin;
} spins[] = {
    {STYLEGAN_ISA_SCALAR, 1, spin_scalar},
#if defined __GNUC__ && (defined __x86_64__ || defined __i386__)
    /* of AMX that of its vectors; its matrix units do more */
    {STYLEGAN_ISA_SSE2, 4, spin_sse2},
    {STYLEGAN_ISA_AVX2, 8, spin_avx2},
    {STYLEGAN_ISA_AVX512, 16, spin_avx512},
    {STYLEGAN_ISA_AMX, 16, spin_avx512},
#elif defined __aarch64__
    {STYLEGAN_ISA_NEON, 4, spin_neon},
#endif
};

typedef struct spinner {
    spin_fn *spin;
    volatile float *results; /* of each thread */
} spinner;

static void start_spinning(void *context, int item, int thread) {
    spinner *s = context;
    (void)thread;
    s->results[item] = s->spin(0.5f);
}

static double measure(spin_fn *spin, int lanes, int threads) {
    pool *p = pool_start(threads);
    spinner s = {spin, cli_alloc((size_t)threads, sizeof *s.results)};
    double best = 0;
    for (int burst = 0; burst < BURSTS; burst++) {
        const double start = system_seconds();
        pool_run(p, threads, start_spinning, &s);
        const double flops = 2.0 * CHAINS * ROUNDS * lanes * threads / (system_seconds() - start);
        if (flops > best) best = flops;
    }
    pool_end(p);
    free((void *)(uintptr_t)s.results);
    return best;
}

double peak_flops(stylegan_isa isa, int threads) {
    for (size_t i = 0; i < sizeof spins / sizeof *spins; i++)
        if (spins[i].isa == isa) return measure(spins[i].spin, spins[i].lanes, threads);
    return 0;
}

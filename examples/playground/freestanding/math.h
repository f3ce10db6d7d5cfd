/* What the engine and the trainer need of math.h, for WebAssembly without a C library: the browser's Math has it. */
#define FROM_BROWSER(name) __attribute__((import_module("Math"), import_name(#name)))

FROM_BROWSER(exp) double exp(double x);
FROM_BROWSER(log) double log(double x);
FROM_BROWSER(log1p) double log1p(double x);
FROM_BROWSER(pow) double pow(double x, double y);
FROM_BROWSER(cos) double cos(double x);
FROM_BROWSER(hypot) double hypot(double x, double y);

static inline double sqrt(double x) {
    return __builtin_sqrt(x);
}

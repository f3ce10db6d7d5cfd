/* msvc.h - what stylegan.h and its examples use of Microsoft's C library and of Win32, declared by hand: enough to check
   their syntax by the rules of that compiler where its headers are not at hand. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct _iobuf FILE;
FILE *__acrt_iob_func(unsigned);
#define stdin __acrt_iob_func(0)
#define stdout __acrt_iob_func(1)
#define stderr __acrt_iob_func(2)
#define EOF (-1)
enum { SEEK_SET, SEEK_CUR, SEEK_END };
FILE *fopen(const char *, const char *);
int fclose(FILE *), ferror(FILE *), fflush(FILE *), fputc(int, FILE *), fputs(const char *, FILE *);
int putchar(int), puts(const char *), fseek(FILE *, long, int), _fseeki64(FILE *, long long, int);
long ftell(FILE *);
long long _ftelli64(FILE *);
size_t fread(void *, size_t, size_t, FILE *), fwrite(const void *, size_t, size_t, FILE *);
int printf(const char *, ...), fprintf(FILE *, const char *, ...), snprintf(char *, size_t, const char *, ...);
int sscanf(const char *, const char *, ...), vfprintf(FILE *, const char *, va_list);
void perror(const char *), rewind(FILE *);

void *malloc(size_t), *calloc(size_t, size_t), *realloc(void *, size_t);
void free(void *), exit(int), qsort(void *, size_t, size_t, int (*)(const void *, const void *));
long strtol(const char *, char **, int);
unsigned long strtoul(const char *, char **, int);
unsigned long long strtoull(const char *, char **, int);
double strtod(const char *, char **);
float strtof(const char *, char **);
int abs(int), atoi(const char *);
double atof(const char *);
enum { EXIT_SUCCESS, EXIT_FAILURE };

void *memcpy(void *, const void *, size_t), *memmove(void *, const void *, size_t), *memset(void *, int, size_t);
int memcmp(const void *, const void *, size_t), strcmp(const char *, const char *);
int strncmp(const char *, const char *, size_t);
size_t strlen(const char *);
char *strcpy(char *, const char *), *strstr(const char *, const char *);

double sqrt(double), exp(double), log(double), log1p(double), expm1(double), pow(double, double), fabs(double);
double sin(double), cos(double), floor(double), ceil(double), tanh(double), fmin(double, double), fmax(double, double);
double hypot(double, double), ldexp(double, int), frexp(double, int *), trunc(double);
float sqrtf(float), expf(float), logf(float), fabsf(float), fminf(float, float), fmaxf(float, float);
float powf(float, float), sinf(float), cosf(float), floorf(float), tanhf(float), log1pf(float);
#define INFINITY ((float)(1e300 * 1e300))
#define isfinite(x) ((x) - (x) == 0)

int _setmode(int, int), _fileno(FILE *);
#define _O_BINARY 0x8000

#define WINAPI __stdcall
#define INFINITE 0xFFFFFFFF
typedef unsigned long DWORD;
typedef int BOOL;
typedef void *HANDLE, *LPVOID;
typedef struct _RTL_SRWLOCK {
    void *Ptr;
} SRWLOCK;
typedef struct _RTL_CONDITION_VARIABLE {
    void *Ptr;
} CONDITION_VARIABLE;
typedef struct _SYSTEM_INFO {
    DWORD dwPageSize, dwNumberOfProcessors;
} SYSTEM_INFO;
typedef DWORD(WINAPI *LPTHREAD_START_ROUTINE)(LPVOID);
void WINAPI InitializeSRWLock(SRWLOCK *), WINAPI AcquireSRWLockExclusive(SRWLOCK *);
void WINAPI ReleaseSRWLockExclusive(SRWLOCK *), WINAPI GetSystemInfo(SYSTEM_INFO *);
unsigned char WINAPI TryAcquireSRWLockExclusive(SRWLOCK *);
void WINAPI InitializeConditionVariable(CONDITION_VARIABLE *), WINAPI WakeAllConditionVariable(CONDITION_VARIABLE *);
BOOL WINAPI SleepConditionVariableSRW(CONDITION_VARIABLE *, SRWLOCK *, DWORD, unsigned long);
HANDLE WINAPI CreateThread(void *, size_t, LPTHREAD_START_ROUTINE, LPVOID, DWORD, DWORD *);
DWORD WINAPI WaitForSingleObject(HANDLE, DWORD);
BOOL WINAPI CloseHandle(HANDLE);

#ifdef __cplusplus
}
#endif

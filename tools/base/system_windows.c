/* system_windows.c - see system.h: Win32 behind UTF-8, for MinGW-w64. */
#include "system.h"
#include "cli.h"

#include <errno.h>
#include <io.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
/* after it */
#include <psapi.h>
#include <shellapi.h>

/* --- Text and errors --- */

static wchar_t *wide(const char *text) {
    const int length = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
    wchar_t *copy = cli_alloc((size_t)length + 1, sizeof *copy);
    copy[0] = 0;
    MultiByteToWideChar(CP_UTF8, 0, text, -1, copy, length);
    return copy;
}

static char *narrow(const wchar_t *text) {
    const int length = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    char *copy = cli_alloc((size_t)length + 1, 1);
    copy[0] = 0;
    WideCharToMultiByte(CP_UTF8, 0, text, -1, copy, length, NULL, NULL);
    return copy;
}

static void set_errno(void) {
    static const struct {
        DWORD windows;
        int c;
    } errors[] = {
        {ERROR_FILE_NOT_FOUND, ENOENT},
        {ERROR_PATH_NOT_FOUND, ENOENT},
        {ERROR_INVALID_NAME, ENOENT},
        {ERROR_BAD_PATHNAME, ENOENT},
        {ERROR_BAD_NETPATH, ENOENT},
        {ERROR_BAD_NET_NAME, ENOENT},
        {ERROR_ACCESS_DENIED, EACCES},
        {ERROR_SHARING_VIOLATION, EACCES},
        {ERROR_LOCK_VIOLATION, EACCES},
        {ERROR_WRITE_PROTECT, EACCES},
        {ERROR_FILE_EXISTS, EEXIST},
        {ERROR_ALREADY_EXISTS, EEXIST},
        {ERROR_DIRECTORY, ENOTDIR},
        {ERROR_DIR_NOT_EMPTY, ENOTEMPTY},
        {ERROR_DISK_FULL, ENOSPC},
        {ERROR_HANDLE_DISK_FULL, ENOSPC},
        {ERROR_FILENAME_EXCED_RANGE, ENAMETOOLONG},
        {ERROR_NOT_ENOUGH_MEMORY, ENOMEM},
        {ERROR_TOO_MANY_OPEN_FILES, EMFILE},
    };
    const DWORD last = GetLastError();
    errno = EIO;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].windows == last) errno = errors[i].c;
}

static int result(BOOL succeeded) {
    if (!succeeded) set_errno();
    return succeeded ? 0 : -1;
}

void system_start(int *argc, char ***argv) {
    wchar_t **arguments = CommandLineToArgvW(GetCommandLineW(), argc);
    *argv = cli_alloc((size_t)*argc + 1, sizeof **argv);
    for (int i = 0; i < *argc; i++) (*argv)[i] = narrow(arguments[i]);
    (*argv)[*argc] = NULL;
    LocalFree(arguments);
    for (int descriptor = 0; descriptor < 3; descriptor++) _setmode(descriptor, _O_BINARY);
    SetConsoleOutputCP(CP_UTF8);
}

/* --- Files and folders --- */

static DWORD attributes(const char *path) {
    wchar_t *name = wide(path);
    const DWORD found = GetFileAttributesW(name);
    if (found == INVALID_FILE_ATTRIBUTES) set_errno();
    free(name);
    return found;
}

static system_kind kind_of_handle(HANDLE handle) {
    switch (GetFileType(handle)) {
    case FILE_TYPE_DISK:
        return SYSTEM_FILE;
    case FILE_TYPE_CHAR:
        return SYSTEM_DEVICE;
    case FILE_TYPE_PIPE:
        return SYSTEM_PIPE;
    }
    set_errno();
    return SYSTEM_NOTHING;
}

/* Others may read, write, rename and remove the file meanwhile, as everywhere else. */
static HANDLE open_handle(const char *path, DWORD access, DWORD creation) {
    const DWORD sharing = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    wchar_t *name = wide(path);
    const HANDLE handle = CreateFileW(name, access, sharing, NULL, creation, FILE_ATTRIBUTE_NORMAL, NULL);
    free(name);
    if (handle == INVALID_HANDLE_VALUE) set_errno();
    return handle;
}

system_kind system_kind_of(const char *path) {
    const DWORD found = attributes(path);
    if (found != INVALID_FILE_ATTRIBUTES && found & FILE_ATTRIBUTE_DIRECTORY) return SYSTEM_FOLDER;
    const HANDLE handle = open_handle(path, 0, OPEN_EXISTING); /* NUL and the like have no attributes */
    if (handle == INVALID_HANDLE_VALUE) return SYSTEM_NOTHING;
    const system_kind kind = kind_of_handle(handle);
    CloseHandle(handle);
    return kind;
}

system_kind system_kind_of_open(int descriptor, uint64_t *size) {
    const HANDLE handle = (HANDLE)_get_osfhandle(descriptor);
    const system_kind kind = kind_of_handle(handle);
    LARGE_INTEGER length = {.QuadPart = 0};
    if (kind == SYSTEM_FILE) GetFileSizeEx(handle, &length);
    *size = (uint64_t)length.QuadPart;
    return kind;
}

int system_is_link(const char *path) {
    const DWORD found = attributes(path);
    return found != INVALID_FILE_ATTRIBUTES && found & FILE_ATTRIBUTE_REPARSE_POINT;
}

/* Links are rare here: they are replaced by what is written. */
char *system_real_path(const char *path) {
    (void)path;
    return NULL;
}

char *system_link_target(const char *path) {
    (void)path;
    return NULL;
}

/* Rights are those of the folder. */
void system_take_rights(int descriptor, const char *path) {
    (void)descriptor, (void)path;
}

int system_open(const char *path, int flags) {
    static const DWORD access[] = {
        [O_RDONLY] = GENERIC_READ, [O_WRONLY] = GENERIC_WRITE, [O_RDWR] = GENERIC_READ | GENERIC_WRITE};
    const DWORD creation = !(flags & O_CREAT) ? OPEN_EXISTING : flags & O_TRUNC ? CREATE_ALWAYS : OPEN_ALWAYS;
    const HANDLE handle = open_handle(path, access[flags & (O_WRONLY | O_RDWR)], creation);
    return handle == INVALID_HANDLE_VALUE ? -1 : _open_osfhandle((intptr_t)handle, (flags & O_WRONLY) | O_BINARY);
}

int system_sync(int descriptor) {
    return _commit(descriptor);
}

/* The file system keeps its names in order by itself. */
void system_sync_folder(const char *path) {
    (void)path;
}

/* Locked bytes cannot be read by others: one that no file reaches. */
int system_lock(int descriptor) {
    OVERLAPPED place = {.OffsetHigh = 0x7FFFFFFF};
    const HANDLE handle = (HANDLE)_get_osfhandle(descriptor);
    if (LockFileEx(handle, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place)) return 0;
    const DWORD why = GetLastError();
    set_errno();
    return why == ERROR_LOCK_VIOLATION || why == ERROR_IO_PENDING ? 1 : -1;
}

const void *system_map(int descriptor, size_t size) {
    const HANDLE mapping = CreateFileMappingW((HANDLE)_get_osfhandle(descriptor), NULL, PAGE_READONLY, 0, 0, NULL);
    if (!mapping) return NULL;
    const void *data = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, size);
    CloseHandle(mapping);
    return data;
}

void system_unmap(const void *data, size_t size) {
    (void)size;
    UnmapViewOfFile(data);
}

int system_rename(const char *from, const char *to) {
    wchar_t *old_name = wide(from), *new_name = wide(to);
    const int failed = result(MoveFileExW(old_name, new_name, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH));
    free(old_name);
    free(new_name);
    return failed;
}

int system_link(const char *path, const char *other_name) {
    wchar_t *name = wide(path), *other = wide(other_name);
    const int failed = result(CreateHardLinkW(other, name, NULL));
    free(name);
    free(other);
    return failed;
}

/* Applies a function to a path. */
static int on_path(BOOL (*WINAPI function)(const wchar_t *), const char *path) {
    wchar_t *name = wide(path);
    const int failed = result(function(name));
    free(name);
    return failed;
}

int system_remove(const char *path) {
    return on_path(DeleteFileW, path);
}

void system_close_all(void) {
    _fcloseall();
}

static BOOL WINAPI create_folder(const wchar_t *name) {
    return CreateDirectoryW(name, NULL);
}

int system_make_folder(const char *path) {
    return on_path(create_folder, path);
}

int system_remove_folder(const char *path) {
    return on_path(RemoveDirectoryW, path);
}

/* Rights are found out by writing: read-only folders are not, and lists of rights have exceptions. */
int system_can_write_into(const char *folder) {
    (void)folder;
    return 1;
}

struct system_names {
    HANDLE search;
    WIN32_FIND_DATAW entry;
    int first; /* the search begins with a name */
    char *name;
};

system_names *system_open_names(const char *folder) {
    system_names *names = cli_alloc(1, sizeof *names);
    char *pattern = cli_format("%s/*", folder);
    wchar_t *wide_pattern = wide(pattern);
    *names = (system_names){.first = 1};
    names->search = FindFirstFileW(wide_pattern, &names->entry);
    free(wide_pattern);
    free(pattern);
    if (names->search != INVALID_HANDLE_VALUE) return names;
    set_errno();
    free(names);
    return NULL;
}

const char *system_next_name(system_names *names) {
    if (!names->first && !FindNextFileW(names->search, &names->entry)) return NULL;
    names->first = 0;
    free(names->name);
    names->name = narrow(names->entry.cFileName);
    return names->name;
}

void system_close_names(system_names *names) {
    FindClose(names->search);
    free(names->name);
    free(names);
}

/* --- The process --- */

static void handle_signals(system_handler *handler, int replace) {
    static const int requests[] = {SIGINT, SIGTERM, SIGBREAK};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        system_handler *before = signal(requests[i], handler);
        if (before == SIG_IGN || (before != SIG_DFL && !replace)) signal(requests[i], before);
    }
}

void system_before_end(system_handler *handler) {
    handle_signals(handler, 0);
}

void system_to_stop(system_handler *handler) {
    handle_signals(handler, 1);
}

int system_start_thread(pthread_t *thread, void *(*run)(void *), void *argument) {
    errno = pthread_create(thread, NULL, run, argument);
    return errno ? -1 : 0;
}

long system_process(void) {
    return (long)GetCurrentProcessId();
}

int system_all_processors(void) {
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return (int)info.dwNumberOfProcessors;
}

int system_processors(void) {
    return system_all_processors();
}

uint64_t system_peak_memory(void) {
    PROCESS_MEMORY_COUNTERS counters = {0};
    GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters);
    return counters.PeakWorkingSetSize;
}

void system_advise_large_pages(void *memory, size_t size) {
    (void)memory, (void)size;
}

double system_seconds(void) {
    LARGE_INTEGER now, rate;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&rate);
    return (double)now.QuadPart / (double)rate.QuadPart;
}

int system_is_terminal(FILE *standard) {
    const HANDLE handle = (HANDLE)_get_osfhandle(_fileno(standard));
    DWORD mode;
    return GetConsoleMode(handle, &mode) && SetConsoleMode(handle, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
}

int system_columns(void) {
    CONSOLE_SCREEN_BUFFER_INFO info;
    const int terminal = system_is_terminal(stdout); /* which turns colours on */
    if (!terminal || !GetConsoleScreenBufferInfo(GetStdHandle(STD_OUTPUT_HANDLE), &info)) return 0;
    return info.srWindow.Right - info.srWindow.Left + 1;
}

/* Counts what a program allocates, for `cargo xtask bench --only costs`: preloaded before glibc, whose allocator does the
 * work. The counts are in the file that TESSERA_COUNTS names: allocations, bytes asked for, frees; 64 bits each. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static uint64_t *counts;

__attribute__((constructor)) static void open_counts(void) {
    const char *path = getenv("TESSERA_COUNTS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (page != MAP_FAILED)
        counts = page;
}

static void count(size_t bytes) {
    if (counts) {
        __atomic_fetch_add(&counts[0], 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&counts[1], bytes, __ATOMIC_RELAXED);
    }
}

void *malloc(size_t bytes) {
    count(bytes);
    return __libc_malloc(bytes);
}

void *calloc(size_t number, size_t bytes) {
    count(number * bytes);
    return __libc_calloc(number, bytes);
}

void *realloc(void *old, size_t bytes) {
    count(bytes);
    return __libc_realloc(old, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    count(bytes);
    return __libc_memalign(alignment, bytes);
}

void *memalign(size_t alignment, size_t bytes) {
    count(bytes);
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **place, size_t alignment, size_t bytes) {
    count(bytes);
    void *memory = __libc_memalign(alignment, bytes);
    if (!memory)
        return ENOMEM;
    *place = memory;
    return 0;
}

void free(void *memory) {
    if (counts && memory)
        __atomic_fetch_add(&counts[2], 1, __ATOMIC_RELAXED);
    __libc_free(memory);
}

/* The floor of send lateness: a bare loop that spins until each request of a schedule is due.
 * Reads int64 offsets (ns) from standard input, writes by how many ns each was late. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int main(void)
{
    size_t count = 0, room = 1 << 16;
    int64_t *offsets = malloc(room * sizeof *offsets);
    while (offsets && fread(offsets + count, sizeof *offsets, 1, stdin) == 1)
        if (++count == room)
            offsets = realloc(offsets, (room *= 2) * sizeof *offsets);
    if (!offsets)
        return 1;
    int64_t start = now_ns() + 10000000;
    for (size_t i = 0; i < count; i++) {
        int64_t due = start + offsets[i], now;
        while ((now = now_ns()) < due)
            ;
        offsets[i] = now - due;
    }
    return fwrite(offsets, sizeof *offsets, count, stdout) != count;
}

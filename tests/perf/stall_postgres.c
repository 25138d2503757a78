/* A PostgreSQL reduced to its timing (stall.h): whatever is asked, the answer is the one given.
 *
 * Arguments, each in hexadecimal: what follows a start-up packet; the answers to a statement without parameters, to one that
 * is only parsed, to one that is executed, and to one that is parsed and executed. Only those that execute are timed.
 */
#include "stall.h"

enum { STARTED = 1, PARSED = 2, BOUND = 4, NO_TLS = 80877103, NO_GSS = 80877104 };

static struct bytes started, done, parsed, found, parsed_found;

static int configure(int count, char **arguments)
{
    if (count != 5)
        return 2;
    struct bytes *each[] = {&started, &done, &parsed, &found, &parsed_found};
    for (int i = 0; i < 5; i++)
        *each[i] = from_hex(arguments[i]);
    return 0;
}

static uint32_t number(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int react(int fd, struct input *in, int kind, int64_t received)
{
    if (kind == 'P')
        in->state |= PARSED;
    if (kind == 'B')
        in->state |= BOUND;
    if (kind == 'Q')
        return put(fd, done.at, done.size);
    if (kind != 'S')
        return kind == 'X' ? -1 : 0;
    int state = in->state;
    in->state = STARTED;
    if (!(state & BOUND))
        return put(fd, parsed.at, parsed.size);
    enqueue(fd, state & PARSED, received);
    return 0;
}

static ssize_t take(int fd, struct input *in, int64_t received)
{
    size_t at = 0;
    for (;;) {
        int kinds = in->state & STARTED ? 1 : 0; /* a start-up packet is of no kind */
        if (at + (kinds ? 5 : 8) > in->have)
            return (ssize_t)at;
        size_t size = number(in->bytes + at + kinds) + (size_t)kinds;
        if (size > INPUT)
            return -1;
        if (at + size > in->have)
            return (ssize_t)at;
        int refused = 0;
        if (kinds) {
            refused = react(fd, in, in->bytes[at], received);
        } else if (number(in->bytes + at + 4) == NO_TLS || number(in->bytes + at + 4) == NO_GSS) {
            refused = put(fd, "N", 1);
        } else {
            in->state = STARTED;
            refused = put(fd, started.at, started.size);
        }
        if (refused)
            return -1;
        at += size;
    }
}

static ssize_t give(int fd, struct input *in, const struct pending *first, size_t count, int64_t now)
{
    (void)in, (void)now, (void)count;
    const struct bytes *answer = first->id ? &parsed_found : &found;
    return put(fd, answer->at, answer->size) ? -1 : 1;
}

/* A vector engine reduced to its timing (stall.h), with a protocol of its own.
 *
 * Request: u64 token. Answer: u64 token, i64 received_ns, i64 answered_ns.
 */
#include "stall.h"

struct answer { uint64_t token; int64_t received, answered; };

static int configure(int count, char **arguments)
{
    (void)arguments;
    return count ? 2 : 0;
}

static ssize_t take(int fd, struct input *in, int64_t received)
{
    size_t at = 0;
    for (; at + 8 <= in->have; at += 8) {
        uint64_t token;
        memcpy(&token, in->bytes + at, 8);
        enqueue(fd, token, received);
    }
    return (ssize_t)at;
}

static ssize_t give(int fd, struct input *in, const struct pending *first, size_t count, int64_t now)
{
    static struct answer answers[MOST_AT_ONCE];
    (void)in;
    for (size_t i = 0; i < count; i++)
        answers[i] = (struct answer){first[i].id, first[i].received, now};
    return put(fd, answers, count * sizeof *answers) ? -1 : (ssize_t)count;
}

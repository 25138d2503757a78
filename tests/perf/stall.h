/* What the stalling servers share: every request is answered `service` after it arrived, except that nothing is
 * answered during a stall: a request that arrives in one is answered `service` after its end. Any number of
 * requests is in service at once.
 *
 * Stalls lie at fixed places of CLOCK_MONOTONIC (the last `stall` of each `period`), so that a client on
 * the same machine can compute the true latency of each request of its schedule.
 *
 * Arguments: SERVICE_NS PERIOD_NS STALL_NS, then the protocol's own. Prints the loopback TCP port it listens on, spins
 * on one core, ends when its standard input does. A program that includes this defines the protocol: `configure`,
 * `take` and `give`.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { QUEUE = 1 << 16, EVENTS = 64, MAX_FD = 4096, INPUT = 1 << 15, MOST_AT_ONCE = 512 };

struct pending { int fd; uint64_t id; int64_t received, due; };
struct input { size_t have; int state; int64_t room; unsigned char bytes[INPUT]; }; /* of one connection */

static struct pending queue[QUEUE]; /* ordered by `due`: it never decreases from one arrival to the next */
static size_t head, tail;
static struct input partial[MAX_FD];
static int64_t service, period, stall;

/* Reads the protocol's arguments; 0, or the exit status. */
static int configure(int count, char **arguments);
/* Takes what is whole in the bytes of a connection, and enqueues requests; how many bytes it has taken, -1 to hang up. */
static ssize_t take(int fd, struct input *in, int64_t received);
/* Answers requests of one connection, the oldest first; how many it has answered, -1 to hang up. */
static ssize_t give(int fd, struct input *in, const struct pending *first, size_t count, int64_t now);

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int64_t due_ns(int64_t arrival)
{
    int64_t phase = arrival % period;
    return (phase >= period - stall ? arrival - phase + period : arrival) + service;
}

static void enqueue(int fd, uint64_t id, int64_t received)
{
    if (tail - head == QUEUE) {
        fprintf(stderr, "more than %d requests in service\n", QUEUE);
        exit(1);
    }
    queue[tail++ % QUEUE] = (struct pending){fd, id, received, due_ns(received)};
}

/* Sends all of it; 0, or -1 where that fails. */
static int put(int fd, const void *bytes, size_t size)
{
    return send(fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1;
}

static void hang_up(int fd)
{
    for (size_t i = head; i != tail; i++)
        if (queue[i % QUEUE].fd == fd)
            queue[i % QUEUE].fd = -1;
    close(fd);
}

static void receive(int fd)
{
    struct input *in = &partial[fd];
    ssize_t got = read(fd, in->bytes + in->have, INPUT - in->have);
    if (got < 0 && errno == EAGAIN)
        return;
    in->have += got > 0 ? (size_t)got : 0;
    ssize_t taken = got > 0 ? take(fd, in, now_ns()) : -1;
    if (taken < 0) {
        hang_up(fd);
        return;
    }
    in->have -= (size_t)taken;
    memmove(in->bytes, in->bytes + taken, in->have);
}

/* Answers everything due; neighbours in the queue that share a connection may share a write. */
static void answer_due(void)
{
    static struct pending batch[MOST_AT_ONCE];
    int64_t now = now_ns();
    while (head != tail && queue[head % QUEUE].due <= now) {
        int fd = queue[head % QUEUE].fd;
        size_t count = 0;
        for (size_t i = head; i != tail && count < MOST_AT_ONCE; i++, count++) {
            struct pending *next = &queue[i % QUEUE];
            if (next->fd != fd || next->due > now)
                break;
            batch[count] = *next;
        }
        ssize_t given = fd < 0 ? (ssize_t)count : give(fd, &partial[fd], batch, count, now);
        if (given == 0)
            return; /* the client takes no more for now */
        head += given < 0 ? count : (size_t)given;
        if (given < 0)
            hang_up(fd);
    }
}

static void welcome(int epoll, int listener)
{
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (fd >= MAX_FD) {
        close(fd);
        return;
    }
    partial[fd].have = 0, partial[fd].state = 0, partial[fd].room = 65535;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    service = atoll(argv[1]), period = atoll(argv[2]), stall = atoll(argv[3]);
    int refused = configure(argc - 4, argv + 4);
    if (refused)
        return refused;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1024)
        || getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("stalling server");
        return 1;
    }
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &(struct epoll_event){.events = EPOLLIN | EPOLLHUP, .data.fd = 0});
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, 0);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == 0)
                return 0;
            if (events[i].data.fd == listener)
                welcome(epoll, listener);
            else
                receive(events[i].data.fd);
        }
        answer_due();
    }
}

/* A run of bytes given in hexadecimal. */
struct bytes { size_t size; unsigned char *at; };

__attribute__((unused)) static struct bytes from_hex(const char *text)
{
    struct bytes found = {strlen(text) / 2, malloc(strlen(text) / 2 + 1)};
    for (size_t i = 0; i < found.size; i++)
        sscanf(text + 2 * i, "%2hhx", &found.at[i]);
    return found;
}

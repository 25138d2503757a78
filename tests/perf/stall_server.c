/* A vector engine reduced to its timing: every request is answered 1 ms after it arrived, except that
 * nothing is answered during a stall: a request that arrives in one is answered 1 ms after its end.
 * Any number of requests is in service at once.
 *
 * Stalls lie at fixed places of CLOCK_MONOTONIC (the last `stall` of each `period`), so that a client on
 * the same machine can compute the true latency of each request of its schedule.
 *
 * Usage: stall_server SERVICE_NS PERIOD_NS STALL_NS; prints the loopback TCP port it listens on, spins on
 * one core, ends when its standard input does.
 * Request: u64 token. Answer: u64 token, i64 received_ns, i64 answered_ns.
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

enum { QUEUE = 1 << 16, READ = 512, EVENTS = 64, MAX_FD = 4096 };

struct pending { int fd; uint64_t token; int64_t received, due; };
struct answer { uint64_t token; int64_t received, answered; };
struct input { size_t have; char bytes[8]; };

static struct pending queue[QUEUE]; /* ordered by `due`: it never decreases from one arrival to the next */
static size_t head, tail;
static struct input partial[MAX_FD];
static int64_t service, period, stall;

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

static void enqueue(int fd, uint64_t token, int64_t received)
{
    if (tail - head == QUEUE) {
        fprintf(stderr, "stall_server: more than %d requests in service\n", QUEUE);
        exit(1);
    }
    queue[tail++ % QUEUE] = (struct pending){fd, token, received, due_ns(received)};
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
    char buffer[READ * 8];
    struct input *in = &partial[fd];
    memcpy(buffer, in->bytes, in->have);
    ssize_t got = read(fd, buffer + in->have, sizeof buffer - in->have);
    if (got <= 0) {
        if (got < 0 && errno == EAGAIN)
            return;
        hang_up(fd);
        return;
    }
    int64_t received = now_ns();
    size_t have = in->have + (size_t)got, at = 0;
    for (; at + 8 <= have; at += 8) {
        uint64_t token;
        memcpy(&token, buffer + at, 8);
        enqueue(fd, token, received);
    }
    in->have = have - at;
    memcpy(in->bytes, buffer + at, in->have);
}

/* Answers everything due; neighbours in the queue that share a connection share a write. */
static void answer_due(void)
{
    static struct answer batch[READ];
    int64_t now = now_ns();
    while (head != tail && queue[head % QUEUE].due <= now) {
        int fd = queue[head % QUEUE].fd;
        size_t count = 0;
        for (; head != tail && count < READ; head++, count++) {
            struct pending *next = &queue[head % QUEUE];
            if (next->fd != fd || next->due > now)
                break;
            batch[count] = (struct answer){next->token, next->received, now};
        }
        if (fd >= 0 && send(fd, batch, count * sizeof *batch, MSG_NOSIGNAL) != (ssize_t)(count * sizeof *batch))
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
    partial[fd].have = 0;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    service = atoll(argv[1]), period = atoll(argv[2]), stall = atoll(argv[3]);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1024)
        || getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("stall_server");
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

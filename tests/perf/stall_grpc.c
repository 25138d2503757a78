/* A gRPC server reduced to its timing (stall.h): whatever is called, the answer is the message given in hexadecimal.
 *
 * Of HTTP/2 it knows what a client needs that sends one message a call: frames are taken apart, headers are not read.
 */
#include "stall.h"

enum { DATA, HEADERS, SETTINGS = 4, PING = 6, WINDOW_UPDATE = 8, FRAME = 9, PREFACE = 24, SENT = 1 << 17 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };

static const unsigned char response[] = "\x88\x0f\x10\x10" "application/grpc"; /* :status 200, content-type */
static const unsigned char trailer[] = "\x00\x0b" "grpc-status\x01" "0";
static struct bytes message;

static int configure(int count, char **arguments)
{
    if (count != 1)
        return 2;
    message = from_hex(arguments[0]);
    return 0;
}

static uint32_t number(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static unsigned char *frame(unsigned char *to, int kind, int flags, uint32_t stream, const void *body, size_t size)
{
    unsigned char start[FRAME] = {
        (unsigned char)(size >> 16), (unsigned char)(size >> 8), (unsigned char)size,
        (unsigned char)kind, (unsigned char)flags,
        (unsigned char)(stream >> 24), (unsigned char)(stream >> 16), (unsigned char)(stream >> 8), (unsigned char)stream,
    };
    memcpy(to, start, FRAME);
    memcpy(to + FRAME, body, size);
    return to + FRAME + size;
}

/* Our settings are HTTP/2's own; requests may fill a window that no measurement uses up. */
static int greet(int fd)
{
    unsigned char sent[64], *end = frame(sent, SETTINGS, 0, 0, "", 0);
    end = frame(end, WINDOW_UPDATE, 0, 0, "\x7f\x00\x00\x00", 4);
    return put(fd, sent, (size_t)(end - sent));
}

static ssize_t take(int fd, struct input *in, int64_t received)
{
    size_t at = 0;
    if (in->state == 0) {
        if (in->have < PREFACE)
            return 0;
        at = PREFACE, in->state = 1;
        if (greet(fd))
            return -1;
    }
    while (at + FRAME <= in->have) {
        unsigned char *start = in->bytes + at, *body = start + FRAME, sent[FRAME + 8];
        size_t size = number(start) >> 8;
        int kind = start[3], flags = start[4];
        uint32_t stream = number(start + 5);
        if (size > INPUT - FRAME)
            return -1;
        if (at + FRAME + size > in->have)
            break;
        if (kind == DATA && flags & END_STREAM)
            enqueue(fd, stream, received);
        if (kind == WINDOW_UPDATE && stream == 0)
            in->room += number(body);
        if ((kind == SETTINGS || kind == PING) && !(flags & ACK)) {
            unsigned char *end = frame(sent, kind, ACK, 0, body, kind == PING ? 8 : 0);
            if (put(fd, sent, (size_t)(end - sent)))
                return -1;
        }
        at += FRAME + size;
    }
    return (ssize_t)at;
}

static ssize_t give(int fd, struct input *in, const struct pending *first, size_t count, int64_t now)
{
    static unsigned char sent[SENT], body[SENT];
    unsigned char *end = sent;
    size_t size = 5 + message.size, given = 0;
    (void)now;
    body[4] = (unsigned char)message.size, body[3] = (unsigned char)(message.size >> 8);
    memcpy(body + 5, message.at, message.size);
    for (; given < count && in->room >= (int64_t)size; given++, in->room -= (int64_t)size) {
        uint32_t stream = (uint32_t)first[given].id;
        if ((size_t)(sent + SENT - end) < 4 * FRAME + sizeof response + size + sizeof trailer)
            break;
        end = frame(end, HEADERS, END_HEADERS, stream, response, sizeof response - 1);
        end = frame(end, DATA, 0, stream, body, size);
        end = frame(end, HEADERS, END_HEADERS | END_STREAM, stream, trailer, sizeof trailer - 1);
    }
    return put(fd, sent, (size_t)(end - sent)) ? -1 : (ssize_t)given;
}

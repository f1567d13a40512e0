/*
 * Puts a name server some way off: passes UDP on, and gives each answer back after a while.
 *
 *   delay PORT UPSTREAM-PORT MILLISECONDS       both ports on 127.0.0.1
 */
#define _GNU_SOURCE
#include "measure.h"
#include <poll.h>

#define HELD 4096

/* A query by the id under which it was passed on. */
static struct {
    union address from;
    uint16_t id;
} queries[65536];

static struct {
    uint64_t due;
    uint16_t query;
    uint16_t length;
    unsigned char bytes[1500];
} held[HELD];

static union address at_port(const char *port)
{
    return (union address){.inet = {.sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)atoi(port)),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: delay PORT UPSTREAM-PORT MILLISECONDS\n", stderr);
        return 64;
    }
    union address own = at_port(argv[1]), upstream = at_port(argv[2]);
    uint64_t delay = (uint64_t)(atof(argv[3]) * 1e6);
    int near = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), far = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (bind(near, &own.any, sizeof own.inet) != 0) die("bind");
    if (connect(far, &upstream.any, sizeof upstream.inet) != 0) die("connect");
    unsigned first = 0, last = 0;
    uint16_t next = 0;
    struct pollfd sockets[2] = {{.fd = near, .events = POLLIN}, {.fd = far, .events = POLLIN}};
    for (;;) {
        uint64_t now = now_ns();
        for (; first != last && held[first % HELD].due <= now; first++) {
            unsigned i = first % HELD, query = held[i].query;
            memcpy(held[i].bytes, &queries[query].id, 2);
            sendto(near, held[i].bytes, held[i].length, 0, &queries[query].from.any, sizeof own.inet);
        }
        struct timespec wait = {1, 0};
        if (first != last) wait = (struct timespec){0, (long)(held[first % HELD].due - now)};
        if (ppoll(sockets, 2, &wait, NULL) <= 0) continue;
        for (;;) {
            unsigned char bytes[1500];
            union address from;
            socklen_t size = sizeof from;
            ssize_t n = recvfrom(near, bytes, sizeof bytes, 0, &from.any, &size);
            if (n < 12) break;
            queries[next].from = from;
            memcpy(&queries[next].id, bytes, 2);
            memcpy(bytes, &next, 2);
            next++;
            send(far, bytes, (size_t)n, 0);
        }
        while (last - first < HELD) {
            unsigned i = last % HELD;
            ssize_t n = recv(far, held[i].bytes, sizeof held[i].bytes, 0);
            if (n < 12) break;
            memcpy(&held[i].query, held[i].bytes, 2);
            held[i].length = (uint16_t)n;
            held[i].due = now_ns() + delay;
            last++;
        }
    }
}

/*
 * The floor: the cost of a milter that decides nothing. One thread, epoll, canned answers; it only wants
 * CONNECT and HELO.
 *
 *   floor SOCKET [-c]
 *
 *   -c  leave CONNECT unanswered
 */
#define _GNU_SOURCE
#include "measure.h"
#include <sys/epoll.h>
#include <sys/stat.h>

/* The part received of an incomplete packet; one for each descriptor. */
struct peer {
    uint32_t length;
    unsigned char bytes[1020];
};

static int epoll, no_connect_reply;
static struct peer *peers[65536];

/* 0 if the connection is over. */
static int serve(int fd, struct peer *peer)
{
    unsigned char out[256];
    size_t out_length = 0;
    ssize_t n = recv(fd, peer->bytes + peer->length, sizeof peer->bytes - peer->length, 0);
    if (n < 0 && errno == EAGAIN) return 1;
    if (n <= 0) return 0;
    peer->length += (uint32_t)n;
    uint32_t at = 0;
    while (peer->length - at >= 5) {
        uint32_t length;
        memcpy(&length, peer->bytes + at, 4);
        length = ntohl(length);
        if (length == 0 || length > sizeof peer->bytes - 4) return 0;
        if (peer->length - at < 4 + length) break;
        switch (peer->bytes[at + 4]) {
        case 'O':
            /* All but CONNECT and HELO declined: NOMAIL NORCPT NOBODY NOHDRS NOEOH NOUNKNOWN NODATA. */
            memcpy(out + out_length, "\0\0\0\15O\0\0\0\6\0\0\0\0\0\0\003\174", 17);
            if (no_connect_reply) out[out_length + 15] |= 0x10;
            out_length += 17;
            break;
        case 'C':
            if (no_connect_reply) break;
            /* fall through */
        case 'H':
        case 'E':
            memcpy(out + out_length, "\0\0\0\1c", 5);
            out_length += 5;
            break;
        case 'Q':
            return 0;
        default:
            break;
        }
        at += 4 + length;
        if (out_length > sizeof out - 32) return 0;
    }
    memmove(peer->bytes, peer->bytes + at, peer->length - at);
    peer->length -= at;
    return out_length == 0 || send(fd, out, out_length, MSG_NOSIGNAL) == (ssize_t)out_length;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: floor SOCKET [-c]\n", stderr);
        return 64;
    }
    no_connect_reply = argc > 2 && strcmp(argv[2], "-c") == 0;
    union address address;
    socklen_t length = parse_socket(argv[1], &address);
    allow_many_files();
    int listener = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    umask(0);
    if (bind(listener, &address.any, length) != 0) die("bind");
    if (listen(listener, 1024) != 0) die("listen");
    epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (peer < 0) continue;
                if (peer >= 65536) {
                    close(peer);
                    continue;
                }
                if (peers[peer] == NULL) peers[peer] = malloc(sizeof(struct peer));
                peers[peer]->length = 0;
                epoll_ctl(epoll, EPOLL_CTL_ADD, peer, &(struct epoll_event){.events = EPOLLIN, .data.fd = peer});
            } else if (!serve(fd, peers[fd])) close(fd);
        }
    }
}

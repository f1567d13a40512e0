/*
 * Load for an MTA: SMTP clients, each from its own address, that say EHLO and QUIT or send a message. Prints
 * one line of JSON.
 *
 *   smtp-load -s inet:ADDRESS:PORT [-k ehlo|mail] [-n SESSIONS] [-c OPEN] [-a CLIENTS] [-q SPOOL] [-p PID]...
 *
 *   -a  number of clients: client I, from 1, comes from 198.51.100.I and says EHLO mxI.sender.org
 *   -q  Postfix's queue directory: what is delivered after the last reply counts too
 *   -p  add up the CPU and the memory of this process and all its descendants
 */
#define _GNU_SOURCE
#include "measure.h"
#include <poll.h>
#include <sys/epoll.h>

enum { GREETING, EHLO, MAIL, RCPT, DATA, TEXT, QUIT };

struct session {
    int fd, stage, client;
    uint64_t begun, asked;
    size_t in_length;
    char in[4096];
};

static union address server;
static int epoll, mail, clients = 100;
static const char *const STAGES[] = {"greeting", "EHLO", "MAIL", "RCPT", "DATA", "text", "QUIT"};
static long total = 1000, started, ended, errors, replies, stalls[QUIT + 1];
static struct samples greeting_times, ehlo_times, reply_times, text_times, session_times;
static char text[4096];

static void write_text(void)
{
    char *p = text;
    for (int i = 0; i < 8; i++) p += sprintf(p, "X-Header-%d: a value of some length, as header fields have them\r\n", i);
    p += sprintf(p, "From: <sender@sender.org>\r\nTo: <user@dest.test>\r\nSubject: load\r\n\r\n");
    for (int i = 0; i < 26; i++) p += sprintf(p, "%078d\r\n", i);
    sprintf(p, ".\r\n");
}

static void say(struct session *s, const char *line)
{
    s->asked = now_ns();
    for (size_t left = strlen(line); left > 0;) {
        ssize_t n = send(s->fd, line, left, MSG_NOSIGNAL);
        if (n > 0) line += n, left -= (size_t)n;
        else if (n < 0 && errno == EAGAIN) poll(&(struct pollfd){.fd = s->fd, .events = POLLOUT}, 1, 1000);
        else return; /* The peer is gone; reading will say so. */
    }
}

static void finish(struct session *s, int good)
{
    close(s->fd);
    s->fd = -1;
    ended++;
    if (good) sample(&session_times, now_ns() - s->begun);
    else errors++;
}

static void answered(struct session *s, const char *line)
{
    uint64_t took = now_ns() - s->asked;
    if (line[0] > '3') {
        fprintf(stderr, "stage %d: %.60s\n", s->stage, line);
        finish(s, 0);
        return;
    }
    if (s->stage == GREETING) sample(&greeting_times, took);
    else {
        sample(&reply_times, took);
        replies++;
        if (took > STALL) stalls[s->stage]++;
        if (s->stage == EHLO) sample(&ehlo_times, took);
        if (s->stage == TEXT) sample(&text_times, took);
    }
    if (s->stage == QUIT) {
        finish(s, 1);
        return;
    }
    s->stage = s->stage == EHLO && !mail ? QUIT : s->stage + 1;
    char command[128];
    switch (s->stage) {
    case EHLO:
        snprintf(command, sizeof command, "EHLO mx%d.sender.org\r\n", s->client);
        say(s, command);
        break;
    case MAIL:
        say(s, "MAIL FROM:<sender@sender.org>\r\n");
        break;
    case RCPT:
        say(s, "RCPT TO:<user@dest.test>\r\n");
        break;
    case DATA:
        say(s, "DATA\r\n");
        break;
    case TEXT:
        say(s, text);
        break;
    default:
        say(s, "QUIT\r\n");
    }
}

static void receive(struct session *s)
{
    ssize_t n = recv(s->fd, s->in + s->in_length, sizeof s->in - 1 - s->in_length, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
        fprintf(stderr, "stage %d: the server closed\n", s->stage);
        finish(s, 0);
        return;
    }
    s->in_length += (size_t)n;
    s->in[s->in_length] = 0;
    char *line = s->in, *end;
    while (s->fd >= 0 && (end = strstr(line, "\r\n")) != NULL) {
        if (end - line >= 4 && line[3] == ' ') answered(s, line);
        line = end + 2;
    }
    s->in_length = (size_t)(s->in + s->in_length - line);
    memmove(s->in, line, s->in_length);
}

static void begin(struct session *s)
{
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0) die("socket");
    s->client = 1 + (int)(started % clients);
    union address from = {.inet = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(198u << 24 | 51 << 16 | 100 << 8 | (uint32_t)s->client)}};
    setsockopt(s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    if (bind(s->fd, &from.any, sizeof from.inet) != 0) die("bind to 198.51.100.0/24, see test/mta/own-network");
    s->stage = GREETING;
    s->in_length = 0;
    s->begun = s->asked = now_ns();
    started++;
    if (connect(s->fd, &server.any, sizeof server.inet) != 0 && errno != EINPROGRESS) die("connect");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &event) != 0) die("epoll_ctl");
}

/* Whether Postfix has delivered everything. */
static int delivered(const char *spool)
{
    static const char *const queues[] = {"incoming", "active"};
    for (int i = 0; i < 2; i++) {
        char path[300];
        snprintf(path, sizeof path, "%s/%s", spool, queues[i]);
        DIR *queue = opendir(path);
        if (queue == NULL) die(path);
        int files = 0;
        for (struct dirent *each; (each = readdir(queue)) != NULL;) files += each->d_name[0] != '.';
        closedir(queue);
        if (files > 0) return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    struct watched watched = {0};
    const char *to = NULL, *spool = NULL;
    long open_at_most = 10;
    for (int option; (option = getopt(argc, argv, "s:k:n:c:a:q:p:")) != -1;) {
        if (option == 's') to = optarg;
        else if (option == 'k') mail = strcmp(optarg, "mail") == 0;
        else if (option == 'n') total = atol(optarg);
        else if (option == 'c') open_at_most = atol(optarg);
        else if (option == 'a') clients = atoi(optarg);
        else if (option == 'q') spool = optarg;
        else if (option == 'p') watch(&watched, optarg);
        else to = NULL, optind = argc;
    }
    if (to == NULL || total < 1 || open_at_most < 1 || clients < 1 || clients > 254) {
        fputs("usage: smtp-load -s inet:ADDRESS:PORT [-k ehlo|mail] [-n SESSIONS] [-c OPEN] [-a CLIENTS] [-q SPOOL]\n"
              "                 [-p PID]...\n",
              stderr);
        return 64;
    }
    parse_socket(to, &server);
    write_text();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct session *sessions = calloc((size_t)open_at_most, sizeof *sessions);
    if (sessions == NULL) die("calloc");
    for (long i = 0; i < open_at_most; i++) sessions[i].fd = -1;

    watch_start(&watched);
    uint64_t begun = now_ns();
    for (long i = 0; i < open_at_most && started < total; i++) begin(&sessions[i]);
    while (ended < total) {
        struct epoll_event events[64];
        int count = epoll_wait(epoll, events, 64, 60000);
        if (count == 0) {
            fprintf(stderr, "%ld sessions get no answer\n", started - ended);
            return 1;
        }
        for (int i = 0; i < count; i++) {
            struct session *s = events[i].data.ptr;
            receive(s);
            if (s->fd < 0 && started < total) begin(s);
        }
    }
    double seconds = (double)(now_ns() - begun) / 1e9;
    for (int i = 0; spool != NULL && !delivered(spool) && i < 3000; i++) usleep(10000);
    usleep(50000);
    printf("{\"sessions\":%ld,\"errors\":%ld,\"seconds\":%.4f,\"rate\":%.1f,\"replies\":%ld,\"stalls\":{", total, errors,
           seconds, (double)total / seconds, replies);
    for (int i = EHLO; i <= QUIT; i++) printf("%s\"%s\":%ld", i > EHLO ? "," : "", STAGES[i], stalls[i]);
    printf("}");
    print_samples("greeting", &greeting_times);
    print_samples("ehlo", &ehlo_times);
    print_samples("reply", &reply_times);
    print_samples("text", &text_times);
    print_samples("session", &session_times);
    print_watched(&watched, (double)total);
    printf("}\n");
    return errors > 0;
}

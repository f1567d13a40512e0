/*
 * Load for a milter: plays Postfix's side of the milter protocol, version 6, at full speed or at a given
 * rate, and prints one line of JSON.
 *
 *   load -s SOCKET [-k KIND] [-n SESSIONS] [-c OPEN] [-r RATE] [-w HITS] [-H HOT] [-f FIRST] [-p PID]... [-i]
 *
 *   -s  inet:ADDRESS:PORT or unix:/PATH
 *   -k  how far a session goes: helo (CONNECT, HELO, QUIT), sender (MAIL too), recipient (RCPT too),
 *       mail (a message)
 *   -n  sessions in all; -c the most that are open at once
 *   -r  start this many a second, whatever the answers (open loop); without it a session starts when another
 *       ends
 *   -w  share of sessions from the hot clients, 0 to 1; the others come from addresses never seen before
 *   -H  number of hot clients; -f number of the first fresh one
 *   -p  add up the CPU and the memory of this process and all its descendants
 *   -i  stop after HELO and hold the sessions open: prints {"ready":N}, ends when its input does
 *
 * Client I has the address 11.(I mod 256).(I / 256).1, as strangers are not neighbours, and says HELO
 * mxI.hI.org. As in Postfix, a session negotiates first, does not send events that were declined, does
 * not wait for answers that will not come, keeps packets that need no answer until the next that does,
 * sends macros and command in one write, and says no more about a message once it is accepted or refused.
 */
#define _GNU_SOURCE
#include "measure.h"
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

enum { OPTNEG, CONNECT, HELO, MAIL, RCPT, DATA, HEADER, EOH = HEADER + 8, BODY, EOM, QUIT, STAGES };

/* The bits that decline an event, and those that leave its answer out (SMFIP_NO*, SMFIP_NR_*). */
static const uint32_t NO[STAGES] = {
    [CONNECT] = 0x1, [HELO] = 0x2, [MAIL] = 0x4, [RCPT] = 0x8, [DATA] = 0x200, [EOH] = 0x40, [BODY] = 0x10};
static const uint32_t NR[STAGES] = {[CONNECT] = 0x1000, [HELO] = 0x2000,  [MAIL] = 0x4000, [RCPT] = 0x8000,
                                    [DATA] = 0x10000,   [EOH] = 0x40000, [BODY] = 0x80000};
#define NO_HEADERS 0x20
#define NR_HEADERS 0x80

struct session {
    int fd, stage;
    uint32_t protocol, client;
    uint64_t due, asked, greeted;
    size_t out_length, in_length;
    unsigned char out[4096], in[1024];
};

static union address server;
static socklen_t server_length;
static int epoll, last_stage = HELO, hold;
static long total = 4000, started, ended, held, errors, replies, stalls;
static double hits = 1;
static uint32_t hot = 1000, fresh = 1000;
static struct samples reply_times, helo_times, verdict_times, session_times;
static char body[2048];

static void put(struct session *s, char command, const void *data, size_t length)
{
    unsigned char *p = s->out + s->out_length;
    uint32_t size = htonl((uint32_t)length + 1);
    memcpy(p, &size, 4);
    p[4] = (unsigned char)command;
    memcpy(p + 5, data, length);
    s->out_length += 5 + length;
}

/* A packet of strings, each with its NUL; the list ends with NULL. */
static size_t strings(char *to, const char *const *list)
{
    char *p = to;
    for (; *list != NULL; list++) p = stpcpy(p, *list) + 1;
    return (size_t)(p - to);
}

static void put_macros(struct session *s, char stage, const char *const *list)
{
    char data[512] = {stage};
    put(s, 'D', data, 1 + strings(data + 1, list));
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void put_stage(struct session *s, int stage)
{
    char data[256], address[16], name[32];
    uint32_t n = s->client;
    snprintf(address, sizeof address, "11.%u.%u.%u", n & 255, n >> 8 & 255, (n >> 16 & 255) + 1);
    snprintf(name, sizeof name, "mx%u.h%u.org", n, n);
    switch (stage) {
    case OPTNEG:
        put(s, 'O', "\0\0\0\6\0\0\1\377\0\37\377\377", 12);
        return;
    case CONNECT: {
        put_macros(s, 'C', LIST("j", "mx.example.net", "{daemon_name}", "mx.example.net", "{daemon_addr}", "192.0.2.1",
                                "v", "Postfix 3.7.11"));
        size_t length = strings(data, LIST(name));
        memcpy(data + length, "4\022\147", 3);
        length += 3;
        put(s, 'C', data, length + strings(data + length, LIST(address)));
        return;
    }
    case HELO:
        put_macros(s, 'H', LIST("{tls_version}", ""));
        put(s, 'H', data, strings(data, LIST(name)));
        return;
    case MAIL:
        put_macros(s, 'M', LIST("{mail_addr}", "sender@example.org", "{mail_host}", "example.org", "{mail_mailer}", "smtp"));
        put(s, 'M', data, strings(data, LIST("<sender@example.org>", "SIZE=2400")));
        return;
    case RCPT:
        put_macros(s, 'R', LIST("i", "4XyZ3c1Q9gz7", "{rcpt_addr}", "user@example.net", "{rcpt_host}", "example.net",
                                "{rcpt_mailer}", "relay"));
        put(s, 'R', data, strings(data, LIST("<user@example.net>")));
        return;
    case DATA:
        put_macros(s, 'T', LIST("i", "4XyZ3c1Q9gz7"));
        put(s, 'T', "", 0);
        return;
    case EOH:
        put(s, 'N', "", 0);
        return;
    case BODY:
        put(s, 'B', body, sizeof body);
        return;
    case EOM:
        put_macros(s, 'E', LIST("i", "4XyZ3c1Q9gz7"));
        put(s, 'E', "", 0);
        return;
    case QUIT:
        put(s, 'Q', "", 0);
        return;
    default:
        snprintf(name, sizeof name, "X-Header-%d", stage - HEADER);
        put(s, 'L', data, strings(data, LIST(name, "a value of some length, as header fields have them")));
    }
}

static int is_header(int stage)
{
    return stage >= HEADER && stage < EOH;
}

static void flush_out(struct session *s)
{
    for (size_t done = 0; done < s->out_length;) {
        ssize_t n = send(s->fd, s->out + done, s->out_length - done, MSG_NOSIGNAL);
        if (n > 0) done += (size_t)n;
        else if (n < 0 && errno == EAGAIN) poll(&(struct pollfd){.fd = s->fd, .events = POLLOUT}, 1, 1000);
        else break; /* The peer is gone; reading will say so. */
    }
    s->out_length = 0;
}

static void finish(struct session *s, int good)
{
    close(s->fd);
    s->fd = -1;
    ended++;
    if (good) sample(&session_times, now_ns() - s->due);
    else errors++;
}

/* Sends what comes next, up to the first packet that will be answered. */
static void advance(struct session *s)
{
    for (;;) {
        if (s->stage == last_stage) {
            if (last_stage >= MAIL) sample(&verdict_times, now_ns() - s->greeted);
            if (hold) {
                held++;
                return;
            }
            s->stage = QUIT;
        } else s->stage++;
        uint32_t no = is_header(s->stage) ? NO_HEADERS : NO[s->stage];
        if ((s->protocol & no) != 0) continue;
        put_stage(s, s->stage);
        if (s->stage == QUIT) {
            flush_out(s);
            finish(s, 1);
            return;
        }
        uint32_t nr = is_header(s->stage) ? NR_HEADERS : NR[s->stage];
        if ((s->protocol & nr) != 0) continue;
        s->asked = now_ns();
        if (s->stage == HELO) s->greeted = s->asked;
        flush_out(s);
        return;
    }
}

/* Reads one packet of the milter; 0 if it makes no sense. */
static int answered(struct session *s, const unsigned char *packet, uint32_t length)
{
    char command = (char)packet[0];
    if (s->stage == OPTNEG) {
        if (command != 'O' || length < 13) return 0;
        uint32_t protocol;
        memcpy(&protocol, packet + 9, 4);
        s->protocol = ntohl(protocol);
        advance(s);
        return 1;
    }
    /* Changes to the message come before the answer, and progress at any time. */
    if (s->stage == EOM && strchr("himq+-2eb", command) != NULL) return 1;
    if (command == 'p') return 1;
    if (strchr("cartyds", command) == NULL) return 0;
    uint64_t took = now_ns() - s->asked;
    sample(&reply_times, took);
    if (s->stage == HELO) sample(&helo_times, took);
    replies++;
    if (took > STALL) stalls++;
    if (command == 's') s->stage = BODY;
    else if (command != 'c') s->stage = last_stage;
    advance(s);
    return 1;
}

static void receive(struct session *s)
{
    ssize_t n = recv(s->fd, s->in + s->in_length, sizeof s->in - s->in_length, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
        finish(s, 0);
        return;
    }
    s->in_length += (size_t)n;
    size_t at = 0;
    while (s->fd >= 0 && s->in_length - at >= 5) {
        uint32_t length;
        memcpy(&length, s->in + at, 4);
        length = ntohl(length);
        if (length == 0 || length > sizeof s->in - 4) {
            finish(s, 0);
            return;
        }
        if (s->in_length - at < 4 + length) break;
        if (!answered(s, s->in + at + 4, length)) {
            fprintf(stderr, "stage %d is answered '%c'\n", s->stage, s->in[at + 4]);
            finish(s, 0);
            return;
        }
        at += 4 + length;
    }
    memmove(s->in, s->in + at, s->in_length - at);
    s->in_length -= at;
}

/* 0 if the server's queue of connections is full. */
static int begin(struct session *s, uint64_t due)
{
    s->fd = socket(server.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0) die("socket");
    if (server.any.sa_family == AF_INET && ntohl(server.inet.sin_addr.s_addr) >> 24 == 127) {
        /*
         * Each from another loopback address: one address would run out of ports while old connections
         * linger.
         */
        union address from = {.inet = {.sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(0x7f010001u + (uint32_t)started % 60000)}};
        setsockopt(s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
        if (bind(s->fd, &from.any, sizeof from.inet) != 0) die("bind");
    }
    if (connect(s->fd, &server.any, server_length) != 0 && errno != EINPROGRESS) {
        if (errno != EAGAIN) die("connect");
        close(s->fd);
        s->fd = -1;
        return 0;
    }
    if (server.any.sa_family == AF_INET) poll(&(struct pollfd){.fd = s->fd, .events = POLLOUT}, 1, 1000);
    s->client = drand48() < hits ? (uint32_t)(drand48() * hot) : fresh++;
    s->stage = OPTNEG;
    s->protocol = 0;
    s->out_length = s->in_length = 0;
    s->due = due;
    started++;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &event) != 0) die("epoll_ctl");
    put_stage(s, OPTNEG);
    flush_out(s);
    return 1;
}

static void usage(void)
{
    fputs("usage: load -s SOCKET [-k helo|sender|recipient|mail] [-n SESSIONS] [-c OPEN] [-r RATE] [-w HITS] [-H HOT]\n"
          "            [-f FIRST] [-p PID]... [-i]\n",
          stderr);
    exit(64);
}

static int stage_of(const char *kind)
{
    if (strcmp(kind, "helo") == 0) return HELO;
    if (strcmp(kind, "sender") == 0) return MAIL;
    if (strcmp(kind, "recipient") == 0) return RCPT;
    if (strcmp(kind, "mail") == 0) return EOM;
    usage();
    return 0;
}

int main(int argc, char **argv)
{
    struct watched watched = {0};
    long open_at_most = 16;
    double rate = 0;
    const char *to = NULL;
    for (int option; (option = getopt(argc, argv, "s:k:n:c:r:w:H:f:p:i")) != -1;) {
        if (option == 's') to = optarg;
        else if (option == 'k') last_stage = stage_of(optarg);
        else if (option == 'n') total = atol(optarg);
        else if (option == 'c') open_at_most = atol(optarg);
        else if (option == 'r') rate = atof(optarg);
        else if (option == 'w') hits = atof(optarg);
        else if (option == 'H') hot = fresh = (uint32_t)atol(optarg);
        else if (option == 'f') fresh = (uint32_t)atol(optarg);
        else if (option == 'p') watch(&watched, optarg);
        else if (option == 'i') hold = 1;
        else usage();
    }
    if (to == NULL || total < 1 || open_at_most < 1) usage();
    server_length = parse_socket(to, &server);
    allow_many_files();
    memset(body, 'x', sizeof body);
    for (size_t i = 78; i < sizeof body; i += 80) memcpy(body + i, "\r\n", 2);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &(struct epoll_event){.events = EPOLLIN, .data.ptr = NULL});
    long slots = hold ? total : open_at_most;
    struct session *sessions = calloc((size_t)slots, sizeof *sessions);
    long *free_slots = calloc((size_t)slots, sizeof *free_slots), free_count = slots;
    if (sessions == NULL || free_slots == NULL) die("calloc");
    for (long i = 0; i < slots; i++) free_slots[i] = slots - 1 - i;

    watch_start(&watched);
    uint64_t begun = now_ns(), own = own_cpu_ns();
    while (ended + held < total) {
        uint64_t now = now_ns(), next = 0;
        while (started < total && free_count > 0 && started - ended - held < open_at_most) {
            uint64_t due = rate > 0 ? begun + (uint64_t)((double)started * 1e9 / rate) : now;
            if (due > now) {
                next = due;
                break;
            }
            if (!begin(&sessions[free_slots[free_count - 1]], due)) {
                next = now + 200000;
                break;
            }
            free_count--;
        }
        if (next > 0) {
            struct itimerspec at = {.it_value = {(time_t)(next / SECOND), (long)(next % SECOND)}};
            timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
        }
        struct epoll_event events[256];
        int count = epoll_wait(epoll, events, 256, 20000);
        if (count == 0) {
            fprintf(stderr, "%ld sessions get no answer\n", started - ended - held);
            return 1;
        }
        for (int i = 0; i < count; i++) {
            struct session *s = events[i].data.ptr;
            if (s == NULL) {
                uint64_t ticks;
                if (read(timer, &ticks, sizeof ticks) < 0 && errno != EAGAIN) die("read");
                continue;
            }
            receive(s);
            if (s->fd < 0) free_slots[free_count++] = s - sessions;
        }
    }
    double seconds = (double)(now_ns() - begun) / 1e9;
    own = own_cpu_ns() - own;
    /* The server may not have closed the last of them yet. */
    usleep(hold ? 1000000 : 50000);
    printf("{\"%s\":%ld,\"errors\":%ld,\"seconds\":%.4f,\"rate\":%.1f", hold ? "ready" : "sessions", total, errors, seconds,
           (double)total / seconds);
    printf(",\"replies\":%ld,\"stalls\":%ld,\"own\":%.2f", replies, stalls, (double)own / 1e3 / (double)total);
    print_samples("reply", &reply_times);
    print_samples("helo", &helo_times);
    print_samples("verdict", &verdict_times);
    print_samples("session", &session_times);
    print_watched(&watched, (double)total);
    printf("}\n");
    fflush(stdout);
    if (hold)
        while (getchar() != EOF) continue;
    return errors > 0;
}

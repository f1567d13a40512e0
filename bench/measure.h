/*
 * What the load generators share: the clock, percentiles, the address of a server, a ring of sessions over
 * epoll, and what the processes under test have used, according to /proc.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ull
/* A reply that takes longer than this in an unloaded run has waited for a delayed acknowledgement (40 ms). */
#define STALL (30 * 1000000ull)

static inline uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static inline void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- samples, in nanoseconds ---- */

struct samples {
    uint32_t *values;
    size_t count, room;
};

static inline void sample(struct samples *s, uint64_t ns)
{
    if (s->count == s->room) {
        s->room = s->room == 0 ? 4096 : s->room * 2;
        s->values = realloc(s->values, s->room * sizeof *s->values);
        if (s->values == NULL) die("realloc");
    }
    s->values[s->count++] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

static inline int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* "name":{"p50":…,"p99":…,"p999":…,"max":…} in microseconds; null for something that never happened. */
static inline void print_samples(const char *name, struct samples *s)
{
    if (s->count == 0) {
        printf(",\"%s\":null", name);
        return;
    }
    qsort(s->values, s->count, sizeof *s->values, by_value);
    printf(",\"%s\":{\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}", name, s->values[s->count / 2] / 1e3,
           s->values[s->count * 99 / 100] / 1e3, s->values[s->count * 999 / 1000] / 1e3,
           s->values[s->count - 1] / 1e3);
}

/* ---- the processes under test ---- */

/*
 * From /proc/PID/stat: the parent, and the time of children that have been waited for. 0 if there is no such
 * process.
 */
static inline int read_stat(int pid, int *parent, uint64_t *reaped_ns)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    if (f == NULL) return 0;
    line[fread(line, 1, sizeof line - 1, f)] = 0;
    fclose(f);
    const char *after_name = strrchr(line, ')');
    unsigned long user, system;
    if (after_name == NULL || sscanf(after_name + 1,
                                     " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %lu %lu",
                                     parent, &user, &system) != 3)
        return 0;
    *reaped_ns = (uint64_t)(user + system) * (SECOND / (uint64_t)sysconf(_SC_CLK_TCK));
    return 1;
}

static inline uint64_t pss_kib(int pid)
{
    char path[64], line[256];
    unsigned long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *f = fopen(path, "r");
    if (f == NULL) return 0;
    while (fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "Pss: %lu kB", &kib) == 1) break;
    fclose(f);
    return kib;
}

/*
 * Adds up a process and all its descendants. The clock of a process counts all its threads, ended ones too,
 * in nanoseconds; children that have ended are in the parent's count once it has waited for them, in ticks of
 * 10 ms.
 */
static inline void walk(int pid, uint64_t *cpu_ns, uint64_t *pss)
{
    int parent;
    uint64_t reaped;
    if (!read_stat(pid, &parent, &reaped)) return;
    clockid_t clock;
    struct timespec t;
    if (cpu_ns != NULL && clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &t) == 0)
        *cpu_ns += (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec + reaped;
    if (pss != NULL) *pss += pss_kib(pid);
    DIR *processes = opendir("/proc");
    if (processes == NULL) return;
    for (struct dirent *each; (each = readdir(processes)) != NULL;) {
        int child = atoi(each->d_name);
        if (child > 0 && read_stat(child, &parent, &reaped) && parent == pid) walk(child, cpu_ns, pss);
    }
    closedir(processes);
}

static inline uint64_t tree_cpu_ns(int pid)
{
    uint64_t sum = 0;
    walk(pid, &sum, NULL);
    return sum;
}

static inline uint64_t tree_pss_kib(int pid)
{
    uint64_t sum = 0;
    walk(pid, NULL, &sum);
    return sum;
}

static inline uint64_t own_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

#define MAX_PIDS 8

/* Processes whose trees are watched over a run. */
struct watched {
    int pids[MAX_PIDS];
    uint64_t before[MAX_PIDS];
    int count;
};

static inline void watch(struct watched *w, const char *pid)
{
    if (w->count < MAX_PIDS) w->pids[w->count++] = atoi(pid);
}

static inline void watch_start(struct watched *w)
{
    for (int i = 0; i < w->count; i++) w->before[i] = tree_cpu_ns(w->pids[i]);
}

/* "cpu":[µs for each of `units`, by process given] and "pss":[KiB]. */
static inline void print_watched(struct watched *w, double units)
{
    printf(",\"cpu\":[");
    for (int i = 0; i < w->count; i++)
        printf("%s%.2f", i > 0 ? "," : "", (double)(tree_cpu_ns(w->pids[i]) - w->before[i]) / 1e3 / units);
    printf("],\"pss\":[");
    for (int i = 0; i < w->count; i++) printf("%s%llu", i > 0 ? "," : "", (unsigned long long)tree_pss_kib(w->pids[i]));
    printf("]");
}

/* ---- sockets ---- */

union address {
    struct sockaddr any;
    struct sockaddr_in inet;
    struct sockaddr_un path;
};

/* inet:ADDRESS:PORT or unix:/PATH, as Postfix spells them; IPv4 only. */
static inline socklen_t parse_socket(const char *text, union address *to)
{
    memset(to, 0, sizeof *to);
    if (strncmp(text, "unix:", 5) == 0) {
        to->path.sun_family = AF_UNIX;
        snprintf(to->path.sun_path, sizeof to->path.sun_path, "%s", text + 5);
        return sizeof to->path;
    }
    unsigned a, b, c, d, port;
    if (sscanf(text, "inet:%u.%u.%u.%u:%u", &a, &b, &c, &d, &port) != 5) {
        fprintf(stderr, "%s is neither inet:ADDRESS:PORT nor unix:/PATH\n", text);
        exit(64);
    }
    to->inet.sin_family = AF_INET;
    to->inet.sin_addr.s_addr = htonl(a << 24 | b << 16 | c << 8 | d);
    to->inet.sin_port = htons((uint16_t)port);
    return sizeof to->inet;
}

static inline void allow_many_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

#endif

/*
 * The peer: libmilter with callbacks that do nothing.
 *
 *   empty-milter SOCKET [-u helo|sender|recipient|mail] [-c]
 *
 *   SOCKET  inet:PORT@HOST or unix:/PATH, as libmilter spells them
 *   -u      the last event with a callback; by default all
 *   -c      leave CONNECT unanswered
 */
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static sfsistat on_connect(SMFICTX *c, char *name, _SOCK_ADDR *address)
{
    (void)c, (void)name, (void)address;
    return SMFIS_CONTINUE;
}

static sfsistat on_connect_silently(SMFICTX *c, char *name, _SOCK_ADDR *address)
{
    (void)c, (void)name, (void)address;
    return SMFIS_NOREPLY;
}

static sfsistat on_text(SMFICTX *c, char *text)
{
    (void)c, (void)text;
    return SMFIS_CONTINUE;
}

static sfsistat on_words(SMFICTX *c, char **words)
{
    (void)c, (void)words;
    return SMFIS_CONTINUE;
}

static sfsistat on_event(SMFICTX *c)
{
    (void)c;
    return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *c, char *name, char *value)
{
    (void)c, (void)name, (void)value;
    return SMFIS_CONTINUE;
}

static sfsistat on_body(SMFICTX *c, unsigned char *bytes, size_t length)
{
    (void)c, (void)bytes, (void)length;
    return SMFIS_CONTINUE;
}

static sfsistat on_unknown(SMFICTX *c, const char *line)
{
    (void)c, (void)line;
    return SMFIS_CONTINUE;
}

static unsigned long wanted;

/* libmilter looks at what is declined only if it is told here too. */
static sfsistat on_negotiate(SMFICTX *c, unsigned long actions, unsigned long protocol, unsigned long f2,
                             unsigned long f3, unsigned long *our_actions, unsigned long *our_protocol,
                             unsigned long *our_f2, unsigned long *our_f3)
{
    (void)c, (void)actions, (void)f2, (void)f3;
    *our_actions = 0;
    *our_protocol = wanted & protocol;
    *our_f2 = *our_f3 = 0;
    return SMFIS_CONTINUE;
}

static int usage(void)
{
    fputs("usage: empty-milter SOCKET [-u helo|sender|recipient|mail] [-c]\n", stderr);
    return 64;
}

int main(int argc, char **argv)
{
    enum { HELO = 1, SENDER, RECIPIENT, MAIL } last = MAIL;
    int silent = 0;
    for (int option; (option = getopt(argc, argv, "u:c")) != -1;) {
        if (option == 'c') silent = 1;
        else if (option != 'u') return usage();
        else if (strcmp(optarg, "helo") == 0) last = HELO;
        else if (strcmp(optarg, "sender") == 0) last = SENDER;
        else if (strcmp(optarg, "recipient") == 0) last = RECIPIENT;
        else if (strcmp(optarg, "mail") != 0) return usage();
    }
    if (optind + 1 != argc) return usage();
    struct smfiDesc filter = {.xxfi_name = "empty", .xxfi_version = SMFI_VERSION};
    filter.xxfi_connect = silent ? on_connect_silently : on_connect;
    filter.xxfi_helo = on_text;
    filter.xxfi_negotiate = on_negotiate;
    wanted = silent ? SMFIP_NR_CONN : 0;
    if (last >= SENDER) filter.xxfi_envfrom = on_words;
    else wanted |= SMFIP_NOMAIL;
    if (last >= RECIPIENT) filter.xxfi_envrcpt = on_words;
    else wanted |= SMFIP_NORCPT;
    if (last >= MAIL) {
        filter.xxfi_data = on_event;
        filter.xxfi_header = on_header;
        filter.xxfi_eoh = on_event;
        filter.xxfi_body = on_body;
        filter.xxfi_eom = on_event;
        filter.xxfi_abort = on_event;
        filter.xxfi_unknown = on_unknown;
    } else wanted |= SMFIP_NODATA | SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY | SMFIP_NOUNKNOWN;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    umask(0);
    if (smfi_register(filter) != MI_SUCCESS || smfi_setconn(argv[optind]) != MI_SUCCESS || smfi_opensocket(1) != MI_SUCCESS)
        return 1;
    return smfi_main() == MI_SUCCESS ? 0 : 1;
}

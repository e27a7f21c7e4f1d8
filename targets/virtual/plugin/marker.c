/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libtinyrig-marker.so: a QEMU plugin that counts every executed instruction exactly and reports
 * each store to the marker pin with that count and with virtual time.
 *
 *   -plugin libtinyrig-marker.so,fd=N[,set=ADDR,clear=ADDR]
 *
 * Lines written to descriptor N (see targets/virtual/edges.h):
 *   edge LEVEL VNS COUNT      a store to ADDR; with set == clear the level alternates
 *   time VNS COUNT            now and then
 *
 * Nothing depends on this plugin: without it, boards count by their own timers under -icount.
 *
 * Version 1 of the interface has no clock, so virtual time is read through functions of QEMU that
 * Debian's binary exports without promising to; where they are missing, VNS is "-".
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "targets/virtual/plugin/qemu_api.h"

#define EXPORTED      __attribute__((visibility("default")))
#define CLOCK_VIRTUAL 1 /* QEMU_CLOCK_VIRTUAL */
#define HEARTBEAT_MS  50

EXPORTED extern const int qemu_plugin_version;
EXPORTED int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv);

const int qemu_plugin_version = QEMU_API_VERSION;

static struct {
    int fd;
    bool has_marker;
    uint64_t set;
    uint64_t clear;
    bool high;
    uint64_t executed; /* instructions; TCG adds to it in line */
    struct {
        int64_t (*clock_ns)(int clock);
        int64_t (*icount_raw)(void);
        int64_t (*icount_to_ns)(int64_t icount);
        const int *use_icount;
    } qemu;               /* any of them may be NULL */
    pthread_mutex_t lock; /* one line at a time, in the order of their times */
    pthread_cond_t asked;
    pthread_cond_t answered;
    bool wants_offset; /* the cpu's thread waits for the helper to find `offset_ns` */
    int64_t offset_ns; /* virtual time less the time of the instructions executed */
    int64_t told_ns;   /* the latest time reported */
    bool over;
} marker = {.fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER, .answered = PTHREAD_COND_INITIALIZER};

enum clock_use {
    CLOCK_NONE,     /* do not touch it */
    CLOCK_DIRECT,   /* it may be read here */
    CLOCK_COMPUTED, /* offset_ns and the count say what it would be */
};

/*
 * Never back: the helper's clock has the instructions of the last synchronisation only, so right
 * after a computed time it may tell an earlier one, which listeners would take for a restart.
 */
static void format_time(char *text, size_t size, enum clock_use use)
{
    int64_t ns = -1;

    if (use == CLOCK_DIRECT && marker.qemu.clock_ns != NULL)
        ns = marker.qemu.clock_ns(CLOCK_VIRTUAL);
    else if (use == CLOCK_COMPUTED)
        ns = marker.offset_ns + marker.qemu.icount_to_ns((int64_t)marker.executed);
    if (ns >= 0)
        marker.told_ns = ns > marker.told_ns ? ns : marker.told_ns;
    if (ns >= 0)
        (void)snprintf(text, size, "%" PRId64, marker.told_ns);
    else
        (void)snprintf(text, size, "-");
}

/* Call with the lock held. level is -1 for a mere time. */
static void report(int level, enum clock_use use)
{
    char line[96];
    char time[24];
    int n;

    if (marker.over)
        return;
    format_time(time, sizeof(time), use);
    if (level >= 0)
        n = snprintf(line, sizeof(line), "edge %d %s %llu\n", level, time,
                     (unsigned long long)marker.executed);
    else
        n = snprintf(line, sizeof(line), "time %s %llu\n", time,
                     (unsigned long long)marker.executed);
    if (write(marker.fd, line, (size_t)n) != n)
        marker.over = true; /* the supervisor is gone, and we soon are */
}

/*
 * Under icount the cpu's own thread may read the clock only where QEMU is ready for a device
 * access, which a store to RAM is not: reading it there ends QEMU. Another thread may read it any
 * time, but sees the instructions of the last synchronisation, so it finds the offset only.
 */
static enum clock_use how_to_tell_time(uint32_t info, uint64_t address)
{
    const struct qemu_plugin_hwaddr *place = qemu_plugin_get_hwaddr(info, address);

    if (marker.qemu.use_icount == NULL || *marker.qemu.use_icount == 0)
        return CLOCK_DIRECT;
    if (place != NULL && qemu_plugin_hwaddr_is_io(place))
        return CLOCK_DIRECT;
    if (marker.qemu.clock_ns == NULL || marker.qemu.icount_raw == NULL ||
        marker.qemu.icount_to_ns == NULL)
        return CLOCK_NONE;
    marker.wants_offset = true;
    (void)pthread_cond_signal(&marker.asked);
    while (marker.wants_offset && !marker.over)
        (void)pthread_cond_wait(&marker.answered, &marker.lock);
    return CLOCK_COMPUTED;
}

static void stored(unsigned cpu, uint32_t info, uint64_t address, void *user)
{
    (void)cpu;
    (void)user;
    if (address != marker.set && address != marker.clear)
        return;
    (void)pthread_mutex_lock(&marker.lock);
    marker.high = marker.set == marker.clear ? !marker.high : address == marker.set;
    report(marker.high, how_to_tell_time(info, address));
    (void)pthread_mutex_unlock(&marker.lock);
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
    const size_t n = qemu_plugin_tb_n_insns(tb);

    (void)id;
    for (size_t i = 0; i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

        qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_OP_ADD_U64, &marker.executed, 1);
        if (marker.has_marker)
            qemu_plugin_register_vcpu_mem_cb(insn, stored, QEMU_NO_REGISTERS, QEMU_WRITE, NULL);
    }
}

/* The cpu's thread stands still meanwhile, so neither of the two moves. */
static void find_offset(void)
{
    const int64_t executed_ns = marker.qemu.icount_to_ns(marker.qemu.icount_raw());

    marker.offset_ns = marker.qemu.clock_ns(CLOCK_VIRTUAL) - executed_ns;
    marker.wants_offset = false;
    (void)pthread_cond_signal(&marker.answered);
}

static struct timespec in_ms(long ms)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/*
 * The helper thread. Now and then it tells how far virtual time has come, so that listeners know
 * that no edge is under way.
 */
static void *help(void *unused)
{
    struct timespec next = in_ms(HEARTBEAT_MS);

    (void)unused;
    (void)pthread_mutex_lock(&marker.lock);
    while (!marker.over) {
        if (marker.wants_offset) {
            find_offset();
        } else if (pthread_cond_timedwait(&marker.asked, &marker.lock, &next) != 0) {
            report(-1, CLOCK_DIRECT);
            next = in_ms(HEARTBEAT_MS);
        }
    }
    (void)pthread_cond_signal(&marker.answered);
    (void)pthread_mutex_unlock(&marker.lock);
    return NULL;
}

static void ends(uint64_t id, void *unused)
{
    (void)id;
    (void)unused;
    (void)pthread_mutex_lock(&marker.lock);
    report(-1, CLOCK_NONE);
    marker.over = true;
    (void)pthread_cond_signal(&marker.asked);
    (void)pthread_mutex_unlock(&marker.lock);
}

static bool take_number(const char *text, uint64_t *ret)
{
    char *end;

    *ret = strtoull(text, &end, 0);
    return *text != '\0' && *end == '\0';
}

static bool take_argument(const char *argument)
{
    uint64_t number = 0;

    if (strncmp(argument, "fd=", 3) == 0 && take_number(argument + 3, &number)) {
        marker.fd = (int)number;
        return true;
    }
    if (strncmp(argument, "set=", 4) == 0 && take_number(argument + 4, &marker.set)) {
        marker.has_marker = true;
        return true;
    }
    return strncmp(argument, "clear=", 6) == 0 && take_number(argument + 6, &marker.clear);
}

static void find_function(const char *name, void *ret, size_t size)
{
    void *found = dlsym(RTLD_DEFAULT, name);

    memcpy(ret, &found, size); /* ISO C has no cast for this */
}

/* The few QEMU symbols that are not part of the interface; each may be missing. */
static void find_clock(void)
{
    find_function("qemu_clock_get_ns", &marker.qemu.clock_ns, sizeof(marker.qemu.clock_ns));
    find_function("icount_get_raw", &marker.qemu.icount_raw, sizeof(marker.qemu.icount_raw));
    find_function("icount_to_ns", &marker.qemu.icount_to_ns, sizeof(marker.qemu.icount_to_ns));
    marker.qemu.use_icount = dlsym(RTLD_DEFAULT, "use_icount");
}

/* Heartbeats go on when somebody sets the host's clock. */
static void init_asked(void)
{
    pthread_condattr_t attributes;

    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&marker.asked, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv)
{
    pthread_t thread;

    for (int i = 0; i < argc; i++) {
        if (!take_argument(argv[i])) {
            (void)fprintf(stderr, "tinyrig-marker: bad argument '%s'\n", argv[i]);
            return -1;
        }
    }
    if (marker.fd < 0) {
        (void)fprintf(stderr, "tinyrig-marker: fd=N is missing\n");
        return -1;
    }
    if (info->version.min > QEMU_API_VERSION || !info->system_emulation) {
        (void)fprintf(stderr, "tinyrig-marker: not made for this QEMU\n");
        return -1;
    }
    find_clock();
    init_asked();
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ends, NULL);
    if (pthread_create(&thread, NULL, help, NULL) != 0)
        return -1;
    (void)pthread_detach(thread);
    return 0;
}

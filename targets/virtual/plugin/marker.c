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
 * Version 1 of the interface has no clock, so virtual time is read through a function of QEMU that
 * Debian's binary exports without promising to; where it is missing, VNS is "-".
 */
#include <dlfcn.h>
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
    int64_t (*clock_ns)(int clock);
    const int *use_icount;
    pthread_mutex_t lock; /* one line at a time, in the order of their times */
    bool over;
} marker = {.fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER};

/* Call with the lock held. level is -1 for a mere time. */
static void report(int level, bool clock_is_safe)
{
    char line[96];
    char time[24] = "-";
    int n;

    if (marker.over)
        return;
    if (clock_is_safe && marker.clock_ns != NULL)
        (void)snprintf(time, sizeof(time), "%lld", (long long)marker.clock_ns(CLOCK_VIRTUAL));
    if (level >= 0)
        n = snprintf(line, sizeof(line), "edge %d %s %llu\n", level, time,
                     (unsigned long long)marker.executed);
    else
        n = snprintf(line, sizeof(line), "time %s %llu\n", time,
                     (unsigned long long)marker.executed);
    if (write(marker.fd, line, (size_t)n) != n)
        marker.over = true; /* the supervisor is gone, and we soon are */
}

static void stored(unsigned cpu, uint32_t info, uint64_t address, void *user)
{
    struct qemu_plugin_hwaddr *place;
    bool is_io;

    (void)cpu;
    (void)user;
    if (address != marker.set && address != marker.clear)
        return;
    /* Under icount the clock may only be read where QEMU is ready for device accesses. */
    place = qemu_plugin_get_hwaddr(info, address);
    is_io = place != NULL && qemu_plugin_hwaddr_is_io(place);
    (void)pthread_mutex_lock(&marker.lock);
    marker.high = marker.set == marker.clear ? !marker.high : address == marker.set;
    report(marker.high, is_io || marker.use_icount == NULL || *marker.use_icount == 0);
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

/* Tells how far virtual time has come, so that listeners know that no edge is under way. */
static void *heartbeat(void *unused)
{
    const struct timespec pause = {.tv_nsec = HEARTBEAT_MS * 1000000L};
    bool over = false;

    (void)unused;
    while (!over) {
        (void)nanosleep(&pause, NULL);
        (void)pthread_mutex_lock(&marker.lock);
        report(-1, true); /* another thread than the cpu's: QEMU allows that */
        over = marker.over;
        (void)pthread_mutex_unlock(&marker.lock);
    }
    return NULL;
}

static void ends(uint64_t id, void *unused)
{
    (void)id;
    (void)unused;
    (void)pthread_mutex_lock(&marker.lock);
    report(-1, false);
    marker.over = true;
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

/* The few QEMU functions that are not part of the interface; each may be missing. */
static void find_clock(void)
{
    void *clock_ns = dlsym(RTLD_DEFAULT, "qemu_clock_get_ns");

    memcpy(&marker.clock_ns, &clock_ns, sizeof(clock_ns));
    marker.use_icount = dlsym(RTLD_DEFAULT, "use_icount");
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
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ends, NULL);
    if (pthread_create(&thread, NULL, heartbeat, NULL) != 0)
        return -1;
    (void)pthread_detach(thread);
    return 0;
}

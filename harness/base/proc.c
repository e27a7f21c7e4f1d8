#include "harness/base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"

struct ends {
    int ours[3];
    int childs[3];
};

static void ends_close(struct ends *e)
{
    for (int i = 0; i < 3; i++) {
        fd_close(&e->ours[i]);
        fd_close(&e->childs[i]);
    }
}

static int ends_open(struct ends *e, const int stdio[3])
{
    for (int i = 0; i < 3; i++) {
        int pair[2];

        switch (stdio[i]) {
        case PROC_INHERIT:
            e->childs[i] = fcntl(i, F_DUPFD_CLOEXEC, 3);
            break;
        case PROC_NULL:
            e->childs[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
            break;
        case PROC_PIPE:
            if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
            e->ours[i] = pair[i == 0];
            e->childs[i] = pair[i != 0];
            break;
        default:
            e->childs[i] = fcntl(stdio[i], F_DUPFD_CLOEXEC, 3);
            break;
        }
        if (e->childs[i] < 0)
            return -errno;
    }
    return 0;
}

/* In the child, between fork and exec: only async-signal-safe calls. */
static void child_exec(const struct proc_options *o, const struct ends *e, pid_t parent, int report)
{
    sigset_t none;
    int failure;

    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127); /* the parent died before the line above took effect */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    for (int i = 0; i < 3; i++) {
        if (dup2(e->childs[i], i) < 0)
            goto failed;
    }
    for (int i = 0; i < o->keep_count; i++) {
        if (fcntl(o->keep_fds[i], F_SETFD, 0) < 0)
            goto failed;
    }
    if (o->folder != NULL && chdir(o->folder) < 0)
        goto failed;
    for (int i = 0; o->env != NULL && o->env[i] != NULL; i++)
        (void)putenv((char *)o->env[i]);
    (void)execvp(o->argv[0], (char *const *)o->argv);
failed:
    failure = errno;
    (void)!write(report, &failure, sizeof(failure));
    _exit(127);
}

int proc_start(struct proc *p, const struct proc_options *o, struct err *err)
{
    AUTO(ends_close) struct ends e = {.ours = {-1, -1, -1}, .childs = {-1, -1, -1}};
    AUTO(fd_close) int report_read = -1;
    AUTO(fd_close) int report_write = -1;
    const pid_t parent = getpid();
    int report[2] = {-1, -1};
    int failure = 0;
    pid_t pid;
    ssize_t n;
    int r = ends_open(&e, o->stdio);

    if (r == 0 && pipe2(report, O_CLOEXEC) < 0)
        r = -errno;
    if (r < 0)
        return err_sys(err, -r, "%s", o->argv[0]);
    report_read = report[0];
    report_write = report[1];
    pid = fork();
    if (pid < 0)
        return err_sys(err, errno, "%s: fork", o->argv[0]);
    if (pid == 0)
        child_exec(o, &e, parent, report_write);
    (void)setpgid(pid, pid); /* both sides set it, so neither can be too late */
    fd_close(&report_write);
    do {
        n = read(report_read, &failure, sizeof(failure));
    } while (n < 0 && errno == EINTR);
    if (n != 0) {
        (void)waitpid(pid, NULL, 0);
        return err_sys(err, n > 0 ? failure : errno, "cannot start '%s'", o->argv[0]);
    }
    p->pid = pid;
    for (int i = 0; i < 3; i++) {
        p->stdio[i] = e.ours[i];
        e.ours[i] = -1;
    }
    return 0;
}

bool proc_ended(struct proc *p, int *ret_status)
{
    int status = 0;

    if (p->pid < 0)
        return true;
    if (waitpid(p->pid, &status, WNOHANG) == 0)
        return false;
    p->pid = -1;
    if (ret_status != NULL)
        *ret_status = status;
    return true;
}

bool proc_wait(struct proc *p, unsigned timeout_ms, int *ret_status)
{
    const struct deadline end = deadline_in_ms(timeout_ms);

    for (unsigned nap = 1; !proc_ended(p, ret_status); nap = nap < 16 ? nap * 2 : nap) {
        if (deadline_passed(end))
            return false;
        clock_sleep_ms(nap);
    }
    return true;
}

void proc_stop(struct proc *p, unsigned grace_ms)
{
    for (int i = 0; i < 3; i++)
        fd_close(&p->stdio[i]);
    if (p->pid < 0)
        return;
    (void)kill(-p->pid, SIGTERM);
    if (proc_wait(p, grace_ms, NULL))
        return;
    (void)kill(-p->pid, SIGKILL);
    (void)waitpid(p->pid, NULL, 0);
    p->pid = -1;
}

void proc_release(struct proc *p)
{
    proc_stop(p, 500);
}

void proc_describe_status(int status, char *text, size_t n)
{
    if (WIFSIGNALED(status))
        (void)snprintf(text, n, "killed by signal %d", WTERMSIG(status));
    else
        (void)snprintf(text, n, "exited with status %d", WEXITSTATUS(status));
}

#include "peer/executor/system_calls.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* By purpose; names that this architecture does not have are passed over. */
static const char *const refused[] = {
    /* other namespaces and file systems */
    "setns", "unshare", "mount", "umount", "umount2", "move_mount", "open_tree", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr", "pivot_root", "chroot", "name_to_handle_at",
    "open_by_handle_at", "quotactl", "quotactl_fd", "swapon", "swapoff", "nfsservctl",
    /* the kernel itself */
    "init_module", "finit_module", "delete_module", "create_module", "query_module",
    "get_kernel_syms", "kexec_load", "kexec_file_load", "reboot", "syslog", "acct", "_sysctl",
    "sysfs", "ustat", "uselib", "lookup_dcookie", "vhangup", "iopl", "ioperm",
    /* its clocks */
    "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "stime",
    /* keys of the user who runs the daemon */
    "add_key", "request_key", "keyctl",
    /* programs and rings inside the kernel, and looking at it */
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "fanotify_init",
    /* other processes; sharing memory and descriptors among its own (process_vm_readv,
       pidfd_getfd) is what training libraries do */
    "ptrace"};

enum { REFUSED_COUNT = sizeof refused / sizeof refused[0] };

static int refuse_listed(scmp_filter_ctx filter)
{
    int error = 0;
    for (size_t r = 0; error == 0 && r < REFUSED_COUNT; r++) {
        int number = seccomp_syscall_resolve_name(refused[r]);
        if (number >= 0)
            error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
    }
    return error;
}

/* A new user namespace would give a job capabilities over new ones. clone3 hides its flags behind a
 * pointer: the C library goes back to clone where it is not there. */
static int refuse_namespaces(scmp_filter_ctx filter)
{
    static const unsigned long flags[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWNET,   CLONE_NEWPID,
                                          CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};
    int error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    for (size_t f = 0; error == 0 && f < sizeof flags / sizeof flags[0]; f++)
        error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                 SCMP_A0(SCMP_CMP_MASKED_EQ, flags[f], flags[f]));
    return error;
}

/* Sockets within the machine and of the internet, and the kernel's own; the others are drivers that
 * nobody here needs (AF_ALG, AF_VSOCK, AF_PACKET, ...). And no typing into a terminal. */
static int refuse_arguments(scmp_filter_ctx filter)
{
    struct scmp_arg_cmp const family = {.arg = 0, .op = SCMP_CMP_GT, .datum_a = AF_NETLINK};
    int error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, family);
    if (error == 0)
        error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                                 SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffUL, TIOCSTI));
    return error;
}

static int export(scmp_filter_ctx filter, int *fd)
{
    *fd = memfd_create("system-calls", MFD_CLOEXEC);
    if (*fd < 0)
        return -errno;
    int error = seccomp_export_bpf(filter, *fd);
    if (error == 0 && lseek(*fd, 0, SEEK_SET) != 0)
        error = -errno;
    if (error != 0)
        close(*fd);
    return error;
}

enum status system_calls_filter(int *fd, struct fault *fault)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int error = filter == NULL ? -ENOMEM : refuse_listed(filter);
    if (error == 0)
        error = refuse_namespaces(filter);
    if (error == 0)
        error = refuse_arguments(filter);
    if (error == 0)
        error = export(filter, fd);
    seccomp_release(filter);
    if (error == 0)
        return STATUS_OK;
    return fault_set(fault, STATUS_UNAVAILABLE, "no filter of system calls can be made here: %s",
                     strerror(-error));
}

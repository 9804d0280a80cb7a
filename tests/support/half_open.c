#include "tests/support/half_open.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/support.h"

enum { SPARE_DESCRIPTORS = 256, SAYINGS = 3 };

/* The beginning of a ClientHello of 512 bytes, which never come. */
static const uint8_t hello[] = {0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03};
static const uint8_t noise[] = "GET / HTTP/1.0\r\n\r\n\xff\xfe\x00\x01";

static void raise_limit(uint32_t wanted)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(limit.rlim_cur >= wanted);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

void half_open_begin(struct half_open *half_open, const char *address, uint32_t count)
{
    const char *colon = strrchr(address, ':');
    assert_non_null(colon);
    assert_true(count <= HALF_OPEN_MAX);
    raise_limit(count + SPARE_DESCRIPTORS);
    uint16_t port = (uint16_t)strtoul(colon + 1, NULL, 10);
    for (half_open->count = 0; half_open->count < count; half_open->count++) {
        int fd = connect_to(port);
        ssize_t sent = 0;
        if (half_open->count % SAYINGS == 1)
            sent = send(fd, hello, sizeof hello, MSG_NOSIGNAL);
        else if (half_open->count % SAYINGS == 2)
            sent = send(fd, noise, sizeof noise, MSG_NOSIGNAL);
        (void)sent; /* whether it got that far is the server's business */
        half_open->fds[half_open->count] = fd;
    }
}

void half_open_end(struct half_open *half_open)
{
    for (uint32_t c = 0; c < half_open->count; c++)
        close(half_open->fds[c]);
    half_open->count = 0;
}

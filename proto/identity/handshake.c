/*
 * Handshake: dial, shake hands, take the certificates, hang up. Runs before a peer knows whom to
 * trust, so it verifies nothing and sends nothing of ours.
 *
 * OpenSSL talks to two memory BIOs and this file moves the bytes: a socket BIO would write with
 * write(2), and a server that hangs up would then kill the program with SIGPIPE. One deadline, on
 * the boot clock, covers connecting and the handshake; bytes and rounds are bounded, so a server
 * that trickles can't hold us.
 */
#include "proto/identity/handshake.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ADDRESSES_TRIED_MAX = 4,      /* of one host name */
    HANDSHAKE_ROUNDS_MAX = 256,   /* reads of the socket */
    HANDSHAKE_BYTES_MAX = 131072, /* received; the chain itself is far below */
    READ_BYTES = 8192,
    PORT_DIGITS_MAX = 5
};

struct dial {
    const char *address;
    const struct clock *clock;
    int64_t until_boot_ms;
    int fd;
    SSL *tls;
    BIO *incoming; /* owned by tls */
    BIO *outgoing; /* owned by tls */
    struct fault *fault;
};

struct host_and_port {
    char host[ADDRESS_BYTES_MAX + 1];
    char port[PORT_DIGITS_MAX + 1];
};

/* The steps, in the order of handshake_fetch_chain(). */
static enum status split_address(const char *address, struct host_and_port *parts,
                                 struct fault *fault);
static enum status connect_any(struct dial *dial, const struct host_and_port *parts);
static enum status begin_tls(struct dial *dial, SSL_CTX *context);
static enum status shake_hands(struct dial *dial);
static enum status take_chain(struct dial *dial, X509_STACK **chain);

enum status handshake_fetch_chain(const char *address, int timeout_ms, const struct clock *clock,
                                  X509_STACK **chain, struct fault *fault)
{
    struct dial dial = {
        .address = address,
        .clock = clock,
        .until_boot_ms = clock_boot_ms(clock) + timeout_ms,
        .fd = -1,
        .fault = fault,
    };
    struct host_and_port parts;
    enum status status = split_address(address, &parts, fault);
    if (status == STATUS_OK)
        status = connect_any(&dial, &parts);
    if (status != STATUS_OK)
        return status;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    status = begin_tls(&dial, context);
    if (status == STATUS_OK)
        status = shake_hands(&dial);
    if (status == STATUS_OK)
        status = take_chain(&dial, chain);
    SSL_free(dial.tls);
    SSL_CTX_free(context);
    close(dial.fd);
    return status;
}

/* --- HOST:PORT --- */

static enum status split_address(const char *address, struct host_and_port *parts,
                                 struct fault *fault)
{
    size_t length = strnlen(address, ADDRESS_BYTES_MAX + 1);
    const char *colon = length <= ADDRESS_BYTES_MAX ? strrchr(address, ':') : NULL;
    const char *host = address;
    size_t host_length = colon != NULL ? (size_t)(colon - address) : 0;
    bool bracketed = host_length > 2 && host[0] == '[' && host[host_length - 1] == ']';
    if (bracketed) {
        host++;
        host_length -= 2;
    }
    bool good = host_length > 0 && (bracketed || strcspn(host, ":[]") == host_length);
    size_t port_length = good ? strlen(colon + 1) : 0;
    if (port_length == 0 || port_length > PORT_DIGITS_MAX ||
        strspn(colon + 1, "0123456789") != port_length)
        return fault_set(fault, STATUS_INVALID,
                         "'%.80s' is not an address: expected HOST:PORT or [V6-ADDRESS]:PORT",
                         address);
    *parts = (struct host_and_port){{0}, {0}};
    memcpy(parts->host, host, host_length);
    memcpy(parts->port, colon + 1, port_length);
    return STATUS_OK;
}

/* --- connecting --- */

/* Waits until the socket is ready for `events` or the deadline. */
static enum status wait_for(struct dial *dial, short events)
{
    for (;;) {
        int64_t left_ms = dial->until_boot_ms - clock_boot_ms(dial->clock);
        struct pollfd ready = {.fd = dial->fd, .events = events};
        int count = left_ms <= 0 ? 0 : poll(&ready, 1, (int)left_ms);
        if (count > 0)
            return STATUS_OK;
        if (count == 0)
            return fault_set(dial->fault, STATUS_DEADLINE,
                             "%s did not answer in time: is it the broker's enrolment address, and "
                             "does a firewall let it through?",
                             dial->address);
        if (errno != EINTR)
            return fault_set(dial->fault, STATUS_IO, "poll: %s", strerror(errno));
    }
}

static enum status refused(struct dial *dial, int error)
{
    return fault_set(dial->fault, STATUS_UNAVAILABLE,
                     "cannot reach %s: %s; is the broker running and its enrolment open?",
                     dial->address, strerror(error));
}

static enum status connect_one(struct dial *dial, const struct addrinfo *to)
{
    dial->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (dial->fd < 0)
        return refused(dial, errno);
    if (connect(dial->fd, to->ai_addr, to->ai_addrlen) == 0)
        return STATUS_OK;
    if (errno != EINPROGRESS)
        return refused(dial, errno);
    enum status status = wait_for(dial, POLLOUT);
    if (status != STATUS_OK)
        return status;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    return error == 0 ? STATUS_OK : refused(dial, error);
}

static enum status connect_any(struct dial *dial, const struct host_and_port *parts)
{
    struct addrinfo const wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(parts->host, parts->port, &wanted, &found);
    if (error != 0)
        return fault_set(dial->fault, STATUS_UNAVAILABLE, "cannot resolve '%s': %s", parts->host,
                         gai_strerror(error));
    enum status status = STATUS_UNAVAILABLE;
    int tried = 0;
    for (const struct addrinfo *to = found; to != NULL && tried < ADDRESSES_TRIED_MAX; tried++) {
        status = connect_one(dial, to);
        if (status == STATUS_OK)
            break;
        if (dial->fd >= 0)
            close(dial->fd);
        dial->fd = -1;
        to = to->ai_next;
    }
    freeaddrinfo(found);
    return status;
}

/* --- TLS --- */

static enum status begin_tls(struct dial *dial, SSL_CTX *context)
{
    static const unsigned char http2[] = {2, 'h', '2'}; /* what the enrolment listener speaks */
    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_alpn_protos(context, http2, sizeof http2) != 0)
        return openssl_fault(dial->fault, STATUS_NO_MEMORY, "cannot start TLS");
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL); /* pin.c decides on the whole chain */
    dial->tls = SSL_new(context);
    BIO *incoming = BIO_new(BIO_s_mem());
    BIO *outgoing = BIO_new(BIO_s_mem());
    if (dial->tls == NULL || incoming == NULL || outgoing == NULL) {
        BIO_free(incoming);
        BIO_free(outgoing);
        return openssl_fault(dial->fault, STATUS_NO_MEMORY, "cannot start TLS");
    }
    BIO_set_mem_eof_return(incoming, -1); /* empty means "later", not "closed" */
    SSL_set_bio(dial->tls, incoming, outgoing);
    SSL_set_connect_state(dial->tls);
    dial->incoming = incoming;
    dial->outgoing = outgoing;
    return STATUS_OK;
}

/* Sends all that TLS wants sent. */
static enum status send_pending(struct dial *dial)
{
    char *bytes;
    size_t left = (size_t)BIO_get_mem_data(dial->outgoing, &bytes);
    while (left > 0) {
        ssize_t sent = send(dial->fd, bytes, left, MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes += sent;
            left -= (size_t)sent;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return refused(dial, errno);
        enum status status = wait_for(dial, POLLOUT);
        if (status != STATUS_OK)
            return status;
    }
    (void)BIO_reset(dial->outgoing);
    return STATUS_OK;
}

/* Hands the next bytes of the socket to TLS; *received counts them. */
static enum status receive_some(struct dial *dial, size_t *received)
{
    unsigned char bytes[READ_BYTES];
    enum status status = wait_for(dial, POLLIN);
    if (status != STATUS_OK)
        return status;
    ssize_t count = recv(dial->fd, bytes, sizeof bytes, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return STATUS_OK;
    if (count < 0)
        return refused(dial, errno);
    if (count == 0)
        return fault_set(dial->fault, STATUS_UNAVAILABLE,
                         "%s hung up during the TLS handshake: is it the broker's enrolment "
                         "address?",
                         dial->address);
    *received += (size_t)count;
    if (BIO_write(dial->incoming, bytes, (int)count) != (int)count)
        return openssl_fault(dial->fault, STATUS_NO_MEMORY, "no memory for TLS");
    return STATUS_OK;
}

static enum status shake_hands(struct dial *dial)
{
    size_t received = 0;
    for (int round = 0; round < HANDSHAKE_ROUNDS_MAX && received <= HANDSHAKE_BYTES_MAX; round++) {
        int result = SSL_do_handshake(dial->tls);
        int wants = SSL_get_error(dial->tls, result);
        if (result != 1 && wants != SSL_ERROR_WANT_READ)
            return openssl_fault(dial->fault, STATUS_UNAVAILABLE,
                                 "%s does not speak TLS as we do: is it the broker's enrolment "
                                 "address?",
                                 dial->address);
        enum status status = send_pending(dial);
        if (status != STATUS_OK || result == 1)
            return status;
        status = receive_some(dial, &received);
        if (status != STATUS_OK)
            return status;
    }
    return fault_set(dial->fault, STATUS_UNAVAILABLE,
                     "%s sent more than a TLS handshake needs: is it the broker's enrolment "
                     "address?",
                     dial->address);
}

static enum status take_chain(struct dial *dial, X509_STACK **chain)
{
    X509_STACK *presented = SSL_get_peer_cert_chain(dial->tls);
    int count = presented == NULL ? 0 : sk_X509_num(presented);
    if (count < 1 || count > CHAIN_CERTIFICATES_MAX)
        return fault_set(dial->fault, STATUS_DENIED, "%s presents %d certificates, not 1 to %d",
                         dial->address, count, CHAIN_CERTIFICATES_MAX);
    *chain = X509_chain_up_ref(presented);
    return *chain != NULL ? STATUS_OK
                          : openssl_fault(dial->fault, STATUS_NO_MEMORY, "no memory for TLS");
}

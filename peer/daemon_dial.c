/* Daemon, dialling: transports over mutual TLS that prove to speak with the very one meant. */
#include "peer/daemon.h"

struct rpc_credentials daemon_credentials(const struct daemon *daemon)
{
    return (struct rpc_credentials){
        .roots_pem = daemon->files.root.text,
        .chain_pem = daemon->files.chain.text,
        .key_pem = daemon->files.key.text,
    };
}

static enum status dial(struct daemon *daemon, const struct identity_subject *whom,
                        const char *address, struct transport **transport, struct fault *fault)
{
    char name[IDENTITY_TEXT_MAX];
    struct rpc_client_settings settings = {
        .security = RPC_MUTUAL_TLS,
        .address = address,
        .credentials = daemon_credentials(daemon),
        .server_name = identity_dns_name(whom, name),
    };
    return rpc_client_open(transport, daemon->loop, &settings, fault);
}

static enum status dial_broker(struct dialer *dialer, struct transport **transport,
                               struct fault *fault)
{
    struct daemon *daemon = (struct daemon *)dialer;
    struct identity_subject broker = {.role = IDENTITY_BROKER,
                                      .federation = daemon->files.facts.subject.federation};
    return dial(daemon, &broker, daemon->config->broker, transport, fault);
}

static enum status dial_member(struct dialer *dialer, const struct name *member,
                               const char *address, struct transport **transport,
                               struct fault *fault)
{
    struct daemon *daemon = (struct daemon *)dialer;
    struct identity_subject whom = {.role = IDENTITY_MEMBER,
                                    .federation = daemon->files.facts.subject.federation,
                                    .member = *member};
    return dial(daemon, &whom, address, transport, fault);
}

const struct dialer_operations daemon_dialer = {
    .dial_broker = dial_broker,
    .dial_member = dial_member,
};

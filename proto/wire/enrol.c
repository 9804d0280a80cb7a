/* Enrol: the tables and methods of EnrolService. */
#include "entente/v1/enrol.pb-c.h"
#include "proto/wire/rows.h"

static const struct wire_row enrol_request_rows[] = {
    ROW_LINE(enrol_request, token, 1, TOKEN_BYTES_MAX),
    ROW_MEMBER(enrol_request, member),
    ROW_TEXT(enrol_request, csr_pem, wire_rule_lines, 1, CERTIFICATE_BYTES_MAX),
    ROW_SIGNING_KEY(enrol_request, signing_key),
};

static const struct wire_message message_request = WIRE_MESSAGE(enrol_request, NULL);

static const struct wire_row enrol_response_rows[] = {
    ROW_BOOL(enrol_response, approved),
    ROW_MEMBER(enrol_response, federation),
    ROW_TEXT(enrol_response, chain_pem, wire_rule_lines, 0, CERTIFICATE_BYTES_MAX),
    ROW_STRUCTS(enrol_response, lease_keys, lease_key_count, lease_key, wire_message_lease_key, 0,
                WIRE_LEASE_KEYS_MAX),
};

static enum status check_response(const void *domain, const struct wire_path *path,
                                  struct fault *fault)
{
    const struct enrol_response *response = domain;
    bool there = response->chain_pem != NULL && response->chain_pem[0] != '\0';
    if (response->approved && !there)
        return wire_refuse(path, "chain_pem", STATUS_INVALID, fault,
                           "is missing although approved is true");
    return STATUS_OK;
}

static const struct wire_message message_response = WIRE_MESSAGE(enrol_response, check_response);

const struct wire_method method_enrol =
    WIRE_METHOD("EnrolService/Enrol", WIRE_UNARY, message_request, message_response);

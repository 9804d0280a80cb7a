/*
 * Subject: who a certificate is about, as a URI (what we authorise by), as a DNS name (what TLS
 * compares) and back. Text only; no OpenSSL.
 *
 *     spiffe://FEDERATION/broker            broker.FEDERATION
 *     spiffe://FEDERATION/member/NAME       NAME.member.FEDERATION
 *
 * FEDERATION and NAME are DNS labels, so the text is bounded and one subject has one spelling: what
 * identity_parse_uri accepts, identity_uri writes back byte for byte.
 */
#include "proto/identity/identity.h"

#include <stdio.h>
#include <string.h>

static const char scheme[] = "spiffe://";
static const char broker_path[] = "/broker";
static const char member_path[] = "/member/";

const char *identity_uri(const struct identity_subject *subject,
                         char text[static IDENTITY_TEXT_MAX])
{
    if (subject->role == IDENTITY_BROKER)
        snprintf(text, IDENTITY_TEXT_MAX, "%s%s%s", scheme, subject->federation.text, broker_path);
    else
        snprintf(text, IDENTITY_TEXT_MAX, "%s%s%s%s", scheme, subject->federation.text, member_path,
                 subject->member.text);
    return text;
}

const char *identity_dns_name(const struct identity_subject *subject,
                              char text[static IDENTITY_TEXT_MAX])
{
    if (subject->role == IDENTITY_BROKER)
        snprintf(text, IDENTITY_TEXT_MAX, "broker.%s", subject->federation.text);
    else
        snprintf(text, IDENTITY_TEXT_MAX, "%s.member.%s", subject->member.text,
                 subject->federation.text);
    return text;
}

static enum status not_an_identity(const char *text, size_t length, struct fault *fault)
{
    int shown = (int)(length < 80 ? length : 80);
    return fault_set(fault, STATUS_INVALID,
                     "'%.*s' is not an identity: expected spiffe://FEDERATION/broker or "
                     "spiffe://FEDERATION/member/NAME",
                     shown, text);
}

/* Takes a DNS label of `length` bytes. */
static bool take_label(const char *text, size_t length, struct name *name)
{
    *name = (struct name){0};
    if (length > NAME_BYTES_MAX)
        return false;
    memcpy(name->text, text, length);
    return strlen(name->text) == length && member_name_valid(name->text);
}

enum status identity_parse_uri(const char *text, size_t length, struct identity_subject *subject,
                               struct fault *fault)
{
    size_t const scheme_length = sizeof scheme - 1;
    if (length >= IDENTITY_TEXT_MAX || length <= scheme_length ||
        memcmp(text, scheme, scheme_length) != 0)
        return not_an_identity(text, length, fault);
    const char *federation = text + scheme_length;
    size_t rest = length - scheme_length;
    const char *path = memchr(federation, '/', rest);
    struct identity_subject parsed = {0};
    if (path == NULL || !take_label(federation, (size_t)(path - federation), &parsed.federation))
        return not_an_identity(text, length, fault);
    size_t path_length = rest - (size_t)(path - federation);
    size_t const member_length = sizeof member_path - 1;
    if (path_length == sizeof broker_path - 1 && memcmp(path, broker_path, path_length) == 0)
        parsed.role = IDENTITY_BROKER;
    else if (path_length > member_length && memcmp(path, member_path, member_length) == 0 &&
             take_label(path + member_length, path_length - member_length, &parsed.member))
        parsed.role = IDENTITY_MEMBER;
    else
        return not_an_identity(text, length, fault);
    *subject = parsed;
    return STATUS_OK;
}

/*
 * Identity fixture: one small federation's keys and certificates, made fresh for each group of
 * tests, so that no private key is ever committed.
 */
#ifndef ENTENTE_TESTS_PROTO_IDENTITY_FIXTURE_H
#define ENTENTE_TESTS_PROTO_IDENTITY_FIXTURE_H

#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "proto/identity/identity.h"

#define DAY_MS      INT64_C(86400000)
#define FIXTURE_NOW INT64_C(1795000000000) /* 2026-11-18, an arbitrary day */

struct federation_fixture {
    struct name name;
    struct certificate_validity validity;
    struct pem root_key, root;
    struct pem intermediate_key, intermediate;
};

/* Appends a certificate to a chain; fails where there is no room. */
static inline void fixture_append(struct pem *chain, const struct pem *more)
{
    size_t const used = strlen(chain->text);
    size_t const added = strlen(more->text);
    assert_true(used + added <= PEM_BYTES_MAX);
    memcpy(chain->text + used, more->text, added + 1);
}

static inline void fixture_name(struct name *name, const char *text)
{
    snprintf(name->text, sizeof name->text, "%s", text);
}

static inline struct identity_subject fixture_subject(const char *federation, const char *member)
{
    struct identity_subject subject = {.role =
                                           member[0] == '\0' ? IDENTITY_BROKER : IDENTITY_MEMBER};
    fixture_name(&subject.federation, federation);
    fixture_name(&subject.member, member);
    return subject;
}

static inline void fixture_make(struct federation_fixture *made, const char *name, int64_t now_ms)
{
    *made = (struct federation_fixture){.validity = {now_ms - DAY_MS, now_ms + 30 * DAY_MS}};
    fixture_name(&made->name, name);
    struct fault fault;
    assert_ok(identity_make_key(&made->root_key, &fault));
    assert_ok(
        identity_make_root(&made->root_key, &made->name, made->validity, &made->root, &fault));
    assert_ok(identity_make_key(&made->intermediate_key, &fault));
    assert_ok(identity_make_intermediate(&made->root_key, &made->root, &made->intermediate_key,
                                         made->validity, &made->intermediate, &fault));
}

/* A key and the chain for a member ("" for the broker), valid as the federation is. */
static inline void fixture_enrol(const struct federation_fixture *by, const char *member,
                                 struct pem *key, struct pem *chain)
{
    struct fault fault;
    struct pem request;
    struct identity_subject subject = fixture_subject(by->name.text, member);
    assert_ok(identity_make_key(key, &fault));
    assert_ok(identity_make_request(key, &request, &fault));
    assert_ok(identity_sign_request(&by->intermediate_key, &by->intermediate, &request, &subject,
                                    "", by->validity, chain, &fault));
}

#endif

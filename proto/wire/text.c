/*
 * Text: what names, addresses, paths and texts must look like, and how a text for people is mended
 * before it is sent.
 *
 * UTF-8 as RFC 3629 has it: shortest form, no surrogates, up to U+10FFFF. Control characters are
 * U+0000 to U+001F, U+007F and U+0080 to U+009F: none of them reaches a terminal or a log.
 * Cost: O(bytes). Pure.
 */
#include <string.h>

#include "proto/wire/table.h"

/* The length of the well-formed character at text, 0 where there is none; *code is its number. */
static size_t character_length(const unsigned char *text, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (text[0] < 0x80) {
        *code = text[0];
        return 1;
    }
    size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    if (text[0] < 0xc2 || text[0] > 0xf4)
        return 0;
    *code = text[0] & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0; /* also where the text ends */
        *code = *code << 6 | (text[i] & 0x3fU);
    }
    if (*code < least[length] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
        return 0;
    return length;
}

static bool control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

static bool between_lines(uint32_t code)
{
    return code == '\n' || code == '\t';
}

static bool clean(const char *text, bool lines)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at != '\0') {
        uint32_t code;
        size_t length = character_length(at, &code);
        if (length == 0 || (control(code) && !(lines && between_lines(code))))
            return false;
        at += length;
    }
    return true;
}

static bool is_line(const char *text)
{
    return clean(text, false);
}

static bool is_lines(const char *text)
{
    return clean(text, true);
}

/* HOST:PORT with a host name, an IPv4 address, or an IPv6 address in brackets. */
static bool is_address(const char *text)
{
    static const char digits[] = "0123456789";
    size_t host;
    if (text[0] == '[') {
        host = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
        if (host < 3 || text[host] != ']')
            return false;
        host++;
    } else {
        host = strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_");
        if (host == 0)
            return false;
    }
    if (text[host] != ':')
        return false;
    const char *port = text + host + 1;
    size_t length = strspn(port, digits);
    if (length == 0 || length > 5 || port[length] != '\0' || port[0] == '0')
        return false;
    uint32_t number = 0;
    for (size_t i = 0; i < length; i++)
        number = number * 10 + (uint32_t)(port[i] - '0');
    return number <= UINT16_MAX;
}

static bool is_relative_path(const char *text)
{
    if (text[0] == '\0' || !clean(text, false))
        return false;
    for (const char *part = text;;) {
        size_t length = strcspn(part, "/");
        if (length == 0 || (length == 1 && part[0] == '.') ||
            (length == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        if (part[length] == '\0')
            return true;
        part += length + 1;
    }
}

static bool is_absolute_path(const char *text)
{
    return text[0] == '/' && clean(text, false);
}

static bool is_variable(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    size_t length = strspn(text, letters);
    return length > 0 && (text[0] < '0' || text[0] > '9') && text[length] == '=' &&
           clean(text, true);
}

char *wire_mend(const char *text, size_t max, struct arena *arena)
{
    size_t wanted = strlen(text);
    char *mended = arena_alloc(arena, (wanted < max ? wanted : max) + 1, 1);
    if (mended == NULL)
        return NULL;
    size_t used = 0;
    for (const char *at = text; *at != '\0';) {
        uint32_t code = 0;
        size_t length = character_length((const unsigned char *)at, &code);
        bool bad = length == 0 || (control(code) && !between_lines(code));
        if (used + (bad ? 1 : length) > max)
            break;
        memcpy(mended + used, bad ? "?" : at, bad ? 1 : length);
        used += bad ? 1 : length;
        at += length > 0 ? length : 1;
    }
    return mended;
}

const struct wire_rule wire_rule_name = {
    .holds = name_valid,
    .otherwise = "is not a name: use 1 to 63 letters, digits, '.', '_', '-' or '+', starting with "
                 "a letter or digit",
};
const struct wire_rule wire_rule_member = {
    .holds = member_name_valid,
    .otherwise = "is not a member's name: use 1 to 63 lower-case letters, digits and inner dashes",
};
const struct wire_rule wire_rule_address = {
    .holds = is_address,
    .otherwise = "is not an address: use HOST:PORT, with an IPv6 host in brackets",
};
const struct wire_rule wire_rule_line = {
    .holds = is_line,
    .otherwise = "is not one line of UTF-8 without control characters",
};
const struct wire_rule wire_rule_lines = {
    .holds = is_lines,
    .otherwise = "is not UTF-8 without control characters but newline and tab",
};
const struct wire_rule wire_rule_prose = {
    .holds = is_lines,
    .otherwise = "is not UTF-8 without control characters but newline and tab",
    .mended = true,
};
const struct wire_rule wire_rule_relative_path = {
    .holds = is_relative_path,
    .otherwise = "is not a relative path: no leading or doubled '/', no '.' or '..' component, no "
                 "control characters",
};
const struct wire_rule wire_rule_absolute_path = {
    .holds = is_absolute_path,
    .otherwise = "is not an absolute path: it starts with '/' and has no control characters",
};
const struct wire_rule wire_rule_variable = {
    .holds = is_variable,
    .otherwise = "is not NAME=value: letters, digits and '_', not starting with a digit, then '='",
};

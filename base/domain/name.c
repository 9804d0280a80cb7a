#include "base/domain/name.h"

#include <string.h>

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alphanumeric(char c)
{
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

bool name_valid(const char *text)
{
    size_t length = strnlen(text, NAME_BYTES_MAX + 1);
    if (length == 0 || length > NAME_BYTES_MAX || !is_alphanumeric(text[0]))
        return false;
    for (size_t i = 1; i < length; i++)
        if (!is_alphanumeric(text[i]) && strchr("._-+", text[i]) == NULL)
            return false;
    return true;
}

bool member_name_valid(const char *text)
{
    size_t length = strnlen(text, NAME_BYTES_MAX + 1);
    if (length == 0 || length > NAME_BYTES_MAX || text[0] == '-' || text[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_lower_or_digit(text[i]) && text[i] != '-')
            return false;
    return true;
}

static void name_copy(struct name *name, const char *text)
{
    *name = (struct name){0};
    memcpy(name->text, text, strlen(text));
}

enum status name_parse(struct name *name, const char *what, const char *text, struct fault *fault)
{
    if (!name_valid(text))
        return fault_set(
            fault, STATUS_INVALID,
            "%s '%.80s' is not a name: use 1 to %d letters, digits, '.', '_', '-' or '+', "
            "starting with a letter or digit",
            what, text, NAME_BYTES_MAX);
    name_copy(name, text);
    return STATUS_OK;
}

enum status member_name_parse(struct name *name, const char *text, struct fault *fault)
{
    if (!member_name_valid(text))
        return fault_set(
            fault, STATUS_INVALID,
            "member '%.80s' is not a member's name: use 1 to %d lower-case letters, digits "
            "and inner dashes, as in a host name",
            text, NAME_BYTES_MAX);
    name_copy(name, text);
    return STATUS_OK;
}

bool name_equal(const struct name *a, const struct name *b)
{
    return strcmp(a->text, b->text) == 0;
}

bool name_empty(const struct name *name)
{
    return name->text[0] == '\0';
}

int name_compare(const struct name *a, const struct name *b)
{
    return strcmp(a->text, b->text);
}

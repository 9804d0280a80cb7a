#include "proto/wire/head_text.h"

#include <string.h>

#include "proto/wire/rows.h"

static const char mark[] = "entente-ledger-head ";

enum { MARK_BYTES = sizeof mark - 1, HEAD_BYTES_MAX = 4096 };

enum status head_text_format(const struct signed_bytes *head, struct arena *arena,
                             const char **line, struct fault *fault)
{
    static const char digits[] = "0123456789abcdef";
    struct bytes bytes;
    enum status status = wire_encode(&wire_message_signed_bytes, head, arena, &bytes, fault);
    if (status != STATUS_OK)
        return status;
    char *text = arena_alloc(arena, MARK_BYTES + 2 * bytes.size + 1, 1);
    if (text == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a ledger head");
    memcpy(text, mark, MARK_BYTES);
    for (size_t i = 0; i < bytes.size; i++) {
        text[MARK_BYTES + 2 * i] = digits[bytes.data[i] >> 4];
        text[MARK_BYTES + 2 * i + 1] = digits[bytes.data[i] & 15];
    }
    text[MARK_BYTES + 2 * bytes.size] = '\0';
    *line = text;
    return STATUS_OK;
}

static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = digit != '\0' ? strchr(digits, digit) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

/* The bytes of a hex text; false where it is none. */
static bool hex_read(const char *text, size_t size, uint8_t *bytes)
{
    for (size_t i = 0; i < size; i++) {
        int high = hex_value(text[2 * i]);
        int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

enum status head_text_parse(const char *line, struct arena *arena, struct signed_bytes *head,
                            struct fault *fault)
{
    uint8_t bytes[HEAD_BYTES_MAX];
    void *decoded = NULL;
    const char *hex = line + MARK_BYTES;
    if (strncmp(line, mark, MARK_BYTES) != 0)
        return fault_set(fault, STATUS_INVALID, "the line does not begin with '%s'", mark);
    size_t size = strlen(hex) / 2;
    if (strlen(hex) % 2 != 0 || size > HEAD_BYTES_MAX || !hex_read(hex, size, bytes))
        return fault_set(fault, STATUS_INVALID, "what follows '%s' is not a head in hex", mark);
    const struct bytes encoded = {bytes, size};
    enum status status = wire_decode(&wire_message_signed_bytes, encoded, arena, &decoded, fault);
    if (status == STATUS_OK)
        *head = *(const struct signed_bytes *)decoded;
    return status;
}

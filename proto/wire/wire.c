/* Wire: what a message description tells of itself. */
#include "proto/wire/table.h"

const char *wire_message_name(const struct wire_message *message)
{
    return message->descriptor->name;
}

size_t wire_message_size(const struct wire_message *message)
{
    return message->size;
}

#include "peer/files/file_reading.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/yaml.h"

void file_reading_refuse(struct reading *reading, const char *key, const char *format, ...)
{
    if (reading->status != STATUS_OK)
        return;
    char text[FAULT_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    reading->status = yaml_fault(reading->fault, reading->file, key, "%s", text);
}

struct name file_reading_name(struct reading *reading, const char *key, const char *text)
{
    struct name name = {0};
    if (name_parse(&name, "it", text, NULL) != STATUS_OK)
        file_reading_refuse(
            reading, key,
            "'%.80s' is not a name: use 1 to %d letters, digits, '.', '_', '-' or '+', "
            "starting with a letter or digit",
            text, NAME_BYTES_MAX);
    return name;
}

struct name file_reading_member(struct reading *reading, const char *key, const char *text)
{
    struct name name = {0};
    if (member_name_parse(&name, text, NULL) != STATUS_OK)
        file_reading_refuse(
            reading, key,
            "'%.80s' is not a member's name: use 1 to %d lower-case letters, digits and "
            "inner dashes, as in a host name",
            text, NAME_BYTES_MAX);
    return name;
}

/* Jobs and sockets need paths that hold wherever a process stands: all are made absolute. */
void file_reading_path(struct reading *reading, const char *key, const char *text,
                       char path[static FILE_PATH_MAX])
{
    const char *slash = strrchr(reading->file, '/');
    int directory = slash != NULL ? (int)(slash - reading->file) + 1 : 0;
    char here[FILE_PATH_MAX] = "";
    int length;
    if (text[0] == '/')
        length = snprintf(path, FILE_PATH_MAX, "%s", text);
    else if (reading->file[0] == '/')
        length = snprintf(path, FILE_PATH_MAX, "%.*s%s", directory, reading->file, text);
    else if (getcwd(here, sizeof here) != NULL)
        length = snprintf(path, FILE_PATH_MAX, "%s/%.*s%s", here, directory, reading->file, text);
    else
        length = FILE_PATH_MAX;
    if (length >= FILE_PATH_MAX)
        file_reading_refuse(reading, key, "the path is longer than %d bytes", FILE_PATH_MAX - 1);
}

void file_reading_address(struct reading *reading, const char *key, const char *text,
                          char address[static ADDRESS_BYTES_MAX + 1])
{
    const char *colon = strrchr(text, ':');
    unsigned port = 0;
    int used = 0;
    bool good = colon != NULL && colon != text && strlen(text) <= ADDRESS_BYTES_MAX &&
                strspn(colon + 1, "0123456789") == strlen(colon + 1) &&
                sscanf(colon + 1, "%5u%n", &port, &used) == 1 && colon[1 + used] == '\0' &&
                port <= UINT16_MAX;
    if (good)
        snprintf(address, ADDRESS_BYTES_MAX + 1, "%s", text);
    else
        file_reading_refuse(
            reading, key, "'%.80s' is not HOST:PORT, for example 127.0.0.1:7700 (port 0: any free)",
            text);
}

int64_t file_reading_duration(struct reading *reading, const char *key, const char *text,
                              int64_t default_ms, int64_t least_ms)
{
    if (text == NULL)
        return default_ms;
    int64_t ms = clock_parse_duration(text);
    if (ms < 0)
        file_reading_refuse(reading, key,
                            "'%.40s' is not a duration: write 250ms, 5s, 15m, 24h or 30d", text);
    else if (ms < least_ms)
        file_reading_refuse(reading, key, "'%.40s' is below the least of %" PRId64 " ms", text,
                            least_ms);
    return ms;
}

uint64_t file_reading_size(struct reading *reading, const char *key, const char *text,
                           uint64_t default_bytes)
{
    if (text == NULL)
        return default_bytes;
    static const char units[] = "kMGT";
    uint64_t value = 0;
    int used = 0;
    bool good =
        text[0] >= '0' && text[0] <= '9' && sscanf(text, "%15" SCNu64 "%n", &value, &used) == 1;
    if (good && text[used] != '\0') {
        const char *unit = strchr(units, text[used]);
        good = unit != NULL && text[used + 1] == '\0';
        for (const char *step = units; good && step <= unit; step++)
            good = !__builtin_mul_overflow(value, 1024, &value);
    }
    if (!good || value > INT64_MAX)
        file_reading_refuse(reading, key, "'%.40s' is not a size: write 512, 64k, 16M, 2G or 1T",
                            text);
    return value;
}

uint32_t file_reading_count(struct reading *reading, const char *key, const uint32_t *value,
                            uint32_t default_value, uint32_t least, uint32_t most)
{
    if (value == NULL)
        return default_value;
    if (*value < least || *value > most)
        file_reading_refuse(reading, key, "%" PRIu32 " is not within %" PRIu32 " to %" PRIu32,
                            *value, least, most);
    return *value;
}

double file_reading_number(struct reading *reading, const char *key, const double *value,
                           double default_value, double least, double most)
{
    if (value == NULL)
        return default_value;
    if (!isfinite(*value) || *value < least || *value > most)
        file_reading_refuse(reading, key, "must be a number from %g to %g", least, most);
    return *value;
}

struct price file_reading_price(struct reading *reading, const char *key, const double *value)
{
    struct price price = {0};
    if (!price_from_double(file_reading_number(reading, key, value, 0.0, 0.0, 1e9), &price))
        file_reading_refuse(reading, key, "is not a price in credits per GPU-second");
    return price;
}

const char *file_reading_variable(struct reading *reading, const char *key, const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t length = strspn(text, allowed);
    if (length == 0 || text[length] != '=' || (text[0] >= '0' && text[0] <= '9'))
        file_reading_refuse(reading, key, "'%.80s' is not NAME=value", text);
    return text;
}

void *file_reading_alloc(struct reading *reading, size_t count, size_t size)
{
    void *memory = arena_alloc(reading->arena, count, size);
    if (memory == NULL && reading->status == STATUS_OK)
        reading->status =
            fault_set(reading->fault, STATUS_NO_MEMORY, "%s: no memory to read it", reading->file);
    return memory;
}

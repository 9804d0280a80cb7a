#include "base/json_stream_write.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#include "base/number.h"

enum { EMIT_DEPTH_MAX = 16 };

struct emitter {
    FILE *to;
    yajl_gen generator;
    bool is_array[EMIT_DEPTH_MAX];
    size_t depth;
    bool broken;
};

static void print(void *context, const char *text, size_t length)
{
    fwrite(text, 1, length, context);
}

static void must(struct emitter *emitter, yajl_gen_status status)
{
    emitter->broken |= status != yajl_gen_status_ok && status != yajl_gen_generation_complete;
}

static void put_text(struct emitter *emitter, const char *text)
{
    must(emitter, yajl_gen_string(emitter->generator, (const unsigned char *)text, strlen(text)));
}

static void put_key(struct emitter *emitter, const char *key)
{
    if (key != NULL)
        put_text(emitter, key);
}

static void nest(struct emitter *emitter, const char *key, bool is_array)
{
    if (emitter->depth == EMIT_DEPTH_MAX) {
        emitter->broken = true;
        return;
    }
    put_key(emitter, key);
    must(emitter, is_array ? yajl_gen_array_open(emitter->generator)
                           : yajl_gen_map_open(emitter->generator));
    emitter->is_array[emitter->depth++] = is_array;
}

enum status emit_open(FILE *to, struct emitter **emitter, struct fault *fault)
{
    struct emitter *made = calloc(1, sizeof *made);
    *emitter = made;
    if (made != NULL)
        made->generator = yajl_gen_alloc(NULL);
    if (made == NULL || made->generator == NULL) {
        free(made);
        *emitter = NULL;
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to write JSON");
    }
    made->to = to;
    yajl_gen_config(made->generator, yajl_gen_beautify, 1);
    yajl_gen_config(made->generator, yajl_gen_indent_string, "  ");
    yajl_gen_config(made->generator, yajl_gen_print_callback, print, to);
    nest(made, NULL, false);
    return STATUS_OK;
}

void emit_object(struct emitter *emitter, const char *key)
{
    nest(emitter, key, false);
}

void emit_array(struct emitter *emitter, const char *key)
{
    nest(emitter, key, true);
}

void emit_end(struct emitter *emitter)
{
    if (emitter->depth == 0) {
        emitter->broken = true;
        return;
    }
    bool const is_array = emitter->is_array[--emitter->depth];
    must(emitter, is_array ? yajl_gen_array_close(emitter->generator)
                           : yajl_gen_map_close(emitter->generator));
}

void emit_text(struct emitter *emitter, const char *key, const char *text)
{
    put_key(emitter, key);
    put_text(emitter, text);
}

/* 10.0, not 10: a real number stays one for readers that tell them apart. */
void emit_number(struct emitter *emitter, const char *key, double number)
{
    char text[NUMBER_TEXT_MAX + 2];
    put_key(emitter, key);
    if (!isfinite(number)) {
        emitter->broken = true;
        return;
    }
    size_t length = number_format(number, text);
    if (strpbrk(text, ".e") == NULL) {
        memcpy(text + length, ".0", 2);
        length += 2;
    }
    must(emitter, yajl_gen_number(emitter->generator, text, length));
}

void emit_integer(struct emitter *emitter, const char *key, int64_t number)
{
    put_key(emitter, key);
    must(emitter, yajl_gen_integer(emitter->generator, number));
}

void emit_boolean(struct emitter *emitter, const char *key, bool value)
{
    put_key(emitter, key);
    must(emitter, yajl_gen_bool(emitter->generator, value));
}

void emit_null(struct emitter *emitter, const char *key)
{
    put_key(emitter, key);
    must(emitter, yajl_gen_null(emitter->generator));
}

enum status emit_close(struct emitter *emitter, struct fault *fault)
{
    if (emitter == NULL)
        return STATUS_OK;
    while (emitter->depth > 0)
        emit_end(emitter);
    bool const broken = emitter->broken;
    FILE *to = emitter->to;
    yajl_gen_free(emitter->generator);
    free(emitter);
    if (broken)
        return fault_set(fault, STATUS_INTERNAL, "the JSON document could not be made");
    if (fputc('\n', to) == EOF || fflush(to) != 0 || ferror(to) != 0)
        return fault_set(fault, STATUS_IO, "writing JSON: %s", strerror(errno));
    return STATUS_OK;
}

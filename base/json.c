#include "base/json.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/nearest.h"

enum { PATH_TEXT_MAX = 256, PATH_DEPTH_MAX = 64 };

struct json_document {
    json_t *root;
};

/* -- Reading ----------------------------------------------------------------------------------- */

static enum status take_root(const char *name, json_t *root, const json_error_t *error,
                             struct json_document **document, struct fault *fault)
{
    if (root == NULL)
        return fault_set(fault, STATUS_INVALID, "%s:%d:%d: %s", name, error->line, error->column,
                         error->text);
    *document = malloc(sizeof **document);
    if (*document == NULL) {
        json_decref(root);
        return fault_set(fault, STATUS_NO_MEMORY, "%s: no memory", name);
    }
    (*document)->root = root;
    return STATUS_OK;
}

enum status json_read(const char *path, size_t bytes_max, struct json_document **document,
                      struct fault *fault)
{
    *document = NULL;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return fault_set(fault, STATUS_IO, "%s: %s", path, strerror(errno));
    struct stat about;
    if (fstat(fileno(file), &about) == 0 && about.st_size > 0 &&
        (size_t)about.st_size > bytes_max) {
        fclose(file);
        return fault_set(fault, STATUS_EXHAUSTED, "%s: larger than %zu bytes", path, bytes_max);
    }
    json_error_t error;
    json_t *root = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
    fclose(file);
    return take_root(path, root, &error, document, fault);
}

enum status json_parse(const char *name, const char *text, size_t size,
                       struct json_document **document, struct fault *fault)
{
    *document = NULL;
    json_error_t error;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    return take_root(name, root, &error, document, fault);
}

void json_close(struct json_document *document)
{
    if (document == NULL)
        return;
    json_decref(document->root);
    free(document);
}

struct json_place json_root(const struct json_document *document)
{
    return (struct json_place){.value = document->root};
}

/* "jobs[3].id"; what doesn't fit is left out at the front. */
static void path_of(const struct json_place *place, char text[static PATH_TEXT_MAX])
{
    const struct json_place *chain[PATH_DEPTH_MAX];
    size_t depth = 0;
    for (; place != NULL && place->parent != NULL && depth < PATH_DEPTH_MAX; place = place->parent)
        chain[depth++] = place;
    size_t used = 0;
    text[0] = '\0';
    while (depth-- > 0 && used < PATH_TEXT_MAX - 1) {
        const struct json_place *step = chain[depth];
        int wrote;
        if (step->key != NULL)
            wrote =
                snprintf(text + used, PATH_TEXT_MAX - used, "%s%s", used > 0 ? "." : "", step->key);
        else
            wrote = snprintf(text + used, PATH_TEXT_MAX - used, "[%zu]", step->index);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
    if (text[0] == '\0')
        snprintf(text, PATH_TEXT_MAX, "the document");
}

enum status json_fault(const struct json_place *place, struct fault *fault, const char *text)
{
    char path[PATH_TEXT_MAX];
    path_of(place, path);
    return fault_set(fault, STATUS_INVALID, "%s: %s", path, text);
}

enum status json_allow(const struct json_place *object, const char *const *keys,
                       struct fault *fault)
{
    if (!json_is_object((const json_t *)object->value))
        return json_fault(object, fault, "must be an object");
    json_t *value = (json_t *)(uintptr_t)object->value; /* jansson's iterators want it so */
    for (void *at = json_object_iter(value); at != NULL; at = json_object_iter_next(value, at)) {
        const char *key = json_object_iter_key(at);
        struct nearest nearest;
        bool known = false;
        nearest_begin(&nearest, key);
        for (const char *const *allowed = keys; *allowed != NULL && !known; allowed++) {
            known = strcmp(*allowed, key) == 0;
            nearest_offer(&nearest, *allowed);
        }
        if (known)
            continue;
        char hint[NAME_HINT_MAX];
        char text[NAME_HINT_MAX + 32];
        nearest_hint(&nearest, hint);
        snprintf(text, sizeof text, "unknown key%s", hint);
        struct json_place const place = {.parent = object, .key = key};
        return json_fault(&place, fault, text);
    }
    return STATUS_OK;
}

size_t json_member_count(const struct json_place *object)
{
    return json_object_size((const json_t *)object->value);
}

bool json_present(const struct json_place *place)
{
    return place->value != NULL;
}

enum status json_get_member(const struct json_place *object, const char *key, bool required,
                            struct json_place *member, struct fault *fault)
{
    if (!json_is_object((const json_t *)object->value))
        return json_fault(object, fault, "must be an object");
    *member = (struct json_place){
        .value = json_object_get(object->value, key), .parent = object, .key = key};
    if (member->value == NULL && required)
        return json_fault(member, fault, "is missing");
    return STATUS_OK;
}

enum status json_get_array(const struct json_place *object, const char *key, bool required,
                           struct json_place *array, size_t *count, struct fault *fault)
{
    *count = 0;
    enum status const status = json_get_member(object, key, required, array, fault);
    if (status != STATUS_OK || array->value == NULL)
        return status;
    if (!json_is_array((const json_t *)array->value))
        return json_fault(array, fault, "must be an array");
    *count = json_array_size(array->value);
    return STATUS_OK;
}

struct json_place json_element(const struct json_place *array, size_t index)
{
    return (struct json_place){
        .value = json_array_get(array->value, index), .parent = array, .index = index};
}

enum status json_get_number(const struct json_place *object, const char *key, bool required,
                            double least, double most, double *number, struct fault *fault)
{
    struct json_place place;
    enum status const status = json_get_member(object, key, required, &place, fault);
    if (status != STATUS_OK || place.value == NULL)
        return status;
    return json_number_of(&place, least, most, number, fault);
}

enum status json_number_of(const struct json_place *place, double least, double most,
                           double *number, struct fault *fault)
{
    if (!json_is_number((const json_t *)place->value))
        return json_fault(place, fault, "must be a number");
    double const value = json_number_value(place->value);
    if (!(value >= least && value <= most)) {
        char text[96];
        snprintf(text, sizeof text, "%g is not within %g and %g", value, least, most);
        return json_fault(place, fault, text);
    }
    *number = value;
    return STATUS_OK;
}

bool json_is_list(const struct json_place *place, size_t *count)
{
    *count = json_array_size(place->value);
    return json_is_array((const json_t *)place->value);
}

enum status json_get_integer(const struct json_place *object, const char *key, bool required,
                             int64_t least, int64_t most, int64_t *number, struct fault *fault)
{
    struct json_place place;
    enum status const status = json_get_member(object, key, required, &place, fault);
    if (status != STATUS_OK || place.value == NULL)
        return status;
    /* Other tools write 64.0; up to 2^53 that is as exact. */
    double const real =
        json_is_real((const json_t *)place.value) ? json_real_value(place.value) : 0.5;
    bool const whole = real == trunc(real) && fabs(real) <= 9007199254740992.0;
    if (!json_is_integer((const json_t *)place.value) && !whole)
        return json_fault(&place, fault, "must be a whole number");
    int64_t const value = whole ? (int64_t)real : json_integer_value(place.value);
    if (value < least || value > most) {
        char text[96];
        snprintf(text, sizeof text, "%lld is not within %lld and %lld", (long long)value,
                 (long long)least, (long long)most);
        return json_fault(&place, fault, text);
    }
    *number = value;
    return STATUS_OK;
}

enum status json_get_boolean(const struct json_place *object, const char *key, bool required,
                             bool *value, struct fault *fault)
{
    struct json_place place;
    enum status const status = json_get_member(object, key, required, &place, fault);
    if (status != STATUS_OK || place.value == NULL)
        return status;
    if (!json_is_boolean((const json_t *)place.value))
        return json_fault(&place, fault, "must be true or false");
    *value = json_is_true((const json_t *)place.value);
    return STATUS_OK;
}

enum status json_text_of(const struct json_place *place, size_t bytes_max, const char **text,
                         struct fault *fault)
{
    if (!json_is_string((const json_t *)place->value))
        return json_fault(place, fault, "must be a text");
    size_t const length = json_string_length(place->value);
    if (length == 0 || length > bytes_max) {
        char wrong[64];
        snprintf(wrong, sizeof wrong, "must have 1 to %zu bytes", bytes_max);
        return json_fault(place, fault, wrong);
    }
    *text = json_string_value(place->value);
    return STATUS_OK;
}

enum status json_get_text(const struct json_place *object, const char *key, bool required,
                          size_t bytes_max, const char **text, struct fault *fault)
{
    struct json_place place;
    enum status const status = json_get_member(object, key, required, &place, fault);
    if (status != STATUS_OK || place.value == NULL)
        return status;
    return json_text_of(&place, bytes_max, text, fault);
}

/* -- Writing ----------------------------------------------------------------------------------- */

static void open_outermost(struct json_writer *writer, json_t *container)
{
    *writer = (struct json_writer){.depth = 1};
    writer->open[0] = container;
    writer->broken = container == NULL;
}

void json_writer_init(struct json_writer *writer)
{
    open_outermost(writer, json_object());
}

void json_writer_init_list(struct json_writer *writer)
{
    open_outermost(writer, json_array());
}

void json_writer_fini(struct json_writer *writer)
{
    json_decref(writer->open[0]);
}

/* Takes value. */
static void put(struct json_writer *writer, const char *key, json_t *value)
{
    json_t *open = writer->open[writer->depth - 1];
    int failed;
    if (key != NULL)
        failed = json_object_set_new(open, key, value);
    else
        failed = json_array_append_new(open, value);
    if (failed != 0)
        writer->broken = true;
}

static void put_open(struct json_writer *writer, const char *key, json_t *container)
{
    assert(writer->depth < JSON_DEPTH_MAX);
    put(writer, key, container);
    writer->open[writer->depth++] = container;
}

void json_open_object(struct json_writer *writer, const char *key)
{
    put_open(writer, key, json_object());
}

void json_open_array(struct json_writer *writer, const char *key)
{
    put_open(writer, key, json_array());
}

void json_end(struct json_writer *writer)
{
    assert(writer->depth > 1);
    writer->depth--;
}

void json_put_text(struct json_writer *writer, const char *key, const char *text)
{
    put(writer, key, json_string(text));
}

void json_put_number(struct json_writer *writer, const char *key, double number)
{
    put(writer, key, json_real(number));
}

void json_put_integer(struct json_writer *writer, const char *key, int64_t number)
{
    put(writer, key, json_integer(number));
}

void json_put_boolean(struct json_writer *writer, const char *key, bool value)
{
    put(writer, key, json_boolean(value));
}

void json_put_null(struct json_writer *writer, const char *key)
{
    put(writer, key, json_null());
}

enum status json_write(const struct json_writer *writer, FILE *to, struct fault *fault)
{
    if (writer->broken)
        return fault_set(fault, STATUS_INTERNAL, "the JSON document could not be made");
    if (json_dumpf(writer->open[0], to, JSON_INDENT(2)) != 0 || fputc('\n', to) == EOF ||
        fflush(to) != 0)
        return fault_set(fault, STATUS_IO, "writing JSON: %s", strerror(errno));
    return STATUS_OK;
}

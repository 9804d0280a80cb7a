#include "broker/request.h"

#include <string.h>

enum status request_admit(struct store *store, const struct store_request *request,
                          int64_t now_wall_ms, bool *repeated, struct fault *fault)
{
    struct store_request found;
    if (request->issued_wall_ms < now_wall_ms - REQUEST_KEPT_MS)
        return fault_set(fault, STATUS_INVALID,
                         "the request was issued over seven days ago: issue it anew");
    if (request->issued_wall_ms > now_wall_ms + REQUEST_SKEW_MS_MAX)
        return fault_set(fault, STATUS_INVALID,
                         "the request was issued in the future: set the caller's clock");
    enum status status = store_request_find(store, &request->caller, &request->key, &found, fault);
    if (status == STATUS_NOT_FOUND) {
        *repeated = false;
        return store_request_add(store, request, fault);
    }
    if (status != STATUS_OK)
        return status;
    if (memcmp(&found.content, &request->content, sizeof found.content) != 0)
        return fault_set(fault, STATUS_EXISTS,
                         "the request's key was used before for something else: use a new key");
    *repeated = true;
    return STATUS_OK;
}

/* Tree: removes a directory with all below it, never following a symbolic link out of it. */
#ifndef ENTENTE_PEER_FILES_TREE_H
#define ENTENTE_PEER_FILES_TREE_H

#include "base/fault.h"

/* OK where it isn't there. */
MUST_USE enum status tree_remove(const char *path, struct fault *fault);

#endif

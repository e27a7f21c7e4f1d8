/*
 * The engines of this agent, in the order the wire numbers them. A build names the ones it links
 * with ENGINE_* macros; null is always there and always number 0.
 */
#include "agents/engines/engine.h"

extern const struct engine engine_null;
#ifdef ENGINE_TINY
extern const struct engine engine_tiny;
#endif
#ifdef ENGINE_WORKLOAD
extern const struct engine engine_workload;
#endif
#ifdef ENGINE_FOREIGN /* the shim of a runtime that comes as a library: FOREIGN.md */
extern const struct engine engine_foreign;
#endif

const struct engine *const engines[] = {
    &engine_null,
#ifdef ENGINE_TINY
    &engine_tiny,
#endif
#ifdef ENGINE_WORKLOAD
    &engine_workload,
#endif
#ifdef ENGINE_FOREIGN
    &engine_foreign,
#endif
    NULL,
};

#include "tests/support/fault_sqlite.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static struct {
    enum fault_kind kind;
    unsigned left; /* calls until it fails */
    bool persistent;
    bool happened;
} fault;

void fault_arm(enum fault_kind kind, unsigned n, bool persistent)
{
    fault.kind = kind;
    fault.left = n;
    fault.persistent = persistent;
    fault.happened = false;
}

bool fault_disarm(void)
{
    fault.kind = FAULT_NONE;
    return fault.happened;
}

static bool fails(enum fault_kind kind)
{
    if (fault.kind != kind)
        return false;
    if (fault.left > 0)
        fault.left--;
    if (fault.left > 0 || (fault.happened && !fault.persistent))
        return false;
    fault.happened = true;
    return true;
}

/* ---- files ---- */

static sqlite3_vfs *real;

struct file {
    sqlite3_file base;
    sqlite3_file *inner; /* in the bytes after this struct */
};

static sqlite3_file *inner_of(sqlite3_file *f)
{
    return ((struct file *)f)->inner;
}

static int file_close(sqlite3_file *f)
{
    return inner_of(f)->pMethods->xClose(inner_of(f));
}

static int file_read(sqlite3_file *f, void *data, int n, sqlite3_int64 at)
{
    if (fails(FAULT_READ))
        return SQLITE_IOERR_READ;
    return inner_of(f)->pMethods->xRead(inner_of(f), data, n, at);
}

static int file_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
    if (fails(FAULT_FULL)) {
        /* a full disk takes a part of it */
        (void)inner_of(f)->pMethods->xWrite(inner_of(f), data, n / 2, at);
        return SQLITE_FULL;
    }
    if (fails(FAULT_WRITE))
        return SQLITE_IOERR_WRITE;
    return inner_of(f)->pMethods->xWrite(inner_of(f), data, n, at);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    if (fails(FAULT_WRITE))
        return SQLITE_IOERR_TRUNCATE;
    return inner_of(f)->pMethods->xTruncate(inner_of(f), size);
}

static int file_sync(sqlite3_file *f, int flags)
{
    return fails(FAULT_SYNC) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return inner_of(f)->pMethods->xFileSize(inner_of(f), size);
}

static int file_lock(sqlite3_file *f, int level)
{
    return inner_of(f)->pMethods->xLock(inner_of(f), level);
}

static int file_unlock(sqlite3_file *f, int level)
{
    return inner_of(f)->pMethods->xUnlock(inner_of(f), level);
}

static int file_reserved(sqlite3_file *f, int *ret)
{
    return inner_of(f)->pMethods->xCheckReservedLock(inner_of(f), ret);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
    return inner_of(f)->pMethods->xFileControl(inner_of(f), op, arg);
}

static int file_sector(sqlite3_file *f)
{
    return inner_of(f)->pMethods->xSectorSize(inner_of(f));
}

static int file_device(sqlite3_file *f)
{
    return inner_of(f)->pMethods->xDeviceCharacteristics(inner_of(f));
}

static int file_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
    return inner_of(f)->pMethods->xShmMap(inner_of(f), page, size, extend, ret);
}

static int file_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return inner_of(f)->pMethods->xShmLock(inner_of(f), offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *f)
{
    inner_of(f)->pMethods->xShmBarrier(inner_of(f));
}

static int file_shm_unmap(sqlite3_file *f, int delete_it)
{
    return inner_of(f)->pMethods->xShmUnmap(inner_of(f), delete_it);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
    struct file *file = (struct file *)f;
    int r;

    file->inner = (sqlite3_file *)(file + 1);
    file->base.pMethods = NULL;
    r = real->xOpen(real, name, file->inner, flags, ret_flags);
    if (file->inner->pMethods != NULL)
        file->base.pMethods = &methods;
    return r;
}

/* ---- memory ---- */

static sqlite3_mem_methods real_memory;

static void *memory_alloc(int n)
{
    return fails(FAULT_MEMORY) ? NULL : real_memory.xMalloc(n);
}

static void *memory_realloc(void *p, int n)
{
    return fails(FAULT_MEMORY) ? NULL : real_memory.xRealloc(p, n);
}

void fault_install(void)
{
    static sqlite3_vfs vfs;
    sqlite3_mem_methods memory;

    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory) != SQLITE_OK)
        abort();
    memory = real_memory;
    memory.xMalloc = memory_alloc;
    memory.xRealloc = memory_realloc;
    /* Without per-connection caches every allocation is one that can fail. */
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &memory) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK)
        abort();
    real = sqlite3_vfs_find(NULL);
    vfs = *real;
    vfs.zName = "fault";
    vfs.szOsFile = (int)sizeof(struct file) + real->szOsFile;
    vfs.xOpen = vfs_open;
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
        abort();
}

#include "harness/elf/map.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/text.h"

enum {
    OBJECTS_MAX = 4096
};

struct reader {
    struct arena *arena;
    const struct map_image *image;
    bool header_open; /* a long name: the section's own address and size follow on the next line */
    const struct footprint_section *current; /* output section we are in; NULL: none that counts */
    struct footprint_object *objects;
    size_t count, capacity;
};

/* The next word of a line; "" at its end. */
static const char *word(const char **line, struct arena *arena)
{
    const char *start = *line + strspn(*line, " \t");
    const size_t n = strcspn(start, " \t");

    *line = start + n;
    return arena_strndup(arena, start, n);
}

static void enter_section(struct reader *r, const char *line)
{
    const char *name = word(&line, r->arena);

    r->current = NULL;
    r->header_open = line[strspn(line, " \t")] == '\0';
    for (size_t i = 0; i < r->image->section_count; i++) {
        if (r->image->sections[i].counted != NULL && strcmp(r->image->sections[i].name, name) == 0)
            r->current = &r->image->sections[i];
    }
}

static struct footprint_object *object_for(struct reader *r, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *file = slash != NULL ? slash + 1 : path;
    const char *open = strchr(file, '(');
    const char *archive = "";
    const char *object = strstr(file, ".ltrans") != NULL ? "lto.o" : file; /* a temporary's name */
    struct footprint_object *o;

    if (open != NULL) {
        archive = arena_strndup(r->arena, file, (size_t)(open - file));
        object = arena_strndup(r->arena, open + 1, strcspn(open + 1, ")"));
    }
    for (size_t i = 0; i < r->count; i++) {
        o = &r->objects[i];
        if (strcmp(o->archive, archive) == 0 && strcmp(o->object, object) == 0)
            return o;
    }
    if (r->count == OBJECTS_MAX)
        return NULL;
    o = ARENA_PUSH(r->arena, r->objects, r->count, r->capacity);
    *o = (struct footprint_object){.archive = archive, .object = object};
    return o;
}

/* The same field of the object's bytes that the section adds to in the total. */
static uint64_t *same_field(const struct reader *r, struct footprint_object *o)
{
    const size_t offset =
        (size_t)((const char *)r->current->counted - (const char *)&r->image->f->total);

    return (uint64_t *)(void *)((char *)&o->bytes + offset);
}

/* " .text.f  0x080012f4  0x2f0 path", or the same with a line break after a long name. */
static int take_input(struct reader *r, const char *line, struct err *err)
{
    const char *address = word(&line, r->arena);
    const char *size = word(&line, r->arena);
    const char *path = line + strspn(line, " \t");
    struct footprint_object *o;
    uint64_t at = 0;
    uint64_t n = 0;

    if (!text_to_u64(address, &at) || !text_to_u64(size, &n) || n == 0)
        return 0; /* an assignment, an empty section, or the break after a long name */
    if (at < r->current->address || n > r->current->size ||
        at - r->current->address > r->current->size - n)
        return err_set(err, ERR_CONFIG, "section %s of the map does not fit to the ELF file",
                       r->current->name);
    o = object_for(r, *path != '\0' ? path : "(fill)");
    if (o == NULL)
        return err_set(err, ERR_CONFIG, "the map names more than %d objects", OBJECTS_MAX);
    *same_field(r, o) += n;
    return 0;
}

static int take_line(struct reader *r, const char *line, struct err *err)
{
    if (line[0] != ' ' && line[0] != '\0') {
        enter_section(r, line);
        return 0;
    }
    if (r->current == NULL || line[0] == '\0')
        return 0;
    if (r->header_open) {
        r->header_open = false;
        return 0;
    }
    if (line[1] == '.' || strncmp(line, " *fill*", 7) == 0 || strncmp(line, " COMMON", 7) == 0)
        (void)word(&line, r->arena);
    else if (strncmp(line, "                0x", 18) != 0)
        return 0;
    return take_input(r, line, err);
}

int map_read(const char *text, const struct map_image *image, struct arena *arena,
             struct footprint_object **ret, size_t *ret_count, struct err *err)
{
    struct reader r = {.arena = arena, .image = image};
    const char *p = strstr(text, "\nLinker script and memory map");

    if (p == NULL)
        return err_set(err, ERR_CONFIG, "not a linker map");
    while (*(p += strcspn(p, "\n")) != '\0') {
        const char *line = arena_strndup(arena, p + 1, strcspn(p + 1, "\n"));

        if (take_line(&r, line, err) < 0)
            return (int)err->code;
        p++;
    }
    *ret = r.objects;
    *ret_count = r.count;
    return 0;
}

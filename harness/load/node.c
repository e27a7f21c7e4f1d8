#include "harness/load/node.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "harness/base/text.h"

struct anchor {
    const char *name;
    const struct node *node;
};

struct parser {
    yaml_parser_t yaml;
    struct problems *problems;
    struct arena *arena;
    const char *file;
    const char *data;
    struct anchor *anchors;
    size_t anchor_count;
    size_t anchor_capacity;
    size_t node_count;
};

static void parser_release(struct parser *p)
{
    yaml_parser_delete(&p->yaml);
}

static struct where where_of(const struct parser *p, yaml_mark_t mark)
{
    return (struct where){p->file, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

/* Say no and stop: every function below returns NULL or false after this. */
#define REFUSE(p, mark, ...) (problem_add((p)->problems, where_of((p), (mark)), __VA_ARGS__), NULL)

/* The byte at a mark, whose index counts characters. */
static char byte_at(const struct parser *p, yaml_mark_t mark)
{
    const char *s = p->data;

    for (size_t i = 0; i < mark.index && *s != '\0'; i++)
        s += text_utf8_length(s);
    return *s;
}

static bool next_event(struct parser *p, yaml_event_t *ret)
{
    const yaml_mark_t *at = &p->yaml.problem_mark;

    if (yaml_parser_parse(&p->yaml, ret))
        return true;
    if (p->yaml.error == YAML_SCANNER_ERROR && byte_at(p, *at) == '\t')
        (void)REFUSE(p, *at, "a tab; YAML indents with spaces only");
    else
        (void)REFUSE(p, *at, "not valid YAML: %s%s%s", p->yaml.problem ? p->yaml.problem : "?",
                     p->yaml.context ? " " : "", p->yaml.context ? p->yaml.context : "");
    return false;
}

static struct node *node_new(struct parser *p, enum node_kind kind, const yaml_event_t *event)
{
    struct node *n;

    if (++p->node_count > NODE_COUNT_LIMIT)
        return REFUSE(p, event->start_mark, "too many values in one file (limit %d)",
                      NODE_COUNT_LIMIT);
    n = arena_alloc(p->arena, sizeof(*n));
    n->kind = kind;
    n->where = where_of(p, event->start_mark);
    n->expanded = 1;
    n->depth = 1;
    return n;
}

static const struct node *parse_node(struct parser *p, const yaml_event_t *event, unsigned level);

/* Known only once its node is complete, so that no node can hold itself. */
static void keep_anchor(struct parser *p, const yaml_char_t *name, const struct node *n)
{
    if (name != NULL)
        *ARENA_PUSH(p->arena, p->anchors, p->anchor_count, p->anchor_capacity) =
            (struct anchor){arena_strdup(p->arena, (const char *)name), n};
}

static const struct node *parse_alias(struct parser *p, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;

    for (size_t i = p->anchor_count; i-- > 0;) { /* the latest of that name */
        if (strcmp(p->anchors[i].name, name) == 0)
            return p->anchors[i].node;
    }
    return REFUSE(p, event->start_mark, "alias '*%.64s' has no anchor '&%.64s' before it", name,
                  name);
}

static const struct node *parse_scalar(struct parser *p, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    const size_t n = event->data.scalar.length;
    struct node *node;

    if (n > NODE_SCALAR_LIMIT)
        return REFUSE(p, event->start_mark, "a text of %zu bytes is too long (limit %d)", n,
                      NODE_SCALAR_LIMIT);
    if (memchr(text, '\0', n) != NULL)
        return REFUSE(p, event->start_mark, "a NUL character in a text");
    node = node_new(p, NODE_SCALAR, event);
    if (node == NULL)
        return NULL;
    node->text = arena_strndup(p->arena, text, n);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    keep_anchor(p, event->data.scalar.anchor, node);
    return node;
}

/* Count a child in; false when the tree grows too big or too deep. */
static bool adopt(struct parser *p, struct node *parent, const struct node *child, yaml_mark_t mark,
                  unsigned level)
{
    parent->expanded += child->expanded;
    if (child->depth + 1 > parent->depth)
        parent->depth = child->depth + 1;
    if (parent->expanded > NODE_EXPANDED_LIMIT) {
        (void)REFUSE(p, mark, "aliases expand to too many values (limit %d)", NODE_EXPANDED_LIMIT);
        return false;
    }
    if (level + parent->depth > NODE_DEPTH_LIMIT) {
        (void)REFUSE(p, mark, "nested too deep (limit %d)", NODE_DEPTH_LIMIT);
        return false;
    }
    return true;
}

static const struct node *parse_list(struct parser *p, const yaml_event_t *start, unsigned level)
{
    struct node *list = node_new(p, NODE_LIST, start);

    while (list != NULL) {
        AUTO(yaml_event_delete) yaml_event_t event = {0};
        const struct node *value;

        if (!next_event(p, &event))
            return NULL;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            break;
        value = parse_node(p, &event, level + 1);
        if (value == NULL || !adopt(p, list, value, event.start_mark, level))
            return NULL;
        ARENA_PUSH(p->arena, list->items, list->count, list->capacity)->value = value;
    }
    return list;
}

/* The keys that `<<` brings go behind the map's own, which win. */
static bool merge_map(struct parser *p, struct node *map, const struct node *from)
{
    if (from->kind != NODE_MAP) {
        problem_add(p->problems, from->where, "'<<' expected a map or a list of maps");
        return false;
    }
    for (size_t i = 0; i < from->count; i++) {
        if (node_find(map, from->items[i].key->text) != NULL)
            continue;
        if (map->count >= NODE_KEYS_LIMIT) {
            problem_add(p->problems, from->where, "too many keys in one map (limit %d)",
                        NODE_KEYS_LIMIT);
            return false;
        }
        *ARENA_PUSH(p->arena, map->items, map->count, map->capacity) = from->items[i];
    }
    return true;
}

static bool merge(struct parser *p, struct node *map, const struct node *from)
{
    if (from->kind != NODE_LIST)
        return merge_map(p, map, from);
    for (size_t i = 0; i < from->count; i++) {
        if (!merge_map(p, map, from->items[i].value))
            return false;
    }
    return true;
}

/* A key, or NULL after a problem. */
static const struct node *parse_key(struct parser *p, struct node *map, const yaml_event_t *event)
{
    const struct node *key;
    const struct node *twin;

    if (event->type != YAML_SCALAR_EVENT)
        return REFUSE(p, event->start_mark, "a key must be a plain word");
    if (map->count >= NODE_KEYS_LIMIT)
        return REFUSE(p, event->start_mark, "too many keys in one map (limit %d)", NODE_KEYS_LIMIT);
    key = parse_scalar(p, event);
    if (key == NULL)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        twin = map->items[i].key;
        if (strcmp(twin->text, key->text) == 0) { /* go on: the first one counts */
            (void)REFUSE(p, event->start_mark, "key '%.64s' is given twice (first on line %u)",
                         key->text, twin->where.line);
            break;
        }
    }
    return key;
}

static const struct node *parse_map(struct parser *p, const yaml_event_t *start, unsigned level)
{
    struct node *map = node_new(p, NODE_MAP, start);
    const struct node *merged[8];
    size_t merged_count = 0;

    while (map != NULL) {
        AUTO(yaml_event_delete) yaml_event_t event = {0};
        AUTO(yaml_event_delete) yaml_event_t value_event = {0};
        struct node_item item;

        if (!next_event(p, &event))
            return NULL;
        if (event.type == YAML_MAPPING_END_EVENT)
            break;
        item.key = parse_key(p, map, &event);
        if (item.key == NULL || !next_event(p, &value_event))
            return NULL;
        item.value = parse_node(p, &value_event, level + 1);
        if (item.value == NULL || !adopt(p, map, item.value, value_event.start_mark, level))
            return NULL;
        if (item.key->plain && strcmp(item.key->text, "<<") == 0) {
            if (merged_count == ARRAY_SIZE(merged))
                return REFUSE(p, event.start_mark, "too many '<<' in one map");
            merged[merged_count++] = item.value;
        } else {
            *ARENA_PUSH(p->arena, map->items, map->count, map->capacity) = item;
        }
    }
    for (size_t i = 0; i < merged_count; i++) {
        if (!merge(p, map, merged[i]))
            return NULL;
    }
    return map;
}

static const yaml_char_t *tag_of(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.tag;
    default:
        return NULL;
    }
}

static const struct node *parse_node(struct parser *p, const yaml_event_t *event, unsigned level)
{
    const struct node *n;

    if (level >= NODE_DEPTH_LIMIT)
        return REFUSE(p, event->start_mark, "nested too deep (limit %d)", NODE_DEPTH_LIMIT);
    if (tag_of(event) != NULL)
        return REFUSE(p, event->start_mark, "tags such as '%.64s' are not used here",
                      (const char *)tag_of(event));
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return parse_alias(p, event);
    case YAML_SCALAR_EVENT:
        return parse_scalar(p, event);
    case YAML_SEQUENCE_START_EVENT:
        n = parse_list(p, event, level);
        if (n != NULL)
            keep_anchor(p, event->data.sequence_start.anchor, n);
        return n;
    case YAML_MAPPING_START_EVENT:
        n = parse_map(p, event, level);
        if (n != NULL)
            keep_anchor(p, event->data.mapping_start.anchor, n);
        return n;
    default:
        return REFUSE(p, event->start_mark, "not valid YAML here");
    }
}

/* UTF-8 and no control characters but tab and newline. libyaml would take UTF-16 too; we do not. */
static bool check_bytes(struct problems *problems, const char *data, size_t n, const char *file)
{
    struct where at = {file, 1, 1};

    for (size_t i = 0; i < n;) {
        const unsigned char c = (unsigned char)data[i];
        const size_t length = text_utf8_length(data + i);

        if (length == 0) {
            problem_add(problems, at, "byte 0x%02x is not UTF-8", c);
            return false;
        }
        if ((c < 32 && c != '\t' && c != '\n' && c != '\r') || c == 127) {
            problem_add(problems, at, "control character 0x%02x", c);
            return false;
        }
        i += length;
        at.column++;
        if (c == '\n') {
            at.line++;
            at.column = 1;
        }
    }
    return true;
}

/* The document's root; NULL after a problem. */
static const struct node *parse_document(struct parser *p)
{
    const struct node *root = NULL;
    bool more = true;

    while (more) {
        AUTO(yaml_event_delete) yaml_event_t event = {0};

        if (!next_event(p, &event))
            return NULL;
        switch (event.type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        case YAML_DOCUMENT_START_EVENT:
            if (root != NULL)
                return REFUSE(p, event.start_mark, "a second document; one file holds one");
            break;
        case YAML_STREAM_END_EVENT:
            more = false;
            break;
        default:
            root = parse_node(p, &event, 0);
            if (root == NULL)
                return NULL;
        }
    }
    if (root == NULL)
        problem_add(p->problems, (struct where){p->file, 1, 1}, "the file is empty");
    return root;
}

const struct node *node_parse(const char *data, size_t n, const char *file,
                              struct problems *problems)
{
    AUTO(parser_release)
    struct parser p = {.problems = problems, .arena = problems->arena, .file = file, .data = data};
    const struct where start = {file, 1, 1};

    if (!yaml_parser_initialize(&p.yaml)) {
        problem_add(problems, start, "out of memory");
        return NULL;
    }
    if (n > NODE_FILE_LIMIT) {
        problem_add(problems, start, "larger than %d bytes", NODE_FILE_LIMIT);
        return NULL;
    }
    if (!check_bytes(problems, data, n, file))
        return NULL;
    yaml_parser_set_encoding(&p.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p.yaml, (const unsigned char *)data, n);
    return parse_document(&p);
}

const struct node *node_find(const struct node *map, const char *key)
{
    for (size_t i = 0; map->kind == NODE_MAP && i < map->count; i++) {
        if (strcmp(map->items[i].key->text, key) == 0)
            return map->items[i].value;
    }
    return NULL;
}

bool node_is_empty(const struct node *n)
{
    /* Not the word `null`: an engine is called that. */
    return n->kind == NODE_SCALAR && n->plain && (*n->text == '\0' || strcmp(n->text, "~") == 0);
}

void node_describe(const struct node *n, char text[static 64])
{
    if (n->kind == NODE_LIST)
        (void)snprintf(text, 64, "a list");
    else if (n->kind == NODE_MAP)
        (void)snprintf(text, 64, "a map of keys");
    else if (node_is_empty(n))
        (void)snprintf(text, 64, "nothing");
    else
        (void)snprintf(text, 64, "'%.56s%s'", n->text, strlen(n->text) > 56 ? "..." : "");
}

/* One pass: the text becomes a tree, the tree becomes settings, mistakes are collected on the way. The
 * tree knows nothing of options and the options know nothing of YAML. */
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include "config/sections.h"

enum { REPORT_BYTES_MAX = 1024 * 1024 };

static void read_root(struct reading *r, struct node *root)
{
    struct entry whole = {.name = STR(""), .at = {1, 1}, .value = root};
    r->root = root;
    r->needed_from = CONFIG_RUN;
    if (root->bad || root->kind != NODE_MAP) {
        complain(r, root->at, STR_NONE,
                 "expected the sections kafka, redis, time, sinks and rules, found %s",
                 node_found(r, root));
        return;
    }
    options_read(r, &root_table, &whole, STR_NONE, r->out);
    sections_read(r);
    fields_read(r);
    sinks_read(r);
    accounts_read(r);
    context_read(r);
    rules_read(r);
    sinks_check_use(r);
}

static struct reading *begin(struct config *out, enum config_use use,
                             struct config_report *report)
{
    *out = (struct config){0};
    arena_init(&out->arena);
    *report = (struct config_report){0};
    buf_init(&report->text, REPORT_BYTES_MAX);
    struct reading *r = arena_alloc(&out->arena, sizeof *r);
    r->use = use;
    r->out = out;
    r->arena = &out->arena;
    return r;
}

int config_parse(struct str yaml, const char *name, struct config *out,
                 enum config_use use, struct config_report *report)
{
    struct reading *r = begin(out, use, report);
    struct node *root = yaml_read(r, yaml);
    out->hash = XXH3_64bits(yaml.p, yaml.n);
    if (root)
        read_root(r, root);
    report_mistakes(r, name, report);
    return report->errors ? -1 : 0;
}

static int unreadable(const char *path, struct config *out, enum config_use use,
                      struct config_report *report)
{
    const char *why = strerror(errno);
    struct reading *r = begin(out, use, report);
    complain(r, (struct place){0}, STR_NONE, "cannot be read: %s", why);
    report_mistakes(r, path, report);
    return -1;
}

/* Everything up to a little more than we take. -1 and errno. */
static int read_file(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd;
    while (fd >= 0) {
        char part[16384];
        n = read(fd, part, sizeof part);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || out->overflowed)
            break;
        buf_mem(out, part, (size_t)n);
    }
    int why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    return n < 0 ? -1 : 0;
}

uint64_t config_file_hash(const char *path)
{
    struct buf text;
    buf_init(&text, CONFIG_BYTES_MAX + 1);
    uint64_t hash = read_file(path, &text) ? 0 : XXH3_64bits(text.p, text.n);
    buf_deinit(&text);
    return hash;
}

int config_load(const char *path, struct config *out, enum config_use use,
                struct config_report *report)
{
    struct buf text;
    buf_init(&text, CONFIG_BYTES_MAX + 1);
    int result = read_file(path, &text)
                     ? unreadable(path, out, use, report)
                     : config_parse(buf_str(&text), path, out, use, report);
    buf_deinit(&text);
    return result;
}

void config_deinit(struct config *c)
{
    arena_deinit(&c->arena);
    *c = (struct config){0};
}

/* What a shard's journal makes, in memory: a fold over its entries, in order, and nothing else. All processes that have
 * folded the same entries know the same: ids that were seen, windows with the records that no base holds yet, when they are
 * due, which of them want judging. Bases themselves stay in the store; here is what is known of them.
 *
 * A shard and its lanes share a journal; each of them is a domain, with a watermark and ids of its own, until a lane joins.
 * Lapsing and forgetting happen at the watermark that stands in a field, so that they are part of the fold. One thread. */
#ifndef WINDOWS_MIRROR_H
#define WINDOWS_MIRROR_H

#include "windows/due_heap.h"
#include "windows/journal.h"
#include "windows/recent.h"
#include "windows/seen_ids.h"
#include "windows/window_table.h"

struct mirror_name;

/* A field of the journal of which something is needed. */
struct mirror_field {
    int64_t number;
    struct str packed; /* as it is kept; malloc'ed, NULL once nothing of it is needed */
    size_t kept_bytes;
    size_t plain_n;           /* bytes that it holds; of windows */
    uint64_t recent_place;    /* where they lie, see recent.h */
    size_t live, items_n;     /* pieces that lie in it; items that it has */
    struct mirror_name *name; /* of windows */
    int64_t arrived_ms;       /* by this process' clock */
    int64_t ends_ms;          /* of ids: nothing of it is needed from this watermark on */
    struct mirror_field *next;
};

struct mirror_fields {
    struct mirror_field *first, *last;
};

/* Records of a window that are in no base yet: an item of a field. */
struct mirror_piece {
    struct mirror_field *field;
    uint32_t at;   /* where it lies in it */
    uint32_t next; /* number of the one behind it; of the last one, of the first */
};

/* A process has as many of these as there are live keys: it is kept small. */
struct mirror_window {
    struct window_id id; /* first: it lies in a window_table */
    int64_t due_ms;
    int64_t touched;           /* the last entry that did */
    int64_t base_number;       /* the entry that wrote the base */
    uint32_t records_n, bytes; /* of the pieces */
    uint32_t base_n, base_bytes;
    uint32_t calm_n; /* see struct judged */
    uint32_t last;   /* number of its last piece, 0: it has none */
    int64_t calm_from_ms;
    uint32_t
        listed;  /* where it stands among those that want judging, or wait for proof */
    uint32_t at; /* its number */
    uint16_t name;
    bool there : 1; /* else the number is free */
    bool based : 1, lapses : 1, waits : 1, unproven : 1;
    bool is_long : 1; /* its records are to go into a base: the journal is long */
    bool queued : 1;  /* the heap that it belongs to has its due time */
};

struct mirror_listed {
    uint32_t window;
    int64_t from_ms; /* what was said when it began to wait */
};

struct mirror_list {
    struct mirror_listed *items;
    uint32_t n, cap;
};

struct mirror_domain {
    char *lane; /* "": the shard itself */
    int64_t watermark_ms;
    struct seen_ids seen;
    struct mirror_fields ids;
    struct due_heap due, lapsing;
    struct mirror_list waiting, unproven;
};

struct mirror_name {
    char *text; /* a rule's windows, with its layout */
    size_t bytes, domain;
    int64_t windows_n;
    struct mirror_fields fields;
    struct mirror_field *held; /* the first that is needed, or behind those that are */
    size_t held_bytes;         /* from there on, as they stand in the store */
    size_t live, items_n;      /* pieces that lie there; items that are there */
};

/* A part of a field, as it was read of late. */
enum { MIRROR_FRAMES = 128 };
struct mirror_frame {
    const struct mirror_field
        *field; /* may be gone: there is another with that number, or none */
    int64_t number;
    size_t frame;
    struct buf bytes;
};

struct mirror {
    int64_t next; /* number of the entry to come */
    char tail[WINDOW_VERSION_BYTES];
    int64_t id_slot_ms;
    int64_t now_ms; /* this process' clock; set by who folds, and who asks what is dead */
    struct mirror_domain **domains;
    size_t domains_n;
    struct mirror_name **names;
    size_t names_n;
    struct window_table windows;
    struct pool pieces;
    size_t long_bytes; /* of windows' fields that stand in the store: then it is long */
    int64_t kept_ms;   /* fields stay so long at least */
    struct journal_codec codec;
    struct buf whole;   /* the field that was read last */
    const char *folded; /* the bytes of the one that is folded */
    struct mirror_frame frames[MIRROR_FRAMES];
    struct recent recent; /* what the last fields hold; who has made it says how much room there is */
};

void mirror_init(struct mirror *m, int64_t id_slot_ms);
void mirror_deinit(struct mirror *m);

/* Made when it is new. The shard's own is always the first. */
struct mirror_domain *mirror_domain(struct mirror *m, struct str lane);

/* One field of entry `number`, copied. False: it is damaged. What comes twice does no harm: bases are told again. */
bool mirror_fold(struct mirror *m, int64_t number, struct str field, struct str bytes);
/* The same of a field that this process packed: `plain` is what is packed. */
bool mirror_fold_own(struct mirror *m, int64_t number, struct str field,
                     struct str packed, struct str plain);
/* A base that stands in the store, where the entry that made it may be gone. */
void mirror_base(struct mirror *m, int64_t number, struct str lane, struct str name,
                 const struct window_id *id, const struct journal_item *item);

/* NULL: there is none. */
struct mirror_window *mirror_find(const struct mirror *m, const struct window_id *id);
bool mirror_seen(struct mirror *m, struct str lane, const struct journal_id *id);
int64_t mirror_count(const struct mirror *m, struct str name);

/* The earliest due time of windows that do not lapse; STORE_NO_DUE: none. */
int64_t mirror_next_due(struct mirror *m, struct mirror_domain *d);
/* At most `limit` windows that want judging, wait for proof (if asked for), or are due at the watermark; pointers are valid until
 * something is folded. */
size_t mirror_judge(struct mirror *m, struct mirror_domain *d, int64_t watermark_ms,
                    bool unproven, size_t limit, struct mirror_window **out);
/* By how many times the journal is too long, where records in old fields of this domain are to go into bases; else 0. */
size_t mirror_is_long(const struct mirror *m, const struct mirror_domain *d);
/* Then: windows with records in the oldest field of the name that has most, behind the n that are there, until there are
 * `limit`, each once. How many there are then. */
size_t mirror_long(struct mirror *m, const struct mirror_domain *d, size_t limit,
                   struct mirror_window **out, size_t n);
/* Those that want judging since entry `number`, at most `limit`. */
size_t mirror_wanting(const struct mirror *m, const struct mirror_domain *d,
                      int64_t number, size_t limit, struct mirror_window **out);
/* The least that was said when one of them began to wait; STORE_NO_DUE: none waits. */
int64_t mirror_waits_from(const struct mirror_domain *d);

/* A window's pieces, the oldest first, copied into the arena: *at begins with 0. False: there are no more. */
bool mirror_next_piece(struct mirror *m, const struct mirror_window *w, uint32_t *at,
                       struct arena *arena, struct journal_item *out);
/* The whole head of a window with that key, in the arena. */
struct str mirror_head(const struct mirror *m, const struct mirror_window *w,
                       struct str key, struct arena *arena);

/* Names of fields of which nothing is needed any more, at most `max`, in the arena. */
size_t mirror_dead(struct mirror *m, size_t max, struct arena *arena, struct str *out);
/* They are gone. False: one of them is needed here, so this mirror is not that of who dropped it. */
bool mirror_trim(struct mirror *m, const struct str *fields, size_t n);

#endif

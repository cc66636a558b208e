/* A shard's journal: what was applied to its windows and what was committed, as one history (docs/once.md, "The
 * journal"). Here is how its fields are packed. Pure.
 *
 * An entry has a number and up to one field of ids, one of windows a name (a rule's, with its layout), and one that says
 * that a lane joined. Each field can be read alone, and be dropped alone when nothing of it is needed any more. */
#ifndef WINDOWS_JOURNAL_H
#define WINDOWS_JOURNAL_H

#include "windows/window_store.h"

/* What every field begins with. */
struct journal_head {
    struct str lane;       /* whose watermark it is; empty: the shard's */
    int64_t watermark_ms;  /* that its writer knew; STORE_NO_TIME: none */
    int64_t waits_from_ms; /* what begins to wait with it says nothing before it */
};
void journal_put_head(struct buf *out, const struct journal_head *h);
/* Texts borrow. False: it is damaged. */
bool journal_read_head(struct reader *r, struct journal_head *out);

/* An id of an accepted event. */
enum { JOURNAL_HASH_BYTES = 12 };
struct journal_id {
    int64_t time_ms;
    char hash
        [JOURNAL_HASH_BYTES]; /* the first of XXH3's 128 bits: it cannot be packed, and is most of what a record costs */
};
void journal_hash(struct str id, struct journal_id *out);
/* before_ms: the time of the id before it in the field, 0 for the first one. */
void journal_put_id(struct buf *out, const struct journal_id *id, int64_t before_ms);
bool journal_read_id(struct reader *r, struct journal_id *out, int64_t before_ms);

/* What became of one window. */
struct journal_item {
    struct str key; /* its head without the name */
    bool committed; /* else records were added */
    /* added: with which a new window lapses; committed: it is no more, it stays as it was, it waits for proof */
    bool lapses, gone, as_it_was, unproven;
    uint32_t n, bytes; /* added: the records; committed: those kept */
    uint32_t judge_at; /* added; committed: calm_n (struct judged) */
    int64_t due_ms;
    int64_t first_ms;   /* added: event time of the earliest; committed: calm_from_ms */
    struct str records; /* added */
};
void journal_put_item(struct buf *out, const struct journal_item *item);
bool journal_read_item(struct reader *r, struct journal_item *out);

/* A field as it is kept: compressed where that saves something, in frames each of which can be read alone: larger ones pack
 * tighter, smaller ones are read sooner (docs/performance.md). */
enum { JOURNAL_FRAME_BYTES = 12 << 10 };
/* What makes frames and reads them, used again and again. All zero is one. */
struct journal_codec {
    struct ZSTD_CCtx_s *packs;
    struct ZSTD_DCtx_s *unpacks;
};
void journal_codec_deinit(struct journal_codec *c);
/* Without a codec it is not compressed. */
void journal_pack(struct journal_codec *c, struct str field, struct buf *out);
/* The opposite. False: it is damaged. */
bool journal_unpack(struct journal_codec *c, struct str packed, struct buf *out);
/* One frame of it, compressed, counted from 0; STR_NONE: there is none. */
struct str journal_frame(struct str packed, size_t frame);
/* What it holds, behind what `out` has. */
bool journal_frame_unpack(struct journal_codec *c, struct str frame, struct buf *out);
/* It is not compressed: what it holds; else STR_NONE. */
struct str journal_plain(struct str packed);

/* The names of an entry's fields: "12 i", "12 w NAME", "12 j". */
enum journal_kind {
    JOURNAL_NONE,
    JOURNAL_VERSION,
    JOURNAL_IDS,
    JOURNAL_WINDOWS,
    JOURNAL_JOIN
};
enum journal_kind journal_kind_of(struct str field, int64_t *number, struct str *name);

#endif

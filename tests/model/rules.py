"""What the protocol is made of: name -> a schedule that goes wrong without it, what it says.

M(n): of schedule n the outcome was right, but mirrors at the same tail differed (model.py, check M).
Tried(n): none of n went wrong; why the rule stays is said behind the colon. That is reasoning, not shown.
"""


class M(int):
    pass


class Tried(int):
    pass


RULES = {  # name: a schedule that goes wrong without it, what it says
    "cursor": (8, "a batch is applied iff the cursor stands at its start"),
    "left_over": (3, "windows that wait or are due are judged by anybody"),
    "same_reply": (Tried(949), "a window is judged with the watermark that came with it: "
     "what a pod saw before Redis lost it would count as passed"),
    "all_partitions": (2, "the watermark waits for every partition, from the script that makes the state on"),
    "local_late": (0, "late is decided from the partition's own prefix"),
    "idle_proof": (1, "idleness is proven at the cursor, by a request older than the time it proves"),
    "idle_elapsed": (1, "and moves a partition only by the time since its last events"),
    "proof": (59, "words are early only where no older episode can come: all that was appended is in the window"),
    "open_episodes": (6, "T covers the episodes that were not over before R"),
    "ordered": (5201, "R <= u, also after a rollback of one shard: else what was committed before holds"),
    "unsent": (55, "u is held back by what is not delivered"),
    "entry_u": (4294, "... by the u at which it came into the outbox, not by its own time"),
    "waiting": (Tried(1049), "u is held back by windows that wait: "
     "a window that died with its judge, and then Redis: its words would be taken for said"),
    "due": (55, "u is held back by windows that are due"),
    "floor": (6, "until a new state has come to its u, its u, R, T are those it was made with"),
    "silence": (4, "nothing before the state's u is said"),
    "calm": (852, "nothing is said early before the watermark has come to the state's u"),
    "record_from": (6, "nothing before the state's R is recorded"),
    "marks": (2, "a partition begins again at a mark before T, not at its commit"),
    "state_t": (Tried(870), "... before the T that the state was made with, whoever made it: "
     "the commits may be another's by then"),
    "max": (34, "u, R, T are those of the commit that knows most"),
    "high": (Tried(959), "a mark brings the largest event time before it: "
     "else a late event is taken where the log is read again"),
    "baseline": (1020, "a kind with a baseline judges nothing before T + lookback"),
    "trimmed": (0, "a history begins with a bucket that held something"),
    "incarnation": (90, "the hash of the last applied record is compared with the log"),
    "recheck": (4221, "... whenever a cursor is read, not at an assignment only"),
    "token": (Tried(641), "the incarnation is part of the cursor: "
     "the old cursor and the new one may be the same number"),
    "mark_hash": (1067, "a mark has that hash too"),
    "ack_after": (3, "an entry is acknowledged after the answer"),
    "lease": (1, "a lease is renewed while the request is under way"),
}
OF_JOURNAL = {  # journal.py, mirror.py, follower.py
    "tail": (0, "a write holds iff the journal's tail is the one that it was made for"),
    "tail_version": (27, "... by its version, not by its number only"),
    "sync_version": (15, "a mirror follows iff its last entry has the version there, too"),
    "reload": (1, "... else it is dropped"),
    "tail_always": (10, "a batch of which nothing is left names the tail, too"),
    "entry_w": (Tried(3884), "an entry's watermark is not beyond that of the state: "
     "else ids are forgotten at a watermark that Redis lost, and come again"),
    "late_w": (Tried(3742), "nothing of an entry is older than the watermark of the state: "
     "idleness may have passed an event between deciding and writing"),
    "lapse_w": (M(0), "windows lapse at the watermark of entries, not at the one that a pod knows"),
    "lapse_base": (2, "what has a base does not lapse"),
    "forget": (M(0), "ids are forgotten at the watermark of entries"),
    "left_out": (1, "a judgement that comes later leaves out windows that newer entries touch"),
    "left_out_c": (1, "... also by a judgement"),
    "trim_dead": (0, "only what says nothing any more is trimmed"),
    "trim_order": (37, "... of one rule the oldest fields first: what is left has its C behind it"),
    "trim_tail": (91, "... iff the tail is the one for which that was found"),
    "trim_entry": (5034, "... and with an entry, so that a rollback of the trimming is seen"),
    "whole": (17, "... and nothing of entries that mirrors may follow"),
    "field_w": (M(381), "every field has the watermark of its entry, at which a load lapses windows"),
    "load_w": (M(0), "a load lapses at the watermark of the last entry"),
    "load_bases": (M(293), "a load knows which windows have bases"),
    "load_chain": (M(329), "every piece of a load is of the history of the one before"),
    "load_there": (318, "what was trimmed while it was loaded is left out"),
    "own": (4, "a pod folds what it wrote and does not know of"),
    "mirror_epoch": (Tried(2291), "a mirror is dropped with the state's epoch: "
     "a lane's bases are told by the lane's entries only"),
}
OF_CHANGES = {  # the same for schedules whose rules change (changes.py); numbers from CHANGES on
    "refused": (103, "rules are put in place with a new epoch: who has others is refused"),
    "since": (0, "a lane says and records nothing of before the watermark with which it was made"),
    "gen": (6, "windows are named after the lane that filled them"),
    "in_step": (10, "a lane joins where it stands where the shard stands"),
    "caught_up": (Tried(682), "... its watermark is where it is to begin to speak, and where the shard was in a log before: "
     "the shard would speak for what the lane has not read"),
    "settled": (578, "... and nothing is left that it must not say"),
    "join_epoch": (10, "a lane joins with a new epoch"),
    "join_u": (Tried(680), "... and the shard's u goes back to the lane's: "
     "what the lane has still to say is older than the shard's u"),
    "join_journal": (6, "... its journal becomes part of the shard's"),
    "join_w": (M(16), "... with an entry behind it that has the watermark of both"),
    "lapse_entry": (Tried(923), "... windows lapse at the watermark of the entry at hand: "
     "a lane's come behind newer ones: else a lane's first record lapses before its second comes"),
    "join_ids": (161, "... and the shard takes over its ids: "
     "it knows only those of events that concerned its own rules"),
    "lanes_u": (Tried(559), "u and T are those of lanes, too: the same before it joins"),
}

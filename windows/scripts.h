/* The Lua scripts: windows/NAME.lua as script_NAME, NUL-terminated, made by embed.cmake. */
#ifndef WINDOWS_SCRIPTS_H
#define WINDOWS_SCRIPTS_H

extern const char script_common[];
extern const char script_open[];
extern const char script_join[];
extern const char script_rake[];
extern const char script_apply[];
extern const char script_commit[];
extern const char script_sync[];
extern const char script_load[];
extern const char script_idle[];
extern const char script_place[];
extern const char script_begin[];
extern const char script_remade[];
extern const char script_horizon[];
extern const char script_proves[];
extern const char script_notice[];
extern const char script_outbox_common[];
extern const char script_outbox_take[];
extern const char script_outbox_storm[];
extern const char script_outbox_compose[];
extern const char script_outbox_apart[];
extern const char script_outbox_ack[];
extern const char script_outbox_dead[];
extern const char script_outbox_figures[];
extern const char script_outbox_hold[];
extern const char script_outbox_mute[];
extern const char script_outbox_redrive[];
extern const char script_outbox_later[];
extern const char script_outbox_pace[];
extern const char script_outbox_remember[];
extern const char script_outbox_tidy[];

#endif

/* `where`: one condition a line with what it says of one event, and one mistake a line with what is said. */
#include "core/where.h"

#include "tests/check.h"

static struct arena arena;

/* category 'billing', channel 'chat', csat 3, sentiment -0.5, escalated false; no tier, no mrr. */
static struct event sample(void)
{
    static struct value values[FIELD_COUNT];
    struct event e = {.type = EVENT_TICKET_CREATED, .values = values};
    event_add(&e, FIELD_TICKET_CATEGORY,
              (struct value){.type = VALUE_TEXT, .text = STR("billing")});
    event_add(&e, FIELD_TICKET_CHANNEL,
              (struct value){.type = VALUE_TEXT, .text = STR("chat")});
    event_add(&e, FIELD_TICKET_SUBJECT,
              (struct value){.type = VALUE_TEXT, .text = STR("Rechnung größer")});
    event_add(&e, FIELD_TICKET_CSAT, (struct value){.type = VALUE_NUMBER, .number = 3});
    event_add(&e, FIELD_TICKET_SENTIMENT,
              (struct value){.type = VALUE_NUMBER, .number = -0.5});
    event_add(&e, FIELD_TICKET_ESCALATED,
              (struct value){.type = VALUE_FLAG, .flag = false});
    return e;
}

static const struct {
    const char *text;
    bool matches;
} conditions[] = {
    {"ticket.csat < 3", false},
    {"ticket.csat < 3.5", true},
    {"ticket.csat <= 3", true},
    {"ticket.csat>3", false},
    {"ticket.csat>=3", true},
    {"ticket.csat == 3.0", true},
    {"ticket.csat == 3e0", true},
    {"ticket.csat == 0.3e+1", true},
    {"ticket.csat == 30e-1", true},
    {"ticket.csat != 3", false},
    {"ticket.sentiment < -0.3", true},
    {"ticket.sentiment<-0.5", false},
    {"ticket.csat in [1, 2, 3]", true},
    {"ticket.csat in [3]", true},
    {"ticket.csat in [1,2]", false},
    {"ticket.csat not in [1, 2]", true},
    {"ticket.csat not in [1, 3]", false},
    {"ticket.category == 'billing'", true},
    {"ticket.category == \"billing\"", true},
    {"ticket.category == 'Billing'", false},
    {"ticket.category != 'billing'", false},
    {"ticket.category in ['login', 'billing']", true},
    {"ticket.category < 'c'", true},
    {"ticket.category < 'billin'", false},
    {"ticket.category <= 'billing2'", true},
    {"ticket.category contains 'ill'", true},
    {"ticket.category contains ''", true},
    {"ticket.category contains 'billings'", false},
    {"ticket.category starts_with 'bill'", true},
    {"ticket.category starts_with 'ill'", false},
    {"ticket.subject contains 'größer'", true},
    {"ticket.escalated == false", true},
    {"ticket.escalated != false", false},
    {"ticket.escalated in [true, false]", true},
    /* an absent field */
    {"account.tier == 'free'", false},
    {"account.tier != 'free'", false},
    {"account.tier in ['free']", false},
    {"account.tier not in ['free']", false},
    {"account.tier contains ''", false},
    {"account.mrr < 1e300", false},
    {"not account.mrr < 1e300", true},
    {"not (account.tier != 'free')", true},
    {"exists(account.tier)", false},
    {"exists ( ticket.csat )", true},
    {"not exists(account.tier)", true},
    /* and binds closer than or, not closest */
    {"ticket.csat == 3 or ticket.csat == 4 and ticket.csat == 5", true},
    {"(ticket.csat == 3 or ticket.csat == 4) and ticket.csat == 5", false},
    {"ticket.csat == 4 and ticket.csat == 5 or ticket.csat == 3", true},
    {"ticket.csat == 4 and (ticket.csat == 5 or ticket.csat == 3)", false},
    {"not ticket.csat == 4 and ticket.csat == 5", false},
    {"not (ticket.csat == 4 and ticket.csat == 5)", true},
    {"not ticket.csat == 3 or ticket.csat == 3", true},
    {"not not ticket.csat == 3", true},
    {"not (not (ticket.csat == 3) or ticket.csat == 3)", false},
    {"ticket.csat == 1 or ticket.csat == 2 or ticket.csat == 3", true},
    {"ticket.csat == 3 and ticket.csat > 2 and ticket.csat < 3", false},
    {"ticket.csat == 3 and ticket.csat > 2 and ticket.csat < 4", true},
    {"((((ticket.csat == 3))))", true},
    {"\n  ticket.csat\t== 3\r\n and ticket.channel == 'chat'\n", true},
};

static void conditions_match(void)
{
    struct event e = sample();
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        struct err err = {0};
        size_t at;
        struct where *w = where_compile(&arena, str_of(conditions[i].text), &at, &err);
        if (!w)
            fprintf(stderr, "%s\n  at %zu: %s\n", conditions[i].text, at, err.text);
        CHECK(w);
        if (w && where_matches(w, &e) != conditions[i].matches) {
            fprintf(stderr, "%s: not %d\n", conditions[i].text, conditions[i].matches);
            check_failures++;
        }
    }
}

/* The ^ stands before the fault; it is not part of the condition. */
static const struct {
    const char *text, *says;
} mistakes[] = {
    {"^", "expected a field, for example ticket.category, but the condition ends here"},
    {"ticket.csat^", "expected < <= > >= == != in or not in after ticket.csat, but the "
                     "condition ends here"},
    {"ticket.escalated^",
     "expected == true or == false after ticket.escalated, but the condition ends here"},
    {"ticket.csat <^",
     "expected a value: a number, a 'text', true or false, but the condition ends here"},
    {"^ticket.sentimnt < 0",
     "there is no field 'ticket.sentimnt'; did you mean 'ticket.sentiment'?"},
    {"^csat < 3", "there is no field 'csat'; did you mean 'ticket.csat'?"},
    {"exists(^account.teir)",
     "there is no field 'account.teir'; did you mean 'account.tier'?"},
    {"^weather == 'bad'", "there is no field 'weather'"},
    {"^account == 'acme'", "account is no field but has some, for example account.id"},
    {"ticket.category ^= 'billing'", "write == instead of ="},
    {"ticket.csat ^<> 3", "write != instead of <>"},
    {"ticket.csat ^=> 3", "write >= instead of =>"},
    {"ticket.csat < 3 ^&& ticket.csat > 1", "write and instead of &&"},
    {"ticket.csat < 3 ^OR ticket.csat > 1", "write or instead of OR"},
    {"^!exists(ticket.csat)", "write not instead of !"},
    {"ticket.category == ^‘billing’", "write ' instead of ‘"},
    {"ticket.category == ^billing",
     "expected a value; a text stands in quotes: 'billing'"},
    {"ticket.category == ^'billing", "this text has no closing '"},
    {"ticket.category == ^5", "ticket.category is a text: write '5'"},
    {"ticket.csat < ^'3.5'", "ticket.csat is a number, but '3.5' is a text"},
    {"ticket.escalated == ^1", "ticket.escalated is true or false, but 1 is a number"},
    {"ticket.escalated ^< true",
     "< does not go with ticket.escalated, which is true or false"},
    {"ticket.csat ^contains 3",
     "contains does not go with ticket.csat, which is a number"},
    {"ticket.csat == ^null",
     "to ask whether a field is there, write exists(FIELD) or not exists(FIELD)"},
    {"ticket.csat < ^30%",
     "expected a value: a number, a 'text', true or false, found 30%"},
    {"ticket.csat < ^1e999", "this number is too long or too large"},
    {"ticket.csat < 3 ^ticket.csat > 1",
     "expected and, or, or the end of the condition, found ticket.csat"},
    {"(ticket.csat < 3^", "expected and, or, or ), but the condition ends here"},
    {"ticket.csat < 3^)", "expected and, or, or the end of the condition, found )"},
    {"ticket.csat < 3 and^",
     "expected a field, for example ticket.category, but the condition ends here"},
    {"ticket.csat < 3 and ^or",
     "expected a field, for example ticket.category, found or"},
    {"^3 < ticket.csat", "expected a field, for example ticket.category, found 3"},
    {"ticket.csat in ^3", "expected a list, for example ['chat', 'email'], found 3"},
    {"ticket.csat in [^]",
     "expected a value: a number, a 'text', true or false, found ]"},
    {"ticket.csat in [1 ^2]", "expected , or ], found 2"},
    {"ticket.csat not ^3",
     "expected in; to turn a comparison round, write not before it, found 3"},
    {"exists ^ticket.csat",
     "expected ( and a field, as in exists(ticket.csat), found ticket.csat"},
    {"ticket.csat < 3 ^# low", "expected and, or, or the end of the condition, found #"},
};

static void refuse_at(const char *marked, const char *says)
{
    struct err err = {0};
    size_t at = SIZE_MAX, fault = strcspn(marked, "^");
    char text[200];
    snprintf(text, sizeof text, "%.*s%s", (int)fault, marked, marked + fault + 1);
    CHECK(!where_compile(&arena, str_of(text), &at, &err));
    CHECK_INT(err.kind, ERR_INPUT);
    CHECK_STR(str_of(err.text), str_of(says));
    CHECK_INT(at, fault);
}

static void mistakes_are_explained(void)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        refuse_at(mistakes[i].text, mistakes[i].says);
}

static void refuse(struct str text, const char *says)
{
    struct err err = {0};
    size_t at;
    CHECK(!where_compile(&arena, text, &at, &err));
    CHECK_STR(str_of(err.text), str_of(says));
    CHECK(at <= text.n);
}

/* `one` n times, then `last`, for a condition that is too much. */
static void repeated(const char *one, size_t n, const char *last, const char *says)
{
    char *text = malloc(strlen(one) * n + strlen(last) + 1), *to = text;
    for (size_t i = 0; i < n; i++)
        to = stpcpy(to, one);
    to = stpcpy(to, last);
    refuse((struct str){text, (size_t)(to - text)}, says);
    free(text);
}

static void bounds_hold(void)
{
    repeated("(", 33, "ticket.csat == 1",
             "more than 32 parentheses and nots inside one another");
    repeated("not ", 1000, "ticket.csat == 1",
             "more than 32 parentheses and nots inside one another");
    repeated("ticket.csat==1 or ", 300, "ticket.csat==1",
             "the condition is too long; make two rules of it");
    char many[20 + 3 * 1030] = "ticket.csat in [1";
    for (int i = 0; i < 1030; i++)
        memcpy(many + 17 + 2 * i, ",1", 3);
    refuse(str_of(many), "more than 1024 values");
    repeated(" ", 9000, "ticket.csat==1", "the condition is longer than 8192 bytes");
    refuse(STR("ticket.csat\0 < 3"),
           "expected < <= > >= == != in or not in after ticket.csat, found ");
}

/* What was compiled needs the text no longer. */
static void text_is_copied(void)
{
    char text[] = "ticket.category in ['login', 'billing']";
    struct err err = {0};
    struct event e = sample();
    size_t at;
    struct where *w = where_compile(&arena, str_of(text), &at, &err);
    memset(text, 'x', sizeof text);
    CHECK(w && where_matches(w, &e));
}

int main(void)
{
    arena_init(&arena);
    conditions_match();
    mistakes_are_explained();
    bounds_hold();
    text_is_copied();
    arena_deinit(&arena);
    return check_result();
}

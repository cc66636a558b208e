/* Templates: what they say, what check finds in them, and that no value of a customer's takes effect. */
#include "sinks/template.h"

#include "tests/check.h"

#define T0 INT64_C(1772443200000) /* 2026-03-02T09:20:00Z */

static struct alert an_alert(void)
{
    return (struct alert){
        .id = "0123456789abcdef0123456789abcdef",
        .rule = STR("page-error"),
        .kind = STR("count"),
        .severity = SEVERITY_HIGH,
        .time_ms = T0,
        .keys_n = 2,
        .key_names = {STR("page"), STR("error")},
        .key_values = {STR("/billing"), STR("inv_500")},
        .count = 3,
        .users = 2,
        .accounts = {{STR("acme"), STR("Acme <!channel>"), STR("enterprise"), STR_NONE,
                      STR("csm-3"), 12000},
                     {STR("b"), STR("{{id}} *B*"), STR_NONE, STR_NONE, STR_NONE, 0}},
        .accounts_listed = 2,
        .accounts_n = 2,
        .first_seen_ms = T0 - 60000,
        .last_seen_ms = T0,
        .evidence = {{STR("e1"), STR("T-1"), STR("u-1"), STR("acme"), T0, -1, 0}},
        .evidence_n = 1,
        .sample = {.error_type = STR("HttpError"), .action = STR("download")}};
}

static void says(const char *template, enum dialect d, const char *wanted)
{
    struct alert a = an_alert();
    struct buf out;
    struct err e = {0};
    buf_init(&out, 100000);
    CHECK_INT(template_fill(str_of(template), &a, d, STR("https://h/{id}"), &out, &e), 0);
    CHECK_STR(buf_str(&out), str_of(wanted));
    buf_deinit(&out);
}

static void fills_in(void)
{
    says("", DIALECT_PLAIN, "");
    says("{{severity}}: {{title}}, {{how_often}}", DIALECT_PLAIN,
         "high: HttpError on /billing, 3 times from 2 people in 60 s");
    says("{{#firing}}new{{/firing}}{{#resolved}}over{{/resolved}}{{^resolved}}!{{/"
         "resolved}}",
         DIALECT_PLAIN, "new!");
    says("{{#keys}}{{name}}={{value}} {{/keys}}", DIALECT_PLAIN,
         "Page=/billing Error=inv_500 ");
    says("{{#version}}v{{version}}{{/version}}{{#action}}a {{action}}{{/action}}",
         DIALECT_PLAIN, "a download");
    says("{{#cases}}{{ticket}} {{time}}{{/cases}}", DIALECT_SLACK,
         "<https://h/T-1|T-1> 2026-03-02 09:20 UTC");
    says("{{#cases}}{{ticket}}{{/cases}}", DIALECT_MARKDOWN, "[T-1](https://h/T-1)");
    says("{{! nothing }}{{mrr}} of {{accounts_total}}", DIALECT_PLAIN, "12,000 of 2");
}

/* An inner name that is not known is not an outer one. */
static void inner_names_are_their_own(void)
{
    says("{{#accounts}}{{name}}:{{mrr}}:{{owner}};{{/accounts}}", DIALECT_PLAIN,
         "Acme <!channel>:12,000:csm-3;{{id}} *B*::;");
}

static void values_are_harmless(void)
{
    says("*{{#accounts}}{{name}} {{/accounts}}*", DIALECT_SLACK,
         "*Acme &lt;!channel&gt; {{id}} *B* *");
    says("{{#accounts}}{{name}} {{/accounts}}", DIALECT_MARKDOWN,
         "Acme \\<\\!channel\\> {{id}} \\*B\\* ");
    says("<b>{{#accounts}}{{{name}}}{{&name}}{{/accounts}}</b>", DIALECT_HTML,
         "<b>Acme &lt;!channel&gt;Acme &lt;!channel&gt;{{id}} *B*{{id}} *B*</b>");
}

static void refused(const char *template, size_t line, const char *why)
{
    struct err e = {0};
    size_t at = 0;
    CHECK_INT(template_check(str_of(template), &at, &e), -1);
    CHECK_INT(at, line);
    if (!strstr(e.text, why))
        CHECK_STR(str_of(e.text), str_of(why));
}

static void taken(const char *template)
{
    struct err e = {0};
    size_t at = 0;
    CHECK_INT(template_check(str_of(template), &at, &e), 0);
    CHECK_STR(str_of(e.text), STR(""));
}

static void is_checked(void)
{
    taken("");
    taken("no tags, { one } brace");
    taken("{{ title }} {{#accounts}}{{tier}} {{title}}{{/accounts}}{{! any thing }}");
    refused("a\nb {{titel}}", 2, "no such name: {{titel}}; did you mean 'title'?");
    refused("{{tier}}", 1, "no such name: {{tier}}");
    refused("{{#accounts}}\n{{tir}}{{/accounts}}", 2, "did you mean 'tier'?");
    refused("{{#acounts}}{{/acounts}}", 1, "did you mean 'accounts'?");
    refused("x\n{{#accounts}}\ny\n", 4, "never closed: {{accounts}}");
    refused("{{/accounts}}", 1, "not open here");
    refused("{{#accounts}}{{#keys}}{{/accounts}}{{/keys}}", 1, "not open here");
    refused("{{{title}}}", 1, "escaped for its reader");
    refused("{{&title}}", 1, "escaped for its reader");
    refused("{{>other}}", 1, "included");
    refused("{{=<% %>=}}", 1, "signs");
    refused("{{}}", 1, "without a name");
    refused("{{title", 1, "");
}

static void lines_are_lines(void)
{
    struct alert a = an_alert();
    struct template_file t = {STR("x"), STR("{{title}}\n\n  on {{rule}}\n")};
    struct buf out;
    buf_init(&out, 1000);
    CHECK(template_line(&t, &a, &out, 200));
    CHECK_STR(buf_str(&out), STR("HttpError on /billing on page-error"));
    buf_clear(&out);
    CHECK(template_line(&t, &a, &out, 12));
    CHECK_STR(buf_str(&out), STR("HttpError o…"));
    buf_clear(&out);
    CHECK(!template_line(&(struct template_file){STR("x"), STR(" {{version}}\n")}, &a,
                         &out, 9));
    CHECK(!template_line(&(struct template_file){STR_NONE, STR_NONE}, &a, &out, 9));
    CHECK_INT(out.n, 0);
    buf_deinit(&out);
}

int main(void)
{
    fills_in();
    inner_names_are_their_own();
    values_are_harmless();
    is_checked();
    lines_are_lines();
    return check_result();
}

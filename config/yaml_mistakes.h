/* What is wrong with a text that should be YAML, in words. For yaml.c only. */
#ifndef CONFIG_YAML_MISTAKES_H
#define CONFIG_YAML_MISTAKES_H

#include <yaml.h>

#include "config/reading.h"

/* UTF-8 without control characters (which libyaml would find too, without saying where). */
bool yaml_text_valid(struct reading *r, struct str text);

/* Notes the parser's error. */
void yaml_explain(struct reading *r, const yaml_parser_t *parser, struct str text);

#endif

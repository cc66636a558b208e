// The only C++ of the program, because Debian has no Mustache library in C. Out of memory ends the program, as everywhere.
#include "sinks/mustache.h"

#include <cstdlib>
#include <cstring>
#include <kainjow/mustache.hpp>
#include <string>

using kainjow::mustache::data;

static data value_of(const json_t *value);

static data object_of(const json_t *object)
{
    data made{data::type::object};
    json_t *map = const_cast<json_t *>(object), *member;
    const char *name;
    json_object_foreach(map, name, member)
        made.set(name, value_of(member));
    return made;
}

static data value_of(const json_t *value)
{
    if (json_is_object(value))
        return object_of(value);
    if (json_is_array(value)) {
        data list{data::type::list};
        for (size_t i = 0; i < json_array_size(value); i++)
            list.push_back(value_of(json_array_get(value, i)));
        return list;
    }
    if (json_is_string(value))
        return data{std::string(json_string_value(value), json_string_length(value))};
    return data{json_is_true(value)};
}

static char *copy(const std::string &s)
{
    char *p = static_cast<char *>(std::malloc(s.size() + 1));
    if (!p)
        std::abort();
    std::memcpy(p, s.c_str(), s.size() + 1);
    return p;
}

char *mustache_fill(const char *text, size_t text_n, const json_t *names, size_t *n,
                    char **error)
{
    kainjow::mustache::mustache filled{std::string(text, text_n)};
    filled.set_custom_escape([](const std::string &s) { return s; });
    std::string out;
    if (filled.is_valid())
        out = filled.render(object_of(names));
    if (!filled.is_valid()) {
        *error = copy(filled.error_message());
        return nullptr;
    }
    *n = out.size();
    return copy(out);
}

-- Put before the scripts that look along an outbox. KEYS[1] is it.
local key, group, bound = KEYS[1], 'delivery', 100

local function alert_of(entry)
    local fields = entry[2]
    for i = 1, #fields, 2 do
        if fields[i] == 'alert' then return fields[i + 1] end
    end
    return ''
end

-- Rule and key as core/alert.c writes them: no quote stands bare inside a text. What is no alert is alone.
local function topic_of(entry)
    local alert = alert_of(entry)
    local rule, key_object = string.match(alert, '^{"id":"%x+","rule":"(.-)","kind":.-,"key":({.-}),"')
    return rule and rule .. key_object or entry[1]
end

-- The digests that are composed: the last entry of each, by its first one. The field `apart` is none.
local function digests_of(name)
    local all, flat = {}, redis.call('HGETALL', name)
    for i = 1, #flat, 2 do all[flat[i]] = flat[i + 1] end
    return all
end

-- What a digest tells besides its first entry.
local function behind(first, last)
    return redis.call('XRANGE', key, '(' .. first, last)
end

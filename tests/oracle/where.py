"""`where`, read from its description and evaluated over an event as it stands in the log.

  condition  = and-part { "or" and-part }            and-part = not-part { "and" not-part }
  not-part   = "not" not-part | "(" condition ")" | comparison
  comparison = "exists" "(" field ")" | field op literal | field ["not"] "in" "[" literals "]"
             | field ("contains" | "starts_with") text
A comparison with an absent field is false, != and `not in` included.
"""
import re

TOKEN = re.compile(r"\s*(?:(<=|>=|==|!=|<|>|\(|\)|\[|\]|,)|('[^']*'|\"[^\"]*\")|(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|([A-Za-z_][\w.]*))")
OPS = {"<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
       "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
       "contains": lambda a, b: b in a, "starts_with": lambda a, b: a.startswith(b)}


def compile(text, field_of):
    """A function event -> bool. field_of(event, name) is a str, float, bool, or None where absent."""
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        m = TOKEN.match(text, at)
        if not m:
            raise ValueError("where: cannot read %r" % text[at:])
        at = m.end()
        tokens.append(m.group().strip())
    reader = Reader(tokens, field_of)
    condition = reader.either()
    if reader.tokens:
        raise ValueError("where: %r is left over" % reader.tokens)
    return condition




class Reader:
    def __init__(self, tokens, field_of):
        self.tokens, self.field_of = tokens, field_of

    def take(self, *expected):
        if self.tokens and (not expected or self.tokens[0] in expected):
            return self.tokens.pop(0)
        if not expected:
            raise ValueError("where: ends too early")
        return None

    def either(self):
        parts = [self.both()]
        while self.take("or"):
            parts.append(self.both())
        return lambda e: any(p(e) for p in parts)

    def both(self):
        parts = [self.negated()]
        while self.take("and"):
            parts.append(self.negated())
        return lambda e: all(p(e) for p in parts)

    def negated(self):
        if self.take("not"):
            inner = self.negated()
            return lambda e: not inner(e)
        if self.take("("):
            inner = self.either()
            if not self.take(")"):
                raise ValueError("where: ) is missing")
            return inner
        return self.comparison()

    def comparison(self):
        name = self.take()
        if name == "exists":
            name = (self.take("("), self.take(), self.take(")"))[1]
            return lambda e: self.field_of(e, name) is not None
        turned = self.take("not")
        if self.take("in"):
            among = self.literals()
            return lambda e: self.present(e, name, lambda v: (v in among) != bool(turned))
        op, literal = OPS[self.take()], value_of(self.take())
        return lambda e: self.present(e, name, lambda v: op(v, literal))

    def literals(self):
        out = []
        self.take("[")
        while not self.take("]"):
            out.append(value_of(self.take()))
            self.take(",")
        return out

    def present(self, event, name, test):
        value = self.field_of(event, name)
        return value is not None and test(value)


def value_of(token):
    if token[0] in "'\"":
        return token[1:-1]
    return {"true": True, "false": False}[token] if token in ("true", "false") else float(token)

// Runs validators in one process, because starting each anew takes longer than judging.
//   validate_many.js FOLDER < calls: one JSON list a line, [validator, argument, ...]
// answers [exit code, what it printed], one a line. Schemas are read, parsed and compiled once: all the rest is the
// validators' own.
'use strict';
const fs = require('fs');
const Module = require('module');
const path = require('path');

const folder = path.resolve(process.argv[2]);
const answer = process.stdout.write.bind(process.stdout);
const load = Module._load;
const schemas = new Map();
const read = fs.readFileSync;
const { parse } = JSON;
const files = new Map(); // path -> its bytes
const parsed = new Map(); // bytes -> the value, which nobody changes
const compiled = new Map(); // schemas -> Ajv's function

class Exit {
  constructor(code) { this.code = code; }
}

function buildSchemaOnce(graphql, text, options) {
  if (!schemas.has(text)) schemas.set(text, graphql.buildSchema(text, options));
  return schemas.get(text);
}

function frozen(value) {
  if (value && typeof value === 'object') Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

fs.readFileSync = (file, ...rest) => {
  const key = String(file) + rest;
  if (typeof file !== 'string' || !file.startsWith(process.env.SINK_SCHEMAS)) return read(file, ...rest);
  if (!files.has(key)) files.set(key, read(file, ...rest));
  return files.get(key);
};

JSON.parse = (text, ...rest) => {
  if (!Buffer.isBuffer(text)) return parse(text, ...rest);
  if (![...files.values()].includes(text)) return parse(text, ...rest);
  if (!parsed.has(text)) parsed.set(text, frozen(parse(text)));
  return parsed.get(text);
};

// What is compiled depends on the schemas alone: options and formats are those of the validator that asks.
function compilingOnce(ajv, validator) {
  return class extends ajv {
    added = []; // of the validator; before that Ajv adds its own
    addSchema(...schema) {
      if (!this.added) return super.addSchema(...schema);
      this.added.push(schema);
      return this;
    }
    compile(schema) {
      const key = validator + JSON.stringify([this.added, schema]);
      if (!compiled.has(key)) {
        for (const added of this.added) super.addSchema(...added);
        compiled.set(key, super.compile(schema));
      }
      return compiled.get(key);
    }
  };
}

Module._load = function (name, ...rest) {
  const loaded = load.call(this, name, ...rest);
  if (name === 'ajv' || name === 'ajv/dist/2020') return { ...loaded, default: compilingOnce(loaded.default, process.argv[1]) };
  if (name !== 'graphql') return loaded;
  const member = (target, key) => key === 'buildSchema' ? (...a) => buildSchemaOnce(loaded, ...a) : target[key];
  return new Proxy(loaded, { get: member });
};

function run(validator, args) {
  let said = '';
  process.argv = [process.execPath, path.join(folder, validator + '.js'), ...args];
  process.stdout.write = text => { said += text; return true; };
  for (const file of Object.keys(require.cache)) if (path.dirname(file) === folder) delete require.cache[file];
  try {
    require(process.argv[1]);
    return [2, said + 'it did not end'];
  } catch (e) {
    return e instanceof Exit ? [e.code, said] : [2, said + e.stack];
  }
}

process.setMaxListeners(0);
process.exit = code => { throw new Exit(code); };
const { Date } = globalThis; // one validator pins the clock
const { now } = Date;
for (const line of fs.readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const [validator, ...args] = parse(line);
  const result = run(validator, args);
  globalThis.Date = Date;
  Date.now = now;
  answer(JSON.stringify(result) + '\n');
}

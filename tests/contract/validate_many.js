// Runs validators in one process, because starting each anew takes longer than judging.
//   validate_many.js FOLDER < calls: one JSON list a line, [validator, argument, ...]
// answers [exit code, what it printed], one a line. Linear's schema, 1.2 MB, is read once.
'use strict';
const fs = require('fs');
const Module = require('module');
const path = require('path');

const folder = path.resolve(process.argv[2]);
const answer = process.stdout.write.bind(process.stdout);
const load = Module._load;
const schemas = new Map();

class Exit {
  constructor(code) { this.code = code; }
}

function buildSchemaOnce(graphql, text, options) {
  if (!schemas.has(text)) schemas.set(text, graphql.buildSchema(text, options));
  return schemas.get(text);
}

Module._load = function (name, ...rest) {
  const loaded = load.call(this, name, ...rest);
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
  const [validator, ...args] = JSON.parse(line);
  const result = run(validator, args);
  globalThis.Date = Date;
  Date.now = now;
  answer(JSON.stringify(result) + '\n');
}
